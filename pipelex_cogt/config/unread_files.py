"""What lies in an application's settings directory and is not read: each is told, with the name that comes near.

    settings/backend.toml: not read; did you mean 'backends.toml'?

Only what could state something is told: files of configuration, and folders that hold some. Notes, samples, backups and
what editors and systems leave behind are left in peace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
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
from pipelex_cogt.config.suggestions import Later, did_you_mean, is_one_slip, near_names, one_slip_from
from pipelex_cogt.config.toml_files import (
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
_ENVIRONMENT_FILE = rf"settings\.([\w-]+)\.toml|({EVERY_ENVIRONMENT}|{'|'.join(STANDARD_ENVIRONMENTS)})\.toml"
_BACKENDS = LIBRARY_PATHS["model_specs_dir"].default
_SINGLE_FILES = tuple(library for library in LIBRARY_PATHS.values() if not library.is_directory)
_LIBRARY_FILES = tuple(library.default for library in _SINGLE_FILES)
_FILES = (*MAIN_FILES, *_LIBRARY_FILES, *(str(local_path(Path(name))) for name in _LIBRARY_FILES))
_FOLDERS = tuple(library.default for library in LIBRARY_PATHS.values() if library.is_directory)
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


_Unread: TypeAlias = tuple[Path, Callable[[], str | None]]
"""Something that is not read, and what finds where it belongs when somebody asks."""


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
        found = chain(
            *(_misplaced(folder, schema) for folder in directories.looked_in),
            _nearly(directories),
            _beyond(directories),
        )
        others = product(directories.looked_in, MAIN_FILES)
        for path in filter(os.path.isfile, (folder / SETTINGS_DIR_NAME / name for folder, name in others)):
            warn_of_misplaced(path, schema, report)
    else:
        search = _Search.over(directories.application, directories, config)
        beside = ((path, hint) for path, hint in _beside(directories.application, schema) if path not in search.used)
        found = chain(search.at_top(), search.in_libraries(), beside)
    for path, hint in found:
        report.warning((), "not read", Later(hint), Place(display_path(path)))


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
        libraries = {key: Path(os.path.normpath(getattr(config, key))) for key in LIBRARY_PATHS}
        local = (local_path(path) for key, path in libraries.items() if not LIBRARY_PATHS[key].is_directory)
        others = filter(None, (directories.dotenv, *directories.secrets, directories.packaged))
        main_files = map(directory.joinpath, MAIN_FILES)
        return cls(directory, config, frozenset((*main_files, *libraries.values(), *local, *others)))

    def at_top(self) -> Iterator[_Unread]:
        """What is not read in the directory itself, each with where it belongs."""
        # The root of a project holds what other programs read.
        is_told = _comes_near if is_project(self.directory) else _states_something
        return ((path, partial(self._hint, path)) for path in filter(is_told, self._unused(self.directory)))

    def in_libraries(self) -> Iterator[_Unread]:
        """What is not read in the folders of library files, each with where it belongs."""
        for key, library in LIBRARY_PATHS.items():
            folder = Path(os.path.normpath(getattr(self.config, key)))
            paths = _others_in(folder, is_recursive=not library.is_per_backend) if library.is_directory else ()
            unread = filterfalse(self._is_used, filter(_states_something, paths))
            yield from ((path, partial(_hint_in_library, path, folder)) for path in unread)

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
        for key, library in LIBRARY_PATHS.items():
            usual = self.directory / library.default
            if path == usual or (path == local_path(usual) and not library.is_directory):
                return f"{format_key_path((CONFIG_KEY, key))} names {display_path(getattr(self.config, key))}"
        if path.name.startswith(DOTENV):
            return f"variables are read from {display_path(self.directory.parent / DOTENV)}"
        return _near_name(path)


def _others_in(folder: Path, *, is_recursive: bool) -> Iterator[Path]:
    """What lies among the TOML files of a folder and is none; folders too, where they are not gone through."""
    for root, folders, names in walk_folders(folder, is_recursive=is_recursive):
        beside = names if is_recursive else (*folders, *names)
        yield from (Path(root, name) for name in beside if not is_settings_name(name))


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
        return f"write [{quote_key(environment[1] or environment[2])}.{ROOT}] in {MAIN_FILES[0]}"
    if (packaged_settings_dir() / _BACKENDS / path.name).is_file():
        return f"did you mean '{_BACKENDS}/{path.name}'?"
    meant = [near.format(name=path.name) for word, near in words.items() if word in path.name.casefold()]
    nearest = (*meant, *near_names(path.name, known))
    return did_you_mean(nearest[:1]) or f"expected one of {', '.join(KNOWN_NAMES)}"


def _beside(directory: Path, schema: _Schema) -> Iterator[_Unread]:
    """Files of ours beside a settings directory rather than in it."""
    tests: dict[str, Callable[[Path], bool]] = {
        **dict.fromkeys(MAIN_FILES, speaks_of_us),
        **{library.default: partial(_fits, schema=schema[library.prefix]) for library in _SINGLE_FILES},
    }
    for name, test in tests.items():
        path = directory.parent / name
        if os.path.isfile(path) and test(path):
            yield path, partial(_hint_beside, path, directory)


def _hint_beside(path: Path, directory: Path) -> str | None:
    return did_you_mean([display_path(directory / path.name)])


def _fits(path: Path, schema: Any) -> bool:
    """Whether a file states keys that a library file of ours has."""
    document = read_toml_file(path, (), ProblemReport())
    return document is not None and fits(document.table, schema)


def _misplaced(folder: Path, schema: _Schema) -> Iterator[_Unread]:
    """What stands for settings of ours where a folder holds none: beside `settings/`, or in it by a wrong name."""
    directory = folder / SETTINGS_DIR_NAME
    yield from _beside(directory, schema)
    for path in map(directory.joinpath, names_in(directory)):
        is_near = path.name not in _NAMES and one_slip_from(path.name, _NAMES)
        if is_near and _states_something(path):
            yield path, partial(_near_name, path)


def _nearly(directories: Directories) -> Iterator[_Unread]:
    """Settings directories of ours by a misspelt name, in the working directory and above it in its project."""
    folders = directories.looked_in if directories.project else directories.looked_in[:1]
    for path in chain.from_iterable(map(folder.joinpath, names_in(folder)) for folder in folders):
        if path.name != SETTINGS_DIR_NAME and is_one_slip(path.name, SETTINGS_DIR_NAME) and is_ours(path):
            yield path, partial(_hint_of_directory, path)


def _hint_of_directory(path: Path) -> str | None:
    return did_you_mean([display_path(path.with_name(SETTINGS_DIR_NAME))])


def _beyond(directories: Directories) -> Iterator[_Unread]:
    """The nearest settings of ours above the folders in which an application's are looked for."""
    looked_in = {*directories.looked_in}
    above = (folder / SETTINGS_DIR_NAME for folder in directories.working.parents if folder not in looked_in)
    return ((path, lambda: f"name it with {SETTINGS_DIR_VARIABLE}") for path in islice(filter(is_ours, above), 1))


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
