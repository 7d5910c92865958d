"""Shared models: with `models_like` a backend has the models of another, with its own file over them."""

from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import InferenceModelSpec, MissingCredentialError
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.tables import has_value
from pipelex_cogt.model_backends.shared_models import SharedModels, Stated, StatedBy, lineage, tables_of
from tests.conftest import Load, steps

TREE = {
    "backends.toml": """
        [a]
        endpoint = "https://a.example.com"
        [proxy]
        endpoint = "https://proxy.example.com"
        models_like = "a"
        [second]
        endpoint = "https://second.example.com"
        models_like = "proxy"
    """,
    "backends/a.toml": """
        [defaults]
        sdk = "s"
        prompting_target = "openai"
        [m]
        max_tokens = 10
        context_window = 100
        [n]
        model_id = "provider/n"
        [off]
        enabled = false
    """,
    "backends/proxy.toml": """
        [defaults]
        sdk = "t"
        [m]
        max_tokens = 5
        [own]
    """,
    "backends/b.toml": "",
    "backends/off.toml": "",
    "routing.toml": """
        active = "all"
        [profiles.all]
        default = "a"
        fallback_order = ["proxy", "second"]
    """,
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "m" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}


UNKNOWN_KEY = "backends/a.local.toml:3  cogt.models.a.m.nothing: unknown key; expected one of " + ", ".join(
    sorted(known_keys(InferenceModelSpec))
)


def test_its_models_are_those_of_the_other_with_its_own_file_over_them(load: Load) -> None:
    backends = load(TREE).backends
    facts = {name: [*backend.model_specs] for name, backend in backends.items()}
    assert facts == {"a": ["m", "n"], "proxy": ["m", "n", "own"], "second": ["m", "n", "own"]}
    spec = backends["proxy"].model_specs["m"]
    assert (spec.backend_name, spec.sdk, spec.max_tokens, spec.context_window) == ("proxy", "t", 5, 100)
    assert backends["second"].model_specs["n"].model_id == "provider/n"
    assert backends["second"].model_specs["m"].sdk == "t"
    assert backends["a"].model_specs["m"].max_tokens == 10


def test_what_the_other_switches_off_stays_off_and_says_where(load: Load) -> None:
    backend = load(TREE).backends["second"]
    assert dict(backend.switched_off_models) == {"off": ("models", "a", "off", "enabled")}


def test_explain_tells_the_tables_that_a_value_comes_from(load: Load) -> None:
    values = load(TREE).explain("m@second").values
    assert [value.path for value in values if value.path.startswith("cogt.models")] == [
        "cogt.models.proxy.m.max_tokens",
        "cogt.models.a.m.context_window",
        "cogt.models.proxy.defaults.sdk",
        "cogt.models.a.defaults.prompting_target",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"backends.local.toml": "[proxy]\nmodels_like = 'b'\n"},
            [
                (
                    "backends.local.toml:2  cogt.backends.proxy.models_like: no backend is called 'b';"
                    " expected one of a, proxy, second"
                )
            ],
            id="unknown",
        ),
        pytest.param(
            {"backends.local.toml": "[a]\nmodels_like = 'second'\n", "backends/proxy.toml": "", "backends/a.toml": ""},
            [
                (
                    "backends.toml:8  cogt.backends.second.models_like: models_like leads in a circle:"
                    " 'second' -> 'proxy' -> 'a' -> 'second'; take one of them away"
                ),
            ],
            id="circle",
        ),
        pytest.param(
            {"backends/a.local.toml": "[m]\nmax_tokens = 'x'\nnothing = 1\n"},
            [
                "backends/a.local.toml:2  cogt.models.a.m.max_tokens: expected an integer, got a string",
                UNKNOWN_KEY,
            ],
            id="a fault of the other is told once",
        ),
        pytest.param(
            {"backends/a.local.toml": "['m*']\n"},
            ['backends/a.local.toml:1  cogt.models.a."m*": a model\'s name holds no *; only routes are patterns'],
            id="a name is told once",
        ),
        pytest.param(
            {"backends/proxy.local.toml": "[n]\nmax_tokens = 'x'\n"},
            ["backends/proxy.local.toml:2  cogt.models.proxy.n.max_tokens: expected an integer, got a string"],
            id="a fault of its own",
        ),
        pytest.param(
            {"backends/proxy.local.toml": "[defaults]\nmax_tokens = 'x'\n"},
            ["backends/proxy.local.toml:2  cogt.models.proxy.defaults.max_tokens: expected an integer, got a string"],
            id="a fault of its defaults",
        ),
    ],
)
def test_a_fault_is_told_where_it_stands(problems: Any, files: dict[str, str], expected: list[str]) -> None:
    assert problems({**TREE, **files}) == expected


def test_a_backend_to_which_nothing_leads_is_told(load: Load) -> None:
    manager = load({**TREE, "backends/proxy.toml": ""})
    (told,) = (warning for warning in manager.warnings if warning.path == "cogt.backends.proxy")
    order = "cogt.routing.profiles.all.fallback_order"
    assert told.message == (
        f'nothing leads to it: other backends serve its models; put it first with {order} = ["proxy", "..."], or ask'
        " for a model as name@proxy"
    )


def test_a_backend_that_a_handle_pins_is_led_to(load: Load) -> None:
    preset = "[llm_presets]\nq = { llm_handle = 'm@proxy' }\nr = { llm_handle = 'm@second' }\n"
    warnings = load({**TREE, "backends/proxy.toml": "", "deck/more.toml": preset}).warnings
    assert [warning for warning in warnings if "nothing leads" in warning.problem] == []


@pytest.mark.slow
def test_a_long_line_of_backends_is_followed(load: Load) -> None:
    backends = "".join(f"[b{number}]\nmodels_like = 'b{number + 1}'\n" for number in range(400))
    manager = load({**TREE, "backends.local.toml": f"{backends}[b400]\nmodels_like = 'a'\n"})
    assert [*manager.backends["b0"].model_specs] == ["m", "n"]


def test_what_switches_a_model_off_is_told_where_the_other_backend_states_it(load: Load) -> None:
    files = {**TREE, "deck/z.toml": "[llm_presets]\nq = { llm_handle = 'off@second' }\n"}
    explanation = load(files).explain("q")
    (value,) = [value for value in explanation.values if value.path.endswith("enabled")]
    assert (value.path, value.stated.value) == ("cogt.models.a.off.enabled", False)


def test_a_long_way_of_backends_is_gone_once() -> None:
    def work(count: int) -> int:
        tables = {f"x{number}": {"models_like": f"x{number - 1}"} for number in range(1, count)}
        given: tuple[Any, ...] = ({"x0": {}, **tables}, {}, lambda _name: Stated(), ProblemReport())
        return steps(lambda: SharedModels(*given))

    assert work(400) < 2.2 * work(200)


REFERENCES = {
    "backends/a.toml": """
        [defaults]
        sdk = "s"
        headers = { X-Team = "${TEAM}" }
        [m]
        model_id = "${M_ID}"
        headers = { X-Own = "${OWN}" }
    """,
    "backends/proxy.toml": "[m]\nextra_config = { region = '${REGION}' }\n",
}
PLACES = {
    "of the model": ("headers", "X-Own", "backends/a.toml:6  cogt.models.a.m.headers.X-Own"),
    "of its defaults": ("headers", "X-Team", "backends/a.toml:3  cogt.models.a.defaults.headers.X-Team"),
    "of its own file": ("extra_config", "region", "backends/proxy.toml:2  cogt.models.proxy.m.extra_config.region"),
}


@pytest.mark.parametrize(("table", "key", "place"), PLACES.values(), ids=PLACES)
def test_what_is_not_answered_is_told_where_it_is_stated(load: Load, table: str, key: str, place: str) -> None:
    model = load({**TREE, **REFERENCES}).get_inference_model("m@second")
    with pytest.raises(MissingCredentialError) as caught:
        getattr(model, table)[key]
    assert f"settings/{place}: backend 'second' needs" in str(caught.value)


def test_a_model_id_that_is_not_answered_is_told_where_it_is_stated(load: Load) -> None:
    model = load({**TREE, **REFERENCES}).get_inference_model("m@second")
    with pytest.raises(MissingCredentialError, match=r"backends/a.toml:5  cogt.models.a.m.model_id: backend 'second'"):
        _ = model.model_id


def test_a_key_that_people_can_read_is_told_once_of_all_backends_with_the_model(load: Load) -> None:
    files = {**TREE, "backends/a.local.toml": "[m]\nheaders = { X-Api-Key = 'zq81x7Vb2Lw9Tn4Pd6Rk3' }\n"}
    told = [warning.path for warning in load(files).warnings if "literal key" in str(warning)]
    assert told == ["cogt.models.a.m.headers.X-Api-Key"]


BACKENDS = ["a", "b", "c", "d"]
FILES = st.dictionaries(
    st.sampled_from(BACKENDS),
    st.dictionaries(st.sampled_from(["m", "n", "defaults"]), st.dictionaries(st.sampled_from("xy"), st.just(1))),
)
LIKE = st.permutations(BACKENDS).flatmap(lambda order: st.sets(st.sampled_from([*pairwise(order)])).map(dict))


@settings(max_examples=50)
@given(FILES, LIKE, st.permutations([*product(BACKENDS, ["m", "n"], [(), ("x",), ("y",)])]))
def test_what_states_a_key_is_the_first_table_that_holds_it(
    files: dict[str, Any], like: dict[str, str], asked: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    stated_by = StatedBy(files, like)
    for backend, model, keys in asked:
        tables = tables_of(model, lineage(backend, like))
        first = next((table for table in tables if has_value(files, (*table[1:], *keys))), None)
        assert stated_by.table_of(backend, model, *keys) == first


def test_a_long_way_is_not_gone_once_for_each_backend_on_it() -> None:
    def ask(size: int) -> None:
        stated_by = StatedBy({"b0": {"m": {}}}, {f"b{number}": f"b{number - 1}" for number in range(1, size)})
        assert {stated_by(f"b{number}", "m") for number in range(size)} == {"b0"}

    assert steps(lambda: ask(2_000)) < 2.5 * steps(lambda: ask(1_000))


def test_a_long_circle_is_told_by_its_ends(problems: Callable[..., list[str]]) -> None:
    circle = "".join(f"[p{number}]\nmodels_like = 'p{(number + 1) % 100}'\n" for number in range(100))
    (problem,) = [each for each in problems({"backends.local.toml": circle}) if "circle" in each]
    first = " -> ".join(repr(f"p{number % 100}") for number in range(99, 111))
    assert f"models_like leads in a circle: {first} -> 88 more -> 'p99'; take one of them away" in problem
