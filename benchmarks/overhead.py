"""What skgan costs over bare torch, over its imports, and in memory. All figures are ratios within one run.

OMP_NUM_THREADS=2 python benchmarks/overhead.py [--quick | --full]
"""

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import torch
from harness import parse_budget, run_cells
from sklearn.datasets import make_classification
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from skgan._random import private_rng
from skgan._tensors import to_unit_range
from skgan.nets import CycleGANNet, GenClassNet, GTNNet, OffspringNet, VAEGANNet, VAENet
from skgan.penalties import R1
from skgan.presets import (
    cyclegan,
    dagan,
    dcgan,
    genclass,
    gtn,
    mlp_gan,
    offspring,
    photo_gan,
    progan,
    relativistic_gan,
    vae,
    vae_gan,
    wgan_gp,
)

BUDGETS = {
    "quick": "3 repetitions of 40 steps, one repetition of the rest (1 minute)",
    "default": "7 repetitions of 100 steps, 5 of the rest (20 minutes)",
    "full": "as default, 20 repetitions",
}
REPEATS = {"quick": 3, "default": 7, "full": 20}
STEPS = {"quick": 40, "default": 100, "full": 100}


def images():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (2000, 1, 28, 28), dtype=np.uint8), rng.randint(0, 10, 2000)


def rows():
    X, y = make_classification(2000, 10, n_informative=5, random_state=0)
    return X.astype(np.float32), y


def encoded_rows():
    X, y = rows()
    return X / np.abs(X).max(), y


NETS = {
    "mlp_gan(alpha=4), 28 px": (lambda **k: mlp_gan(alpha=4, **k), images, 1.10),
    "dcgan, 28 px": (dcgan, images, 1.10),
    "mlp_gan(alpha=2), table of 10 columns": (lambda **k: mlp_gan(alpha=2, **k), rows, 1.35),
    "wgan_gp, 28 px": (wgan_gp, images, 1.10),
    "relativistic_gan, 28 px": (relativistic_gan, images, 1.10),
    "photo_gan, 28 px": (photo_gan, images, 1.10),
    "progan, 28 px, its last stage": (lambda **k: progan(callbacks=None, **k), images, 1.10),
    "vae, 28 px": (vae, images, 1.10),
    "vae_gan, 28 px": (vae_gan, images, 1.10),
    "offspring, 28 px, any pairs": (lambda **k: offspring(n_candidates=1, **k), images, 1.10),
    "dagan, 28 px, any pairs": (lambda **k: dagan(n_candidates=1, **k), images, 1.10),
    "cyclegan, 28 px, no pool": (lambda **k: cyclegan(pool_size=0, **k), images, 1.10),
    "genclass, 28 px": (lambda **k: genclass(np.eye(10), **k), images, 1.10),
    "gtn, table of 10 columns, one segment": (
        lambda **k: gtn(n_segments=1, border_weight=0.0, **k),
        encoded_rows,
        1.10,
    ),
}


def bare_loop(net, X, y, n_steps: int) -> float:
    """Seconds of n_steps in a plain torch loop: the same networks, batches, optimiser, losses and penalties."""
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    with private_rng(0):
        attributes = {"attributes": net.attributes} if isinstance(net, GenClassNet) else {}
        module = net.module(tuple(X.shape[1:]), int(y.max()) + 1, **net.get_params_for("module"), **attributes)
        if isinstance(net, VAENet):
            return bare_vae(net, module, X, y, n_steps)
        if isinstance(net, CycleGANNet):
            return bare_cyclegan(net, module, X, y, n_steps)
        if isinstance(net, GTNNet):
            return bare_gtn(net, module, X, y, n_steps)
        loss = net.criterion(**net.get_params_for("criterion"))
        betas = net.optimizer__betas
        optimizers = [
            torch.optim.Adam(player.parameters(), lr=net.lr, betas=betas, fused=True)
            for player in (module.discriminator, module.generator)
        ]
        begin = time.perf_counter()
        for _ in range(n_steps):
            for _ in range(net.n_critic):
                chosen = torch.randint(len(X), (net.batch_size,))
                real, labels = to_unit_range(X[chosen]), y[chosen]
                # Which rows are paired costs nothing here, and little in the net, whose parents are of the row's class
                parents = [real.flip(0)] if isinstance(net, OffspringNet) else []
                with torch.no_grad():
                    fake = bare_fakes(net, module, real, labels, parents)

                def critic(x, labels=labels, parents=parents):
                    return module.discriminator(x, labels, *parents)

                d_loss = loss.discriminator(critic(real), critic(fake))
                for penalty in net.penalties:
                    d_loss = d_loss + penalty(critic, real, fake)
                optimizers[0].zero_grad(set_to_none=True)
                d_loss.backward(inputs=list(module.discriminator.parameters()))
                optimizers[0].step()
            fake = bare_fakes(net, module, real, labels, parents)
            g_loss = loss.generator(critic(real) if getattr(loss, "uses_real", False) else None, critic(fake))
            players = list(module.generator.parameters())
            if isinstance(net, VAEGANNet):
                players += module.encoder.parameters()
                mean, log_variance, z = bare_codes(module, real, labels)
                with torch.no_grad():
                    hidden = module.discriminator.hidden(real, labels)
                difference = module.discriminator.hidden(module(z, labels), labels) - hidden
                g_loss = g_loss + 0.5 * difference.square().sum(1).mean() + 0.1 * bare_kl(mean, log_variance)
            if isinstance(net, GenClassNet):
                players += module.similarity.parameters()
                g_loss = g_loss + bare_similarity(module.similarity, real, fake, labels)
            optimizers[1].zero_grad(set_to_none=True)
            g_loss.backward(inputs=players)
            optimizers[1].step()
        return time.perf_counter() - begin


def bare_fakes(net, module, real, labels, parents):
    z = torch.randn(len(labels), module.latent_dim)
    if isinstance(net, VAEGANNet):  # half of them reconstructions
        half = len(z) // 2
        with torch.no_grad():
            z = torch.cat([z[:half], bare_codes(module, real[half:], labels[half:])[2]])
    return module(z, labels, *parents)


def bare_similarity(network, real, fake, labels):
    same = (labels[:, None] == labels[None]).float()
    of_real, of_fake, loss = network.embed(real), network.embed(fake), 0
    pairs = ((network(of_real, of_fake), torch.ones_like(same)), (network(of_real, of_real), 1 - torch.eye(len(same))))
    for logits, counted in pairs:
        each = binary_cross_entropy_with_logits(logits, same, reduction="none") * counted
        for side in (same * counted, (1 - same) * counted):
            loss = loss + (each * side).sum() / side.sum().clamp(min=1) / 4
    return loss


def bare_cyclegan(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``: both translators with cycle and identity losses, then both judges."""
    optimizers = [
        torch.optim.Adam(player.parameters(), lr=net.lr, betas=net.optimizer__betas, fused=True)
        for player in (module.generator, module.discriminator)
    ]
    loss, generator, judge = net.criterion(), module.generator, module.discriminator
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (2, net.batch_size))
        (real, parent), labels = to_unit_range(X[chosen]), y[chosen[0]]
        g_loss, made = 0, []
        for given, wanted, way, other in ((parent, real, "there", "back"), (real, parent, "back", "there")):
            fake = generator(given, labels, way)
            g_loss = g_loss + loss.generator(None, judge(fake, labels, way))
            g_loss = g_loss + net.cycle_weight * l1_loss(generator(fake, labels, other), given)
            g_loss = g_loss + net.identity_weight * l1_loss(generator(wanted, labels, way), wanted)
            made.append((fake.detach(), wanted, way))
        optimizers[0].zero_grad(set_to_none=True)
        g_loss.backward(inputs=list(generator.parameters()))
        optimizers[0].step()
        d_loss = 0
        for fake, wanted, way in made:
            d_loss = d_loss + 0.5 * loss.discriminator(judge(wanted, labels, way), judge(fake, labels, way))
        optimizers[1].zero_grad(set_to_none=True)
        d_loss.backward(inputs=list(judge.parameters()))
        optimizers[1].step()
    return time.perf_counter() - begin


def bare_gtn(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``: the learner's steps with a graph, and one backward pass through all of them."""
    optimizer = torch.optim.Adam(module.parameters(), lr=net.lr, fused=True)
    loss = net.criterion()
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (net.batch_size,))
        learner = net.learner(tuple(X.shape[1:]), int(y.max()) + 1)
        weights = dict(learner.named_parameters())
        velocity = [torch.zeros_like(w) for w in weights.values()]
        made, (rate, momentum) = module(module.codes.flatten(0, 1), module.labels.flatten()), module.step_sizes()
        for batch, labels in zip(made.split(net.inner_batch_size), module.labels, strict=True):
            inner = loss(functional_call(learner, weights, (batch,)), labels)
            gradient = torch.autograd.grad(inner, weights.values(), create_graph=True)
            velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
            weights = {name: w - rate * v for (name, w), v in zip(weights.items(), velocity, strict=True)}
        optimizer.zero_grad(set_to_none=True)
        outer = loss(functional_call(learner, weights, (X[chosen],)), y[chosen])
        outer.backward(inputs=list(module.parameters()))
        torch.nn.utils.clip_grad_norm_(module.parameters(), net.max_grad_norm)
        optimizer.step()
    return time.perf_counter() - begin


def bare_codes(module, real, labels):
    mean, log_variance = module.encoder(real, labels)
    return mean, log_variance, mean + torch.randn_like(mean) * (0.5 * log_variance).exp()


def bare_kl(mean, log_variance):
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


def bare_vae(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``, for the evidence lower bound of Bernoulli images."""
    optimizer = torch.optim.Adam(module.parameters(), lr=net.lr, fused=True)
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (net.batch_size,))
        real, labels = to_unit_range(X[chosen]), y[chosen]
        mean, log_variance, z = bare_codes(module, real, labels)
        bound = module.log_likelihood(real, z, labels, "bernoulli").mean() - bare_kl(mean, log_variance)
        optimizer.zero_grad(set_to_none=True)
        (-bound).backward()
        optimizer.step()
    return time.perf_counter() - begin


def net_steps(net, X, y) -> float:
    """Seconds between the first and the last epoch of a fit, and so without building and first-call costs."""
    with private_rng(0):
        net.fit(X, y)
    seconds, steps = net.history[:, "seconds"], net.history[:, "step"]
    return (seconds[-1] - seconds[0]) / (steps[-1] - steps[0])


def step_ratio(name: str, repeats: int, n_steps: int) -> dict:
    make, data, bar = NETS[name]
    X, y = data()
    ours, bare = [], []
    bare_loop(make(), X, y, 5)
    for _ in range(repeats):  # interleaved, so that a slow moment of the machine hits both
        bare.append(bare_loop(make(), X, y, n_steps) / n_steps)
        ours.append(net_steps(make(max_steps=n_steps + 20), X, y))
    return {
        "ours": f"{1e3 * np.median(ours):.2f} ms a step",
        "peer": f"{1e3 * np.median(bare):.2f} ms a step in bare torch",
        "ratio": float(np.median(np.array(ours) / np.array(bare))),
        "bar": bar,
    }


LAZY = {"lazy R1 (every=4), dcgan, 28 px": dcgan, "lazy R1 (every=4), mlp_gan(alpha=4), 28 px": mlp_gan}


def lazy_ratio(name: str, repeats: int, n_steps: int) -> dict:
    X, y = images()
    with_penalty, without = [], []
    for _ in range(repeats):
        for seconds, penalties in ((without, ()), (with_penalty, (R1(1.0, every=4),))):
            seconds.append(net_steps(LAZY[name](penalties=penalties, max_steps=n_steps + 20), X, y))
    return {
        "ours": f"{1e3 * np.median(with_penalty):.2f} ms a step",
        "peer": f"{1e3 * np.median(without):.2f} ms a step without the penalty",
        "ratio": float(np.median(np.array(with_penalty) / np.array(without))),
        "bar": 1.35,
    }


def import_ratio(repeats: int) -> dict:
    def seconds(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - begin

    peers = "import torch, sklearn, skorch, imblearn"
    seconds("import skgan")  # fill the file cache
    pairs = [(seconds("import skgan"), seconds(peers)) for _ in range(repeats)]
    ours, peer = np.median(pairs, axis=0)
    return {"ours": f"{ours:.2f} s", "peer": f"{peer:.2f} s: {peers}", "ratio": float(ours / peer), "bar": 1.15}


TABLE_CODE = """
import resource, sys, time
from sklearn.datasets import make_classification
from skgan import GANOverSampler
from imblearn.over_sampling import SMOTE
X, y = make_classification(10000, 10, weights=[0.9], random_state=0)
rss = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before = rss()
begin = time.perf_counter()
X_new, y_new = GANOverSampler(random_state=0).fit_resample(X, y)
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
begin = time.perf_counter()
SMOTE(random_state=0).fit_resample(X, y)
print(seconds, time.perf_counter() - begin, peak - before, X.nbytes + X_new.nbytes)
"""
IMAGE_CODE = (
    TABLE_CODE.replace(
        "X, y = make_classification(10000, 10, weights=[0.9], random_state=0)",
        "import numpy as np; rng = np.random.RandomState(0)\n"
        "X, y = rng.randint(0, 256, (60000, 28, 28), dtype=np.uint8), np.repeat([0, 1], [45000, 15000])",
    )
    .replace("GANOverSampler(random_state=0)", "GANOverSampler(max_steps=20, random_state=0)")
    .replace("fit_resample(X, y)\nprint", "fit_resample(X.reshape(60000, -1), y)\nprint")
)

LARGE_CODE = """
import resource, time
import numpy as np, pandas as pd
from imblearn.over_sampling import RandomOverSampler
from skgan import GANOverSampler
rng, n = np.random.RandomState(0), 200_000
y = (rng.rand(n) < 0.05).astype(int)
X = pd.DataFrame({f"number {i}": rng.randn(n) + 0.3 * y * (i % 3) for i in range(28)})
for i in range(3):
    X[f"count {i}"] = rng.poisson(5 + 3 * y)
for i, levels in enumerate((2, 3, 5, 8, 12, 20, 40, 80)):
    X[f"category {i}"] = pd.Categorical(rng.randint(0, levels, n).astype(str))
X["shop"] = np.char.add("shop ", rng.randint(0, 20_000, n).astype(str))
assert X.shape == (n, 40)
sampler = GANOverSampler(random_state=0)
begin = time.perf_counter()
sampler.fit_resample(X, y)
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
begin = time.perf_counter()
RandomOverSampler(random_state=0).fit_resample(X, y)
print(seconds, sampler.training_history_["seconds"].max(), time.perf_counter() - begin, peak)
"""
PHOTOS = "training at 128 px, batches of the preset's own size: memory"
PHOTOS_CODE = """
import resource, sys
import numpy as np
from skgan import GANOverSampler, presets
X, y = np.random.RandomState(0).randint(0, 256, (80, 3, 128, 128), dtype=np.uint8), np.repeat([0, 1], [60, 20])
GANOverSampler(net=getattr(presets, sys.argv[1])(max_steps=3), random_state=0).fit_resample(X, y)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
PHOTO_FAMILIES = (
    *("autoencoder", "cyclegan", "dagan", "dcgan", "offspring", "photo_gan", "progan", "relativistic_gan", "vae"),
    *("vae_gan", "wgan_gp"),
)


def photo_memory() -> dict:
    peaks = {
        name: float(
            subprocess.run([sys.executable, "-c", PHOTOS_CODE, name], check=True, capture_output=True, text=True).stdout
        )
        for name in PHOTO_FAMILIES
    }
    worst = max(peaks, key=peaks.__getitem__)
    return {
        "ours": ", ".join(f"{name} {peak / 1e9:.1f} GB" for name, peak in peaks.items()),
        "peer": "allowed 3 GB",
        "ratio": peaks[worst] / 3e9,
        "bar": 1.0,
    }


LARGE_SECONDS, LARGE_BYTES = 60.0, 4e9


def large_table() -> dict:
    out = subprocess.run([sys.executable, "-c", LARGE_CODE], check=True, capture_output=True, text=True).stdout
    seconds, training, copies, peak = map(float, out.split())
    return {
        "ours": f"{training:.1f} s of training, {seconds:.1f} s in all, {peak / 1e9:.1f} GB",
        "peer": f"copies {copies:.1f} s; allowed {LARGE_SECONDS:.0f} s of training and {LARGE_BYTES / 1e9:.0f} GB",
        "ratio": max(training / LARGE_SECONDS, peak / LARGE_BYTES),
        "bar": 1.0,
    }


def fit_resample(code: str, limit: float | None) -> dict:
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    seconds, smote, memory, data = map(float, out.split())
    allowed = 2.5 * data + 600e6
    return {
        "ours": f"{seconds:.1f} s, {memory / 1e6:.0f} MB above the imports",
        "peer": f"SMOTE {smote:.2f} s; allowed {f'{limit:.0f} s and ' if limit else ''}{allowed / 1e6:.0f} MB",
        "ratio": max(memory / allowed, 0 if limit is None else seconds / limit),
        "bar": 1.0,
    }


def measure(what: str, budget: str) -> dict:
    if what in NETS:
        slow = budget == "default" and list(NETS).index(what) > 2  # the families' steps take up to .6 s
        return step_ratio(what, 3 if slow else REPEATS[budget], 20 if slow else STEPS[budget])
    if what in LAZY:
        return lazy_ratio(what, REPEATS[budget], STEPS[budget])
    if what == "import skgan":
        return import_ratio(REPEATS[budget])
    if what == PHOTOS:
        return photo_memory()
    if what == LARGE:
        return large_table()
    if what.startswith("fit_resample, table"):
        return fit_resample(TABLE_CODE, 20.0)
    return fit_resample(IMAGE_CODE, None)


LARGE = "fit_resample, 200,000 rows of 40 mixed columns, one of 20,000 levels"
CELLS = (
    *NETS,
    *LAZY,
    "import skgan",
    "fit_resample, table 10,000 × 10",
    "fit_resample, 60,000 images of 28 px, 20 steps",
    LARGE,
    PHOTOS,
)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    shown = results[["what", "ours", "peer", "ratio", "bar"]].assign(ratio=results["ratio"].map("{:.2f}".format))
    return (
        "Each line is measured in one run; ratios of steps are medians over interleaved repetitions. For `fit_resample` "
        "the ratio is the larger of seconds and memory against what is allowed.\n\n" + shown.to_markdown(index=False)
    )


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    results = run_cells(
        "overhead",
        arguments,
        [{"what": what} for what in CELLS],
        lambda what: measure(what, arguments.budget),
    )
    print(report(results))
    print(f"\nThis process peaked at {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")
