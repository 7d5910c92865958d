"""Variables: how a name finds its key, and how its text becomes a value."""

import os
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipelex_cogt import ModelManager, SettingsError, Severity
from pipelex_cogt.config import suggestions
from pipelex_cogt.config.environ import PREFIX
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import LayerKind
from pipelex_cogt.config.override_variables import Variable, build_variable_layer
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import nest, value_at
from pipelex_cogt.config.variable_names import SEPARATOR, VariableNames, variable_part
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from pipelex_cogt.visible import visible
from tests.conftest import MINIMAL, Load

Problems: TypeAlias = Callable[..., list[str]]

KEYS = st.text(min_size=1, max_size=6) | st.text(st.sampled_from("aB_-."), min_size=1, max_size=4)
ADDS_NOTHING = "; a variable changes what exists; state what is new in a file"


def build(variables: dict[str, str], tree: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The value at each key path that the variables state, and the problems."""
    report = ProblemReport()
    given_ = [Variable(LayerKind.PROCESS_ENVIRONMENT, name, text) for name, text in variables.items()]
    names = VariableNames(SETTINGS_SCHEMA, tree)
    tables = [layer for each in given_ for layer in build_variable_layer(each, names, report)]
    problems = [str(problem) for problem in report.problems(Severity.ERROR)]
    return ({} if not tables else tables[-1]), problems


def alias_variable(key: str) -> str:
    return f"{PREFIX}DECK__ALIASES__{variable_part(key)}"


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=5, unique=True))
def test_a_name_finds_its_key_or_names_every_key_that_it_could_mean(keys: list[str]) -> None:
    tree = {"deck": {"aliases": dict.fromkeys(keys, "m1")}}
    for key in keys:
        rivals = [other for other in keys if variable_part(other) == variable_part(key)]
        table, problems = build({alias_variable(key): "m2"}, tree)
        if rivals == [key]:
            assert (table, problems) == (nest(("deck", "aliases", key), "m2"), [])
        else:
            meant = " and ".join(format_key_path(("deck", "aliases", rival)) for rival in rivals)
            told = visible(f"{alias_variable(key)}: could mean {meant}; set the value in a file instead")
            assert problems == [told]


@settings(deadline=None)
@given(backend=KEYS, model=KEYS)
def test_a_name_finds_a_key_below_any_tables(backend: str, model: str) -> None:
    assume(variable_part(model) not in ("DEFAULTS", "DEFAULT_SDK", "DEFAULT_PROMPTING_TARGET"))
    tree = nest(("models", backend, model), {"sdk": "s"})
    name = SEPARATOR.join([f"{PREFIX}MODELS", variable_part(backend), variable_part(model), "MAX_TOKENS"])
    assert build({name: "5"}, tree) == (nest(("models", backend, model, "max_tokens"), 5), [])


@given(st.text(max_size=8))
def test_a_variables_part_holds_letters_digits_and_underscores(key: str) -> None:
    ascii_part = "".join(character for character in variable_part(key) if character.isascii())
    assert all(character.isalnum() or character == "_" for character in ascii_part)
    assert variable_part(key).upper() == variable_part(key)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("gpt-4.1", "GPT_4_1"),
        ("llm_to_reason", "LLM_TO_REASON"),
        ("meta/llama-3:70b", "META_LLAMA_3_70B"),
        ("Qwen/X", "QWEN_X"),
        ("a__b", "A__B"),
        ("with space", "WITH_SPACE"),
    ],
)
def test_underscores_stand_for_what_is_no_letter_or_digit(key: str, part: str) -> None:
    assert variable_part(key) == part


PECULIAR_MODELS = ["gpt-4.1", "meta/llama-3:70b", "Qwen/X", "a__b", "items", "get", "x--y", "max_tokens"]


@pytest.mark.parametrize("model", PECULIAR_MODELS)
def test_a_variable_reaches_any_model(load: Load, model: str) -> None:
    tables = "".join(f"['{name}']\nsdk = 's'\n" for name in PECULIAR_MODELS)
    name = f"{PREFIX}MODELS__A__{variable_part(model)}__MAX_TOKENS"
    manager = load({"backends/a.toml": MINIMAL["backends/a.toml"] + "\n" + tables}, environ={name: "77"})
    specs = manager.backends["a"].model_specs
    assert {each for each in PECULIAR_MODELS if specs[each].max_tokens == 77} == {model}


def test_two_keys_that_one_variable_could_mean_are_both_named(problems: Problems) -> None:
    models = MINIMAL["backends/a.toml"] + "\n['gpt-4.1']\n['gpt_4_1']\n['GPT 4-1']\n"
    name = f"{PREFIX}MODELS__A__GPT_4_1__MAX_TOKENS"
    assert problems({"backends/a.toml": models}, environ={name: "5"}) == [
        (
            f'{name}: could mean cogt.models.a."gpt-4.1".max_tokens and cogt.models.a.gpt_4_1.max_tokens'
            ' and cogt.models.a."GPT 4-1".max_tokens; set the value in a file instead'
        )
    ]


def test_a_key_that_looks_like_a_step_is_ambiguous_too(problems: Problems) -> None:
    files = {
        "backends.toml": MINIMAL["backends.toml"] + "\n[a__b]\n",
        "backends/a__b.toml": "[c]\nsdk = 's'\n",
        "backends/a.toml": MINIMAL["backends/a.toml"] + "\n[b__c]\n",
    }
    name = f"{PREFIX}MODELS__A__B__C__MAX_TOKENS"
    (found,) = problems(files, environ={name: "5"})
    assert "cogt.models.a.b__c.max_tokens" in found
    assert "cogt.models.a__b.c.max_tokens" in found


@pytest.mark.parametrize("kind", ["environ", "dotenv", "secret"])
def test_each_kind_of_variable_finds_its_key(load: Load, kind: str, tmp_path: Any) -> None:
    name = f"{PREFIX}MODELS__B__DOT_TED__MAX_TOKENS"
    (tmp_path / "no-secrets" / (name if kind == "secret" else "other")).write_text("9\n", encoding="utf-8")
    dotenv = f"{name}=9\n" if kind == "dotenv" else ""
    manager = load({"../.env": dotenv}, environ={name: "9"} if kind == "environ" else {})
    assert manager.backends["b"].model_specs["dot.ted"].max_tokens == 9


def preset(manager: ModelManager) -> Any:
    return manager.deck.llm_presets["p"]


def backend(manager: ModelManager) -> Any:
    return manager.backends["a"]


def model(manager: ModelManager) -> Any:
    return manager.backends["a"].model_specs["m1"]


@pytest.mark.parametrize(
    ("name", "text", "read", "value"),
    [
        pytest.param("BACKENDS__OFF__ENABLED", "true", lambda m: m.backends["off"].enabled, True, id="true"),
        pytest.param("BACKENDS__OFF__ENABLED", "True", lambda m: m.backends["off"].enabled, True, id="True"),
        pytest.param("BACKENDS__OFF__ENABLED", "1", lambda m: m.backends["off"].enabled, True, id="1"),
        pytest.param("BACKENDS__B__ENABLED", "false", lambda m: m.backends["b"].enabled, False, id="false"),
        pytest.param("MODELS__A__M1__MAX_TOKENS", "50", lambda m: model(m).max_tokens, 50, id="integer"),
        pytest.param("MODELS__A__M1__MAX_TOKENS", " 50 ", lambda m: model(m).max_tokens, 50, id="integer in spaces"),
        pytest.param("MODELS__A__M1__COSTS__INPUT", "0.25", lambda m: model(m).costs.input, 0.25, id="float"),
        pytest.param("MODELS__A__M1__COSTS__INPUT", "3", lambda m: model(m).costs.input, 3.0, id="integer as float"),
        pytest.param("MODELS__A__M1__COSTS__INPUT", "1e-2", lambda m: model(m).costs.input, 0.01, id="exponent"),
        pytest.param("DECK__LLM_PRESETS__P__TEMPERATURE", "0.2", lambda m: preset(m).temperature, 0.2, id="heat"),
        pytest.param("DECK__LLM_PRESETS__P__MAX_TOKENS", "auto", lambda m: preset(m).max_tokens, "auto", id="auto"),
        pytest.param("DECK__LLM_PRESETS__P__MAX_TOKENS", "12", lambda m: preset(m).max_tokens, 12, id="not auto"),
        pytest.param("MODELS__A__M1__MODEL_ID", "12345", lambda m: model(m).model_id, "12345", id="digits as text"),
        pytest.param("MODELS__A__M1__MODEL_ID", "1e3", lambda m: model(m).model_id, "1e3", id="exponent as text"),
        pytest.param("MODELS__A__M1__DESCRIPTION", "true", lambda m: model(m).description, "true", id="true as text"),
        pytest.param("MODELS__A__M1__DESCRIPTION", "5 # x", lambda m: model(m).description, "5 # x", id="no comment"),
        pytest.param("MODELS__A__M1__DESCRIPTION", "'x'", lambda m: model(m).description, "'x'", id="quotes stay"),
        pytest.param("MODELS__A__M1__DESCRIPTION", "@int 5", lambda m: model(m).description, "@int 5", id="no token"),
        pytest.param("MODELS__A__M1__API", "responses", lambda m: model(m).api, "responses", id="api"),
        pytest.param("MODELS__A__M1__TOOLS", "true", lambda m: model(m).tools, True, id="tools"),
        pytest.param("MODELS__A__M1__RETIRES", "2027-01-31", lambda m: model(m).retires, date(2027, 1, 31), id="date"),
        pytest.param("MODELS__A__M1__SUCCESSOR", "only-b", lambda m: model(m).successor, "only-b", id="successor"),
        pytest.param("MODELS__A__M1__MAX_INPUT_TOKENS", "9", lambda m: model(m).max_input_tokens, 9, id="input"),
        pytest.param("MODELS__A__M1__MAX_TEMPERATURE", "1", lambda m: model(m).max_temperature, 1.0, id="hottest"),
        pytest.param(
            "MODELS__A__M1__REASONING_EFFORTS", "low,max", lambda m: model(m).reasoning_efforts, ("low", "max"), id="2"
        ),
        pytest.param("MODELS__A__M1__REASONING_EFFORTS", "[]", lambda m: model(m).reasoning_efforts, (), id="none"),
        pytest.param("MODELS__A__M1__REASONING_BUDGET", "0,9", lambda m: model(m).reasoning_budget, (0, 9), id="pair"),
        pytest.param("MODELS__A__M1__HEADERS", "{ x-a = 'b' }", lambda m: model(m).headers["x-a"], "b", id="headers"),
        pytest.param("MODELS__A__M1__EXTRA_BODY", '{"k": 5}', lambda m: model(m).extra_body, {"k": 5}, id="extra_body"),
        pytest.param("MODELS__A__DEFAULTS__API", "responses", lambda m: model(m).api, "responses", id="default api"),
        pytest.param("BACKENDS__A__TIMEOUT", "30", lambda m: backend(m).timeout, 30.0, id="timeout"),
        pytest.param("BACKENDS__A__MAX_RETRIES", "0", lambda m: backend(m).max_retries, 0, id="max_retries"),
        pytest.param("DECK__LLM_PRESETS__P__TOP_P", "0.5", lambda m: preset(m).top_p, 0.5, id="top_p"),
        pytest.param("DECK__LLM_PRESETS__P__SEED", "7", lambda m: preset(m).seed, 7, id="seed"),
        pytest.param("DECK__LLM_PRESETS__P__TIMEOUT", "2.5", lambda m: preset(m).timeout, 2.5, id="preset's timeout"),
        pytest.param("DECK__LLM_PRESETS__P__STOP", "END", lambda m: preset(m).stop, ("END",), id="stop"),
        pytest.param("DECK__LLM_PRESETS__P__STOP", "a,b", lambda m: preset(m).stop, ("a", "b"), id="stops"),
        pytest.param(
            "DECK__LLM_PRESETS__P__REASONING_EFFORT", "low", lambda m: preset(m).reasoning_effort, "low", id="effort"
        ),
        pytest.param(
            "DECK__LLM_PRESETS__P__REASONING_BUDGET", "8", lambda m: preset(m).reasoning_budget, 8, id="preset's budget"
        ),
        pytest.param(
            "DECK__LLM_PRESETS__P__EXTRA_BODY", "{ k = true }", lambda m: preset(m).extra_body, {"k": True}, id="body"
        ),
        pytest.param("BACKENDS__A__ENDPOINT", "http://x?a=1", lambda m: backend(m).endpoint, "http://x?a=1", id="URL"),
        pytest.param(
            "BACKENDS__A__API_KEY",
            "0123456789",
            lambda m: backend(m).api_key.get_secret_value(),
            "0123456789",
            id="a key of digits",
        ),
        pytest.param(
            "DECK__ALIASES__BEST", '["only-a", "m1"]', lambda m: m.deck.aliases["best"], ("only-a", "m1"), id="list"
        ),
        pytest.param("DECK__ALIASES__BEST", "only-a", lambda m: m.deck.aliases["best"], "only-a", id="text for a list"),
        pytest.param("ROUTING__ACTIVE", "all", lambda m: m.routing.active.name, "all", id="profile"),
        pytest.param(
            "INFERENCE_CONFIG__ENABLED_BACKENDS", "['a']", lambda m: list(m.backends.enabled), ["a"], id="config list"
        ),
        pytest.param("MODELS__A__M1__COSTS", "{ input = 9.0 }", lambda m: model(m).costs.input, 9.0, id="table"),
        pytest.param("MODELS__A__M1__COSTS", "{ input = 9.0 }", lambda m: model(m).costs.output, 2.0, id="merged"),
        pytest.param(
            "MODELS__A__DEFAULTS__MAX_TOKENS",
            "64",
            lambda m: m.backends["a"].model_specs["only-a"].max_tokens,
            64,
            id="defaults",
        ),
        pytest.param(
            "ROUTING__PROFILES__ALL__ROUTES",
            '{ "m*" = "b" }',
            lambda m: m.deck.inference_models["m1"].backend_name,
            "b",
            id="routes",
        ),
    ],
)  # fmt: skip
def test_text_is_read_as_its_field_says(
    load: Load, name: str, text: str, read: Callable[[ModelManager], object], value: object
) -> None:
    assert read(load(environ={f"{PREFIX}{name}": text})) == value


FREE = {
    "a header": ("MODELS__A__M1__HEADERS__X_A", "5", lambda m: model(m).headers["x-a"], "5"),
    "a number of a body": ("MODELS__A__M1__EXTRA_BODY__K", "5", lambda m: model(m).extra_body["k"], 5),
    "deep in a body": (
        "MODELS__A__M1__EXTRA_BODY__DEEP__IS_ON",
        "true",
        lambda m: model(m).extra_body["deep"]["is_on"],
        True,
    ),
    "what an application reads": ("MODELS__A__M1__EXTRA_CONFIG__RPM", "5", lambda m: model(m).extra_config["rpm"], 5),
    "a header of a backend": ("BACKENDS__A__HEADERS__X_A", "5", lambda m: backend(m).headers["x-a"], "5"),
    "a body of a preset": ("DECK__LLM_PRESETS__P__EXTRA_BODY__TIER", "b", lambda m: preset(m).extra_body["tier"], "b"),
}


@pytest.mark.parametrize(("name", "text", "read", "value"), FREE.values(), ids=FREE)
def test_what_people_name_themselves_keeps_the_type_it_was_stated_with(
    load: Load, name: str, text: str, read: Callable[[ModelManager], object], value: object
) -> None:
    files = {
        "backends.local.toml": "[a.headers]\nx-a = '1'\n",
        "backends/a.local.toml": """
            [m1]
            headers = { x-a = "1" }
            extra_body = { k = 1, deep = { is_on = false } }
            extra_config = { rpm = 60 }
        """,
        "deck/z.toml": "[llm_presets.p.extra_body]\ntier = 'a'\n",
    }
    assert read(load(files, environ={f"{PREFIX}{name}": text})) == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("MODELS__A__M1__API", "chats", "api: expected one of 'chat' or 'responses', got 'chats'"),
        ("MODELS__A__M1__RETIRES", "soon", "retires: expected a date such as 2027-01-31, got other text"),
        ("MODELS__A__M1__RETIRES", "2027-02-31", "retires: expected a date such as 2027-01-31, got other text"),
        ("MODELS__A__M1__TOOLS", "maybe", "tools: expected true or false, got other text"),
        ("MODELS__A__M1__REASONING_BUDGET", "9,0", "reasoning_budget: expected [least, most], got 9 above 0"),
        (
            "MODELS__A__M1__SUCCESSOR",
            "only-c",
            "successor: no model is called 'only-c'; did you mean 'only-b' or 'only-a'?",
        ),
        ("MODELS__A__M1__EXTRA_BODY__NEW", "5", None),
    ],
)
def test_what_a_variable_states_wrongly_is_told_by_its_name(
    problems: Problems, name: str, text: str, told: str | None
) -> None:
    unknown = "no setting has such a name; a variable changes what exists; state what is new in a file"
    (problem,) = problems(environ={f"{PREFIX}{name}": text})
    assert problem == f"{PREFIX}{name}" + (f"  cogt.models.a.m1.{told}" if told else f": {unknown}")


def test_a_further_key_of_a_backend_may_be_new(load: Load) -> None:
    manager = load(environ={f"{PREFIX}BACKENDS__A__API_VERSION": "2024"})
    assert dict(manager.backends["a"].extra_config) == {"api_version": "2024"}


def test_a_further_key_keeps_the_type_it_was_stated_with(load: Load) -> None:
    backends = MINIMAL["backends.toml"].replace("[b]", "ratio = 5\nretry = true\n[b]")
    environ = {f"{PREFIX}BACKENDS__A__RATIO": "30", f"{PREFIX}BACKENDS__A__RETRY": "false"}
    extra = load({"backends.toml": backends}, environ=environ).backends["a"].extra_config
    assert dict(extra) == {"ratio": 30, "retry": False}


def test_a_variable_may_address_what_the_overrides_state(load: Load) -> None:
    overrides = {"deck": {"llm_presets": {"q": {"llm_handle": "m1"}}}}
    manager = load(environ={f"{PREFIX}DECK__LLM_PRESETS__Q__TEMPERATURE": "0.1"}, overrides=overrides)
    assert manager.deck.llm_presets["q"].temperature == 0.1


def test_a_wrong_name_is_looked_for_where_it_comes_near_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
        asked.append(len([*known]))
        return suggestions.near_names(name, known)

    monkeypatch.setattr("pipelex_cogt.config.variable_names.near_names", near_names)
    names = [f"{PREFIX}DECK__LLM_PRESETZ__LLM_TO_REASON{number}__TEMPERATUR" for number in range(20)]
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ=dict.fromkeys(names, "1"))
    assert {problem.suggestion for problem in caught.value.problems} == {
        "did you mean 'PIPELEX_COGT__DECK__LLM_PRESETS__LLM_TO_REASON__TEMPERATURE'?"
    }
    assert max(asked) < 100


SECRET_TEXT = "canary-4711"


@pytest.mark.parametrize(
    ("name", "text", "path", "problem"),
    [
        pytest.param("BACKENDS__A__ENABLED", SECRET_TEXT, "backends.a.enabled", "expected true or false", id="boolean"),
        pytest.param(
            "MODELS__A__M1__MAX_TOKENS", SECRET_TEXT, "models.a.m1.max_tokens", "expected an integer", id="integer"
        ),
        pytest.param(
            "MODELS__A__M1__MAX_TOKENS", "1.5", "models.a.m1.max_tokens", "expected an integer", id="float for integer"
        ),
        pytest.param(
            "MODELS__A__M1__MAX_TOKENS", "true", "models.a.m1.max_tokens", "expected an integer", id="true for integer"
        ),
        pytest.param(
            "MODELS__A__M1__COSTS__INPUT", SECRET_TEXT, "models.a.m1.costs.input", "expected a number", id="number"
        ),
        pytest.param(
            "DECK__LLM_PRESETS__P__MAX_TOKENS",
            SECRET_TEXT,
            "deck.llm_presets.p.max_tokens",
            "expected an integer or 'auto'",
            id="auto",
        ),
        pytest.param("ROUTING", SECRET_TEXT, "routing", "expected a table", id="table"),
        pytest.param("MODELS__A__M1", SECRET_TEXT, "models.a.m1", "expected a table", id="model"),
        pytest.param("DECK__ALIASES__BEST", f"[{SECRET_TEXT}", "deck.aliases.best", "expected TOML", id="TOML"),
        pytest.param(
            "MODELS__A__M1__INPUTS",
            f"{SECRET_TEXT},,text",
            "models.a.m1.inputs",
            "expected a list such as a,b, got an empty item",
            id="list",
        ),
        pytest.param(
            "BACKENDS__A__HEADERS",
            f'{{"x": "{SECRET_TEXT}", "y": [null]}}',
            "backends.a.headers",
            "expected a value, got null, which settings do not have; leave it out",
            id="null",
        ),
    ],
)
def test_wrong_text_is_an_error_that_names_the_variable_and_never_the_value(
    problems: Problems, name: str, text: str, path: str, problem: str
) -> None:
    found = "\n".join(problems(environ={f"{PREFIX}{name}": text}))
    assert found.startswith(f"{PREFIX}{name}  cogt.{path}: {problem}")
    assert SECRET_TEXT not in found
    assert "\n" not in found


@pytest.mark.parametrize("key", ["NAME", "BACKEND_NAME", "CREDENTIALS"])
def test_what_is_no_setting_of_a_model_is_no_variable(problems: Problems, key: str) -> None:
    name = f"{PREFIX}MODELS__A__M1__{key}"
    (found,) = problems(environ={name: "x"})
    assert found.startswith(name)
    assert "no setting has such a name" in found or "unknown key" in found


def test_only_settings_are_suggested(problems: Problems) -> None:
    (found,) = problems(environ={f"{PREFIX}ROUTING__PROFILES__ALL__NAMES": "x"})
    assert "PIPELEX_COGT__ROUTING__PROFILES__ALL__NAME'" not in found


LISTS = [
    pytest.param("only-a,m1", ("only-a", "m1"), id="two"),
    pytest.param(" only-a ,\tm1\n", ("only-a", "m1"), id="blanks around"),
    pytest.param("only-a", "only-a", id="one name is no list"),
    pytest.param('["only-a"]', ("only-a",), id="a list of one"),
    pytest.param('[\n"only-a",\n"m1"\n]', ("only-a", "m1"), id="JSON over lines"),
    pytest.param("only-a,...", ("only-a", "m1", "only-b"), id="and what is below"),
    pytest.param('["...", "only-a"]', ("m1", "only-b", "only-a"), id="behind what is below"),
    pytest.param("...,m1", ("only-b", "m1"), id="named again"),
]


@pytest.mark.parametrize(("text", "alias"), LISTS)
def test_an_alias_takes_a_name_or_a_list(load: Load, text: str, alias: Any) -> None:
    assert load(environ={f"{PREFIX}DECK__ALIASES__BEST": text}).deck.aliases["best"] == alias


@pytest.mark.parametrize(
    ("name", "text", "read", "value"),
    [
        pytest.param("MODELS__A__M1__INPUTS", "text,images", lambda m: model(m).inputs, ("text", "images"), id="two"),
        pytest.param("MODELS__A__M1__INPUTS", "text", lambda m: model(m).inputs, ("text",), id="one"),
        pytest.param(
            "INFERENCE_CONFIG__ENABLED_BACKENDS", "a", lambda m: {*m.backends.enabled}, {"a"}, id="config one"
        ),
        pytest.param(
            "ROUTING__PROFILES__ALL__FALLBACK_ORDER",
            "b,...",
            lambda m: m.routing.active.fallback_order,
            ("b", "a", "off"),
            id="fallback order",
        ),
        pytest.param("MODELS__A__M1__DESCRIPTION", "a, b", lambda m: model(m).description, "a, b", id="text stays"),
    ],
)
def test_a_list_is_written_with_commas(
    load: Load, name: str, text: str, read: Callable[[ModelManager], object], value: object
) -> None:
    assert read(load(environ={f"{PREFIX}{name}": text})) == value


def test_a_list_of_a_further_key_keeps_the_type_of_its_items(load: Load) -> None:
    backends = MINIMAL["backends.toml"].replace("[b]", "ports = [1]\nscopes = ['x']\nnone = []\n[b]")
    names = ["PORTS", "SCOPES", "NONE"]
    environ = {f"{PREFIX}BACKENDS__A__{name}": text for name, text in zip(names, ["3,4", "3", "5,6"], strict=True)}
    extra = load({"backends.toml": backends}, environ=environ).backends["a"].extra_config
    assert dict(extra) == {"ports": [3, 4], "scopes": ["3"], "none": ["5", "6"]}


@pytest.mark.parametrize(
    ("text", "costs"),
    [
        pytest.param('{"input": 3, "output": 0.5}', (3, 0.5), id="JSON"),
        pytest.param('{"input": 3,\n "output": 5e-1}\n', (3, 0.5), id="JSON over lines"),
        pytest.param("{}", (1.0, 2.0), id="both"),
    ],
)
def test_a_table_is_written_as_json_too(load: Load, text: str, costs: Any) -> None:
    found = model(load(environ={f"{PREFIX}MODELS__A__M1__COSTS": text})).costs
    assert (found.input, found.output) == costs


def test_json_keeps_its_types(load: Load) -> None:
    stated = '{"a": 1, "b": [true, "x"], "c": {"d": 1.5}, "é": "\\u00e9"}'
    extra = load(environ={f"{PREFIX}BACKENDS__A__OTHER": stated}).backends["a"].extra_config
    assert extra["other"] == {"a": 1, "b": [True, "x"], "c": {"d": 1.5}, "é": "é"}


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
@pytest.mark.parametrize("name", ["ROUTING__ACTIVE", "BACKENDS__A__ENABLED", "MODELS__A__M1__COSTS", "NO__SUCH__NAME"])
def test_an_empty_variable_counts_as_unset(load: Load, tmp_path: Any, name: str, text: str) -> None:
    (tmp_path / "no-secrets" / f"{PREFIX}{name}").write_text(text, encoding="utf-8")
    manager = load({"../.env": f"{PREFIX}{name}='{text}'\n"}, environ={f"{PREFIX}{name}": text})
    assert manager.settings.tree == load().settings.tree


def test_an_empty_variable_leaves_the_value_to_dotenv(load: Load) -> None:
    name = f"{PREFIX}MODELS__A__M1__MAX_TOKENS"
    assert model(load({"../.env": f"{name}=7\n"}, environ={name: ""})).max_tokens == 7


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_environment_or_directory_counts_as_unset(load: Load, text: str) -> None:
    names = ["PIPELEX_ENV", "PIPELEX_SETTINGS_DIR", "PIPELEX_SECRETS_DIR"]
    manager = load({"../.env": "PIPELEX_ENV=staging\n"}, environ=dict.fromkeys(names, text))
    assert manager.environment == "staging"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('["m1"]\nother = 2', id="more than one value"),
        pytest.param('{"a": "x", "a": "y"}', id="a key twice"),
        pytest.param('["m1", NaN]', id="no number of JSON"),
        pytest.param('["m1", "\\ud800"]', id="half a character"),
        pytest.param('["m1"] x', id="more behind it"),
        pytest.param("[" + "9" * 5000 + "]", id="too long"),
    ],
)
def test_text_that_only_begins_like_toml_is_an_error(problems: Problems, text: str) -> None:
    name = f"{PREFIX}DECK__ALIASES__BEST"
    (found,) = problems(environ={name: text})
    problem = "expected TOML or JSON because the value begins with a bracket, and it is neither"
    assert found == f"{name}  cogt.deck.aliases.best: {problem}"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("ROUTNG__ACTIVE", "; did you mean 'PIPELEX_COGT__ROUTING__ACTIVE'?", id="near"),
        pytest.param("ROUTING_ACTIVE", "; did you mean 'PIPELEX_COGT__ROUTING__ACTIVE'?", id="one underscore"),
        pytest.param("ROUTING___ACTIVE", "; did you mean 'PIPELEX_COGT__ROUTING__ACTIVE'?", id="three underscores"),
        pytest.param(
            "MODELS_B_DOTTED_COSTS",
            "; did you mean 'PIPELEX_COGT__MODELS__B__DOT_TED__COSTS'?",
            id="underscores of a key",
        ),
        pytest.param(
            "MODLES__B__DOT_TD__MAX_TOKEN",
            "; did you mean 'PIPELEX_COGT__MODELS__B__DOT_TED__MAX_TOKENS'",
            id="a slip at each step",
        ),
        pytest.param(
            "BACKENDS__BB__API_KEY", "; did you mean 'PIPELEX_COGT__BACKENDS__B__API_KEY'?", id="a slip of a short key"
        ),
        pytest.param("MODELS__A__M1__INPTS", "; did you mean 'PIPELEX_COGT__MODELS__A__M1__INPUTS'?", id="last step"),
        pytest.param("ROUTING__ACTIVE__X", "; did you mean 'PIPELEX_COGT__ROUTING__ACTIVE'", id="below a value"),
        pytest.param(
            "ENABLED_BACKENDS", "; did you mean 'PIPELEX_COGT__INFERENCE_CONFIG__ENABLED_BACKENDS'?", id="no section"
        ),
        pytest.param(
            "ALIASES__BEST", "; did you mean 'PIPELEX_COGT__DECK__ALIASES__BEST'?", id="no section, a deep key"
        ),
        pytest.param(
            "DEFAULT__ROUTING__ACTIVE", "; did you mean 'PIPELEX_COGT__ROUTING__ACTIVE'?", id="an environment"
        ),
        pytest.param("", "", id="nothing"),
        pytest.param("BACKENDS__A__", "", id="nothing below a table"),
        pytest.param("BACKENDS____A__ENABLED", "", id="two steps at once"),
        pytest.param("MODELS__A__NEW__MAX_TOKENS", ADDS_NOTHING, id="a new model"),
        pytest.param("DECK__ALIASES__NEW", ADDS_NOTHING, id="a new alias"),
    ],
)
def test_a_name_that_fits_nothing_is_an_error(problems: Problems, name: str, found: str) -> None:
    (problem,) = problems(environ={f"{PREFIX}{name}": "x"})
    assert problem.startswith(f"{PREFIX}{name}: no setting has such a name{found}")


def test_a_variable_is_the_origin_of_its_value(load: Load) -> None:
    name = f"{PREFIX}ROUTING__ACTIVE"
    layer = load(environ={name: "all"}).settings.layers[-2]
    assert (layer.origin.kind, layer.origin.name) == (LayerKind.PROCESS_ENVIRONMENT, name)


def test_a_key_in_a_variable_is_sealed(load: Load) -> None:
    settings_ = load(environ={f"{PREFIX}BACKENDS__A__API_KEY": SECRET_TEXT}).settings
    path: KeyPath = ("backends", "a", "api_key")
    assert isinstance(value_at(settings_.tree, path), SecretStr)
    assert SECRET_TEXT not in repr(settings_.layers) + repr(settings_.tree)


def test_a_variables_repr_holds_no_value() -> None:
    assert SECRET_TEXT not in repr(Variable(LayerKind.DOTENV, "X", SECRET_TEXT))


def test_the_real_environment_is_read_when_none_is_given(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}DECK__LLM_PRESETS__P__TEMPERATURE", "0.125")
    before = dict(os.environ)
    assert load(environ=None).deck.llm_presets["p"].temperature == 0.125
    assert dict(os.environ) == before
