"""Building the routing profiles: the faults of the active one are errors, those of the others warnings."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from pipelex_cogt import ModelManager, ModelNotRoutedError, RoutingRule, SettingsError
from tests.conftest import Load, WriteTree

Problems = Callable[..., list[str]]

DECK = {
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "only-b" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """
}

ACTIVE_FAULTS = {
    "route to a disabled backend": (
        ['routes = { m1 = "off" }'],
        ["routes.m1: backend 'off' is disabled; enable it in cogt.backends.off.enabled, or name another backend"],
    ),
    "pattern to a disabled backend that matches nothing": (
        ['routes = { "zzz*" = "off" }'],
        ["routes.\"zzz*\": backend 'off' is disabled; enable it in cogt.backends.off.enabled, or name another backend"],
    ),
    "default that is disabled": (
        ['default = "off"'],
        ["default: backend 'off' is disabled; enable it in cogt.backends.off.enabled, or name another backend"],
    ),
    "route to nobody": (
        ['routes = { m1 = "zzz" }'],
        ["routes.m1: no backend is called 'zzz'; expected one of a, b, off"],
    ),
    "default that is nobody": (['default = "of"'], ["default: no backend is called 'of'; did you mean 'off'?"]),
    "optional route to nobody": (
        ['optional_routes = { "x*" = "zzz" }'],
        ["optional_routes.\"x*\": no backend is called 'zzz'; expected one of a, b, off"],
    ),
    "fallback to nobody": (
        ['fallback_order = ["b", "zzz"]'],
        ["fallback_order.1: no backend is called 'zzz'; expected one of a, b, off"],
    ),
    "routes that are a list": (['routes = ["a"]'], ["routes: expected a table, got a list"]),
    "route to a number": (["routes = { m1 = 3 }"], ["routes.m1: expected a string, got an integer"]),
    "fallback that is text": (['fallback_order = "a"'], ["fallback_order: expected a list, got a string"]),
    "fallback to a number": (['fallback_order = ["a", 3]'], ["fallback_order.1: expected a string, got an integer"]),
    "default that is a number": (["default = 3"], ["default: expected a string, got an integer"]),
    "key one slip away": (['fallback_oder = ["a"]'], ["fallback_oder: unknown key; did you mean 'fallback_order'?"]),
    "key from nowhere": (
        ['zzz = "a"'],
        ["zzz: unknown key; expected one of default, description, fallback_order, optional_routes, routes"],
    ),
}


def routing(*lines: str) -> dict[str, str]:
    """A profile `x` with these rules, active, over a deck that needs only `only-b`."""
    return {**DECK, "routing.toml": "\n".join(['active = "x"', "[profiles.x]", *lines])}


def two_profiles(*lines: str) -> dict[str, str]:
    """A sound active profile, and another one with these rules."""
    sound = ['active = "ok"', "[profiles.ok]", 'fallback_order = ["a", "b"]', "[profiles.x]"]
    return {**DECK, "routing.toml": "\n".join([*sound, *lines])}


@pytest.mark.parametrize(("lines", "messages"), ACTIVE_FAULTS.values(), ids=ACTIVE_FAULTS)
def test_a_fault_of_the_active_profile_is_an_error(problems: Problems, lines: list[str], messages: list[str]) -> None:
    expected = [f"routing.toml:3  cogt.routing.profiles.x.{message}" for message in messages]
    assert problems(routing(*lines)) == expected


@pytest.mark.parametrize(("lines", "messages"), ACTIVE_FAULTS.values(), ids=ACTIVE_FAULTS)
def test_the_same_fault_of_another_profile_is_a_warning(load: Load, lines: list[str], messages: list[str]) -> None:
    manager = load(two_profiles(*lines))
    found = [str(warning).partition("routing.toml:")[2] for warning in manager.warnings]
    assert set(found) >= {f"5  cogt.routing.profiles.x.{message}" for message in messages}


def test_an_exact_route_to_a_backend_without_the_model_is_an_error(problems: Problems) -> None:
    (problem,) = problems(routing('routes = { only-b = "a" }', 'fallback_order = ["b"]', 'default = "b"'))
    assert problem.startswith(
        "routing.toml:3  cogt.routing.profiles.x.routes.only-b: backend 'a' does not serve 'only-b'"
    )


HINTS = {
    "another serves it": ("only-b", {}, "does not serve 'only-b'; 'b' can"),
    "two others serve it": (
        "both",
        {
            "backends/b.local.toml": "[both]",
            "backends/off.local.toml": "[both]",
            "backends.local.toml": "off.enabled = true",
        },
        "does not serve 'both'; 'b' and 'off' can",
    ),
    "the other is disabled": (
        "m-off",
        {},
        "does not serve 'm-off'; 'off' knows it and is disabled (cogt.backends.off.enabled)",
    ),
    "the other is not among those enabled": (
        "m-c",
        {
            "settings.local.toml": "[default.cogt.inference_config]\nenabled_backends = ['a', 'b']",
            "backends.local.toml": "[c]",
            "backends/c.toml": "[m-c]\nsdk = 's'",
        },
        "does not serve 'm-c'; 'c' knows it and is disabled (cogt.inference_config.enabled_backends)",
    ),
    "the other has it disabled": (
        "m-b",
        {"backends/b.local.toml": "[m-b]\nenabled = false"},
        "does not serve 'm-b'; 'b' knows it and has the model disabled (cogt.models.b.m-b.enabled)",
    ),
    "the other is left out": (
        "m-c",
        {"backends.local.toml": "[c]\napi_key = '${C_KEY}'", "backends/c.toml": "[m-c]\nsdk = 's'"},
        "does not serve 'm-c'; 'c' knows it and is left out: C_KEY is not set",
    ),
    "the other is no backend": (
        "m-z",
        {"backends/zz.toml": "[m-z]\nsdk = 's'"},
        "does not serve 'm-z'; 'zz' knows it and does not exist",
    ),
    "disabled there": (
        "m1",
        {"backends/a.local.toml": "[m1]\nenabled = false"},
        "has the model disabled; enabled = false at backends/a.local.toml:2",
    ),
    "disabled there with all others of the file": (
        "m1",
        {"backends/a.local.toml": "[defaults]\nenabled = false"},
        "has the model disabled; enabled = false at backends/a.local.toml:2",
    ),
    "disabled there for an environment": (
        "m1",
        {"settings.local.toml": "[default.cogt.models.a.m1]\nenabled = false"},
        "has the model disabled; enabled = false at settings.local.toml:2",
    ),
}


@pytest.mark.parametrize(("model", "files", "told"), HINTS.values(), ids=HINTS)
def test_an_exact_route_that_does_not_lead_to_its_model_says_why_and_what_serves_it(
    problems: Problems, model: str, files: dict[str, str], told: str
) -> None:
    rules = routing(f"routes.{model} = 'a'", 'fallback_order = ["b"]')
    keys = {"A_KEY": "x", "B_KEY": "x"}
    found = problems({**rules, **files}, environ=keys, overrides={"inference_config": {"missing_credentials": "skip"}})
    assert found == [f"routing.toml:3  cogt.routing.profiles.x.routes.{model}: backend 'a' {told}"]


@pytest.mark.parametrize("model", ["m1", "only-a"])
def test_a_route_to_a_backend_with_a_fault_in_its_defaults_is_not_judged(problems: Problems, model: str) -> None:
    files = {
        **routing(f"routes.{model} = 'a'", 'fallback_order = ["b"]'),
        "backends/a.local.toml": "[defaults]\nskd = 's'",
    }
    assert problems(files) == ["backends/a.local.toml:2  cogt.models.a.defaults.skd: unknown key; did you mean 'sdk'?"]


def test_what_waits_for_its_backend_is_told_where_nothing_knows_the_model(load: Load) -> None:
    manager = load(routing('optional_routes = { m-of = "off", m-off = "off" }', 'default = "b"'))
    (warning,) = (each for each in manager.warnings if "optional_routes" in each.path)
    assert warning.path == "cogt.routing.profiles.x.optional_routes.m-of"
    assert warning.message == "no backend knows a model 'm-of'; did you mean 'm-off'?"


def test_an_exact_route_of_a_model_that_nobody_knows_is_a_warning(load: Load) -> None:
    manager = load(routing('routes = { only-c = "a" }', 'default = "b"'))
    (warning,) = (each for each in manager.warnings if each.path.endswith("routes.only-c"))
    assert warning.problem == "no backend knows a model 'only-c'"
    assert "'only-b'" in (warning.suggestion or "")


def test_fallback_order_may_name_the_disabled(load: Load) -> None:
    manager = load(routing('fallback_order = ["off", "b"]'))
    assert manager.get_inference_model("m1").backend_name == "b"


def test_an_optional_route_may_name_the_disabled(load: Load) -> None:
    files = routing('optional_routes = { m1 = "off", "*" = "off" }', 'fallback_order = ["b"]')
    assert load(files).get_inference_model("m1").backend_name == "b"


def test_an_optional_route_counts_once_its_backend_is_enabled(load: Load) -> None:
    files = {
        **routing('optional_routes = { "m*" = "off" }', 'fallback_order = ["b"]'),
        "backends/off.toml": "[m1]\nsdk='s'",
    }
    overrides = {"backends": {"off": {"enabled": True}}}
    assert load(files).get_inference_model("m1").backend_name == "b"
    assert load(files, overrides=overrides).get_inference_model("m1").backend_name == "off"


def test_a_route_to_a_backend_without_its_credential_stops_nothing(load: Load) -> None:
    files = routing('routes = { m1 = "a" }', 'default = "b"')
    overrides = {"inference_config": {"missing_credentials": "skip"}}
    manager = load(files, overrides=overrides, environ={"B_KEY": "x"})
    assert manager.routing.decide("m1").backend is None
    assert manager.routing.decide("only-b").backend == "b"


ACTIVE = {
    "unknown": ('active = "xx"', "routing.toml:1  cogt.routing.active: no routing profile is called 'xx'"),
    "not text": ("active = 3", "routing.toml:1  cogt.routing.active: expected a string, got an integer"),
    "not stated": ("", "routing.toml  cogt.routing.active: required, and nothing states it"),
    "empty": ('active = ""', "routing.toml:1  cogt.routing.active: no routing profile is called ''"),
}


@pytest.mark.parametrize(("line", "message"), ACTIVE.values(), ids=ACTIVE)
def test_the_active_profile_must_exist(problems: Problems, line: str, message: str) -> None:
    (problem,) = problems({**DECK, "routing.toml": f'{line}\n[profiles.all]\ndefault = "b"'})
    assert problem.startswith(message)


def test_an_unknown_active_profile_comes_with_a_near_name(problems: Problems) -> None:
    files = {**DECK, "routing.toml": 'active = "all_azur"\n[profiles.all_azure]\ndefault = "b"'}
    assert problems(files) == [
        "routing.toml:1  cogt.routing.active: no routing profile is called 'all_azur'; did you mean 'all_azure'?"
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        {"overrides": {"routing": {"active": "x"}}},
        {"environ": {"PIPELEX_COGT__ROUTING__ACTIVE": "x"}},
    ],
    ids=["overrides", "variable"],
)
def test_another_profile_may_be_made_active(load: Load, arguments: dict[str, Any]) -> None:
    assert load(two_profiles('default = "b"'), **arguments).routing.active.name == "x"


def test_a_profile_that_becomes_active_has_errors_instead_of_warnings(load: Load, problems: Problems) -> None:
    files = two_profiles('default = "off"')
    assert len(load(files).warnings) == 1
    assert len(problems(files, overrides={"routing": {"active": "x"}})) == 1


def test_an_upper_layer_adds_a_more_specific_route(load: Load) -> None:
    files = {
        **routing('routes = { "m*" = "a" }', 'default = "b"'),
        "routing.local.toml": '[profiles.x.routes]\n"m1*" = "b"',
    }
    decision = load(files).routing.decide("m1")
    assert (decision.backend, decision.rule, decision.key) == ("b", RoutingRule.PATTERN, "m1*")


def test_a_model_that_no_rule_serves_says_which_rule_took_it(load: Load) -> None:
    manager = load(routing('routes = { "only-*" = "b" }', 'default = "b"'))
    with pytest.raises(ModelNotRoutedError) as caught:
        manager.get_inference_model("only-a")
    error = caught.value
    assert (error.name, error.profile) == ("only-a", "x")
    assert (error.rule, error.turned_down) == ("route 'only-*'", (("b", "does not serve the model"),))
    assert str(error) == (
        "'only-a' is not served in routing profile 'x': route 'only-*' takes it: 'b' does not serve the model; "
        "'a' can: add routes = { only-a = \"a\" } to cogt.routing.profiles.x"
    )


def test_names_of_routes_survive_as_written(load: Load) -> None:
    files = routing('routes = { "dot.ted" = "b", "a/b:c*" = "a", "items" = "a", "Get*" = "a" }', 'default = "b"')
    assert list(load(files).routing.active.routes) == ["dot.ted", "a/b:c*", "items", "Get*"]


SHIPPED_PROFILE = "does not fit cogt.routing.profiles.all_anthropic.default (PACKAGED)"
DISABLED_BACKEND = (
    f"{SHIPPED_PROFILE}: backend 'anthropic' is disabled; "
    "enable it in cogt.inference_config.enabled_backends, or name another backend"
)
ONE_BACKEND = "[default.cogt.inference_config]\nenabled_backends = ['openai']"
ALL_ANTHROPIC = "active = 'all_anthropic'"
ACTIVE_VARIABLE = "PIPELEX_COGT__ROUTING__ACTIVE"

BESIDE_THE_PACKAGED_PROFILES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "the application names the profile": (
        {"settings.toml": ONE_BACKEND, "routing.toml": ALL_ANTHROPIC},
        {},
        "routing.toml:1  cogt.routing.active",
    ),
    "a variable names the profile": (
        {"settings.toml": ONE_BACKEND},
        {ACTIVE_VARIABLE: "all_anthropic"},
        f"{ACTIVE_VARIABLE}  cogt.routing.active",
    ),
    "an environment names the profile": (
        {"settings.toml": f"[development.cogt.routing]\n{ALL_ANTHROPIC}\n{ONE_BACKEND}"},
        {},
        "settings.toml:2  cogt.routing.active",
    ),
}


@pytest.mark.parametrize(
    ("files", "environ", "place"), BESIDE_THE_PACKAGED_PROFILES.values(), ids=BESIDE_THE_PACKAGED_PROFILES
)
def test_a_packaged_profile_that_does_not_fit_is_told_where_the_application_chose_it(
    write_tree: WriteTree, files: dict[str, str], environ: dict[str, str], place: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(write_tree(files), environ=environ)
    (problem,) = caught.value.problems
    message = re.sub(r"\([^()]*routing\.toml:\d+\)", "(PACKAGED)", str(problem)).rpartition("/app/settings/")[2]
    assert message == f"{place}: {DISABLED_BACKEND}"


MISTAKEN: dict[str, tuple[str, str]] = {
    "an alias": ("best", "it is an alias, and a route names a model"),
    "a preset": ("p", "it is a preset, and a route names a model"),
    "a model_id": ("b/m1", "it is the model_id of 'm1'"),
    "a misspelt model": ("only-c", "did you mean 'only-b' or 'only-a'?"),
}


@pytest.mark.parametrize(("key", "hint"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_route_of_no_model_says_what_its_key_is(load: Load, key: str, hint: str) -> None:
    routing = f"active = 'x'\n[profiles.x]\nfallback_order = ['a', 'b']\nroutes = {{ '{key}' = 'a' }}"
    (warning,) = load({"routing.toml": routing}).warnings
    assert warning.message == f"no backend knows a model {key!r}; {hint}"


def test_a_profile_that_begins_the_name_of_the_active_one_is_another(load: Load) -> None:
    lines = 'active = "all.x"\n[profiles.all]\ndefault = "off"\n[profiles."all.x"]\nfallback_order = ["a", "b"]'
    (warning,) = load({"routing.toml": lines}).warnings
    assert str(warning).endswith(
        "routing.toml:3  cogt.routing.profiles.all.default: backend 'off' is disabled; "
        "enable it in cogt.backends.off.enabled, or name another backend"
    )
