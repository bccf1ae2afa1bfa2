import pytest
import torch

from skgan._torch import private_rng
from skgan.augment import Crop, Flip, Rotation, Scale, Translation, apply_all

TRANSFORMS = [Translation(0.2), Rotation(20), Scale(0.2), Crop(0.7), Flip(0.5)]


def blob(n=1, height=16, width=12, at=(8, 6)):
    images = torch.full((n, 2, height, width), -1.0)
    images[:, :, at[0], at[1]] = 1.0
    return images


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_shape_range_and_gradients_are_kept(transform):
    images = (torch.rand(6, 3, 9, 7) * 2 - 1).requires_grad_()
    out = transform(images)
    assert out.shape == images.shape
    assert out.min() >= -1 - 1e-5
    assert out.max() <= 1 + 1e-5
    out.sum().backward()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_rows_get_draws_of_their_own_and_a_seed_repeats_them(transform):
    images = torch.rand(1, 1, 12, 12).expand(32, -1, -1, -1) * 2 - 1
    with private_rng(3):
        first = transform(images)
    with private_rng(3):
        second = transform(images)
    assert torch.equal(first, second)
    assert len(torch.unique(first.flatten(1).mul(1e4).round(), dim=0)) > 1


@pytest.mark.parametrize("transform", [Translation(0), Rotation(0), Scale(0), Crop(1), Flip(0)], ids=repr)
def test_zero_strength_is_the_identity(transform):
    images = torch.rand(4, 1, 11, 8) * 2 - 1
    torch.testing.assert_close(transform(images), images, atol=1e-5, rtol=0)


def test_translation_moves_by_whole_pixels_within_its_fraction_and_fills_with_black():
    out = Translation(0.25)(blob(500))  # up to 4 rows and 3 columns
    at = (out[:, 0] == 1).nonzero()
    assert len(at) == 500
    assert (at[:, 1].min(), at[:, 1].max()) == (4, 12)
    assert (at[:, 2].min(), at[:, 2].max()) == (3, 9)
    assert set(out.unique().tolist()) == {-1.0, 1.0}


def test_rotation_keeps_the_distance_to_the_centre_on_images_that_are_not_square():
    images = torch.full((1, 1, 31, 61), -1.0)
    images[0, 0, 15, 40] = 1.0  # 10 px right of the centre (15, 30)
    with private_rng(0):
        out = Rotation(90)(images.expand(64, -1, -1, -1))[:, 0] + 1
    rows, columns = torch.arange(31.0), torch.arange(61.0)
    mass = out.sum((1, 2))
    y = (out.sum(2) @ rows) / mass - 15
    x = (out.sum(1) @ columns) / mass - 30
    torch.testing.assert_close((x**2 + y**2).sqrt(), torch.full((64,), 10.0), atol=0.5, rtol=0)
    assert y.std() > 2


def test_flip_mirrors_left_and_right():
    assert torch.equal(Flip(1.0)(blob(at=(3, 1))), blob(at=(3, 10)))


def test_apply_all_takes_one_several_or_none():
    images = blob(at=(3, 1))
    assert apply_all(None, images) is images
    assert torch.equal(apply_all(Flip(1.0), images), apply_all([Flip(1.0), Flip(0.0)], images))


@pytest.mark.parametrize(
    "make",
    [lambda: Translation(1.5), lambda: Rotation(-1), lambda: Scale(-0.1), lambda: Crop(0), lambda: Flip(2)],
)
def test_strength_outside_its_range_is_refused(make):
    with pytest.raises(ValueError, match="must"):
        make()
