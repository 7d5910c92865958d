"""The settings of one load: what the layers merge to, and who stated what, where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.directories import Directories
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.inference_config import InferenceConfig
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, Place
from pipelex_cogt.config.older_spellings import value_in_defaults
from pipelex_cogt.config.tables import Table, freeze, lay, value_at
from pipelex_cogt.visible import visible


@dataclass(frozen=True, repr=False, eq=False)
class Settings:
    """What one load read, frozen all the way down; what is large is frozen when somebody first asks for it.

    Attributes:
        environment: The environment in force.
        environments: Every environment that exists.
        directories: Where the load looked.
        inference_config: The paths and choices in force.
        credentials: What answers references.
        unfrozen_tree: The tree as the load made it. Whoever builds from it leaves it as it is.
    """

    environment: str
    environments: tuple[str, ...]
    directories: Directories
    inference_config: InferenceConfig
    credentials: Credentials
    unfrozen_tree: Table
    _registry: LayeredDynaconf

    @cached_property
    def tree(self) -> Table:
        """The merged settings under `cogt`, of sound shape."""
        tree: Table = freeze(self.unfrozen_tree)
        return tree

    @property
    def dynaconf(self) -> LayeredDynaconf:
        """The layers for people who know Dynaconf, with secrets sealed; a copy, so that no change reaches the deck.

        `dynaconf.get_history(settings.dynaconf, "cogt.routing.active")` tells what each layer said, and
        `dynaconf.inspect_settings` what is in force beside it.
        """
        return LayeredDynaconf(self.layers).boxed()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer, lowest first."""
        return tuple(layer.frozen() for layer in self._registry.layers())

    def value_at(self, path: KeyPath) -> Any:
        """The value in force at a key path; None where nothing states it.

        A list of a model that goes on with what is below ends with what the `[defaults]` of its file state.
        """
        return lay(value_in_defaults(self.tree, path), value_at(self.tree, path))

    def layers_stating(self, path: KeyPath) -> list[Layer]:
        """The layers that state something at a key path, lowest first."""
        return [layer for layer in self.layers if layer.is_stating(path)]

    def place_of(self, path: KeyPath) -> Place | None:
        """Where a key path, or the nearest table above it, is stated last; None where nothing states it."""
        return self._registry.locate(path).place

    def __repr__(self) -> str:
        return visible(f"{type(self).__name__}(environment={self.environment!r}, {len(self.layers)} layers)")
