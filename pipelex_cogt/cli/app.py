"""The commands of `pipelex-cogt`, and what they have in common: options, and how faults are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipelex_cogt.cli.check import OutputFormat, exit_status, find_problems, format_findings
from pipelex_cogt.cli.diff import diff_decks, print_differences
from pipelex_cogt.cli.env import find_variables, format_example, is_refused, print_variables
from pipelex_cogt.cli.explain import describe_explanation, print_explanation
from pipelex_cogt.cli.show import describe, print_description
from pipelex_cogt.errors import CogtError, SettingsError
from pipelex_cogt.models.model_manager import ModelManager

app = typer.Typer(
    help="Layered settings for applications with more than one LLM provider.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="A preset, alias, model, backend, or key path such as routing.active.")]
Env = Annotated[str | None, typer.Option("--env", help="The environment; else what PIPELEX_ENV says.")]
SettingsDir = Annotated[Path | None, typer.Option("--settings-dir", help="The application's settings directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]


def _command(fault_status: int = 1) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command that tells an error of this package by its message and an exit status."""
    return lambda function: app.command()(_faults_told(fault_status)(function))


@contextmanager
def _faults_told(status: int) -> Iterator[None]:
    """Turn an error of this package into its message and an exit status."""
    try:
        yield
    except CogtError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(status) from None


def _print(data: Any, render: Callable[[Any, Console], None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(data, indent=2, ensure_ascii=False, default=str))
    else:
        # Names and values are people's own: what looks like markup in them is text.
        render(data, Console(markup=False, highlight=False, emoji=False))


@_command()
def show(env: Env = None, settings_dir: SettingsDir = None, as_json: AsJson = False) -> None:
    """Print the settings in force: backends, models, aliases, presets and choices."""
    _print(_describe_in_force(settings_dir, env), print_description, as_json=as_json)


def _describe_in_force(settings_dir: Path | None, env: str | None) -> dict[str, Any]:
    """What is in force; where a load is refused only for missing credentials, what it would be with them."""
    try:
        return describe(ModelManager.load(settings_dir, env))
    except SettingsError as refusal:
        description = describe(ModelManager.load(settings_dir, env, checks_credentials=False))
        description["warnings"] += [f"a load is refused: {problem}" for problem in refusal.problems]
        return description


@_command()
def env(
    env: Env = None,
    settings_dir: SettingsDir = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only what is missing.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print the text of .env.example.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the variables that the settings reference, where, and whether they are set; never their values."""
    manager = ModelManager.load(settings_dir, env, checks_credentials=False)
    if example:
        print(format_example(manager), end="")
        return
    variables = find_variables(manager)
    shown = [variable._asdict() for variable in variables if variable.is_missing or not missing]
    _print(shown, print_variables, as_json=as_json)
    raise typer.Exit(is_refused(manager, variables))


@_command()
def explain(name: Name, env: Env = None, settings_dir: SettingsDir = None, as_json: AsJson = False) -> None:
    """Print why a name leads to its model, and where each value on the way was stated."""
    explanation = ModelManager.load(settings_dir, env, checks_credentials=False).explain(name)
    _print(describe_explanation(explanation), print_explanation, as_json=as_json)


@_command()
def check(
    env: Annotated[str | None, typer.Option("--env", help="One environment; else every one that exists.")] = None,
    settings_dir: SettingsDir = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 for warnings too.")] = False,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="How to write.")] = OutputFormat.TEXT,
) -> None:
    """Load every environment, and print problems and warnings by file. It needs no key and no network."""
    findings = find_problems(settings_dir, env)
    print(format_findings(findings, output_format))
    raise typer.Exit(exit_status(findings, strict=strict))


@_command(fault_status=2)
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="An environment; with --profile, a routing profile.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What to compare it with.")],
    profile: Annotated[bool, typer.Option("--profile", help="A and B are routing profiles.")] = False,
    env: Env = None,
    settings_dir: SettingsDir = None,
    as_json: AsJson = False,
) -> None:
    """Print what differs for a caller between two environments or profiles; status 0 equal, 1 different, 2 faulty."""
    differences = diff_decks((before, after), env, settings_dir, is_profile=profile)
    _print([*map(asdict, differences)], print_differences, as_json=as_json)
    raise typer.Exit(bool(differences))
