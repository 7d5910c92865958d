"""Where settings are looked for: the packaged directory, the application's, its `.env` and the secrets directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.environ import Environ, read_dotenv
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path

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
    settings_dir: Path | str | None, process: Environ, report: ProblemReport
) -> tuple[Directories, Environ]:
    """Find every directory a load needs, and the variables in force.

    `.env` is looked for beside the application's settings directory, then in the working directory.

    Args:
        settings_dir: The application's directory, when the code names it.
        process: The process's environment.
        report: Where a directory that is named and missing is noted.

    Raises:
        SettingsError: A directory that is named is missing, so that nothing else can be judged.
    """
    working = Path.cwd()
    # The one in the working directory is read first, for it may say where the settings are.
    dotenv = _existing(working / ".env")
    environ = process.over(read_dotenv(dotenv, report))
    application = _find_application(settings_dir, environ, working, report)
    beside = _existing(application.parent / ".env") if application else None
    if beside is not None and not _is_same_file(beside, dotenv):
        dotenv = beside
        environ = process.over(read_dotenv(dotenv, report))
    secrets = _find_secrets(environ, working, report)
    report.raise_errors("the places where settings are looked for")
    return Directories(packaged_settings_dir(), application, working, dotenv, secrets), environ


def _is_same_file(path: Path, other: Path | None) -> bool:
    return other is not None and path.samefile(other)


def _find_application(
    settings_dir: Path | str | None, environ: Environ, working: Path, report: ProblemReport
) -> Path | None:
    named = settings_dir if settings_dir is not None else environ.get(SETTINGS_DIR_VARIABLE)
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
        # Whoever reads it next says why it cannot be read.
        return True


def _find_secrets(environ: Environ, working: Path, report: ProblemReport) -> Path | None:
    named = environ.get(SECRETS_DIR_VARIABLE)
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
