import copy
import pickle

import pytest
import torch

from skgan.modules import DCGAN, MLPGAN
from skgan.modules.dcgan import n_doublings
from skgan.modules.heads import ProjectionHead
from skgan.modules.layers import LabelEmbedding, SpanOutput

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 31, 31), (1, 50, 50), (2, 17, 40), (1, 1, 1), (1, 3, 5)]


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_dcgan_makes_and_judges_images_of_any_size(shape, n_classes):
    module = DCGAN(shape, n_classes, latent_dim=5, width=4, n_features=6)
    y = torch.arange(4) % n_classes
    fake = module(torch.randn(4, 5), y)
    assert fake.shape == (4, *shape)
    assert fake.abs().max() <= 1
    assert module.discriminator(fake, y).shape == (4,)


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("shape", [(7,), (1, 6, 5)], ids=str)
def test_mlp_makes_and_judges_rows_and_images(shape, n_classes):
    module = MLPGAN(shape, n_classes, latent_dim=5, alpha=1)
    y = torch.arange(4) % n_classes
    assert module(torch.randn(4, 5), y).shape == (4, *shape)
    assert module.discriminator(torch.randn(4, *shape), y).shape == (4,)


def test_mlp_sizes_follow_alpha():
    module = MLPGAN((784,), 1, latent_dim=100, alpha=3, dropout=0)
    sizes = [layer.out_features for layer in module.generator.layers if isinstance(layer, torch.nn.Linear)]
    assert sizes == [96, 192, 384, 784]
    sizes = [layer.out_features for layer in module.discriminator.layers if isinstance(layer, torch.nn.Linear)]
    assert sizes == [384, 96, 24]


@pytest.mark.parametrize(("size", "doublings"), [(8, 1), (16, 1), (28, 2), (32, 2), (50, 3), (64, 3), (128, 4), (1, 1)])
def test_images_halve_until_8_px(size, doublings):
    assert n_doublings(size, size + 5) == doublings


@pytest.mark.parametrize("module", [DCGAN((1, 8, 8), 3, width=4), MLPGAN((4,), 3, alpha=1)], ids=["dcgan", "mlp"])
def test_labels_change_what_both_players_say(module):
    module.eval()
    z = torch.randn(6, module.latent_dim)
    zeros, ones = torch.zeros(6, dtype=torch.long), torch.ones(6, dtype=torch.long)
    fake = module(z, zeros)
    assert not torch.allclose(fake, module(z, ones))
    assert not torch.allclose(module.discriminator(fake, zeros), module.discriminator(fake, ones))


@pytest.mark.parametrize("module", [DCGAN((1, 8, 8), 3, width=4), MLPGAN((4,), 3, alpha=1)], ids=["dcgan", "mlp"])
def test_modules_can_be_copied_and_pickled_and_have_no_running_statistics(module):
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert all(torch.equal(a, b) for a, b in zip(module.parameters(), twin.parameters(), strict=True))
    assert not list(module.buffers())


def test_dcgan_refuses_rows_in_a_sentence():
    with pytest.raises(ValueError, match=r"DCGAN makes images of shape \(C, H, W\).*net='mlp_gan'"):
        DCGAN((10,), 2)


def test_a_row_is_judged_without_regard_to_its_batch():
    module = DCGAN((1, 28, 28), 2, width=4).eval()
    x, y = torch.randn(5, 1, 28, 28), torch.tensor([0, 1, 0, 1, 1])
    alone = torch.cat([module.discriminator(x[i : i + 1], y[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(module.discriminator(x, y), alone)


def test_label_embedding_of_one_class_is_nothing():
    assert LabelEmbedding(1, 8)(torch.zeros(3, dtype=torch.long)).shape == (3, 0)
    assert LabelEmbedding(4, 8)(torch.arange(4)).shape == (4, 8)


def test_projection_head_is_linear_plus_inner_product():
    head = ProjectionHead(5, 3)
    h, y = torch.randn(4, 5), torch.tensor([0, 2, 1, 2])
    expected = h @ head.linear.weight[0] + head.linear.bias + (head.embedding.embedding.weight[y] * h).sum(1)
    torch.testing.assert_close(head(h, y), expected)


def test_spans_become_near_one_hot_draws_and_numbers_pass():
    rows = torch.randn(200, 7)
    rows[:, 2:5] = torch.tensor([0.0, 3.0, -9.0])
    out = SpanOutput([(2, 5)])(rows)
    assert torch.equal(out[:, :2], rows[:, :2])
    assert torch.equal(out[:, 5:], rows[:, 5:])
    torch.testing.assert_close(out[:, 2:5].sum(1), torch.ones(200))
    drawn = out[:, 2:5].argmax(1).bincount(minlength=3)
    assert drawn[1] > 150  # softmax(3) ≈ .95
    assert 0 < drawn[0] < 40
    assert drawn[2] == 0
