"""Flat prices: who states one says what the price is, so what is below of how it rises is taken away.

    # packaged                                       # the application's
    ["gpt-6.1-sol".costs]                            ["gpt-6.1-sol".costs]
    input = 2.0                                      input = 1.5
    tiers = [{ above = 272_000, input = 4.0 }]

A layer with a flat price is given an empty list for each of `tiers` and `from` that a layer below states, so that the
merge, Dynaconf's history and `explain` all say the same; so is a model's own table over the `[defaults]` of its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelex_cogt.config.layers import Layer
from pipelex_cogt.config.tables import Table, merge, value_at

_COSTS = "costs"
_RISES = ("tiers", "from")
"""The keys of costs that say when a flat price holds no more."""
_FACTORS = ("batch", "batch_cached")
"""The keys of costs that are factors of any price."""


def settle_layer(layer: Layer, below: Table) -> Layer:
    """A layer on its way over others, in which a flat price takes away what these say of how it rises.

    Args:
        layer: The layer.
        below: What the layers below it merge to.
    """
    files = layer.get("models")
    lower = below.get("models")
    # The lowest layers lie over nothing, and they state most of the models.
    if not isinstance(files, dict) or not isinstance(lower, dict):
        return layer
    settled = dict(_settled(files, lower))
    return Layer(layer.origin, merge(layer, {"models": settled})) if settled else layer


def settle_table(table: Table, below: Table) -> Table:
    """A model's table, in which a flat price takes away what the table below it says of how it rises."""
    taken = _taken_away(table.get(_COSTS), below.get(_COSTS))
    return merge(table, {_COSTS: {key: [] for key in taken}}) if taken else table


def settle_file(models: Table, below: Table) -> Table:
    """The tables of a file's models, of which each takes away as `settle_table` says what those below it say."""
    return merge(models, dict(_settled_models(models, below)))


def _settled(files: Table, lower: Table) -> Iterator[tuple[str, Table]]:
    """The files of which a model is settled, each with those models."""
    for name, file in files.items():
        below = lower.get(name)
        if below and isinstance(file, dict) and isinstance(below, dict):
            settled = dict(_settled_models(file, below))
            if settled:
                yield name, settled


def _settled_models(file: Table, below: Table) -> Iterator[tuple[str, Table]]:
    for model, table in file.items():
        taken = _taken_away(value_at(table, (_COSTS,)), value_at(below, (model, _COSTS)))
        if taken:
            yield model, {_COSTS: {key: [] for key in taken}}


def _taken_away(costs: Any, below: Any) -> list[str]:
    """The keys of the costs below that the costs above take away."""
    if not isinstance(costs, dict) or not isinstance(below, dict):
        return []
    states_price = any(key not in _RISES and key not in _FACTORS for key in costs)
    return [key for key in _RISES if states_price and key not in costs and below.get(key)]
