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
    MissingCredentialError,
    ModelConstraint,
    PromptingTarget,
    ReasoningEffort,
)
from pipelex_cogt.config.tables import FrozenDict
from tests.conftest import MINIMAL, Load

UNSUPPORTED, ONLY_1 = ModelConstraint.TEMPERATURE_UNSUPPORTED, ModelConstraint.TEMPERATURE_MUST_BE_1
WITH_REASONING, LOW = ModelConstraint.TEMPERATURE_UNSUPPORTED_WITH_REASONING, ReasoningEffort.LOW
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
        CallParameters(0.3, max_tokens=5, prompting_target=PromptingTarget.GEMINI),
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
    "a temperature that is doubled": (
        {"constraints": [DOUBLED]},
        {"temperature": 0.3},
        CallParameters(0.6, adapted=("temperature 0.3 doubled to 0.6: 'm' takes twice what is meant",)),
    ),
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
    "a temperature of nothing is not doubled": (
        {"constraints": [DOUBLED]},
        {"temperature": 0},
        CallParameters(0.0),
    ),
    "a temperature above the highest": (
        {"max_temperature": 1},
        {"temperature": 1.5},
        CallParameters(1.0, adapted=("temperature 1.5 lowered to 1.0: 'm' takes none above it",)),
    ),
    "the highest temperature": ({"max_temperature": 1}, {"temperature": 1}, CallParameters(1.0)),
    "no temperature while it reasons": (
        {"constraints": [WITH_REASONING]},
        {"temperature": 1, "top_p": 0.5, "reasoning_effort": "low"},
        CallParameters(
            reasoning_effort=LOW,
            adapted=(
                "temperature 1.0 left out: 'm' takes none while it reasons",
                "top_p 0.5 left out: 'm' takes none while it reasons",
            ),
        ),
    ),
    "a temperature while it does not reason": (
        {"constraints": [WITH_REASONING]},
        {"temperature": 1, "top_p": 0.5, "reasoning_effort": "none"},
        CallParameters(1.0, 0.5, reasoning_effort=ReasoningEffort.NONE),
    ),
    "a temperature while nothing says that it reasons": (
        {"constraints": [WITH_REASONING]},
        {"temperature": 1},
        CallParameters(1.0),
    ),
    "no temperature while it has a budget": (
        {"constraints": [WITH_REASONING], "reasoning_budget": [0, 100]},
        {"temperature": 1, "reasoning_budget": 50},
        CallParameters(reasoning_budget=50, adapted=("temperature 1.0 left out: 'm' takes none while it reasons",)),
    ),
    "a temperature while its budget is nothing": (
        {"constraints": [WITH_REASONING], "reasoning_budget": [0, 100]},
        {"temperature": 1, "reasoning_budget": 0},
        CallParameters(1.0, reasoning_budget=0),
    ),
    "a temperature where the effort is left out": (
        {"constraints": [WITH_REASONING], "reasoning_efforts": []},
        {"temperature": 1, "reasoning_effort": "low"},
        CallParameters(1.0, adapted=("reasoning_effort low left out: 'm' does not reason",)),
    ),
    "no top_p": (
        {"constraints": [UNSUPPORTED]},
        {"top_p": 0.5},
        CallParameters(adapted=("top_p 0.5 left out: 'm' takes none, as it takes no temperature",)),
    ),
    "an effort that it knows": (
        {"reasoning_efforts": ["low", "high"]},
        {"reasoning_effort": "high"},
        CallParameters(reasoning_effort=ReasoningEffort.HIGH),
    ),
    "an effort of a model that says nothing": ({}, {"reasoning_effort": "low"}, CallParameters(reasoning_effort=LOW)),
    "an effort between two": (
        {"reasoning_efforts": ["high", "low"]},
        {"reasoning_effort": "medium"},
        CallParameters(reasoning_effort=LOW, adapted=("reasoning_effort medium lowered to low: 'm' takes high, low",)),
    ),
    "an effort above all": (
        {"reasoning_efforts": ["low", "medium"]},
        {"reasoning_effort": "max"},
        CallParameters(
            reasoning_effort=ReasoningEffort.MEDIUM,
            adapted=("reasoning_effort max lowered to medium: 'm' takes low, medium",),
        ),
    ),
    "an effort below all": (
        {"reasoning_efforts": ["high", "low"]},
        {"reasoning_effort": "none"},
        CallParameters(reasoning_effort=LOW, adapted=("reasoning_effort none raised to low: 'm' takes high, low",)),
    ),
    "an effort where a budget is taken": (
        {"reasoning_budget": [1, 10]},
        {"reasoning_effort": "low"},
        CallParameters(adapted=("reasoning_effort low left out: 'm' takes a reasoning_budget and no effort",)),
    ),
    "an effort where either is taken": (
        {"reasoning_budget": [1, 10], "reasoning_efforts": ["low"]},
        {"reasoning_effort": "low"},
        CallParameters(reasoning_effort=LOW),
    ),
    "a budget within its range": (
        {"reasoning_budget": [1, 10]},
        {"reasoning_budget": 10},
        CallParameters(reasoning_budget=10),
    ),
    "a budget of a model that says nothing": ({}, {"reasoning_budget": 10}, CallParameters(reasoning_budget=10)),
    "a budget above its range": (
        {"reasoning_budget": [1, 10]},
        {"reasoning_budget": 11},
        CallParameters(reasoning_budget=10, adapted=("reasoning_budget 11 lowered to 10: 'm' takes 1 to 10",)),
    ),
    "a budget below its range": (
        {"reasoning_budget": [2, 10]},
        {"reasoning_budget": 1},
        CallParameters(reasoning_budget=2, adapted=("reasoning_budget 1 raised to 2: 'm' takes 2 to 10",)),
    ),
    "no budget where there is a least one": (
        {"reasoning_budget": [1, 10]},
        {"reasoning_budget": 0},
        CallParameters(adapted=("reasoning_budget 0 left out: 'm' takes 1 to 10",)),
    ),
    "a budget where an effort is taken": (
        {"reasoning_efforts": ["low"]},
        {"reasoning_budget": 5},
        CallParameters(adapted=("reasoning_budget 5 left out: 'm' takes none",)),
    ),
    "a budget beside the answer": (
        {"reasoning_budget": [1, 10]},
        {"reasoning_budget": 10, "max_tokens": 8},
        CallParameters(
            max_tokens=8,
            reasoning_budget=7,
            adapted=("reasoning_budget 10 lowered to 7: 'm' answers within the 8 tokens of max_tokens",),
        ),
    ),
    "a budget for which there is no room": (
        {"reasoning_budget": [8, 10]},
        {"reasoning_budget": 10, "max_tokens": 8},
        CallParameters(
            max_tokens=8, adapted=("reasoning_budget 10 left out: 'm' answers within the 8 tokens of max_tokens",)
        ),
    ),
    "a budget beside a limit that is lowered": (
        {"reasoning_budget": [1, 10], "max_tokens": 5},
        {"reasoning_budget": 6, "max_tokens": 20},
        CallParameters(
            max_tokens=5,
            reasoning_budget=4,
            adapted=(
                "max_tokens 20 lowered to 5: 'm' writes no more",
                "reasoning_budget 6 lowered to 4: 'm' answers within the 5 tokens of max_tokens",
            ),
        ),
    ),
    "stop": ({}, {"stop": ["a", "b"]}, CallParameters(stop=("a", "b"))),
    "no stop": (
        {"constraints": [ModelConstraint.STOP_UNSUPPORTED]},
        {"stop": ["a", "b"]},
        CallParameters(adapted=("stop 'a', 'b' left out: 'm' takes none",)),
    ),
    "seed and stop of the chat api": ({"sdk": "openai"}, {"seed": 1, "stop": "a"}, CallParameters(seed=1, stop=("a",))),
    "no seed and stop of the responses api": (
        {"sdk": "openai", "api": "responses"},
        {"seed": 1, "stop": "a"},
        CallParameters(
            adapted=(
                "seed 1 left out: 'm' takes none, for api 'responses' has none",
                "stop 'a' left out: 'm' takes none, for api 'responses' has none",
            )
        ),
    ),
    "no seed of anthropic": (
        {"sdk": "anthropic"},
        {"seed": 0, "stop": "a"},
        CallParameters(stop=("a",), adapted=("seed 0 left out: 'm' takes none, for sdk 'anthropic' has none",)),
    ),
    "no effort of bedrock": (
        {"sdk": "bedrock", "reasoning_efforts": ["low"]},
        {"reasoning_effort": "low"},
        CallParameters(adapted=("reasoning_effort low left out: 'm' takes none, for sdk 'bedrock' has none",)),
    ),
    "no budget of openai": (
        {"sdk": "openai", "reasoning_budget": [0, 10]},
        {"reasoning_budget": 5},
        CallParameters(adapted=("reasoning_budget 5 left out: 'm' takes none, for sdk 'openai' has none",)),
    ),
    "a timeout": ({}, {"timeout": 2}, CallParameters(timeout=2.0)),
    "a body of the preset over that of the model": (
        {"extra_body": {"a": {"x": 1, "y": 1}, "list": [1], "kept": True}},
        {"extra_body": {"a": {"y": 2}, "list": [2, 3]}},
        CallParameters(extra_body=FrozenDict({"a": {"x": 1, "y": 2}, "list": [2, 3], "kept": True})),
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


EFFORTS = [*ReasoningEffort]
TOKENS = st.integers(min_value=0, max_value=40)
MODELS = st.builds(
    lambda constraints, budget, **fields: spec(
        constraints=[*constraints], reasoning_budget=None if budget is None else sorted(budget), **fields
    ),
    constraints=st.sets(st.sampled_from(ModelConstraint)),
    max_tokens=st.none() | st.integers(min_value=1, max_value=40),
    max_temperature=st.none() | st.sampled_from([0, 0.5, 1, 1.5, 2]),
    reasoning_efforts=st.none() | st.lists(st.sampled_from(EFFORTS), unique=True),
    budget=st.none() | st.tuples(TOKENS, TOKENS),
    sdk=st.sampled_from(["openai", "openai_compatible", "anthropic", "google", "mistral", "bedrock", "mine"]),
    api=st.sampled_from(["chat", "responses"]),
)
REASONS = st.one_of(
    st.just({}),
    st.builds(lambda effort: {"reasoning_effort": effort}, st.sampled_from(EFFORTS)),
    st.builds(lambda budget: {"reasoning_budget": budget}, TOKENS),
)
SETTINGS = st.builds(
    lambda reasons, **fields: LLMSetting(llm_handle="m", **reasons, **fields),
    REASONS,
    temperature=st.none() | st.floats(min_value=0, max_value=2),
    top_p=st.none() | st.floats(min_value=0.1, max_value=1),
    max_tokens=st.none() | st.integers(min_value=1, max_value=60) | st.just("auto"),
    seed=st.none() | st.integers(),
    stop=st.none() | st.just(("x",)),
)


def refused(sent: CallParameters, model: InferenceModelSpec) -> list[str]:
    """What a model would refuse of what it is sent: the rules once more, as a provider would say them."""
    constraints, efforts, budget = {*model.constraints}, model.reasoning_efforts, sent.reasoning_budget
    has_effort = sent.reasoning_effort is not None
    is_reasoning = sent.reasoning_effort not in (None, "none") or bool(budget)
    is_doubled = DOUBLED in constraints and ONLY_1 not in constraints
    meant = sent.temperature / 2 if sent.temperature is not None and is_doubled else sent.temperature
    told = {
        "a temperature": meant is not None and UNSUPPORTED in constraints,
        "a temperature while it reasons": meant is not None and WITH_REASONING in constraints and is_reasoning,
        "a temperature that is not 1": meant not in (None, 1) and ONLY_1 in constraints,
        "a temperature above 1": meant is not None and meant > 1 and is_doubled,
        "a temperature above its highest": meant is not None
        and model.max_temperature is not None
        and meant > model.max_temperature,
        "a top_p": sent.top_p is not None and UNSUPPORTED in constraints,
        "a top_p while it reasons": sent.top_p is not None and WITH_REASONING in constraints and is_reasoning,
        "more tokens than it writes": sent.max_tokens is not None and sent.max_tokens > (model.max_tokens or 10**9),
        "too few tokens": sent.max_tokens is not None and sent.max_tokens < 16 and HIGH_ENOUGH in constraints,
        "an effort": has_effort and efforts is not None and sent.reasoning_effort not in efforts,
        "an effort for a budget": sent.reasoning_effort is not None
        and efforts is None
        and bool(model.reasoning_budget),
        "an effort of its SDK": has_effort and model.sdk == "bedrock",
        "a budget": budget is not None and efforts is not None and model.reasoning_budget is None,
        "a budget out of its range": budget is not None
        and model.reasoning_budget is not None
        and not model.reasoning_budget[0] <= budget <= model.reasoning_budget[1],
        "a budget that leaves no answer": budget is not None
        and sent.max_tokens is not None
        and budget >= sent.max_tokens,
        "a budget of its SDK": budget is not None and model.sdk in ("openai", "openai_compatible", "mistral"),
        "a seed": sent.seed is not None and (model.sdk in ("anthropic", "bedrock") or model.api == "responses"),
        "stop": bool(sent.stop) and (model.api == "responses" or ModelConstraint.STOP_UNSUPPORTED in constraints),
    }
    return [what for what, is_refused in told.items() if is_refused]


@given(SETTINGS, MODELS)
def test_whatever_is_stated_the_model_takes_what_is_sent(setting: LLMSetting, model: InferenceModelSpec) -> None:
    assert refused(setting.parameters_for(model), model) == []


@given(SETTINGS, MODELS)
def test_something_is_changed_exactly_where_it_is_told(setting: LLMSetting, model: InferenceModelSpec) -> None:
    sent = setting.parameters_for(model)
    stated = {
        **dict(setting),
        "max_tokens": model.max_tokens if setting.max_tokens == "auto" else setting.max_tokens,
        "stop": setting.stop or (),
    }
    names = ("temperature", "top_p", "max_tokens", "reasoning_effort", "reasoning_budget", "seed", "stop")
    changed = {name for name in names if getattr(sent, name) != stated[name]}
    assert {sentence.split()[0] for sentence in sent.adapted} == changed


@given(SETTINGS, MODELS)
def test_what_has_no_fault_is_sent_as_stated_but_for_its_scale(setting: LLMSetting, model: InferenceModelSpec) -> None:
    adapted = [sentence for sentence in setting.parameters_for(model).adapted if " doubled to " not in sentence]
    if not [*setting.faults_for(model)]:
        assert adapted == []


def test_a_resolved_llm_says_what_to_send(load: Load) -> None:
    files = {"backends/b.local.toml": "[only-b]\nmax_tokens = 10\nprompting_target = 'mistral'"}
    preset = {"llm_handle": "only-b", "temperature": 0.3, "max_tokens": "auto"}
    deck = load(files, overrides={"deck": {"llm_presets": {"q": preset}}}).get_llm_deck()
    assert deck.resolve("q").parameters == CallParameters(0.3, max_tokens=10, prompting_target=PromptingTarget.MISTRAL)
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
    assert manager.get_llm_deck().resolve("mixed-preset").parameters == CallParameters(0.5, max_tokens=11)
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
    original = CallParameters(
        0.5, 0.9, 10, ReasoningEffort.LOW, seed=1, stop=("x",), extra_body=FrozenDict(a=1), adapted=ADAPTED
    )
    assert copied(original) == original


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(CallParameters)])
def test_parameters_are_frozen(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(CallParameters(), name, None)


# A chain: each member is sent what it takes


CHAIN = {
    "backends.toml": """
        [a]
        endpoint = "https://a.example.com"
        api_key = "${A_KEY}"
        timeout = 30
        [b]
        api_key = "${B_KEY}"
        [off]
        enabled = false
    """,
    "backends/a.local.toml": """
        [m1]
        reasoning_efforts = ["low", "medium", "high"]
        [only-a]
        reasoning_efforts = []
        extra_body = { tier = "slow", deep = { kept = 1 } }
    """,
    "backends/b.local.toml": "[only-b]\nreasoning_efforts = ['low']\nconstraints = ['temperature_unsupported']",
    "deck/z.toml": """
        [aliases]
        chain = ["m1", "only-a", "only-b"]
        [llm_presets.q]
        llm_handle = "chain"
        temperature = 0.5
        reasoning_effort = "medium"
        extra_body = { tier = "quick" }
    """,
}


def test_each_member_of_a_chain_has_its_own_parameters(load: Load) -> None:
    members = load(CHAIN).get_llm_deck().resolve_all("q")
    assert [(llm.name, llm.model.name, llm.backend.name) for llm in members] == [
        ("q", "m1", "a"),
        ("q", "only-a", "a"),
        ("q", "only-b", "b"),
    ]
    quick = FrozenDict(tier="quick")
    assert [llm.parameters for llm in members] == [
        CallParameters(0.5, reasoning_effort=ReasoningEffort.MEDIUM, timeout=30.0, extra_body=quick),
        CallParameters(
            0.5,
            timeout=30.0,
            extra_body=FrozenDict({"tier": "quick", "deep": {"kept": 1}}),
            adapted=("reasoning_effort medium left out: 'only-a' does not reason",),
        ),
        CallParameters(
            reasoning_effort=LOW,
            extra_body=quick,
            adapted=(
                "reasoning_effort medium lowered to low: 'only-b' takes low",
                "temperature 0.5 left out: 'only-b' takes none",
            ),
        ),
    ]


def test_the_timeout_is_the_preset_s_else_the_backend_s(load: Load) -> None:
    files = {**CHAIN, "deck/zz.toml": "[llm_presets.r]\nllm_handle = 'm1'\ntimeout = 5\n"}
    deck = load(files).get_llm_deck()
    assert [deck.resolve(name).parameters.timeout for name in ("r", "q", "only-b")] == [5.0, 30.0, None]


@pytest.mark.parametrize("name", ["q", "chain", "m1"])
def test_the_first_of_all_is_what_resolves(load: Load, name: str) -> None:
    deck = load(CHAIN).get_llm_deck()
    first, *others = deck.resolve_all(name)
    assert first == deck.resolve(name)
    assert len(others) == (0 if name == "m1" else 2)


@pytest.mark.parametrize(
    ("keys", "ready"),
    [
        ({"A_KEY": "a", "B_KEY": "b"}, ["m1", "only-a", "only-b"]),
        ({"A_KEY": "a"}, ["m1", "only-a"]),
        ({"B_KEY": "b"}, ["only-b"]),
        ({"A_KEY": "a\nb", "B_KEY": "b"}, ["only-b"]),
    ],
    ids=["both keys", "the key of a", "the key of b", "a key of a that cannot work"],
)
def test_those_that_are_ready_have_their_keys(load: Load, keys: dict[str, str], ready: list[str]) -> None:
    members = load(CHAIN, environ=keys).get_llm_deck().resolve_all("q", ready=True)
    assert [llm.model.name for llm in members] == ready


def test_where_none_is_ready_the_missing_key_is_told(load: Load) -> None:
    deck = load(CHAIN).get_llm_deck()
    assert len(deck.resolve_all("q")) == 3
    with pytest.raises(MissingCredentialError) as caught:
        deck.resolve_all("q", ready=True)
    assert (caught.value.backend, caught.value.variables) == ("a", ("A_KEY",))


class CountingSource:
    """A source of secrets that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return "key"


def test_a_backend_is_asked_once_however_many_members_it_serves(load: Load) -> None:
    source = CountingSource()
    backends = MINIMAL["backends.toml"].replace("${A_KEY}", "${secret:a_key}").replace("${B_KEY}", "${secret:b_key}")
    deck = load({**CHAIN, "backends.toml": backends}, sources=[source]).get_llm_deck()
    source.asked.clear()
    assert len(deck.resolve_all("q", ready=True)) == 3
    assert source.asked == ["a_key", "b_key"]


def test_what_is_sent_holds_what_is_stated_alone(load: Load) -> None:
    deck = load(CHAIN).get_llm_deck()
    assert deck.resolve("q").parameters.sent == {
        "temperature": 0.5,
        "reasoning_effort": "medium",
        "timeout": 30.0,
        "extra_body": {"tier": "quick"},
    }
    assert deck.resolve("only-b").parameters.sent == {}


def test_a_body_is_read_only_and_not_the_setting_s_own(load: Load) -> None:
    body: Any = load(CHAIN).get_llm_deck().resolve("q").parameters.extra_body
    with pytest.raises(TypeError):
        body["tier"] = "other"
