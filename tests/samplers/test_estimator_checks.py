"""imbalanced-learn's and scikit-learn's own checks, on small instances."""

import pytest
from imblearn.utils.estimator_checks import check_param_validation, estimator_checks_generator
from sklearn.utils.estimator_checks import estimator_checks_generator as sklearn_checks_generator

from skgan import GANOverSampler
from skgan.presets import mlp_gan

SAMPLERS = [
    GANOverSampler(net=mlp_gan(alpha=1, max_steps=10), random_state=0),
    GANOverSampler(net=mlp_gan(alpha=1, max_steps=10), per_class=True, random_state=0),
]


def checks(generator):
    for sampler in SAMPLERS:
        kind = "per_class" if sampler.per_class else "shared"
        for estimator, check in generator(sampler):
            yield pytest.param(estimator, check, id=f"{kind}-{check.func.__name__}")


@pytest.mark.parametrize(("estimator", "check"), list(checks(estimator_checks_generator)))
def test_imbalanced_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), list(checks(sklearn_checks_generator)))
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_parameter_validation():
    check_param_validation("GANOverSampler", SAMPLERS[0])
