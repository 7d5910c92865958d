"""Lists over lists: `"..."` stands for what the layer below says, and an empty list takes an alias away."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from dynaconf import get_history
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import ModelManager
from pipelex_cogt.config.tables import merge, nest, trace_items, value_at
from tests.conftest import MINIMAL, Load

Problems: TypeAlias = Callable[..., list[str]]
Read: TypeAlias = Callable[[ModelManager], object]

BEST = ("deck", "aliases", "best")
VARIABLE = "PIPELEX_COGT__DECK__ALIASES__BEST"
NOTHING_BELOW = '"..." stands for the list below, and no layer below states one; leave it out, or state the whole list'
NAMES = st.lists(st.sampled_from("abcdef"), max_size=5)
LISTS = st.lists(st.sampled_from("abcdef"), max_size=4, unique=True)


def deck(best: str) -> str:
    return f"[aliases]\nbest = {best}\n"


LAYERS: dict[str, dict[str, Any]] = {
    "deck file": {"files": {"deck/z.toml": deck('["only-a", "..."]')}},
    "main file": {
        "files": {"settings.toml": MINIMAL["settings.toml"] + '[default.cogt.deck.aliases]\nbest = ["only-a", "..."]'}
    },
    "environment": {
        "files": {"settings.toml": MINIMAL["settings.toml"] + '[staging.cogt.deck.aliases]\nbest = ["only-a", "..."]'},
        "env": "staging",
    },
    "local file": {"files": {"deck/base.local.toml": deck('["only-a", "..."]')}},
    "secrets file": {"files": {".secrets.toml": '[default.cogt.deck.aliases]\nbest = ["only-a", "..."]'}},
    ".env": {"files": {"../.env": f"{VARIABLE}=only-a,...\n"}},
    "variable": {"environ": {VARIABLE: '["only-a", "..."]'}},
    "overrides": {"overrides": {"deck": {"aliases": {"best": ("only-a", "...")}}}},
}


@pytest.mark.parametrize("arguments", LAYERS.values(), ids=LAYERS)
def test_every_layer_can_go_on_with_what_is_below(load: Load, arguments: dict[str, Any]) -> None:
    assert load(**arguments).deck.aliases["best"] == ("only-a", "m1", "only-b")


def test_several_layers_go_on_with_each_other(load: Load) -> None:
    files = {
        "deck/base.local.toml": deck('["...", "only-a"]'),
        ".secrets.toml": '[default.cogt.deck.aliases]\nbest = ["dot.ted", "..."]',
    }
    manager = load(files, environ={VARIABLE: "m1,...,m-off"})
    assert manager.deck.aliases["best"] == ("m1", "dot.ted", "only-b", "only-a", "m-off")


@pytest.mark.parametrize(
    ("below", "stated", "alias"),
    [
        pytest.param('["m1"]', '["...", "only-a"]', ("m1", "only-a"), id="behind"),
        pytest.param(
            '["m1", "only-b"]', '["dot.ted", "...", "only-a"]', ("dot.ted", "m1", "only-b", "only-a"), id="between"
        ),
        pytest.param('["m1"]', '["..."]', ("m1",), id="alone"),
        pytest.param('"m1"', '["only-a", "..."]', ("only-a", "m1"), id="one name below"),
        pytest.param('["m1", "only-b"]', '["only-b", "..."]', ("only-b", "m1"), id="a name of both stands once"),
        pytest.param("[]", '["only-a", "..."]', ("only-a",), id="taken away below"),
        pytest.param('["m1"]', '["only-a"]', ("only-a",), id="not going on"),
        pytest.param('["m1"]', '"only-a"', "only-a", id="one name above"),
    ],
)
def test_what_is_below_stands_where_the_mark_does(load: Load, below: str, stated: str, alias: Any) -> None:
    manager = load({"deck/y.toml": deck(below), "deck/z.toml": deck(stated)})
    assert manager.deck.aliases["best"] == alias


SETTINGS: dict[str, tuple[Mapping[str, str], Read, object]] = {
    "fallback order": (
        {"routing.local.toml": '[profiles.all]\nfallback_order = ["b", "..."]'},
        lambda manager: manager.routing.active.fallback_order,
        ("b", "a", "off"),
    ),
    "enabled backends": (
        {
            "settings.toml": MINIMAL["settings.toml"] + 'enabled_backends = ["a"]',
            "settings.local.toml": '[default.cogt.inference_config]\nenabled_backends = ["b", "..."]',
        },
        lambda manager: (manager.settings.inference_config.enabled_backends, sorted(manager.backends.enabled)),
        (("b", "a"), ["a", "b"]),
    ),
    "inputs": (
        {"backends/b.local.toml": '["dot.ted"]\ninputs = ["...", "pdf"]'},
        lambda manager: manager.backends["b"].model_specs["dot.ted"].inputs,
        ("text", "images", "pdf"),
    ),
    "outputs": (
        {"backends/b.local.toml": '["dot.ted"]\noutputs = ["images", "..."]'},
        lambda manager: manager.backends["b"].model_specs["dot.ted"].outputs,
        ("images", "text", "structured"),
    ),
    "further key": (
        {
            "backends.toml": MINIMAL["backends.toml"].replace("[b]", 'scopes = ["x", 1]\n[b]'),
            "backends.local.toml": '[a]\nscopes = ["y", "..."]',
        },
        lambda manager: manager.backends["a"].extra_config["scopes"],
        ["y", "x", 1],
    ),
}


@pytest.mark.parametrize(("files", "read", "value"), SETTINGS.values(), ids=SETTINGS)
def test_every_list_can_go_on(load: Load, files: Mapping[str, str], read: Read, value: object) -> None:
    assert read(load(files)) == value


def test_a_secret_list_goes_on_too(load: Load) -> None:
    backends = MINIMAL["backends.toml"].replace("[b]", 'api_tokens = ["x"]\n[b]')
    manager = load({"backends.toml": backends, ".secrets.toml": '[default.cogt.backends.a]\napi_tokens = ["y", "..."]'})
    tokens = manager.backends["a"].extra_config["api_tokens"]
    assert [token.get_secret_value() for token in tokens] == ["y", "x"]


# A packaged list


PACKAGED = {
    "settings.toml": """
        [default.cogt.inference_config]
        enabled_backends = ["openai", "my_proxy"]
        [default.cogt.routing.profiles.all_enabled]
        fallback_order = ["my_proxy", "..."]
    """,
    "backends.toml": "[my_proxy]\nendpoint = 'http://localhost:4000/v1'\n",
    "backends/my_proxy.toml": "[mine]\nsdk = 'openai'\n['gpt-4.1']\nsdk = 'openai'\n",
    "deck/mine.toml": '[aliases]\nbest-gpt = ["mine", "..."]\n',
}


def test_an_own_entry_stands_before_a_packaged_list(write_tree: Callable[[Mapping[str, str]], Path]) -> None:
    packaged = ModelManager.load(environ={})
    manager = ModelManager.load(write_tree(PACKAGED), environ={})
    below = packaged.deck.aliases["best-gpt"]
    assert manager.deck.aliases["best-gpt"] == ("mine", *([below] if isinstance(below, str) else below))
    assert manager.routing.active.fallback_order == ("my_proxy", *packaged.routing.active.fallback_order)
    assert manager.deck.resolve("best-gpt").model.name == "mine"
    assert manager.deck.get_inference_model("gpt-4.1").backend_name == "my_proxy"


# A model's own list over the `[defaults]` of its file


DEFAULTS = MINIMAL["backends/b.toml"].replace('sdk = "sdk_b"', 'sdk = "sdk_b"\ninputs = ["text",\n"audio"]')


def test_a_models_list_goes_on_with_the_defaults_of_its_file(load: Load) -> None:
    files = {"backends/b.toml": DEFAULTS, "backends/b.local.toml": '[m1]\ninputs = ["...", "pdf"]\n'}
    manager = load(files)
    assert manager.backends["b"].model_specs["m1"].inputs == ("text", "audio", "pdf")
    (value,) = manager.explain("models.b.m1.inputs").values
    assert value.stated.value == ["text", "audio", "pdf"]


def test_over_its_own_list_it_goes_on_with_that(load: Load) -> None:
    files = {"backends/b.toml": DEFAULTS, "backends/b.local.toml": '["dot.ted"]\ninputs = ["...", "pdf"]\n'}
    assert load(files).backends["b"].model_specs["dot.ted"].inputs == ("text", "images", "pdf")


def test_a_fault_of_the_defaults_is_told_there_and_one_of_the_model_at_its_line(problems: Problems) -> None:
    files = {
        "backends/b.toml": DEFAULTS.replace("audio", "aduio"),
        "backends/b.local.toml": '[m1]\ninputs = [\n"images",\n"...",\n"pdff"]\n',
    }
    expected = "expected one of 'text', 'images', 'audio', 'video' or 'pdf', got"
    assert problems(files) == [
        f"backends/b.local.toml:5  cogt.models.b.m1.inputs.3: {expected} 'pdff'",
        f"backends/b.toml:4  cogt.models.b.defaults.inputs.1: {expected} 'aduio'",
    ]


# Faults


FAULTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing below": (
        {"deck/z.toml": '[aliases]\nmine = [\n"m1",\n"..."]\n'},
        [f"deck/z.toml:4  cogt.deck.aliases.mine.1: {NOTHING_BELOW}"],
    ),
    "a table below": (
        {"deck/y.toml": "[aliases.x]\ny = 'm1'\n", "deck/z.toml": '[aliases]\nx = ["m1", "..."]\n'},
        [f"deck/z.toml:2  cogt.deck.aliases.x.1: {NOTHING_BELOW}"],
    ),
    "twice": (
        {"deck/z.toml": '[aliases]\nbest = ["...",\n"only-a", "..."]\n'},
        ['deck/z.toml:3  cogt.deck.aliases.best.2: "..." stands twice in one list; leave one out'],
    ),
    "enabled backends": (
        {"settings.local.toml": '[default.cogt.inference_config]\nenabled_backends = ["a", "..."]\n'},
        [f"settings.local.toml:2  cogt.inference_config.enabled_backends.1: {NOTHING_BELOW}"],
    ),
    "a model without a list": (
        {"backends/a.local.toml": '[m1]\ninputs = ["...", "text"]\n'},
        [f"backends/a.local.toml:2  cogt.models.a.m1.inputs.0: {NOTHING_BELOW}"],
    ),
    "defaults without a list": (
        {"backends/a.local.toml": '[defaults]\ninputs = ["..."]\n[m1]\ninputs = ["...", "text"]\n'},
        [f"backends/a.local.toml:2  cogt.models.a.defaults.inputs.0: {NOTHING_BELOW}"],
    ),
    "a further key": (
        {"backends.local.toml": '[a]\nscopes = ["..."]\n'},
        [f"backends.local.toml:2  cogt.backends.a.scopes.0: {NOTHING_BELOW}"],
    ),
}


@pytest.mark.parametrize(("files", "told"), FAULTS.values(), ids=FAULTS)
def test_a_mark_that_stands_for_nothing_is_told_at_its_line(
    problems: Problems, files: dict[str, str], told: list[str]
) -> None:
    assert problems(files) == told


def test_a_mark_of_a_variable_that_stands_for_nothing_is_told(problems: Problems) -> None:
    name = "PIPELEX_COGT__MODELS__A__M1__INPUTS"
    assert problems(environ={name: "text,..."}) == [f"{name}  cogt.models.a.m1.inputs.1: {NOTHING_BELOW}"]


def test_each_item_is_told_at_the_line_that_states_it(problems: Problems) -> None:
    files = {
        "deck/base.toml": MINIMAL["deck/base.toml"].replace('["m1", "only-b"]', '[\n"m1",\n"x-2",\n"x-3",\n]'),
        "deck/base.local.toml": '[aliases]\nbest = [\n"x-4",\n"...",\n"x-2",\n]',
    }
    unknown = "no model or alias is called"
    assert problems(files, environ={VARIABLE: "x-1,..."}) == [
        f"deck/base.local.toml:3  cogt.deck.aliases.best.1: {unknown} 'x-4'",
        f"deck/base.local.toml:5  cogt.deck.aliases.best.4: {unknown} 'x-2'",
        f"deck/base.toml:5  cogt.deck.aliases.best.3: {unknown} 'x-3'",
        f"{VARIABLE}  cogt.deck.aliases.best.0: {unknown} 'x-1'",
    ]


def test_an_item_of_one_name_below_is_told_at_its_line(problems: Problems) -> None:
    files = {"deck/y.toml": deck('"x-1"'), "deck/z.toml": deck('[\n"m1",\n"..."]')}
    (told,) = problems(files)
    assert told.startswith("deck/y.toml:2  cogt.deck.aliases.best.1: no model or alias is called 'x-1'")


# What people are shown


def test_explain_shows_what_is_in_force_and_what_it_goes_on_with(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    manager = load({"deck/base.local.toml": deck('["only-a", "..."]')})
    (value,) = manager.explain("deck.aliases.best").values
    assert (value.stated.value, value.stated.place) == (["only-a", "m1", "only-b"], "settings/deck/base.local.toml:2")
    assert [(below.value, below.place) for below in value.replaced] == [(["m1", "only-b"], "settings/deck/base.toml:2")]


def test_dynaconfs_history_holds_what_each_layer_states(load: Load) -> None:
    dynaconf = load({"deck/base.local.toml": deck('["only-a", "..."]')}).settings.dynaconf
    history = get_history(dynaconf, "cogt.deck.aliases.best")
    assert [entry["value"] for entry in history] == [["m1", "only-b"], ["only-a", "..."]]
    assert dynaconf.get("cogt.deck.aliases.best") == ["only-a", "m1", "only-b"]


# The merge


def continued(values: list[list[str]]) -> list[str]:
    """The rule, written as slowly as it reads."""
    found: list[str] = []
    for value in values:
        if "..." in value:
            rest = [item for item in found if item not in value]
            mark = value.index("...")
            found = [*value[:mark], *rest, *value[mark + 1 :]]
        else:
            found = value
    return found


@given(st.lists(st.tuples(NAMES, st.integers(-1, 5)), min_size=1, max_size=4), NAMES)
def test_any_lists_are_continued_and_every_item_is_found_again(
    above: list[tuple[list[str], int]], first: list[str]
) -> None:
    lists = [first, *([*names[:mark], "...", *names[mark:]] if mark >= 0 else names for names, mark in above)]
    tree: dict[str, Any] = {}
    for value in lists:
        tree = merge(tree, nest(BEST, value))
    assert value_at(tree, BEST) == continued(lists)
    assert [lists[number][index] for number, index in trace_items(lists)] == continued(lists)


@given(LISTS, LISTS, LISTS)
def test_lists_are_continued_in_any_order_of_merging(low: list[str], middle: list[str], high: list[str]) -> None:
    tables = [nest(BEST, low), nest(BEST, ["...", *middle]), nest(BEST, [*high, "..."])]
    left = merge(merge(tables[0], tables[1]), tables[2])
    right = merge(tables[0], merge(tables[1], tables[2]))
    assert {*value_at(left, BEST)} == {*value_at(right, BEST)} == {*low, *middle, *high}


# Taken away


def test_an_empty_list_takes_an_alias_away(load: Load) -> None:
    files = {"deck/y.toml": "aliases.x = ['m1']\n", "deck/z.toml": "aliases.x = []\n"}
    manager = load(files)
    assert "x" not in manager.deck.aliases
    assert [str(warning) for warning in manager.warnings if "aliases" in warning.path] == []


def test_a_variable_takes_an_alias_away(load: Load) -> None:
    assert (
        "x"
        not in load(
            {"deck/y.toml": "aliases.x = 'm1'\n"}, environ={"PIPELEX_COGT__DECK__ALIASES__X": "[]"}
        ).deck.aliases
    )


def test_a_name_that_is_taken_away_may_be_stated_again(load: Load) -> None:
    manager = load({"deck/z.toml": deck("[]")}, environ={VARIABLE: '["only-a", "..."]'})
    assert manager.deck.aliases["best"] == ("only-a",)


def test_what_still_names_it_is_told_once_where_it_is_taken_away(problems: Problems) -> None:
    files = {
        "deck/x.toml": "aliases.w = ['m1', 'best']\n",
        "deck/y.toml": "[llm_presets]\nq.llm_handle = 'best'\nr.llm_handle = 'best'\n",
        "deck/z.toml": deck("[]"),
    }
    assert problems(files) == [
        (
            "deck/z.toml:2  cogt.deck.aliases.best: taken away, while it is named by cogt.deck.aliases.w.1 and"
            " cogt.deck.llm_presets.p.llm_handle and cogt.deck.llm_presets.q.llm_handle and 1 more;"
            " state it, or change what names it"
        )
    ]


def test_a_preset_of_the_same_name_is_something_else(load: Load) -> None:
    files = {"deck/y.toml": "aliases.p = 'm1'\n", "deck/z.toml": "aliases.p = []\n"}
    assert load(files).deck.choice("for_text").setting.llm_handle == "best"


def test_a_model_of_the_same_name_is_something_else(load: Load) -> None:
    files = {"deck/y.toml": "aliases.m1 = 'only-a'\n", "deck/z.toml": "aliases.m1 = []\n"}
    assert load(files).deck.resolve("best").model.name == "m1"


def test_taking_away_what_nothing_states_is_a_warning(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    manager = load({"deck/z.toml": "aliases.bst = []\n"})
    assert [str(warning) for warning in manager.warnings if "aliases" in warning.path] == [
        (
            "settings/deck/z.toml:1  cogt.deck.aliases.bst: takes nothing away: no layer below states this alias;"
            " did you mean 'best'?"
        )
    ]


def test_no_backend_in_use_is_told_where_it_is_said(problems: Problems) -> None:
    text = "names no backend, so that no choice leads to a model; name one"
    assert problems({"settings.local.toml": "[default.cogt.inference_config]\nenabled_backends = []\n"}) == [
        f"settings.local.toml:2  cogt.inference_config.enabled_backends: {text}"
    ]
