"""What differs from skorch in every net of skgan."""

import dis
import inspect
import sys
import types
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

from skorch import NeuralNet
from skorch.callbacks import Callback

from skgan._compat import has_parameters
from skgan._device import A_TRAINING_EACH, resolve_device
from skgan._draws import initial_weights
from skgan._interrupts import noted_interrupts

# Whose code draws from no global generator of torch while it trains, as these nets use it
_KNOWN = {"skgan", "torch", "skorch", "sklearn", "numpy", "scipy", "pandas", *sys.stdlib_module_names}

_RAISE = dis.opmap["RAISE_VARARGS"]


class TrainingMixin(NeuralNet):
    """What differs from skorch in all nets here: ``device="auto"`` is resolved at fit, parameters never re-initialise a
    fitted net behind your back, and Ctrl-C is told from a callback's wish to stop.
    """

    device: str
    device_: str
    initialized_: bool
    interrupts_: Sequence[int] = ()
    optimizer: Any
    __signature__: inspect.Signature

    def __init_subclass__(cls, **kwargs):
        """Give ``__init__`` a signature with the parameters that it passes on to its bases.

        scikit-learn compares parameters with this signature to show those that differ from their defaults, also where the net
        is a part of a sampler or pipeline. Parameters that it does not find there are all shown.
        """
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            own = inspect.signature(cls.__init__)
            cls.__signature__ = own.replace(parameters=list(own.parameters.values())[1:])
            vars(cls)["__init__"].__signature__ = _with_inherited(cls, own)

    def initialize(self) -> Any:
        """Resolve the device, then let skorch build callbacks, module, criterion, optimiser and history on it."""
        self.device_ = resolve_device(self.device)
        requested, self.device = self.device, self.device_
        try:
            with initial_weights():
                return super().initialize()
        finally:
            self.device = requested

    @property
    def has_foreign_code(self) -> bool:
        """Whether this class or a parameter brings code of the user's, which may draw from torch's global generators."""
        return _is_foreign(type(self), set()) or _is_foreign(self.get_params(deep=False), set())

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Self:
        """skorch's, with the fused form where the optimiser has one and nothing else was asked for."""
        named = self.get_all_learnable_params()
        args, kwargs = self.get_params_for_optimizer("optimizer", named)
        if "fused" in inspect.signature(self.optimizer).parameters and not kwargs.get("foreach"):
            kwargs.setdefault("fused", True)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        return self

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, **fit_params: Any) -> Self:
        """skorch's, which ends quietly where a callback stops it, and only there: Ctrl-C is raised."""
        if not self.initialized_:
            self.initialize()
        with noted_interrupts() as self.interrupts_:
            self.notify("on_train_begin", X=X, y=y)
            try:
                self.fit_loop(X, y, **fit_params)
            except KeyboardInterrupt as error:
                if self.interrupts_ or not _is_a_callbacks_stop(error):
                    raise
            self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name: Any, **cb_kwargs: Any) -> None:
        """skorch's, after which a Ctrl-C that was dropped on the way is raised."""
        super().notify(method_name, **cb_kwargs)
        if self.interrupts_:
            raise KeyboardInterrupt

    def get_params(self, deep: Any = True, **kwargs: Any) -> Any:
        """Parameters by name; skorch's own bookkeeping, which it rebuilds from them, is left out."""
        params = super().get_params(deep=deep, **kwargs)
        params.pop("_params_to_validate", None)
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters; a net that was fitted has to be fitted again (it always trains from scratch)."""
        if params and self.initialized_:
            # skorch would rebuild modules at once, and flatten the optimiser's parameter groups.
            self.initialized_ = False
            self.virtual_params_: dict[str, Any] = {}
        return super().set_params(**params)

    def __setstate__(self, state):
        requested = state["device"]
        known = requested if requested not in (None, "auto", A_TRAINING_EACH) else state.get("device_", "cpu")
        super().__setstate__({**state, "device": known})
        if "device_" in state:
            self.device_ = self.device
        self.device = requested

    def __repr__(self) -> str:
        """The class, the parameters that it adds to its base, and all that differ from their defaults."""
        defaults: dict[str, Any] = {}
        for klass in reversed(type(self).__mro__):
            if "__init__" in vars(klass):
                own = {name: p.default for name, p in inspect.signature(klass).parameters.items()}
                defaults |= own
        given = self.get_params(deep=False)
        first = [name for name in own if name in given]
        changed = [
            name for name in given if name not in first and repr(given[name]) != repr(defaults.get(name, "none"))
        ]
        return f"{type(self).__name__}({', '.join(f'{name}={_shown(given[name])}' for name in [*first, *changed])})"


def _is_a_callbacks_stop(error: KeyboardInterrupt) -> bool:
    """Whether a ``raise`` in a callback raised this, and neither the system nor code outside of callbacks.

    A traceback says so in threads and worker processes too: what comes from outside is raised between two instructions.
    """
    entries = []
    traceback = error.__traceback__
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    codes = [entry.tb_frame.f_code for entry in entries]
    return NeuralNet.notify.__code__ in codes and codes[-1].co_code[entries[-1].tb_lasti] == _RAISE


def _with_inherited(klass: type, own: inspect.Signature) -> inspect.Signature:
    """The signature of ``__init__``, and by their names the parameters that it passes on to its bases as ``**kwargs``."""
    found = {name: p for name, p in own.parameters.items() if p.kind is not p.VAR_KEYWORD}
    passed_on = [p for p in own.parameters.values() if p.kind is p.VAR_KEYWORD]
    for base in klass.__mro__[1:] if passed_on else ():
        for name, p in inspect.signature(vars(base).get("__init__", object.__init__)).parameters.items():
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                found.setdefault(name, p.replace(kind=p.KEYWORD_ONLY))
    return own.replace(parameters=[*found.values(), *passed_on])


def _is_foreign(value: Any, seen: set[int]) -> bool:
    """Whether the value is, or holds, a class or function from outside of the known libraries."""
    if isinstance(value, type):
        return any(base.__module__.partition(".")[0] not in _KNOWN for base in value.__mro__)
    if value is None or isinstance(value, bool | int | float | str) or id(value) in seen:
        return False
    seen.add(id(value))
    if isinstance(value, Mapping):
        return any(_is_foreign(part, seen) for part in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(_is_foreign(part, seen) for part in value)
    if isinstance(value, partial):
        return _is_foreign([value.func, value.args, value.keywords], seen)
    if isinstance(value, types.MethodType):
        return _is_foreign([value.__func__, value.__self__], seen)
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType):
        return (value.__module__ or "").partition(".")[0] not in _KNOWN
    if _is_foreign(type(value), seen):
        return True
    held = value.get_params(deep=False) if has_parameters(value) else getattr(value, "__dict__", None)
    return _is_foreign(held, seen)


def _shown(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, tuple) and value and isinstance(value[-1], Callback):
        return f"({value[0]!r}, {_shown(value[-1])})"
    if isinstance(value, Callback):
        params = ", ".join(f"{name}={_shown(part)}" for name, part in value.get_params(deep=False).items())
        return f"{type(value).__name__}({params})"
    return repr(value)
