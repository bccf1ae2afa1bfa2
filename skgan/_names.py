"""Names of the presets, where a command or a message needs them without the nets."""

import difflib

PRESETS = (
    *("autoencoder", "cyclegan", "dagan", "dcgan", "flow", "gaussian", "genclass", "gtn", "mlp_gan"),
    *("offspring", "photo_gan", "predictor_gan", "predictor_mlp_gan", "progan", "relativistic_gan", "vae", "vae_gan"),
    "wgan_gp",
)


def no_preset(name: str) -> str:
    """What is said of an unknown name: the list and the nearest match."""
    near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"net={name!r} is no preset; there are {', '.join(map(repr, PRESETS))} and 'auto'.{hint}"
