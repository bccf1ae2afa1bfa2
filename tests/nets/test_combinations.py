"""Losses × penalties × augmentation × norms × updates × heads × data: each works, or is refused at fit in a sentence."""

import itertools

import numpy as np
import pytest

from skgan.augment import Cutout, InstanceNoise, Rotation, Translation
from skgan.losses import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from skgan.modules import DCGAN, MLPGAN
from skgan.modules.layers import NORMS
from skgan.nets import AdversarialNet, ConsensusNet
from skgan.penalties import R1, R2, GradientPenalty

RNG = np.random.RandomState(0)
DATA = {"images": RNG.randint(0, 256, (20, 1, 8, 8), dtype=np.uint8), "rows": RNG.randn(20, 3).astype(np.float32)}
Y = np.arange(20) % 2

AXES = {
    "loss": {
        "non-saturating": {"criterion": NonSaturating},
        "smoothed": {"criterion": NonSaturating, "criterion__label_smoothing": 0.1},
        "saturating": {"criterion": NonSaturating, "criterion__saturating": True},
        "hinge": {"criterion": Hinge},
        "least squares": {"criterion": LeastSquares},
        "wasserstein": {"criterion": Wasserstein},
        "relativistic": {"criterion": Relativistic},
    },
    "penalty": {
        "none": {},
        "R1": {"penalties": (R1(1.0),)},
        "R2": {"penalties": [R2(1.0)]},
        "R1 and R2": {"penalties": (R1(0.1), R2(0.1))},
        "gradient penalty": {"penalties": (GradientPenalty(),)},
        "lazy": {"penalties": (R1(1.0, every=2), GradientPenalty(every=3))},
    },
    "augment": {
        "none": {},
        "translation": {"augment": Translation(0.2)},
        "several": {"augment": [Rotation(), Cutout(), InstanceNoise()]},
        "noise": {"augment": InstanceNoise()},
    },
    "norm": {norm: {"module__norm": norm, "module__discriminator_norm": norm} for norm in NORMS},
    "updates": {
        "alternating": {"n_critic": 2},
        "simultaneous": {"updates": "simultaneous"},
        "two generator steps": {"n_generator": 2},
        "consensus": {"net": ConsensusNet, "gamma": 0.1},
        "alternating consensus": {"net": ConsensusNet, "gamma": 0.1, "updates": "alternating"},
    },
    "head": {"projection": {"module__head": "projection"}, "auxiliary": {"module__head": "auxiliary"}},
    "data": {"images": {"module": DCGAN, "module__width": 4}, "rows": {"module": MLPGAN, "module__alpha": 1}},
}


def pairwise_cover() -> list[tuple[str, ...]]:
    """Greedy: every pair of values of two axes occurs in at least one combination."""
    axes = [list(values) for values in AXES.values()]
    missing = {(i, a, j, b) for i, j in itertools.combinations(range(len(axes)), 2) for a in axes[i] for b in axes[j]}
    everything = list(itertools.product(*axes))
    rng = np.random.RandomState(0)
    cover = []
    while missing:
        candidates = [everything[k] for k in rng.choice(len(everything), 300)]
        pairs = [
            {(i, c[i], j, c[j]) for i, j in itertools.combinations(range(len(c)), 2)} & missing for c in candidates
        ]
        best = max(range(300), key=lambda k: len(pairs[k]))
        if pairs[best]:
            cover.append(candidates[best])
            missing -= pairs[best]
    return cover


def run(combination: tuple[str, ...]) -> None:
    params = {"net": AdversarialNet, "max_steps": 2, "batch_size": 6, "module__latent_dim": 4, "random_state": 0}
    for axis, name in zip(AXES, combination, strict=True):
        params |= AXES[axis][name]
    net = params.pop("net")(**params)
    data = DATA[combination[-1]]
    if combination[-1] == "rows" and combination[2] in ("translation", "several"):
        with pytest.raises(ValueError, match="moves pixels, and these rows have shape"):
            net.fit(data, Y)
        return
    net.fit(data, Y)
    assert np.isfinite(net.sample(Y)).all()
    assert all(np.isfinite(values).all() for values in net.export()["history"].values())


COVER = pairwise_cover()


def test_the_cover_is_small():
    assert 42 <= len(COVER) <= 70  # 7 losses × 6 penalties is the largest pair


@pytest.mark.parametrize("combination", COVER, ids=", ".join)
def test_every_pair_works_or_is_refused(combination):
    run(combination)


@pytest.mark.slow
@pytest.mark.parametrize("loss", AXES["loss"])
@pytest.mark.parametrize("penalty", AXES["penalty"])
def test_the_full_product(loss, penalty):
    for rest in itertools.product(*list(AXES.values())[2:]):
        run((loss, penalty, *rest))
