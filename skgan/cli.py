"""The ``skgan`` command: ``skgan demo``, ``skgan compare``, ``skgan sample`` and ``skgan --version``."""

import argparse
import sys
from collections.abc import Sequence

from skgan._option_checks import check_options
from skgan._options import build_parser


def run(arguments: argparse.Namespace) -> None:
    """Import the command, which takes seconds, and run it."""
    if arguments.command == "demo":
        from skgan._demo_command import run_demo

        run_demo(arguments)
    elif arguments.command == "sample":
        from skgan._sample_command import run_sample

        run_sample(arguments)
    else:
        from skgan._compare_command import run_compare

        run_compare(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``skgan`` command."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        check_options(arguments)
        run(arguments)
    except (ValueError, OSError, ImportError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("\nInterrupted" + (": nothing was written." if arguments.command == "sample" else "."), file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
