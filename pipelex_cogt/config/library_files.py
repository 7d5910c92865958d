"""The library files of a settings directory: backends, model specs, routing profiles and the deck."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from pipelex_cogt.config.inference_config import (
    LIBRARY_PATHS,
    LIBRARY_PREFIXES,
    LOCAL_SUFFIX,
    InferenceConfig,
    is_local,
    toml_files,
)
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, nest
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path, read_toml_file


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
        table = read_toml_file(path, prefix, report)
        if table is not None:
            kind = LayerKind.LOCAL if is_local(path) else base
            origin = Origin(kind, display_path(path), path, tree_prefix=prefix, is_packaged=is_packaged)
            yield Layer(origin, nest(prefix, table))


def _check_named(config: InferenceConfig, named: Collection[str], report: ProblemReport) -> None:
    for key in LIBRARY_PATHS:
        path: Path = getattr(config, key)
        kind, exists = ("directory", path.is_dir()) if key.endswith("_dir") else ("file", path.exists())
        if not exists and (key in named or (kind == "directory" and path.exists())):
            found = "a file" if path.exists() else "nothing"
            problem = f"expected a {kind} at {display_path(path)}, found {found}"
            report.unreadable((LIBRARY_PREFIXES[key],), problem, path=("inference_config", key))


def _library_files(
    config: InferenceConfig, keys: Collection[str], report: ProblemReport
) -> Iterator[tuple[Path, KeyPath]]:
    """The files that exist, in order, each with the key path of what it states."""
    if "backends_library_path" in keys:
        yield from _with_local(config.backends_library_path, ("backends",))
    if "model_specs_dir" in keys:
        on_error = partial(_note_folder, ("models",), report)
        for specs in toml_files(config.model_specs_dir, is_recursive=False, on_error=on_error):
            yield specs, ("models", specs.name.removesuffix(LOCAL_SUFFIX).removesuffix(".toml"))
    if "routing_profile_library_path" in keys:
        yield from _with_local(config.routing_profile_library_path, ("routing",))
    if "llm_deck_dir" in keys:
        on_error = partial(_note_folder, ("deck",), report)
        yield from ((deck, ("deck",)) for deck in toml_files(config.llm_deck_dir, is_recursive=True, on_error=on_error))


def _note_folder(prefix: KeyPath, report: ProblemReport, error: OSError) -> None:
    """Note a folder that cannot be read; one that is not there states nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        report.unreadable(prefix, f"cannot be read: {error.strerror}", Place(display_path(Path(error.filename))))


def _with_local(path: Path, prefix: KeyPath) -> Iterator[tuple[Path, KeyPath]]:
    local = path.with_name(path.name.removesuffix(".toml") + LOCAL_SUFFIX)
    yield from ((file, prefix) for file in (path, local) if os.path.lexists(file))
