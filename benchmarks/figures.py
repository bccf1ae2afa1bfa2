"""Figures of the CSVs by name, for docs/reports.md: ``five_reports.md`` is that page with the figures' names in braces."""

import re
from pathlib import Path

import pandas as pd
from harness import of_budget, with_error
from scipy.stats import t as student

TEMPLATE = Path(__file__).parent / "five_reports.md"


def cells(results: pd.DataFrame, value: str, **keys) -> pd.Series:
    """A value of the cells with these keys, by seed."""
    for key, wanted in keys.items():
        results = results[results[key] == wanted]
    if results.empty:
        raise KeyError(f"No cell has {keys}.")
    return results.set_index("seed")[value].sort_index()


def paired(differences: pd.Series, digits: int = 1) -> str:
    """Mean of differences seed by seed, and its 95 % interval (Student's t)."""
    values = differences.dropna()
    half = student.ppf(0.975, len(values) - 1) * values.sem()
    mean, low, high = (f"{value:+.{digits}f}" for value in (values.mean(), values.mean() - half, values.mean() + half))
    return f"{mean} ({low} to {high})"


def mixing_ratio() -> dict[str, str]:
    """Experiments 1 to 3 of the MNIST report."""
    results, named = of_budget("mixing_ratio", "default"), {}
    gan, repeated = "MLP GAN, α 4", "real rows repeated"
    for mode, short in (("as published", "published"), ("corrected", "corrected")):

        def of(net, ratio, n=250, mode=mode):
            return 100 * cells(results, "accuracy", net=net, ratio=str(ratio), n=n, mode=mode)

        real, alone = of(gan, 0.0), {alpha: of(f"MLP GAN, α {alpha}", "synthetic only") for alpha in (1, 2, 4, 6)}
        ratios = (0.25, 0.5, 1.0, 2.0, 4.0)
        named |= {
            f"mnist_real_{short}": with_error(real),
            f"mnist_alone_{short}": ", ".join(map(with_error, alone.values())),
            f"mnist_alone_less_real_{short}": paired(alone[4] - real),
            f"mnist_alpha_4_less_6_{short}": paired(alone[4] - alone[6]),
            f"mnist_ratios_{short}": ", ".join(with_error(of(gan, ratio)) for ratio in ratios),
            f"mnist_repeats_{short}": ", ".join(with_error(of(repeated, ratio)) for ratio in ratios),
            f"mnist_4_less_real_{short}": paired(of(gan, 4.0) - real),
            f"mnist_4_less_repeats_{short}": paired(of(gan, 4.0) - of(repeated, 4.0)),
            f"mnist_both_{short}": with_error(of(gan, 1.0, 125)),
            f"mnist_twice_{short}": with_error(of("2s real", 1.0, 125)),
            f"mnist_both_less_twice_{short}": paired(of(gan, 1.0, 125) - of("2s real", 1.0, 125)),
        }
    recursive = of_budget("recursive", "default")

    def after(rounds, value="synthetic only", kind="rounds"):
        return 100 * cells(recursive, value, kind=kind, rounds=rounds)

    stopped = of_budget("stopped", "default")
    for mode, short in (("as published", "published"), ("corrected", "corrected")):
        base, more, again = (
            100 * cells(stopped, "accuracy", mode=mode, net=net, ratio=ratio)
            for net, ratio in ((repeated, 0.0), (gan, 4.0), (repeated, 4.0))
        )
        named |= {
            f"mnist_stopped_{short}": ", ".join(map(with_error, (base, more, again))),
            f"mnist_stopped_gain_{short}": paired(more - base),
            f"mnist_stopped_less_repeats_{short}": paired(more - again),
        }
    return named | {
        "mnist_rounds": ", ".join(with_error(after(rounds)) for rounds in (1, 2, 3, 4)),
        "mnist_round_2_less_1": paired(after(2) - after(1)),
        "mnist_round_4_less_1": paired(after(4) - after(1)),
        "mnist_rounds_less_once": paired(after(4, "real and added") - after(4, "real and added", "at once")),
    }


def galaxies() -> dict[str, str]:
    """What a GAN shows of the labels asked for, and the classifier."""
    results, classifier = of_budget("galaxies", "default"), of_budget("galaxies_classifier", "default")
    nets = {
        "real": "real images",
        "printed": "hinge as printed",
        "coded": "hinge as coded",
        "none": "real labels alone (the default)",
        "huber": "real labels, Huber",
        "weighted": "real labels, label weights 1 : 3",
        "projection": "projection",
    }
    named = {}
    for short, net in nets.items():
        slope = cells(results, "log flux ~ log redshift", part="labels", net=net)
        named |= {
            f"galaxy_slope_{short}": with_error(slope, "+", 2),
            f"galaxy_slope_interval_{short}": paired(slope, 2),
            f"galaxy_r2_{short}": ", ".join(
                with_error(cells(results, f"R² {quantity}", part="labels", net=net), digits=2)
                for quantity in ("log flux", "log size", "colour")
            ),
        }

    def accuracy(rows):
        return 100 * cells(classifier, "balanced accuracy", rows=rows)

    traditional = accuracy("real + traditional augmentation")
    corrected = accuracy("real + traditional augmentation, corrected")
    coded, both_coded = accuracy("generated, hinge as coded"), accuracy("real + generated, hinge as coded")
    return named | {
        "galaxy_generated_coded": with_error(coded),
        "galaxy_both_coded": with_error(both_coded),
        "galaxy_generated_coded_less_traditional": paired(coded - traditional),
        "galaxy_both_coded_less_real": paired(both_coded - accuracy("real")),
        "galaxy_both_coded_less_traditional": paired(both_coded - traditional),
        "galaxy_real": with_error(accuracy("real")),
        "galaxy_traditional": with_error(traditional),
        "galaxy_generated": with_error(accuracy("generated")),
        "galaxy_both": with_error(accuracy("real + generated")),
        "galaxy_generated_less_traditional": paired(accuracy("generated") - traditional),
        "galaxy_both_less_real": paired(accuracy("real + generated") - accuracy("real")),
        "galaxy_real_corrected": with_error(accuracy("real, corrected")),
        "galaxy_traditional_corrected": with_error(corrected),
        "galaxy_traditional_weights": with_error(accuracy("real + traditional augmentation, class weights")),
        "galaxy_real_weights": with_error(accuracy("real, class weights")),
        "galaxy_copies": with_error(accuracy("real + copies")),
        "galaxy_smote": with_error(accuracy("real + SMOTE")),
        "galaxy_both_weights": with_error(accuracy("real + generated, class weights")),
        "galaxy_both_weights_less_traditional": paired(
            accuracy("real + generated, class weights") - accuracy("real + traditional augmentation, class weights")
        ),
        "galaxy_both_corrected": with_error(accuracy("real + generated, corrected")),
        "galaxy_both_corrected_less_traditional": paired(accuracy("real + generated, corrected") - corrected),
    }


def photographs() -> dict[str, str]:
    """The photo report's table."""
    results = of_budget("few_photos", "default")

    def of(added, amount, value="test accuracy"):
        return cells(results, value, added=added, amount=amount)

    amounts = (250, 500, 1000)
    named = {
        "photo_original": with_error(of("original", 0), digits=2),
        "photo_original_loss": with_error(of("original", 0, "test loss"), digits=2),
        "photo_traditional": with_error(of("original + crops, turns, flips", 0), digits=2),
    }
    for short, added in (
        ("gan", "photo_gan"),
        ("published", "photo_gan as published"),
        ("repeats", "real rows repeated"),
        ("offspring", "offspring"),
        ("cyclegan", "cyclegan"),
    ):
        named[f"photo_{short}"] = ", ".join(with_error(of(added, amount), digits=2) for amount in amounts)
    return named | {
        "photo_gan_loss": ", ".join(with_error(of("photo_gan", n, "test loss"), digits=2) for n in amounts),
        "photo_published_loss": ", ".join(
            with_error(of("photo_gan as published", n, "test loss"), digits=2) for n in amounts
        ),
        "photo_gan_less_original": paired(of("photo_gan", 250) - of("original", 0), 2),
        "photo_gan_loss_less_original": paired(of("photo_gan", 1000, "test loss") - of("original", 0, "test loss"), 2),
        "photo_gan_less_repeats": paired(of("photo_gan", 1000) - of("real rows repeated", 1000), 2),
        "photo_cyclegan_less_original": paired(of("cyclegan", 250) - of("original", 0), 2),
    }


def animals() -> dict[str, str]:
    """The photo report's table on horses and deer, in percent."""
    results = of_budget("few_photos_animals", "default")

    def of(added, amount):
        return 100 * cells(results, "test accuracy", added=added, amount=amount)

    original, turned = of("original", 0), of("original + crops, turns, flips", 0)
    named = {"animals_original": with_error(original), "animals_turned": with_error(turned)}
    for short, added in (
        ("gan", "photo_gan"),
        ("published", "photo_gan as published"),
        ("repeats", "real rows repeated"),
        ("offspring", "offspring"),
        ("cyclegan", "cyclegan"),
    ):
        named |= {
            f"animals_{short}": ", ".join(with_error(of(added, amount)) for amount in (250, 500, 1000)),
            f"animals_{short}_less_original": paired(of(added, 1000) - original),
            f"animals_{short}_less_turned": paired(of(added, 1000) - turned),
        }
    large = of_budget("few_photos_128", "default")
    for short, added in (
        ("gan", "photo_gan"),
        ("published", "photo_gan as published"),
        ("repeats", "real rows repeated"),
    ):
        named[f"large_{short}"] = ", ".join(
            f"{100 * float(cells(large, 'test accuracy', added=added, amount=amount).mean()):.1f}"
            for amount in (250, 1000)
        )
    for short, added in (("original", "original"), ("turned", "original + crops, turns, flips")):
        named[f"large_{short}"] = f"{100 * float(cells(large, 'test accuracy', added=added).mean()):.1f}"
    return named


def survey() -> dict[str, str]:
    """The survey's cures on small games, and its architectures."""
    games = of_budget("convergence", "default")

    def dirac(method, updates="simultaneous"):
        return f"{cells(games, 'distance', game='Dirac', method=method, updates=updates).iloc[0]:.2g}"

    def ring(method, updates="alternating"):
        return cells(games, "near a mode", game="ring", method=method, updates=updates)

    def modes(method, updates="alternating"):
        found = cells(games, "modes", game="ring", method=method, updates=updates)
        return ", ".join(str(int(n)) for n in found)

    def field(gamma, value):
        where = {"game": "survey field", "method": f"consensus, γ = {gamma}", "updates": "the saddle"}
        return cells(games, value, **where).iloc[0]

    named = {
        "dirac_none": dirac("none"),
        "dirac_noise": dirac("instance noise 1, annealed"),
        "dirac_r1": dirac("R1, γ = 1"),
        "dirac_wgan_gp": dirac("WGAN-GP, λ = 1"),
        "dirac_consensus": dirac("consensus, γ = 1"),
        "dirac_consensus_10": dirac("consensus, γ = 10 (too large) from (1, −1)"),
        "dirac_weight_norm": dirac("weight norm"),
        "saddle_06": f"{field(0.6, 'real part'):+.1f}",
        "saddle_15": f"{field(1.5, 'real part'):+.1f}",
        "ring_none": modes("none"),
        "ring_none_near": with_error(ring("none"), digits=2),
        "ring_noise": modes("instance noise 0.3, annealed"),
        "ring_noise_near": with_error(ring("instance noise 0.3, annealed"), digits=2),
        "ring_noise_less_none": paired(ring("instance noise 0.3, annealed") - ring("none"), 2),
        "ring_none_simultaneous": modes("none", "simultaneous"),
        "ring_weight_norm_simultaneous": modes("weight norm", "simultaneous"),
        "ring_r1_simultaneous": modes("R1, γ = 1", "simultaneous"),
        "ring_consensus_simultaneous": modes("consensus, γ = 10", "simultaneous"),
    }
    camera = cells(
        of_budget("translation", "default"), "taken for the target", what="plain → camera", weights="default"
    )
    as_is = cells(of_budget("translation", "default"), "untranslated", what="plain → camera", weights="default")
    shot = of_budget("zero_shot", "default")
    few = of_budget("transfer", "default")

    def unseen(method, value):
        return 100 * cells(shot, value, method=method)

    def recall(method, n=5):
        return 100 * cells(few, "mean recall", method=method, n_target=n)

    turned = " + augmentation"
    return named | {
        "camera_kept": with_error(100 * camera),
        "camera_as_is": with_error(100 * as_is),
        "dagan": with_error(recall("dagan, half copies")),
        "dagan_alone": with_error(recall("dagan")),
        "dagan_copies": with_error(recall("random")),
        "dagan_turned": with_error(recall(f"random{turned}")),
        "dagan_and_turned": with_error(recall(f"dagan, half copies{turned}")),
        "dagan_less_copies": paired(recall("dagan, half copies") - recall("random")),
        "dagan_less_turned": paired(recall("dagan, half copies") - recall(f"random{turned}")),
        "dagan_less_copies_turned": paired(recall(f"dagan, half copies{turned}") - recall(f"random{turned}")),
        "unseen_genclass": with_error(unseen("GenClass", "unseen among unseen")),
        "unseen_nearest": with_error(unseen("nearest attributes", "unseen among unseen")),
        "unseen_gain": paired(
            unseen("GenClass", "unseen among unseen") - unseen("nearest attributes", "unseen among unseen")
        ),
        "harmonic_genclass": with_error(unseen("GenClass", "harmonic mean")),
        "harmonic_nearest": with_error(unseen("nearest attributes", "harmonic mean")),
        "harmonic_gain": paired(unseen("GenClass", "harmonic mean") - unseen("nearest attributes", "harmonic mean")),
        **teaching(),
        **searched(),
        **seen_by_the_camera(),
        **unseen_clothes(),
    }


def searched() -> dict[str, str]:
    """Architectures chosen on generated rows, on real ones, at random and by long training."""
    results = of_budget("architecture_search", "default")

    def of(way, value="chosen"):
        return (100 if value == "chosen" else 1) * cells(results, value, way=way)

    ways = {
        "random": "random choice",
        "generated": "32 steps on generated rows",
        "real": "32 steps on real rows",
        "generated_8": "8 steps on generated rows",
        "real_8": "8 steps on real rows",
        "long": "long training of all",
    }
    named = {f"search_{short}": with_error(of(way)) for short, way in ways.items()}
    named |= {f"search_{short}_gain": paired(of(way) - of(ways["random"])) for short, way in ways.items()}
    for short, way in ways.items():
        named[f"search_{short}_seconds"] = f"{of(way, 'seconds of the choice').mean():.0f}"
    return named | {
        "search_teacher_seconds": f"{of(ways['generated'], 'seconds of the teacher').mean():.0f}",
        "search_generated_less_real": paired(of(ways["generated"]) - of(ways["real"])),
        "search_generated_8_less_real": paired(of(ways["generated_8"]) - of(ways["real_8"])),
    }


def seen_by_the_camera() -> dict[str, str]:
    """A classifier for another camera, whose rows have no labels."""
    results = of_budget("translation_classifier", "default")
    turned = " + crop, rotation"

    def of(rows):
        return 100 * cells(results, "accuracy", rows=rows)

    return {
        "seen_plain": with_error(of("plain")),
        "seen_turned": with_error(of(f"plain{turned}")),
        "seen_translated": with_error(of("translated")),
        "seen_both": with_error(of("plain + translated")),
        "seen_both_turned": with_error(of(f"plain + translated{turned}")),
        "seen_own": with_error(of("camera rows with labels")),
        "seen_translated_less_turned": paired(of("translated") - of(f"plain{turned}")),
        "seen_both_less_turned": paired(of("plain + translated") - of(f"plain{turned}")),
        "seen_both_turned_less_turned": paired(of(f"plain + translated{turned}") - of(f"plain{turned}")),
    }


def unseen_clothes() -> dict[str, str]:
    """GenClass at 28 px."""
    results = of_budget("zero_shot_28", "default")
    named = {}
    for short, value in (("unseen", "unseen among unseen"), ("harmonic", "harmonic mean")):
        ours, nearest = (100 * cells(results, value, method=method) for method in ("GenClass", "nearest attributes"))
        named |= {
            f"clothes_{short}_genclass": with_error(ours),
            f"clothes_{short}_nearest": with_error(nearest),
            f"clothes_{short}_gain": paired(ours - nearest),
        }
    return named


def teaching() -> dict[str, str]:
    """A learner on generated rows and on real ones, and architectures ranked by both."""
    results = of_budget("teaching", "default")

    def of(rows, value):
        return (1 if value == "rank correlation" else 100) * cells(results, value, rows=rows)

    named = {}
    for short, column in (("1", "1 steps"), ("32", "32 steps"), ("64", "64 steps"), ("best", "best architecture")):
        named |= {
            f"gtn_{short}": with_error(of("generated", column)),
            f"gtn_real_{short}": with_error(of("real", column)),
            f"gtn_gain_{short}": paired(of("generated", column) - of("real", column)),
        }
    ranks = {rows: with_error(of(rows, "rank correlation"), digits=2) for rows in ("generated", "real")}
    return named | {"gtn_rank": ranks["generated"], "gtn_real_rank": ranks["real"]}


def imbalance() -> dict[str, str]:
    """The imbalance report's experiment, and the families of nets that it lists."""
    results = of_budget("missing_class", "default")

    def of(method, level, value="recall"):
        return with_error(100 * cells(results, value, method=method, level=level))

    def less(method, base):
        more, free = (
            100 * cells(results, "recall", method=name, level=99 if name.startswith("nothing") else 10)
            for name in (method, base)
        )
        return paired(more - free)

    turned = " + crop, rotation"
    named = {
        "rare_nothing": of("nothing", 99),
        "rare_nothing_accuracy": of("nothing", 99, "accuracy"),
        "rare_turned": of(f"nothing{turned}", 99),
        "rare_turned_accuracy": of(f"nothing{turned}", 99, "accuracy"),
        "rare_weights": of("class weights", 99),
        "rare_weights_turned": of(f"class weights{turned}", 99),
        "rare_corrected": of("nothing, corrected", 99),
        "rare_corrected_turned": of(f"nothing, corrected{turned}", 99),
        "rare_corrected_turned_accuracy": of(f"nothing, corrected{turned}", 99, "accuracy"),
        "rare_wgan": ", ".join(of("wgan_gp", level) for level in (90, 45, 10)),
        "rare_wgan_accuracy": ", ".join(of("wgan_gp", level, "accuracy") for level in (90, 45, 10)),
        "rare_wgan_10": of("wgan_gp", 10),
        "rare_wgan_turned": of(f"wgan_gp{turned}", 10),
        "rare_copies": of("random", 10),
        "rare_copies_turned": of(f"random{turned}", 10),
        "rare_dcgan": of("dcgan", 10),
        "rare_offspring": of("offspring", 10),
        "rare_vae": of("vae", 10),
        "rare_smote": of("SMOTE", 10),
        "rare_offspring_turned": of(f"offspring{turned}", 10),
        "rare_offspring_accuracy": of("offspring", 10, "accuracy"),
        "rare_corrected_accuracy": of("nothing, corrected", 99, "accuracy"),
        "rare_wgan_less_turned_only": less("wgan_gp", f"nothing{turned}"),
        "rare_wgan_less_copies": less("wgan_gp", "random"),
        "rare_wgan_less_corrected": less("wgan_gp", "nothing, corrected"),
        "rare_wgan_turned_less_wgan": less(f"wgan_gp{turned}", "wgan_gp"),
        "rare_wgan_turned_less_corrected": less(f"wgan_gp{turned}", f"nothing, corrected{turned}"),
        "rare_offspring_less_copies": less("offspring", "random"),
        "rare_offspring_less_corrected": less("offspring", "nothing, corrected"),
        "rare_offspring_turned_less_copies": less(f"offspring{turned}", f"random{turned}"),
        "rare_offspring_turned_less_corrected": less(f"offspring{turned}", f"nothing, corrected{turned}"),
    }
    fives = of_budget("missing_fives", "default")

    def five(method, level=10, value="recall"):
        return 100 * cells(fives, value, method=method, level=level)

    nets = {
        "wgan": "wgan_gp",
        "wgan_alone": "wgan_gp, alone",
        "gan_alone": "gan, alone",
        "dcgan": "dcgan",
        "vae": "vae",
        "autoencoder": "autoencoder",
        "offspring": "offspring",
        "copies": "random",
        "smote": "SMOTE",
    }
    turned_only, free = five(f"nothing{turned}", 99), five("nothing, corrected", 99)
    named |= {
        "five_nothing": with_error(five("nothing", 99)),
        "five_nothing_accuracy": with_error(five("nothing", 99, "accuracy")),
        "five_corrected": with_error(free),
        "five_corrected_accuracy": with_error(five("nothing, corrected", 99, "accuracy")),
        "five_corrected_turned": with_error(five(f"nothing, corrected{turned}", 99)),
        "five_corrected_turned_accuracy": with_error(five(f"nothing, corrected{turned}", 99, "accuracy")),
        "five_weights": with_error(five("class weights", 99)),
        "five_weights_turned": with_error(five(f"class weights{turned}", 99)),
        "five_offspring_turned_less_corrected": paired(
            five(f"offspring{turned}") - five(f"nothing, corrected{turned}", 99)
        ),
        "five_wgan_turned_less_copies": paired(five(f"wgan_gp{turned}") - five(f"random{turned}")),
        "five_turned": with_error(turned_only),
    }
    for short, method in nets.items():
        named |= {
            f"five_{short}": with_error(five(method)),
            f"five_{short}_90": with_error(five(method, 90)),
            f"five_{short}_turned": with_error(five(f"{method}{turned}")),
            f"five_{short}_less_turned_only": paired(five(method) - turned_only),
            f"five_{short}_less_corrected": paired(five(method) - free),
            f"five_{short}_less_copies": paired(five(method) - five("random")),
        }
    large = of_budget("progan_64", "default").set_index("net")
    for net in ("progan", "dcgan"):
        named[f"large_{net}_taught"] = f"{100 * large.loc[net, 'train on synthetic']:.1f}"
        named[f"large_{net}_spread"] = f"{large.loc[net, 'spread']:.2f}"
    cheaper = of_budget("families_cheaper", "default")
    for family in ("wgan_gp", "progan"):
        taught = cells(cheaper, "train on synthetic", family=family, **{"penalties and fakes": "saved"})
        named[f"taught_{family}_saved"] = with_error(100 * taught)
    families = of_budget("families", "default")
    for family in families["family"].unique():
        named[f"taught_{family}"] = with_error(100 * cells(families, "train on synthetic", family=family))
    losses = of_budget("critic_loss", "default")
    for short, net in (("wgan", "wgan_gp"), ("bce", "cross-entropy"), ("bce_r1", "cross-entropy, R1")):
        found = cells(losses, "rank correlation", net=net)
        named[f"loss_{short}"] = ", ".join(f"{value:+.2f}" for value in found)
    return named


def five_reports() -> dict[str, str]:
    """docs/reports.md, and a page for each report in docs/reports: file below docs → text."""
    named = mixing_ratio() | galaxies() | photographs() | animals() | survey() | imbalance()
    top, *sections = re.split(r"^## ", TEMPLATE.read_text().format_map(named), flags=re.MULTILINE)
    return {"reports.md": top.rstrip() + "\n"} | {
        f"reports/{section.split()[0].lower()}.md": f"# {section.replace('](results.md', '](../results.md').rstrip()}\n"
        for section in sections
    }
