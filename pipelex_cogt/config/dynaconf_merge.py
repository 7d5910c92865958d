"""The seam to Dynaconf: it merges the layers in order and is the registry of who stated what.

Every layer enters with one `set()` and a `SourceMetadata` of its own, wrapped. Dynaconf passes what it takes for no
dictionary on whole: it neither rewrites keys, nor evaluates text such as `@format`, nor walks through thousands of
models. Its merge rule is replaced by ours: tables merge by exact key, lists and scalars replace, and `"..."` in a list
stands for what is below. The object starts without Dynaconf's loaders, so that no `*_FOR_DYNACONF` or `DYNACONF_*`
variable and no stray file reaches it, and an application's own Dynaconf is left alone.

Its history is public: `dynaconf.get_history(manager.settings.dynaconf, "cogt.routing.active")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import takewhile
from typing import Any, NamedTuple

from dynaconf.base import Settings as DynaconfSettings
from dynaconf.loaders.base import SourceMetadata
from dynaconf.nodes import DataDict

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerIndex, Location, Origin
from pipelex_cogt.config.older_spellings import path_in_defaults
from pipelex_cogt.config.tables import Merged, Table, goes_on, trace_items, value_at

_ROOT = "COGT"


class _Wrapped(NamedTuple):
    """A layer on its way in. It equals no table, so that Dynaconf merges it whatever it holds."""

    layer: Layer


class LayeredDynaconf(DynaconfSettings):  # type: ignore[misc]  # because: Dynaconf ships without types
    """Dynaconf's settings object with this package's merge rule. It is there to be read; secrets are sealed in it."""

    def __init__(self, layers: Iterable[Layer] = ()) -> None:
        # Boxes would copy the whole tree for every layer, for the sake of attribute look-up.
        skipped = {"dynaconf_skip_loaders": True, "dynaconf_skip_validators": True}
        super().__init__(**skipped, dynaboxify=False, DOTTED_LOOKUP_FOR_DYNACONF=True)
        self.store[_ROOT] = self._merged.table
        # The history is the registry of layers; Dynaconf's note of the arguments above is none.
        self.loaded_by_loaders.clear()
        for layer in layers:
            self.add(layer)

    def __reduce__(self) -> tuple[Callable[[tuple[Layer, ...]], LayeredDynaconf], tuple[tuple[Layer, ...]]]:
        is_boxed = isinstance(self.tree(), DataDict)
        return _boxed_again if is_boxed else LayeredDynaconf, (self.layers(),)

    def add(self, layer: Layer) -> None:
        """Lay one layer over what is there."""
        origin = layer.origin
        source = SourceMetadata(origin.kind.label, origin.name, origin.environment or "global", merged=True)
        if source in self.loaded_by_loaders:
            # One file that is named for two parts of the tree is two layers.
            source = source._replace(identifier=f"{origin.name} as {'.'.join(map(str, origin.tree_prefix))}")
        self.set(_ROOT, _Wrapped(layer), loader_identifier=source, dotted_lookup=False, validate=False)
        self._sources.clear()
        self.__dict__.pop("_index", None)
        # People who read the history find the table.
        self.loaded_by_loaders[source][_ROOT] = layer

    def boxed(self) -> LayeredDynaconf:
        """The same layers with the merged settings in Dynaconf's boxes, for `get("cogt.routing.active")`."""
        boxed = LayeredDynaconf(self.layers())
        boxed.store.clear()
        boxed.store[_ROOT] = DataDict(self.tree(), box_settings=boxed)
        return boxed

    def from_env(self, *_arguments: Any, **_options: Any) -> LayeredDynaconf:
        """The same: one load holds one environment, and `dynaconf.inspect_settings(…, env=…)` filters the history."""
        return self

    def _merge_before_set(
        self, existing: Table, value: _Wrapped, identifier: SourceMetadata, **_options: Any
    ) -> tuple[Table, SourceMetadata]:
        self._merged.lay(value.layer)
        return existing, identifier

    @cached_property
    def _merged(self) -> Merged:
        # Dynaconf takes an attribute that is set for a setting.
        return Merged()

    def tree(self) -> Table:
        """The merged settings, which change with each layer that is added."""
        tree: Table = self.store[_ROOT]
        return tree

    def layers(self) -> tuple[Layer, ...]:
        """Every layer, lowest first."""
        return tuple(data[_ROOT] for data in self.loaded_by_loaders.values())

    def layers_stating(self, path: KeyPath) -> list[Layer]:
        """The layers that state something at a key path, lowest first."""
        return self._index.stating(path)

    @cached_property
    def _index(self) -> LayerIndex:
        return LayerIndex((layer, layer) for layer in self.layers())

    def origin_of(self, path: KeyPath) -> Origin | None:
        """What states a key path, or the nearest table above it, last."""
        found = self._stating_last(path)
        return found and found[0]

    def locate(self, path: KeyPath) -> Location:
        """Where a key path, or the nearest table above it, is stated last."""
        source = self._source_of_item(path)
        if source is not None:
            origin, stated = source
            return Location(origin.place(stated), origin.is_packaged, path)
        found = self._stating_last(path)
        if found is None:
            return Location()
        origin, place = found
        return Location(origin.place(path), origin.is_packaged, place, origin)

    def _stating_last(self, path: KeyPath) -> tuple[Origin, KeyPath] | None:
        """What states a key path, or the nearest table above it, last, and which of the two."""
        place, stating = self._index.nearest(path)
        return (stating[-1].origin, place) if place else None

    def _source_of_item(self, path: KeyPath) -> tuple[Origin, KeyPath] | None:
        """Which layer states an item of a list that goes on with what is below, and where; None for other places."""
        above = (*takewhile(lambda key: isinstance(key, str), path),)
        if above == path:
            return None
        index, below = int(path[len(above)]), path[len(above) + 1 :]
        if above not in self._sources:
            self._sources[above] = [*self._trace(above)]
        found = self._sources[above][index : index + 1]
        return next(((origin, (*place, *below)) for origin, place in found), None)

    @cached_property
    def _sources(self) -> dict[KeyPath, list[tuple[Origin, KeyPath]]]:
        """What was found out of the items of lists, by the key path of the list."""
        # Dynaconf takes an attribute that is set for a setting.
        return {}

    def _trace(self, path: KeyPath) -> Iterator[tuple[Origin, KeyPath]]:
        """Which layer states each item of a list that goes on with what is below, and where; nothing for another."""
        places = filter(None, (path_in_defaults(path), path))
        stated = [(layer, place) for place in places for layer in self.layers_stating(place)]
        values = [value_at(layer, place) for layer, place in stated]
        if any(map(goes_on, values)):
            for number, position in trace_items(values):
                layer, place = stated[number]
                yield layer.origin, (*place, position)


def _boxed_again(layers: tuple[Layer, ...]) -> LayeredDynaconf:
    """What a pickle or a copy of boxed layers becomes."""
    return LayeredDynaconf(layers).boxed()
