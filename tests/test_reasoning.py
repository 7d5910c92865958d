"""Reasoning: of an effort and a budget a preset has what the uppermost layer states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]

FILES = {
    "backends/a.local.toml": "[m1]\nreasoning_efforts = ['low', 'high']\nreasoning_budget = [0, 900]\n",
    "deck/x.toml": "[llm_presets]\neffort = { llm_handle = 'm1', reasoning_effort = 'high' }\n"
    "budget = { llm_handle = 'm1', reasoning_budget = 500 }\n",
}
FILE = "deck/y.local.toml"
ABOVE: dict[str, tuple[str, dict[str, Any], tuple[str | None, int | None]]] = {
    "nothing": ("effort", {}, ("high", None)),
    "a budget in a file": ("effort", {FILE: "[llm_presets.effort]\nreasoning_budget = 0"}, (None, 0)),
    "an effort in a file": ("budget", {FILE: "[llm_presets.budget]\nreasoning_effort = 'low'"}, ("low", None)),
    "another parameter": ("budget", {FILE: "[llm_presets.budget]\nseed = 1"}, (None, 500)),
    "no effort": ("effort", {FILE: "[llm_presets.effort]\nreasoning_effort = ''"}, (None, None)),
    "no budget": ("budget", {FILE: "[llm_presets.budget]\nreasoning_budget = ''"}, (None, None)),
    "a variable": (
        "effort",
        {"environ": {"PIPELEX_COGT__DECK__LLM_PRESETS__EFFORT__REASONING_BUDGET": "7"}},
        (None, 7),
    ),
    "the code": (
        "budget",
        {"overrides": {"deck": {"llm_presets": {"budget": {"reasoning_effort": "low"}}}}},
        ("low", None),
    ),
}


@pytest.mark.parametrize(("preset", "above", "expected"), ABOVE.values(), ids=ABOVE)
def test_what_an_upper_layer_states_takes_the_other_away(
    load: Load, preset: str, above: dict[str, Any], expected: tuple[str | None, int | None]
) -> None:
    files = {**FILES, FILE: above.get(FILE, "")}
    arguments = {key: value for key, value in above.items() if key != FILE}
    manager = load(files, **arguments)
    assert manager.warnings == ()
    parameters = manager.deck.resolve(preset).parameters
    assert (parameters.reasoning_effort, parameters.reasoning_budget) == expected


@pytest.mark.parametrize("layer", ["deck/x.toml", FILE])
def test_both_in_one_layer_is_an_error(problems: Problems, layer: str) -> None:
    both = "[llm_presets.effort]\nllm_handle = 'm1'\nreasoning_budget = 1\nreasoning_effort = 'low'\n"
    place = f"{layer}:3  cogt.deck.llm_presets.effort.reasoning_budget"
    assert problems({**FILES, layer: both}) == [f"{place}: a reasoning_effort is stated too: keep one of the two"]


def test_explain_says_what_was_taken_away_and_by_whom(load: Load) -> None:
    manager = load({**FILES, FILE: "[llm_presets.effort]\nreasoning_budget = 10\n"})
    (value,) = [each for each in manager.explain("effort").values if each.path.endswith("reasoning_effort")]
    assert (value.stated.value, value.stated.layer) == ("", "local file")
    assert [(each.value, each.layer) for each in value.replaced] == [("high", "application settings")]
