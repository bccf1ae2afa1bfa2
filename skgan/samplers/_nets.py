"""Which net, ready to train: what cannot be done is refused here, before any training."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklearn.base import clone

from skgan import presets
from skgan._device import A_TRAINING_EACH, resolve_device
from skgan._names import no_preset
from skgan.codecs import Codec
from skgan.nets import GenerativeNet

REFUSALS = {
    "has_parents": "DomainOverSampler gives every new row the label of the real row that it was made from, so the net must "
    "make rows from real ones: use cyclegan(), offspring() or dagan() (got {net}).",
    "translates": "Only nets such as cyclegan() turn rows of one class into rows of another; give this sampler net='cyclegan' "
    "(got {net}).",
    "scores_rows": "A row filter such as DiscriminatorFilter needs one net for all classes whose discriminator judges single "
    "rows: it works with noise-to-data nets and per_class=False (got {net}). Use ClassifierFilter or NeighbourFilter here.",
}
"""Trait of a net → what is said where it lacks it."""


def require(net: GenerativeNet | None, trait: str) -> None:
    """Refuse a net that lacks a trait, in a sentence; None is no net for all classes."""
    traits = {} if net is None else {name: getattr(net, name) for name in REFUSALS}
    if not traits.get(trait, False):
        raise ValueError(REFUSALS[trait].format(net="one net per class" if net is None else type(net).__name__))


def preset(name: str) -> GenerativeNet:
    """The net that a preset's name stands for.

    Raises
    ------
    ValueError
        For an unknown name, with the list and the nearest match.
    """
    if name in presets.__all__:
        return getattr(presets, name)()
    raise ValueError(no_preset(name))


def prepared(
    net: Any, codec: Codec, shortcuts: Mapping[str, Any], auto: Callable[[], GenerativeNet] | None = None
) -> GenerativeNet:
    """A clone of the net, with the sampler's shortcuts, on a device that is there, for rows of this codec.

    Parameters
    ----------
    net : str or GenerativeNet
        A preset's name, "auto", or a net.
    codec : Codec
        Fitted.
    shortcuts : dict
        max_steps, max_time, device, verbose; None is the net's own.
    auto : callable or None, default=None
        Returns what "auto" stands for.
    """
    if isinstance(net, str):
        net = auto() if net == "auto" and auto is not None else preset(net)
    elif not isinstance(net, GenerativeNet):
        raise TypeError(
            f"net must be a preset's name, a net such as skgan.presets.dcgan(), or 'auto'; got {net!r}."
            + (" Write the call, with brackets." if callable(net) else "")
        )
    given = {name: value for name, value in shortcuts.items() if value is not None}
    device = given.get("device", net.device)
    net = clone(net).set_params(**{**given, "device": device if device == A_TRAINING_EACH else resolve_device(device)})
    net.check_training_params()
    if codec.spans_:
        if "spans" not in inspect.signature(net.module).parameters:
            raise ValueError(
                f"X has categorical columns, and {net.module.__name__} cannot make them (it has no argument 'spans'); "
                "use net='mlp_gan', or encode them as numbers first."
            )
        net.set_params(module__spans=codec.spans_)
    return net


def resolve_nets(
    net, wanted: list[int], names: Sequence, *, per_class: bool, prepare: Callable[[Any], GenerativeNet]
) -> dict[int, GenerativeNet]:
    """Group → prepared net; the same object for all groups unless there is one net a class.

    Parameters
    ----------
    net : str, GenerativeNet, or dict of class → either
    wanted : list of int
        Groups that need new rows.
    names : sequence
        Of all groups, by number.
    per_class : bool
    prepare : callable
        ``prepared`` with all but its first argument.
    """
    if not isinstance(net, Mapping):
        shared = prepare(net)
        if per_class and shared.needs_classes:
            raise ValueError(
                f"per_class=True trains a net on one class alone, and {type(shared).__name__} learns from several; set "
                "per_class=False."
            )
        shared.for_classes(list(names))
        return dict.fromkeys(wanted, shared)
    if not per_class:
        raise ValueError(
            "net={class: net} trains one net per class: set per_class=True as well, where the sampler has it, or give one net."
        )
    unknown = [klass for klass in net if klass not in names]
    if unknown:
        raise ValueError(f"net has keys that are no classes of y: {unknown}; the classes are {list(names)}.")
    missing = [names[i] for i in wanted if names[i] not in net]
    if missing:
        raise ValueError(f"net has no entry for the classes {missing}, which need new rows; add one for each.")
    return {i: prepare(net[names[i]]) for i in wanted}
