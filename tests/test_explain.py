"""Explaining: why a name leads to its model, where each value was stated, and what it replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt import ModelManager, RoutingRule, UnknownNameError
from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.explain import describe_explanation
from pipelex_cogt.models.explain import AliasStep, ExplainedValue, Explanation, StatedValue
from tests.conftest import MINIMAL, Load, WriteTree

Explain: TypeAlias = Callable[..., Explanation]
Run: TypeAlias = Callable[..., Result]

NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
TEMPERATURE = "PIPELEX_COGT__DECK__LLM_PRESETS__P__TEMPERATURE"
CHAINS = {
    "deck/chains.toml": """
        [aliases]
        outer = ["m-off", "best"]
        dark = ["m-off"]
        [llm_presets.q]
        llm_handle = "outer"
        [llm_presets.night]
        llm_handle = "dark"
        [llm_presets."gpt 4.1 / eu"]
        llm_handle = "only-a"
    """
}
ROUTES = {
    "routing.toml": """
        active = "routed"
        [profiles.routed]
        default = "b"
        fallback_order = ["a", "off"]
        routes = { "only-*" = "a" }
        optional_routes = { "m1" = "off", "m*" = "b" }
    """
}
EVERY_LAYER = {
    "settings.toml": f"""
        {NOTHING}
        [default.cogt.deck.llm_presets.p]
        temperature = 0.6
        [production.cogt.deck.llm_presets.p]
        temperature = 0.7
        [staging.cogt.deck.llm_presets.p]
        temperature = 0.1
    """,
    "deck/base.local.toml": "[llm_presets.p]\ntemperature = 0.8\n",
    ".secrets.toml": "[default.cogt.deck.llm_presets.p]\ntemperature = 0.9\n",
    f"../secrets/{TEMPERATURE}": "1.0",
    "../.env": f"{TEMPERATURE}=1.1\n",
}


@pytest.fixture
def explain(load: Load, folder: Path) -> Explain:
    """Explain a name on the minimal tree with other files laid over it."""
    assert folder.is_dir()

    def explain_name(name: str, files: Mapping[str, str] | None = None, **arguments: Any) -> Explanation:
        return load(files, **arguments).explain(name)

    return explain_name


@pytest.fixture
def run(write_tree: WriteTree, folder: Path) -> Run:
    """Run `pipelex-cogt explain` on the minimal tree with other files laid over it."""
    assert folder.is_dir()

    def run_explain(*arguments: str, files: Mapping[str, str] | None = None) -> Result:
        write_tree({**MINIMAL, **(files or {})})
        return CliRunner().invoke(app, ["explain", *arguments])

    return run_explain


def value_at(explanation: Explanation, path: str) -> ExplainedValue:
    (found,) = [value for value in explanation.values if value.path == path]
    return found


def places(explanation: Explanation) -> dict[str, str]:
    return {value.path: value.stated.place for value in explanation.values}


def turned_down(explanation: Explanation) -> list[tuple[str, str, str | None, str]]:
    assert explanation.decision is not None
    return [(down.backend, down.rule, down.key, down.reason) for down in explanation.decision.turned_down]


# What a name leads to


def test_a_preset_leads_through_its_handle_and_aliases_to_the_provider_s_string(explain: Explain) -> None:
    told = explain("q", CHAINS)
    assert (told.name, told.kind, told.handle, told.model, told.backend) == ("q", "preset", "outer", "m1", "a")
    assert told.model_id == "m1"
    assert told.aliases == (
        AliasStep("outer", ("m-off", "best"), ("best",)),
        AliasStep("best", ("m1", "only-b"), ("m1", "only-b")),
    )
    assert told.absence is None


def test_a_model_needs_no_aliases(explain: Explain) -> None:
    told = explain("dot.ted")
    assert (told.kind, told.handle, told.aliases, told.model, told.backend) == (
        "model",
        "dot.ted",
        (),
        "dot.ted",
        "b",
    )


def test_the_provider_s_string_is_that_of_the_backend_that_serves(explain: Explain) -> None:
    told = explain("m1", overrides={"routing": {"profiles": {"all": {"fallback_order": ["b", "a"]}}}})
    assert (told.backend, told.model_id) == ("b", "b/m1")


def test_an_alias_is_explained_by_itself(explain: Explain) -> None:
    told = explain("best")
    assert (told.kind, told.model, [step.alias for step in told.aliases]) == ("alias", "m1", ["best"])


def test_a_preset_wins_over_a_model_and_a_model_over_an_alias(explain: Explain) -> None:
    files = {"deck/z.toml": "[aliases]\nm1 = 'only-b'\n[llm_presets.only-a]\nllm_handle = 'm1'\n"}
    assert explain("only-a", files).kind == "preset"
    assert (explain("m1", files).kind, explain("m1", files).model) == ("model", "m1")


def test_a_backend_is_explained_by_its_values(explain: Explain) -> None:
    told = explain("a")
    assert (told.kind, told.backend, told.model, told.decision) == ("backend", "a", None, None)
    assert places(told) == {
        "cogt.backends.a.endpoint": "settings/backends.toml:2",
        "cogt.backends.a.api_key": "settings/backends.toml:3",
    }


def test_a_disabled_backend_is_explained_too(explain: Explain) -> None:
    assert value_at(explain("off"), "cogt.backends.off.enabled").stated == StatedValue(
        value=False, layer="application settings", environment=None, place="settings/backends.toml:7"
    )


@pytest.mark.parametrize(
    "name", ["routing.active", "cogt.routing.active", '"routing"."active"', "cogt . routing.active"]
)
def test_a_key_path_with_and_without_its_root_is_the_same_value(explain: Explain, name: str) -> None:
    told = explain(name)
    assert (told.kind, told.handle) == ("key path", None)
    assert places(told) == {"cogt.routing.active": "settings/routing.toml:1"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ('models.b."dot.ted".inputs', 'cogt.models.b."dot.ted".inputs'),
        ("models.b.'dot.ted'.inputs", 'cogt.models.b."dot.ted".inputs'),
        ('cogt.deck.llm_presets."gpt 4.1 / eu".llm_handle', 'cogt.deck.llm_presets."gpt 4.1 / eu".llm_handle'),
    ],
)
def test_a_key_path_is_quoted_as_in_toml(explain: Explain, name: str, path: str) -> None:
    assert [value.path for value in explain(name, CHAINS).values] == [path]


def test_a_key_path_of_a_table_is_everything_below_it(explain: Explain) -> None:
    assert list(places(explain("deck.llm_presets.p")).items()) == [
        ("cogt.deck.llm_presets.p.llm_handle", "settings/deck/base.toml:4"),
        ("cogt.deck.llm_presets.p.temperature", "settings/deck/base.toml:4"),
    ]


def test_a_key_path_of_the_inference_config_is_a_value_like_any_other(explain: Explain) -> None:
    assert places(explain("inference_config.use_packaged_settings")) == {
        "cogt.inference_config.use_packaged_settings": "settings/settings.toml:2"
    }


def test_a_value_that_a_model_takes_from_the_defaults_is_found_at_the_model_s_key_path(explain: Explain) -> None:
    (value,) = explain("models.a.m1.sdk").values
    assert (value.stated.value, value.stated.place) == ("sdk_a", "settings/backends/a.toml:2")


@pytest.mark.parametrize("name", ["nope", "routing.nope", "a b", "", "=", "[x]", "x = 1\ny", '"open'])
def test_what_nobody_knows_is_an_unknown_name(explain: Explain, name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        explain(name)
    assert caught.value.name == name


def test_an_unknown_name_comes_with_what_is_near(explain: Explain) -> None:
    with pytest.raises(UnknownNameError, match=r"called 'bset'; did you mean 'best'\?"):
        explain("bset")


def test_an_unknown_name_near_an_unserved_model_names_that_model(explain: Explain) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'm-off'"):
        explain("m-of")


def test_an_unknown_key_path_comes_with_the_key_that_is_near(explain: Explain) -> None:
    with pytest.raises(UnknownNameError, match=r"routing\.active"):
        explain("routing.actve")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("id-4", "it is the model_id of 'gpt-4.1'"),
        ("for_text", "it is a choice: ask for 'p'"),
        ("models.a.gpt-4.1", """did you mean 'cogt.models.a."gpt-4.1"'?"""),
        ('models.a."gpt-4.1".sdkk', """did you mean 'cogt.models.a."gpt-4.1".sdk'?"""),
        ("cogt.models.a.gpt-4.1.sdk", """did you mean 'cogt.models.a."gpt-4.1".sdk'?"""),
    ],
)
def test_what_a_name_is_instead_is_told(explain: Explain, name: str, told: str) -> None:
    files = {"backends/a.toml": MINIMAL["backends/a.toml"] + "['gpt-4.1']\nmodel_id = 'id-4'\nsdk = 's'\n"}
    with pytest.raises(UnknownNameError) as caught:
        explain(name, files)
    assert str(caught.value) == f"no preset, model, alias, backend or key path is called {name!r}; {told}"


# Routing


def test_a_fallback_names_the_candidates_that_were_not_asked(explain: Explain) -> None:
    told = explain("m1")
    assert told.decision is not None
    assert told.decision.rule is RoutingRule.FALLBACK
    assert turned_down(told) == [
        ("b", "fallback", None, "a rule before it decided"),
        ("off", "fallback", None, "a rule before it decided"),
    ]


def test_a_candidate_is_turned_down_with_its_reason(explain: Explain) -> None:
    told = explain("only-b", overrides={"routing": {"profiles": {"all": {"fallback_order": ["off", "a", "b"]}}}})
    assert told.backend == "b"
    assert turned_down(told) == [
        ("off", "fallback", None, "is disabled"),
        ("a", "fallback", None, "does not serve the model"),
    ]


def test_every_rule_that_applies_is_listed_in_the_order_in_which_it_is_asked(explain: Explain) -> None:
    told = explain("m1", ROUTES)
    assert told.decision is not None
    assert (told.decision.rule, told.decision.key, told.backend) == (RoutingRule.PATTERN, "m*", "b")
    assert turned_down(told) == [
        ("off", "exact", "m1", "is disabled"),
        ("b", "default", None, "a rule before it decided"),
        ("a", "fallback", None, "a rule before it decided"),
        ("off", "fallback", None, "a rule before it decided"),
    ]


def test_the_rule_that_decided_is_shown_where_it_is_stated(explain: Explain) -> None:
    assert places(explain("m1", ROUTES))['cogt.routing.profiles.routed.optional_routes."m*"'] == (
        "settings/routing.toml:6"
    )
    assert places(explain("only-a", ROUTES))['cogt.routing.profiles.routed.routes."only-*"'] == (
        "settings/routing.toml:5"
    )
    assert places(explain("dot.ted", ROUTES))["cogt.routing.profiles.routed.default"] == "settings/routing.toml:3"
    assert places(explain("m1"))["cogt.routing.profiles.all.fallback_order"] == "settings/routing.toml:3"


# What is not served


def test_a_model_of_a_disabled_backend_says_so(explain: Explain) -> None:
    told = explain("m-off")
    assert (told.kind, told.model, told.backend, told.model_id) == ("model", "m-off", None, None)
    assert told.absence is not None
    assert told.absence.startswith("'m-off' is known only to what is disabled: off")
    assert ("off", "fallback", None, "is disabled") in turned_down(told)


def test_a_model_that_a_rule_took_says_which(explain: Explain) -> None:
    told = explain("only-b", ROUTES)
    assert told.decision is not None
    assert (told.decision.backend, told.decision.key) == (None, "only-*")
    assert turned_down(told)[0] == ("a", "pattern", "only-*", "does not serve the model")
    assert told.absence is not None
    assert "'only-b' is not served in routing profile 'routed'" in told.absence
    assert places(told)['cogt.routing.profiles.routed.routes."only-*"'] == "settings/routing.toml:5"


def test_a_preset_over_an_alias_that_leads_nowhere_shows_the_way(explain: Explain) -> None:
    told = explain("night", CHAINS)
    assert (told.kind, told.handle, told.model, told.backend) == ("preset", "dark", "m-off", None)
    assert told.aliases == (AliasStep("dark", ("m-off",), ()),)
    assert told.absence is not None
    assert "off" in told.absence


def test_an_unserved_model_shows_the_values_that_keep_it_so(explain: Explain) -> None:
    assert places(explain("m-off"))["cogt.backends.off.enabled"] == "settings/backends.toml:7"


def test_a_missing_credential_is_the_reason_where_its_backend_is_left_out(explain: Explain) -> None:
    skipping = {"settings.toml": f"{NOTHING}missing_credentials = 'skip'\n"}
    told = explain("only-b", skipping, environ={"A_KEY": "a"})
    assert told.absence is not None
    assert "B_KEY" in told.absence


# Where values come from


def test_a_value_names_its_layer_and_everything_that_it_replaced(explain: Explain) -> None:
    told = explain(
        "p",
        EVERY_LAYER,
        env="production",
        environ={"PIPELEX_SECRETS_DIR": "secrets", TEMPERATURE: "1.2"},
        overrides={"deck": {"llm_presets": {"p": {"temperature": 1.3}}}},
    )
    value = value_at(told, "cogt.deck.llm_presets.p.temperature")
    assert [(each.value, each.layer, each.environment, each.place) for each in (value.stated, *value.replaced)] == [
        (1.3, "overrides given in code", None, "overrides"),
        (1.2, "environment variable", None, TEMPERATURE),
        (1.1, ".env", None, TEMPERATURE),
        (1.0, "secrets directory", None, TEMPERATURE),
        (0.9, "secrets file", "default", "settings/.secrets.toml:2"),
        (0.8, "local file", None, "settings/deck/base.local.toml:2"),
        (0.7, "environment table", "production", "settings/settings.toml:7"),
        (0.6, "application settings", "default", "settings/settings.toml:5"),
        (0.5, "application settings", None, "settings/deck/base.toml:4"),
    ]


def test_a_value_over_the_packaged_settings_names_both(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    directory = write_tree({"routing.toml": "active = 'all_openai'\n"})
    value = value_at(ModelManager.load(directory, environ={}).explain("routing.active"), "cogt.routing.active")
    assert (value.stated.value, value.stated.layer) == ("all_openai", "application settings")
    assert [(each.value, each.layer) for each in value.replaced] == [("all_enabled", "packaged settings")]


def test_a_list_replaces_a_list_as_a_whole(explain: Explain) -> None:
    told = explain("best", {"deck/base.local.toml": "[aliases]\nbest = ['only-a']\n"})
    value = value_at(told, "cogt.deck.aliases.best")
    assert value.stated.value == ["only-a"]
    assert [each.value for each in value.replaced] == [["m1", "only-b"]]


def test_a_value_of_the_defaults_is_shown_unless_the_model_states_its_own(explain: Explain) -> None:
    files = {"backends/a.local.toml": "[defaults]\nmax_tokens = 5\nmax_prompt_images = 3\n"}
    found = places(explain("m1", files))
    assert found["cogt.models.a.m1.max_tokens"] == "settings/backends/a.toml:4"
    assert found["cogt.models.a.defaults.max_prompt_images"] == "settings/backends/a.local.toml:3"
    assert "cogt.models.a.defaults.max_tokens" not in found


def test_secrets_are_masked_in_every_layer(explain: Explain) -> None:
    told = explain(
        "a",
        {
            "backends.local.toml": "[a]\napi_key = 'canary-local'\ntoken = { inner = 'canary-inner' }\n",
            ".secrets.toml": "[default.cogt.backends.a]\napi_key = 'canary-file'\n",
            "../.env": "PIPELEX_COGT__BACKENDS__A__API_KEY=canary-dotenv\n",
        },
        environ={"A_KEY": "canary-answer", "PIPELEX_COGT__BACKENDS__A__ENDPOINT": "https://u:canary-url@example.com"},
        overrides={"backends": {"a": {"api_key": "canary-override"}}},
    )
    assert "canary" not in str(told)
    value = value_at(told, "cogt.backends.a.api_key")
    assert len(value.replaced) == 4
    assert value.replaced[-1].value == "${A_KEY}"


def test_explaining_answers_no_reference(explain: Explain) -> None:
    files = {"backends/a.local.toml": "[m1]\nmodel_id = '${DEPLOYMENT}'\n"}
    assert explain("m1", files, environ={"DEPLOYMENT": "canary"}).model_id == "${DEPLOYMENT}"


# Files that change after they were read


def edit(name: str) -> None:
    """Move every line of a settings file, and state another temperature."""
    path = Path("settings") / name
    path.write_text("# edited\n" + path.read_text().replace("0.5", "0.9"))


CHANGED = " (changed since it was read)"


def test_of_a_file_that_was_edited_no_line_is_told_and_of_the_others_it_is(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    manager = load()
    edit("deck/base.toml")
    told = manager.explain("p")
    assert value_at(told, "cogt.deck.llm_presets.p.temperature").stated.value == 0.5
    for path, place in places(told).items():
        is_of_deck = path.startswith("cogt.deck.")
        assert place.endswith(CHANGED) is is_of_deck
        assert (place == f"settings/deck/base.toml{CHANGED}") is is_of_deck
    assert places(told)["cogt.models.a.m1.max_tokens"] == "settings/backends/a.toml:4"


def test_a_file_that_was_edited_and_edited_back_is_what_was_read(load: Load, folder: Path) -> None:
    manager = load()
    path = folder / "settings/deck/base.toml"
    text = path.read_text()
    edit("deck/base.toml")
    path.write_text(text)
    assert places(manager.explain("p"))["cogt.deck.llm_presets.p.temperature"] == "settings/deck/base.toml:4"


def test_lines_that_were_told_before_an_edit_are_told_after_it(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    manager = load()
    before = manager.explain("p")
    edit("deck/base.toml")
    assert manager.explain("p") == before


def test_a_warning_that_is_read_after_an_edit_has_no_line(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    files = {"deck/z.toml": "[aliases]\nx = 'm-off'\n", "deck/y.toml": "[aliases]\ny = 'm-off'\n"}
    manager = load(files)
    edit("deck/z.toml")
    assert [(warning.path, warning.file, warning.line) for warning in manager.warnings] == [
        ("cogt.deck.aliases.y", "settings/deck/y.toml", 2),
        ("cogt.deck.aliases.x", "settings/deck/z.toml", None),
    ]


def test_of_a_file_that_was_edited_the_command_tells_the_new_lines(run: Run) -> None:
    run("p")
    edit("deck/base.toml")
    result = CliRunner().invoke(app, ["explain", "p"])
    told = "llm_handle = best, temperature = 0.9 } <- settings/deck/base.toml:5 (application settings)"
    assert f"  cogt.deck.llm_presets.p = {{ {told}" in result.stdout.splitlines()


# The command


WHY_Q = """
preset q
  model       m1
  backend     a
  model_id    m1
  parameters  none: the provider decides
  prices      input = 1, output = 2 (US dollars per million tokens)
  key         missing: A_KEY

why
  preset q names outer
  alias outer
      m-off not served
    > best chosen
  alias best
    > m1 chosen
      only-b
  model m1, in routing profile all
    > fallback leads to a
    not asked, a rule before it decided: fallback b, off

values, and where they are stated
  cogt.deck.llm_presets.q.llm_handle = outer <- settings/deck/chains.toml:5 (application settings)
  cogt.deck.aliases.outer = [m-off, best] <- settings/deck/chains.toml:2 (application settings)
  cogt.deck.aliases.best = [m1, only-b] <- settings/deck/base.toml:2 (application settings)
  cogt.routing.active = all <- settings/routing.toml:1 (application settings)
  cogt.routing.profiles.all.fallback_order = [a, b, off] <- settings/routing.toml:3 (application settings)
  cogt.models.a.m1.max_tokens = 1000 <- settings/backends/a.toml:4 (application settings)
  cogt.models.a.m1.costs = { input = 1, output = 2 } <- settings/backends/a.toml:5 (application settings)
  cogt.models.a.defaults.sdk = sdk_a <- settings/backends/a.toml:2 (application settings)
  cogt.backends.a.endpoint = https://a.example.com <- settings/backends.toml:2 (application settings)
  cogt.backends.a.api_key = ${A_KEY} <- settings/backends.toml:3 (application settings)
"""
UNSERVED = """
model only-b
  not served: 'only-b' is not served in routing profile 'routed': \
route 'only-*' takes it: 'a' does not serve the model; \
'b' can: add routes = { only-b = "b" } to cogt.routing.profiles.routed

why
  model only-b, in routing profile routed
    pattern route only-* names a: does not serve the model
    pattern route only-* takes it and leads to no backend that serves it
    not asked, a rule before it decided: default b
    not asked, a rule before it decided: fallback a, off

values, and where they are stated
  cogt.routing.active = routed <- settings/routing.toml:1 (application settings)
  cogt.routing.profiles.routed.routes."only-*" = a <- settings/routing.toml:5 (application settings)
"""


@pytest.mark.parametrize(
    ("name", "files", "told"), [("q", CHAINS, WHY_Q), ("only-b", ROUTES, UNSERVED)], ids=["served", "not served"]
)
def test_the_command_prints_the_answer_then_why_then_the_values(
    run: Run, name: str, files: Mapping[str, str], told: str
) -> None:
    result = run(name, files=files)
    assert (result.exit_code, result.stdout.splitlines()) == (0, told.strip().splitlines())


def test_the_command_shows_what_was_replaced(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELEX_ENV", "production")
    monkeypatch.setenv("PIPELEX_SECRETS_DIR", "secrets")
    printed = run("p", files=EVERY_LAYER).stdout
    lines = printed.splitlines()
    first = next(number for number, line in enumerate(lines) if ".temperature = " in line)
    assert lines[first : first + 7] == [
        f"  cogt.deck.llm_presets.p.temperature = 1.1 <- {TEMPERATURE} (.env)",
        f"    replaced 1 <- {TEMPERATURE} (secrets directory)",
        "    replaced 0.9 <- settings/.secrets.toml:2 (secrets file [default])",
        "    replaced 0.8 <- settings/deck/base.local.toml:2 (local file)",
        "    replaced 0.7 <- settings/settings.toml:7 (environment table [production])",
        "    replaced 0.6 <- settings/settings.toml:5 (application settings [default])",
        "    replaced 0.5 <- settings/deck/base.toml:4 (application settings)",
    ]


def test_the_answer_is_what_a_call_gets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "canary-value")
    files = {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'm1'\ntemperature = 0\nmax_tokens = 'auto'\n"}
    result = run("q", "--json", files=files)
    assert json.loads(result.stdout)["answer"] == {
        "model": "m1",
        "backend": "a",
        "model_id": "m1",
        "parameters": {"temperature": 0, "max_tokens": 1000},
        "prices": {"input": 1, "output": 2},
        "key": "there",
    }
    assert "canary" not in result.stdout


def test_a_key_that_nothing_states_is_told_as_that(run: Run) -> None:
    assert run("inference_config.enabled_backends").stdout.splitlines() == [
        "key path inference_config.enabled_backends",
        "  nothing states it",
    ]


SKIPPING = {"settings.toml": f"{NOTHING}missing_credentials = 'skip'\n"}


def test_the_answer_is_that_of_an_application_s_load_with_the_keys_that_are_there(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B_KEY", "canary-value")
    lines = run("p", files=SKIPPING).stdout.splitlines()
    assert lines[1:3] == ["  model       m1", "  backend     b"]
    assert "  key         there" in lines


def test_the_answer_says_what_the_model_is_sent_otherwise(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B_KEY", "canary-value")
    files = {
        **SKIPPING,
        "backends/b.local.toml": "[only-b]\nconstraints = ['temperature_unsupported']\n",
        "deck/z.toml": "[aliases]\nx = ['only-a', 'only-b']\n[llm_presets.q]\nllm_handle = 'x'\ntemperature = 0.3\n",
    }
    assert run("q", files=files).stdout.splitlines()[4:6] == [
        "  parameters  none: the provider decides",
        "  adapted     temperature 0.3 left out: 'only-b' takes none",
    ]


def test_where_a_load_is_refused_for_a_key_the_answer_says_so(run: Run) -> None:
    files = {"settings.toml": f"{NOTHING}missing_credentials = 'error'\n"}
    result = run("p", files=files)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[6:8] == [
        "  key         missing: A_KEY",
        "a load is refused: see `check --credentials`",
    ]
    assert json.loads(run("p", "--json", files=files).stdout)["is_refused"] is True
    assert json.loads(run("p", "--json").stdout)["is_refused"] is False


def test_a_key_that_can_never_work_comes_with_the_command_that_says_why(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", '"quoted"')
    assert "  key         unusable (see `check --credentials`)" in run("p").stdout.splitlines()


def test_a_price_that_nobody_stated_is_unknown(run: Run) -> None:
    assert "  prices      unknown" in run("only-b").stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "state", "key"), [("a", "enabled", "missing: A_KEY"), ("off", "disabled", "none stated")]
)
def test_the_answer_about_a_backend_is_its_state(run: Run, name: str, state: str, key: str) -> None:
    assert run(name).stdout.splitlines()[:5] == [
        f"backend {name}",
        f"  backend     {name}",
        f"  state       {state}",
        f"  models      {'2' if name == 'a' else '1'}",
        f"  key         {key}",
    ]


def test_an_inline_table_that_two_layers_state_is_told_value_by_value(run: Run) -> None:
    printed = run("m1", files={"backends/a.local.toml": "[m1]\ncosts = { input = 3.0 }\n"}).stdout.splitlines()
    first = printed.index("  cogt.models.a.m1.costs.input = 3 <- settings/backends/a.local.toml:2 (local file)")
    assert printed[first + 1 : first + 3] == [
        "    replaced 1 <- settings/backends/a.toml:5 (application settings)",
        "  cogt.models.a.m1.costs.output = 2 <- settings/backends/a.toml:5 (application settings)",
    ]


def test_an_inline_table_that_replaces_another_is_one_line_and_one_below_it(run: Run) -> None:
    files = {"backends/a.local.toml": "[m1]\ncosts = { output = 4, input = 3 }\n"}
    printed = run("m1", files=files).stdout.splitlines()
    first = printed.index(
        "  cogt.models.a.m1.costs = { input = 3, output = 4 } <- settings/backends/a.local.toml:2 (local file)"
    )
    assert (
        printed[first + 1]
        == "    replaced { input = 1, output = 2 } <- settings/backends/a.toml:5 (application settings)"
    )


def test_values_that_a_variable_and_the_code_state_are_told_one_by_one(explain: Explain) -> None:
    overrides = {"deck": {"llm_presets": {"p": {"llm_handle": "m1", "temperature": 0.1}}}}
    told = explain("p", overrides=overrides)
    described = describe_explanation(told, ModelManager.load("settings", environ={}).deck)
    assert [value["path"] for value in described["values"]][:2] == [
        "cogt.deck.llm_presets.p.llm_handle",
        "cogt.deck.llm_presets.p.temperature",
    ]


@pytest.mark.parametrize("name", ["q", "best", "m-off", "off", "cogt.deck.aliases"])
def test_the_data_is_what_python_returns(run: Run, load: Load, name: str) -> None:
    data = json.loads(run(name, "--json", files=CHAINS).stdout)
    told = load(CHAINS).explain(name)
    for field in ("name", "kind", "handle", "model", "backend", "model_id", "absence"):
        assert data[field] == getattr(told, field)
    # What one line of a file states is one value of the data.
    lines = dict.fromkeys(value.stated.place for value in told.values)
    assert [value["stated"]["place"] for value in data["values"]] == [*lines]
    assert data["values"][0]["path"] == told.values[0].path


def test_the_data_names_the_rule_and_what_was_turned_down(run: Run) -> None:
    decision = json.loads(run("m1", "--json", files=ROUTES).stdout)["decision"]
    assert (decision["rule"], decision["key"], decision["backend"]) == ("pattern", "m*", "b")
    assert decision["turned_down"][0] == {"backend": "off", "rule": "exact", "key": "m1", "reason": "is disabled"}


def test_the_command_takes_an_environment(run: Run) -> None:
    data = json.loads(run("p", "--json", "--env", "staging", files=EVERY_LAYER).stdout)
    values = {value["path"]: value for value in data["values"]}
    replaced = values["cogt.deck.llm_presets.p.temperature"]["replaced"]
    assert [each["value"] for each in replaced if each["environment"] == "staging"] == [0.1]


def test_the_command_needs_no_key(run: Run) -> None:
    refusing = {"settings.toml": f"{NOTHING}missing_credentials = 'error'\n"}
    assert run("p", files=refusing).exit_code == 0


def test_the_command_ends_with_1_and_says_what_is_near(run: Run) -> None:
    result = run("bset")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean 'best'?" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["inference_config.enabled_backends", "cogt.deck.llm_choice_overrides.for_text"])
def test_a_key_that_nothing_states_is_known_all_the_same(load: Load, name: str) -> None:
    explanation = load().explain(name)
    assert (explanation.kind, explanation.absence) == ("key path", "nothing states it")


# An alias named like a model


def own_name(*lines: str) -> dict[str, str]:
    return {"deck/z.toml": "\n".join(["[aliases]", *lines])}


@pytest.mark.parametrize("members", ["['m1', 'only-b']", "['only-b', 'm1']", "'only-b'"])
def test_a_served_model_is_no_step_through_the_alias_of_its_name(explain: Explain, members: str) -> None:
    files = own_name(f"m1 = {members}", "x = ['m1']", "[llm_presets.q]", "llm_handle = 'm1'")
    for name, kind, aliases in (("m1", "model", []), ("q", "preset", []), ("x", "alias", ["x"])):
        told = explain(name, files)
        assert (told.kind, told.model, told.backend, told.absence) == (kind, "m1", "a", None)
        assert [step.alias for step in told.aliases] == aliases
        assert "cogt.deck.aliases.m1" not in places(told)


def test_an_alias_named_like_an_unserved_model_is_explained_as_the_alias(explain: Explain) -> None:
    told = explain("m-off", own_name("m-off = ['m-off', 'only-b']"))
    assert (told.kind, told.handle, told.model, told.backend, told.absence) == ("alias", "m-off", "only-b", "b", None)
    assert [(step.alias, step.members) for step in told.aliases] == [("m-off", ("m-off", "only-b"))]
    assert places(told)["cogt.deck.aliases.m-off"] == "settings/deck/z.toml:2"


def test_a_member_with_the_alias_s_own_unserved_name_is_not_served_and_the_next_alias_is_a_step(
    explain: Explain,
) -> None:
    told = explain("m-off", own_name("m-off = ['m-off', 'next']", "next = ['only-b', 'm1']"))
    assert told.aliases == (
        AliasStep("m-off", ("m-off", "next"), ("next",)),
        AliasStep("next", ("only-b", "m1"), ("only-b", "m1")),
    )
    assert [step.chosen for step in told.aliases] == ["next", "only-b"]
    assert (told.model, told.backend) == ("only-b", "b")
    assert places(told)["cogt.deck.aliases.next"] == "settings/deck/z.toml:3"


def test_an_alias_of_its_own_unserved_name_alone_says_why(explain: Explain) -> None:
    told = explain("m-off", own_name("m-off = ['m-off']"))
    assert (told.kind, told.model, told.backend) == ("alias", "m-off", None)
    assert told.aliases == (AliasStep("m-off", ("m-off",), ()),)
    assert told.absence is not None
    assert told.absence.startswith("'m-off' is known only to what is disabled: off")


@pytest.mark.parametrize(
    ("flag", "chosen", "absence"),
    [
        (True, ["a", "b"], None),
        (False, ["a", "b"], "backend 'b' is disabled (cogt.backends.b.enabled)"),
        (True, ["a"], "backend 'b' is disabled (cogt.inference_config.enabled_backends)"),
    ],
    ids=["in use", "its flag", "the list"],
)
def test_a_backend_says_whether_its_flag_or_the_list_holds(
    explain: Explain, *, flag: bool, chosen: list[str], absence: str | None
) -> None:
    overrides = {"backends": {"b": {"enabled": flag}}, "inference_config": {"enabled_backends": chosen}}
    told = explain("b", overrides=overrides)
    assert (told.kind, told.absence) == ("backend", absence)
    assert {"cogt.backends.b.enabled", "cogt.inference_config.enabled_backends"} <= {each.path for each in told.values}
    assert value_at(told, "cogt.backends.b.enabled").stated.value is flag


def test_a_model_that_the_defaults_of_its_file_switch_off_shows_where(explain: Explain) -> None:
    told = explain("only-a", {"backends/a.local.toml": "[defaults]\nenabled = false\n"})
    assert places(told)["cogt.models.a.defaults.enabled"] == "settings/backends/a.local.toml:2"
