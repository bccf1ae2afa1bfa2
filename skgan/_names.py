"""Names of presets and scores, for commands and messages that need them without an import of nets and scikit-learn; and names
as matplotlib takes them."""

import difflib

PRESETS = (
    *("autoencoder", "cyclegan", "dagan", "dcgan", "flow", "gaussian", "genclass", "gtn", "mlp_gan"),
    *("offspring", "photo_gan", "predictor_gan", "predictor_mlp_gan", "progan", "relativistic_gan", "vae", "vae_gan"),
    "wgan_gp",
)
SCORES_OF = (1, 9)
"""The version of scikit-learn that has these scores; a later one may have more."""
SCORES = (
    *("accuracy", "adjusted_mutual_info_score", "adjusted_rand_score", "average_precision", "balanced_accuracy"),
    *("completeness_score", "d2_absolute_error_score", "d2_brier_score", "d2_log_loss_score", "explained_variance"),
    *("f1", "f1_macro", "f1_micro", "f1_samples", "f1_weighted", "fowlkes_mallows_score", "homogeneity_score"),
    *("jaccard", "jaccard_macro", "jaccard_micro", "jaccard_samples", "jaccard_weighted", "matthews_corrcoef"),
    *("mutual_info_score", "neg_brier_score", "neg_log_loss", "neg_max_error", "neg_mean_absolute_error"),
    *("neg_mean_absolute_percentage_error", "neg_mean_gamma_deviance", "neg_mean_poisson_deviance"),
    *("neg_mean_squared_error", "neg_mean_squared_log_error", "neg_median_absolute_error"),
    *("neg_negative_likelihood_ratio", "neg_root_mean_squared_error", "neg_root_mean_squared_log_error"),
    *("normalized_mutual_info_score", "positive_likelihood_ratio", "precision", "precision_macro"),
    *("precision_micro", "precision_samples", "precision_weighted", "r2", "rand_score", "recall", "recall_macro"),
    *("recall_micro", "recall_samples", "recall_weighted", "roc_auc", "roc_auc_ovo", "roc_auc_ovo_weighted"),
    *("roc_auc_ovr", "roc_auc_ovr_weighted", "top_k_accuracy", "v_measure_score"),
)


def no_preset(name: str) -> str:
    """What is said of an unknown name: the list and the nearest match."""
    near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"net={name!r} is no preset; there are {', '.join(map(repr, PRESETS))} and 'auto'.{hint}"


def as_text(name: object) -> str:
    """A user's name for matplotlib, which would take what stands between two dollar signs for mathematics."""
    return str(name).replace("$", r"\$")
