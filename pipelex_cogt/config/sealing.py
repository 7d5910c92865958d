"""Sealing: literal secrets in the backends' tables are wrapped as soon as a layer is read.

From then on no tree, history, message or traceback holds them as plain text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Table
from pipelex_cogt.config.references import holds_reference
from pipelex_cogt.config.secrets import SealedText, names_secret

_SECRET_LAYERS = (LayerKind.SECRETS_FILE, LayerKind.SECRETS_DIRECTORY)
_PLAIN_KEYS = ("enabled", "display_name")


def seal_layer(layer: Layer) -> Layer:
    """The layer with the literal secrets of its backends sealed."""
    backends = layer.table.get("backends")
    if not isinstance(backends, dict):
        return layer
    is_secret = layer.origin.kind in _SECRET_LAYERS
    sealed = {
        name: {key: _seal(key, value, is_secret=is_secret) for key, value in table.items()}
        if isinstance(table, dict)
        else table
        for name, table in backends.items()
    }
    return Layer(layer.origin, {**layer.table, "backends": sealed})


def _seal(key: str, value: Any, *, is_secret: bool) -> Any:
    is_secret = key not in _PLAIN_KEYS and (is_secret or names_secret(key))
    if isinstance(value, dict):
        return {inner: _seal(inner, item, is_secret=is_secret) for inner, item in value.items()}
    if isinstance(value, list):
        return [_seal(key, item, is_secret=is_secret) for item in value]
    if is_secret and isinstance(value, str) and not holds_reference(value):
        return SealedText(value.replace("$${", "${"))
    return value


def seal_overrides(overrides: Mapping[str, Any] | None) -> Table:
    """The overrides given in code, copied and with their literal secrets sealed."""
    table: Table = _plain_copy(overrides or {})
    return seal_layer(Layer(Origin(LayerKind.OVERRIDES, "overrides"), table)).table


def _plain_copy(value: Any) -> Any:
    """Mappings as dictionaries and sequences as lists, as a TOML file would have stated them."""
    if isinstance(value, Mapping):
        return {key: _plain_copy(item) for key, item in value.items()}
    return [_plain_copy(item) for item in value] if isinstance(value, list | tuple) else value
