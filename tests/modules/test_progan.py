import copy
import io
import pickle

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate
from torch.optim.swa_utils import AveragedModel

from skgan._random import private_rng
from skgan.modules import ProGAN
from skgan.modules.progan import stage_sizes
from skgan.nets.adversarial import logits_and_extra

SHAPES = [(1, 28, 28), (3, 50, 50), (1, 64, 64), (1, 31, 17), (3, 8, 10), (1, 128, 128)]


def make(shape=(1, 28, 28), n_classes=2, **params):
    with private_rng(0):
        return ProGAN(shape, n_classes, **{"latent_dim": 5, "width": 4, "max_width": 8, **params})


def batch(module, shape, n=4, n_classes=2):
    with private_rng(1):
        z, x = torch.randn(n, module.latent_dim), torch.rand(n, *shape) * 2 - 1
    return z, x, torch.arange(n) % n_classes


def with_gradient(network):
    return {name for name, parameter in network.named_parameters() if parameter.grad is not None}


def used(network, image_layers, stages, blocks):
    """Names of the parameters of these image layers and blocks, and of what belongs to no stage."""
    prefixes = [f"{image_layers}.{i}." for i in stages] + [f"blocks.{i}." for i in blocks] + ["labels.", "head."]
    return {name for name, _ in network.named_parameters() if name.startswith(tuple(prefixes))}


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_have_their_full_size_at_every_stage(shape, n_classes):
    module = make(shape, n_classes)
    z, x, y = batch(module, shape, 2, n_classes)
    for stage in range(module.n_stages):
        module.grow(stage, 0.3)
        fake = module(z, y)
        assert fake.shape == module.fade(x).shape == (2, *shape)
        assert fake.abs().max() <= 1
        assert module.discriminator(fake, y).shape == (2,)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((28, 28), [(7, 7), (14, 14), (28, 28)]),
        ((64, 64), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
        ((50, 50), [(7, 7), (14, 14), (28, 28), (56, 56)]),
        ((31, 17), [(8, 5), (16, 10), (32, 20)]),
        ((4, 9), [(4, 9)]),
        ((8, 7), [(8, 7)]),
    ],
    ids=str,
)
def test_stages_double_from_4_to_7_px_until_they_cover_the_image(size, expected):
    assert stage_sizes(*size) == expected


def test_the_first_stage_has_4_to_7_px_and_the_last_covers_the_image():
    for side in range(4, 600):
        sizes = stage_sizes(side, side)
        assert 4 <= sizes[0][0] <= 7
        assert side <= sizes[-1][0] < side + 2 ** (len(sizes) - 1)


def test_channels_double_with_every_halving_up_to_the_cap():
    module = make((3, 64, 64), width=4, max_width=24)
    assert [layers[0].layer.in_channels for layers in module.generator.to_image] == [24, 24, 16, 8, 4]
    assert [layers[0].layer.out_channels for layers in module.discriminator.from_image] == [24, 24, 16, 8, 4]


def test_a_fresh_module_is_at_its_last_stage():
    module = make()
    assert module.grown() == (2, 1.0)
    assert module.generator.stage == module.discriminator.stage == 2


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_stage_begins_where_the_one_before_ended(shape):
    module = make(shape)
    z, x, y = batch(module, shape)
    with torch.no_grad():
        for stage in range(1, module.n_stages):
            module.grow(stage - 1, 1.0)
            before = module(z, y), module.discriminator(x, y), module.fade(x)
            module.grow(stage, 0.0)
            after = module(z, y), module.discriminator(x, y), module.fade(x)
            for a, b in zip(before, after, strict=True):
                torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
            module.grow(stage, 0.5)
            assert (module(z, y) - before[0]).abs().max() > 1e-3
            assert (module.discriminator(x, y) - before[1]).abs().max() > 1e-5


def test_fading_in_is_linear_in_the_images():
    module = make()
    z, _, y = batch(module, (1, 28, 28))
    made = []
    for alpha in (0.0, 0.25, 1.0):
        module.grow(2, alpha)
        made.append(module(z, y))
    torch.testing.assert_close(made[1], 0.75 * made[0] + 0.25 * made[2])


def test_an_early_stages_image_is_made_of_cells():
    module = make()
    module.grow(0, 1.0)
    z, _, y = batch(module, (1, 28, 28))
    fake = module(z, y)
    torch.testing.assert_close(interpolate(avg_pool2d(fake, 4), scale_factor=4), fake)


def test_fade_mixes_real_images_of_two_stages():
    module = make((3, 16, 32))
    _, x, _ = batch(module, (3, 16, 32))
    assert torch.equal(module.fade(x), x)
    fine = interpolate(avg_pool2d(x, 2), scale_factor=2)
    coarse = interpolate(avg_pool2d(x, 4), scale_factor=4)
    for stage, alpha, expected in [(2, 0.25, 0.75 * fine + 0.25 * x), (1, 0.5, (coarse + fine) / 2), (0, 1, coarse)]:
        module.grow(stage, alpha)
        torch.testing.assert_close(module.fade(x), expected)


@pytest.mark.parametrize("shape", [(3, 50, 50), (1, 31, 17)], ids=str)
def test_fading_hides_nothing_else_from_the_discriminator_also_where_the_image_is_padded(shape):
    module = make(shape)
    _, x, y = batch(module, shape)
    for stage in range(module.n_stages):
        module.grow(stage, 1.0)
        torch.testing.assert_close(
            module.discriminator(module.fade(x), y), module.discriminator(x, y), atol=1e-5, rtol=0
        )
    module.grow(0, 1.0)
    torch.testing.assert_close(module.fade(torch.ones_like(x)), torch.ones_like(x))


@pytest.mark.parametrize(("stage", "alpha"), [(0, 1.0), (1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)])
def test_only_the_current_stages_layers_are_computed(stage, alpha):
    module = make()
    z, x, y = batch(module, (1, 28, 28))
    module.grow(stage, alpha)
    module(z, y).sum().backward()
    module.discriminator(x, y).sum().backward()
    images = [stage, stage - 1] if alpha < 1 else [stage]
    assert with_gradient(module.generator) == used(module.generator, "to_image", images, range(stage + 1))
    assert with_gradient(module.discriminator) == used(module.discriminator, "from_image", images, range(stage + 1))


def copied(module):
    return copy.deepcopy(module)


def pickled(module):
    return pickle.loads(pickle.dumps(module))


def loaded(module):
    twin = make()
    twin.load_state_dict(module.state_dict())
    return twin


def saved(module):
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    twin = make()
    twin.load_state_dict(torch.load(file))
    return twin


def averaged(module):
    """As the EMA callback does it: a copy made at another stage, updated, and loaded."""
    twin = make()
    average = AveragedModel(twin.generator)
    average.update_parameters(module.generator)
    twin.generator.load_state_dict(average.module.state_dict())
    twin.discriminator.load_state_dict(module.discriminator.state_dict())
    return twin


@pytest.mark.parametrize("remake", [copied, pickled, loaded, saved, averaged])
def test_the_stage_is_part_of_the_state(remake):
    module = make()
    module.grow(1, 0.3)
    twin = remake(module)
    assert twin.grown() == module.grown() == (1, pytest.approx(0.3))
    z, x, y = batch(module, (1, 28, 28))
    assert torch.equal(module(z, y), twin(z, y))
    assert torch.equal(module.discriminator(x, y), twin.discriminator(x, y))
    assert torch.equal(module.fade(x), twin.fade(x))
    twin.grow(2, 1.0)  # a twin of its own: the module stays where it is
    assert module.grown() == (1, pytest.approx(0.3))
    again = remake(twin)
    assert again.generator.stage == again.discriminator.stage == 2


@pytest.mark.parametrize("params", [{"head": "auxiliary"}, {"condition_dim": 3, "n_classes": 1}], ids=str)
def test_other_labels_and_heads(params):
    module = make((3, 8, 10), **params)
    z, x, y = batch(module, (3, 8, 10))
    y = torch.randn(4, 3) if "condition_dim" in params else y
    assert module(z, y).shape == x.shape
    assert not torch.allclose(module(z, y), module(z, y.flip(0)))
    logits, extra = logits_and_extra(module.discriminator(x, y))
    assert logits.shape == (4,)
    assert (extra is None) == ("head" not in params)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ProGAN((10,), 2), r"ProGAN makes images of shape \(C, H, W\).*\(10,\).*net='mlp_gan'"),
        (lambda: ProGAN((1, 3, 5), 2), r"at least 4 px a side.*\(1, 3, 5\).*net='dcgan'"),
        (lambda: make().grow(3, 1.0), "stage must be an integer from 0 to 2.*got 3 and 1.0"),
        (lambda: make().grow(1, 1.5), r"alpha lie in \[0, 1\].*got 1 and 1.5"),
    ],
)
def test_what_cannot_be_grown_is_refused_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_stage_0_has_nothing_to_fade_in_from():
    module = make()
    module.grow(0, 0.0)
    assert module.grown() == (0, 1.0)
