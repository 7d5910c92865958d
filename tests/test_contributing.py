"""CONTRIBUTING says what is there: every gate of `.ci/run`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
GATES = re.findall(r"^gates=\((.*)\)$", SCRIPT, re.MULTILINE)[0].split()


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_is_in_its_table(gate: str) -> None:
    names = {name for row in re.findall(r"^\| (`.*?) \|", CONTRIBUTING, re.MULTILINE) for name in row.split(", ")}
    assert f"`{gate}`" in names
