"""`cogt.inference_config`: where a settings directory keeps its files, and how backends are chosen."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipelex_cogt.config.layers import Table

CONFIG_KEY = "inference_config"
LOCAL_SUFFIX = ".local.toml"
LIBRARY_PATHS = {
    "backends_library_path": "backends.toml",
    "model_specs_dir": "backends",
    "routing_profile_library_path": "routing.toml",
    "llm_deck_dir": "deck",
}
"""The keys that name files and directories, each with its default in a settings directory."""
LIBRARY_PREFIXES = {
    "backends_library_path": "backends",
    "model_specs_dir": "models",
    "routing_profile_library_path": "routing",
    "llm_deck_dir": "deck",
}
"""The part of the tree that each of them states."""


class MissingCredentials(StrEnum):
    """What a credential that no source holds means at load."""

    DEFER = "defer"
    SKIP = "skip"
    ERROR = "error"


class InferenceConfig(BaseModel):
    """Where the other files of a settings directory are, and which backends the application uses."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    use_packaged_settings: bool = True
    """Whether the application's settings lie over the packaged ones, or start from nothing."""
    enabled_backends: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    """The backends in use; where it is set it decides, whatever the backends' own `enabled` say."""
    missing_credentials: Annotated[MissingCredentials, Field(strict=False)] = MissingCredentials.DEFER
    """What a missing credential means at load."""
    backends_library_path: Annotated[Path, Field(strict=False)]
    """The file with one table per backend."""
    model_specs_dir: Annotated[Path, Field(strict=False)]
    """The directory with one file of model specs per backend."""
    routing_profile_library_path: Annotated[Path, Field(strict=False)]
    """The file with the routing profiles."""
    llm_deck_dir: Annotated[Path, Field(strict=False)]
    """The directory with the deck's files, read recursively."""

    def model_specs_path(self, backend_name: str) -> Path:
        """The file with a backend's model specs."""
        return self.model_specs_dir / f"{backend_name}.toml"

    def get_llm_deck_paths(self) -> list[Path]:
        """The deck's files without the local ones, sorted by path."""
        return [path for path in toml_files(self.llm_deck_dir, is_recursive=True) if not is_local(path)]


def is_local(path: Path) -> bool:
    """Whether a file holds one person's own changes to the file beside it."""
    return path.name.endswith(LOCAL_SUFFIX)


def toml_files(
    directory: Path, *, is_recursive: bool, on_error: Callable[[OSError], object] | None = None
) -> list[Path]:
    """The TOML files of a directory, sorted by path as text; `on_error` hears of folders that cannot be read."""
    found: list[str] = []
    for root, folders, names in os.walk(directory, onerror=on_error):
        found += (os.path.join(root, name) for name in [*names, *folders] if _is_settings(name))
        folders[:] = (folder for folder in folders if not folder.startswith("."))
        if not is_recursive:
            folders.clear()
    return [Path(path) for path in sorted(found)]


def _is_settings(name: str) -> bool:
    """Whether a file is one of the person's own, rather than what an editor or a file system leaves beside it."""
    return name.endswith(".toml") and not name.startswith((".#", "._")) and name != LOCAL_SUFFIX


def anchored(table: Table, directory: Path) -> Table:
    """A layer's table with the paths of its `inference_config` absolute: they are relative to a directory."""
    stated = table.get(CONFIG_KEY)
    if not isinstance(stated, dict):
        return table
    absolute = {
        key: str(directory / value) if key in LIBRARY_PATHS and isinstance(value, str | os.PathLike) else value
        for key, value in stated.items()
    }
    return {**table, CONFIG_KEY: absolute}


def default_paths(directory: Path) -> Table:
    """Where a settings directory keeps its files when it says nothing."""
    return {key: str(directory / name) for key, name in LIBRARY_PATHS.items()}
