"""Sentences of the pages whose figures come from CSVs, for ``python benchmarks/report.py --check``."""

import re
from pathlib import Path

import pandas as pd
from figures import cells, mixing_ratio
from harness import largest, of_budget, with_error
from table_reports import PREDICTED, by_source, tidy

ROOT = Path(__file__).parent.parent
CLAIMS = (  # page, and what it says with a figure's name in braces
    ("README.md", "the default beats the best that costs nothing by {clothes_default} points"),
    ("docs/when_not.md", "by {digits_800} points, by {digits_4000} after 4,000 updates instead of 800"),
    ("docs/when_not.md", "they are {clothes_copies} points ahead of copies and {clothes_corrected} of the correction"),
    (
        "docs/when_not.md",
        "offspring are {clothes_4000} points ahead of class weights there, and {clothes_every} where copies balance",
    ),
    ("docs/when_not.md", "are {clothes_as_many} points ahead of the correction alone on clothes"),
    ("docs/when_not.md", "({digits_turned_800}; {digits_turned_4000} after 4,000 updates)"),
    ("docs/when_not.md", "offspring, which vary more, lose {clothes_turned} points to copies"),
    ("docs/when_not.md", "lose {clothes_every_turned} (after 4,000"),
    ("docs/when_not.md", "or {digits_every_turned} behind with augmentation"),
    ("docs/when_not.md", "that costs {clothes_alone} points against half copies"),
    (
        "docs/when_not.md",
        "copies to balance have {photo_copies} % and `GANOverSampler` {photo_default}, where the correction has",
    ),
    ("docs/when_not.md", "where the correction has {photo_corrected}."),
    ("docs/when_not.md", "lose {photo_offspring} points to the correction without them"),
    ("docs/when_not.md", "it loses {clothes_augmented} points after 800 updates, to the correction"),
    ("docs/when_not.md", "is {clothes_default} points ahead of the best free line, a logit-adjusted loss"),
    ("docs/when_not_tables.md", "where it is {tables_chosen} points ahead of SMOTE"),
    ("docs/when_not_tables.md", "tried on 13 others, where it is {tables_others} ahead"),
    ("docs/when_not.md", "half-way balance, corrected, is {embedded_half} ahead"),
    (
        "docs/when_not.md",
        "the correction alone has {embedded_corrected} % mean recall and SMOTE to balance {embedded_smote}",
    ),
    (
        "docs/photographs.md",
        "corrected probabilities alone have {clothes_plain} % mean recall there, with augmentation {clothes_with}",
    ),
    ("docs/photographs.md", "{photo_mixed} points after 4,000 updates on CIFAR-10's long tail, 3 seeds"),
    ("docs/photographs.md", "were {embedded_half} points ahead of the correction alone"),
    (
        "docs/when_not.md",
        "has an AUC of {leaks_default} % on rows of the default, {leaks_copies} on copies",
    ),
    ("docs/when_not.md", "the default has {leaks_rarest}. A Gaussian gives least away, {leaks_gaussian},"),
    ("docs/guide/amounts.md", "the second by {mnist_round_2_less_1} points"),
    (
        "docs/guide/amounts.md",
        "taught a classifier by themselves {filter_alone} % instead of {no_filter_alone}, beside real rows {filter_beside}",
    ),
)


def brief(values: pd.Series) -> str:
    """A mean ± standard error as prose has it: no sign, and no nought before the point."""
    values = values.dropna()
    return re.sub(r"\b0\.", ".", with_error(values * (1 if values.mean() > 0 else -1)))


def figures() -> dict[str, str]:
    """Every figure of the claims, by name."""
    named = mixing_ratio()
    tails, photos = largest("long_tail")[1], largest("photographs")[1]
    embedded = largest("embeddings")[1].fillna({"amount": ""})

    def tail(dataset, method, base, updates=800):
        of = [cells(tails, "mean recall", dataset=dataset, updates=updates, method=name) for name in (method, base)]
        return brief(100 * (of[0] - of[1]))

    every, default, turned = "copies, then ConditionalGANAugmenter", "offspring (the default)", " + augmentation"
    as_many, free = "as many offspring as real rows, prior-corrected", "prior-corrected nothing"
    named |= {
        "digits_800": tail("mnist", "GANOverSampler", free),
        "digits_4000": tail("mnist", default, free, 4000),
        "clothes_copies": tail("fashion", "GANOverSampler", "random"),
        "clothes_corrected": tail("fashion", "GANOverSampler", free),
        "clothes_4000": tail("fashion", default, "class weights", 4000),
        "clothes_every": tail("fashion", "offspring for every class", "class weights", 4000),
        "clothes_as_many": tail("fashion", as_many, free, 4000),
        "digits_turned_800": tail("mnist", f"GANOverSampler{turned}", f"random{turned}"),
        "digits_turned_4000": tail("mnist", f"{default}{turned}", f"random{turned}", 4000),
        "clothes_turned": tail("fashion", f"GANOverSampler{turned}", f"random{turned}"),
        "clothes_every_turned": tail("fashion", f"{every}{turned}", f"random{turned}"),
        "digits_every_turned": tail("mnist", f"{every}{turned}", f"GANOverSampler{turned}"),
        "clothes_alone": tail("fashion", "offspring only", "GANOverSampler"),
    }

    def photo(dataset, method, augmentation, rule, updates=800):
        keys = {"dataset": dataset, "method": method, "augmentation": augmentation, "network": "cnn_2conv"}
        return 100 * cells(photos, rule, updates=updates, **keys)

    corrected = photo("cifar10", "nothing", "augmented", "corrected", 4000)
    offspring = photo("cifar10", "offspring, half as many", "augmented", "corrected", 4000)
    plain, augmented = (photo("fashion", "nothing", how, "corrected") for how in ("as is", "augmented"))
    default_rows, adjusted = (
        photo("fashion", method, "as is", "predicted") for method in ("GANOverSampler", "logit-adjusted loss")
    )
    named |= {
        "photo_corrected": brief(corrected),
        "photo_copies": brief(photo("cifar10", "copies", "augmented", "predicted", 4000)),
        "photo_default": brief(photo("cifar10", "GANOverSampler", "augmented", "predicted", 4000)),
        "photo_offspring": brief(offspring - corrected),
        "photo_mixed": brief(photo("cifar10", "nothing", "mixed", "corrected", 4000) - corrected),
        "clothes_plain": brief(plain),
        "clothes_with": brief(augmented),
        "clothes_augmented": brief(augmented - plain),
        "clothes_default": brief(default_rows - adjusted),
    }

    def embedding(method, amount, rule):
        keys = {"ratio": 100, "classifier": "logistic regression", "method": method, "amount": amount}
        return 100 * cells(embedded, f"test {rule}", **keys)

    free_rows = embedding("nothing", "", "corrected")
    for name, results in (("chosen", of_budget("tables_select", "default")), ("others", largest("tables_report")[1])):
        wide = by_source(tidy(results), PREDICTED)
        named[f"tables_{name}"] = brief(100 * (wide["GANOverSampler"] - wide["SMOTE"]))
    filters = largest("filters")[1]

    def filtered(name, value):
        return brief(100 * cells(filters, value, net="conditional dcgan", row_filter=name))

    attacks = largest("privacy")[1].groupby(["method", "table"])[["GAN-Leaks", "GAN-Leaks, rarest class"]].mean()

    def leaks(method, value="GAN-Leaks"):
        return brief(100 * attacks.loc[method, value])

    return named | {
        "leaks_default": leaks("GANOverSampler()"),
        "leaks_rarest": leaks("GANOverSampler()", "GAN-Leaks, rarest class"),
        "leaks_copies": leaks("copies"),
        "leaks_smote": leaks("SMOTE"),
        "leaks_gaussian": leaks('net="gaussian"'),
        "embedded_corrected": f"{free_rows.mean():.1f}",
        "embedded_smote": f"{embedding('SMOTE', 'balance', 'as predicted').mean():.1f}",
        "embedded_half": brief(embedding("GANOverSampler()", "half", "corrected") - free_rows),
        "filter_alone": filtered("NeighbourFilter", "train on synthetic"),
        "no_filter_alone": filtered("none", "train on synthetic"),
        "filter_beside": f"{filtered('NeighbourFilter', 'mean recall')} and {filtered('none', 'mean recall')}",
    }


def untrue() -> list[str]:
    """A sentence for every claim that its page does not make with the CSVs' figures."""
    named = figures()
    found = []
    for page, claim in CLAIMS:
        should_be = claim.format_map(named)
        if " ".join(should_be.split()) not in " ".join((ROOT / page).read_text().split()):
            found.append(f"{page}: it should say: {should_be}")
    return found
