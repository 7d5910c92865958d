"""Where settings are looked for: the packaged directory, the application's, its `.env` and the secrets directories."""

from __future__ import annotations

import os
import re
import stat
from functools import partial
from itertools import chain, filterfalse, product, takewhile
from operator import ne
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.environ import Environ, read_dotenv
from pipelex_cogt.config.key_paths import ROOT
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.regular_files import read_file, with_home
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.strangers import refuse_strangers
from pipelex_cogt.config.suggestions import is_one_slip, near_names
from pipelex_cogt.config.toml_files import display_path, working_directory
from pipelex_cogt.config.zipped_settings import unpacked_settings
from pipelex_cogt.errors import Severity
from pipelex_cogt.visible import visible

SETTINGS_DIR_VARIABLE = "PIPELEX_SETTINGS_DIR"
SECRETS_DIR_VARIABLE = "PIPELEX_SECRETS_DIR"
DEFAULT_SECRETS_DIR = Path("/run/secrets")
SETTINGS_DIR_NAME = "settings"
DOTENV = ".env"
MAIN_FILES = ("settings.toml", "settings.local.toml", ".secrets.toml")
_LIBRARY_FILES = (
    *("backends.toml", "backends.local.toml", "routing.toml", "routing.local.toml"),
    *("backends/*.toml", "deck/**/*.toml"),
)
KNOWN_NAMES = (MAIN_FILES[0], "backends.toml", "backends/", "routing.toml", "deck/")
"""What a settings directory may hold, for people who have it under other names."""
# The word itself, in whichever capitals: a misspelt table is told by whoever reads the file. Literal text.
_SPEAKS_OF_US = re.compile(rb"(?<![a-z])%s(?![a-z])" % ROOT.encode(), re.IGNORECASE)
_PROJECT_MARKERS = (".git", "pyproject.toml")
_HEADING = "the places where settings are looked for"


class SettingsDirectory(NamedTuple):
    """One settings directory: the packaged one, which is the same for everybody, or the application's own."""

    path: Path
    is_packaged: bool

    def display(self, path: Path) -> str:
        """How one of its files is written for people."""
        return display_path(path, self.path if self.is_packaged else None)


class Directories(NamedTuple):
    """Where one load looks.

    Attributes:
        packaged: The settings that ship with the package.
        application: The application's own, or None.
        working: The working directory.
        dotenv: The `.env` file, or None.
        secrets: The secrets directories, the first to be asked first.
        named_by: Who names the application's directory, such as "PIPELEX_SETTINGS_DIR"; None where it is looked for.
        project: The nearest folder at or above the working directory that holds a `.git` or `pyproject.toml`, or None;
            no application's directory is looked for beyond it.
    """

    packaged: Path
    application: Path | None
    working: Path
    dotenv: Path | None
    secrets: tuple[Path, ...]
    named_by: str | None = None
    project: Path | None = None

    @property
    def sources(self) -> tuple[SettingsDirectory, ...]:
        """The settings directories, lowest first. In a source checkout the packaged one may be the application's."""
        found = {self.packaged.resolve(): SettingsDirectory(self.packaged, is_packaged=True)}
        if self.application is not None:
            found[self.application.resolve()] = SettingsDirectory(self.application, is_packaged=False)
        return tuple(found.values())

    def __str__(self) -> str:
        """Which places were found, in one line for people."""
        settings = display_path(self.application) if self.application else "none of the application's own"
        return visible(f"settings: {settings}, .env: {display_path(self.dotenv) if self.dotenv else 'none'}")

    @property
    def absence(self) -> str:
        """Where an application's directory was looked for and not found, in words; empty where there is one."""
        if self.application:
            return ""
        return f", without the application's own: found none in {', '.join(map(display_path, self.looked_in))}"

    @property
    def looked_in(self) -> tuple[Path, ...]:
        """The folders in which `settings/` is looked for, nearest first; none where the directory is named."""
        return () if self.named_by else _folders_up_to(self.working, self.project)


def packaged_settings_dir() -> Path:
    """The packaged settings: inside the installed package, which may be a zip file, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    folders = filter(os.path.isdir, (package / SETTINGS_DIR_NAME, package.parent / SETTINGS_DIR_NAME))
    found = next(folders, None) or unpacked_settings(package.name, SETTINGS_DIR_NAME)
    # Where there are none, who misses a file of them names it.
    return found or package / SETTINGS_DIR_NAME


def find_directories(
    settings_dir: Path | str | None, process: Environ, report: ProblemReport
) -> tuple[Directories, Environ]:
    """Find every directory a load needs, and the variables in force.

    The application's directory is the named one, else the nearest `settings/` of ours, from the working directory up
    to its project's folder; outside a project as far up as nobody but the user of the process can write. `.env` lies
    beside the application's directory, else in the nearest of a project's same folders, or in the working directory.
    A path in it is relative to it, as in any file.

    Args:
        settings_dir: The application's directory, when the code names it.
        process: The process's environment.
        report: Where a directory that is named and missing is noted.

    Raises:
        SettingsError: A directory that is named is missing, so that nothing else can be judged; or what was found by
            looking is a stranger's.
    """
    working = working_directory()
    project = next(filter(is_project, (working, *working.parents)), None)
    is_named = settings_dir is not None or process.get(SETTINGS_DIR_VARIABLE) is not None
    folders = (working,) if is_named else _folders_up_to(working, project)
    # The nearest `.env` of a project is read first, for it may say where the settings are.
    nearest = folders if project else folders[:1]
    dotenv = _dotenv_in(*nearest)
    _refuse_dotenv(dotenv, settings_dir or process.get(SETTINGS_DIR_VARIABLE), process, report)
    environ = process.over(read_dotenv(dotenv, process, report))
    application, named_by = _find_application(settings_dir, environ, folders, dotenv)
    if application and named_by is None:
        _refuse_settings(application, process, report)
    _check_application(application, named_by, report)
    beside = application and _dotenv_in(application.parent)
    if beside and not (dotenv and beside.samefile(dotenv)):
        dotenv = beside
        _refuse_dotenv(dotenv, application if named_by else None, process, report)
        environ = process.over(read_dotenv(dotenv, process, report))
    # What the process states is relative to where it runs.
    base = dotenv.parent if dotenv and process.get(SECRETS_DIR_VARIABLE) is None else working
    secrets = _find_secrets(environ, base, report)
    report.raise_errors(_HEADING)
    found = Directories(packaged_settings_dir(), application, working, dotenv, secrets, named_by, project)
    return found, environ


def expect_settings(directories: Directories, report: ProblemReport) -> None:
    """Refuse an application's directory that is named and holds nothing of ours.

    A main file that is there and has a fault of its own is told by that fault.

    Raises:
        SettingsError: It holds nothing of ours, so that every other fault would be a consequence.
    """
    directory = directories.application
    if directory is None or directories.named_by is None or is_ours(directory) or report.problems(Severity.ERROR):
        return
    pairs = product(filterfalse(MAIN_FILES.__contains__, names_in(directory)), KNOWN_NAMES)
    slips = (f"{name!r} in it: did you mean {known!r}?" for name, known in pairs if is_one_slip(name, known))
    hint = next(slips, f"expected one of {', '.join(KNOWN_NAMES)} in it")
    _note_application(directory, "nothing of ours in it", directories.named_by, report, otherwise=hint)
    report.raise_errors(_HEADING)


def file_or_nothing(path: Path) -> str:
    """What stands where a directory belongs, in words."""
    try:
        path.stat()
    except PermissionError:
        return "nothing that this user may look at"
    except (OSError, ValueError):
        return "nothing"
    return "a file"


def is_project(folder: Path) -> bool:
    """Whether a folder is the root of a project, which holds other files than settings too."""
    return any(map(os.path.lexists, map(folder.joinpath, _PROJECT_MARKERS)))


def is_ours(directory: Path) -> bool:
    """Whether a directory holds settings of this package, rather than something else."""
    if not _is_readable(directory):
        return False
    main_files = filter(os.path.isfile, map(directory.joinpath, MAIN_FILES))
    return any(map(speaks_of_us, main_files)) or any(chain.from_iterable(map(directory.glob, _LIBRARY_FILES)))


def speaks_of_us(path: Path) -> bool:
    """Whether a main file states settings of this package, as far as a glance can tell."""
    try:
        return _SPEAKS_OF_US.search(read_file(path)) is not None
    except OSError:
        # Whoever reads it next says why it cannot be read.
        return True


def names_in(folder: Path) -> list[str]:
    """The names of what lies in a folder, sorted; none where it cannot be read."""
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except (OSError, ValueError):
        # No folder has such a name.
        return []


def _folders_up_to(working: Path, project: Path | None) -> tuple[Path, ...]:
    """The working directory and those above it, up to the project's folder, or as far as they are the user's alone."""
    if project is None:
        return (working, *takewhile(_is_users_alone, working.parents))
    return (*takewhile(partial(ne, project), (working, *working.parents)), project)


def _is_users_alone(folder: Path) -> bool:
    """Whether nobody but the user of this process can have put settings into a folder, as anybody can into `/tmp`."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return os.name == "posix" and found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _refuse_dotenv(dotenv: Path | None, named: Path | str | None, process: Environ, report: ProblemReport) -> None:
    """Refuse a `.env` that a stranger may have written, unless the settings beside it are named.

    Raises:
        SettingsError: It is a stranger's, and may say where the settings are.
    """
    is_beside_named = dotenv and named is not None and _absolute(dotenv.parent, named).parent == dotenv.parent
    if os.name == "posix" and dotenv and not is_beside_named:
        hint = f"make it yours, remove it, or name the settings beside it: {_named_on_purpose(dotenv.parent)}"
        refuse_strangers((dotenv, dotenv.parent), hint, process, report)
        report.raise_errors(_HEADING)


def _refuse_settings(directory: Path, process: Environ, report: ProblemReport) -> None:
    """Refuse settings that were found by looking and that a stranger may have written.

    Raises:
        SettingsError: They are a stranger's, and nothing of them is read.
    """
    # In a checkout they are the packaged ones: whoever wrote them wrote the code that runs.
    if os.name == "posix" and directory.resolve() != packaged_settings_dir().resolve():
        paths = (directory, directory.parent, *map(directory.joinpath, names_in(directory)))
        hint = f"to read it all the same, name it: {_named_on_purpose(directory.parent)}"
        refuse_strangers(paths, hint, process, report)
        report.raise_errors(_HEADING)


def _named_on_purpose(folder: Path) -> str:
    """The line that names the settings of a folder, for a shell and for Python."""
    from shlex import quote  # imported here because only an error needs it

    path = str(folder / SETTINGS_DIR_NAME)
    return f"{SETTINGS_DIR_VARIABLE}={quote(path)} or ModelManager.load({path!r})"


def _find_application(
    settings_dir: Path | str | None, environ: Environ, folders: tuple[Path, ...], dotenv: Path | None
) -> tuple[Path | None, str | None]:
    """The application's directory, and who names it.

    Args:
        settings_dir: The argument given in code.
        environ: The variables in force.
        folders: Where to look, nearest first; the working directory alone, where the code or the process names one.
        dotenv: The `.env` file of one of these folders, or None.
    """
    sources = {"the argument settings_dir": settings_dir, SETTINGS_DIR_VARIABLE: environ.get(SETTINGS_DIR_VARIABLE)}
    for source, named in sources.items():
        if named is not None:
            return _absolute(dotenv.parent if dotenv else folders[0], named), source
    return next(filter(_is_taken, (folder / SETTINGS_DIR_NAME for folder in folders)), None), None


def _is_taken(directory: Path) -> bool:
    """Whether a `settings/` is the application's: it is ours, or nobody can tell, which is an error of its own."""
    return is_ours(directory) if _can_be_searched(directory) else os.path.isdir(directory)


def _check_application(directory: Path | None, named_by: str | None, report: ProblemReport) -> None:
    """Note an application's directory that is none, or that cannot be read."""
    if directory is None:
        return
    if not os.path.isdir(directory):
        _note_application(directory, file_or_nothing(directory), named_by, report)
    elif not _can_be_searched(directory):
        _note_application(directory, "one that cannot be read", named_by, report)


def _note_application(
    directory: Path, found: str, named_by: str | None, report: ProblemReport, otherwise: str | None = None
) -> None:
    """Note what stands where the application's settings should be, with what comes near."""
    near = _near_settings(directory)
    hints = (named_by and f"named by {named_by}", f"did you mean {display_path(near)!r}?" if near else otherwise)
    problem, place = f"expected a settings directory, found {found}", Place(display_path(directory))
    report.error((), problem, "; ".join(filter(None, hints)), place)


def _near_settings(directory: Path) -> Path | None:
    """What may be meant by a directory that holds nothing of ours: one in it, around it or beside it."""
    beside = near_names(directory.name, names_in(directory.parent))
    inside, around = directory / SETTINGS_DIR_NAME, directory.parent
    near = (inside, around, *map(around.joinpath, (SETTINGS_DIR_NAME, *beside)))
    return next(filter(is_ours, filter(partial(ne, directory), near)), None)


def _find_secrets(environ: Environ, working: Path, report: ProblemReport) -> tuple[Path, ...]:
    """The directories that the variable names, in its order; else the usual one, where it exists."""
    stated = environ.get(SECRETS_DIR_VARIABLE, "")
    named = [*filter(str.strip, stated.split(os.pathsep))] or [str(DEFAULT_SECRETS_DIR)]
    directories = dict.fromkeys(map(partial(_absolute, working), named))
    for directory in filterfalse(_is_readable, directories if stated else ()):
        problem = f"expected a directory of secrets to read at {display_path(directory)}, found none"
        report.error((), problem, place=Place(SECRETS_DIR_VARIABLE))
    return tuple(filter(_is_readable, directories))


def _is_readable(directory: Path) -> bool:
    return os.path.isdir(directory) and _can_be_searched(directory)


def _can_be_searched(directory: Path) -> bool:
    return os.access(directory, os.R_OK | os.X_OK)


def _absolute(working: Path, named: Path | str) -> Path:
    """A directory that somebody names, without `..` and with its `~` replaced where there is such a home."""
    return Path(os.path.normpath(working / with_home(str(named))))


def _dotenv_in(*folders: Path) -> Path | None:
    """The `.env` of the first folder that has one."""
    return next(filter(_may_be_dotenv, (folder / DOTENV for folder in folders)), None)


def _may_be_dotenv(path: Path) -> bool:
    """Whether a `.env` is to be read, which says what is wrong with it.

    Some call the folder of a virtual environment so, and who wants none in a container mounts `/dev/null` there.
    """
    return os.path.exists(path) and not os.path.isdir(path) and not path.samefile(os.devnull)
