"""The deck: what an application asks for models, aliases, presets and choices."""

import copy
import pickle
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import (
    BackendDisabledError,
    InputModality,
    LLMChoice,
    MissingCredentialError,
    ModelDeck,
    ModelManager,
    ModelNotRoutedError,
    NameTypeError,
    NotAvailableError,
    OutputModality,
    UnknownNameError,
)
from tests.conftest import MINIMAL, Load, steps, write_settings
from tests.frozen import assert_frozen

Problems = Callable[..., list[str]]

PRICES = {
    "backends/a.toml": """
        [defaults]
        sdk = "s"
        inputs = ["text"]
        outputs = ["text"]
        [dear]
        costs = { input = 10.0, output = 20.0 }
        [unknown]
        [half-known]
        costs = { input = 0.1 }
        [free]
        costs = { input = 0, output = 0 }
        [seeing]
        inputs = ["text", "images"]
        outputs = ["text", "structured"]
        costs = { input = 2.0, output = 2.0 }
    """,
    "backends/b.toml": """
        [defaults]
        sdk = "s"
        [cheap]
        inputs = ["text", "images", "audio"]
        outputs = ["text", "structured"]
        costs = { input = 0.5, output = 0.5 }
        [cheap-too]
        costs = { input = 0.1, output = 0.9 }
    """,
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "free" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}

FIND: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": ({}, ["free", "cheap", "cheap-too", "seeing", "dear", "unknown", "half-known"]),
    "inputs": ({"inputs": ["images"]}, ["cheap", "seeing"]),
    "all inputs": ({"inputs": ["images", "audio"]}, ["cheap"]),
    "outputs": ({"outputs": ["structured"]}, ["cheap", "seeing"]),
    "both": ({"inputs": ["text", "images"], "outputs": ["text", "structured"]}, ["cheap", "seeing"]),
    "backend": ({"backend": "b"}, ["cheap", "cheap-too"]),
    "backend and inputs": ({"backend": "a", "inputs": ["images"]}, ["seeing"]),
    "none that reads it": ({"inputs": ["video"]}, []),
    "a disabled backend": ({"backend": "off"}, []),
    "words of the vocabulary": (
        {"inputs": [InputModality.IMAGES], "outputs": (OutputModality.STRUCTURED,)},
        ["cheap", "seeing"],
    ),
    "one word": ({"inputs": "images"}, ["cheap", "seeing"]),
    "a generator": ({"inputs": (word for word in ["images"])}, ["cheap", "seeing"]),
}

ABSENCES = {
    "a typo": ("only-c", UnknownNameError),
    "a typo of a preset": ("P", UnknownNameError),
    "nothing near": ("qqqqq", UnknownNameError),
    "empty": ("", UnknownNameError),
    "a disabled backend's": ("m-off", BackendDisabledError),
    "an alias of it": ("gone", BackendDisabledError),
    "an alias of an alias of it": ("long-gone", BackendDisabledError),
    "a preset of it": ("p-gone", BackendDisabledError),
    "not routed": ("only-b", ModelNotRoutedError),
    "an alias of what is not routed": ("unrouted", ModelNotRoutedError),
    "an alias of both": ("gone-or-unrouted", ModelNotRoutedError),
}

ABSENT = {
    "routing.toml": 'active = "x"\n[profiles.x]\ndefault = "a"',
    "deck/base.toml": """
        [aliases]
        gone = "m-off"
        long-gone = ["gone", "m-off"]
        unrouted = "only-b"
        gone-or-unrouted = ["m-off", "only-b"]
        [llm_presets]
        p = { llm_handle = "m1" }
        p-gone = { llm_handle = "gone", max_tokens = "auto" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}


def choices(*lines: str) -> dict[str, str]:
    """Presets `one`, `two`, `three`, and these lines."""
    presets = [f"{name} = {{ llm_handle = '{handle}' }}" for name, handle in PRESETS.items()]
    return {"deck/base.toml": "\n".join(["[llm_presets]", *presets, *lines])}


PRESETS = {"one": "m1", "two": "only-a", "three": "only-b"}
DEFAULTS = ["[llm_choice_defaults]", "for_text = 'one'", "for_object = 'two'"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    """The minimal settings, loaded once."""
    return ModelManager.load(write_settings(tmp_path_factory.mktemp("sound"), MINIMAL), environ={})


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> ModelDeck:
    """Models of several prices and modalities, loaded once."""
    directory = write_settings(tmp_path_factory.mktemp("priced"), {**MINIMAL, **PRICES})
    return ModelManager.load(directory, environ={}).deck


@pytest.fixture
def deck(load: Load) -> ModelDeck:
    return load().get_llm_deck()


def test_models_are_those_that_the_profile_serves(deck: ModelDeck) -> None:
    assert {name: model.backend_name for name, model in deck.inference_models.items()} == {
        "m1": "a",
        "only-a": "a",
        "only-b": "b",
        "dot.ted": "b",
    }


def test_a_handle_is_a_model_name_or_an_alias(deck: ModelDeck) -> None:
    assert deck.get_inference_model("only-b").name == "only-b"
    assert deck.get_inference_model("best").name == "m1"


def test_a_preset_resolves_to_setting_model_and_backend(deck: ModelDeck) -> None:
    llm = deck.resolve("p")
    assert (llm.model.model_id, llm.backend.endpoint, llm.setting.temperature) == ("m1", "https://a.example.com", 0.5)
    assert llm.setting.llm_handle == "best"


def test_a_model_name_and_an_alias_resolve_with_a_bare_setting(deck: ModelDeck) -> None:
    for handle in ("m1", "best"):
        llm = deck.resolve(handle)
        assert (llm.model.name, llm.backend.name) == ("m1", "a")
        assert (llm.setting.llm_handle, llm.setting.temperature, llm.setting.max_tokens) == (handle, None, None)


def test_a_preset_wins_over_a_model_and_a_model_over_an_alias(load: Load) -> None:
    overrides = {"deck": {"llm_presets": {"m1": {"llm_handle": "only-a"}}, "aliases": {"m1": "only-b"}}}
    deck = load(overrides=overrides).get_llm_deck()
    assert deck.resolve("m1").model.name == "only-a"
    assert deck.get_inference_model("m1").name == "m1"


IDENTITIES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a model_id": ("b/m1", ("m1",), "the model_id of 'm1'"),
    "a preset": ("p", (), "a preset: name its llm_handle instead"),
    "a backend": ("off", (), "a backend"),
}


@pytest.mark.parametrize(("name", "suggestions", "identity"), IDENTITIES.values(), ids=IDENTITIES)
def test_a_name_of_something_else_is_no_handle_and_says_what_it_is(
    deck: ModelDeck, name: str, suggestions: tuple[str, ...], identity: str
) -> None:
    for ask in (deck.get_inference_model, deck.chain):
        with pytest.raises(UnknownNameError) as caught:
            ask(name)
        error = pickle.loads(pickle.dumps(caught.value))
        assert (error.name, error.suggestions, error.identity) == (name, suggestions, identity)
        assert str(error) == f"no model or alias is called {name!r}; it is {identity}"


def test_a_model_id_of_several_models_names_all(load: Load) -> None:
    deck = load({"backends/off.toml": "[m-off]\nsdk = 's'\nmodel_id = 'b/m1'"}).get_llm_deck()
    with pytest.raises(UnknownNameError, match="it is the model_id of 'm1' or 'm-off'") as caught:
        deck.resolve("b/m1")
    assert caught.value.suggestions == ("m1", "m-off")


NO_TEXTS = [None, 3, True, b"m1", 1.5, ["m1"], {"m1": 1}, {"m1"}, ("m1",), object()]
LOOKUPS: dict[str, Callable[[ModelManager, Any], object]] = {
    "resolve": lambda manager, name: manager.deck.resolve(name),
    "resolve_all": lambda manager, name: manager.deck.resolve_all(name),
    "get_inference_model": lambda manager, name: manager.get_inference_model(name),
    "chain": lambda manager, name: manager.deck.chain(name),
    "choice": lambda manager, name: manager.deck.choice(name),
    "explain": lambda manager, name: manager.explain(name),
    "get_required_inference_backend": lambda manager, name: manager.get_required_inference_backend(name),
    "get_required": lambda manager, name: manager.routing.get_required(name),
    "decide": lambda manager, name: manager.routing.decide(name),
    "absence": lambda manager, name: manager.routing.absence(name),
    "is_served": lambda manager, name: manager.deck.is_served(name),
    "is_resolved": lambda manager, name: manager.deck.is_resolved(name),
    "why_absent": lambda manager, name: manager.deck.why_absent(name),
    "handle_of": lambda manager, name: manager.deck.handle_of(name),
    "inputs": lambda manager, name: manager.deck.find(inputs=[name]),
    "outputs": lambda manager, name: manager.deck.find(outputs=[name]),
}


@pytest.mark.parametrize("look_up", LOOKUPS.values(), ids=LOOKUPS)
def test_what_is_no_text_is_no_name(sound: ModelManager, look_up: Callable[[ModelManager, Any], object]) -> None:
    for name in NO_TEXTS:
        with pytest.raises(NameTypeError, match=rf"^expected the name of a .* as text, got {type(name).__name__}$"):
            look_up(sound, name)


@pytest.mark.parametrize(
    "asked", [{"inputs": None}, {"outputs": 3}, {"backend": 3}, {"backend": b"a"}, {"backend": ["a"]}]
)
def test_nothing_is_found_by_what_is_no_text(deck: ModelDeck, asked: dict[str, Any]) -> None:
    with pytest.raises(NameTypeError, match=r"^expected the name of a (modality|backend) as text, got "):
        deck.find(**asked)


def test_a_missing_key_is_no_fault_of_a_choice(load: Load) -> None:
    deck = load(NOWHERE | {"routing.toml": "active = 'x'\n[profiles.x]\nroutes = { m1 = 'b' }"}).get_llm_deck()
    with pytest.raises(MissingCredentialError) as caught:
        deck.choice("for_text")
    assert caught.value.variables == ("B_KEY",)


def test_the_chain_of_a_model_is_the_model(deck: ModelDeck) -> None:
    assert deck.chain("m1") == (deck.inference_models["m1"],)


def test_the_chain_of_an_alias_is_what_is_served_in_order(load: Load) -> None:
    deck = load(overrides={"deck": {"aliases": {"best": ["m-off", "dot.ted", "m1"]}}}).get_llm_deck()
    assert [model.name for model in deck.chain("best")] == ["dot.ted", "m1"]
    assert deck.get_inference_model("best").name == "dot.ted"


@pytest.mark.parametrize(("name", "error"), ABSENCES.values(), ids=ABSENCES)
def test_absences_are_told_apart(load: Load, name: str, error: type[NotAvailableError]) -> None:
    with pytest.raises(error) as caught:
        load(ABSENT).get_llm_deck().resolve(name)
    assert type(caught.value) is error
    assert isinstance(caught.value, LookupError)


def test_an_unknown_name_comes_with_near_names(deck: ModelDeck) -> None:
    with pytest.raises(UnknownNameError) as caught:
        deck.resolve("only-c")
    assert set(caught.value.suggestions) == {"only-a", "only-b"}


def test_what_is_asked_for_as_a_handle_is_not_suggested_a_preset(load: Load) -> None:
    overrides = {"deck": {"llm_presets": {"llm_to_write": {"llm_handle": "m1"}}}}
    with pytest.raises(UnknownNameError) as caught:
        load(overrides=overrides).get_inference_model("llm_to_writ")
    assert caught.value.suggestions == ()


def test_a_model_that_is_switched_off_itself_is_not_served(load: Load) -> None:
    manager = load({"backends/a.toml": "[m1]\nsdk = 's'\n[only-a]\nsdk = 's'\nenabled = false"})
    with pytest.raises(NotAvailableError) as caught:
        manager.get_inference_model("only-a")
    assert caught.value.name == "only-a"
    assert "disabled" in str(caught.value)


def test_the_choices_are_the_defaults(load: Load) -> None:
    deck = load(choices(*DEFAULTS)).get_llm_deck()
    assert deck.choice("for_text").setting.llm_handle == "m1"
    assert deck.choice(LLMChoice.FOR_OBJECT).setting.llm_handle == "only-a"


@pytest.mark.parametrize("name", ["one", "dot.ted", "best"], ids=["preset", "model", "alias"])
@pytest.mark.parametrize("table", ["llm_choice_defaults", "llm_choice_overrides"])
def test_a_choice_names_a_preset_a_model_or_an_alias(load: Load, table: str, name: str) -> None:
    files = choices(*DEFAULTS, "[aliases]", "best = ['m-off', 'dot.ted']")
    deck = load({**files, "deck/z.local.toml": f"{table}.for_text = '{name}'"}).get_llm_deck()
    assert deck.chosen_name("for_text") == name
    assert deck.choice("for_text") == deck.resolve(name)
    assert deck.choice("for_text").model.name == ("m1" if name == "one" else "dot.ted")


def test_a_preset_comes_before_a_model_and_a_model_before_an_alias(load: Load) -> None:
    aliases = ["[aliases]", "only-a = 'm1'", "x = 'm1'", "m-off = 'm1'"]
    deck = load(choices("m1.llm_handle = 'only-b'", *DEFAULTS, *aliases)).get_llm_deck()
    names = deck.names()
    assert [names[name] for name in ("m1", "only-a", "x", "m-off", "dot.ted")] == [
        "preset",
        "model",
        "alias",
        "alias",
        "model",
    ]
    assert [deck.handle_of(name) for name in ("m1", "only-a", "x", "one")] == ["only-b", "only-a", "x", "m1"]


DARK = "leads to no model that is served: 'm-off' is known only to what is disabled: off"


@pytest.mark.parametrize(
    ("name", "words"),
    [("m-off", "model 'm-off'"), ("dark", "alias 'dark'"), ("unlit", "preset 'unlit'")],
)
def test_a_choice_that_leads_to_no_model_says_what_it_names(problems: Problems, name: str, words: str) -> None:
    lines = ["unlit.llm_handle = 'm-off'", *DEFAULTS, "[aliases]", "dark = 'm-off'", "[llm_choice_overrides]"]
    (problem,) = problems(choices(*lines, f"for_text = '{name}'"))
    assert f"  cogt.deck.llm_choice_overrides.for_text: {words} {DARK}" in problem


def test_overrides_win_over_the_defaults(load: Load) -> None:
    deck = load(choices(*DEFAULTS, "[llm_choice_overrides]", "for_text = 'three'")).get_llm_deck()
    assert deck.choice("for_text").model.name == "only-b"
    assert deck.choice("for_object").model.name == "only-a"


def test_disabled_means_no_override(load: Load) -> None:
    files = {
        **choices(*DEFAULTS, "[llm_choice_overrides]", "for_text = 'three'"),
        "deck/base.local.toml": "[llm_choice_overrides]\nfor_text = 'disabled'",
    }
    assert load(files).get_llm_deck().choice("for_text").model.name == "m1"


def test_an_unknown_choice_comes_with_the_words_there_are(deck: ModelDeck) -> None:
    with pytest.raises(UnknownNameError) as caught:
        deck.choice("for_txt")
    assert caught.value.suggestions[0] == "for_text"
    assert str(caught.value).startswith("no choice is called 'for_txt'; did you mean 'for_text'")


NOT_STATED = "required, and nothing states it; name the preset, model or alias used when the caller names none"
CHOICE_FAULTS = {
    "no default": (
        ["[llm_choice_defaults]", "for_text = 'one'"],
        f"llm_choice_defaults.for_object: {NOT_STATED}",
    ),
    "unknown default": (
        ["[llm_choice_defaults]", "for_text = 'ones'", "for_object = 'one'"],
        "llm_choice_defaults.for_text: no preset, model or alias is called 'ones'; did you mean 'one'?",
    ),
    "near a model": (
        ["[llm_choice_defaults]", "for_text = 'dotted'", "for_object = 'one'"],
        "llm_choice_defaults.for_text: no preset, model or alias is called 'dotted'; did you mean 'dot.ted'?",
    ),
    "unknown override": (
        [*DEFAULTS, "[llm_choice_overrides]", "for_text = 'qqqq'"],
        "llm_choice_overrides.for_text: no preset, model or alias is called 'qqqq'",
    ),
    "unknown key": (
        [*DEFAULTS, "for_txt = 'one'"],
        "llm_choice_defaults.for_txt: unknown key; did you mean 'for_text'?",
    ),
    "number": (
        [*DEFAULTS, "[llm_choice_overrides]", "for_object = 3"],
        "llm_choice_overrides.for_object: expected a string, got an integer",
    ),
}


@pytest.mark.parametrize(("lines", "message"), CHOICE_FAULTS.values(), ids=CHOICE_FAULTS)
def test_a_faulty_choice_says_what_is_wrong(problems: Problems, lines: list[str], message: str) -> None:
    (problem,) = problems(choices(*lines))
    assert problem.startswith("deck/base.toml")
    assert problem.endswith(f"  cogt.deck.{message}")


def test_a_default_choice_must_resolve(problems: Problems) -> None:
    preset = "p = { llm_handle = 'm-off' }"
    found = problems(choices(preset, "[llm_choice_defaults]", "for_text = 'p'", "for_object = 'p'"))
    assert [problem.partition(": ")[0] for problem in found] == [
        "deck/base.toml:7  cogt.deck.llm_choice_defaults.for_text",
        "deck/base.toml:8  cogt.deck.llm_choice_defaults.for_object",
    ]
    assert all("preset 'p' leads to no model that is served" in problem for problem in found)


def test_an_override_must_resolve(problems: Problems) -> None:
    files = choices("four = { llm_handle = 'm-off' }", *DEFAULTS, "[llm_choice_overrides]", "for_text = 'four'")
    (problem,) = problems(files)
    assert "cogt.deck.llm_choice_overrides.for_text: preset 'four' leads to no model that is served" in problem


def test_a_preset_that_nobody_chose_may_lead_nowhere(load: Load) -> None:
    manager = load(choices("four = { llm_handle = 'm-off' }", *DEFAULTS))
    with pytest.raises(BackendDisabledError):
        manager.get_llm_deck().resolve("four")


def test_a_preset_of_a_name_that_nothing_knows_is_an_error(problems: Problems) -> None:
    (problem,) = problems(choices("four = { llm_handle = 'only-c' }", *DEFAULTS))
    assert problem == (
        "deck/base.toml:5  cogt.deck.llm_presets.four.llm_handle: "
        "no model or alias is called 'only-c'; did you mean 'only-b' or 'only-a'?"
    )


def test_an_alias_with_no_served_member_is_a_warning(load: Load) -> None:
    manager = load(overrides={"deck": {"aliases": {"gone": "m-off"}}})
    assert any(warning.path.startswith("cogt.deck.aliases.gone") for warning in manager.warnings)


@pytest.mark.parametrize(("needs", "expected"), FIND.values(), ids=FIND)
def test_find_is_by_capability_cheapest_first(load: Load, needs: dict[str, Any], expected: list[str]) -> None:
    found = load(PRICES).get_llm_deck().find(**needs)
    assert isinstance(found, tuple)
    assert [model.name for model in found] == expected


def models_alone(count: int) -> dict[str, str]:
    lines = (f"[model-{number}]\ninputs = ['{('text', 'images')[number == 7]}']" for number in range(count))
    return {"backends/b.toml": "\n".join(["[defaults]", "sdk = 's'", "[only-b]", *lines])}


def test_a_question_costs_what_is_found_however_many_models_there_are(load: Load) -> None:
    def ask(count: int) -> int:
        deck = load(models_alone(count)).deck
        assert [model.name for model in deck.find(inputs=["images"])] == ["model-7"]
        return steps(lambda: deck.find(inputs=["images"], backend="b"))

    assert ask(400) == ask(10)


@given(
    inputs=st.lists(st.sampled_from(InputModality), max_size=2),
    outputs=st.lists(st.sampled_from(OutputModality), max_size=2),
    backend=st.sampled_from([None, "a", "b", "off"]),
)
def test_an_index_finds_what_looking_at_every_model_does(
    priced: ModelDeck, inputs: list[InputModality], outputs: list[OutputModality], backend: str | None
) -> None:
    found = [
        model
        for model in priced.inference_models.values()
        if {*inputs} <= {*model.inputs} and {*outputs} <= {*model.outputs} and backend in (None, model.backend_name)
    ]
    found.sort(key=lambda model: (model.costs.total is None, model.costs.total or 0.0))
    assert priced.find(inputs=inputs, outputs=outputs, backend=backend) == tuple(found)


def test_a_miss_that_nobody_reads_costs_the_same_however_many_models_there_are(load: Load) -> None:
    def miss(count: int) -> int:
        deck = load(models_alone(count)).deck

        def ask() -> None:
            with pytest.raises(UnknownNameError):
                deck.resolve("modle-3")

        ask()
        return steps(ask)

    assert miss(400) == miss(10)


def test_an_error_shows_nothing_of_the_deck(load: Load) -> None:
    deck = load(environ={"A_KEY": "canary-41b"}).deck
    with pytest.raises(UnknownNameError) as caught:
        deck.resolve("only-c")
    shown = f"{caught.value!r} {caught.value.args} {vars(caught.value)}"
    assert "only-b" not in shown
    assert "ModelDeck" not in shown
    assert pickle.loads(pickle.dumps(caught.value)).suggestions == ("only-b", "only-a")


def test_find_returns_only_what_is_served(load: Load) -> None:
    deck = load(PRICES, overrides={"inference_config": {"enabled_backends": ["a"]}}).get_llm_deck()
    assert {model.backend_name for model in deck.find()} == {"a"}


@pytest.mark.parametrize("name", ["inference_models", "aliases", "llm_presets", "llm_choice_defaults", "routing"])
def test_a_deck_is_frozen(deck: ModelDeck, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(deck, name, {})


def test_a_chain_in_the_deck_is_a_tuple(deck: ModelDeck) -> None:
    assert isinstance(deck.aliases["best"], tuple)
    assert isinstance(deck.chain("best"), tuple)


def test_what_is_resolved_is_frozen(deck: ModelDeck) -> None:
    llm = deck.resolve("p")
    for name in ("setting", "model", "backend"):
        with pytest.raises(AttributeError):
            setattr(llm, name, None)


def test_a_lookup_gives_the_same_answer_twice(deck: ModelDeck) -> None:
    assert deck.resolve("p") == deck.resolve("p")
    assert deck.get_inference_model("best") is deck.get_inference_model("m1")


def test_a_failed_lookup_leaves_no_trace(deck: ModelDeck, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        with pytest.raises(UnknownNameError) as caught:
            deck.resolve("nope")
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    assert "nope" not in deck.inference_models
    assert caplog.records == []


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copied_deck_answers_the_same(deck: ModelDeck, copied: Callable[[ModelDeck], ModelDeck]) -> None:
    twin = copied(deck)
    assert twin.resolve("p").model == deck.resolve("p").model
    assert [model.name for model in twin.find()] == [model.name for model in deck.find()]


def test_a_resolved_llm_shows_no_key(load: Load) -> None:
    llm = load(environ={"A_KEY": "canary-41b"}).get_llm_deck().resolve("p")
    assert llm.backend.api_key is not None
    assert "canary-41b" not in repr(llm) + str(llm)


REASONS = {"only-a": MissingCredentialError, "only-b": ModelNotRoutedError, "m-off": BackendDisabledError}
"""A model for every reason, what takes least to mend first."""

NOWHERE = {
    "settings.toml": """
        [default.cogt.inference_config]
        use_packaged_settings = false
        missing_credentials = "skip"
    """,
    "routing.toml": "active = 'x'\n[profiles.x]\nroutes = { m1 = 'b' }",
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "m1" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}


@pytest.mark.parametrize("members", [each for size in (1, 2, 3) for each in permutations(REASONS, size)], ids="-".join)
def test_of_several_reasons_the_nearest_is_told_whatever_the_order(load: Load, members: tuple[str, ...]) -> None:
    aliases = {"x": list(members), "y": "x"}
    deck = load(NOWHERE, environ={"B_KEY": "b"}, overrides={"deck": {"aliases": aliases}}).get_llm_deck()
    nearest = next(error for model, error in REASONS.items() if model in members)
    for ask in (deck.get_inference_model, deck.resolve, deck.chain):
        for alias in aliases:
            with pytest.raises(NotAvailableError) as caught:
                ask(alias)
            assert type(caught.value) is nearest


@pytest.mark.parametrize("name", ["inference_models", "aliases", "llm_presets", "chains"])
def test_no_method_changes_a_table_of_a_deck(deck: ModelDeck, name: str) -> None:
    table = getattr(deck, name)
    before = dict(table)
    assert_frozen(table)
    assert dict(table) == before
