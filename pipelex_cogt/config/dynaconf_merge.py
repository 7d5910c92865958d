"""The seam to Dynaconf: it merges the layers in order and keeps the history of who stated what.

Every layer enters with one `set()` and a `SourceMetadata` of its own, as a read-only view. Dynaconf passes such a view
on whole: it neither rewrites keys, nor evaluates text such as `@format`, nor walks through thousands of models. Its
merge rule is replaced by ours: tables merge by exact key, lists and scalars replace. The object starts without
Dynaconf's loaders, so no `*_FOR_DYNACONF` or `DYNACONF_*` variable and no stray file reaches it, and an application's
own Dynaconf is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dynaconf.base import Settings as DynaconfSettings
from dynaconf.loaders.base import SourceMetadata

from pipelex_cogt.config.layers import Layer, Table, merge

_ROOT = "COGT"


class LayeredDynaconf(DynaconfSettings):  # type: ignore[misc]  # because: Dynaconf ships without types
    """Dynaconf's settings object with this package's merge rule."""

    def __init__(self) -> None:
        super().__init__(dynaconf_skip_loaders=True, dynaconf_skip_validators=True)

    def add(self, layer: Layer) -> None:
        """Lay one layer over what is there."""
        origin = layer.origin
        source = SourceMetadata(origin.kind.label, origin.name, origin.environment or "global")
        view = MappingProxyType(layer.table)
        self.set(_ROOT, view, loader_identifier=source, dotted_lookup=False, validate=False)

    def tree(self) -> Table:
        """The merged settings."""
        view: Mapping[str, Any] = self.get(_ROOT, {}, dotted_lookup=False)
        return dict(view)

    def _merge_before_set(
        self, existing: Mapping[str, Any], value: Mapping[str, Any], identifier: SourceMetadata, **_options: Any
    ) -> tuple[Mapping[str, Any], SourceMetadata]:
        merged = MappingProxyType(merge(dict(existing), dict(value)))
        return merged, identifier._replace(merged=True)
