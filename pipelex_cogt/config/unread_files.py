"""What lies in an application's settings directory and is not read: each is told, with the name that comes near.

    settings/backend.toml: not read; did you mean 'backends.toml'?

Only what could state something is told: files of configuration, and folders that hold some. Notes, samples, backups and
what editors and systems leave behind are left in peace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, filterfalse, islice, product
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.directories import (
    DOTENV,
    KNOWN_NAMES,
    MAIN_FILES,
    SETTINGS_DIR_NAME,
    SETTINGS_DIR_VARIABLE,
    Directories,
    is_ours,
    is_project,
    names_in,
    packaged_settings_dir,
    speaks_of_us,
)
from pipelex_cogt.config.inference_config import CONFIG_KEY, LIBRARY_PATHS, InferenceConfig
from pipelex_cogt.config.key_paths import ROOT, format_key_path, quote_key
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.main_files import EVERY_ENVIRONMENT, STANDARD_ENVIRONMENTS, warn_of_misplaced
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import fits
from pipelex_cogt.config.suggestions import Later, did_you_mean, near_names, one_slip_from
from pipelex_cogt.config.toml_files import (
    MAX_FOLDERS,
    display_path,
    is_settings_name,
    local_path,
    read_toml_file,
    walk_folders,
)

_Schema: TypeAlias = Mapping[str, Any]
_SAMPLES = "examples?|samples?|templates?|backups?|archives?"
_IN_PEACE = rf"\.#|\._|\.?taplo\.toml\Z|(?:.*\.)?(?:{_SAMPLES}|dist|bak|old|orig|save|swp|tmp)(?:\.|\Z)"
"""What editors and file systems leave, an editor's own settings, samples and backups."""
_FOLDER_IN_PEACE = rf"(?i)\.|(?:{_SAMPLES})\Z"
_OF_OTHER_TOOLS = r"\.(?!settings|secret|backend|routing|deck|env).*\.(?!toml)"
"""Hidden files of other formats than ours, such as `.pre-commit-config.yaml`."""
_OF_CONFIGURATION = r".+\.(?:toml|toml\.txt|ya?ml|jsonc?|json5|ini|cfg|conf|env|properties)|\.env(?:\.[\w-]+)?"
_OF_PYTHON = r"(?:settings|backends|routing|deck)\.py"
"""The modules that somebody may take for settings, as Dynaconf does; any other is a program."""
# Patterns are text until a name is looked at: a directory in which everything is read pays for none.
_CONFIGURATION = rf"(?is)(?!{_IN_PEACE}|{_OF_OTHER_TOOLS})(?:{_OF_CONFIGURATION}|{_OF_PYTHON})"
_STEMS = ("settings", "secrets", "backends", "routing", "deck")
"""What the names of ours begin with."""
_MOST_LOOKED_AT = 1000
"""A folder that begins with so many other files is none of settings, and looking at all of it would take its time."""
_KNOWN_ENVIRONMENT = rf"(?:{EVERY_ENVIRONMENT}|{'|'.join(STANDARD_ENVIRONMENTS)})\.toml"
_ENVIRONMENT_FILE = rf"(?:settings\.|(?={_KNOWN_ENVIRONMENT}))([\w-]+)\.toml"
_BACKENDS = LIBRARY_PATHS["model_specs_dir"].default
_DIRECTORIES = {key: library for key, library in LIBRARY_PATHS.items() if library.is_directory}
_SINGLE_FILES = {key: library for key, library in LIBRARY_PATHS.items() if key not in _DIRECTORIES}
_PREFIXES = {library.default: library.prefix for library in _SINGLE_FILES.values()}
_LOCAL_FILES = {str(local_path(Path(library.default))): key for key, library in _SINGLE_FILES.items()}
_USUAL_NAMES = {**{library.default: key for key, library in LIBRARY_PATHS.items()}, **_LOCAL_FILES}
"""What library files and folders are called where nobody says otherwise, each with the key that may say it."""
_FILES = (*MAIN_FILES, *_PREFIXES, *_LOCAL_FILES)
_FOLDERS = tuple(library.default for library in _DIRECTORIES.values())
_NAMES = (*_FILES, *_FOLDERS)
_IN_FILE_NAMES = {
    "secret": ".secrets.toml",
    **dict.fromkeys(("routing", "route", "profile"), "routing.toml"),
    "backend": "backends.toml",
    **dict.fromkeys(("deck", "preset", "alias", "choice"), "deck/{name}"),
    "local": "settings.local.toml",
}
"""What is meant by a file with such a word in its name."""
_IN_FOLDER_NAMES = {
    **dict.fromkeys(("backend", "model"), "backends"),
    **dict.fromkeys(("deck", "preset", "alias"), "deck"),
}
"""What is meant by a folder with such a word in its name."""


_Unread: TypeAlias = tuple[Iterable[Path], Callable[[Path], str | None]]
"""What is not read, and what finds where each of it belongs when somebody asks."""


def warn_of_unread_files(
    directories: Directories, config: InferenceConfig, schema: _Schema, report: ProblemReport
) -> None:
    """Note what an application states in files that are not read.

    Args:
        directories: Where the load looks.
        config: Where the application's library files are.
        schema: What the tree under `cogt` looks like.
        report: Where warnings are noted.
    """
    if directories.application is None:
        misplaced = map(partial(_misplaced, schema=schema), directories.looked_in)
        found = chain(*misplaced, (_nearly(directories), _beyond(directories)))
        others = product(directories.looked_in, MAIN_FILES)
        for path in filter(os.path.isfile, (folder / SETTINGS_DIR_NAME / name for folder, name in others)):
            warn_of_misplaced(path, schema, report)
    else:
        search = _Search.over(directories.application, directories, config)
        found = chain([search.at_top()], search.in_libraries(), [search.beside(schema)])
    for paths, hint in found:
        for path in paths:
            report.warning((), "not read", Later(partial(hint, path)), Place(display_path(path)))


class _Search(NamedTuple):
    """What one load reads of an application's directory.

    Attributes:
        directory: The directory.
        config: Where the library files are.
        used: The files that are read, and the folders of library files.
    """

    directory: Path
    config: InferenceConfig
    used: frozenset[Path]

    @classmethod
    def over(cls, directory: Path, directories: Directories, config: InferenceConfig) -> _Search:
        """A search for what a load leaves unread in a directory."""
        libraries, files = (map(partial(_path_of, config), keys) for keys in (LIBRARY_PATHS, _SINGLE_FILES))
        others = filter(None, (directories.dotenv, *directories.secrets, directories.packaged))
        main_files = map(directory.joinpath, MAIN_FILES)
        return cls(directory, config, frozenset((*main_files, *libraries, *map(local_path, files), *others)))

    def at_top(self) -> _Unread:
        """What is not read in the directory itself."""
        # The root of a project holds what other programs read.
        is_told = _comes_near if is_project(self.directory) else _states_something
        return filter(is_told, self._unused(self.directory)), self._hint

    def in_libraries(self) -> Iterator[_Unread]:
        """What is not read in the folders of library files, folder by folder."""
        for key, library in _DIRECTORIES.items():
            folder = _path_of(self.config, key)
            others = filter(_states_something, _others_in(folder, is_recursive=not library.is_per_backend))
            yield filterfalse(self._is_used, others), partial(_hint_in_library, folder=folder)

    def beside(self, schema: _Schema) -> _Unread:
        """What is not read beside the directory."""
        paths, hint = _beside(self.directory, schema)
        return filterfalse(self.used.__contains__, paths), hint

    def _unused(self, folder: Path) -> Iterator[Path]:
        """What lies in a folder and is not used; a folder that holds what is used is taken apart."""
        for path in filterfalse(self.used.__contains__, map(folder.joinpath, names_in(folder))):
            yield from self._unused(path) if self._holds_used(path) else (path,)

    def _holds_used(self, folder: Path) -> bool:
        # Text, for a folder may hold thousands of entries.
        below = os.path.join(folder, "")
        return any(str(path).startswith(below) for path in self.used)

    def _is_used(self, path: Path) -> bool:
        return path in self.used or self._holds_used(path)

    def _hint(self, path: Path) -> str | None:
        """Where something at the top of the directory belongs."""
        key = _USUAL_NAMES.get(str(path.relative_to(self.directory)))
        if key:
            return f"{format_key_path((CONFIG_KEY, key))} names {display_path(getattr(self.config, key))}"
        if path.name.startswith(DOTENV):
            return f"variables are read from {display_path(self.directory.parent / DOTENV)}"
        return _near_name(path)


def _path_of(config: InferenceConfig, key: str) -> Path:
    """Where a key says that files are, without `..`."""
    return Path(os.path.normpath(getattr(config, key)))


def _others_in(folder: Path, *, is_recursive: bool) -> Iterator[Path]:
    """What lies among the TOML files of a folder and is none; folders too, where they are not gone through."""
    for root, folders, names in islice(walk_folders(folder, is_recursive=is_recursive), MAX_FOLDERS):
        beside = names if is_recursive else (*folders, *names)
        yield from map(partial(Path, root), filterfalse(is_settings_name, beside))


def _hint_in_library(path: Path, folder: Path) -> str:
    if os.path.isdir(path):
        return f"move its files to {display_path(folder)}"
    usual = f"{path.name.partition('.')[0] or 'mine'}.toml"
    return f"expected a TOML file, such as {usual!r}"


def _near_name(path: Path) -> str | None:
    """What is meant by something whose name is none of ours."""
    known, words = (_FOLDERS, _IN_FOLDER_NAMES) if os.path.isdir(path) else (_FILES, _IN_FILE_NAMES)
    if slip := one_slip_from(path.name, known):
        return did_you_mean([slip])
    if environment := re.fullmatch(_ENVIRONMENT_FILE, path.name):
        return f"write [{quote_key(environment[1])}.{ROOT}] in {MAIN_FILES[0]}"
    if (packaged_settings_dir() / _BACKENDS / path.name).is_file():
        return f"did you mean '{_BACKENDS}/{path.name}'?"
    meant = [near.format(name=path.name) for word, near in words.items() if word in path.name.casefold()]
    nearest = (*meant, *near_names(path.name, known))
    return did_you_mean(nearest[:1]) or f"expected one of {', '.join(KNOWN_NAMES)}"


def _beside(directory: Path, schema: _Schema) -> _Unread:
    """Files of ours beside a settings directory rather than in it."""
    files = filter(os.path.isfile, map(directory.parent.joinpath, (*MAIN_FILES, *_PREFIXES)))
    return filter(partial(_fits, schema=schema), files), partial(_hint_beside, directory=directory)


def _hint_beside(path: Path, directory: Path) -> str | None:
    return did_you_mean([display_path(directory / path.name)])


def _fits(path: Path, schema: _Schema) -> bool:
    """Whether a file states what the main file or the library file of that name would."""
    if path.name in MAIN_FILES:
        return speaks_of_us(path)
    document = read_toml_file(path, (), ProblemReport())
    return document is not None and fits(document.table, schema[_PREFIXES[path.name]])


def _misplaced(folder: Path, schema: _Schema) -> tuple[_Unread, _Unread]:
    """What stands for settings of ours where a folder holds none: beside `settings/`, or in it by a wrong name."""
    directory = folder / SETTINGS_DIR_NAME
    return _beside(directory, schema), (filter(_states_something, _misspelt(directory, _NAMES)), _near_name)


def _nearly(directories: Directories) -> _Unread:
    """Settings directories of ours by a misspelt name, in the working directory and above it in its project."""
    folders = directories.looked_in if directories.project else directories.looked_in[:1]
    misspelt = map(partial(_misspelt, known=(SETTINGS_DIR_NAME,)), folders)
    return filter(is_ours, chain.from_iterable(misspelt)), _hint_of_directory


def _misspelt(folder: Path, known: Collection[str]) -> Iterator[Path]:
    """What lies in a folder by a name that is one slip away from a known one."""
    others = filterfalse(known.__contains__, names_in(folder))
    return map(folder.joinpath, filter(partial(one_slip_from, known=known), others))


def _hint_of_directory(path: Path) -> str | None:
    return did_you_mean([display_path(path.with_name(SETTINGS_DIR_NAME))])


def _beyond(directories: Directories) -> _Unread:
    """The nearest settings of ours above the folders in which an application's are looked for."""
    beyond = filterfalse(frozenset(directories.looked_in).__contains__, directories.working.parents)
    above = (folder / SETTINGS_DIR_NAME for folder in beyond)
    return islice(filter(is_ours, above), 1), lambda _path: f"name it with {SETTINGS_DIR_VARIABLE}"


def _comes_near(path: Path) -> bool:
    """Whether a name begins like one of ours, but for a slip."""
    stem = path.name.lstrip(".").partition(".")[0]
    is_near = path.name == DOTENV or one_slip_from(stem, _STEMS)
    return bool(is_near) and _states_something(path)


def _states_something(path: Path) -> bool:
    """Whether a file is one of configuration, or a folder holds some."""
    if not os.path.isdir(path):
        # A name that ends in a sign is a copy that an editor keeps.
        is_misspelt = path.name[-1].isalnum() and one_slip_from(path.name, _FILES) is not None
        return is_misspelt or re.fullmatch(_CONFIGURATION, path.name) is not None
    folders = () if re.match(_FOLDER_IN_PEACE, path.name) else walk_folders(path, is_recursive=True)
    entries = chain.from_iterable((*names, *inner) for _root, inner, names in folders)
    return any(map(partial(re.fullmatch, _CONFIGURATION), islice(entries, _MOST_LOOKED_AT)))
