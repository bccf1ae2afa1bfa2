import pytest
import torch

from skgan._random import private_rng
from skgan.augment import (
    Crop,
    CutMix,
    Cutout,
    Flip,
    InstanceNoise,
    Mixup,
    Rotation,
    Scale,
    Translation,
    apply_all,
    transforms_of,
)
from skgan.presets import dcgan

TRANSFORMS = [Translation(0.2), Rotation(20), Scale(0.2), Crop(0.7), Flip(0.5), Cutout(0.4)]


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


@pytest.mark.parametrize(
    "transform", [Translation(0), Rotation(0), Scale(0), Crop(1), Flip(0), Cutout(0), InstanceNoise(0)], ids=repr
)
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


@pytest.mark.parametrize("kind", [Translation, Rotation, Scale])
def test_what_comes_into_view_is_a_number_or_the_image_mirrored(kind):
    images = torch.full((50, 1, 12, 9), 0.25)
    strength = 40 if kind is Rotation else 0.4
    assert kind(strength)(images).min() == -1
    assert kind(strength, padding=1.0)(images).max() == 1
    torch.testing.assert_close(kind(strength, padding="reflect")(images), images)
    for wrong in ("edge", 2.0):
        with pytest.raises(
            ValueError, match=r"padding must be 'reflect' or a number in \[-1, 1\], from black to white; got"
        ):
            kind(strength, padding=wrong)


def test_flip_mirrors_left_and_right_or_top_and_bottom():
    assert torch.equal(Flip(1.0)(blob(at=(3, 1))), blob(at=(3, 10)))
    assert torch.equal(Flip(1.0, "vertical")(blob(at=(3, 1))), blob(at=(12, 1)))
    with pytest.raises(ValueError, match="axis must be 'horizontal' or 'vertical', got 'diagonal'"):
        Flip(axis="diagonal")


@pytest.mark.parametrize("kind", [Mixup, CutMix])
def test_an_image_is_mixed_with_its_partner_by_the_share_that_is_told(kind):
    images = torch.arange(8.0)[:, None, None, None].expand(8, 3, 10, 12)
    shares = []
    for seed in range(40):
        with private_rng(seed):
            mixed, partners, share = kind(1.0).mix(images)
        assert sorted(partners.tolist()) == list(range(8))
        # Of constant images the mean says how much is whose
        expected = share * images.mean((1, 2, 3)) + (1 - share) * images[partners].mean((1, 2, 3))
        torch.testing.assert_close(mixed.mean((1, 2, 3)), expected)
        if kind is CutMix:
            assert set(mixed[3].unique().tolist()) <= {3.0, float(partners[3])}
        shares.append(float(share))
    assert min(shares) < 0.3
    assert max(shares) > 0.7
    mixed, _, share = kind(0.0).mix(images)
    assert torch.equal(mixed, images)
    assert share == 1
    with pytest.raises(ValueError, match=r"p is a probability and must lie in \[0, 1\], got 2"):
        kind(2)


def test_a_net_of_images_has_no_use_for_mixed_labels():
    with pytest.raises(TypeError, match=r"augment must hold instances such as R1\(gamma=1.0\) or Translation"):
        dcgan(augment=Mixup(), max_steps=1).fit(torch.rand(8, 1, 8, 8).numpy())


def test_an_augment_parameter_holds_none_one_or_several():
    images, flip = blob(at=(3, 1)), Flip(1.0)
    assert transforms_of(None) == []
    assert transforms_of(flip) == [flip]
    assert apply_all([], images) is images
    assert torch.equal(apply_all(transforms_of([flip, Flip(1.0)]), images), images)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Translation(1.5),
        lambda: Rotation(-1),
        lambda: Scale(-0.1),
        lambda: Crop(0),
        lambda: Flip(2),
        lambda: Cutout(1),
        lambda: InstanceNoise(-1),
    ],
)
def test_strength_outside_its_range_is_refused(make):
    with pytest.raises(ValueError, match="must"):
        make()


def test_cutout_blackens_one_rectangle_and_nothing_else():
    out = Cutout(0.5)(torch.ones(300, 2, 8, 10))
    hidden = (out == -1).all(1)
    assert torch.equal(hidden, (out == -1).any(1))
    area = hidden.sum((1, 2))
    assert area.max() == 4 * 5
    assert area.min() >= 2 * 2  # the centre lies within the image
    assert hidden.any(0).all()


def test_instance_noise_has_its_std_on_rows_and_images():
    for shape in ((20000, 3), (300, 1, 8, 8)):
        noise = InstanceNoise(0.3)(torch.zeros(shape))
        torch.testing.assert_close(noise.std(), torch.tensor(0.3), atol=0.01, rtol=0)
