"""CONTRIBUTING says what is there: every gate of `.ci/run`, and the files that its map and its recipes name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
GATES = " ".join(re.findall(r"^gates\w*=\((.*)\)$", SCRIPT, re.MULTILINE)).split()
FOLDERS = re.findall(r"^\| `(pipelex_cogt/\w+/)` \| (.*) \|$", CONTRIBUTING, re.MULTILINE)
MODULES = sorted({f"{folder}{name}.py" for folder, what in FOLDERS for name in re.findall(r"`(\w+)`", what)})
PATHS = sorted(set(re.findall(r"`((?:pipelex_cogt|settings|tests)/[\w./]*)`", CONTRIBUTING)))


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_is_in_its_table(gate: str) -> None:
    names = {name for row in re.findall(r"^\| (`.*?) \|", CONTRIBUTING, re.MULTILINE) for name in row.split(", ")}
    assert f"`{gate}`" in names


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_map_exists(module: str) -> None:
    assert (ROOT / module).is_file()


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()
