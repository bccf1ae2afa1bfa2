"""The laboratory: which cures make which games converge, beside what their eigenvalues foretell.

    OMP_NUM_THREADS=1 python benchmarks/convergence.py [--quick | --full]

Dirac-GAN and a thin manifold, 500 steps of plain gradient descent from distance 1; a ring of 8 Gaussians, Adam. Every line is
trained by skgan's own nets; eigenvalues are those of the same nets' field, by automatic differentiation.
"""

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from harness import Run, draws, main
from skorch.callbacks import Callback
from toys import LINE, ZEROS, DiracGAN, SurveyGame, ThinManifold, jacobian, play, update_operator

from skgan.augment import InstanceNoise
from skgan.callbacks import Anneal
from skgan.losses import Relativistic, Wasserstein
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet, ConsensusNet
from skgan.penalties import R1, R2, GradientPenalty


@dataclass(frozen=True)
class ConvergenceRun(Run):
    steps: int  # of the ring
    n_seeds: int  # of the ring


BUDGETS = {
    "quick": ConvergenceRun("the small games; the ring with 300 steps and one seed (2 minutes)", steps=300, n_seeds=1),
    "default": ConvergenceRun(
        "the small games; the ring with 2,000 steps and 3 seeds (25 minutes)", steps=2000, n_seeds=3
    ),
    "full": ConvergenceRun("as default with 10,000 steps and 5 seeds", steps=10000, n_seeds=5),
}
LR = 0.1
UPDATES = ("simultaneous", "alternating")


class ClipWeights(Callback):
    """The original WGAN's constraint: discriminator weights clipped after every step."""

    def __init__(self, limit):
        self.limit = limit

    @torch.no_grad()
    def on_batch_end(self, net, **kwargs):
        for parameter in net.module_.discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)


def methods(game: str) -> dict[str, dict]:
    """Cure → parameters of the net; strengths differ between the one-dimensional games and the ring.

    The one-dimensional games play the zero-sum loss, whose unregularised orbits neither close in nor need to leave.
    """
    if game == "survey field":
        return {f"consensus, γ = {gamma:g}": {"net": SurveyGame, "gamma": gamma} for gamma in (0.0, 0.6, 1.5)}
    ring = game == "ring"
    std, gamma, clip = (0.3, 1.0, 0.1) if ring else (1.0, 1.0, 1.0)
    small = 1e-3 if ring else 1.0
    consensus = {"net": ConsensusNet}
    # The spurious equilibrium lies where ψθ < 0, so a second pair of runs starts on that side.
    other_side = {} if ring else {"module__psi": 1.0, "module__theta": -1.0}
    side = "" if ring else " from (1, −1)"
    cures: dict[str, dict] = {
        "none": {},
        "label smoothing .1": {"criterion__label_smoothing": 0.1},
        f"instance noise {std:g}, fixed": {"augment": InstanceNoise(std)},
        f"instance noise {std:g}, annealed": {
            "augment": InstanceNoise(std),
            "callbacks": [Anneal("augment__InstanceNoise__std", (std, 0.0))],
        },
        f"WGAN, weights clipped at {clip:g}": {"criterion": Wasserstein, "callbacks": [ClipWeights(clip)]},
        "WGAN-GP, λ = 1": {"criterion": Wasserstein, "penalties": (GradientPenalty(1.0),)},
        f"R1, γ = {gamma:g}": {"penalties": (R1(gamma),)},
        f"R2, γ = {gamma:g}": {"penalties": (R2(gamma),)},
        f"consensus, γ = {small:g}": {**consensus, "gamma": small},
        **({} if ring else {f"consensus, γ = {small:g}{side}": {**consensus, "gamma": small, **other_side}}),
        f"consensus, γ = 10{'' if ring else f' (too large){side}'}": {**consensus, "gamma": 10.0, **other_side},
        "weight norm": {"module__discriminator_norm" if ring else "module__norm": "weight"},
        "spectral norm": {"module__discriminator_norm" if ring else "module__norm": "spectral"},
        "relativistic + R1 + R2": {"criterion": Relativistic, "penalties": (R1(gamma / 2), R2(gamma / 2))},
    }
    if ring:
        return cures
    zero_sum = {name: ({} if "criterion" in p else {"criterion__saturating": True}) | p for name, p in cures.items()}
    return {"none": zero_sum.pop("none"), "none, non-saturating": {}} | zero_sum


def small_game(game: str, method: str, updates: str):
    """The net of a one-dimensional game."""
    params = dict(methods(game)[method])
    make = params.pop("net", AdversarialNet)
    module = ThinManifold if game == "thin manifold" else DiracGAN
    return make(module, optimizer=torch.optim.SGD, lr=LR, batch_size=256, updates=updates, **params)


def measure_small(game: str, method: str, updates: str) -> dict:
    X = ZEROS if game == "Dirac" else LINE
    with np.errstate(all="ignore"):
        _, path = play(small_game(game, method, updates), X)
        distance = np.linalg.norm(path, axis=1)
        real = modulus = float("nan")
        if method not in ("weight norm", "spectral norm"):  # both divide by |ψ|, which is 0 at the equilibrium
            J = jacobian(small_game(game, method, updates), X, psi=0.0, theta=0.0)
            if np.abs(J).max() < 1e3:  # the norm in WGAN-GP has a corner at 0
                real = np.linalg.eigvals(-J).real.max()
                modulus = np.abs(np.linalg.eigvals(update_operator(J, LR, updates, len(J) - 1))).max()
    return {"distance": distance[-100:].max(), "real part": real, "modulus": modulus}


# Equilibria of the survey's field as (θ, ψ): it circles round the one and flees the other.
PLACES = {"the centre": (0.0, np.pi / 2), "the saddle": (0.0, -np.pi / 2)}


def measure_survey(method: str, place: str) -> dict:
    theta, psi = PLACES[place]
    net = small_game("survey field", method, "simultaneous")
    J = jacobian(net, ZEROS, theta=theta, psi=psi)
    _, path = play(net.set_params(module__theta=theta + 0.3, module__psi=psi + 0.2), ZEROS)
    distance = np.linalg.norm(path - [psi, theta], axis=1)
    modulus = np.abs(np.linalg.eigvals(update_operator(J, LR, "simultaneous", 1))).max()
    return {"distance": distance[-100:].max(), "real part": np.linalg.eigvals(-J).real.max(), "modulus": modulus}


def ring_data(n: int = 5000, n_modes: int = 8, std: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Gaussians on the unit circle, and their centres."""
    rng = np.random.RandomState(0)
    angle = 2 * np.pi * np.arange(n_modes) / n_modes
    centres = np.c_[np.cos(angle), np.sin(angle)]
    return (centres[rng.randint(n_modes, size=n)] + std * rng.randn(n, 2)).astype(np.float32), centres


def measure_ring(method: str, updates: str, seed: int, n_steps: int) -> dict:
    params = dict(methods("ring")[method])
    make = params.pop("net", AdversarialNet)
    net = make(
        MLPGAN,
        **{
            "module__alpha": 2,
            "module__dropout": 0.0,
            "module__latent_dim": 16,
            "lr": 1e-3,
            "optimizer__betas": (0.0, 0.99),
            "batch_size": 128,
            "max_steps": n_steps,
            "updates": updates,
            "random_state": seed,
        }
        | params,
    )
    X, centres = ring_data()
    begin = time.perf_counter()
    net.fit(X)
    seconds = time.perf_counter() - begin
    fake = net.sample(np.zeros(2500, int))
    distance = np.linalg.norm(fake[:, None] - centres, axis=2)
    near = distance.min(1) < 3 * 0.05
    share = np.bincount(distance.argmin(1)[near], minlength=len(centres)) / len(fake)
    return {"modes": int((share > 0.01).sum()), "near a mode": float(near.mean()), "seconds": seconds}


def cells(run: ConvergenceRun) -> Iterator[dict]:
    for game in ("Dirac", "thin manifold"):
        for method in methods(game):
            if game == "thin manifold" and "norm" in method:
                continue  # its discriminator is two bare numbers
            for updates in UPDATES:
                yield {"game": game, "method": method, "updates": updates, "seed": 0, "steps": 500}
    for method in methods("survey field"):
        for place in PLACES:
            yield {"game": "survey field", "method": method, "updates": place, "seed": 0, "steps": 500}
    for method in methods("ring"):
        for updates in UPDATES:
            for seed in range(run.n_seeds):
                yield {"game": "ring", "method": method, "updates": updates, "seed": seed, "steps": run.steps}


VALUES = ("distance", "real part", "modulus", "modes", "near a mode", "seconds")


def measure(run: ConvergenceRun, game: str, method: str, updates: str, seed: int, steps: int) -> dict:
    if game == "ring":
        values = measure_ring(method, updates, seed, steps)
    elif game == "survey field":
        values = measure_survey(method, updates)
    else:
        values = measure_small(game, method, updates)
    return {name: values.get(name, float("nan")) for name in VALUES}


def verdict(distance: float) -> str:
    if not distance < 1e3:
        return "diverges"
    return f"{distance:.1e}" if distance < 0.01 else f"{distance:.2f}"


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md; draws the pictures."""
    images = Path(__file__).parent.parent / "docs" / "images"
    images.mkdir(exist_ok=True)
    draw_paths(images / "convergence-paths.png")
    draw_survey_field(images / "survey-field.png")
    text = [
        "Distance: the largest over the last 100 of 500 steps, from (√½, √½) unless a line says otherwise. Real part: the "
        "largest of the eigenvalues of the field's Jacobian at the equilibrium (below 0 converges in continuous time). "
        "Modulus: the largest of the update operator's eigenvalues (below 1 converges). A dash: not differentiable there. "
        "The WGAN's eigenvalues are those of its loss, without the clipping. Both small games play the zero-sum loss except "
        "where a line says otherwise."
    ]
    for game in ("Dirac", "thin manifold"):
        part = results[results["game"] == game]
        rows = []
        for method, both in part.groupby("method", sort=False):
            row = {"cure": method}
            for updates in UPDATES:
                (cell,) = both[both["updates"] == updates].to_dict("records")
                shown = [
                    ("–" if np.isnan(v := cell[k]) else f"{round(v, 3) + 0.0:.3f}") for k in ("real part", "modulus")
                ]
                row |= {f"distance, {updates}": verdict(cell["distance"]), "real part": shown[0]}
                row |= {f"modulus, {updates}": shown[1]}
            rows.append(row)
        text += [f"### {game}\n", pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)]
    survey = results[results["game"] == "survey field"]
    shown = survey.rename(columns={"updates": "started near"}).assign(
        **{"distance to it": survey["distance"].map(verdict), "real part": survey["real part"].map("{:+.3f}".format)}
    )[["method", "started near", "distance to it", "real part"]]
    text += [
        "### The survey's field v = (cos ψ, sin θ)\n",
        shown.to_markdown(index=False, disable_numparse=True),
        "Consensus optimisation turns the centre into a sink. Too large a γ (above 1) does the same to the saddle: a "
        "spurious equilibrium. In the Dirac-GAN the length of the field falls off where ψθ ≪ 0 (the generator's gradient "
        "vanishes there), and too large a γ follows it down, although its eigenvalues at the equilibrium are the best of all.",
    ]
    ring = results[results["game"] == "ring"]
    rows = []
    for method, both in ring.groupby("method", sort=False):
        row = {"cure": method}
        for updates in UPDATES:
            part = both[both["updates"] == updates]
            row[f"modes of 8, {updates}"] = ", ".join(str(int(modes)) for modes in part["modes"])
            row[f"near a mode, {updates}"] = f"{part['near a mode'].mean():.2f}"
        rows.append(row)
    text += [
        f"### Ring of 8 Gaussians, {int(ring['steps'].max()):,} steps\n",
        pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True),
        "Modes covered (more than 1 % of 2,500 samples within 3 standard deviations), one number a seed.",
        "![Paths of the Dirac-GAN](images/convergence-paths.png)",
        "The survey's field v = (cos ψ, sin θ), its conservative part −∇L with L = ½‖v‖², and v − 0.6 ∇L:",
        "![The survey's field](images/survey-field.png)",
    ]
    return "\n\n".join(text)


@draws
def draw_paths(path: Path) -> None:
    """Trajectories of the Dirac-GAN in the plane of θ and ψ, one panel a cure."""
    from matplotlib.figure import Figure

    names = list(methods("Dirac"))
    n_columns = 5
    figure = Figure(figsize=(2.6 * n_columns, 2.8 * -(-len(names) // n_columns)), layout="constrained")
    axes = figure.subplots(-(-len(names) // n_columns), n_columns, squeeze=False).ravel()
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(axes, names, strict=False):
        for updates, colour in zip(UPDATES, ("tab:red", "tab:blue"), strict=True):
            with np.errstate(all="ignore"):
                _, steps = play(small_game("Dirac", name, updates), ZEROS)
            axis.plot(steps[:, 1], steps[:, 0], color=colour, linewidth=0.7, label=updates)
            axis.plot(*steps[-1, ::-1], "o", color=colour, markersize=4)
        axis.plot(0, 0, "k+", markersize=10)
        limit = 4.2 if np.abs(steps[-1]).max() > 2.5 else 1.6
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        axis.set_title(name, fontsize=8)
        axis.tick_params(labelsize=6)
    axes[0].legend(fontsize=6)
    figure.supxlabel("θ (generator)", fontsize=9)
    figure.supylabel("ψ (discriminator)", fontsize=9)
    figure.savefig(path, dpi=110)


@draws
def draw_survey_field(path: Path) -> None:
    """The survey's figure 6, with a path of ConsensusNet in its last panel."""
    from matplotlib.figure import Figure

    theta, psi = np.meshgrid(np.linspace(-4, 4, 200), np.linspace(-4, 4, 200))
    v = np.array([np.cos(psi), np.sin(theta)])
    minus_gradient = np.array([-np.sin(theta) * np.cos(theta), np.cos(psi) * np.sin(psi)])
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    fields = {"v = (cos ψ, sin θ)": v, "−∇L": minus_gradient, "v − 0.6 ∇L": v + 0.6 * minus_gradient}
    axes = figure.subplots(1, 3)
    for axis, (name, field) in zip(axes, fields.items(), strict=True):
        axis.streamplot(theta, psi, *field, density=1.2, linewidth=0.6, arrowsize=0.7, color="0.5")
        axis.set(title=name, xlabel="θ", ylabel="ψ", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    for start in ((1.5, 0.5), (-2.0, -0.5), (-1.5, 2.5)):
        for axis, gamma in ((axes[0], 0.0), (axes[2], 0.6)):
            make = functools.partial(SurveyGame, DiracGAN, optimizer=torch.optim.SGD, lr=0.05)
            _, steps = play(make(gamma=gamma, module__theta=start[0], module__psi=start[1]), ZEROS, steps=300)
            axis.plot(steps[:, 1], steps[:, 0], color="tab:red", linewidth=1.2)
            axis.plot(*steps[-1, ::-1], "o", color="tab:red", markersize=5)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main("convergence", BUDGETS, cells, measure, report)
