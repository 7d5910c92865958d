"""Older spellings: `default_sdk` at the top of a backend's file means the same as `sdk` in its `[defaults]`.

A layer is brought to today's spelling before it is merged, so that a higher layer wins whichever spelling it uses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelex_cogt.config.key_paths import KeyPath

if TYPE_CHECKING:
    from pipelex_cogt.config.layers import Layer, Origin
    from pipelex_cogt.config.report import ProblemReport

DEFAULTS_KEY = "defaults"
OLDER_SPELLINGS = {"default_sdk": "sdk", "default_prompting_target": "prompting_target"}
"""Keys at the top of a backend's file, each with the key of `[defaults]` that it means."""
_OLDER_KEYS = {key: older for older, key in OLDER_SPELLINGS.items()}


def older_spelling(path: KeyPath) -> KeyPath:
    """How an older file writes a key path of today; most paths have no older spelling."""
    if path[-2:-1] == (DEFAULTS_KEY,) and path[-1] in _OLDER_KEYS:
        return (*path[:-2], _OLDER_KEYS[str(path[-1])])
    return path


def modernise_layer(layer: Layer, report: ProblemReport) -> Layer:
    """The layer in today's spelling; each older spelling is a warning."""
    files = layer.table.get("models")
    if not isinstance(files, dict) or not any(map(_is_older, files.values())):
        return layer
    modern = {
        name: _modernise(name, file, layer.origin, report) if _is_older(file) else file for name, file in files.items()
    }
    return replace(layer, table={**layer.table, "models": modern})


def _is_older(file: Any) -> bool:
    return isinstance(file, dict) and any(key in file and not isinstance(file[key], dict) for key in OLDER_SPELLINGS)


def _modernise(backend: str, file: dict[str, Any], origin: Origin, report: ProblemReport) -> dict[str, Any]:
    stated = file.get(DEFAULTS_KEY, {})
    if not isinstance(stated, dict):
        return file
    moved: dict[str, Any] = {}
    for older, key in OLDER_SPELLINGS.items():
        if older in file and key not in stated:
            moved[key] = file[older]
            path = ("models", backend, DEFAULTS_KEY, key)
            report.warning(path, f"stated in the older spelling {older}", f"write {key} in [{DEFAULTS_KEY}]", origin)
    rest = {key: value for key, value in file.items() if OLDER_SPELLINGS.get(key) not in moved}
    return {**rest, DEFAULTS_KEY: stated | moved}
