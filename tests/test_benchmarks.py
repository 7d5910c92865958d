"""What benchmarks tell is true: exponents are those of what was measured, and what is over a limit fails the run."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measured, spread_of
from tests.benchmarks.exponents import Row, fit

SIZES = (1_250, 2_500, 5_000, 10_000)
OVER = """
def test_two_values(measured):
    measured.values |= {"ours": [2.5, 2.3, 9.0], "floor": [1.0, 1.1, 1.2]}
    measured.compare("ours : the floor", "ours", "floor", LIMIT)
"""


@pytest.mark.parametrize(
    ("grows", "exponent"),
    [
        pytest.param(lambda size: size, 1, id="linear"),
        pytest.param(lambda size: size * math.log(size), 1.12, id="n log n"),
        pytest.param(lambda size: size**2, 2, id="square"),
        pytest.param(lambda _: 10_000, 0, id="constant"),
    ],
)
def test_an_exponent_is_that_of_the_values(grows: Callable[[int], float], exponent: float) -> None:
    found, error = fit({size: grows(size) for size in SIZES}, least=1)
    assert found == pytest.approx(exponent, abs=0.005)
    assert error < 0.01


@pytest.mark.parametrize("values", [{}, {10: 5.0}, {10: 0.01, 20: 0.02}])
def test_too_little_has_no_exponent(values: dict[int, float]) -> None:
    assert math.isnan(fit(values, least=1)[0])


def test_a_row_says_what_is_over() -> None:
    row = Row("models", "load", limit=1.35, seconds={size: (size / 1_000) ** 2 for size in SIZES})
    assert [*row.faults] == ["time grows by 2.00, at most 1.35"]
    row.given_up, row.seconds = "given up at 5,000: over 8 s", {}
    assert str(row).endswith("OVER: given up at 5,000: over 8 s")


def test_a_ratio_is_that_of_the_least_values() -> None:
    measured = Measured(values={"ours": [2.5, 2.3, 9.0], "floor": [1.0, 1.1, 1.2], "peer": [7.0]})
    measured.compare("ours : the floor", "ours", "floor", 1.7)
    measured.compare("ours : a peer", "ours", "peer")
    measured.compare("ours : nobody", "ours", "nobody", 1)
    over, peer = measured.known
    assert over.is_over(measured)
    assert over.line(measured).split() == [
        *("2.30x", "(at", "most", "1.7x)", "median", "2.27x", "ours", ":", "the", "floor", "OVER"),
        *("2.3", "[2.4", "2.5", "5.75]", "9", ":", "1", "[1.05", "1.1", "1.15]", "1.2"),
    ]
    assert not peer.is_over(measured)
    assert spread_of([7.0]) == "7 [7 7 7] 7"


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "status"), [("2.4", 0), ("1.7", 1)])
def test_a_run_fails_where_a_ratio_is_over(tmp_path: Path, limit: str, status: int) -> None:
    (tmp_path / "test_two.py").write_text(OVER.replace("LIMIT", limit))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.benchmarks.conftest", str(tmp_path / "test_two.py")]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert (done.returncode, "OVER" in done.stdout) == (status, bool(status)), done.stdout
