"""skorch callbacks of generative nets: moving average, divergence guard, schedules, the log of steps."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skgan._step_log import KeepsState, StepLog
from skgan._warnings import warn
from skgan._whole import write_picture

__all__ = ["EMA", "Anneal", "DivergenceGuard", "GammaByResolution", "Grow", "SampleGrid", "StepLog"]


class EMA(KeepsState, Callback):
    """Exponential moving average of the generator's weights, written into the net when training ends.

    The decay warms up as min(decay, (1 + t) / (10 + t)), so that the average is usable after some 100 steps.

    Parameters
    ----------
    decay : float in [0, 1), default=0.995
        Weight of the past per step; the half-life is log ½ / log decay, 138 steps by default.
    """

    def __init__(self, decay: float = 0.995):
        self.decay = decay

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        if not 0 <= self.decay < 1:
            raise ValueError(f"The decay of the moving average must lie in [0, 1), got {self.decay}.")
        self.average_ = AveragedModel(net.module_.generator, multi_avg_fn=self._average)

    def _average(self, averaged, current, n_averaged):
        t = int(n_averaged)
        get_ema_multi_avg_fn(min(self.decay, (1 + t) / (10 + t)))(averaged, current, n_averaged)

    def on_batch_end(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        self.average_.update_parameters(net.module_.generator)

    def training_state(self) -> Any:
        return dict(self.average_.state_dict())

    def restore_training(self, state: Any) -> None:
        self.average_.load_state_dict(state)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        net.module_.generator.load_state_dict(self.average_.module.state_dict())
        del self.average_


class DivergenceGuard(KeepsState, Callback):
    """When a loss or a weight is no longer finite, or a loss explodes: back to the last good weights, a warning, stop.

    Checked once an epoch (every 20 steps by default), where the losses come off the device anyway.

    Parameters
    ----------
    max_loss : float, default=1e6
        A mean loss whose absolute value is above this counts as diverged.
    cure : str, default="A smaller lr or a stronger penalty"
        What the warning recommends.
    """

    def __init__(self, max_loss: float = 1e6, cure: str = "A smaller lr or a stronger penalty"):
        self.max_loss = max_loss
        self.cure = cure

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        self.good_ = [tensor.clone() for tensor in self._tensors(net, self._average(net))]
        self.good_step_ = self.checked_step_ = 0

    def _average(self, net):
        ema = dict(net.callbacks_).get("ema")
        return net.module_.generator if ema is None else ema.average_.module

    def _tensors(self, net, generator):
        """What training leaves behind: everything but the generator, and the generator or its average."""
        rest = [tensor for name, tensor in net.module_.state_dict().items() if not name.startswith("generator.")]
        return [*rest, *generator.state_dict().values()]

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        if not self._is_fine(net, self._tensors(net, self._average(net))):
            raise KeyboardInterrupt  # skorch's way to end training from a callback

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        if net.steps_ > self.checked_step_:  # ended within an epoch; the average is in the net by now
            self._is_fine(net, self._tensors(net, net.module_.generator))
        del self.good_

    def training_state(self) -> Any:
        return {"good": self.good_, "steps": (self.good_step_, self.checked_step_)}

    def restore_training(self, state: Any) -> None:
        self.good_step_, self.checked_step_ = state["steps"]
        for kept, tensor in zip(self.good_, state["good"], strict=True):
            kept.copy_(tensor)

    @torch.no_grad()
    def _is_fine(self, net, tensors) -> bool:
        """Keep a copy of the tensors if all is well, else put the last copy back and warn."""
        self.checked_step_ = net.steps_
        losses = {name: net.history[-1, name] for name in net.reported_ if name.endswith("loss")}
        fine = all(math.isfinite(loss) and abs(loss) <= self.max_loss for loss in losses.values())
        if fine and torch.stack([tensor.float().sum() for tensor in tensors]).isfinite().all():
            for kept, tensor in zip(self.good_, tensors, strict=True):
                kept.copy_(tensor)
            self.good_step_ = net.steps_
            return True
        for kept, tensor in zip(self.good_, tensors, strict=True):
            tensor.copy_(kept)
        values = ", ".join(f"{name} {loss:.3g}" for name, loss in losses.items())
        warn(
            f"Training diverged by step {net.steps_} ({values}); the net went back to its state of step "
            f"{self.good_step_} and stopped. {self.cure} usually cures it."
        )
        return False


class Anneal(Callback):
    """Move one number along a schedule, step by step.

    Parameters
    ----------
    parameter : str
        ``"lr"`` (groups with rates of their own keep their ratio to it), ``"beta1"``, ``"beta2"``, a penalty's or
        transform's field as in a grid (``"penalties__R1__gamma"``, ``"augment__InstanceNoise__std"``), or a numeric
        parameter of the net, such as ``"gamma"`` of ConsensusNet.
    schedule : (start, end) or callable
        From start to end, or a function of the progress t in [0, 1].
    shape : {"linear", "cosine"}, default="linear"
        The way from start to end.
    until : float in (0, 1], default=1.0
        The part of training at which the end is reached; it is kept from there on.
    """

    def __init__(self, parameter: Any, schedule: Any, shape: Any = "linear", until: Any = 1.0):
        self.parameter = parameter
        self.schedule = schedule
        self.shape = shape
        self.until = until

    def value(self, t: float) -> float:
        """The schedule at progress t."""
        t = min(1.0, t / self.until)
        if callable(self.schedule):
            return self.schedule(t)
        start, end = self.schedule
        return start + (end - start) * (t if self.shape == "linear" else (1 - math.cos(math.pi * t)) / 2)

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        if not callable(self.schedule) and len(self.schedule) != 2:
            raise ValueError(f"The schedule must be (start, end) or a function of the progress; got {self.schedule!r}.")
        if self.shape not in ("linear", "cosine") or not 0 < self.until <= 1:
            raise ValueError(
                f"shape must be 'linear' or 'cosine' and until lie in (0, 1]; got {self.shape!r} and {self.until!r}."
            )
        self.set_ = self._setter(net)
        self.before_ = getattr(net, self.parameter, None)

    def _setter(self, net):
        """A function that writes the value where it acts."""
        kind, _, path = self.parameter.partition("__")
        groups = net.optimizer_.param_groups
        if self.parameter == "lr":
            if not net.lr > 0:
                raise ValueError(
                    f"Anneal('lr', …) keeps every group's rate in proportion to lr, which must be above 0 and is {net.lr!r}. "
                    "Set lr, or leave this callback out."
                )
            rates = [group["lr"] / net.lr for group in groups]
            return lambda value: [group.update(lr=rate * value) for group, rate in zip(groups, rates, strict=True)]
        if self.parameter in ("beta1", "beta2") and "betas" in groups[0]:
            first = self.parameter == "beta1"
            return lambda value: [
                group.update(betas=(value, group["betas"][1]) if first else (group["betas"][0], value))
                for group in groups
            ]
        if path:
            name, _, field = path.partition("__")
            part = getattr(net, f"{kind}_", {}).get(name)
            if part is not None and hasattr(part, field):
                return lambda value: setattr(part, field, value)
        elif isinstance(getattr(net, self.parameter, None), int | float):
            return lambda value: setattr(net, self.parameter, value)
        raise ValueError(
            f"Anneal({self.parameter!r}, …) names nothing that can be annealed in this net: use 'lr', 'beta1', 'beta2', "
            "'penalties__<Class>__<field>', 'augment__<Class>__<field>' or a numeric parameter of the net."
        )

    def on_batch_begin(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        self.set_(self.value(net.steps_ / max(1, net.max_steps - 1)))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        if self.before_ is not None and self.parameter != "lr":
            setattr(net, self.parameter, self.before_)
        del self.set_, self.before_


class GammaByResolution(Callback):
    """The weights of R1 and R2 by the size of the images, falling tenfold along a cosine as training goes on.

    γ ends at .5 · √(H · W) / 32, R3GAN's values for ImageNet at 32 and 64 px (.5 and 1), and begins at ten times that; rows of
    a table count as 32 px.

    Parameters
    ----------
    scale : float, default=1.0
        Factor on all of it; γ should be larger where data are few.

    References
    ----------
    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, section 4 and appendix D.
    """

    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale must be above 0, got {self.scale!r}.")
        self.parts_ = [part for name, part in net.penalties_.items() if name.startswith(("R1", "R2"))]
        if not self.parts_:
            raise ValueError("GammaByResolution sets the γ of R1 and R2, and this net's penalties hold neither.")
        shape = net.data_shape_
        self.end_ = 0.5 * self.scale * (math.sqrt(shape[1] * shape[2]) / 32 if len(shape) == 3 else 1.0)

    def on_batch_begin(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        t = net.steps_ / max(1, net.max_steps - 1)
        for part in self.parts_:
            part.gamma = self.end_ * (1 + 9 * (1 + math.cos(math.pi * t)) / 2)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        del self.parts_


class Grow(Callback):
    """Grow a module such as :class:`skgan.modules.ProGAN` stage by stage, as its training goes on.

    Training's ``max_steps`` are divided among the stages; every stage after the first fades in and then trains on in full.
    The last stage is there in full at the last step. A training that ends early stays at the stage it has reached: with
    ``max_time``, set ``max_steps`` to what the time allows.

    Parameters
    ----------
    fade : float in [0, 1], default=0.5
        The part of its stage in which alpha rises linearly from 0 to 1; 0 switches stages at once.
    shares : sequence of floats above 0 or None, default=None
        How much of the steps every stage gets, from the coarsest on; only their ratio counts. None is equal shares.

    References
    ----------
    Karras et al., "Progressive growing of GANs", ICLR 2018, section 2: as many images for fading in as for training on.
    """

    def __init__(self, fade: Any = 0.5, shares: Any = None):
        self.fade = fade
        self.shares = shares

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        missing = [name for name in ("n_stages", "grow", "grown") if not hasattr(net.module_, name)]
        if missing:
            raise TypeError(
                "Grow needs a module with n_stages, grow(stage, alpha) and grown(), such as skgan.modules.ProGAN, and "
                f"{type(net.module_).__name__} lacks {', '.join(missing)}; leave Grow out of the callbacks, or use ProGAN."
            )
        if not 0 <= self.fade <= 1:
            raise ValueError(f"fade is a part of every stage and must lie in [0, 1], got {self.fade!r}.")
        n_stages = net.module_.n_stages
        shares = np.ones(n_stages) if self.shares is None else np.asarray(self.shares, dtype=float)
        if shares.shape != (n_stages,) or not (np.isfinite(shares).all() and (shares > 0).all()):
            raise ValueError(
                f"shares must be one weight above 0 per stage, and images of this size have {n_stages} stages; "
                f"got {self.shares!r}."
            )
        ends = shares.cumsum()
        self.bounds_ = [0.0, *(ends / ends[-1]).tolist()]
        net.module_.grow(0, 1.0)

    def state(self, t: float) -> tuple[int, float]:
        """Stage and alpha of a step that brings training to progress t in (0, 1]."""
        stage = sum(bound < t for bound in self.bounds_[1:-1])
        begin, end = self.bounds_[stage : stage + 2]
        fading = self.fade * (end - begin) if stage else 0.0
        return stage, min(1.0, (t - begin) / fading) if fading else 1.0

    def on_batch_begin(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        if training:
            net.module_.grow(*self.state((net.steps_ + 1) / net.max_steps))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        # A cut leaves the moving average a step behind, and DivergenceGuard puts buffers back unseen by the module.
        net.module_.grow(*net.module_.grown())


class SampleGrid(Callback):
    """Write a picture of generated images every so many steps, always from the same noise; needs matplotlib.

    The photo report watches its training by eight images, four of each class. Files are ``step-000100.png`` and so on, in a
    folder that is made where it is missing; with ``per_class=True`` every class's net writes to the same names, so give each
    a folder of its own.

    Parameters
    ----------
    folder : str or path
    every : int, default=100
        Steps from one picture to the next; the last step has one too.
    n_images : int, default=4
        Images of each class.
    """

    def __init__(self, folder: Any, every: int = 100, n_images: int = 4):
        self.folder = folder
        self.every = every
        self.n_images = n_images

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        for name in ("every", "n_images"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"SampleGrid's {name} must be an integer of at least 1, got {value!r}.")
        if len(net.data_shape_) != 3 or net.condition_dim_ or net.needs_source:
            raise ValueError(
                "SampleGrid draws images of classes that a net makes from noise, and this net makes rows of a table, rows for "
                "real-valued labels, or rows from real ones; leave it out of the callbacks."
            )
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        self.labels_ = np.repeat(np.arange(net.n_classes_), self.n_images)

    def on_batch_end(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        if net.steps_ % self.every == 0 or net.steps_ == net.max_steps:
            self._draw(net)

    def _draw(self, net):
        from skgan.plotting import SampleGridDisplay

        images = np.moveaxis(net.sample(self.labels_, random_state=0), 1, -1)
        net._set_training(True)
        images = images if images.shape[-1] == 3 else images[..., 0]
        rows = [(f"class {k}", images[self.labels_ == k]) for k in range(net.n_classes_)]
        write_picture(Path(self.folder) / f"step-{net.steps_:06d}.png", SampleGridDisplay(rows).plot().figure_, dpi=80)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        del self.labels_
