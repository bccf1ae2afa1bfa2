"""Over-samplers that skgan is measured against and that imbalanced-learn does not have.

Latent SMOTE and the SMOTE-seeded refiner on images and rows, and thin shells around the packages smote-variants, ctgan,
ForestDiffusion and arfpy (the ``bench`` extra).
"""

import contextlib
import io
import logging
import warnings
from unittest import mock

import numpy as np
import pandas as pd
import torch
from imblearn.over_sampling import SMOTE
from shared import seeded, wanted_rows
from skorch import NeuralNetRegressor
from torch import nn

from skgan import GANOverSampler
from skgan._tensors import to_unit_range
from skgan.codecs import TabularCodec
from skgan.nets import Draw, GenerativeNet, OffspringNet
from skgan.presets import offspring
from skgan.samplers._blends import N_NEIGHBORS, neighbours

# Images


class Autoencoder(nn.Module):
    """28-px images (n, 1, 28, 28) in [0, 1] ⇄ ``code_size`` numbers."""

    def __init__(self, code_size=64):
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Flatten(), nn.Linear(64 * 49, code_size)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(code_size, 64 * 49), nn.LeakyReLU(0.2), nn.Unflatten(1, (64, 7, 7))),
            *(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def latent_smote(X: np.ndarray, y: np.ndarray, seed: int, steps: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """An autoencoder of all images (n, 28, 28), and SMOTE between their codes (what DeepSMOTE does)."""
    images = (X[:, None] / 255).astype(np.float32)
    batch = min(128, len(X))
    with seeded(seed):
        net = NeuralNetRegressor(
            Autoencoder,
            max_epochs=-(-steps * batch // len(X)),
            batch_size=batch,
            lr=1e-3,
            optimizer=torch.optim.Adam,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        ).fit(images, images)
    with torch.no_grad():
        codes = net.module_.eval().encoder(torch.from_numpy(images)).numpy()
        k = min(5, int(np.bincount(y).min()) - 1)
        mixed, y_new = SMOTE(k_neighbors=k, random_state=seed).fit_resample(codes, y)
        made = net.module_.decoder(torch.from_numpy(mixed[len(X) :].astype(np.float32)))[:, 0].numpy()
    return np.concatenate([X, (255 * made).round().astype(X.dtype)]), y_new


class RefinerNet(OffspringNet):
    """A generator seeded with SMOTE mixtures, a critic of single rows (SMOTified-GAN, arXiv 2108.03235, with our nets).

    The pair nets serve: parents are mixtures, and the critic sees an empty parent.
    """

    has_parents = False  # a mixture is of two rows
    default_shares = GenerativeNet.default_shares
    POOL = 500  # mixtures of each class to train from

    def mixtures(self, rows: torch.Tensor, n: int) -> torch.Tensor:
        """SMOTE between encoded rows of a class; copies where there is one row only."""
        chosen = torch.randint(len(rows), (n,))
        if len(rows) == 1:
            return rows[chosen]
        flat = rows.flatten(1)
        near = torch.from_numpy(neighbours(flat.numpy(), N_NEIGHBORS)[chosen.numpy()])
        partner = near[torch.arange(n), torch.randint(near.shape[1], (n,))]
        mixed = torch.lerp(flat[chosen], flat[partner], torch.rand(n, 1))
        for start, stop in self.get_params_for("module").get("spans", ()):  # categories by vote of the neighbours
            mixed[:, start:stop] = flat[near][:, :, start:stop].mean(1)
        return mixed.view(-1, *rows.shape[1:])

    def get_iterator(self, dataset, training=False):
        X, y = dataset.tensors
        classes = (to_unit_range(X[y == klass]) for klass in range(self.n_classes_))
        self.pool_ = torch.stack([self.mixtures(rows, self.POOL) for rows in classes])
        return super().get_iterator(dataset, training)

    def train_step(self, batch, **fit_params):
        real, y, _ = batch
        return super().train_step((real, y, self.pool_[y, torch.randint(self.POOL, (len(y),))]), **fit_params)

    def discriminate(self, x, y, *parents):
        return super().discriminate(x, y, *(torch.zeros_like(parent) for parent in parents))

    def draw(self, y, source=None):
        of_class = to_unit_range(torch.from_numpy(source[0][source[1] == y[0]]))  # a sampler's block has one class
        seeds = self.mixtures(of_class, len(y))
        rows = self.in_chunks(
            lambda labels, parent: self.module_(self.latent(len(labels)), labels, parent), torch.from_numpy(y), seeds
        )
        return Draw(rows)


def refiner(**params) -> RefinerNet:
    """The refiner with the parameters of ``offspring()``."""
    return RefinerNet(**offspring(**params).get_params(deep=False))


def refined_smote(X, y, seed: int, steps: int | None = None):
    """SMOTE mixtures retouched by a GAN."""
    return GANOverSampler(net=refiner(), max_steps=steps, random_state=seed).fit_resample(X, y)


# Tables


def smote_variant(name: str, X: pd.DataFrame, y: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """An over-sampler of smote-variants, on quantile-scaled and one-hot columns; the largest of a one-hot group wins.

    Each class that wants rows is set against all others: its own way with several classes stops where two are of one size.
    """
    import smote_variants

    logging.getLogger("smote_variants").setLevel(logging.ERROR)
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    pieces, labels = [X], [y]
    for klass, n in zip(*np.unique(wanted_rows(y), return_counts=True), strict=True):
        of_class = (y == klass).astype(int)
        proportion = n / (len(y) - 2 * of_class.sum())  # of what would make the class as large as all others
        made, _ = getattr(smote_variants, name)(proportion, random_state=seed).sample(encoded, of_class)
        rows = codec.inverse_transform(np.asarray(made[len(X) :], dtype=np.float32))
        pieces.append(rows.sample(min(n, len(rows)), random_state=seed))  # some make a multiple of the rows they have
        labels.append(np.full(len(pieces[-1]), klass))
    return pd.concat(pieces, ignore_index=True), np.concatenate(labels)


def _filled_up(
    pieces: list[pd.DataFrame], X: pd.DataFrame, y: np.ndarray, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """The originals and a piece for each class that wants rows; plain copies fill a piece that is too short."""
    rows, labels = [X], [y]
    wanted = zip(*np.unique(wanted_rows(y), return_counts=True), strict=True)
    for (klass, n), made in zip(wanted, pieces, strict=True):
        copies = X[y == klass].sample(n - len(made[:n]), replace=True, random_state=seed)
        rows += [made[:n].astype(X.dtypes), copies]
        labels.append(np.full(n, klass))
    return pd.concat(rows, ignore_index=True), np.concatenate(labels)


def _discrete(X: pd.DataFrame) -> list:
    return [column for column in X if isinstance(X[column].dtype, pd.CategoricalDtype)]


def ctgan_or_tvae(name: str, X: pd.DataFrame, y: np.ndarray, seed: int, epochs: int) -> tuple[pd.DataFrame, np.ndarray]:
    """CTGAN or TVAE on all columns and the class; rows of the wanted classes are kept, plain copies fill up."""
    import ctgan

    discrete = _discrete(X)
    frame = X.astype(dict.fromkeys(discrete, object)).assign(class_=y.astype(str))
    pieces = []
    with seeded(seed):
        np.random.seed(seed)  # ctgan draws from the global stream
        batch = min(500, len(X) // 20 * 10 or 10)  # CTGAN's pac of 10 must divide it, and half of it
        model = getattr(ctgan, name)(epochs=epochs, batch_size=batch, enable_gpu=False)
        model.fit(frame, [*discrete, "class_"])
        for klass, n in zip(*np.unique(wanted_rows(y), return_counts=True), strict=True):
            condition = {"condition_column": "class_", "condition_value": str(klass)} if name == "CTGAN" else {}
            made = pd.concat([model.sample(max(1000, 2 * n), **condition) for _ in range(8)])
            pieces.append(made[made["class_"] == str(klass)].drop(columns="class_"))
    return _filled_up(pieces, X, y, seed)


def forest_diffusion(
    X: pd.DataFrame, y: np.ndarray, seed: int, n_times: int, n_copies: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """ForestDiffusion (flow matching with boosted trees), trained on each class that wants rows.

    Given labels it trains one model a class too, but also for the classes that want none. Columns are quantile-scaled and
    one-hot: its own one-hot columns go wrong where a class lacks a category, and where there are more than ten columns.
    """
    from ForestDiffusion import ForestDiffusionModel

    codec = TabularCodec().fit(X)
    rows = codec.transform(X).astype(float)
    pieces = []
    state = np.random.get_state()  # ForestDiffusion seeds the global stream
    for klass, n in zip(*np.unique(wanted_rows(y), return_counts=True), strict=True):
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            model = ForestDiffusionModel(
                rows[y == klass], n_t=n_times, duplicate_K=n_copies, n_jobs=1, seed=seed, nthread=1
            )
            made = model.generate(batch_size=int(n))
        pieces.append(codec.inverse_transform(np.asarray(made, dtype=np.float32)))
    np.random.set_state(state)
    return _filled_up(pieces, X, y, seed)


def adversarial_forest(X: pd.DataFrame, y: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """arfpy's adversarial random forest of all columns and the class; rows of the wanted classes are kept, copies fill up."""
    from arfpy import arf

    discrete = _discrete(X)
    frame = X.assign(class_=pd.Categorical(y))
    frame.columns = range(frame.shape[1])  # arfpy mixes up names and positions, which are the same here
    state = np.random.get_state()  # arfpy draws from the global stream
    np.random.seed(seed)
    former = mock.patch.object(np, "in1d", np.isin, create=True)  # arfpy 0.1.1 calls it, and NumPy 2.4 has it no more
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), former:
        warnings.simplefilter("ignore")
        model = arf.arf(x=frame, verbose=False, random_state=seed, n_jobs=1)
        model.forde()
        made = model.forge(n=min(20_000, 20 * len(y)))
    np.random.set_state(state)
    pieces = []
    for klass in np.unique(wanted_rows(y)):
        piece = made[made[X.shape[1]] == klass].drop(columns=X.shape[1]).set_axis(X.columns, axis=1)
        pieces.append(_rounded(piece.astype({column: X[column].dtype for column in discrete}), X))
    return _filled_up(pieces, X, y, seed)


def _rounded(made: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers where the table has whole numbers."""
    return made.assign(**{c: made[c].round() for c in X if pd.api.types.is_integer_dtype(X[c])})
