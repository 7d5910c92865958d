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
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import NoReturn, TextIO, TypeAlias

from pipelex_cogt import ModelManager, SettingsError
from tests.benchmarks.dimensions import DIMENSIONS, Tree

LIMIT = 1.35
"""The highest exponent.

n log n has 1.12 from 1,250 to 10,000. What no cache of a processor holds any more costs more than before, which adds a
tenth to loads that do the same for each; and so does a machine that does other things.
"""
MOST_OF_CLEAN = 3.0
"""How often the time of a sound load telling as many faults may take."""
STEPS = (8, 4, 2, 1)
"""The sizes, as parts of the largest."""
SMALL = 2
"""The size whose time is no part of the growth."""
SECONDS = 8
"""The time of the processor after which a size is given up."""
BYTES = 3 << 30
LEAST_SECONDS = 0.05
"""What takes less at the largest size has no exponent that could be told from noise."""
LEAST_BYTES = 16 << 20
ROUNDS = 4
ENOUGH = 0.4
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
        ratio: How much longer than sound settings it took; None where that is no more than it may be.
    """

    dimension: str
    what: str
    limit: float
    seconds: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    given_up: str | None = None
    ratio: str | None = None

    @property
    def faults(self) -> Iterator[str]:
        """What passes its limit."""
        yield from filter(None, (self.given_up, self.ratio))
        for name, values, least in (("time", self.seconds, LEAST_SECONDS), ("memory", self.memory, LEAST_BYTES)):
            exponent, _ = fit(values, least)
            if exponent > self.limit:
                yield f"{name} grows by {exponent:.2f}, at most {self.limit:g}"

    def __str__(self) -> str:
        times = [f"{self.seconds[size]:8.3f}" if size in self.seconds else f"{'-':>8}" for size in self._sizes]
        most = max(self.memory.values(), default=0) / (1 << 20)
        shown = f"{show(*fit(self.seconds, LEAST_SECONDS))}  {most:6.0f} MB {show(*fit(self.memory, LEAST_BYTES))}"
        told = "; ".join(self.faults)
        return f"{self.dimension:44} {self.what:9} {''.join(times)}  {shown}  {told and f'OVER: {told}'}".rstrip()

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


def measure(name: str, variant: str, size: int) -> dict[str, tuple[float, float]]:
    """Seconds and bytes of one size of a dimension, by what was done, in this process."""
    small, large = _use(name, variant, SMALL), _use(name, variant, size)
    small()
    constant = best_of(small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = best_of(large)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {what: (seconds[what] - constant[what], grown) for what in seconds}


Use: TypeAlias = Callable[[], dict[str, float]]
"""Does what is measured; it returns the seconds that each took."""


def _use(name: str, variant: str, size: int) -> Use:
    dimension = DIMENSIONS[name]
    tree = (dimension.faulty or dimension.sound)(size) if variant == "fault" else dimension.sound(size)
    directory = Path(tempfile.mkdtemp()) / "settings"
    tree.write(directory)
    if dimension.ask:
        return partial(timed, ask=partial(dimension.ask, tree.load(directory)))
    if variant == "fault":
        return partial(timed, fault=partial(tell, tree, directory))
    return _load_and_warn(tree, directory)


def _load_and_warn(tree: Tree, directory: Path) -> Use:
    loaded: list[ModelManager] = []

    def load() -> None:
        loaded[:] = [tree.load(directory)]

    return partial(timed, load=load, warnings=lambda: loaded[0].warnings)


def tell(tree: Tree, directory: Path) -> object:
    """Load settings, and tell whatever is wrong with them."""
    try:
        return [*map(str, tree.load(directory).warnings)]
    except SettingsError as error:
        return str(error)


def timed(**calls: Callable[[], object]) -> dict[str, float]:
    """The seconds of the processor that each call takes, one after the other."""
    seconds: dict[str, float] = {}
    for what, call in calls.items():
        gc.collect()
        start = time.process_time()
        result = call()
        seconds[what] = time.process_time() - start
        del result
    return seconds


def best_of(use: Use) -> dict[str, float]:
    """The least seconds of a few rounds."""
    found: list[dict[str, float]] = []
    begun = time.process_time()
    while len(found) < ROUNDS and (not found or time.process_time() - begun < ENOUGH):
        found.append(use())
    return {what: min(each[what] for each in found) for what in found[0]}


def run(name: str, variant: str) -> dict[str, Row]:
    """Measure every size, each in a process of its own, up to the first that is given up."""
    limit = DIMENSIONS[name].limit or LIMIT
    whats = ["ask"] if DIMENSIONS[name].ask else ["fault"] if variant == "fault" else ["load", "warnings"]
    rows = {what: Row(name, what, limit) for what in whats}
    for step in STEPS:
        size = DIMENSIONS[name].most // step
        told = _in_own_process(name, variant, size)
        if isinstance(told, str):
            rows[whats[-1]].given_up = f"given up at {size:,}: {told}"
            break
        for what, (seconds, grown) in told.items():
            rows[what].seconds[size], rows[what].memory[size] = seconds, grown
    return rows


def _in_own_process(name: str, variant: str, size: int) -> dict[str, tuple[float, float]] | str:
    """What was measured, or what kept it from being so."""
    with tempfile.TemporaryDirectory() as folder, os.fdopen(os.memfd_create("measured"), "w+") as file:
        child = os.fork()
        if not child:
            _end_with(partial(_measure_within_limits, name, variant, size, folder), file)
        _, status = os.waitpid(child, 0)
        file.seek(0)
        told = file.read()
    if status:
        return told or (f"over {SECONDS} s" if os.WIFSIGNALED(status) else "it ended without a word")
    measured: dict[str, tuple[float, float]] = json.loads(told)
    return measured


def _measure_within_limits(name: str, variant: str, size: int, folder: str) -> dict[str, tuple[float, float]]:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    tempfile.tempdir = folder
    return measure(name, variant, size)


def _end_with(call: Callable[[], object], file: TextIO) -> NoReturn:
    """End this process, which was forked, with what a call returns or raises written to a file."""
    status = 1
    try:
        json.dump(call(), file)
        status = 0
    except BaseException as error:  # noqa: BLE001 -- because: whatever it is, the parent tells it
        file.write(f"{type(error).__name__} {str(error)[:100]}")
    finally:
        file.flush()
        os._exit(status)


def rows_of(name: str) -> list[Row]:
    """What is measured of one dimension."""
    rows = run(name, "sound")
    if DIMENSIONS[name].faulty:
        rows |= run(name, "fault")
        _compare(rows["fault"], rows["load"])
    return [*rows.values()]


def _compare(fault: Row, load: Row) -> None:
    """Note where telling faults takes too long, against a sound load of the largest size that both reached."""
    size = max(fault.seconds.keys() & load.seconds.keys(), default=0)
    if size:
        ratio = fault.seconds[size] / max(load.seconds[size], LEAST_SECONDS)
        fault.ratio = f"{ratio:.1f} times a sound load" if ratio > MOST_OF_CLEAN else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of the names of dimensions; all where there is none")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes at once; 1 when unset")
    options = parser.parse_args()
    print(f"{'dimension':44} {'what':9} {'seconds at n/8, n/4, n/2, n (10,000 where not said)':32}")
    wanted = [name for name in DIMENSIONS if not options.names or any(part in name for part in options.names)]
    over: dict[str, None] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for row in chain.from_iterable(pool.map(rows_of, wanted)):
            print(row, flush=True)
            if any(row.faults):
                over[f"{row.dimension} ({row.what})"] = None
    for each in over:
        print(f"over its limit: {each}")
    return min(len(over), 1)


if __name__ == "__main__":
    sys.exit(main())
