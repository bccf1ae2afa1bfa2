"""Nets that encode rows: the (variational) autoencoder, and the VAE whose reconstructions a discriminator measures."""

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from skgan._compat import Number, StrOptions
from skgan._draws import rand, randint, randn_like
from skgan._settings import plain_torch
from skgan._tensors import as_tensor, to_unit_range
from skgan.callbacks import DivergenceGuard, StepLog
from skgan.nets.adversarial import AdversarialNet
from skgan.nets.base import GenerativeNet
from skgan.nets.draw import Draw
from skgan.nets.gaussian import covariance_roots, fit_gaussians

SAMPLING = [StrOptions({"prior", "posterior", "interpolation"})]


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) of every row, in nats, shape (n,) (Kingma & Welling, ICLR 2014, appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


class EncodesRows:
    """The part that nets with an encoder share: codes, and new rows from the prior, a fitted Gaussian or between codes.

    Subclasses have the parameter ``sampling`` and a module with ``encoder``, ``code_mean`` and ``code_factor``.
    """

    sampling: str
    module_: Any
    n_classes_: int
    condition_scale_: Any
    in_chunks: Callable
    labels: Callable
    latent: Callable
    seeded: Callable

    @property
    def needs_source(self) -> bool:
        """Whether rows are made from real ones."""
        return self.sampling == "interpolation"

    def encode(self, X: Any, y: Any = None) -> np.ndarray:
        """Codes of encoded rows: means of the posterior, (n, latent_dim), float32.

        Parameters
        ----------
        X : ndarray of shape ``(n, *data_shape)``
        y : array of shape (n,) or None, default=None
            As in ``fit``.
        """
        return self._posterior(X, y)[0]

    def decode(self, z: Any, y: Any = None, random_state: int | np.random.RandomState | None = None) -> np.ndarray:
        """Codes (n, latent_dim) → rows ``(n, *data_shape)``; categories are drawn, with this seed or the net's."""
        y = np.zeros(len(z), int) if y is None else y
        with self.seeded(random_state):
            return self.in_chunks(self.module_, as_tensor(np.float32(z)), as_tensor(self.labels(y)))

    def draw(self, y: Any, source: Any = None) -> Draw:
        """One encoded row per label, as ``sampling`` says; "interpolation" needs the source."""
        labels = as_tensor(self.labels(y))
        if self.sampling == "interpolation":
            codes, parents = self._between(np.asarray(y), source)
            return Draw(self.in_chunks(self.module_, codes, labels), parents)

        def make(labels: Tensor) -> Tensor:
            z = self.latent(len(labels))
            if self.sampling == "posterior":
                group = torch.zeros(len(z), dtype=torch.int64) if self.condition_scale_ is not None else labels
                factor = self.module_.code_factor[group]
                z = self.module_.code_mean[group] + (factor @ z[:, :, None])[:, :, 0]
            return self.module_(z, labels)

        return Draw(self.in_chunks(make, labels))

    def _between(self, y: np.ndarray, source) -> tuple[Tensor, np.ndarray]:
        """Codes between those of two random rows of the class, and these rows' indices, (n, 2)."""
        if source is None:
            raise ValueError("sampling='interpolation' starts from real rows: give the training set as source=(X, y).")
        X, labels = source
        pairs = np.empty((2, len(y)), dtype=int)
        for klass in np.unique(y):
            of_class = np.flatnonzero(labels == klass)
            where = np.flatnonzero(y == klass)
            pairs[:, where] = of_class[randint(len(of_class), (2, len(where))).numpy()]
        one, other = (torch.from_numpy(self.encode(X[i], labels[i])) for i in pairs)
        return torch.lerp(one, other, rand(len(y), 1)), pairs.T

    def _posterior(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of the codes."""
        y = np.zeros(len(X), int) if y is None else y
        both = self.in_chunks(
            lambda rows, labels: torch.stack(self.module_.encoder(to_unit_range(rows), labels), 1),
            as_tensor(np.asarray(X)),
            as_tensor(self.labels(y)),
        )
        return both[:, 0], np.exp(both[:, 1])

    @plain_torch(grad=False)
    def fit_codes(self, X: Any, y: Any, variational: bool) -> None:
        """Fit the Gaussian that the codes of each class follow: a VAE's aggregated posterior, by its first two moments."""
        mean, variance = self._posterior(X, y)
        groups = np.zeros(len(X), np.int64) if y is None or self.condition_scale_ is not None else np.asarray(y)
        means, covariance = fit_gaussians(torch.from_numpy(mean), torch.from_numpy(groups), self.n_classes_)
        if variational:  # the mean of the rows' own variances; an autoencoder's are never trained
            own = torch.zeros(means.shape, dtype=torch.float64).index_add_(
                0, torch.from_numpy(groups), torch.from_numpy(variance).double()
            )
            counts = torch.bincount(torch.from_numpy(groups), minlength=self.n_classes_).clamp(min=1)
            covariance = covariance + torch.diag_embed(own / counts[:, None])
        self.module_.code_mean.copy_(means)
        self.module_.code_factor.copy_(covariance_roots(covariance))


class VAENet(EncodesRows, GenerativeNet):
    """A variational autoencoder [1]_, or a plain one: maximises log p(x | z) − β KL(q(z | x) ‖ N(0, I)) over codes z.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.Autoencoder`.
    beta : float, default=1.0
        β ≥ 0, the weight of the KL term [2]_. 1 is the evidence lower bound.
    warm_up : float in [0, 1], default=0.2
        Part of the training in which β rises from 0, so that codes are used before they cost.
    variational : bool, default=True
        False is the plain autoencoder: no noise on the codes and no KL term.
    likelihood : {"auto", "bernoulli", "gaussian"}, default="auto"
        p(x | z); "auto" is Bernoulli for images in [-1, 1], and for tables Gaussian numbers and categorical spans.
    sampling : {"prior", "posterior", "interpolation"}, default="prior"
        Where codes of new rows come from: N(0, I); the Gaussian fitted to the codes of the class (a VAE's aggregated
        posterior); or a point between the codes of two real rows of the class. Changing it needs no new training.
    **kwargs
        As :class:`skgan.nets.GenerativeNet`.

    References
    ----------
    .. [1] Kingma & Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 10.
    .. [2] Higgins et al., "β-VAE", ICLR 2017, eq. 4.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeNet._parameter_constraints,
        "beta": [Number(Real, 0, None, closed="left")],
        "warm_up": [Number(Real, 0, 1, closed="both")],
        "variational": ["boolean"],
        "likelihood": [StrOptions({"auto", "bernoulli", "gaussian"})],
        "sampling": SAMPLING,
    }

    scores_rows = True
    sampling_params = ("sampling",)

    def __init__(
        self,
        module: Any,
        criterion: Any = nn.Identity,
        *,
        beta: Any = 1.0,
        warm_up: Any = 0.2,
        variational: Any = True,
        likelihood: Any = "auto",
        sampling: Any = "prior",
        **kwargs: Any,
    ):
        self.beta = beta
        self.warm_up = warm_up
        self.variational = variational
        self.likelihood = likelihood
        self.sampling = sampling
        super().__init__(module, criterion, **kwargs)

    @property
    def _default_callbacks(self):
        # An average of the decoder alone would not go with the encoder.
        return [("divergence_guard", DivergenceGuard()), ("step_log", StepLog())]

    def check_training_params(self) -> None:
        super().check_training_params()
        if not self.variational and self.sampling == "prior":
            raise ValueError(
                "A plain autoencoder has no prior to draw codes from: set sampling='posterior' (the Gaussian fitted to the "
                "codes) or 'interpolation', or variational=True."
            )

    def check_shapes(self) -> None:
        if self.likelihood == "bernoulli" and len(self.data_shape_) != 3:
            raise ValueError(
                "likelihood='bernoulli' is for images in [-1, 1], and these rows are a table; use 'gaussian' or 'auto'."
            )

    @property
    def likelihood_(self) -> str:
        """What "auto" stands for."""
        if self.likelihood != "auto":
            return self.likelihood
        return "bernoulli" if len(self.data_shape_) == 3 else "gaussian"

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Train from scratch, then fit the Gaussians of the codes; as :meth:`skgan.nets.GenerativeNet.fit`."""
        super().fit(X, y, **fit_params)
        self.fit_codes(X, y, self.variational)
        return self

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """One step on the negative evidence lower bound."""
        x, y = batch
        x = to_unit_range(x)
        mean, log_variance = self.module_.encoder(x, y)
        z = mean + randn_like(mean) * (0.5 * log_variance).exp() if self.variational else mean
        reconstruction = -self.module_.log_likelihood(x, z, y, self.likelihood_).mean()
        kl = divergence(mean, log_variance).mean()
        loss = reconstruction
        if self.variational:
            rise = min(1.0, (self.steps_ + 1) / max(1.0, self.warm_up * self.max_steps))
            loss = loss + self.beta * rise * kl
        self.optimizer_.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer_.step()
        told = {"divergence": kl.detach()} if self.variational else {}
        return self.report(reconstruction_loss=reconstruction.detach(), **told)

    def score_samples(self, X: Any, y: Any, n_draws: int = 8) -> np.ndarray:
        """The evidence lower bound of every row in nats, (n,), or a plain autoencoder's log p(x | z).

        Parameters
        ----------
        X : ndarray of shape ``(n, *data_shape)``
        y : array of shape (n,)
        n_draws : int, default=8
            Codes drawn for each row; the same ones in every call.
        """
        generator = torch.Generator().manual_seed(0)

        def bound(rows: Tensor, labels: Tensor) -> Tensor:
            rows = to_unit_range(rows)
            mean, log_variance = self.module_.encoder(rows, labels)
            if not self.variational:
                return self.module_.log_likelihood(rows, mean, labels, self.likelihood_)
            total = torch.zeros(len(rows), device=rows.device)
            for _ in range(n_draws):
                noise = torch.randn(mean.shape, generator=generator).to(mean.device)
                z = mean + noise * (0.5 * log_variance).exp()
                total += self.module_.log_likelihood(rows, z, labels, self.likelihood_)
            return total / n_draws - divergence(mean, log_variance)

        return self.in_chunks(bound, as_tensor(np.asarray(X)), as_tensor(self.labels(y)))


class VAEGANNet(EncodesRows, AdversarialNet):
    """A VAE whose decoder is a GAN's generator, with reconstructions measured in the discriminator's features [1]_.

    The discriminator sets real rows against reconstructions and rows from the prior, half each. The decoder wants to be
    taken for real; encoder and decoder want features of a reconstruction like the row's; the encoder wants codes like
    N(0, I). No gradient of the discriminator's logits reaches the encoder.

    Parameters
    ----------
    module : class
        :class:`skgan.modules.VAEGAN`.
    criterion : class
        A loss of :mod:`skgan.losses`.
    feature_weight : float, default=1.0
        Of ½ ‖h(x) − h(x̃)‖², h the discriminator's last hidden layer, in the loss of encoder and decoder.
    beta : float, default=0.1
        Of the KL term.
    sampling : {"prior", "posterior", "interpolation"}, default="prior"
        As of :class:`VAENet`.
    **kwargs
        As :class:`skgan.nets.AdversarialNet`.

    References
    ----------
    .. [1] Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", ICML 2016, algorithm 1; there the
       decoder alone has the weight, and encoder and decoder take turns.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdversarialNet._parameter_constraints,
        "feature_weight": [Number(Real, 0, None, closed="left")],
        "beta": [Number(Real, 0, None, closed="left")],
        "sampling": SAMPLING,
    }

    sampling_params = ("sampling",)

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        feature_weight: Any = 1.0,
        beta: Any = 0.1,
        sampling: Any = "prior",
        **kwargs: Any,
    ):
        self.feature_weight = feature_weight
        self.beta = beta
        self.sampling = sampling
        super().__init__(module, criterion, **kwargs)

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Train from scratch, then fit the Gaussians of the codes; as :meth:`skgan.nets.GenerativeNet.fit`."""
        super().fit(X, y, **fit_params)
        self.fit_codes(X, y, variational=True)
        return self

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.players_["generator"] += list(self.module_.encoder.parameters())

    def make(self, real: Any, y: Any, *parents: Any) -> Any:
        """Rows of the prior for the first half of the batch, reconstructions for the second."""
        half = len(y) // 2
        with torch.no_grad():
            mean, log_variance = self.module_.encoder(real[half:], y[half:])
        codes = mean + randn_like(mean) * (0.5 * log_variance).exp()
        return self.module_(torch.cat([self.latent(half), codes]), y)

    def generator_loss(self, real: Tensor, y: Tensor, *parents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The adversarial loss, plus reconstruction in features and the KL term."""
        mean, log_variance = self.module_.encoder(real, y)
        z = mean + randn_like(mean) * (0.5 * log_variance).exp()
        difference = self.module_.discriminator.hidden(self.module_(z, y), y) - self._features(real, y)
        reconstruction = 0.5 * difference.square().sum(1).mean()
        adversarial, told = super().generator_loss(real, y, *parents)
        kl = divergence(mean, log_variance).mean()
        return adversarial + self.feature_weight * reconstruction + self.beta * kl, told

    @torch.no_grad()
    def _features(self, real: Tensor, y: Tensor) -> Tensor:
        return self.module_.discriminator.hidden(real, y)
