"""Many inputs with a fresh seed: ``PYTHONPATH=tests python -m fuzz``. Each distinct failure is shrunk and printed once.

The state is kept in ``.fuzz/state.json``, so that a run that was stopped goes on; a finished one is followed by a new seed.
"""

import argparse
import json
import secrets
import sys
import time
from pathlib import Path

import torch
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from .inputs import Case, cases
from .promises import BrokenPromiseError, check

STATE = Path(".fuzz/state.json")
CHUNK = 100


def run_chunk(number: int, known: set[tuple[str, ...]]) -> list[tuple[tuple[str, ...], str]]:
    """Cause and shrunk case of every failure in so many inputs that is not known yet."""
    found: list[tuple[tuple[str, ...], str]] = []

    def attempt(fresh: set[tuple[str, ...]]) -> tuple[tuple[str, ...], str] | None:
        last: list[tuple[tuple[str, ...], str]] = []

        @seed(number)
        @settings(
            max_examples=CHUNK,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.shrink),
        )
        @given(cases())
        def some(case: Case) -> None:
            try:
                check(case)
            except Exception as error:
                key = error.key if isinstance(error, BrokenPromiseError) else (type(error).__name__, str(error)[:90])
                if key in fresh or (last and last[0][0] != key):
                    return
                last[:] = [(key, repr(case))]
                raise

        try:
            some()
        except Exception:
            if not last:
                raise  # not in the case: in making one
            return last[0]
        return None

    known = set(known)
    while (failure := attempt(known)) is not None:
        found.append(failure)
        known.add(failure[0])
    return found


def main() -> int:
    """Run, or go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="of a new run (default: a fresh one)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    state = json.loads(STATE.read_text()) if STATE.exists() else {"done": arguments.inputs}
    if state["done"] >= arguments.inputs or arguments.seed not in (None, state.get("seed")):
        state = {
            "seed": secrets.randbelow(2**31) if arguments.seed is None else arguments.seed,
            "done": 0,
            "failures": [],
        }
    begin, first = time.perf_counter(), state["done"]
    print(f"Seed {state['seed']}, from input {first} of {arguments.inputs}")
    while state["done"] < arguments.inputs:
        known = {tuple(failure["cause"]) for failure in state["failures"]}
        for cause, case in run_chunk(state["seed"] + state["done"], known):
            state["failures"].append({"cause": cause, "case": case})
            print(f"\n{' '.join(cause)}\n    {case}", flush=True)
        state["done"] += CHUNK
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(state, indent=1))
        seconds = (time.perf_counter() - begin) / (state["done"] - first) * (arguments.inputs - state["done"])
        print(f"\r{state['done']} inputs, {len(state['failures'])} failures, {seconds / 60:.0f} minutes left", end="")
    print()
    return 1 if state["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
