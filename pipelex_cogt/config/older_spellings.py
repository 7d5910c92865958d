"""Older spellings: `default_sdk` at the top of a backend's file means the same as `sdk` in its `[defaults]`.

A layer is brought to today's spelling before it is merged, so that a higher layer wins whichever spelling it uses.
"""

from __future__ import annotations

from typing import Any

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, Origin
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import FrozenDict, Table

DEFAULTS_KEY = "defaults"
OLDER_SPELLINGS = {"default_sdk": "sdk", "default_prompting_target": "prompting_target"}
"""Keys at the top of a backend's file, each with the key of `[defaults]` that it means."""


def modernise_layer(layer: Layer, report: ProblemReport) -> Layer:
    """The layer in today's spelling; each older spelling is a warning."""
    files = layer.get("models")
    if not isinstance(files, dict):
        return layer
    modern = {name: _modernise(file) for name, file in files.items() if _is_older(file)}
    if not modern:
        return layer
    moved: dict[KeyPath, KeyPath] = {
        ("models", name, DEFAULTS_KEY, OLDER_SPELLINGS[older]): ("models", name, older)
        for name, file in modern.items()
        for older in OLDER_SPELLINGS
        if older in files[name] and older not in file
    }
    origin = layer.origin._replace(older=FrozenDict(moved))
    for path, stated in moved.items():
        _warn(path, str(stated[-1]), origin, report)
    return Layer(origin, {**layer, "models": {**files, **modern}})


def _is_older(file: Any) -> bool:
    """Whether a backend's file states an older key; a table of such a name is a model."""
    return isinstance(file, dict) and any(key in file and not isinstance(file[key], dict) for key in OLDER_SPELLINGS)


def _modernise(file: Table) -> Table:
    """A backend's file with its older keys moved; one that is stated in both spellings stays where it is."""
    defaults = file.get(DEFAULTS_KEY, {})
    if not isinstance(defaults, dict):
        return file
    moved = {older: key for older, key in OLDER_SPELLINGS.items() if older in file and key not in defaults}
    rest = {key: value for key, value in file.items() if key not in moved}
    return {**rest, DEFAULTS_KEY: {**defaults, **{key: file[older] for older, key in moved.items()}}}


def _warn(path: KeyPath, older: str, origin: Origin, report: ProblemReport) -> None:
    report.warning(path, f"stated in the older spelling {older}", f"write {path[-1]} in [{DEFAULTS_KEY}]", origin)
