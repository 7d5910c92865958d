"""The commands of `pipelex-cogt`, and what they have in common: options, and how faults are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pipelex_cogt.cli.words import Listing, OutputFormat
from pipelex_cogt.errors import CogtError, SettingsError
from pipelex_cogt.models.catalogue_words import CatalogueKind, SourceName
from pipelex_cogt.visible import visible

# A command imports what it needs, for most of it needs Dynaconf and Pydantic: the help needs neither.
if TYPE_CHECKING:
    from pipelex_cogt.cli.layout import Page
    from pipelex_cogt.models.model_manager import ModelManager


class _Commands(TyperGroup):
    """The commands; what Typer says about a wrong argument shows the argument as everything else is shown."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options of the whole command line."""
        with _usage_shown():
            return super().make_context(*args, **kwargs)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Read the arguments of a command, and run it."""
        with _usage_shown():
            return super().invoke(*args, **kwargs)


@contextmanager
def _usage_shown() -> Iterator[None]:
    try:
        yield
    except _USAGE_ERRORS as error:
        error.message = visible(error.message)  # type: ignore[attr-defined]  # because: Typer hides the class
        raise


_USAGE_ERRORS: tuple[type[Exception], ...] = tuple(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "UsageError"
)
"""What Typer raises for a wrong argument; where the class stands depends on its version."""

app = typer.Typer(
    cls=_Commands,
    help="Layered settings for applications with more than one LLM provider.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"pipelex-cogt {version('pipelex-cogt')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options of the command line itself; its help stands where it is made."""


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
    except SettingsError as error:
        from pipelex_cogt.cli.layout import Page

        page = Page.of_stderr()
        page.line(error.message)
        for problem in error.problems:
            page.line(problem, indent=2)
        raise typer.Exit(status) from None
    except CogtError as error:
        from pipelex_cogt.cli.layout import Page

        Page.of_stderr().line(error)
        raise typer.Exit(status) from None


def _print(data: Any, render: Callable[[Any, Page], None], *, as_json: bool) -> None:
    """Print data: as they are, or as `render` lays them out. Both see the same values."""
    from pipelex_cogt.cli.layout import Page, print_data
    from pipelex_cogt.cli.pieces import as_data

    plain = as_data(data)
    if as_json:
        print_data(plain)
    else:
        render(plain, Page.of_stdout())


@_command()
def show(
    listing: Annotated[
        Listing | None, typer.Argument(help="What to list; else what is in force, on one screen.")
    ] = None,
    backend: Annotated[str | None, typer.Option("--backend", help="Only what leads to this backend.")] = None,
    env: Env = None,
    settings_dir: SettingsDir = None,
    as_json: AsJson = False,
) -> None:
    """Print what is in force: backends and whether their keys are there, presets and choices; or list the rest."""
    from pipelex_cogt.cli.show import LISTINGS, check_backend, describe, print_description

    manager, refusal = _load_in_force(settings_dir, env)
    check_backend(backend, manager)
    if listing is None:
        _print(describe(manager, backend, refusal), print_description, as_json=as_json)
    else:
        describe_listing, print_listing = LISTINGS[listing]
        _print(describe_listing(manager, backend), print_listing, as_json=as_json)


def _load_in_force(settings_dir: Path | None, env: str | None) -> tuple[ModelManager, SettingsError | None]:
    """What is in force; where a load is refused only for missing credentials, what it would be, and the refusal."""
    from pipelex_cogt.models.model_manager import ModelManager

    try:
        return ModelManager.load(settings_dir, env), None
    except SettingsError as refusal:
        return ModelManager.load(settings_dir, env, checks_credentials=False), refusal


@_command()
def env(
    env: Env = None,
    settings_dir: SettingsDir = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only what is missing.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print the text of .env.example.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the variables that the settings reference, where, and whether they are set; never their values."""
    from pipelex_cogt.cli.env import find_variables, format_example, is_refused, print_variables
    from pipelex_cogt.cli.layout import Page
    from pipelex_cogt.models.model_manager import ModelManager

    manager = ModelManager.load(settings_dir, env, checks_credentials=False)
    if example:
        page = Page.of_stdout()
        for line in format_example(manager).splitlines():
            page.line(line)
        return
    variables = find_variables(manager)
    shown = [variable._asdict() for variable in variables if variable.is_missing or not missing]
    _print(shown, print_variables, as_json=as_json)
    raise typer.Exit(is_refused(manager, variables))


@_command()
def explain(name: Name, env: Env = None, settings_dir: SettingsDir = None, as_json: AsJson = False) -> None:
    """Print why a name leads to its model, and where each value on the way was stated."""
    from pipelex_cogt.cli.explain import describe_explanation, print_explanation

    manager, refusal = _load_in_force(settings_dir, env)
    described = describe_explanation(manager.explain(name), manager.deck)
    _print({**described, "is_refused": refusal is not None}, print_explanation, as_json=as_json)


@_command()
def ask(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="A preset, a model or an alias.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The question; - reads it from standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the request, without its key, and send nothing.")
    ] = False,
    env: Env = None,
    settings_dir: SettingsDir = None,
) -> None:
    """Ask one question: print the answer as it comes, then its tokens and what they cost; status 1 where none comes."""
    from pipelex_cogt.cli.ask import describe_request, print_answer, read_question
    from pipelex_cogt.cli.layout import Page, print_data
    from pipelex_cogt.cli.pieces import as_data
    from pipelex_cogt.models.model_manager import ModelManager

    question = read_question(text)
    llm = ModelManager.load(settings_dir, env).get_llm_deck().resolve(preset)
    if dry_run:
        print_data(as_data(describe_request(llm, question)))
    elif not print_answer(llm, question, Page.of_stdout(), Page.of_stderr()):
        raise typer.Exit(1)


@_command()
def check(
    env: Annotated[str | None, typer.Option("--env", help="One environment; else every one that exists.")] = None,
    settings_dir: SettingsDir = None,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Tell too what missing credentials make of a load here.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 for warnings too.")] = False,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="How to write.")] = OutputFormat.TEXT,
) -> None:
    """Load every environment, and print problems and warnings by file. It needs no key and no network."""
    from pipelex_cogt.cli.check import check_settings, exit_status, print_checked
    from pipelex_cogt.cli.layout import Page

    checked = check_settings(settings_dir, env, checks_credentials=credentials)
    print_checked(checked, output_format, Page.of_stdout())
    raise typer.Exit(exit_status(checked, strict=strict))


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
    from dataclasses import asdict

    from pipelex_cogt.cli.diff import diff_decks, print_differences

    differences = diff_decks((before, after), env, settings_dir, is_profile=profile)
    _print([*map(asdict, differences)], print_differences, as_json=as_json)
    raise typer.Exit(bool(differences))


@_command(fault_status=2)
def catalogue(
    against: Annotated[SourceName, typer.Option("--against", help="The package whose data are compared.")],
    only: Annotated[list[CatalogueKind] | None, typer.Option("--only", help="What to compare; else all of it.")] = None,
    env: Env = None,
    settings_dir: SettingsDir = None,
    as_json: AsJson = False,
) -> None:
    """Print what differs between the models in force and a package's data; status 0 equal, 1 different, 2 faulty."""
    from pipelex_cogt.cli.catalogue import compare_settings, describe_report, print_report

    report = compare_settings(against, only or [*CatalogueKind], env, settings_dir)
    _print(describe_report(report), print_report, as_json=as_json)
    raise typer.Exit(bool(report.differences))
