"""LLM settings: what a preset may hold, and the check against the models behind its handle."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from pipelex_cogt import (
    InferenceModelSpec,
    LLMChoice,
    LLMChoices,
    LLMSetting,
    ModelManager,
    PromptingTarget,
    ReasoningEffort,
)
from tests.conftest import Load

Problems = Callable[..., list[str]]

BAD_SETTINGS = {
    "no handle": ("temperature = 1", "llm_handle: required, and nothing states it"),
    "handle number": ("llm_handle = 3", "llm_handle: expected a string, got an integer"),
    "handle list": ('llm_handle = ["m"]', "llm_handle: expected a string, got a list"),
    "temperature text": ('llm_handle = "m1"\ntemperature = "1"', "temperature: expected a number, got a string"),
    "temperature true": ('llm_handle = "m1"\ntemperature = true', "temperature: expected a number, got a boolean"),
    "temperature nan": ('llm_handle = "m1"\ntemperature = nan', "temperature: expected a finite number, got nan"),
    "max_tokens zero": (
        'llm_handle = "m1"\nmax_tokens = 0',
        'max_tokens: expected an integer of at least 1 or "auto", got 0',
    ),
    "max_tokens negative": (
        'llm_handle = "m1"\nmax_tokens = -1',
        'max_tokens: expected an integer of at least 1 or "auto", got -1',
    ),
    "max_tokens true": (
        'llm_handle = "m1"\nmax_tokens = true',
        'max_tokens: expected an integer of at least 1 or "auto", got a boolean',
    ),
    "max_tokens float": (
        'llm_handle = "m1"\nmax_tokens = 10.0',
        'max_tokens: expected an integer of at least 1 or "auto", got a float',
    ),
    "max_tokens text": (
        'llm_handle = "m1"\nmax_tokens = "Auto"',
        'max_tokens: expected an integer of at least 1 or "auto", got a string',
    ),
    "prompting_target": (
        'llm_handle = "m1"\nprompting_target = "opnai"',
        "prompting_target: expected one of 'openai', 'anthropic', 'mistral' or 'gemini', got 'opnai'",
    ),
    "top_p zero": ('llm_handle = "m1"\ntop_p = 0', "top_p: expected a number above 0, got 0"),
    "top_p above 1": ('llm_handle = "m1"\ntop_p = 1.5', "top_p: expected a number of at most 1, got 1.5"),
    "effort": (
        'llm_handle = "m1"\nreasoning_effort = "highest"',
        (
            "reasoning_effort: expected one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max',"
            " got 'highest'"
        ),
    ),
    "budget": ('llm_handle = "m1"\nreasoning_budget = -1', "reasoning_budget: expected a number of at least 0, got -1"),
    "both": (
        'llm_handle = "m1"\nreasoning_budget = 5\nreasoning_effort = "low"',
        "reasoning_budget: a reasoning_effort is stated too: keep one of the two",
    ),
    "seed": ('llm_handle = "m1"\nseed = 1.0', "seed: expected an integer, got a float"),
    "stop number": ('llm_handle = "m1"\nstop = 5', "stop: expected a list, got an integer"),
    "stop empty": (
        'llm_handle = "m1"\nstop = ["a", ""]',
        "stop.1: expected a string that is not empty, got an empty string",
    ),
    "timeout negative": ('llm_handle = "m1"\ntimeout = -1', "timeout: expected a number above 0, got -1"),
    "timeout text": ('llm_handle = "m1"\ntimeout = "30s"', "timeout: expected a number, got a string"),
    "extra_body": ('llm_handle = "m1"\nextra_body = "x"', "extra_body: expected a table, got a string"),
    "extra_body date": (
        'llm_handle = "m1"\nextra_body = { a = [2024-10-21] }',
        "extra_body.a.0: expected a string, got a date; put it in quotes",
    ),
    "thinking": (
        'llm_handle = "m1"\nthinking = { type = "enabled" }',
        "thinking: unknown key; did you mean 'reasoning_budget' or 'reasoning_effort'?",
    ),
    "near key": ('llm_handle = "m1"\ntemprature = 1', "temprature: unknown key; did you mean 'temperature'?"),
    "description": ('llm_handle = "m1"\ndescription = 1', "description: expected a string, got an integer"),
}

FAULTS: dict[str, tuple[list[str], str, str]] = {
    "more tokens than the model has": (
        ["max_tokens = 100"],
        "max_tokens = 101",
        "max_tokens: 101 is more than the 100 of model 'm' on backend 'a'",
    ),
    "temperature must be 1": (
        ['constraints = ["temperature_must_be_1"]'],
        "temperature = 0.5",
        "temperature: model 'm' on backend 'a' takes no temperature but 1, got 0.5",
    ),
    "temperature is doubled": (
        ['constraints = ["temperature_must_be_multiplied_by_2"]'],
        "temperature = 1.5",
        "temperature: model 'm' on backend 'a' doubles the temperature, so it may not pass 1, got 1.5",
    ),
    "no temperature": (
        ['constraints = ["temperature_unsupported"]'],
        "temperature = 1",
        "temperature: model 'm' on backend 'a' takes no temperature",
    ),
    "no temperature while it reasons": (
        ['constraints = ["temperature_unsupported_with_reasoning"]'],
        "temperature = 1\nreasoning_effort = 'low'",
        "temperature: model 'm' on backend 'a' takes no temperature while it reasons",
    ),
    "too hot": (
        ["max_temperature = 1"],
        "temperature = 1.1",
        "temperature: model 'm' on backend 'a' takes no temperature above 1.0, got 1.1",
    ),
    "an effort that it does not know": (
        ["reasoning_efforts = ['low', 'high']"],
        "reasoning_effort = 'medium'",
        "reasoning_effort: model 'm' on backend 'a' takes low, high, got medium",
    ),
    "an effort where it does not reason": (
        ["reasoning_efforts = []"],
        "reasoning_effort = 'low'",
        "reasoning_effort: model 'm' on backend 'a' does not reason",
    ),
    "an effort where it takes a budget": (
        ["reasoning_budget = [0, 100]"],
        "reasoning_effort = 'low'",
        "reasoning_effort: model 'm' on backend 'a' takes a reasoning_budget of 0 to 100 tokens and no effort",
    ),
    "a budget where it takes an effort": (
        ["reasoning_efforts = ['low']"],
        "reasoning_budget = 50",
        "reasoning_budget: model 'm' on backend 'a' takes no reasoning_budget",
    ),
    "a budget out of its range": (
        ["reasoning_budget = [10, 100]"],
        "reasoning_budget = 5",
        "reasoning_budget: model 'm' on backend 'a' takes 10 to 100 tokens, got 5",
    ),
    "a budget that leaves no answer": (
        ["reasoning_budget = [10, 100]"],
        "reasoning_budget = 50\nmax_tokens = 50",
        "reasoning_budget: 50 leaves nothing of the 50 tokens of max_tokens for the answer of model 'm' on backend 'a'",
    ),
    "no top_p": (
        ['constraints = ["temperature_unsupported"]'],
        "top_p = 0.5",
        "top_p: model 'm' on backend 'a' takes no top_p, as it takes no temperature",
    ),
    "no stop": (
        ['constraints = ["stop_unsupported"]'],
        "stop = 'x'",
        "stop: model 'm' on backend 'a' takes no stop",
    ),
    "no seed of its api": (
        ["api = 'responses'"],
        "seed = 1",
        "seed: model 'm' on backend 'a' takes no seed: api 'responses' has none",
    ),
    "too few tokens": (
        ['constraints = ["max_tokens_must_be_high_enough"]'],
        "max_tokens = 15",
        "max_tokens: 15 is less than the 16 that model 'm' on backend 'a' needs",
    ),
}

FITS: dict[str, tuple[list[str], list[str]]] = {
    "as many tokens as the model has": (["max_tokens = 100"], ["max_tokens = 100"]),
    "no limit known": ([], ["max_tokens = 1000000"]),
    "auto": (["max_tokens = 100"], ['max_tokens = "auto"']),
    "temperature 1": (['constraints = ["temperature_must_be_1"]'], ["temperature = 1"]),
    "temperature left to the provider": (['constraints = ["temperature_must_be_1"]'], []),
    "temperature 1 doubled": (['constraints = ["temperature_must_be_multiplied_by_2"]'], ["temperature = 1.0"]),
    "no temperature stated": (['constraints = ["temperature_unsupported"]'], ["max_tokens = 5"]),
    "enough tokens": (['constraints = ["max_tokens_must_be_high_enough"]'], ["max_tokens = 16"]),
    "auto is enough": (
        ["max_tokens = 100", 'constraints = ["max_tokens_must_be_high_enough"]'],
        ['max_tokens = "auto"'],
    ),
    "temperature 0": ([], ["temperature = 0"]),
    "temperature 2": ([], ["temperature = 2"]),
}


def preset_over_model(model: list[str], preset: list[str]) -> dict[str, str]:
    """A deck whose one preset `p` resolves to the one model `m` of backend `a`."""
    return {
        "backends/a.toml": "\n".join(["[m]", *model, 'sdk = "s"']),
        "backends/b.toml": "",
        "deck/base.toml": "\n".join(
            [
                "[llm_presets.p]",
                *preset,
                'llm_handle = "m"',
                "[llm_choice_defaults]",
                "for_text = 'p'",
                "for_object='p'",
            ]
        ),
    }


def chain_of_two(*preset: str) -> dict[str, str]:
    """A preset `p` over a chain: `free` takes everything, `strict` takes little."""
    return {
        "backends/a.toml": '[free]\nsdk = "s"\nmax_tokens = 1000',
        "backends/b.toml": '[strict]\nsdk = "s"\nmax_tokens = 10\nconstraints = ["temperature_unsupported"]',
        "deck/base.toml": "\n".join(
            [
                "[aliases]",
                'c = ["free", "strict"]',
                "[llm_presets.p]",
                'llm_handle = "c"',
                *preset,
                "[llm_choice_defaults]",
                "for_text = 'p'",
                "for_object = 'p'",
            ]
        ),
    }


def setting(**fields: Any) -> LLMSetting:
    return LLMSetting.model_validate({"llm_handle": "m", **fields})


def presets(text: str) -> dict[str, str]:
    return {
        "deck/base.toml": f"""
            [llm_presets.sound]
            llm_handle = "m1"
            [llm_choice_defaults]
            for_text = "sound"
            for_object = "sound"
            [llm_presets.broken]
            {text}
        """
    }


def test_a_setting_leaves_to_the_provider_what_it_does_not_state() -> None:
    bare = setting()
    assert (bare.temperature, bare.max_tokens, bare.prompting_target, bare.description) == (None,) * 4


def test_every_field_arrives(load: Load) -> None:
    text = 'llm_handle = "m1"\ntemperature = 1\nmax_tokens = 5\nprompting_target = "openai"\ndescription = "d"'
    found = load(presets(text)).get_llm_deck().llm_presets["broken"]
    assert (found.llm_handle, found.temperature, found.max_tokens) == ("m1", 1.0, 5)
    assert (found.prompting_target, found.description) == (PromptingTarget.OPENAI, "d")


def test_every_field_of_what_calls_take_arrives(load: Load) -> None:
    text = """
        llm_handle = "m1"
        top_p = 0.9
        reasoning_effort = "high"
        seed = 7
        stop = ["END", "."]
        timeout = 30
        extra_body = { service_tier = "flex", tags = ["a"] }
    """
    found = load(presets(text)).get_llm_deck().llm_presets["broken"]
    assert (found.top_p, found.reasoning_effort, found.seed) == (0.9, ReasoningEffort.HIGH, 7)
    assert (found.stop, found.timeout, found.reasoning_budget) == (("END", "."), 30.0, None)
    assert found.extra_body == {"service_tier": "flex", "tags": ["a"]}
    assert hash(found) == hash(copy.deepcopy(found))


def test_one_text_is_a_list_of_one_that_ends_an_answer(load: Load) -> None:
    text = 'llm_handle = "m1"\nstop = "END"\nreasoning_budget = 0'
    found = load(presets(text)).get_llm_deck().llm_presets["broken"]
    assert (found.stop, found.reasoning_budget) == (("END",), 0)


@pytest.mark.parametrize(("text", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_faulty_preset_is_one_problem(problems: Problems, text: str, message: str) -> None:
    (problem,) = problems(presets(text))
    assert problem.startswith("deck/base.toml:")
    assert problem.endswith(f"  cogt.deck.llm_presets.broken.{message}")


@pytest.mark.parametrize(
    ("temperature", "bound"), [("2.1", "at most 2"), ("-0.1", "at least 0"), ("inf", "finite"), ("-inf", "finite")]
)
def test_temperature_is_0_to_2(problems: Problems, temperature: str, bound: str) -> None:
    (problem,) = problems(presets(f'llm_handle = "m1"\ntemperature = {temperature}'))
    assert f"broken.temperature: expected a {'finite ' if bound == 'finite' else ''}number" in problem
    assert bound in problem
    assert problem.endswith(f"got {temperature}")


def test_an_empty_handle_is_no_handle(problems: Problems) -> None:
    (problem,) = problems(presets('llm_handle = ""'))
    assert problem.endswith("llm_handle: expected a string that is not empty, got an empty string")


@pytest.mark.parametrize(("model", "line", "message"), FAULTS.values(), ids=FAULTS)
def test_a_preset_past_its_models_limits_is_an_error(
    problems: Problems, model: list[str], line: str, message: str
) -> None:
    assert problems(preset_over_model(model, [line])) == [f"deck/base.toml:2  cogt.deck.llm_presets.p.{message}"]


@pytest.mark.parametrize(("model", "preset"), FITS.values(), ids=FITS)
def test_a_preset_that_fits_loads_without_a_word(load: Load, model: list[str], preset: list[str]) -> None:
    assert load(preset_over_model(model, preset)).warnings == ()


TOLD_ONCE = {
    "an effort": (
        ['reasoning_efforts = ["low", "high"]'],
        'reasoning_effort = "max"',
        "reasoning_effort: model 'm' on backend 'a' takes low, high, got max",
    ),
    "a budget": (
        ["reasoning_efforts = []"],
        "reasoning_budget = 5",
        "reasoning_budget: model 'm' on backend 'a' takes no reasoning_budget: sdk 'openai' has none",
    ),
    "a temperature": (
        ['constraints = ["temperature_must_be_multiplied_by_2"]', "max_temperature = 0.7"],
        "temperature = 1.2",
        "temperature: model 'm' on backend 'a' doubles the temperature, so it may not pass 1, got 1.2",
    ),
}


@pytest.mark.parametrize(("model", "stated", "fault"), TOLD_ONCE.values(), ids=TOLD_ONCE)
def test_a_value_that_is_refused_for_two_reasons_is_told_once(
    problems: Problems, model: list[str], stated: str, fault: str
) -> None:
    files = {**preset_over_model(model, [stated]), "backends/a.local.toml": "[m]\nsdk = 'openai'\n"}
    assert [problem.partition("llm_presets.p.")[2] for problem in problems(files)] == [fault]


def test_every_fault_of_a_preset_is_told(problems: Problems) -> None:
    model = ["max_tokens = 10", 'constraints = ["temperature_must_be_1", "max_tokens_must_be_high_enough"]']
    found = problems(preset_over_model(model, ["temperature = 0", "max_tokens = 11"]))
    assert [problem.partition("llm_presets.p.")[2] for problem in found] == [
        "temperature: model 'm' on backend 'a' takes no temperature but 1, got 0.0",
        "max_tokens: 11 is more than the 10 of model 'm' on backend 'a'",
    ]


def test_what_another_member_of_the_chain_would_refuse_is_no_fault(load: Load) -> None:
    manager = load(chain_of_two("temperature = 0.5", "max_tokens = 11"))
    assert manager.get_llm_deck().resolve("p").model.name == "free"
    assert manager.warnings == ()


def test_the_same_fault_is_an_error_where_that_member_is_the_first_served(problems: Problems) -> None:
    overrides = {"inference_config": {"enabled_backends": ["b"]}}
    assert problems(chain_of_two("temperature = 0.5"), overrides=overrides) == [
        "deck/base.toml:5  cogt.deck.llm_presets.p.temperature: model 'strict' on backend 'b' takes no temperature"
    ]


def test_auto_is_the_limit_of_whichever_model_answers(load: Load) -> None:
    files = chain_of_two('max_tokens = "auto"')
    assert load(files).get_llm_deck().resolve("p").parameters.max_tokens == 1000
    overrides = {"inference_config": {"enabled_backends": ["b"]}}
    assert load(files, overrides=overrides).get_llm_deck().resolve("p").parameters.max_tokens == 10


def test_auto_stays_unknown_where_the_limit_is(load: Load) -> None:
    deck = load(preset_over_model([], ['max_tokens = "auto"'])).get_llm_deck()
    assert deck.resolve("p").parameters.max_tokens is None
    assert deck.resolve("p").setting.max_tokens == "auto"
    assert deck.llm_presets["p"].max_tokens == "auto"


@pytest.mark.parametrize(
    ("variable", "field", "expected"),
    [
        ("TEMPERATURE", "temperature", 0.25),
        ("MAX_TOKENS", "max_tokens", 7),
        ("MAX_TOKENS", "max_tokens", "auto"),
        ("PROMPTING_TARGET", "prompting_target", "gemini"),
    ],
)
def test_a_variable_changes_a_preset(load: Load, variable: str, field: str, expected: object) -> None:
    deck = load(environ={f"PIPELEX_COGT__DECK__LLM_PRESETS__P__{variable}": str(expected)}).get_llm_deck()
    assert getattr(deck.llm_presets["p"], field) == expected


def test_a_fault_of_a_variable_names_the_variable(problems: Problems) -> None:
    (problem,) = problems(environ={"PIPELEX_COGT__DECK__LLM_PRESETS__P__TEMPERATURE": "3"})
    assert problem.startswith(
        "PIPELEX_COGT__DECK__LLM_PRESETS__P__TEMPERATURE  cogt.deck.llm_presets.p.temperature: expected a number of at"
    )


def test_the_check_follows_the_layers(load: Load) -> None:
    files = {
        **preset_over_model(["max_tokens = 10"], ["max_tokens = 11"]),
        "deck/base.local.toml": "[llm_presets.p]\nmax_tokens = 10",
    }
    assert load(files).get_llm_deck().resolve("p").parameters.max_tokens == 10


@pytest.mark.parametrize("field", ["llm_handle", "temperature", "max_tokens"])
def test_a_setting_is_frozen(field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(setting(), field, None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_setting_travels(copied: Callable[[LLMSetting], LLMSetting]) -> None:
    original = setting(temperature=0.5, max_tokens="auto", prompting_target="mistral")
    assert copied(original) == original
    assert hash(copied(original)) == hash(original)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_choices_travel_and_are_frozen(copied: Callable[[LLMChoices], LLMChoices]) -> None:
    choices = LLMChoices(for_text="p")
    assert copied(choices) == choices
    field = "for_text"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(choices, field, "q")


def test_a_setting_of_ones_own_can_be_checked_against_a_model(load: Load) -> None:
    manager: ModelManager = load()
    model: InferenceModelSpec = manager.get_inference_model("m1")
    assert list(setting(max_tokens=1001).faults_for(model)) == [
        ("max_tokens", "1001 is more than the 1000 of model 'm1' on backend 'a'")
    ]
    assert list(setting(max_tokens=1000).faults_for(model)) == []


def test_the_choices_are_two() -> None:
    assert [choice.value for choice in LLMChoice] == ["for_text", "for_object"]
