"""Where settings are looked for: the packaged directory, the application's, its `.env` and the secrets directory."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.secrets import Environment
from pipelex_cogt.config.toml_files import display_path, warn_if_others_read

SETTINGS_DIR_VARIABLE = "PIPELEX_SETTINGS_DIR"
SECRETS_DIR_VARIABLE = "PIPELEX_SECRETS_DIR"
DEFAULT_SECRETS_DIR = Path("/run/secrets")
_LIBRARY_FILES = ("backends.toml", "routing.toml", "backends/*.toml", "deck/**/*.toml")


class SettingsDirectory(NamedTuple):
    """One settings directory: the packaged one, which is the same for everybody, or the application's own."""

    path: Path
    is_packaged: bool


class Directories(NamedTuple):
    """Where one load looks.

    Attributes:
        packaged: The settings that ship with the package.
        application: The application's own, or None.
        working: The working directory.
        dotenv: The `.env` file, or None.
        secrets: The secrets directory, or None.
    """

    packaged: Path
    application: Path | None
    working: Path
    dotenv: Path | None
    secrets: Path | None

    @property
    def sources(self) -> tuple[SettingsDirectory, ...]:
        """The settings directories, lowest first. In a source checkout the packaged one may be the application's."""
        packaged = SettingsDirectory(self.packaged, is_packaged=True)
        if self.application is None:
            return (packaged,)
        application = SettingsDirectory(self.application, is_packaged=False)
        return (application,) if self.application.resolve() == self.packaged.resolve() else (packaged, application)


def packaged_settings_dir() -> Path:
    """The packaged settings: inside the installed package, or beside it in a source checkout."""
    installed = Path(__file__).parents[1] / "settings"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "settings"


def find_directories(
    settings_dir: Path | str | None, process: Environment, report: ProblemReport
) -> tuple[Directories, Environment]:
    """Find every directory a load needs, and the environment in force.

    `.env` is looked for beside the application's settings directory, then in the working directory.

    Args:
        settings_dir: The application's directory, when the code names it.
        process: The process's environment.
        report: Where a directory that is named and missing is noted.

    Raises:
        SettingsError: A directory that is named is missing, so that nothing else can be judged.
    """
    working = Path.cwd()
    environment = process.over(read_dotenv(_existing(working / ".env"), report))
    application = _find_application(settings_dir, environment, working, report)
    dotenv = _existing(application.parent / ".env") if application else None
    if dotenv is not None:
        environment = process.over(read_dotenv(dotenv, report))
    secrets = _find_secrets(environment, working, report)
    report.raise_errors("the places where settings are looked for")
    return Directories(
        packaged=packaged_settings_dir(),
        application=application,
        working=working,
        dotenv=dotenv or _existing(working / ".env"),
        secrets=secrets,
    ), environment


def read_dotenv(path: Path | None, report: ProblemReport) -> dict[str, str]:
    """The variables of a `.env` file; `os.environ` stays as it is."""
    if path is None:
        return {}
    from dotenv.parser import parse_stream  # imported here because most processes have no .env, and it takes its time

    problem = None
    try:
        warn_if_others_read(path, report)
        text = path.read_bytes().decode("utf-8-sig")
        bindings = [*parse_stream(StringIO(text))]
        for binding in bindings:
            if binding.error:
                place = Place(display_path(path), binding.original.line)
                report.warning((), "not read: expected NAME=value", place=place)
        return {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    except UnicodeDecodeError:
        problem = "expected UTF-8 text"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    report.error((), problem, place=Place(display_path(path)))
    return {}


def _find_application(
    settings_dir: Path | str | None, environment: Environment, working: Path, report: ProblemReport
) -> Path | None:
    named = settings_dir if settings_dir is not None else environment.get(SETTINGS_DIR_VARIABLE)
    if named is None:
        directory = working / "settings"
        return directory if _is_ours(directory) else None
    directory = _absolute(working, named)
    if not directory.is_dir():
        source = "the argument settings_dir" if settings_dir is not None else SETTINGS_DIR_VARIABLE
        found = "a file" if directory.exists() else "nothing"
        report.error((), f"expected a settings directory, found {found}", f"named by {source}", Place(str(named)))
        return None
    return directory


def _is_ours(directory: Path) -> bool:
    """Whether a `settings/` in the working directory holds settings of this package, rather than something else."""
    if any(path for pattern in _LIBRARY_FILES for path in directory.glob(pattern)):
        return True
    main_files = (directory / name for name in ("settings.toml", "settings.local.toml", ".secrets.toml"))
    return any(path.is_file() and _speaks_of_us(path) for path in main_files)


def _speaks_of_us(path: Path) -> bool:
    try:
        return b"cogt" in path.read_bytes()
    except OSError:
        return True  # whoever reads it next says why it cannot be read


def _find_secrets(environment: Environment, working: Path, report: ProblemReport) -> Path | None:
    named = environment.get(SECRETS_DIR_VARIABLE)
    directory = _absolute(working, named) if named else DEFAULT_SECRETS_DIR
    if directory.is_dir() and os.access(directory, os.R_OK | os.X_OK):
        return directory
    if named:
        problem = f"expected a directory of secrets to read at {display_path(directory)}, found none"
        report.error((), problem, place=Place(SECRETS_DIR_VARIABLE))
    return None


def _absolute(working: Path, named: Path | str) -> Path:
    """A directory that somebody names, without `..` and with its `~` replaced where there is such a home."""
    return Path(os.path.abspath(working / os.path.expanduser(named)))


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
