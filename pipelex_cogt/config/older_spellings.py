"""Older spellings: `default_sdk` at the top of a backend's file means the same as `sdk` in its `[defaults]`.

A layer is brought to today's spelling before it is merged, so that a higher layer wins whichever spelling it uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import FrozenDict, Table, merge, value_at

DEFAULTS_KEY = "defaults"
OLDER_SPELLINGS = {"default_sdk": "sdk", "default_prompting_target": "prompting_target"}
"""Keys at the top of a backend's file, each with the key of `[defaults]` that it means."""

_MODEL_PATH: KeyPath = ("models", "backend", "model")


def path_in_defaults(path: KeyPath) -> KeyPath:
    """Where the `[defaults]` of a model's file state what the model's own table states; empty for any other place."""
    is_of_model = path[:1] == _MODEL_PATH[:1] and len(path) > len(_MODEL_PATH) and path[2] != DEFAULTS_KEY
    return (*path[:2], DEFAULTS_KEY, *path[3:]) if is_of_model else ()


def value_in_defaults(tree: Table, path: KeyPath) -> Any:
    """What the `[defaults]` of a model's file state in the place of a key path; None for any other place."""
    place = path_in_defaults(path)
    return value_at(tree, place) if place else None


def modernise_layer(layer: Layer, report: ProblemReport) -> Layer:
    """The layer in today's spelling; each older spelling is a warning."""
    moved = dict(_moves(layer))
    if not moved:
        return layer
    origin = layer.origin._replace(older=FrozenDict(moved))
    files = dict(layer["models"])
    for path, (_, name, older) in moved.items():
        report.warning(path, f"stated in the older spelling {older}", f"write {path[-1]} in [{DEFAULTS_KEY}]", origin)
        file = dict(files[name])
        files[name] = merge(file, {DEFAULTS_KEY: {path[-1]: file.pop(older)}})
    return Layer(origin, {**layer, "models": files})


def _moves(layer: Layer) -> Iterator[tuple[KeyPath, KeyPath]]:
    """The key paths that today's spelling gives to what a layer states in an older one, each with that one."""
    files = layer.get("models")
    names = files if isinstance(files, dict) else ()
    for name, (older, key) in product(names, OLDER_SPELLINGS.items()):
        stated = ("models", name, older)
        defaults = value_at(layer, ("models", name, DEFAULTS_KEY), {})
        # A table of such a name is a model; a key that is stated in both spellings stays where it is.
        is_setting = not isinstance(value_at(layer, stated, {}), dict)
        if is_setting and isinstance(defaults, dict) and key not in defaults:
            yield ("models", name, DEFAULTS_KEY, key), stated
