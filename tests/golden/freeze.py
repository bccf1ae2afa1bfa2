"""Write the golden rows, or compare the tree with rows written before on the same machine, bit for bit.

    python tests/golden/freeze.py [--out FILE.npz]
    python tests/golden/freeze.py --compare FILE.npz

Rows may change only with a commit that says why; ``--only SITUATION …`` then freezes what changed and keeps the rest.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from golden_cases import SITUATIONS, cases, make

FROZEN = Path(__file__).parent / "rows.npz"


def frozen_rows(situations) -> dict[str, np.ndarray]:
    """``situation/preset/what`` → rows; of a refused combination an empty array under ``situation/preset``."""
    made: dict[str, np.ndarray] = {}
    for situation, name in cases():
        if situation not in situations:
            continue
        rows = make(situation, name)
        if rows is None:
            made[f"{situation}/{name}"] = np.empty(0, np.float32)
        else:
            made |= {f"{situation}/{name}/{what}": values for what, values in rows.items()}
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FROZEN)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--only", nargs="+", default=list(SITUATIONS), choices=list(SITUATIONS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    made = frozen_rows(arguments.only)
    path = arguments.compare or arguments.out
    before = dict(np.load(path)) if path.exists() else {}
    if arguments.compare is None:
        kept = {key: rows for key, rows in before.items() if key.split("/")[0] not in arguments.only}
        np.savez_compressed(arguments.out, **kept, **made)
        print(f"{len(made)} arrays frozen, {len(kept)} kept: {arguments.out}")
    else:
        expected = {key for key in before if key.split("/")[0] in arguments.only}
        differ = sorted(
            key
            for key in expected | made.keys()
            if key not in made or key not in before or not np.array_equal(before[key], made[key], equal_nan=True)
        )
        print("\n".join(differ) or "nothing differs", f"\n{len(differ)} of {len(expected | made.keys())} arrays differ")
        raise SystemExit(bool(differ))
