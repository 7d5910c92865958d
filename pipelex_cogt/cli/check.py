"""`pipelex-cogt check`: the problems and warnings of every environment, for people, programs and pull requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby, starmap
from pathlib import Path
from typing import TypeAlias

from pipelex_cogt.config.directories import find_directories
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.main_files import read_main_files
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Problem, SettingsError, Severity
from pipelex_cogt.models.model_manager import ModelManager

Findings: TypeAlias = Mapping[Problem, tuple[str, ...]]
"""Every problem with the environments that have it."""

# What a workflow command takes for its own marks, in its message and in its properties.
_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_MESSAGE | str.maketrans({",": "%2C", ":": "%3A"})


class OutputFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def find_problems(settings_dir: Path | None, env: str | None) -> Findings:
    """Load one environment, or every one that exists, without asking for credentials.

    Raises:
        SettingsError: The settings directory cannot be found.
    """
    found: dict[Problem, tuple[str, ...]] = {}
    for environment in [env] if env else _environments(settings_dir):
        for problem in _problems_of(settings_dir, environment):
            found[problem] = (*found.get(problem, ()), environment)
    return dict(sorted(found.items(), key=lambda item: (item[0].file or "", item[0].line or 0)))


def exit_status(findings: Findings, *, strict: bool) -> int:
    """0 when clean, 1 with errors; `strict` counts warnings too."""
    return int(any(strict or problem.severity is Severity.ERROR for problem in findings))


def format_findings(findings: Findings, output_format: OutputFormat) -> str:
    """Write findings for people, as JSON, or as annotations of a pull request."""
    formats = {OutputFormat.TEXT: _format_text, OutputFormat.JSON: _format_json, OutputFormat.GITHUB: _format_github}
    return formats[output_format](findings)


def _environments(settings_dir: Path | None) -> Iterable[str]:
    report = ProblemReport()
    directories, _ = find_directories(settings_dir, Environ.of_process(), report)
    return read_main_files(directories, report).environments()


def _problems_of(settings_dir: Path | None, environment: str) -> tuple[Problem, ...]:
    try:
        return ModelManager.load(settings_dir, environment, checks_credentials=False).warnings
    except SettingsError as error:
        return (*error.problems, *error.warnings)


def _format_text(findings: Findings) -> str:
    lines: list[str] = []
    # The findings come sorted by file.
    for file, problems in groupby(findings, key=lambda problem: problem.file):
        lines.append(file or "settings")
        lines += (f"  {_text(problem)}  [{', '.join(findings[problem])}]" for problem in problems)
    errors = sum(problem.severity is Severity.ERROR for problem in findings)
    return "\n".join([*lines, f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}"])


def _text(problem: Problem) -> str:
    line = f"line {problem.line}  " if problem.line else ""
    text = ": ".join(filter(None, (problem.path, problem.message)))
    return f"{problem.severity}: {line}{text}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _format_json(findings: Findings) -> str:
    data = [{**asdict(problem), "environments": environments} for problem, environments in findings.items()]
    return json.dumps(data, indent=2, ensure_ascii=False)


def _format_github(findings: Findings) -> str:
    return "\n".join(starmap(_annotation, findings.items()))


def _annotation(problem: Problem, environments: tuple[str, ...]) -> str:
    place = {"file": problem.file, "line": problem.line, "title": problem.path or "settings"}
    message = f"{problem.message} [{', '.join(environments)}]"
    if problem.file and problem.line is None and not problem.file.endswith((".toml", ".env")):
        # A variable, or an argument: nothing that an annotation can point at.
        message = f"{place.pop('file')}: {message}"
    properties = ",".join(f"{key}={str(value).translate(_IN_PROPERTY)}" for key, value in place.items() if value)
    return f"::{problem.severity} {properties}::{message.translate(_IN_MESSAGE)}"
