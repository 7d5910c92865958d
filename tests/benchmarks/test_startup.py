"""A new process to a ready deck on the shipped catalogue, against one that imports and parses the same.

Both run from bytecode, as installed packages do, also where the environment forbids Python to write any.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import pipelex_cogt
from pipelex_cogt.config.directories import packaged_settings_dir
from tests.benchmarks.conftest import Measured, run_benchmark

PEAK = """
from pathlib import Path
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
"""
PARSE = """
import tomllib, sys
from pathlib import Path
documents = [tomllib.loads(path.read_text()) for path in sorted(Path(sys.argv[1]).rglob("*.toml"))]
"""
PROGRAMS = {
    "lazy imports": f"import dynaconf, pydantic, dotenv\n{PARSE}{PEAK}",
    "imports": f"import dynaconf, dotenv\nfrom pydantic import BaseModel, Field, SecretStr\n{PARSE}{PEAK}",
    "deck": f"from pipelex_cogt import get_models_manager\nget_models_manager().get_llm_deck()\n{PEAK}",
}
TITLES = {
    "imports": "a ready deck : importing Dynaconf, Pydantic's BaseModel and python-dotenv, and parsing",
    "lazy imports": "a ready deck : the same with a bare `import pydantic`, which loads nothing yet",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_startup(benchmark: BenchmarkFixture, tmp_path: Path, measured: Measured, name: str) -> None:
    compileall.compile_dir(Path(pipelex_cogt.__file__).parent, quiet=1)
    command = [sys.executable, "-c", PROGRAMS[name], str(packaged_settings_dir())]
    peaks: list[int] = []

    def run() -> None:
        peaks.append(int(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout))

    benchmark.group = "new process"
    _, measured.values[name] = run_benchmark(benchmark, run, rounds=15)
    measured.values[f"{name} peak"] = peaks
    if name == "deck":
        for floor, title in TITLES.items():
            measured.compare(f"time, {title}", "deck", floor, 1.3)
            measured.compare(f"peak memory, {title}", "deck peak", f"{floor} peak", 1.3)
    assert peaks
