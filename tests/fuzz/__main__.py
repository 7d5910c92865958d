"""Thirty minutes of whatever bytes lead further into the package: `python -m tests.fuzz [--minutes 30] [kind …]`.

It needs atheris, the extra `fuzz`: it mends inputs by what code they reach. What is found is told at the end, each
fault once, and fails the command; `python -m tests.fuzz --replay FILE` tells it again, of an input that was kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.inputs import KINDS, Finding, check

MOST_CRASHES = 10


def supervise(kinds: list[str], minutes: float) -> list[Finding]:
    """Fuzz in processes of their own until the time is over: what ends one is a finding too."""
    folder = Path(tempfile.mkdtemp(prefix="pipelex-cogt-fuzz-"))
    found, corpus = folder / "found", folder / "corpus"
    found.touch()
    end = time.monotonic() + minutes * 60
    crashes: list[Finding] = []
    while (left := int(end - time.monotonic())) > 0:
        command = [sys.executable, "-m", "tests.fuzz.one_process", str(folder), str(left), *kinds]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            crashes.append(Finding("?", f"the process ended: {done.stderr[-500:]}", str(folder), b""))
            if len(crashes) > MOST_CRASHES:
                break
    ran = len([*corpus.iterdir()])
    sys.stdout.write(f"{ran:,} inputs reached something new; they are kept in {folder}\n")
    lines = map(json.loads, found.read_text().splitlines())
    told = [Finding(each["kind"], each["what"], each["where"], bytes.fromhex(each["data"])) for each in lines]
    return [*told, *crashes]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; all where none is named", default=[*KINDS])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--replay", type=Path, help="an input that was kept, its first byte left out, of the one kind")
    options = parser.parse_args()
    if options.replay:
        finding = check(options.kinds[0], options.replay.read_bytes(), Path(tempfile.mkdtemp()))
        found = [finding] if finding else []
    else:
        found = supervise(options.kinds, options.minutes)
    for each in found:
        sys.stdout.write(f"{each}\n")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
