import copy
import pickle

import pytest
import torch
from torch import nn

from skgan._random import private_rng
from skgan.modules import DCGAN, MLPGAN
from skgan.modules.heads import AuxiliaryHead, HeadOutput, MinibatchDiscrimination
from skgan.modules.layers import NORMS, Equalized, MinibatchStd, PixelNorm, SpectralNorm, WeightNorm

LAYERS = [nn.Linear(6, 4), nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(3, 5, 4, 2, 1), nn.Conv2d(3, 5, 3, bias=False)]
INPUTS = {"Linear": torch.randn(7, 6), "Conv2d": torch.randn(2, 3, 8, 8), "ConvTranspose2d": torch.randn(2, 3, 8, 8)}
WRAPPERS = [SpectralNorm, WeightNorm, Equalized]


def make(wrapper, layer):
    return wrapper(copy.deepcopy(layer)), INPUTS[type(layer).__name__]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_layers_pickle_copy_and_differentiate_twice(wrapper, layer):
    wrapped, x = make(wrapper, layer)
    wrapped.eval()
    for twin in (pickle.loads(pickle.dumps(wrapped)), copy.deepcopy(wrapped)):
        assert torch.equal(twin(x), wrapped(x))
    wrapped.train()
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(wrapped(x).square().sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert wrapped.layer.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_spectral_norm_divides_by_the_largest_singular_value(layer):
    wrapped, x = make(SpectralNorm, layer)
    for _ in range(60):
        wrapped(x)
    axis = wrapped.output_axis
    matrix = wrapped.weight().detach().transpose(0, axis).flatten(1)
    assert torch.linalg.svdvals(matrix)[0].item() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(wrapped.layer.weight, layer.weight)


def test_spectral_norm_agrees_with_torchs():
    layer = nn.Linear(20, 30)
    reference = nn.utils.parametrizations.spectral_norm(copy.deepcopy(layer), n_power_iterations=200)
    wrapped, x = SpectralNorm(copy.deepcopy(layer)), torch.randn(5, 20)
    for _ in range(200):
        wrapped(x)
    torch.testing.assert_close(wrapped(x), reference(x), atol=1e-4, rtol=1e-4)


def test_two_training_passes_share_one_backward():
    wrapped, x = make(SpectralNorm, LAYERS[0])
    (wrapped(x).sum() + wrapped(x + 1).sum()).backward()
    assert wrapped.layer.weight.grad is not None
    before = wrapped.u.clone()
    wrapped.eval()(x)
    assert torch.equal(before, wrapped.u)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_weight_norm_starts_as_the_layer_and_its_g_is_the_rows_length(layer):
    wrapped, x = make(WeightNorm, layer)
    torch.testing.assert_close(wrapped(x), layer(x))
    with torch.no_grad():
        wrapped.g.mul_(2)
        wrapped.layer.weight.mul_(5)  # the direction's length does not matter
    bias = 0 if layer.bias is None else layer.bias.view(-1, *[1] * (wrapped(x).ndim - 2))
    torch.testing.assert_close(wrapped(x) - bias, 2 * (layer(x) - bias), atol=1e-5, rtol=1e-4)


def test_equalized_layers_keep_the_scale_and_hold_unit_weights():
    with private_rng(0):
        wrapped = Equalized(nn.Linear(500, 400))
        out = wrapped(torch.randn(300, 500))
    assert wrapped.layer.weight.std().item() == pytest.approx(1, abs=0.01)
    assert out.std().item() == pytest.approx(2**0.5, abs=0.02)


def test_only_layers_with_a_weight_are_wrapped():
    with pytest.raises(TypeError, match="SpectralNorm wraps a layer with a weight"):
        SpectralNorm(nn.ReLU())


def test_pixel_norm_has_unit_mean_square():
    out = PixelNorm()(torch.randn(3, 7, 2, 2) * 5)
    torch.testing.assert_close(out.square().mean(1), torch.ones(3, 2, 2))


def test_minibatch_std_appends_the_mean_spread():
    x = torch.stack([torch.zeros(2, 3, 3), torch.full((2, 3, 3), 4.0)])
    out = MinibatchStd()(x)
    assert out.shape == (2, 3, 3, 3)
    torch.testing.assert_close(out[:, 2], torch.full((2, 3, 3), 2.0))


def test_minibatch_discrimination_by_the_double_loop():
    layer, h = MinibatchDiscrimination(4, n_kernels=3, kernel_dim=2), torch.randn(5, 4)
    projected = (h @ layer.kernels.weight.T).view(5, 3, 2)
    expected = torch.zeros(5, 3)
    for i in range(5):
        for j in range(5):
            if i != j:
                expected[i] += (-(projected[i] - projected[j]).abs().sum(1)).exp()
    torch.testing.assert_close(layer(h), torch.cat([h, expected], 1))
    assert layer(h[:1]).shape == (1, 7)


def test_the_auxiliary_head_returns_its_classifiers_loss_and_keeps_nothing():
    head = AuxiliaryHead(5, 3)
    h, y = torch.randn(6, 5), torch.tensor([0, 1, 2, 0, 1, 2])
    kept = set(vars(head))
    output = head(h, y)
    assert isinstance(output, HeadOutput)
    assert set(vars(head)) == kept
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert torch.equal(twin.linear.weight, head.linear.weight)
        torch.testing.assert_close(twin(h, y), output, rtol=0, atol=0)
    torch.testing.assert_close(output.extra, nn.functional.cross_entropy(head.classes(h), y))
    assert output.extra != head(h, 2 - y).extra
    assert torch.equal(output.logits, head(h, 2 - y).logits)  # the logits know no label
    single = AuxiliaryHead(5, 1)(h, y * 0)
    assert isinstance(single, torch.Tensor)
    assert single.shape == (6,)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("which", ["norm", "discriminator_norm"])
def test_every_module_takes_every_norm(norm, which):
    for module in (DCGAN((1, 12, 9), 2, width=4, **{which: norm}), MLPGAN((3,), 2, alpha=1, **{which: norm})):
        z, y = torch.randn(4, module.latent_dim), torch.tensor([0, 1, 0, 1])
        assert module.discriminator(module(z, y), y).shape == (4,)
        player = module.generator if which == "norm" else module.discriminator
        wrapped = sum(isinstance(layer, SpectralNorm | WeightNorm) for layer in player.modules())
        assert (wrapped > 0) == (norm in ("spectral", "weight"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"norm": "batch"}, "norm='batch' is not offered: its statistics mix the rows"),
        ({"discriminator_norm": "instance"}, "norm must be one of none, group, layer, spectral, weight"),
        ({"head": "acgan"}, "head must be one of"),
    ],
)
def test_unknown_norms_and_heads_are_refused_in_a_sentence(options, words):
    for make in (lambda: DCGAN((1, 8, 8), 2, **options), lambda: MLPGAN((3,), 2, **options)):
        with pytest.raises(ValueError, match=words):
            make()
