"""Ten minutes of property tests, with other examples in each round: `python -m tests.fuzz.properties [--minutes 10]`.

Whatever else is said goes to pytest, such as `tests/test_layers.py` for the properties of one file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    options, further = parser.parse_known_args()
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "hypothesis", "--no-header", *further]
    end = time.monotonic() + options.minutes * 60
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        # A seed of its own for each round, which pytest-randomly tells beside what fails.
        status = subprocess.run([*command, f"--hypothesis-seed={time.time_ns()}"], check=False).returncode
        if status:
            return status
    sys.stdout.write(f"{rounds} rounds found nothing\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
