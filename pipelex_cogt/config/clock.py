"""The clock: the one place that asks which day it is."""

from __future__ import annotations

from datetime import UTC, date, datetime


def today() -> date:
    """Today's date, in UTC."""
    return datetime.now(tz=UTC).date()
