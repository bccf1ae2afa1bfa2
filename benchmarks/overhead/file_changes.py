"""How often ``fit_resample`` enters each file of skgan, training itself aside.

    python benchmarks/overhead/file_changes.py

A table of 60 rows in two classes, one block of new rows. An entry is a call of a function of the file that comes from another
file of skgan, frames of libraries in between aside; the frames inside ``train_generator`` are left out.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

import skgan
from skgan import GANOverSampler
from skgan.presets import mlp_gan

ROOT = Path(skgan.__file__).parent
LIMIT = 8


def caller_in_skgan(frame) -> str:
    """The file of the nearest frame above that is skgan's, or nothing."""
    above = frame.f_back
    while above is not None and not above.f_code.co_filename.startswith(f"{ROOT}/"):
        above = above.f_back
    return "" if above is None else above.f_code.co_filename


def entries_and_calls(function, *arguments) -> tuple[Counter, int]:
    """Entries into each file of skgan, and the calls of its functions, while the function runs."""
    entries: Counter = Counter()
    calls, training = 0, None

    def profile(frame, event, _):
        nonlocal calls, training
        code = frame.f_code
        if training is not None:
            if frame is training and event == "return":
                training = None
        elif event == "call" and code.co_filename.startswith(f"{ROOT}/"):
            if code.co_name == "train_generator":
                training = frame
                return
            calls += 1
            if caller_in_skgan(frame) != code.co_filename:
                entries[str(Path(code.co_filename).relative_to(ROOT))] += 1

    sys.setprofile(profile)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return entries, calls


if __name__ == "__main__":
    X, y = np.random.RandomState(0).randn(60, 4), np.repeat([0, 1], [45, 15])
    GANOverSampler(net=mlp_gan(max_steps=2), random_state=0).fit_resample(X, y)  # what is imported late is imported now
    entries, calls = entries_and_calls(GANOverSampler(net=mlp_gan(max_steps=2), random_state=0).fit_resample, X, y)
    for file, n in entries.most_common():
        print(f"{n:4d}  {file}{f'  above {LIMIT}' if n > LIMIT else ''}")
    print(f"{entries.total()} entries into {len(entries)} files, {calls} calls")
