"""`cogt.inference_config`: where a settings directory keeps its files, and how backends are chosen."""

from __future__ import annotations

import os
from enum import StrEnum
from itertools import filterfalse
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from pipelex_cogt.config.settings_model import SettingsModel
from pipelex_cogt.config.tables import Table
from pipelex_cogt.config.toml_files import find_toml_files, is_local

CONFIG_KEY = "inference_config"


class LibraryPath(NamedTuple):
    """A key of `inference_config` that says where files are.

    Attributes:
        default: Where they are in a settings directory that says nothing.
        prefix: The part of the tree that they state.
        is_directory: Whether it names a directory, or one file.
        is_per_backend: Whether each file of the directory belongs to the backend that it is named after.
    """

    default: str
    prefix: str
    is_directory: bool = False
    is_per_backend: bool = False


LIBRARY_PATHS = {
    "backends_library_path": LibraryPath("backends.toml", "backends"),
    "model_specs_dir": LibraryPath("backends", "models", is_directory=True, is_per_backend=True),
    "routing_profile_library_path": LibraryPath("routing.toml", "routing"),
    "llm_deck_dir": LibraryPath("deck", "deck", is_directory=True),
}


class MissingCredentials(StrEnum):
    """What a credential that no source holds means at load."""

    PREFER = "prefer"
    """Its backend is left out, as long as some backend has credentials of its own."""
    DEFER = "defer"
    """Nothing: whoever uses its backend hears of it."""
    SKIP = "skip"
    """Its backend is left out."""
    ERROR = "error"
    """The load is refused."""


class InferenceConfig(SettingsModel):
    """Where the other files of a settings directory are, and which backends the application uses."""

    use_packaged_settings: bool = True
    """Whether the application's settings lie over the packaged ones, or start from nothing."""
    enabled_backends: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    """Narrows the backends in use to these. One that its own `enabled` switches off stays off."""
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
        return [*filterfalse(is_local, find_toml_files(self.llm_deck_dir, is_recursive=True))]


def anchored(table: Table, directory: Path) -> Table:
    """A layer's table with the paths of its `inference_config` absolute: they are relative to a directory."""
    stated = table.get(CONFIG_KEY)
    if not isinstance(stated, dict):
        return table
    absolute = dict(stated)
    for key, value in stated_paths(stated).items():
        # What is no path stays as it is, for validation to refuse.
        if isinstance(value, str | os.PathLike):
            absolute[key] = str(directory / value)
    return {**table, CONFIG_KEY: absolute}


def stated_paths(stated: Table) -> Table:
    """What an `inference_config` says of where files are, without its choices."""
    return {key: stated[key] for key in LIBRARY_PATHS if key in stated}


def default_paths(directory: Path) -> Table:
    """Where a settings directory keeps its files when it says nothing."""
    return {key: str(directory / library.default) for key, library in LIBRARY_PATHS.items()}
