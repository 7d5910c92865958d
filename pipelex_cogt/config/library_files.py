"""The library files of a settings directory: backends, model specs, routing profiles and the deck."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from pipelex_cogt.config.inference_config import LIBRARY_PATHS, InferenceConfig, LibraryPath
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import nest
from pipelex_cogt.config.toml_files import LOCAL_SUFFIX, display_path, find_toml_files, is_local, read_toml_file


def read_library(
    config: InferenceConfig,
    keys: Collection[str],
    named: Collection[str],
    report: ProblemReport,
    *,
    is_packaged: bool,
) -> Iterator[Layer]:
    """Read the library files that one settings directory has.

    Args:
        config: Where the files are.
        keys: The keys of `inference_config` whose files are read.
        named: The keys of `inference_config` that somebody stated: what they name must exist.
        report: Where a failure is noted.
        is_packaged: Whether the directory ships with the package; its `*.local.toml` files are nobody's.
    """
    _check_named(config, named, report)
    base = LayerKind.PACKAGED if is_packaged else LayerKind.APPLICATION
    for path, prefix in _library_files(config, keys, report):
        if is_packaged and is_local(path):
            continue
        document = read_toml_file(path, prefix, report)
        if document is not None:
            kind = LayerKind.LOCAL if is_local(path) else base
            origin = Origin(kind, document.file.name, document.file, tree_prefix=prefix, is_packaged=is_packaged)
            yield Layer(origin, nest(prefix, document.table))


def _check_named(config: InferenceConfig, named: Collection[str], report: ProblemReport) -> None:
    """Note what somebody named and is missing, and files where directories belong."""
    for key, library in LIBRARY_PATHS.items():
        path: Path = getattr(config, key)
        if library.is_directory:
            kind, is_right, is_wrong = "directory", path.is_dir(), path.exists()
        else:
            # A directory in its place is told by whoever reads it.
            kind, is_right, is_wrong = "file", path.exists(), False
        if not is_right and (is_wrong or key in named):
            found = "a file" if is_wrong else "nothing"
            problem = f"expected a {kind} at {display_path(path)}, found {found}"
            report.unreadable((library.prefix,), problem, path=("inference_config", key))


def _library_files(
    config: InferenceConfig, keys: Collection[str], report: ProblemReport
) -> Iterator[tuple[Path, KeyPath]]:
    """The files that exist, in order, each with the key path of what it states."""
    for key, library in LIBRARY_PATHS.items():
        if key in keys:
            for file in _files_of(getattr(config, key), library, report):
                backend = (file.name.removesuffix(LOCAL_SUFFIX).removesuffix(".toml"),)
                yield file, (library.prefix, *(backend if library.is_per_backend else ()))


def _files_of(path: Path, library: LibraryPath, report: ProblemReport) -> Iterable[Path]:
    if not library.is_directory:
        return _with_local(path)
    on_error = partial(_note_folder, (library.prefix,), report)
    # A folder beside the files of backends names no backend, so it holds nothing of ours.
    return find_toml_files(path, is_recursive=not library.is_per_backend, on_error=on_error)


def _note_folder(prefix: KeyPath, report: ProblemReport, error: OSError) -> None:
    """Note a folder that cannot be read; one that is not there states nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        report.unreadable(prefix, f"cannot be read: {error.strerror}", Place(display_path(Path(error.filename))))


def _with_local(path: Path) -> Iterator[Path]:
    """A file and its local one, where they exist; a link that leads nowhere exists, and reading it says so."""
    local = path.with_name(path.name.removesuffix(".toml") + LOCAL_SUFFIX)
    return (file for file in (path, local) if os.path.lexists(file))
