"""What is sent with a call: the parameters as stated, with every constraint of the model applied."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import (
    CallParameters,
    InferenceModelSpec,
    LLMSetting,
    ModelConstraint,
    PromptingTarget,
    ReasoningEffort,
)
from tests.conftest import Load

UNSUPPORTED, ONLY_1 = ModelConstraint.TEMPERATURE_UNSUPPORTED, ModelConstraint.TEMPERATURE_MUST_BE_1
DOUBLED, HIGH_ENOUGH = (
    ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2,
    ModelConstraint.MAX_TOKENS_MUST_BE_HIGH_ENOUGH,
)


def spec(**fields: Any) -> InferenceModelSpec:
    return InferenceModelSpec.model_validate({"name": "m", "backend_name": "a", "model_id": "m", "sdk": "s", **fields})


def sent(model: dict[str, Any], **stated: Any) -> CallParameters:
    return LLMSetting.model_validate({"llm_handle": "m", **stated}).parameters_for(spec(**model))


SENT: dict[str, tuple[dict[str, Any], dict[str, Any], CallParameters]] = {
    "nothing stated": ({}, {}, CallParameters()),
    "everything stated": (
        {},
        {"temperature": 0.3, "max_tokens": 5, "prompting_target": "gemini"},
        CallParameters(0.3, 5, PromptingTarget.GEMINI),
    ),
    "the model's prompting target": (
        {"prompting_target": "openai"},
        {},
        CallParameters(prompting_target=PromptingTarget.OPENAI),
    ),
    "auto is the limit": ({"max_tokens": 100}, {"max_tokens": "auto"}, CallParameters(max_tokens=100)),
    "auto of an unknown limit": ({}, {"max_tokens": "auto"}, CallParameters()),
    "the limit itself": ({"max_tokens": 100}, {"max_tokens": 100}, CallParameters(max_tokens=100)),
    "more than the limit": (
        {"max_tokens": 100},
        {"max_tokens": 101},
        CallParameters(max_tokens=100, adapted=("max_tokens 101 lowered to 100: 'm' writes no more",)),
    ),
    "fewer tokens than it needs": (
        {"constraints": [HIGH_ENOUGH]},
        {"max_tokens": 15},
        CallParameters(max_tokens=16, adapted=("max_tokens 15 raised to 16: 'm' needs 16 or more",)),
    ),
    "more tokens than it needs and fewer than it writes": (
        {"constraints": [HIGH_ENOUGH], "max_tokens": 10},
        {"max_tokens": 20},
        CallParameters(
            adapted=(
                "max_tokens 20 lowered to 10: 'm' writes no more",
                "max_tokens 10 left out: 'm' needs 16 or more",
            )
        ),
    ),
    "the limit of a model that takes none": (
        {"constraints": [HIGH_ENOUGH], "max_tokens": 10},
        {"max_tokens": "auto"},
        CallParameters(adapted=("max_tokens 10 left out: 'm' needs 16 or more",)),
    ),
    "nothing but 1 is not doubled": ({"constraints": [ONLY_1, DOUBLED]}, {"temperature": 1}, CallParameters(1.0)),
    "no temperature": (
        {"constraints": [UNSUPPORTED]},
        {"temperature": 0.3},
        CallParameters(adapted=("temperature 0.3 left out: 'm' takes none",)),
    ),
    "a temperature of zero is one": (
        {"constraints": [UNSUPPORTED]},
        {"temperature": 0},
        CallParameters(adapted=("temperature 0.0 left out: 'm' takes none",)),
    ),
    "no temperature but 1": (
        {"constraints": [ONLY_1]},
        {"temperature": 0.3},
        CallParameters(adapted=("temperature 0.3 left out: 'm' takes none but 1",)),
    ),
    "temperature 1": ({"constraints": [ONLY_1]}, {"temperature": 1}, CallParameters(1.0)),
    "a temperature that is doubled": ({"constraints": [DOUBLED]}, {"temperature": 0.3}, CallParameters(0.6)),
    "a temperature that cannot be doubled": (
        {"constraints": [DOUBLED]},
        {"temperature": 1.5},
        CallParameters(adapted=("temperature 1.5 left out: 'm' doubles it, so it may not pass 1",)),
    ),
    "no temperature, told once": (
        {"constraints": [UNSUPPORTED, ONLY_1, DOUBLED]},
        {"temperature": 1.5},
        CallParameters(adapted=("temperature 1.5 left out: 'm' takes none",)),
    ),
    "an effort that never turns into none": (
        {"reasoning_efforts": ["none"]},
        {"reasoning_effort": "high"},
        CallParameters(adapted=("reasoning_effort high left out: 'm' takes none",)),
    ),
    "an effort below": (
        {"reasoning_efforts": ["none", "low", "xhigh"]},
        {"reasoning_effort": "high"},
        CallParameters(
            reasoning_effort=ReasoningEffort.LOW,
            adapted=("reasoning_effort high lowered to low: 'm' takes none, low, xhigh",),
        ),
    ),
    "the highest effort over OpenAI's chat": (
        {"sdk": "openai", "reasoning_efforts": ["low", "xhigh", "max"]},
        {"reasoning_effort": "max"},
        CallParameters(
            reasoning_effort=ReasoningEffort.XHIGH,
            adapted=("reasoning_effort max lowered to xhigh: 'm' takes none above it over api 'chat'",),
        ),
    ),
    "the highest effort over responses": (
        {"sdk": "openai", "api": "responses", "reasoning_efforts": ["low", "xhigh", "max"]},
        {"reasoning_effort": "max"},
        CallParameters(reasoning_effort=ReasoningEffort.MAX),
    ),
    "an effort that no Claude knows": (
        {"sdk": "anthropic"},
        {"reasoning_effort": "minimal"},
        CallParameters(
            reasoning_effort=ReasoningEffort.LOW,
            adapted=("reasoning_effort minimal raised to low: 'm' takes no such, for sdk 'anthropic' has none",),
        ),
    ),
    "an effort that no Gemini knows": (
        {"sdk": "google"},
        {"reasoning_effort": "max"},
        CallParameters(
            reasoning_effort=ReasoningEffort.XHIGH,
            adapted=("reasoning_effort max lowered to xhigh: 'm' takes no such, for sdk 'google' has none",),
        ),
    ),
    "one way to sample": (
        {"sdk": "anthropic"},
        {"temperature": 0.5, "top_p": 0.9},
        CallParameters(0.5, adapted=("top_p 0.9 left out: 'm' takes none beside a temperature",)),
    ),
    "the other way to sample": (
        {"sdk": "anthropic", "constraints": [ONLY_1]},
        {"temperature": 0.5, "top_p": 0.9},
        CallParameters(top_p=0.9, adapted=("temperature 0.5 left out: 'm' takes none but 1",)),
    ),
    "several at once": (
        {"constraints": [UNSUPPORTED], "max_tokens": 10},
        {"temperature": 0.5, "max_tokens": 11},
        CallParameters(
            max_tokens=10,
            adapted=("temperature 0.5 left out: 'm' takes none", "max_tokens 11 lowered to 10: 'm' writes no more"),
        ),
    ),
}


@pytest.mark.parametrize(("model", "stated", "expected"), SENT.values(), ids=SENT)
def test_what_is_sent_is_what_the_model_takes(
    model: dict[str, Any], stated: dict[str, Any], expected: CallParameters
) -> None:
    assert sent(model, **stated) == expected


MODELS = st.builds(
    lambda constraints, max_tokens: spec(constraints=constraints, max_tokens=max_tokens),
    st.sets(st.sampled_from(ModelConstraint)).map(list),
    st.none() | st.integers(min_value=1, max_value=200),
)
SETTINGS = st.builds(
    lambda temperature, max_tokens: LLMSetting(llm_handle="m", temperature=temperature, max_tokens=max_tokens),
    st.none() | st.floats(min_value=0, max_value=2),
    st.none() | st.integers(min_value=1, max_value=300) | st.just("auto"),
)


@given(SETTINGS, MODELS)
def test_whatever_is_stated_the_model_takes_what_is_sent(setting: LLMSetting, model: InferenceModelSpec) -> None:
    parameters = setting.parameters_for(model)
    temperature = parameters.temperature
    if DOUBLED in model.constraints and ONLY_1 not in model.constraints and temperature is not None:
        temperature /= 2
    stated = LLMSetting(llm_handle="m", temperature=temperature, max_tokens=parameters.max_tokens)
    assert [*stated.faults_for(model)] == []


@given(SETTINGS, MODELS)
def test_something_is_adapted_exactly_where_there_is_a_fault(setting: LLMSetting, model: InferenceModelSpec) -> None:
    assert bool(setting.parameters_for(model).adapted) is bool([*setting.faults_for(model)])


def test_a_resolved_llm_says_what_to_send(load: Load) -> None:
    files = {"backends/b.local.toml": "[only-b]\nmax_tokens = 10\nprompting_target = 'mistral'"}
    preset = {"llm_handle": "only-b", "temperature": 0.3, "max_tokens": "auto"}
    deck = load(files, overrides={"deck": {"llm_presets": {"q": preset}}}).get_llm_deck()
    assert deck.resolve("q").parameters == CallParameters(0.3, 10, PromptingTarget.MISTRAL)
    assert deck.resolve("only-b").parameters == CallParameters(prompting_target=PromptingTarget.MISTRAL)


MIXED = {
    "backends/b.local.toml": "[only-b]\nconstraints = ['temperature_unsupported']\nmax_tokens = 10",
    "deck/mixed.toml": """
        [aliases]
        mixed = ["only-a", "only-b"]
        [llm_presets.mixed-preset]
        llm_handle = "mixed"
        temperature = 0.5
        max_tokens = 11
    """,
}
"""A preset over a chain: the first member takes everything, the second takes little."""
ADAPTED = ("temperature 0.5 left out: 'only-b' takes none", "max_tokens 11 lowered to 10: 'only-b' writes no more")
SKIP = "[default.cogt.inference_config]\nuse_packaged_settings = false\nmissing_credentials = 'skip'"


def test_the_first_member_is_sent_what_is_stated(load: Load) -> None:
    manager = load(MIXED)
    assert manager.get_llm_deck().resolve("mixed-preset").parameters == CallParameters(0.5, 11)
    assert manager.warnings == ()


def test_a_member_that_answers_for_want_of_a_key_is_sent_what_it_takes(load: Load) -> None:
    llm = load({**MIXED, "settings.toml": SKIP}, environ={"B_KEY": "b"}).get_llm_deck().resolve("mixed-preset")
    assert (llm.model.name, llm.parameters) == ("only-b", CallParameters(max_tokens=10, adapted=ADAPTED))
    assert (llm.setting.temperature, llm.setting.max_tokens) == (0.5, 11)


KEYS = [{}, {"A_KEY": "a"}, {"B_KEY": "b"}, {"A_KEY": "a", "B_KEY": "b"}]
REFUSED = "cogt.deck.llm_presets.p.temperature: model 'm1' on backend 'a' takes no temperature"


@pytest.mark.parametrize("keys", KEYS, ids="-".join)
@pytest.mark.parametrize(("order", "faults"), [("ab", [REFUSED]), ("ba", [])])
def test_what_is_a_fault_of_a_parameter_is_the_same_whoever_s_keys_are_there(
    problems: Callable[..., list[str]], load: Load, keys: dict[str, str], order: str, faults: list[str]
) -> None:
    files = {
        "settings.toml": SKIP,
        "backends/a.local.toml": "[m1]\nconstraints = ['temperature_unsupported']",
        "routing.toml": f"active = 'x'\n[profiles.x]\nfallback_order = {[*order]}",
    }
    if faults:
        assert [problem.partition("  ")[2] for problem in problems(files, environ=keys)] == faults
    else:
        load(files, environ=keys)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_parameters_travel(copied: Callable[[CallParameters], CallParameters]) -> None:
    original = CallParameters(0.5, 10, PromptingTarget.OPENAI, ADAPTED)
    assert copied(original) == original


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(CallParameters)])
def test_parameters_are_frozen(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(CallParameters(), name, None)
