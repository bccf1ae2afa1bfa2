"""The command ``python benchmarks/overhead``."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)  # Python puts this folder there; the other modules are one above

from harness import main  # noqa: E402

from overhead.costs import BUDGETS, cells, measure, report  # noqa: E402

if __name__ == "__main__":
    main("overhead", BUDGETS, cells, measure, report)
