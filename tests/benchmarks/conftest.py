"""Ratios: every benchmark notes what it measured under a name, and the end of the run sets them side by side.

A ratio that is over its limit fails the run, for nobody reads a number behind a green line.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


@dataclass(frozen=True)
class Ratio:
    """How much of one measure another may take.

    Attributes:
        title: What is compared.
        name: What is measured.
        floor: What it is measured against.
        limit: The most it may be of that; None where it only stands beside it.
    """

    title: str
    name: str
    floor: str
    limit: float | None

    def line(self, measured: Measured) -> str:
        """The ratio of the least values and of those in the middle, its limit, and what both spread over."""
        of_middle = median(measured.values[self.name]) / median(measured.values[self.floor])
        limit = "" if self.limit is None else f"(at most {self.limit:g}x)"
        over = "  OVER" if self.is_over(measured) else ""
        spread = f"{spread_of(measured.values[self.name])} : {spread_of(measured.values[self.floor])}"
        return (
            f"{self.of_least(measured):6.2f}x {limit:16} median {of_middle:5.2f}x  {self.title}{over}\n{'':8}{spread}"
        )

    def of_least(self, measured: Measured) -> float:
        return min(measured.values[self.name]) / min(measured.values[self.floor])

    def is_over(self, measured: Measured) -> bool:
        return self.limit is not None and self.of_least(measured) > self.limit


@dataclass
class Measured:
    """What one run measured.

    Attributes:
        values: Every value by name: seconds, or bytes.
        ratios: What to print at the end.
    """

    values: dict[str, Sequence[float]] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)

    def compare(self, title: str, name: str, floor: str, limit: float | None = None) -> None:
        self.ratios.append(Ratio(title, name, floor, limit))

    @property
    def known(self) -> Iterator[Ratio]:
        """The ratios whose sides were both measured."""
        return (ratio for ratio in self.ratios if ratio.name in self.values and ratio.floor in self.values)


def spread_of(values: Sequence[float]) -> str:
    """The least value, the quartiles and the median, and the most."""
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return f"{min(values):.4g} [{low:.4g} {middle:.4g} {high:.4g}] {max(values):.4g}"


def run_benchmark(benchmark: Any, call: Callable[..., T], *arguments: Any, rounds: int) -> tuple[T, Sequence[float]]:
    """Run a call so many times, after a warm-up, and return its last result and its seconds.

    What a round returns is let go before the next one begins, and whatever is garbage by then is collected, outside
    the time that is taken: both sides of a ratio begin alike, and run under the collector as Python sets it.
    """
    results: list[T] = []

    def prepare() -> None:
        results.clear()
        gc.collect()

    assert gc.isenabled()
    benchmark.pedantic(
        lambda: results.append(call(*arguments)), setup=prepare, rounds=rounds, warmup_rounds=2, iterations=1
    )
    assert gc.isenabled()
    return results[0], benchmark.stats.stats.data


MEASURED = pytest.StashKey[Measured]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURED] = Measured()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    return pytestconfig.stash[MEASURED]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("ratios")
    measured = config.stash[MEASURED]
    for ratio in measured.known:
        terminalreporter.write_line(ratio.line(measured))


def pytest_sessionfinish(session: pytest.Session) -> None:
    measured = session.config.stash[MEASURED]
    if any(ratio.is_over(measured) for ratio in measured.known):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
