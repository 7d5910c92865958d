"""The library files of a settings directory: backends, model specs, routing profiles and the deck."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from pipelex_cogt.config.directories import file_or_nothing
from pipelex_cogt.config.inference_config import CONFIG_KEY, LIBRARY_PATHS, InferenceConfig, LibraryPath
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import nest
from pipelex_cogt.config.toml_files import LOCAL_SUFFIX, display_path, find_toml_files, is_local, read_toml_file


def read_library(
    config: InferenceConfig, kind: LayerKind, keys: Collection[str], named: Collection[str], report: ProblemReport
) -> Iterator[Layer]:
    """Read the library files that one settings directory has.

    Args:
        config: Where the files are.
        kind: The layers that they state: those of the package, whose `*.local.toml` files are nobody's, or of the
            application.
        keys: The keys of `inference_config` that count here: the files that they name are read.
        named: The keys of `inference_config` that somebody stated: what they name must exist.
        report: Where a failure is noted.
    """
    is_packaged = kind is LayerKind.PACKAGED
    for path, prefix in _library_files(config, keys, named, report):
        if is_packaged and is_local(path):
            continue
        document = read_toml_file(path, prefix, report)
        if document is not None:
            layer_kind = LayerKind.LOCAL if is_local(path) else kind
            origin = Origin(layer_kind, document.file.name, document.file, tree_prefix=prefix, is_packaged=is_packaged)
            yield Layer(origin, nest(prefix, document.table))


def _library_files(
    config: InferenceConfig, keys: Collection[str], named: Collection[str], report: ProblemReport
) -> Iterator[tuple[Path, KeyPath]]:
    """The files that exist, in order, each with the key path of what it states."""
    for key in filter(keys.__contains__, LIBRARY_PATHS):
        library, path = LIBRARY_PATHS[key], getattr(config, key)
        # A directory in a file's place is told by whoever reads it.
        kind, is_there = ("directory", path.is_dir()) if library.is_directory else ("file", path.exists())
        if not is_there and (path.exists() or key in named):
            problem = f"expected a {kind} at {display_path(path)}, found {file_or_nothing(path)}"
            report.unreadable((library.prefix,), problem, path=(CONFIG_KEY, key))
        for file in _files_of(path, library, report):
            backend = file.name.removesuffix(LOCAL_SUFFIX).removesuffix(".toml")
            yield file, (library.prefix, backend) if library.is_per_backend else (library.prefix,)


def _files_of(path: Path, library: LibraryPath, report: ProblemReport) -> Iterable[Path]:
    if not library.is_directory:
        local = path.with_name(path.name.removesuffix(".toml") + LOCAL_SUFFIX)
        # A link that leads nowhere exists: reading it says so.
        return filter(os.path.lexists, (path, local))
    on_error = partial(_note_folder, (library.prefix,), report)
    # A folder beside the files of backends names no backend, so it holds nothing of ours.
    return find_toml_files(path, is_recursive=not library.is_per_backend, on_error=on_error)


def _note_folder(prefix: KeyPath, report: ProblemReport, error: OSError) -> None:
    """Note a folder that cannot be read; one that is not there states nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        report.unreadable(prefix, f"cannot be read: {error.strerror}", Place(display_path(Path(error.filename))))
