"""The README's application ends in a call, and its examples of calling and of costs run as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integrations.conftest import QUIET
from tests.integrations.server import Provider
from tests.test_readme import BLOCKS, README

PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
Run = Callable[[str], list[str]]
ANSWER = "It reflects no sea: blue light scatters most."

SHOW = "print(answer.choices[0].message.content)\n"


def section(title: str) -> str:
    """The first block of Python of a section."""
    _, _, text = README.partition(f"\n## {title}\n")
    found = PYTHON.search(text)
    assert found is not None
    return found[1]


@pytest.fixture
def run(tmp_path: Path, provider: Provider) -> Run:
    """Run Python in the README's application, with one key, where its backends are the loopback server."""
    provider.answer(ANSWER)
    for (role, name), text in BLOCKS.items():
        if role == "file":
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PIPELEX_")}
    environ |= QUIET | {
        "PIPELEX_COGT__BACKENDS__OPENAI__ENDPOINT": f"{provider.url}/v1",
        "PIPELEX_COGT__BACKENDS__ANTHROPIC__ENDPOINT": provider.url,
    }

    def run_script(script: str) -> list[str]:
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()[1:]

    return run_script


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        pytest.param("", [ANSWER], id="the call"),
        pytest.param(
            section("Calling") + "print(answer.choices[0].message.content)\n", [ANSWER, ANSWER], id="falling back"
        ),
        pytest.param(
            section("What a call costs") + "print(cost.total > 0, [row.calls for row in log.rows()])\n",
            [ANSWER, "True [1]"],
            id="costs",
        ),
    ],
)
def test_the_readmes_examples_run_as_printed(run: Run, script: str, printed: list[str]) -> None:
    assert run(BLOCKS["file", "app.py"] + BLOCKS["continue", "call"] + script) == printed
