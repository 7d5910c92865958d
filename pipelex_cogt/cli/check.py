"""`pipelex-cogt check`: the problems and warnings of every environment, for people, programs and pull requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.cli.layout import Page, print_data
from pipelex_cogt.cli.pieces import Piece, as_data, bad, counted, doubtful, good, listed, strong
from pipelex_cogt.cli.words import OutputFormat
from pipelex_cogt.config.directories import Directories, find_directories
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.main_files import ENVIRONMENT_VARIABLE, choose_environment, read_main_files
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Problem, SettingsError, Severity
from pipelex_cogt.models.model_manager import ModelManager
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from pipelex_cogt.visible import visible

Findings: TypeAlias = Mapping[Problem, tuple[str, ...]]
"""Every problem with the environments that have it."""

WORKSPACE_VARIABLE = "GITHUB_WORKSPACE"
"""Where a GitHub runner keeps the repository: annotations name files from there."""
# What a workflow command takes for its own marks, in its message and in its properties.
_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_MESSAGE | str.maketrans({",": "%2C", ":": "%3A"})


class Checked(NamedTuple):
    """What was checked, and what was found.

    Attributes:
        application: The application's settings directory, or None where none was found.
        looked_in: The folders in which it was looked for, nearest first; none where it is named.
        environments: The environments that were loaded; none where nothing could be.
        findings: Every problem with the environments that have it, in file and line order.
    """

    application: Path | None
    looked_in: tuple[Path, ...]
    environments: tuple[str, ...]
    findings: Findings

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(problem.severity is severity for problem in self.findings)


def check_settings(settings_dir: Path | None, env: str | None, *, checks_credentials: bool = False) -> Checked:
    """Load one environment, or every one that exists; missing credentials are told where that is asked for."""
    try:
        directories, declared, wrong_choice = _look_around(settings_dir)
    except SettingsError as error:
        return Checked(None, (), (), dict.fromkeys((*error.problems, *error.warnings), ()))
    environments = (env,) if env else declared
    # The variable chooses nothing here, and yet the application's load will fail on it.
    found: dict[Problem, tuple[str, ...]] = dict.fromkeys(() if env else wrong_choice, ())
    for environment in environments:
        for problem in _problems_of(settings_dir, environment, checks_credentials=checks_credentials):
            found[problem] = (*found.get(problem, ()), environment)
    findings = dict(sorted(found.items(), key=lambda item: (item[0].file or "", item[0].line or 0)))
    loaded = tuple(filter(declared.__contains__, environments))
    return Checked(directories.application, directories.looked_in, loaded, findings)


def exit_status(checked: Checked, *, strict: bool) -> int:
    """0 when clean, 1 with errors; `strict` counts warnings too."""
    return int(any(strict or problem.severity is Severity.ERROR for problem in checked.findings))


def print_checked(checked: Checked, output_format: OutputFormat, page: Page) -> None:
    """Print what was checked and found for people, as JSON, or as annotations of a pull request."""
    _FORMATS[output_format](checked, page)


def _look_around(settings_dir: Path | None) -> tuple[Directories, tuple[str, ...], tuple[Problem, ...]]:
    """The directories that a load finds, every environment declared in them, and a wrong choice of one."""
    report = ProblemReport()
    directories, environ = find_directories(settings_dir, Environ.of_process(), report)
    main = read_main_files(directories, SETTINGS_SCHEMA, report)
    try:
        choose_environment(None, environ.get(ENVIRONMENT_VARIABLE), main, ProblemReport())
    except SettingsError as error:
        return directories, main.environments(), error.problems
    return directories, main.environments(), ()


def _problems_of(settings_dir: Path | None, environment: str, *, checks_credentials: bool) -> tuple[Problem, ...]:
    try:
        return ModelManager.load(settings_dir, environment, checks_credentials=checks_credentials).warnings
    except SettingsError as error:
        return (*error.problems, *error.warnings)


# For people


def _print_text(checked: Checked, page: Page) -> None:
    _print_subject(checked, page)
    for problem, environments in checked.findings.items():
        page.line(*_finding(problem), *_within(environments))
    _print_count(checked, page)


def _print_subject(checked: Checked, page: Page) -> None:
    """Print which directory was checked, and in which environments."""
    if not checked.environments:
        page.line(bad("nothing was checked"))
        return
    subject = ["checked", strong(checked.application)]
    if checked.application is None:
        folders = listed(map(doubtful, checked.looked_in), end=";")
        subject = [doubtful("no application settings found in"), *folders, doubtful("packaged catalogue only")]
    page.flow([*subject, "in", *listed(checked.environments)], hang=2)


def _within(environments: tuple[str, ...]) -> list[str]:
    """The environments that have a finding, for the end of its line."""
    return [f" [{', '.join(environments)}]"] if environments else []


def _finding(problem: Problem) -> tuple[Piece, ...]:
    """A finding that editors and terminals make a link of: `settings/settings.toml:6: error: …`."""
    severity = bad if problem.severity is Severity.ERROR else doubtful
    subject = (_where(problem) or "settings", problem.path)
    place, *path = (Piece(f"{each}:") for each in subject if each)
    return place, severity(f"{problem.severity}:"), *path, Piece(problem.message)


def _where(problem: Problem) -> str:
    """The file and line of a problem, as editors write them; empty where it has none."""
    return ":".join(map(str, filter(None, (problem.file, problem.line))))


def _print_count(checked: Checked, page: Page) -> None:
    errors, warnings = map(checked.count, Severity)
    text = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    page.line(bad(text) if errors else doubtful(text) if warnings else good(text))


# For programs


def describe_checked(checked: Checked) -> dict[str, Any]:
    """What was checked and found, as data that JSON can hold."""
    findings = [{**asdict(problem), "environments": found_in} for problem, found_in in checked.findings.items()]
    subject: dict[str, Any] = {"application": checked.application}
    if checked.application is None:
        subject["looked_in"] = checked.looked_in
    return {**subject, "environments": checked.environments, "findings": findings}


def _print_json(checked: Checked, _page: Page) -> None:
    print_data(as_data(describe_checked(checked)))


# For pull requests


def _print_github(checked: Checked, page: Page) -> None:
    workspace = Environ.of_process().get(WORKSPACE_VARIABLE)
    _print_subject(checked, page)
    for problem, environments in checked.findings.items():
        page.command(_annotation(problem, environments, workspace))
    _print_count(checked, page)


def _annotation(problem: Problem, environments: tuple[str, ...], workspace: str | None) -> str:
    # The file stays as it is, to the letter, for the runner looks for it.
    place = {"file": problem.file, "line": problem.line, "title": visible(problem.path or "settings")}
    message = "".join([problem.message, *_within(environments)])
    if problem.file is None or not os.path.lexists(problem.file):
        # A variable, an argument or a packaged file: nothing that an annotation can point at.
        del place["file"], place["line"]
        message = ": ".join(filter(None, (_where(problem), message)))
    elif workspace:
        place["file"] = _from_workspace(problem.file, workspace)
    properties = ",".join(f"{key}={str(value).translate(_IN_PROPERTY)}" for key, value in place.items() if value)
    return f"::{problem.severity} {properties}::{visible(message).translate(_IN_MESSAGE)}"


def _from_workspace(file: str, workspace: str) -> str:
    """A file's path from the workspace, with slashes; as it is where the file lies elsewhere."""
    # The folders are resolved, for a runner may name its workspace by a link; the file's own name is kept.
    folder, name = os.path.split(os.path.abspath(file))
    path = Path(folder).resolve() / name
    root = Path(workspace).resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


_FORMATS: Mapping[OutputFormat, Callable[[Checked, Page], None]] = {
    OutputFormat.TEXT: _print_text,
    OutputFormat.JSON: _print_json,
    OutputFormat.GITHUB: _print_github,
}
