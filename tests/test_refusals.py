"""Why a backend does not serve a model: what a caller hears of a known model that is not served, exactly."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from pipelex_cogt import (
    BackendDisabledError,
    MissingCredentialError,
    ModelManager,
    ModelNotRoutedError,
    NotAvailableError,
    RouteRefusal,
)
from pipelex_cogt.model_routing.refusals import refusal_of, tell_refusal
from tests.conftest import Load

SKIP = {"inference_config": {"missing_credentials": "skip"}}
BOTH_KEYS = {"A_KEY": "x", "B_KEY": "x"}
FOR_M1 = {
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "m1" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """
}


def routed(lines: str) -> dict[str, str]:
    """An active profile with these rules, over a deck that needs no more than `m1`."""
    return {**FOR_M1, "routing.toml": f"active = 'x'\n[profiles.x]\n{lines}"}


ORDER = routed("fallback_order = ['a', 'b', 'off']")
NOT_SERVED = "is not served in routing profile 'x': "
NO_RULE = "no rule leads to a backend that serves it"
ADD_DOT_TED, ADD_ONLY_B, ADD_M1, ADD_ONLY_A = (
    f"add routes = {{ {line} }} to cogt.routing.profiles.x"
    for line in ('"dot.ted" = "b"', 'only-b = "b"', 'm1 = "a"', 'only-a = "a"')
)

ABSENCES: Mapping[str, tuple[str, dict[str, str], dict[str, Any], type[NotAvailableError], str]] = {
    "its backend is off": (
        "m-off",
        ORDER,
        {},
        BackendDisabledError,
        "'m-off' is known only to what is disabled: off; enable one in cogt.backends.off.enabled",
    ),
    "its backend is not in the list": (
        "only-b",
        ORDER,
        {"overrides": {"inference_config": {"enabled_backends": ["a"]}}},
        BackendDisabledError,
        "'only-b' is known only to what is disabled: b; enable one in cogt.inference_config.enabled_backends",
    ),
    "one backend is off, and another that is off has it off too": (
        "m-off",
        {**ORDER, "backends.local.toml": "[c]\nenabled = false", "backends/c.toml": "[m-off]\nsdk='s'\nenabled=false"},
        {},
        BackendDisabledError,
        "'m-off' is known only to what is disabled: off, c; enable one in cogt.backends.off.enabled",
    ),
    "its backend is off, and has it off": (
        "m-off",
        {**ORDER, "backends/off.local.toml": "[m-off]\nenabled = false"},
        {},
        BackendDisabledError,
        (
            "'m-off' is known only to what is disabled: off; "
            "enable one in cogt.backends.off.enabled or cogt.models.off.m-off.enabled"
        ),
    ),
    "its backend is none": (
        "m-z",
        {**ORDER, "backends/zz.toml": "[m-z]\nsdk = 's'"},
        {},
        BackendDisabledError,
        "'m-z' is known only to what is disabled: zz; enable one in backends.toml",
    ),
    "it is switched off": (
        "only-a",
        {**ORDER, "backends/a.local.toml": "[only-a]\nenabled = false"},
        {},
        ModelNotRoutedError,
        f"'only-a' {NOT_SERVED}{NO_RULE}: 'a' has the model disabled (cogt.models.a.only-a.enabled)",
    ),
    "all of its file are switched off": (
        "only-a",
        {**ORDER, "backends/a.local.toml": "[defaults]\nenabled = false"},
        {},
        ModelNotRoutedError,
        f"'only-a' {NOT_SERVED}{NO_RULE}: 'a' has the model disabled (cogt.models.a.defaults.enabled)",
    ),
    "nobody who serves it is asked": (
        "dot.ted",
        routed("fallback_order = ['a', 'off']"),
        {},
        ModelNotRoutedError,
        (f"'dot.ted' {NOT_SERVED}{NO_RULE}; 'b' can: {ADD_DOT_TED}, or name it in fallback_order"),
    ),
    "the default does not serve it": (
        "only-b",
        routed("default = 'a'"),
        {},
        ModelNotRoutedError,
        f"'only-b' {NOT_SERVED}{NO_RULE}; 'b' can: {ADD_ONLY_B}, or name it in fallback_order",
    ),
    "a pattern takes it": (
        "only-b",
        routed("routes = { 'only-*' = 'a' }\nfallback_order = ['b', 'a']"),
        {},
        ModelNotRoutedError,
        (f"'only-b' {NOT_SERVED}route 'only-*' takes it: 'a' does not serve the model; 'b' can: {ADD_ONLY_B}"),
    ),
    "a pattern takes it to a backend that has it off": (
        "m1",
        {
            **routed("routes = { 'm1*' = 'b' }\nfallback_order = ['a', 'b']"),
            "backends/b.local.toml": "[m1]\nenabled = false",
            "deck/base.toml": FOR_M1["deck/base.toml"].replace("m1", "only-a"),
        },
        {},
        ModelNotRoutedError,
        (
            f"'m1' {NOT_SERVED}route 'm1*' takes it: 'b' has the model disabled (cogt.models.b.m1.enabled); "
            f"'a' can: {ADD_M1}"
        ),
    ),
    "who asks is disabled and who knows it is off": (
        "only-b",
        {**routed("fallback_order = ['a']"), "backends/b.local.toml": "[only-b]\nenabled = false"},
        {},
        ModelNotRoutedError,
        (f"'only-b' {NOT_SERVED}{NO_RULE}; 'b' knows it and has the model disabled (cogt.models.b.only-b.enabled)"),
    ),
    "its backend is left out": (
        "only-b",
        ORDER,
        {"overrides": SKIP, "environ": {"A_KEY": "x"}},
        MissingCredentialError,
        "backend 'b' is left out: B_KEY is not set",
    ),
    "one that is left out is asked, and would not serve it either": (
        "only-a",
        {**routed("fallback_order = ['b', 'a']"), "backends/a.local.toml": "[only-a]\nenabled = false"},
        {"overrides": SKIP, "environ": {"A_KEY": "x"}},
        ModelNotRoutedError,
        f"'only-a' {NOT_SERVED}{NO_RULE}: 'a' has the model disabled (cogt.models.a.only-a.enabled)",
    ),
    "a pattern takes it to one that is left out and does not know it": (
        "only-a",
        routed("routes = { 'only-*' = 'b' }\nfallback_order = ['a']"),
        {"overrides": SKIP, "environ": {"A_KEY": "x"}},
        ModelNotRoutedError,
        (f"'only-a' {NOT_SERVED}route 'only-*' takes it: 'b' is left out: B_KEY is not set; 'a' can: {ADD_ONLY_A}"),
    ),
}


def absence(manager: ModelManager, name: str) -> NotAvailableError:
    with pytest.raises(NotAvailableError) as caught:
        manager.get_inference_model(name)
    return caught.value


@pytest.mark.parametrize(("name", "files", "arguments", "kind", "text"), ABSENCES.values(), ids=ABSENCES)
def test_a_caller_hears_why_a_model_is_not_served_and_what_would_serve_it(
    load: Load, name: str, files: dict[str, str], arguments: dict[str, Any], kind: type[NotAvailableError], text: str
) -> None:
    manager = load(files, **arguments)
    error = absence(manager, name)
    assert type(error) is kind
    # A missing credential says its place too, and where it was looked for.
    assert (error.reason if isinstance(error, MissingCredentialError) else str(error)) == text
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert manager.explain(name).absence == text


def test_the_line_to_add_leads_to_the_model(load: Load) -> None:
    rules = "fallback_order = ['a', 'off']"
    error = absence(load(routed(rules)), "dot.ted")
    assert isinstance(error, ModelNotRoutedError)
    line = str(error.next_step).partition("add ")[2].partition(" to cogt")[0]
    assert line == 'routes = { "dot.ted" = "b" }'
    assert load(routed(f"{rules}\n{line}")).get_inference_model("dot.ted").backend_name == "b"


@pytest.mark.parametrize("name", ["a b", 'quo"te', "back\\slash", "ümlaut", "a.b", "tab\tbed"])
def test_the_line_to_add_is_toml_whatever_the_names(load: Load, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    files = {
        "backends.local.toml": f'["{quoted}"]',
        "settings.local.toml": f'[default.cogt.models."{quoted}"."{quoted}"]\nsdk = "s"',
    }
    error = absence(load({**routed("fallback_order = ['a']"), **files}), name)
    assert isinstance(error, ModelNotRoutedError)
    line = str(error.next_step).partition("add ")[2].partition(" to cogt")[0]
    manager = load({**routed(f"fallback_order = ['a']\n{line}"), **files})
    assert manager.get_inference_model(name).backend_name == name


def test_a_model_that_a_left_out_backend_would_serve_is_told_with_the_reason_in_warnings(load: Load) -> None:
    files = routed("routes = { 'only-a*' = 'b' }\nfallback_order = ['a']")
    manager = load(files, overrides=SKIP, environ={"A_KEY": "x"})
    (warning,) = (each for each in manager.warnings if each.path == "cogt.models.a.only-a")
    assert warning.message == (
        "not served in routing profile 'x': route 'only-a*' takes it: 'b' is left out: B_KEY is not set; "
        "'a' can: add routes = { only-a = \"a\" } to cogt.routing.profiles.x"
    )


REFUSALS = {
    "served": ("a", "m1", None, None),
    "unknown backend": ("zz", "m1", RouteRefusal.UNKNOWN_BACKEND, "does not exist"),
    "disabled": ("off", "m-off", RouteRefusal.DISABLED, "is disabled (cogt.backends.off.enabled)"),
    "left out": ("b", "m1", RouteRefusal.LEFT_OUT, "is left out: B_KEY is not set"),
    "not served": ("a", "only-b", RouteRefusal.MODEL_NOT_SERVED, "does not serve the model"),
    "switched off": (
        "a",
        "only-a",
        RouteRefusal.MODEL_DISABLED,
        "has the model disabled (cogt.models.a.only-a.enabled)",
    ),
}


@pytest.mark.parametrize(("backend", "model", "refusal", "words"), REFUSALS.values(), ids=REFUSALS)
def test_each_refusal_has_its_own_words(
    load: Load, backend: str, model: str, refusal: RouteRefusal | None, words: str | None
) -> None:
    files = {**ORDER, "backends/a.local.toml": "[only-a]\nenabled = false"}
    backends = load(files, overrides=SKIP, environ={"A_KEY": "x"}).backends
    assert refusal_of(backends, backend, model) is refusal
    assert tell_refusal(backends, backend, model) == words


def test_an_optional_route_to_a_backend_that_is_left_out_does_not_count(load: Load) -> None:
    files = routed("optional_routes = { m1 = 'b' }\nfallback_order = ['a']")
    manager = load(files, overrides=SKIP, environ={"A_KEY": "x"})
    assert manager.get_inference_model("m1").backend_name == "a"
    assert manager.routing.decide("m1").turned_down[0].reason is RouteRefusal.LEFT_OUT
