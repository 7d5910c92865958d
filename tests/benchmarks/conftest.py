"""Ratios: every benchmark notes its best time under a name, and the end of the run sets them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


@dataclass
class Measured:
    """What one run measured.

    Attributes:
        best: The least value by name: seconds, or bytes.
        ratios: What to print at the end: a title, two names, and the most the first may be of the second.
    """

    best: dict[str, float] = field(default_factory=dict)
    ratios: list[tuple[str, str, str, float]] = field(default_factory=list)

    def compare(self, title: str, name: str, floor: str, limit: float) -> None:
        self.ratios.append((title, name, floor, limit))

    def lines(self) -> Iterator[str]:
        for title, name, floor, limit in self.ratios:
            if name in self.best and floor in self.best:
                yield f"{self.best[name] / self.best[floor]:6.2f}x  (at most {limit:g}x)  {title}"


def run_benchmark(benchmark: Any, call: Callable[..., T], *arguments: Any, rounds: int) -> tuple[T, float]:
    """Run a call so many times, after a warm-up, and return its last result and its best time in seconds.

    What a round returns is let go before the next one begins, outside the time that is taken.
    """
    results: list[T] = []
    benchmark.pedantic(
        lambda: results.append(call(*arguments)), setup=results.clear, rounds=rounds, warmup_rounds=2, iterations=1
    )
    return results[0], benchmark.stats.stats.min


MEASURED = pytest.StashKey[Measured]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURED] = Measured()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    return pytestconfig.stash[MEASURED]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("ratios")
    for line in config.stash[MEASURED].lines():
        terminalreporter.write_line(line)
