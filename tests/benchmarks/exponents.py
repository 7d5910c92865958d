"""How time and memory grow with each dimension: `python -m tests.benchmarks.exponents [part of a name …]`.

Each size is loaded in a process of its own, with a limit of time and of memory. What a row tells is the least time of a
few, in seconds of the processor, without what a small tree of the same kind takes; its exponent is the slope of a line
through the logarithms, and the number behind it the standard error of that slope. The command fails where an exponent
passes its limit, or where settings with a fault in each are told later than three times what sound ones take to load.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from pipelex_cogt import SettingsError
from tests.benchmarks.dimensions import DIMENSIONS, Dimension, Tree

LIMIT = 1.25
"""The highest exponent: n log n has 1.12 from 1,250 to 10,000, and a machine that does other things adds a tenth."""
MOST_OF_CLEAN = 3.0
"""How often the time of a sound load telling as many faults may take."""
STEPS = (8, 4, 2, 1)
"""The sizes, as parts of the largest."""
SMALL = 2
"""The size whose time is no part of the growth."""
SECONDS = 10.0
"""The time of the processor after which a size is given up."""
BYTES = 3 << 30
LEAST_SECONDS = 0.02
"""What takes less at the largest size has no exponent that could be told from noise."""
LEAST_BYTES = 16 << 20
ROUNDS = 5
ENOUGH = 0.5
"""The seconds after which no further round begins."""


@dataclass
class Row:
    """The measures of one way to use one dimension.

    Attributes:
        dimension: Its name.
        what: What was measured.
        limit: The highest exponent.
        seconds: Time by size, without what does not grow.
        memory: Bytes by size.
        given_up: The size that took too long, or too much memory, with what it said; None where none did.
    """

    dimension: str
    what: str
    limit: float
    seconds: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    given_up: str | None = None

    @property
    def faults(self) -> Iterator[str]:
        """What passes its limit."""
        if self.given_up:
            yield self.given_up
        for name, values, least in (("time", self.seconds, LEAST_SECONDS), ("memory", self.memory, LEAST_BYTES)):
            exponent, _ = fit(values, least)
            if exponent > self.limit:
                yield f"{name} grows by {exponent:.2f}, at most {self.limit:g}"

    def __str__(self) -> str:
        times = [f"{self.seconds[size]:8.3f}" if size in self.seconds else f"{'-':>8}" for size in self._sizes]
        most = max(self.memory.values(), default=0) / (1 << 20)
        shown = f"{show(*fit(self.seconds, LEAST_SECONDS))}  {most:6.0f} MB {show(*fit(self.memory, LEAST_BYTES))}"
        told = "; ".join(self.faults)
        return f"{self.dimension:44} {self.what:9} {''.join(times)}  {shown}  {told and f'PASSED: {told}'}".rstrip()

    @property
    def _sizes(self) -> list[int]:
        return [DIMENSIONS[self.dimension].most // step for step in STEPS]


def fit(values: dict[int, float], least: float) -> tuple[float, float]:
    """The slope of least squares through the logarithms, and its standard error; nan where there is too little."""
    points = [(math.log(size), math.log(value)) for size, value in values.items() if value > 0]
    if len(points) < 2 or max(values.values()) < least:
        return math.nan, math.nan
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    wide = sum((x - middle_x) ** 2 for x, _ in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / wide
    rest = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in points)
    return slope, math.sqrt(rest / max(len(points) - 2, 1) / wide)


def show(exponent: float, error: float) -> str:
    return f"{'-':>11}" if math.isnan(exponent) else f"{exponent:5.2f} ±{error:4.2f}"


def measure(name: str, what: str, size: int) -> dict[str, float]:
    """Time and memory of one size, in this process."""
    dimension = DIMENSIONS[name]
    build = (dimension.faulty if what == "fault" else dimension.sound) or dimension.sound
    small, large = _use(dimension, what, build(SMALL)), _use(dimension, what, build(size))
    small()
    constant = best_of(small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = best_of(large)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": seconds - constant, "bytes": grown * 1024}


def _use(dimension: Dimension, what: str, tree: Tree) -> Callable[[], float]:
    """What is measured: it returns the seconds it took, without what comes before it."""
    directory = Path(tempfile.mkdtemp()) / "settings"
    tree.write(directory)
    if what == "load":
        return lambda: timed(lambda: tree.load(directory))
    if what == "fault":
        return lambda: timed(lambda: tell(tree, directory))
    if what == "warnings":
        return lambda: timed(lambda manager: manager.warnings, tree.load(directory))
    manager, ask = tree.load(directory), dimension.ask
    assert ask is not None
    return lambda: timed(ask, manager)


def tell(tree: Tree, directory: Path) -> object:
    """Load settings, and tell whatever is wrong with them."""
    try:
        return [*map(str, tree.load(directory).warnings)]
    except SettingsError as error:
        return str(error)


def timed(call: Callable[..., object], *arguments: Any) -> float:
    gc.collect()
    start = time.process_time()
    result = call(*arguments)
    seconds = time.process_time() - start
    del result
    return seconds


def best_of(use: Callable[[], float]) -> float:
    found: list[float] = []
    begun = time.process_time()
    while len(found) < ROUNDS and (not found or time.process_time() - begun < ENOUGH):
        found.append(use())
    return min(found)


def run(name: str, what: str, limit: float) -> Row:
    """Measure every size, each in a process of its own, up to the first that is given up."""
    row = Row(name, what, limit)
    for step in STEPS:
        size = DIMENSIONS[name].most // step
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.benchmarks.exponents", "--one", name, what, str(size)]
            done = _bounded(command, folder)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [""])[-1][:100]
            row.given_up = f"given up at {size:,}: {last or f'over {SECONDS:g} s'}"
            break
        measured = json.loads(done.stdout)
        row.seconds[size], row.memory[size] = measured["seconds"], measured["bytes"]
        if measured["seconds"] > SECONDS / 2:
            row.given_up = f"given up after {size:,}: {measured['seconds']:.1f} s" if step > 1 else None
            break
    return row


def _bounded(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS) + 1))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

    environ = {"PATH": "", "TMPDIR": folder, "PYTHONPATH": ":".join(filter(None, sys.path))}
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit, env=environ)


def rows_of(name: str) -> Iterator[Row]:
    dimension = DIMENSIONS[name]
    limit = LIMIT if dimension.limit is None else dimension.limit
    if dimension.ask:
        yield run(name, "ask", limit)
        return
    sound = run(name, "load", limit)
    yield sound
    yield run(name, "warnings", limit)
    if dimension.faulty:
        fault = run(name, "fault", limit)
        both = [size for size in fault.seconds if size in sound.seconds]
        if both:
            ratio = fault.seconds[both[-1]] / max(sound.seconds[both[-1]], LEAST_SECONDS)
            if ratio > MOST_OF_CLEAN:
                passed = f"{ratio:.1f} times a sound load of {both[-1]:,}, at most {MOST_OF_CLEAN:g}"
                fault.given_up = "; ".join(filter(None, [fault.given_up, passed]))
        yield fault


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of the names of dimensions; all where there is none")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes at once; 1 when unset")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "WHAT", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, what, size = options.one
        print(json.dumps(measure(name, what, int(size))))
        return 0
    print(f"{'dimension':44} {'what':9} {'seconds at n/8, n/4, n/2, n (10,000 where not said)':32}")
    wanted = [name for name in DIMENSIONS if not options.names or any(part in name for part in options.names)]
    passed: dict[str, None] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for row in chain.from_iterable(pool.map(lambda name: [*rows_of(name)], wanted)):
            print(row, flush=True)
            if any(row.faults):
                passed[f"{row.dimension} ({row.what})"] = None
    for each in passed:
        print(f"passed its limit: {each}")
    return min(len(passed), 1)


if __name__ == "__main__":
    sys.exit(main())
