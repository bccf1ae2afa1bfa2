"""GANOverSampler: SMOTE's place in the pipeline."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler

from skgan.codecs import Codec
from skgan.nets import GenerativeNet
from skgan.nets.genclass import all_classes
from skgan.presets import offspring
from skgan.samplers._amounts import by_strategy
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import check_containers, check_groups, check_rows
from skgan.samplers._containers import Classes, Container, check_classes, class_labels
from skgan.samplers._labels import ClassLabels
from skgan.samplers._task import NET_CONSTRAINTS, Task

TABLE_SHARES = {"net": 1, "gaussian": 2, "mixture": 1, "copy": 1}
"""What ``net="auto"`` puts together on tables: no one kind of rows is safe on all of them (``benchmarks/tables.py``)."""

MAX_GAUSSIAN = 5e10
"""Classes × encoded columns³ above which "auto" has no Gaussian: its roots would take longer than the net."""


class GANOverSampler(BaseGenerativeSampler, BaseOverSampler):
    """Over-sample with a generative net, where ``SMOTE()`` stood.

    The rows are encoded, a net is trained on them, new rows are drawn from it and stacked under the originals.
    Images and tables alike; one net learns all classes and is told which to make, unless ``per_class=True``.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        As everywhere in imbalanced-learn: "auto" (= "not majority"), "minority", "not minority", "all"; a float for
        binary targets; a dict class → rows after resampling; or a callable such as :func:`skgan.at_least`.
    net : str, net or dict, default="auto"
        A preset's name (:mod:`skgan.presets`), a net such as ``dcgan(max_steps=500)``, or "auto": ``offspring()``,
        on tables with 300 steps, ``spread=1`` and R1 in every step; ``mlp_gan(alpha=2)`` on a table where the row filter asks
        the net for scores.
        With ``per_class=True`` also a dict class → net.
    shares : "auto" or dict, default="auto"
        Which makers the new rows come from, and their weights, such as ``{"net": 1, "mixture": 1, "copy": 1}``: "net" is the
        net above; "gaussian" a Gaussian per class (:func:`skgan.presets.gaussian`); "mixture" a row between a real one and one
        of its five nearest, as of SMOTE; "copy" a real row again. Only the weights' ratio counts, and with ``memory`` other
        weights need no other training. "auto" is the net's own (``default_shares``: half copies for ``offspring()``, else the
        net alone); with ``net="auto"`` on a table
        ``{"net": 1, "gaussian": 2, "mixture": 1, "copy": 1}``.
    codec : "auto" or codec, default="auto"
        How rows become arrays and come back: :class:`skgan.codecs.ImageCodec` where X has more than two axes, else
        :class:`skgan.codecs.TabularCodec`. ``ImageCodec(image_shape=…, channels=…)`` says that flat rows are images, or where
        the channel axis lies.
    row_filter : RowFilter or None, default=None
        Of :mod:`skgan.filters`, or derived from :class:`skgan.filters.RowFilter`: rows that score at least 0
        are kept. Up to 8 rows are made for one that is wanted, then copies fill up.
    per_class : bool, default=False
        Train one unconditional net per class that needs rows, on that class alone.
    categorical_features : "auto", None or array-like, default="auto"
        Indices, names or a mask of a table's categorical columns; "auto" takes category, object, string and bool.
    max_steps, max_time : int, float or None, default=None
        Training steps, and seconds after which training ends early; None is the net's own.
    memory : str, path, joblib.Memory or None, default=None
        Where trained generators are kept under data, training parameters and seed: a search over amounts trains once per fold.
        Files are safetensors, of which nothing is run; damaged or foreign ones are trained anew and overwritten. A training in
        progress is kept every half minute (``skgan.nets.checkpoints``) and, after a kill, Ctrl-C or ``max_time`` (which counts
        the time before too), goes on to the same rows, bit for bit; with a net, callback, penalty or transform of a class of
        yours it begins anew, because its state is not known. Not used with ``random_state=None``; the result of a run that
        ``max_time`` cut is not kept; callbacks do not run when an entry is read, and row filters are fitted again. MLP pairs of
        ``per_class=True`` of which some are there are as if trained without these: up to rounding.
    n_jobs : int or None, default=None
        Nets trained at once with ``per_class=True``, on the backend of ``joblib.parallel_config``, else in processes; None
        is 1, or what that says.
    device : str or None, default=None
        "auto", "cpu", "cuda", "cuda:1" …; "cuda:auto" gives each training a GPU, in turn; None is the net's
        own ("auto" in presets).
    random_state : int, RandomState or None, default=None
        An int gives the same rows in every call.
    verbose : int or None, default=None
        1 prints steps, losses and time left; None is the net's own (0 in presets).

    Attributes
    ----------
    sampling_strategy_ : dict
        Class → number of new rows.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    origin_ : ndarray of str
        What each of the returned rows is: "real", or new from the "net" or the "gaussian", a "mixture" of two rows, a "copy",
        or a copy of a class's single row with "jitter".
    parent_indices_ : ndarray of shape (n, 2)
        Which rows of X each of the returned rows was made from: two of them, or one and −1; −1 and −1 of real rows and of rows
        that were made from noise.
    groups_ : ndarray
        Where ``fit_resample`` was given groups: those of the returned rows. A new row has its parents' group; rows whose
        parents are of two groups, and rows made from noise, have one more group together.
    factory_ : RowFactory
        What makes rows: all that is kept of the fit.
    sample_shape_ : tuple of int
        Shape of one row of X.
    training_history_ : DataFrame
        step, max_steps, discriminator_loss, generator_loss, discriminator_accuracy, seconds (and class, with
        ``per_class=True``); empty where nothing had to be trained. A last step below max_steps is of a training that
        ``max_time`` or a callback ended early.
    filter_report_ : DataFrame
        With a row filter: class, rows made, accepted, copies that filled up, and the share accepted.
    classes_ : ndarray
        The classes, sorted.
    codec_ : codec
        As fitted.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn (``X.shape[1]``: of images in channels-first layout, the channels).

    See Also
    --------
    skgan.at_least : A ``sampling_strategy`` that is safe in any fold.

    Notes
    -----
    A class of one row gets slightly jittered copies of it, with a warning, unless the net learns from the other classes how
    a row varies (``offspring()``, ``dagan()``). Where no class has five rows, nothing is trained and the new rows are plain
    copies, with a warning. Rows come in blocks from one stream per class: for one seed, the rows of a smaller amount are the
    first rows of a larger one.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skgan import GANOverSampler
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> X_new, y_new = GANOverSampler(max_steps=20, random_state=0).fit_resample(X, y)
    >>> X_new.shape, int((y_new == 1).sum())
    ((360, 20), 180)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOverSampler._parameter_constraints,
        **NET_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        net: Any = "auto",
        shares: Any = "auto",
        codec: Any = "auto",
        row_filter: Any = None,
        per_class: bool = False,
        categorical_features: Any = "auto",
        max_steps: int | None = None,
        max_time: float | None = None,
        memory: Any = None,
        n_jobs: int | None = None,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | None = None,
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.net = net
        self.shares = shares
        self.codec = codec
        self.row_filter = row_filter
        self.per_class = per_class
        self.categorical_features = categorical_features
        self.max_steps = max_steps
        self.max_time = max_time
        self.memory = memory
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit_resample(self, X: Any, y: Any, *, groups: Any = None, out: Any = None) -> Any:
        """Train on (X, y) and return it with the new rows underneath.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n, d), or images (n, C, H, W), (n, H, W, C), (n, H, W)
            Numbers in any dtype; DataFrames and object arrays may hold categorical columns. Dense tables may hold
            NaN: new rows have values missing as real ones do.
        y : array-like of shape (n,)
            Class labels of any type.
        groups : array-like of shape (n,) or None, default=None
            Where each row comes from (a patient, a user), for ``groups_``; training does not look at it. In a pipeline it is
            routed: ``set_fit_resample_request(groups=True)``.
        out : str, path or None, default=None
            A folder that is not there yet. The result is written to ``X.npy`` and ``y.npy`` in it, piece by piece, and returned
            as ``numpy.memmap``: for an X larger than memory. The folder has its name only when both are whole.

        Returns
        -------
        X_resampled, y_resampled
            In the containers and dtypes of X and y: the originals first, unmodified and in order, then the new rows. They are
            copies, and the index of a DataFrame counts from 0, also where nothing was added. With ``out``
            they are mapped files.

        Raises
        ------
        ValueError, TypeError
            For input or parameters that training could not use, before any training.
        OSError
            Where ``out`` cannot be written: nothing is left there then, and the sampler is as it was.

        Notes
        -----
        Of an X that is a ``numpy.memmap`` the fitted sampler keeps a reference, and not a copy, where rows are made from real
        ones: the file must stay as it is.
        """
        return self._resampled(X, y, out=out, groups=groups)

    def auto_net(self, codec: Codec, conditions: bool) -> GenerativeNet:
        asks_net = self.row_filter is not None and self.row_filter.needs_scores
        if codec.is_image or codec.mostly_zero_ or asks_net:
            return super().auto_net(codec, conditions)
        return offspring(max_steps=300, spread=1.0, penalties__R1__every=1)

    def auto_shares(self, codec: Codec, net: GenerativeNet, n_classes: int) -> Mapping[str, float]:
        if self.net != "auto" or codec.is_image or codec.mostly_zero_:
            return super().auto_shares(codec, net, n_classes)
        too_wide = n_classes * float(np.size(codec.numeric_)) ** 3 > MAX_GAUSSIAN
        return {name: share for name, share in TABLE_SHARES.items() if not (too_wide and name == "gaussian")}

    def _task(self, X, y, *, groups=None) -> Task:
        check_containers(type(self).__name__, X, y)
        given, y = y, class_labels(y)
        check_classes(y, type(self).__name__)
        unseen = self.net.unseen_classes(y) if isinstance(self.net, GenerativeNet) and np.ndim(given) == 1 else []
        checked = check_rows(self, X, y, takes_nan=self._takes_nan)
        container, y = Container.of(X, Classes.of(given, y, unseen)), checked.y
        wanted = by_strategy(self.sampling_strategy, y, unseen)
        seen = np.unique(y)
        classes = all_classes(seen, unseen)
        # A longer name of an unseen class would be cut off by y's own dtype.
        labels = ClassLabels(classes, y.dtype if len(classes) == len(seen) else classes.dtype)
        return Task(
            checked,
            container,
            labels,
            np.searchsorted(classes, y),
            wanted,
            y,
            {"sampling_strategy_": wanted, "classes_": classes},
            check_groups(groups, len(y)),
        )
