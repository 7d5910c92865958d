"""Handles: `name@backend` pins a model to a backend, wherever a handle stands."""

from typing import Any

import pytest

from pipelex_cogt import BackendDisabledError, MissingCredentialError, ModelDeck, UnknownNameError
from tests.conftest import Load

TREE = {
    "backends.toml": """
        [a]
        endpoint = "https://a.example.com"
        api_key = "${A_KEY}"
        [b]
        endpoint = "https://b.example.com"
        api_key = "${B_KEY}"
        [off]
        enabled = false
    """,
    "backends/a.toml": """
        [defaults]
        sdk = "s"
        [m]
        [only-a]
        ["odd@b"]
    """,
    "backends/b.toml": """
        [defaults]
        sdk = "s"
        [m]
        max_tokens = 10
        [only-b]
        [switched]
        enabled = false
    """,
    "backends/off.toml": """
        [defaults]
        sdk = "s"
        [m]
    """,
    "routing.toml": """
        active = "all"
        [profiles.all]
        default = "a"
        fallback_order = ["b"]
    """,
    "deck/base.toml": """
        [aliases]
        anywhere = ["m@b", "m", "m@a", "m@off"]
        one = "m@b"
        [llm_presets]
        p = { llm_handle = "m@b", max_tokens = 10 }
        q = { llm_handle = "anywhere" }
        [llm_choice_defaults]
        for_text = "m@b"
        for_object = "p"
    """,
}
KEYS = {"A_KEY": "key-a", "B_KEY": "key-b"}


def deck_of(load: Load, files: dict[str, str] | None = None, **given: Any) -> ModelDeck:
    return load({**TREE, **(files or {})}, **{"environ": KEYS, **given}).get_llm_deck()


def places(deck: ModelDeck, name: str) -> list[tuple[str, str]]:
    return [(llm.model.name, llm.backend.name) for llm in deck.resolve_all(name)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m", [("m", "a")]),
        ("m@b", [("m", "b")]),
        ("m@a", [("m", "a")]),
        ("one", [("m", "b")]),
        ("p", [("m", "b")]),
        ("anywhere", [("m", "b"), ("m", "a")]),
        ("q", [("m", "b"), ("m", "a")]),
        ("odd@b", [("odd@b", "a")]),
    ],
)
def test_a_pinned_model_is_that_of_the_backend(load: Load, name: str, expected: list[tuple[str, str]]) -> None:
    deck = deck_of(load)
    assert places(deck, name) == expected
    assert (deck.resolve(name).model.name, deck.resolve(name).backend.name) == expected[0]
    assert [(model.name, model.backend_name) for model in deck.chain(deck.handle_of(name))] == expected


def test_a_choice_may_be_pinned(load: Load) -> None:
    assert deck_of(load).choice("for_text").backend.name == "b"


def test_each_member_has_its_own_parameters(load: Load) -> None:
    preset = '[llm_presets]\nr = { llm_handle = "anywhere", max_tokens = "auto" }\n'
    members = deck_of(load, {"deck/more.toml": preset}).resolve_all("r")
    assert [llm.parameters.max_tokens for llm in members] == [10, None]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "m@nobody",
            UnknownNameError,
            (
                "no preset, model or alias is called 'm@nobody'; it is a model that 'nobody' would have if there were"
                " such a backend; it is known to 'a', 'b', 'off'"
            ),
        ),
        (
            "only-a@b",
            UnknownNameError,
            "no preset, model or alias is called 'only-a@b'; it is a model that 'b' does not have; it is known to 'a'",
        ),
        (
            "anywhere@b",
            UnknownNameError,
            "no preset, model or alias is called 'anywhere@b'; it is an alias, and @ pins models: pin its members",
        ),
        ("nobody@b", UnknownNameError, "no preset, model or alias is called 'nobody@b'"),
        (
            "m@off",
            BackendDisabledError,
            "'m@off' is known only to what is disabled: off; enable one in cogt.backends.off.enabled",
        ),
        (
            "switched@b",
            BackendDisabledError,
            "'switched@b' is known only to what is disabled: b; enable one in cogt.models.b.switched.enabled",
        ),
    ],
)
def test_what_a_pin_does_not_reach_says_why(load: Load, name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        deck_of(load).resolve(name)
    assert str(raised.value) == message


def test_a_pinned_backend_without_its_key_says_so(load: Load) -> None:
    config = "[default.cogt.inference_config]\nmissing_credentials = 'skip'\n"
    deck = deck_of(load, {"settings.toml": config}, environ={"A_KEY": "key-a"})
    assert places(deck, "anywhere") == [("m", "a")]
    with pytest.raises(MissingCredentialError, match="B_KEY"):
        deck.resolve("p")


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        (
            "m@nobody",
            "it is a model that 'nobody' would have if there were such a backend; it is known to 'a', 'b', 'off'",
        ),
        ("only-a@b", "it is a model that 'b' does not have; it is known to 'a'"),
        ("m@", "it is a model and @, which names the backend that comes after it"),
        ("anywhere@b", "it is an alias, and @ pins models: pin its members"),
    ],
)
def test_a_pin_that_reaches_nothing_is_a_fault_of_its_line(problems: Any, alias: str, problem: str) -> None:
    told = problems({**TREE, "deck/more.toml": f"[aliases]\nx = ['m@a', '{alias}']\n"}, environ=KEYS)
    assert told == [f"deck/more.toml:2  cogt.deck.aliases.x.1: no model or alias is called '{alias}'; {problem}"]


def test_a_preset_is_judged_by_the_model_it_is_pinned_to(problems: Any) -> None:
    preset = "[llm_presets]\nr = { llm_handle = 'm@b', max_tokens = 11 }\n"
    told = problems({**TREE, "deck/more.toml": preset}, environ=KEYS)
    assert told == [
        "deck/more.toml:2  cogt.deck.llm_presets.r.max_tokens: 11 is more than the 10 of model 'm' on backend 'b'"
    ]


def test_explain_tells_the_pin(load: Load) -> None:
    manager = load(TREE, environ=KEYS)
    explanation = manager.explain("p")
    assert explanation.decision is not None
    assert (explanation.model, explanation.backend, explanation.decision.reason) == (
        "m",
        "b",
        "the handle leads to 'b'",
    )
    assert "cogt.models.b.m.max_tokens" in [value.path for value in explanation.values]
    assert "cogt.routing.active" not in [value.path for value in explanation.values]


def test_a_fault_of_a_backend_does_not_hide_that_its_name_is_no_model(problems: Any) -> None:
    files = {"backends.local.toml": "[a]\ntimeout = 0\n", "deck/more.toml": "[aliases]\nx = 'a'\n"}
    assert [each.partition(":")[0] for each in problems({**TREE, **files}, environ=KEYS)] == [
        "backends.local.toml",
        "deck/more.toml",
    ]


def test_a_name_that_hides_a_pin_is_told(load: Load) -> None:
    files = {"deck/more.toml": "[aliases]\n'm@a' = 'm@b'\n[llm_presets]\n'm@b' = { llm_handle = 'm' }\n"}
    told = [str(warning) for warning in load({**TREE, **files}, environ=KEYS).warnings if "stands for" in str(warning)]
    assert [text[text.index("cogt.") :] for text in told] == [
        f"cogt.deck.{name}: its name stands for model 'm' on backend '{backend}', which it hides; take one without @"
        for name, backend in (('aliases."m@a"', "a"), ('llm_presets."m@b"', "b"))
    ]


def test_explain_says_of_a_pin_that_reaches_nothing_what_it_is(load: Load) -> None:
    with pytest.raises(UnknownNameError, match="it is a model that 'nobody' would have if there were such a backend"):
        load(TREE, environ=KEYS).explain("m@nobody")
