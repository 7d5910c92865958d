"""Where settings are looked for: the packaged directory, the application's, its `.env` and the secrets directories."""

from __future__ import annotations

import os
from itertools import chain, filterfalse
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.environ import Environ, read_dotenv
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path

SETTINGS_DIR_VARIABLE = "PIPELEX_SETTINGS_DIR"
SECRETS_DIR_VARIABLE = "PIPELEX_SECRETS_DIR"
DEFAULT_SECRETS_DIR = Path("/run/secrets")
_MAIN_FILES = ("settings.toml", "settings.local.toml", ".secrets.toml")
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
        secrets: The secrets directories, the first to be asked first.
    """

    packaged: Path
    application: Path | None
    working: Path
    dotenv: Path | None
    secrets: tuple[Path, ...]

    @property
    def sources(self) -> tuple[SettingsDirectory, ...]:
        """The settings directories, lowest first. In a source checkout the packaged one may be the application's."""
        found = {self.packaged.resolve(): SettingsDirectory(self.packaged, is_packaged=True)}
        if self.application is not None:
            found[self.application.resolve()] = SettingsDirectory(self.application, is_packaged=False)
        return tuple(found.values())


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
    environ = process.over(read_dotenv(dotenv, process, report))
    application = _find_application(settings_dir, environ, working, report)
    # Without a directory of its own an application has the one that was read already.
    beside = _existing((application or working / "settings").parent / ".env")
    if beside and not (dotenv and beside.samefile(dotenv)):
        dotenv = beside
        environ = process.over(read_dotenv(dotenv, process, report))
    secrets = _find_secrets(environ, working, report)
    report.raise_errors("the places where settings are looked for")
    return Directories(packaged_settings_dir(), application, working, dotenv, secrets), environ


def _find_application(
    settings_dir: Path | str | None, environ: Environ, working: Path, report: ProblemReport
) -> Path | None:
    sources = {"the argument settings_dir": settings_dir, SETTINGS_DIR_VARIABLE: environ.get(SETTINGS_DIR_VARIABLE)}
    for source, named in sources.items():
        if named is not None:
            directory = _absolute(working, named)
            if directory.is_dir():
                return directory
            problem = f"expected a settings directory, found {file_or_nothing(directory)}"
            report.error((), problem, f"named by {source}", Place(str(named)))
            return None
    directory = working / "settings"
    return directory if _is_ours(directory) else None


def file_or_nothing(path: Path) -> str:
    """What stands where a directory belongs, in words."""
    return "a file" if path.exists() else "nothing"


def _is_ours(directory: Path) -> bool:
    """Whether a `settings/` in the working directory holds settings of this package, rather than something else."""
    main_files = filter(Path.is_file, map(directory.joinpath, _MAIN_FILES))
    return any(chain.from_iterable(map(directory.glob, _LIBRARY_FILES))) or any(map(_speaks_of_us, main_files))


def _speaks_of_us(path: Path) -> bool:
    try:
        return b"cogt" in path.read_bytes()
    except OSError:
        # Whoever reads it next says why it cannot be read.
        return True


def _find_secrets(environ: Environ, working: Path, report: ProblemReport) -> tuple[Path, ...]:
    """The directories that the variable names, in its order; else the usual one, where it exists."""
    stated = environ.get(SECRETS_DIR_VARIABLE)
    named = [each for each in (stated or "").split(os.pathsep) if each.strip()]
    directories = dict.fromkeys(_absolute(working, each) for each in named or [str(DEFAULT_SECRETS_DIR)])
    for directory in filterfalse(_is_readable, directories if stated else ()):
        problem = f"expected a directory of secrets to read at {display_path(directory)}, found none"
        report.error((), problem, place=Place(SECRETS_DIR_VARIABLE))
    return tuple(filter(_is_readable, directories))


def _is_readable(directory: Path) -> bool:
    return directory.is_dir() and os.access(directory, os.R_OK | os.X_OK)


def _absolute(working: Path, named: Path | str) -> Path:
    """A directory that somebody names, without `..` and with its `~` replaced where there is such a home."""
    return Path(os.path.abspath(working / os.path.expanduser(named)))


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
