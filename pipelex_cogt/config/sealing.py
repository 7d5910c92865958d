"""Sealing: text in the backends' tables that holds a secret is wrapped as soon as a layer is read.

From then on no tree, history, message or traceback holds it plainly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from pipelex_cogt.config.layers import Layer, LayerKind, Origin
from pipelex_cogt.config.secrets import SealedText, mask_setting, names_secret

_SECRET_LAYERS = (LayerKind.SECRETS_FILE, LayerKind.SECRETS_DIRECTORY)
_PLAIN_KEYS = ("enabled", "display_name")
_TEXT_KEYS = ("endpoint", "api_key")


def seal_layer(layer: Layer) -> Layer:
    """The layer with the secrets of its backends sealed."""
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


def _seal(key: Any, value: Any, *, is_secret: bool) -> Any:
    is_secret = key not in _PLAIN_KEYS and (is_secret or names_secret(str(key)))
    if isinstance(value, dict):
        return {inner: _seal(inner, item, is_secret=is_secret) for inner, item in value.items()}
    if isinstance(value, list):
        return [_seal(key, item, is_secret=is_secret) for item in value]
    if isinstance(value, SecretStr):
        return SealedText(value.get_secret_value())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return SealedText(str(value), number=value) if is_secret and key not in _TEXT_KEYS else value
    if not isinstance(value, str):
        return value
    shown = mask_setting(str(key), value, is_secret=is_secret)
    return value if shown == value else SealedText(value, shown)


def seal_overrides(overrides: object) -> Layer | None:
    """The layer of the overrides given in code, copied and sealed; None where they are no mapping."""
    if not isinstance(overrides, Mapping | None):
        return None
    table = _plain_copy(overrides or {})
    return seal_layer(Layer(Origin(LayerKind.OVERRIDES, "overrides"), table))


def _plain_copy(value: Any) -> Any:
    """Mappings as dictionaries and sequences as lists, as a TOML file would have stated them."""
    if isinstance(value, Mapping):
        return {key: _plain_copy(item) for key, item in value.items()}
    return [_plain_copy(item) for item in value] if isinstance(value, list | tuple) else value
