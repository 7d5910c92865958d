"""The library files of a settings directory: backends, model specs, routing profiles and the deck."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import filterfalse, takewhile
from pathlib import Path
from typing import Any

from pipelex_cogt.config.directories import MAIN_FILES, SettingsDirectory, file_or_nothing, names_in
from pipelex_cogt.config.inference_config import CONFIG_KEY, LIBRARY_PATHS, InferenceConfig, LibraryPath
from pipelex_cogt.config.key_paths import ROOT, KeyPath, format_key_path, join_keys, prefixes
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import Table, nest, value_at
from pipelex_cogt.config.toml_files import (
    LOCAL_SUFFIX,
    TomlDocument,
    display_path,
    find_toml_files,
    is_local,
    local_path,
    parse_once,
    read_toml_file,
)
from pipelex_cogt.config.toml_parser import parse_toml

_USUAL_NAMES = tuple(library.default for library in LIBRARY_PATHS.values())
_USUAL_ENVIRONMENT = "default"
_STARTS_FROM_NOTHING = "use_packaged_settings = false starts from nothing"


def read_library(
    config: InferenceConfig,
    source: SettingsDirectory,
    keys: Collection[str],
    named: Collection[str],
    report: ProblemReport,
) -> Iterator[Layer]:
    """Read the library files that one settings directory has.

    Args:
        config: Where the files are.
        source: The settings directory; the `*.local.toml` files of the packaged one are nobody's.
        keys: The keys of `inference_config` that count here: the files that they name are read.
        named: The keys of `inference_config` that somebody stated: what they name must exist.
        report: Where a failure is noted.
    """
    kind = LayerKind.PACKAGED if source.is_packaged else LayerKind.APPLICATION
    for path, prefix in _library_files(config, keys, named, report):
        if source.is_packaged and is_local(path):
            continue
        parse = parse_once if source.is_packaged else parse_toml
        document = read_toml_file(path, prefix, report, source.display, parse)
        if document is not None:
            layer_kind, name = LayerKind.LOCAL if is_local(path) else kind, document.file.name
            origin = Origin(layer_kind, name, document.file, tree_prefix=prefix, is_packaged=source.is_packaged)
            yield Layer(origin, nest(prefix, _without_repeated(document, prefix, report)))


def expect_library(config: InferenceConfig, stated: Collection[str], report: ProblemReport) -> None:
    """Note the library files that are missing while no other layer states their part of the tree.

    What such a file would have stated is unknown from here on, so that nothing else is blamed on it.

    Args:
        config: Where the files are expected.
        stated: The parts of the tree that some layer states.
        report: Where what is missing is noted.
    """
    for key, library in LIBRARY_PATHS.items():
        if library.prefix not in stated:
            path, prefix = getattr(config, key), (library.prefix,)
            expected = "a directory of TOML files" if library.is_directory else "a TOML file"
            found = "none in it" if os.path.isdir(path) else "nothing here"
            near = NearName(path.name, _others_beside(path, library), otherwise=_STARTS_FROM_NOTHING)
            place = Place(display_path(path))
            report.unreadable(prefix, f"expected {expected}, found {found}", place, hint=near, unless=[prefix])


def _others_beside(path: Path, library: LibraryPath) -> list[str]:
    """What may have been meant to be a library file or directory: whatever lies beside it and has no name of ours."""
    others = filterfalse((*MAIN_FILES, *_USUAL_NAMES).__contains__, names_in(path.parent))
    return [name for name in others if os.path.isdir(path.parent / name) is library.is_directory]


def _without_repeated(document: TomlDocument, prefix: KeyPath, report: ProblemReport) -> Table:
    """What a library file states, without the tables that belong to a main file or are written as there."""
    repeated = {key: _repeated(key, content, prefix) for key, content in document.table.items()}
    for keys in filter(None, repeated.values()):
        content = value_at(document.table, keys)
        first: KeyPath = next(((key,) for key, value in content.items() if isinstance(value, dict)), ())
        found, place = f"[{join_keys((*keys, *first))}]", document.file.place((*keys, *first))
        if keys[-1] in prefix and keys[0] in (_USUAL_ENVIRONMENT, ROOT, *prefix):
            expected = f"[{join_keys(first)}]" if first else "keys without a header"
            hint = f"the file stands for {format_key_path(prefix)} already"
            report.unreadable(prefix, f"expected {expected}, found {found}", place, hint=hint)
        else:
            report.unreadable(prefix, f"{found} is a table of {MAIN_FILES[0]}", place, hint="move it there")
    return {key: content for key, content in document.table.items() if not repeated[key]}


def _repeated(key: str, content: Any, prefix: KeyPath) -> KeyPath:
    """The keys with which a table begins as in a main file; none where it does not.

    Args:
        key: The table's key in a library file.
        content: The table.
        prefix: The key path in the tree of what the file states.
    """
    if not isinstance(content, dict):
        return ()
    start: KeyPath = ()
    if key == ROOT:
        start = (ROOT,)
    elif isinstance(content.get(ROOT), dict):
        start = (key, ROOT)
    elif key != prefix[0] or not content or not all(isinstance(value, dict) for value in content.values()):
        return ()
    paths = prefixes((*start, *prefix))
    *_, keys = (), *takewhile(lambda path: isinstance(value_at({key: content}, path), dict), paths)
    return keys


def _library_files(
    config: InferenceConfig, keys: Collection[str], named: Collection[str], report: ProblemReport
) -> Iterator[tuple[Path, KeyPath]]:
    """The files that exist, in order, each with the key path of what it states."""
    for key in filter(keys.__contains__, LIBRARY_PATHS):
        library, path = LIBRARY_PATHS[key], getattr(config, key)
        # A directory in a file's place is told by whoever reads it.
        # Text, for `Path` raises where a name is too long, or where a folder on the way may not be searched.
        kind, is_there = ("directory", os.path.isdir) if library.is_directory else ("file", os.path.exists)
        if not is_there(path) and (os.path.exists(path) or key in named):
            problem = f"expected a {kind} at {display_path(path)}, found {file_or_nothing(path)}"
            report.unreadable((library.prefix,), problem, path=(CONFIG_KEY, key))
            continue
        for file in _files_of(path, library, report):
            backend = file.name.removesuffix(LOCAL_SUFFIX).removesuffix(".toml")
            yield file, (library.prefix, backend) if library.is_per_backend else (library.prefix,)


def _files_of(path: Path, library: LibraryPath, report: ProblemReport) -> Iterable[Path]:
    if not library.is_directory:
        # A link that leads nowhere exists: reading it says so.
        return filter(os.path.lexists, (path, local_path(path)))
    on_error = partial(_note_folder, (library.prefix,), report)
    # A folder beside the files of backends names no backend, so it holds nothing of ours.
    return find_toml_files(path, is_recursive=not library.is_per_backend, on_error=on_error)


def _note_folder(prefix: KeyPath, report: ProblemReport, error: OSError) -> None:
    """Note a folder that cannot be read; one that is not there states nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        report.unreadable(prefix, f"cannot be read: {error.strerror}", Place(display_path(Path(error.filename))))
