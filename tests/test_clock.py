"""The clock: which day it is, in UTC, wherever the machine stands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelex_cogt.config import clock
from tests.conftest import TODAY


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_a_day_begins_at_the_same_time_everywhere(zone: str) -> None:
    code = (
        "from datetime import UTC, datetime\n"
        "from pipelex_cogt.config.clock import today\n"
        "before, day, after = datetime.now(tz=UTC).date(), today(), datetime.now(tz=UTC).date()\n"
        "assert before <= day <= after"
    )
    environ = {"TZ": zone, "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)


def test_tests_run_on_one_day() -> None:
    assert clock.today() == TODAY
