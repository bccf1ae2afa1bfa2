"""Nets on real-valued labels: the predictor's losses by hand, the report's pair, standardised and blurred labels."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from skgan._batches import BalancedBatches
from skgan._random import private_rng
from skgan.modules import DCGAN, MLPGAN, ResizeConvGAN
from skgan.modules.heads import HeadOutput, MinibatchDiscrimination, PredictorHead, ProjectionHead
from skgan.modules.layers import LabelEmbedding
from skgan.nets import PredictorGANNet
from skgan.presets import dcgan, mlp_gan, predictor_gan, predictor_mlp_gan

SMALL = {"module__width": 4, "module__n_hidden": 8, "module__n_kernels": 4, "batch_size": 8, "max_steps": 3}


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    y = rng.uniform(0, 10, (40, 2))
    return np.c_[y, y.sum(1)].astype(np.float32), y


def prepared(**params):
    """A net that has been fitted and may be asked for its losses."""
    net = predictor_mlp_gan(alpha=1, batch_size=8, max_steps=2, random_state=0, **params)
    rng = np.random.RandomState(0)
    net.fit(rng.standard_normal((30, 3)).astype(np.float32), rng.standard_normal((30, 2)))
    net.on_train_begin(net)
    net.module_.eval()  # no dropout, and BatchNorm by its statistics: the same numbers twice
    return net


@pytest.mark.parametrize("hinge", [None, "as_printed", "as_coded"])
@pytest.mark.parametrize("prediction_loss", ["squared", "huber"])
@pytest.mark.parametrize("label_weights", [None, (1.0, 3.0)])
def test_losses_are_the_reports(hinge, prediction_loss, label_weights):
    net = prepared(hinge=hinge, prediction_loss=prediction_loss, label_weights=label_weights, adversarial_weight=0.5)
    torch.manual_seed(0)
    real, y = torch.randn(8, 3), torch.randn(8, 2)

    def parts(x):
        logits, predicted = net.module_.discriminator(x, y)
        error = (y - predicted).abs()
        each = error**2 if prediction_loss == "squared" else torch.where(error <= 1, error**2, 2 * error - 1)
        return logits, (each * torch.tensor(label_weights or (1.0, 1.0))).sum(1).mean()

    with private_rng(3):
        fake = net.module_(net.latent(8), y)
    (p_real, of_real), (p_fake, of_fake) = parts(real), parts(fake)
    prediction = {
        None: of_real,
        "as_printed": max(0, of_fake - of_real),
        "as_coded": max(0, of_real - of_fake),
    }[hinge]
    adversarial = -(p_real.sigmoid().log().mean() + (1 - p_fake.sigmoid()).log().mean())
    with private_rng(3):
        d_loss, told = net.discriminator_loss(real, y)
    with private_rng(3):
        g_loss, _ = net.generator_loss(real, y)
    assert told == {"discriminator_accuracy": torch.cat([p_real > 0, p_fake < 0]).float().mean()}
    assert d_loss.item() == pytest.approx((0.5 * adversarial + prediction).item(), rel=1e-4)
    assert g_loss.item() == pytest.approx((of_fake - 0.5 * p_fake.sigmoid().log().mean()).item(), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("hinge", "learns"), [(None, True), ("as_coded", True), ("as_printed", False)])
def test_as_printed_nothing_teaches_the_real_labels(hinge, learns):
    x = np.random.RandomState(0).uniform(-1, 1, (300, 1)).astype(np.float32)
    errors = []  # 1 is what a constant gives
    for seed in range(3):
        net = predictor_mlp_gan(alpha=1, hinge=hinge, batch_size=32, max_steps=300, lr=1e-3, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as printed, the losses may run away
            net.fit(x, 2 * x)
        y = net.labels(2 * x)
        net.module_.eval()
        with torch.no_grad():
            logits, predicted = net.module_.discriminator(torch.from_numpy(x), torch.from_numpy(y))
        np.testing.assert_allclose(net.score_samples(x, 2 * x), logits, rtol=1e-5)
        errors.append(float(np.mean((predicted.numpy() - y) ** 2)))
    assert np.max(errors) < 0.8 if learns else np.median(errors) > 1


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 50, 50), (3, 13, 10), (1, 4, 4)])
def test_the_galaxy_pair_on_any_size(shape):
    torch.manual_seed(0)
    module = ResizeConvGAN(shape, condition_dim=2, latent_dim=5, width=4, n_hidden=8, n_kernels=3)
    y = torch.randn(6, 2)
    x = module(torch.randn(6, 5), y)
    assert x.shape == (6, *shape)
    logits, predicted = module.discriminator(x, y)
    assert logits.shape == (6,)
    assert predicted.shape == (6, 2)


def test_the_galaxy_pair_has_the_reports_sizes():
    module = ResizeConvGAN((3, 50, 50), condition_dim=2)
    assert module.generator.sizes == [(17, 17), (34, 34), (50, 50)]
    assert [tuple(m.weight.shape) for m in module.generator.modules() if isinstance(m, nn.Conv2d)] == [
        (64, 128, 4, 4),
        (3, 64, 4, 4),
    ]
    strides = [(m.out_channels, m.stride) for m in module.discriminator.convolutions if isinstance(m, nn.Conv2d)]
    assert strides == [(64, (2, 2)), (128, (2, 2))]
    head = module.discriminator.head
    assert head.predictor[0].out_features == 1024
    assert head.closeness.kernels.out_features == 128 * 5
    assert head.linear.in_features == 128 * 12 * 12 + 128  # concatenated


def test_the_logit_sees_the_batch_and_the_prediction_does_not():
    torch.manual_seed(0)
    head = PredictorHead(6, 1, condition_dim=2, n_hidden=4, n_kernels=3, kernel_dim=2).eval()
    h, y = torch.randn(5, 6), torch.zeros(5, 2)
    logits, predicted = head(h, y)
    with_others = torch.cat([h[:1], h[:1] + 0.01, h[3:]])
    among_others = head(with_others, y[:4])
    assert isinstance(among_others, HeadOutput)
    assert among_others.logits[0] != logits[0]
    torch.testing.assert_close(among_others.extra[0], predicted[0])
    torch.testing.assert_close(head(h, y + 1), HeadOutput(logits, predicted))  # neither knows the label
    expected = head.linear(MinibatchDiscrimination.forward(head.closeness, h))[:, 0]
    torch.testing.assert_close(logits, expected)


def test_labels_are_standardised_inside_and_come_back_with_an_export(rows):
    X, y = rows
    net = predictor_mlp_gan(alpha=1, batch_size=8, max_steps=3, random_state=0).fit(X, y)
    labels = net.labels(y)
    np.testing.assert_allclose(labels.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(labels.std(0), 1, atol=1e-5)
    assert labels.dtype == np.float32
    other = predictor_mlp_gan(alpha=1).restore(net.export())
    np.testing.assert_array_equal(other.sample(y, random_state=1), net.sample(y, random_state=1))
    assert net.score_samples(X, y).shape == (40,)


@pytest.mark.parametrize(
    "net",
    [
        mlp_gan(alpha=1, batch_size=8, max_steps=3),
        mlp_gan(alpha=1, batch_size=8, max_steps=3, module__head="projection", module__discriminator_norm="spectral"),
        mlp_gan(alpha=1, batch_size=8, max_steps=3, vicinity="scott"),
        predictor_mlp_gan(alpha=1, batch_size=8, max_steps=3, vicinity=0.2),
    ],
    ids=["concat", "projection", "vicinity", "predictor"],
)
def test_every_head_takes_real_labels(rows, net):
    X, y = rows
    net.set_params(random_state=0).fit(X, y[:, 0])
    assert net.sample(y[:, 0]).shape == (40, 3)


@pytest.mark.parametrize("net", [predictor_gan(**SMALL), dcgan(module__width=4, batch_size=8, max_steps=3)])
def test_images_with_real_labels(net):
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 256, (20, 3, 12, 12), dtype=np.uint8), rng.uniform(size=(20, 3))
    net.set_params(random_state=0).fit(X, y)
    assert net.sample(y).shape == X.shape


def test_blurred_labels():
    X, labels = torch.zeros(50, 2), torch.arange(50.0)[:, None]
    batches = BalancedBatches(
        X, torch.zeros(50, dtype=torch.int64), batch_size=4000, max_steps=1, steps_per_epoch=1, labels=labels, blur=0.25
    )
    with private_rng(0):
        ((_, blurred),) = list(batches)
    assert float((blurred - blurred.round()).std()) == pytest.approx(0.25, abs=0.03)
    net = mlp_gan(vicinity="scott", max_steps=3)
    net.condition_dim_ = 2
    iterator = net.get_iterator(torch.utils.data.TensorDataset(X, torch.zeros(50, 2)))
    assert iterator.blur == pytest.approx(50 ** (-1 / 6))


def test_modules_that_know_classes_only_say_so(rows):
    with pytest.raises(ValueError, match="tells classes apart"):
        mlp_gan(module__head="auxiliary", max_steps=1).fit(*rows)
    with pytest.raises(ValueError, match="predicts real-valued labels, and there are only classes"):
        MLPGAN((3,), 2, head="predictor")
    with pytest.raises(ValueError, match="from 4 px a side"):
        ResizeConvGAN((3, 2, 9), condition_dim=1)
    with pytest.raises(ValueError, match="learns from real-valued labels"):
        predictor_mlp_gan(max_steps=1).fit(rows[0], np.zeros(40, int))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"hinge": "printed"}, "'hinge' parameter of PredictorGANNet .*'as_coded'.* Got 'printed' instead"),
        ({"prediction_loss": "l1"}, "'prediction_loss' parameter of PredictorGANNet .*'huber'.* Got 'l1' instead"),
        ({"adversarial_weight": 0.0}, r"'adversarial_weight' parameter .* \(0.0, inf\). Got 0.0 instead"),
        ({"label_weights": [-1.0]}, r"label_weights must be None or weights of at least 0, got \[-1.0\]"),
        ({"label_weights": [1.0]}, "label_weights has 1 weights, and there are 2 labels"),
        ({"vicinity": -1}, r"'vicinity' parameter of PredictorGANNet .* \[0.0, inf\). Got -1 instead"),
    ],
    ids=str,
)
def test_wrong_parameters(rows, params, words):
    with pytest.raises(ValueError, match=words):
        predictor_mlp_gan(max_steps=1, **params).fit(*rows)


def test_a_discriminator_without_predictions_is_refused_in_a_sentence(rows):
    net = PredictorGANNet(MLPGAN, module__alpha=1, max_steps=1)
    with pytest.raises(TypeError, match="that of MLPGAN returns logits alone; use module__head='predictor'"):
        net.fit(*rows)


def test_embeddings_of_real_labels():
    assert LabelEmbedding(1, 8).dim == 0
    assert LabelEmbedding(1, 8, condition_dim=2)(torch.zeros(4, 2)).shape == (4, 8)
    head = ProjectionHead(6, 1, condition_dim=2)
    h, y = torch.randn(4, 6), torch.randn(4, 2)
    expected = h @ head.linear.weight[0] + head.linear.bias + (head.embedding(y) * h).sum(1)
    torch.testing.assert_close(head(h, y), expected)
    assert DCGAN((1, 8, 8), 1, condition_dim=1)(torch.randn(1, 64), torch.zeros(1, 1)).shape == (1, 1, 8, 8)
    assert PredictorGANNet is type(predictor_gan())
