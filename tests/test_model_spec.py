"""Model specs: defaults of the file, unknown prices, capabilities, and what a spec refuses."""

import copy
import pickle
import tomllib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pipelex_cogt import (
    InferenceModelSpec,
    InputModality,
    MissingCredentialError,
    ModelApi,
    ModelConstraint,
    ModelCosts,
    OutputModality,
    PromptingTarget,
    ReasoningEffort,
    UnusableCredentialError,
)
from tests.conftest import Load

Problems = Callable[..., list[str]]
ReadSpec = Callable[..., InferenceModelSpec]

FULL = """
    [defaults]
    sdk = "sdk_a"
    [m1]
    model_id = "maker/m1-2026"
    inputs = ["text", "images", "pdf"]
    outputs = ["text", "structured"]
    costs = { input = 1, output = 2.5, input_cached = 0.0 }
    max_tokens = 1000
    context_window = 2000
    max_prompt_images = 3
    prompting_target = "gemini"
    constraints = ["temperature_must_be_1"]
    description = "A model."
"""

CONSTRAINTS = (
    "'temperature_must_be_1', 'temperature_must_be_multiplied_by_2', 'max_tokens_must_be_high_enough', "
    "'temperature_unsupported', 'temperature_unsupported_with_reasoning' or 'stop_unsupported'"
)

EFFORTS = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'"
QUOTE_IT = "expected a string, got a date; put it in quotes"
HEADER_NAME = "a header's name holds no space and no separator but a dash"
NO_REFERENCE = "a reference cannot stand here, only in a backend's own settings, model_id, headers and extra_config"
BAD_FIELDS = {
    "max_tokens text": ('max_tokens = "1000"', "max_tokens: expected an integer, got a string"),
    "max_tokens true": ("max_tokens = true", "max_tokens: expected an integer, got a boolean"),
    "max_tokens float": ("max_tokens = 10.0", "max_tokens: expected an integer, got a float"),
    "max_tokens zero": ("max_tokens = 0", "max_tokens: expected a number of at least 1, got 0"),
    "max_tokens auto": ('max_tokens = "auto"', "max_tokens: expected an integer, got a string"),
    "context_window": ("context_window = -1", "context_window: expected a number of at least 1, got -1"),
    "max_prompt_images": ("max_prompt_images = [1]", "max_prompt_images: expected an integer, got a list"),
    "price nan": ("costs = { input = nan }", "costs.input: expected a finite number, got nan"),
    "price inf": ("costs = { output = inf }", "costs.output: expected a finite number, got inf"),
    "price true": ("costs = { input = true }", "costs.input: expected a number, got a boolean"),
    "price text": ('costs = { input = "1" }', "costs.input: expected a number, got a string"),
    "price key": ("costs = { inputt = 1 }", "costs.inputt: unknown key; did you mean 'input'?"),
    "costs": ("costs = 3", "costs: expected a table, got an integer"),
    "inputs text": ('inputs = "text"', "inputs: expected a list, got a string"),
    "input": (
        'inputs = ["text", "image"]',
        "inputs.1: expected one of 'text', 'images', 'audio', 'video' or 'pdf', got 'image'",
    ),
    "output": (
        'outputs = ["object"]',
        "outputs.0: expected one of 'text', 'structured', 'images', 'audio', 'video' or 'embeddings', got 'object'",
    ),
    "constraint": (
        'constraints = ["none"]',
        f"constraints.0: expected one of {CONSTRAINTS}, got 'none'",
    ),
    "prompting_target": (
        'prompting_target = "llama"',
        "prompting_target: expected one of 'openai', 'anthropic', 'mistral' or 'gemini', got 'llama'",
    ),
    "enabled": ("enabled = 1", "enabled: expected true or false, got an integer"),
    "sdk": ("sdk = 5", "sdk: expected a string, got an integer"),
    "empty sdk": ('sdk = ""', "sdk: expected a string that is not empty, got an empty string"),
    "empty model_id": ('model_id = ""', "model_id: expected a string that is not empty, got an empty string"),
    "model_id": ("model_id = 4", "model_id: expected a string, got an integer"),
    "description": ("description = 4", "description: expected a string, got an integer"),
    "api": ('api = "chats"', "api: expected one of 'chat' or 'responses', got 'chats'"),
    "api list": ("api = ['chat']", "api: expected one of 'chat' or 'responses', got a list"),
    "effort": (
        'reasoning_efforts = ["high", "medum"]',
        f"reasoning_efforts.1: expected one of {EFFORTS}, got 'medum'",
    ),
    "efforts text": ('reasoning_efforts = "high"', "reasoning_efforts: expected a list, got a string"),
    "budget reversed": ("reasoning_budget = [5, 3]", "reasoning_budget: expected [least, most], got 5 above 3"),
    "budget of three": (
        "reasoning_budget = [1, 2, 3]",
        "reasoning_budget: expected a list of two, [least, most], got one of 3",
    ),
    "budget of one": (
        "reasoning_budget = [1]",
        "reasoning_budget: expected a list of two, [least, most], got one of 1",
    ),
    "budget negative": ("reasoning_budget = [-1, 5]", "reasoning_budget.0: expected a number of at least 0, got -1"),
    "budget number": ("reasoning_budget = 1000", "reasoning_budget: expected a list, got an integer"),
    "budget float": ("reasoning_budget = [0, 1.5]", "reasoning_budget.1: expected an integer, got a float"),
    "max_temperature": ("max_temperature = 3", "max_temperature: expected a number of at most 2, got 3"),
    "max_temperature nan": ("max_temperature = nan", "max_temperature: expected a finite number, got nan"),
    "max_input_tokens": ("max_input_tokens = 0", "max_input_tokens: expected a number of at least 1, got 0"),
    "tools": ('tools = "yes"', "tools: expected true or false, got a string"),
    "headers text": ('headers = "x-a: b"', "headers: expected a table, got a string"),
    "headers list": ("headers = ['x']", "headers: expected a table, got a list"),
    "header number": ("headers = { x-a = 5 }", "headers.x-a: expected a string, got an integer"),
    "header list": ("headers = { x-a = ['b'] }", "headers.x-a: expected a string, got a list"),
    "header date": ("headers = { x-a = 2024-10-21 }", f"headers.x-a: {QUOTE_IT}"),
    "header name": ('headers = { "x a" = "b" }', f'headers."x a": {HEADER_NAME}'),
    "header colon": ('headers = { "x-a:" = "b" }', f'headers."x-a:": {HEADER_NAME}'),
    "header empty": ('headers = { "" = "b" }', f'headers."": {HEADER_NAME}'),
    "header line end": ('headers = { "x\\r\\ny" = "b" }', f'headers."x\\r\\ny": {HEADER_NAME}'),
    "extra_body": ("extra_body = []", "extra_body: expected a table, got a list"),
    "extra_body date": ("extra_body = { when = 2024-10-21 }", f"extra_body.when: {QUOTE_IT}"),
    "extra_body deep date": ("extra_body = { a = { b = [1, 2024-10-21] } }", f"extra_body.a.b.1: {QUOTE_IT}"),
    "extra_config": ("extra_config = 5", "extra_config: expected a table, got an integer"),
    "extra_config date": ("extra_config = { since = 2024-10-21 }", f"extra_config.since: {QUOTE_IT}"),
    "retires text": ('retires = "2027-01-31"', "retires: expected a date such as 2027-01-31, got a string"),
    "retires number": ("retires = 2027", "retires: expected a date such as 2027-01-31, got an integer"),
    "retires moment": (
        "retires = 2027-01-31T12:00:00Z",
        "retires: expected a date such as 2027-01-31, got a date and time",
    ),
    "successor": ("successor = 5", "successor: expected a string, got an integer"),
    "empty successor": ('successor = ""', "successor: expected a string that is not empty, got an empty string"),
    "unknown successor": ('successor = "m9"', "successor: no model is called 'm9'"),
    "near key": ("max_token = 4", "max_token: unknown key; did you mean 'max_tokens'?"),
    "sdk reference": (
        'sdk = "${SDK}"',
        (
            "sdk: a reference cannot stand here, only in a backend's own settings, model_id, headers and extra_config;"
            " set PIPELEX_COGT__MODELS__A__M1__SDK instead"
        ),
    ),
    "description reference": (
        'description = "for ${WHOM}"',
        (
            "description: a reference cannot stand here,"
            " only in a backend's own settings, model_id, headers and extra_config;"
            " set PIPELEX_COGT__MODELS__A__M1__DESCRIPTION instead"
        ),
    ),
}

BAD_DEFAULTS = {
    "unknown key": (
        ["[defaults]", 'sdk = "s"', "sdkk = 1", "[m1]", "[m2]"],
        "backends/a.toml:3  cogt.models.a.defaults.sdkk: unknown key; did you mean 'sdk'?",
    ),
    "wrong type": (
        ["[defaults]", 'sdk = "s"', "[m1]", "[m2]", "[defaults.costs]", 'input = "1"'],
        "backends/a.toml:6  cogt.models.a.defaults.costs.input: expected a number, got a string",
    ),
    "no model at all": (
        ["[defaults]", "sdk = 5"],
        "backends/a.toml:2  cogt.models.a.defaults.sdk: expected a string, got an integer",
    ),
    "older spelling": (
        ["default_sdk = 5", "[m1]"],
        "backends/a.toml:1  cogt.models.a.defaults.sdk: expected a string, got an integer",
    ),
    "both spellings": (
        ['default_sdk = "old"', "[defaults]", 'sdk = "new"', "[m1]"],
        "backends/a.toml:1  cogt.models.a.default_sdk: also stated as defaults.sdk; keep one of the two",
    ),
    "not a table": (
        ["defaults = 3", "[m1]", 'sdk = "s"'],
        "backends/a.toml:1  cogt.models.a.defaults: expected a table, got an integer",
    ),
}


def specs_a(*lines: str) -> dict[str, str]:
    """A file of backend `a`, with a deck and a routing that depend on nothing in it."""
    return {
        "backends/a.toml": "\n".join(lines),
        "deck/base.toml": """
            [llm_presets]
            p = { llm_handle = "only-b" }
            [llm_choice_defaults]
            for_text = "p"
            for_object = "p"
        """,
    }


@pytest.fixture
def spec_a(load: Load) -> ReadSpec:
    def read(*lines: str, name: str = "m1", **arguments: Any) -> InferenceModelSpec:
        return load(specs_a(*lines), **arguments).get_required_inference_backend("a").model_specs[name]

    return read


def test_every_field_arrives(spec_a: ReadSpec) -> None:
    spec = spec_a(FULL)
    assert (spec.name, spec.backend_name, spec.model_id, spec.sdk) == ("m1", "a", "maker/m1-2026", "sdk_a")
    assert spec.inputs == (InputModality.TEXT, InputModality.IMAGES, InputModality.PDF)
    assert spec.outputs == (OutputModality.TEXT, OutputModality.STRUCTURED)
    assert spec.costs == ModelCosts(input=1, output=2.5, input_cached=0)
    assert (spec.max_tokens, spec.context_window, spec.max_prompt_images) == (1000, 2000, 3)
    assert spec.prompting_target is PromptingTarget.GEMINI
    assert spec.constraints == (ModelConstraint.TEMPERATURE_MUST_BE_1,)
    assert (spec.enabled, spec.description) == (True, "A model.")


TODAYS = """
    [m1]
    api = "responses"
    reasoning_efforts = ["none", "low", "high"]
    reasoning_budget = [0, 8_000]
    max_temperature = 1.5
    max_input_tokens = 272_000
    tools = true
    headers = { x-provider = "@openai", x-tenant = "${TENANT}" }
    extra_body = { service_tier = "flex", nested = { list = [1, true] } }
    extra_config = { rpm = 60, structure_method = "tools", api_token = "${TOKEN}", deep = { region = "${TENANT}" } }
    retires = 2027-01-31
    successor = "only-b"
"""


@pytest.mark.parametrize("in_defaults", [False, True], ids=["of a model", "of the defaults"])
def test_every_field_of_what_calls_take_arrives(spec_a: ReadSpec, *, in_defaults: bool) -> None:
    text = TODAYS.replace("[m1]", "[m1]\n[defaults]" if in_defaults else "[m1]")
    spec = spec_a(text, "sdk = 's'", environ={"TENANT": "t", "TOKEN": "secret"})
    assert (spec.api, spec.tools) == (ModelApi.RESPONSES, True)
    assert spec.reasoning_efforts == (ReasoningEffort.NONE, ReasoningEffort.LOW, ReasoningEffort.HIGH)
    assert (spec.reasoning_budget, spec.max_temperature, spec.max_input_tokens) == ((0, 8000), 1.5, 272000)
    assert dict(spec.headers.items()) == {"x-provider": "@openai", "x-tenant": "t"}
    assert spec.extra_body == {"service_tier": "flex", "nested": {"list": [1, True]}}
    assert (spec.extra_config["rpm"], spec.extra_config["structure_method"]) == (60, "tools")
    assert spec.extra_config["deep"] == {"region": "t"}
    token = spec.extra_config["api_token"]
    assert isinstance(token, SecretStr)
    assert token.get_secret_value() == "secret"
    assert (spec.retires, spec.successor) == (date(2027, 1, 31), "only-b")


def test_what_nobody_says_of_calls_is_unknown(spec_a: ReadSpec) -> None:
    spec = spec_a("[m1]", 'sdk = "s"')
    assert spec.api is ModelApi.CHAT
    assert (spec.reasoning_efforts, spec.reasoning_budget, spec.tools) == (None, None, None)
    assert (spec.max_temperature, spec.max_input_tokens, spec.retires, spec.successor) == (None,) * 4
    assert (len(spec.headers), len(spec.extra_body), len(spec.extra_config)) == (0, 0, 0)


def test_a_model_that_does_not_reason_says_so_with_an_empty_list(spec_a: ReadSpec) -> None:
    assert spec_a("[m1]", 'sdk = "s"', "reasoning_efforts = []").reasoning_efforts == ()


def test_a_table_of_a_model_lies_over_that_of_the_defaults(spec_a: ReadSpec) -> None:
    defaults = ("[defaults]", 'sdk = "s"', "headers = { a = '1', b = '1' }", "extra_body = { x = { y = 1, z = 1 } }")
    spec = spec_a(*defaults, "[m1]", "headers = { b = '2' }", "extra_body = { x = { z = 2 } }")
    assert spec.headers == {"a": "1", "b": "2"}
    assert spec.extra_body == {"x": {"y": 1, "z": 2}}


def test_a_reference_of_a_model_that_nothing_answers_says_where_it_stands(spec_a: ReadSpec) -> None:
    spec = spec_a("[m1]", 'sdk = "s"', "headers = { x-tenant = '${TENANT}' }")
    with pytest.raises(MissingCredentialError) as caught:
        _ = spec.headers["x-tenant"]
    assert (caught.value.backend, caught.value.variables) == ("a", ("TENANT",))
    assert caught.value.path == "cogt.models.a.m1.headers.x-tenant"
    assert caught.value.place.endswith("a.toml:3")


def test_a_backend_is_ready_when_its_models_tables_are_answered(load: Load) -> None:
    files = specs_a("[m1]", 'sdk = "s"', "headers = { x-tenant = '${TENANT}' }")
    backend = load(files, environ={"A_KEY": "a"}).backends["a"]
    assert (backend.is_ready, backend.missing()) == (False, ("TENANT",))
    assert load(files, environ={"A_KEY": "a", "TENANT": "t"}).backends["a"].is_ready


@pytest.mark.parametrize("value", ["a\\r\\nx-b: c", "a\\nb", "\\u0000"], ids=["CR LF", "LF", "NUL"])
@pytest.mark.parametrize("way", ["literal", "reference"])
def test_a_header_that_would_end_early_is_refused_when_it_is_asked_for(spec_a: ReadSpec, value: str, way: str) -> None:
    stated = f'"{value}"' if way == "literal" else "'${TENANT}'"
    sent = tomllib.loads(f'value = "{value}"')["value"]
    spec = spec_a("[m1]", 'sdk = "s"', f"headers = {{ x-tenant = {stated} }}", environ={"TENANT": sent})
    with pytest.raises(UnusableCredentialError, match="x-tenant"):
        _ = spec.headers["x-tenant"]


def test_an_unknown_successor_of_the_defaults_is_told_there(problems: Problems) -> None:
    assert problems(specs_a("[defaults]", 'sdk = "s"', "successor = 'only-c'", "[m1]", "[m2]")) == [
        "backends/a.toml:3  cogt.models.a.defaults.successor: no model is called 'only-c'; did you mean 'only-b'?"
    ]


@pytest.mark.parametrize("name", ["m1", "only-b", "m-off"])
def test_a_successor_is_any_model_that_a_file_knows(spec_a: ReadSpec, name: str) -> None:
    assert spec_a("[m1]", 'sdk = "s"', f"successor = '{name}'").successor == name


def test_a_successor_in_a_file_that_was_not_read_is_not_told(problems: Problems) -> None:
    files = {**specs_a("[m1]", 'sdk = "s"', "successor = 'm-off'"), "backends/off.toml": "[broken"}
    overrides = {"backends": {"off": {"enabled": True}}}
    assert [each.partition("  ")[0] for each in problems(files, overrides=overrides)] == ["backends/off.toml:1"]


def test_a_model_reads_and_writes_text_where_nobody_says_otherwise(spec_a: ReadSpec) -> None:
    spec = spec_a("[m1]", 'sdk = "s"')
    assert (spec.inputs, spec.outputs) == ((InputModality.TEXT,), (OutputModality.TEXT,))
    spec = spec_a("[m1]", 'sdk = "s"', "inputs = []", "outputs = ['images']")
    assert (spec.inputs, spec.outputs) == ((), (OutputModality.IMAGES,))


def test_what_nobody_stated_is_unknown(spec_a: ReadSpec) -> None:
    spec = spec_a("[m1]", 'sdk = "s"')
    assert spec.constraints == ()
    assert (spec.max_tokens, spec.context_window, spec.max_prompt_images) == (None, None, None)
    assert (spec.prompting_target, spec.description) == (None, None)


def test_an_unknown_price_is_none_and_never_zero(spec_a: ReadSpec) -> None:
    costs = spec_a("[m1]", 'sdk = "s"', "costs = { input = 1.0, input_cached = 0 }").costs
    assert (costs.input, costs.input_cached, costs.output, costs.total) == (1.0, 0.0, None, None)
    assert spec_a("[m1]", 'sdk = "s"').costs == ModelCosts()


def test_a_price_of_zero_is_a_price(spec_a: ReadSpec) -> None:
    costs = spec_a("[m1]", 'sdk = "s"', "costs = { input = 0, output = 0 }").costs
    assert (costs.input, costs.output, costs.total) == (0.0, 0.0, 0.0)


def test_the_model_id_defaults_to_the_model_name(spec_a: ReadSpec) -> None:
    assert spec_a('["maker/m.1:free"]', 'sdk = "s"', name="maker/m.1:free").model_id == "maker/m.1:free"


def test_defaults_apply_to_each_model(spec_a: ReadSpec) -> None:
    lines = ("[m1]", "[defaults]", 'sdk = "s"', 'inputs = ["text"]', "max_tokens = 5", "[m2]", "max_tokens = 7")
    first, second = spec_a(*lines), spec_a(*lines, name="m2")
    assert (first.sdk, first.inputs, first.max_tokens) == ("s", ("text",), 5)
    assert (second.sdk, second.inputs, second.max_tokens) == ("s", ("text",), 7)


def test_tables_of_defaults_merge_and_lists_replace(spec_a: ReadSpec) -> None:
    spec = spec_a(
        "[defaults]",
        'sdk = "s"',
        'inputs = ["text", "images"]',
        "costs = { input = 1.0, output = 2.0 }",
        "[m1]",
        'inputs = ["audio"]',
        "costs = { output = 3.0 }",
    )
    assert (spec.costs.input, spec.costs.output, spec.inputs) == (1.0, 3.0, ("audio",))


def test_a_models_own_key_wins_over_the_defaults(spec_a: ReadSpec) -> None:
    assert spec_a("[defaults]", 'sdk = "s"', "[m1]", 'sdk = "own"').sdk == "own"


def test_the_older_spelling_means_the_same(spec_a: ReadSpec) -> None:
    spec = spec_a('default_sdk = "old"', 'default_prompting_target = "mistral"', "[m1]")
    assert (spec.sdk, spec.prompting_target) == ("old", PromptingTarget.MISTRAL)


def test_a_higher_layer_wins_whichever_spelling_it_uses(spec_a: ReadSpec) -> None:
    newer = {"models": {"a": {"defaults": {"sdk": "override"}}}}
    older = {"models": {"a": {"default_sdk": "override"}}}
    assert spec_a('default_sdk = "old"', "[m1]", overrides=newer).sdk == "override"
    assert spec_a("[defaults]", 'sdk = "new"', "[m1]", overrides=older).sdk == "override"


def test_the_older_spelling_is_a_warning(load: Load) -> None:
    (warning,) = load(specs_a('default_sdk = "old"', "[m1]")).warnings
    assert (warning.line, warning.suggestion) == (1, "write sdk in [defaults]")


@pytest.mark.parametrize("name", ["items", "get", "keys", "default_sdk", "GPT-4.1", "a b", "ünï"])
def test_any_key_names_a_model(spec_a: ReadSpec, name: str) -> None:
    assert spec_a(f'["{name}"]', 'sdk = "s"', name=name).name == name


@pytest.mark.parametrize(
    ("inputs", "outputs", "vision", "objects"),
    [
        ('["text"]', '["text"]', False, False),
        ('["images"]', '["text"]', True, False),
        ('["text"]', '["text", "structured"]', False, True),
        ('["text"]', '["images"]', False, False),
        ("[]", "[]", False, False),
    ],
)
def test_capabilities_are_properties(
    spec_a: ReadSpec, inputs: str, outputs: str, *, vision: bool, objects: bool
) -> None:
    spec = spec_a("[m1]", 'sdk = "s"', f"inputs = {inputs}", f"outputs = {outputs}")
    assert (spec.is_vision_supported, spec.is_gen_object_supported) == (vision, objects)


def test_a_disabled_model_is_not_served(load: Load) -> None:
    manager = load(specs_a("[m1]", 'sdk = "s"', "enabled = false", "[only-a]", 'sdk = "s"'))
    assert list(manager.get_required_inference_backend("a").model_specs) == ["only-a"]
    assert manager.get_inference_model("m1").backend_name == "b"


def test_defaults_may_disable_and_a_model_enable_itself(load: Load) -> None:
    manager = load(specs_a("[defaults]", 'sdk = "s"', "enabled = false", "[m1]", "[only-a]", "enabled = true"))
    assert list(manager.get_required_inference_backend("a").model_specs) == ["only-a"]


def test_a_model_id_may_be_a_reference(spec_a: ReadSpec) -> None:
    environ: dict[str, str] = {}
    spec = spec_a("[m1]", 'sdk = "s"', 'model_id = "deployments/${NAME}"', environ=environ)
    with pytest.raises(MissingCredentialError) as caught:
        _ = spec.model_id
    assert (caught.value.backend, caught.value.variables) == ("a", ("NAME",))
    assert caught.value.path == "cogt.models.a.m1.model_id"
    assert caught.value.place.endswith("a.toml:3")
    environ["NAME"] = "gpt"
    assert spec.model_id == "deployments/gpt"
    assert "deployments/gpt" not in repr(spec) + spec.model_dump_json()


@pytest.mark.parametrize(("line", "message"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_faulty_field_is_one_problem(problems: Problems, line: str, message: str) -> None:
    sdk = () if line.startswith("sdk") else ('sdk = "s"',)
    found = problems(specs_a("[m1]", line, *sdk))
    assert found == [f"backends/a.toml:2  cogt.models.a.m1.{message}"]


def test_a_negative_price_is_no_price(problems: Problems) -> None:
    (problem,) = problems(specs_a("[m1]", 'sdk = "s"', "costs = { input = -0.1 }"))
    assert problem.startswith("backends/a.toml:3  cogt.models.a.m1.costs.input: expected a number of at least 0")
    assert problem.endswith("got -0.1")


@pytest.mark.parametrize("key", ["name", "backend_name", "credentials", "stated_model_id"])
def test_what_the_file_does_not_say_cannot_be_stated(problems: Problems, key: str) -> None:
    (problem,) = problems(specs_a("[m1]", 'sdk = "s"', f'{key} = "x"'))
    assert problem.startswith(f"backends/a.toml:3  cogt.models.a.m1.{key}: unknown key")
    assert "credentials" not in problem.partition("unknown key")[2]


def test_a_model_needs_an_sdk(problems: Problems) -> None:
    assert problems(specs_a("[m1]", 'inputs = ["text"]')) == [
        "backends/a.toml:1  cogt.models.a.m1.sdk: required, and nothing states it"
    ]


NO_SDK = "sdk: required, and nothing states it"
WITHOUT_SDK = {
    "in no table": (["[m1]", "[only-a]"], [f"  cogt.models.a.defaults.{NO_SDK}; state it for all models of the file"]),
    "beside other defaults": (
        ["[defaults]", "max_tokens = 5", "[m1]", "[only-a]", "max_tokens = 'x'"],
        [
            f":1  cogt.models.a.defaults.{NO_SDK}; state it for all models of the file",
            ":5  cogt.models.a.only-a.max_tokens: expected an integer, got a string",
        ],
    ),
    "in one table": (["[m1]", "[only-a]", "sdk = 's'"], [f":1  cogt.models.a.m1.{NO_SDK}"]),
    "misspelt": (
        ["[defaults]", "skd = 's'", "[m1]", "[only-a]"],
        [":2  cogt.models.a.defaults.skd: unknown key; did you mean 'sdk'?"],
    ),
    "misspelt in each": (
        ["[m1]", "skd = 's'", "[only-a]", "skd = 's'"],
        [
            ":2  cogt.models.a.m1.skd: unknown key; did you mean 'sdk'?",
            ":4  cogt.models.a.only-a.skd: unknown key; did you mean 'sdk'?",
        ],
    ),
}


@pytest.mark.parametrize(("lines", "expected"), WITHOUT_SDK.values(), ids=WITHOUT_SDK)
def test_an_sdk_that_several_models_lack_is_told_once(
    problems: Problems, lines: list[str], expected: list[str]
) -> None:
    assert problems(specs_a(*lines)) == [f"backends/a.toml{fault}" for fault in expected]


@pytest.mark.parametrize(("lines", "message"), BAD_DEFAULTS.values(), ids=BAD_DEFAULTS)
def test_a_fault_of_the_defaults_is_told_once_where_it_stands(
    problems: Problems, lines: list[str], message: str
) -> None:
    assert problems(specs_a(*lines)) == [message]


def test_a_value_at_the_top_of_the_file_belongs_in_a_table(problems: Problems) -> None:
    (problem,) = problems(specs_a('default_sdkk = "x"', "[m1]", 'sdk = "s"'))
    assert problem.startswith("backends/a.toml:1  cogt.models.a.default_sdkk: expected a table, got a string")
    assert "default_sdk'" in problem


def test_every_fault_of_a_model_is_told(problems: Problems) -> None:
    found = problems(specs_a("[m1]", "max_tokens = 0", "enabled = 3", "costs = { input = nan, output = -1 }"))
    assert [problem.partition(": ")[0] for problem in found] == [
        "backends/a.toml:1  cogt.models.a.m1.sdk",
        "backends/a.toml:2  cogt.models.a.m1.max_tokens",
        "backends/a.toml:3  cogt.models.a.m1.enabled",
        "backends/a.toml:4  cogt.models.a.m1.costs.input",
        "backends/a.toml:4  cogt.models.a.m1.costs.output",
    ]


@pytest.mark.parametrize("field", ["name", "sdk", "costs", "inputs", "enabled"])
def test_a_spec_is_frozen(spec_a: ReadSpec, field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(spec_a(FULL), field, None)


def test_costs_are_frozen_and_lists_are_tuples(spec_a: ReadSpec) -> None:
    spec = spec_a(FULL)
    field = "input"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(spec.costs, field, 0)
    assert all(isinstance(value, tuple) for value in (spec.inputs, spec.outputs, spec.constraints))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda spec: pickle.loads(pickle.dumps(spec))])
def test_a_spec_travels(spec_a: ReadSpec, copied: Callable[[InferenceModelSpec], InferenceModelSpec]) -> None:
    spec = spec_a(FULL)
    twin = copied(spec)
    assert twin == spec
    assert twin.model_id == "maker/m1-2026"


def test_a_spec_with_a_reference_travels_without_its_answer(spec_a: ReadSpec) -> None:
    spec = spec_a("[m1]", 'sdk = "s"', 'model_id = "${NAME}"', environ={"NAME": "canary-5c1"})
    content = pickle.dumps(spec)
    assert b"canary-5c1" not in content
    assert pickle.loads(content).name == "m1"


def test_equal_specs_are_equal_and_hashable(spec_a: ReadSpec) -> None:
    assert spec_a(FULL) == spec_a(FULL)
    assert hash(spec_a(FULL)) == hash(spec_a(FULL))


def test_a_dump_reads_like_the_file(spec_a: ReadSpec) -> None:
    dump = spec_a(FULL).model_dump(mode="json", exclude_none=True)
    assert dump["model_id"] == "maker/m1-2026"
    assert dump["inputs"] == ["text", "images", "pdf"]
    assert "credentials" not in dump


def test_an_application_may_build_a_spec_of_its_own() -> None:
    spec = InferenceModelSpec.model_validate(
        {"name": "m", "backend_name": "a", "model_id": "id", "sdk": "s", "inputs": ["text"]}
    )
    assert (spec.model_id, spec.inputs) == ("id", (InputModality.TEXT,))


def test_a_reference_in_the_defaults_is_told_once_where_it_stands(problems: Problems) -> None:
    text = "[defaults]\nsdk = '${SDK}'\n[m1]\n[m2]\n[m3]\n"
    refusal = f"{NO_REFERENCE}; set PIPELEX_COGT__MODELS__A__DEFAULTS__SDK instead"
    assert problems({"backends/a.toml": text}) == [f"backends/a.toml:2  cogt.models.a.defaults.sdk: {refusal}"]


def test_a_fault_of_the_defaults_leaves_nothing_else_to_be_missed(problems: Problems) -> None:
    told = problems({"backends/a.toml": "[defaults]\nsdkk = 's'\n[m1]\n[m2]\n"})
    assert told == ["backends/a.toml:2  cogt.models.a.defaults.sdkk: unknown key; did you mean 'sdk'?"]


def test_a_fault_hides_no_reference_beside_it(problems: Problems) -> None:
    told = problems({"backends/a.toml": "[m1]\nsdk = '${S}'\nmax_tokens = 'x'\ncosts = { input = '${I}' }\n"})
    variable = "PIPELEX_COGT__MODELS__A__M1__"
    assert told == [
        f"backends/a.toml:2  cogt.models.a.m1.sdk: {NO_REFERENCE}; set {variable}SDK instead",
        "backends/a.toml:3  cogt.models.a.m1.max_tokens: expected an integer, got a string",
        f"backends/a.toml:4  cogt.models.a.m1.costs.input: {NO_REFERENCE}; set {variable}COSTS__INPUT instead",
    ]
