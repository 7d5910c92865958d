"""Reasoning: a preset has an effort or a budget, so who states one takes away the other that is stated below.

    # packaged                          # the application's
    [llm_presets.llm_to_reason]         [llm_presets.llm_to_reason]
    reasoning_effort = "high"           reasoning_budget = 8_000

The layer is given an empty text for the other one, which means none, so that the merge, Dynaconf's history and
`explain` all say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelex_cogt.config.layers import Layer
from pipelex_cogt.config.tables import Table, merge, value_at

_PRESETS = ("deck", "llm_presets")
_OTHERS = {"reasoning_effort": "reasoning_budget", "reasoning_budget": "reasoning_effort"}


def settle_reasoning(layer: Layer, below: Table) -> Layer:
    """A layer on its way over others, in which a preset takes away how else the layers below have it reason.

    Args:
        layer: The layer.
        below: What the layers below it merge to.
    """
    presets, lower = value_at(layer, _PRESETS), value_at(below, _PRESETS)
    if not isinstance(presets, dict) or not isinstance(lower, dict):
        return layer
    taken = {name: {other: ""} for name, table in presets.items() for other in _taken_away(table, lower.get(name))}
    return Layer(layer.origin, merge(layer, {"deck": {"llm_presets": taken}})) if taken else layer


def _taken_away(preset: object, below: object) -> Iterator[str]:
    """The key below that a preset above takes away; none where it states both, or none, itself."""
    if isinstance(preset, dict) and isinstance(below, dict):
        for key, other in _OTHERS.items():
            if preset.get(key, "") != "" and other not in preset and other in below:
                yield other
