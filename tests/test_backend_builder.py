"""Building the backends: which are in use, which models each serves, and what a missing credential means."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import BackendDisabledError, InferenceBackendLibrary, ModelManager
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.inference_config import InferenceConfig, default_paths
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.model_backends.backend_builder import build_backend_library
from tests.conftest import Load

Problems = Callable[..., list[str]]

CHOOSING = """
    [default.cogt.inference_config]
    use_packaged_settings = false
    enabled_backends = ["a", "b"]
"""
OFF_IN_PRODUCTION = "[production.cogt.backends.b]\nenabled = false"
DARK = {
    "deck/base.toml": """
        [llm_presets]
        p = { llm_handle = "m1" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """
}
"""A deck that needs no more than `m1`, which both backends serve."""
LIST = "cogt.inference_config.enabled_backends"
VARIABLE = "PIPELEX_COGT__INFERENCE_CONFIG__ENABLED_BACKENDS"
SWITCHES_OFF = "switches off a backend that enabled_backends names"
OR_STATE_MODEL_ID = "write [defaults], or state model_id if a model is called 'default'"
TAKE_OUT = "take it out of the list at"
ALL_ON = {"inference_config": {"enabled_backends": ["a", "b", "off"]}, "backends": {"off": {"enabled": True}}}


def told_of(manager: ModelManager, words: str) -> set[str]:
    """The warnings in which these words stand, with paths relative to `settings/`."""
    return {re.sub(r"[^ ]*/app/settings/", "", str(warning)) for warning in manager.warnings if words in str(warning)}


def build(backends: dict[str, Any], models: dict[str, Any], chosen: list[str] | None) -> InferenceBackendLibrary:
    config = InferenceConfig.model_validate({**default_paths(Path("settings")), "enabled_backends": chosen})
    credentials = Credentials(Environ({}), [])
    return build_backend_library({"backends": backends, "models": models}, config, credentials, ProblemReport())


def enabled(*names: str) -> dict[str, Any]:
    return {"inference_config": {"enabled_backends": list(names)}}


def missing_credentials(means: str) -> dict[str, Any]:
    return {"inference_config": {"missing_credentials": means}}


def test_backends_are_enabled_unless_they_say_otherwise(load: Load) -> None:
    files = {"backends.toml": "[a]\nenabled = true\n[b]\n[off]\nenabled = false"}
    assert list(load(files).backends.enabled) == ["a", "b"]


@pytest.mark.parametrize(
    ("named", "in_use"),
    [(("a", "b"), ["a", "b"]), (("b", "a"), ["a", "b"]), (("a", "b", "off"), ["a", "b"]), (("a",), ["a"])],
)
def test_enabled_backends_narrows(load: Load, named: tuple[str, ...], in_use: list[str]) -> None:
    library = load(DARK, overrides=enabled(*named)).backends
    assert list(library.enabled) == in_use
    assert [name for name, backend in library.items() if backend.enabled] == in_use


NAMED_BUT_OFF = {
    "the application's own file": ({"backends.local.toml": "[b]\nenabled = false"}, {}, "backends.local.toml:2"),
    "an environment's table": (
        {"settings.toml": CHOOSING + OFF_IN_PRODUCTION},
        {"env": "production"},
        "settings.toml:5",
    ),
    "the secrets file": ({".secrets.toml": "[default.cogt.backends.b]\nenabled = false"}, {}, ".secrets.toml:2"),
    "a variable": ({}, {"environ": {"PIPELEX_COGT__BACKENDS__B__ENABLED": "no"}}, "PIPELEX_COGT__BACKENDS__B__ENABLED"),
    "code": ({}, {"overrides": {"backends": {"b": {"enabled": False}}}}, "overrides"),
}


@pytest.mark.parametrize(("files", "arguments", "flag"), NAMED_BUT_OFF.values(), ids=NAMED_BUT_OFF)
def test_a_backend_that_is_switched_off_is_off_though_a_list_names_it(
    load: Load, files: dict[str, str], arguments: dict[str, Any], flag: str
) -> None:
    manager = load({"settings.toml": CHOOSING, **DARK, **files}, **arguments)
    assert list(manager.backends.enabled) == ["a"]
    assert manager.backends["b"].switched_off_by == (("backends", "b", "enabled"),)
    assert told_of(manager, "enabled") == {
        f"settings.toml:3  {LIST}.1: names backend 'b', which is switched off; enabled = false at {flag} wins",
        f"{flag}  cogt.backends.b.enabled: {SWITCHES_OFF}; {TAKE_OUT} settings.toml:3, or take this line away",
    }


def test_the_list_may_be_above_the_flag_and_loses_all_the_same(load: Load) -> None:
    manager = load(DARK, environ={VARIABLE: '["a", "off"]'})
    assert list(manager.backends.enabled) == ["a"]
    assert told_of(manager, "enabled") == {
        f"{VARIABLE}  {LIST}.1: names backend 'off', which is switched off; enabled = false at backends.toml:7 wins",
        f"backends.toml:7  cogt.backends.off.enabled: {SWITCHES_OFF}; {TAKE_OUT} {VARIABLE}, or take this line away",
    }


def test_a_backend_that_is_switched_on_outside_the_list_is_told(load: Load) -> None:
    manager = load({"settings.toml": CHOOSING, **DARK, "backends.local.toml": "[off]\nenabled = true"})
    assert list(manager.backends.enabled) == ["a", "b"]
    assert manager.backends["off"].switched_off_by == (("inference_config", "enabled_backends"),)
    (told,) = told_of(manager, "backends.off")
    assert told == (
        "backends.local.toml:2  cogt.backends.off.enabled: has no effect: enabled_backends does not name 'off'; "
        "name it in the list at settings.toml:3, or take this line away"
    )


def test_a_backend_that_says_nothing_of_its_own_is_not_told(load: Load) -> None:
    files = {
        "settings.toml": CHOOSING,
        **DARK,
        "backends.toml": "[a]\nenabled = true\n[b]\n[c]\n[off]\nenabled = false",
    }
    assert told_of(load(files), "enabled") == set()


def test_a_backend_says_all_that_keeps_it_out_of_use(load: Load) -> None:
    backend = load(DARK, overrides=enabled("a")).backends["off"]
    assert backend.switched_off_by == (("backends", "off", "enabled"), ("inference_config", "enabled_backends"))
    assert backend.why_unused == "is disabled (cogt.backends.off.enabled and cogt.inference_config.enabled_backends)"
    assert load().backends["a"].why_unused is None


def test_a_backend_that_is_left_out_names_what_it_lacks(load: Load) -> None:
    files = {**DARK, "backends.local.toml": "[a]\nregion = '${REGION}'"}
    manager = load(files, overrides=missing_credentials("skip"), environ={"B_KEY": "x"})
    assert manager.backends["a"].why_unused == "is left out: A_KEY and REGION are not set"
    manager = load(files, overrides=missing_credentials("skip"), environ={"A_KEY": "x", "REGION": "eu"})
    assert manager.backends["b"].why_unused == "is left out: B_KEY is not set"


@settings(max_examples=30)
@given(
    names=st.lists(st.text(min_size=1, max_size=8).filter(lambda name: "{" not in name), unique=True, max_size=6),
    data=st.data(),
)
def test_a_backend_is_in_use_where_the_list_names_it_and_its_flag_is_not_off(
    names: list[str], data: st.DataObject
) -> None:
    flags = {name: data.draw(st.sampled_from([None, True, False])) for name in names}
    chosen = data.draw(st.none() | st.lists(st.sampled_from(names), max_size=6)) if names else None
    tables = {name: {} if flag is None else {"enabled": flag} for name, flag in flags.items()}
    library = build(tables, {name: {"m": {"sdk": "s"}} for name in names}, chosen)
    expected = [name for name in names if flags[name] is not False and (chosen is None or name in chosen)]
    assert list(library.enabled) == expected
    assert [name for name, backend in library.items() if not backend.switched_off_by] == expected


def test_enabled_backends_may_be_stated_for_one_environment(load: Load) -> None:
    files = {
        "settings.toml": """
            [default.cogt.inference_config]
            use_packaged_settings = false
            [production.cogt.inference_config]
            enabled_backends = ["a"]
        """
    }
    assert list(load(files).backends.enabled) == ["a", "b"]
    assert list(load(files, env="production").backends.enabled) == ["a"]


def test_enabled_backends_may_be_a_variable(load: Load) -> None:
    environ = {"PIPELEX_COGT__INFERENCE_CONFIG__ENABLED_BACKENDS": '["a"]'}
    assert list(load(environ=environ).backends.enabled) == ["a"]


def test_an_unknown_enabled_backend_is_an_error(problems: Problems) -> None:
    files = {
        "settings.toml": """
            [default.cogt.inference_config]
            use_packaged_settings = false
            enabled_backends = ["a", "of", "zz"]
        """
    }
    path = "settings.toml:3  cogt.inference_config.enabled_backends"
    assert problems(files) == [
        f"{path}.1: no backend is called 'of'; did you mean 'off'?",
        f"{path}.2: no backend is called 'zz'; expected one of a, b, off",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a", "cogt.inference_config.enabled_backends: expected a list, got a string"),
        ([3], "cogt.inference_config.enabled_backends.0: expected a string, got an integer"),
    ],
)
def test_enabled_backends_is_a_list_of_names(problems: Problems, value: Any, message: str) -> None:
    found = problems(overrides={"inference_config": {"enabled_backends": value}})
    assert found == [f"overrides  {message}"]


def test_an_enabled_backend_without_its_file_is_an_error(problems: Problems) -> None:
    files = {"backends.toml": "[a]\n[b]\n[off]\nenabled = false\n[c]"}
    assert problems(files) == [
        "backends.toml:5  cogt.backends.c: no file states its models; expected them in backends/c.toml"
    ]


def test_a_disabled_backend_needs_no_file(load: Load) -> None:
    manager = load({"backends.toml": "[a]\n[b]\n[off]\nenabled = false\n[c]\nenabled = false"})
    assert "c" not in manager.backends.enabled
    assert manager.warnings == ()


@pytest.mark.parametrize("name", ["offf", "OFF", "fof"])
def test_a_disabled_backend_that_may_be_another_misspelt_is_told(load: Load, name: str) -> None:
    (warning,) = load({"backends.local.toml": f"[{name}]\nenabled = false\n"}).warnings
    assert (warning.path, warning.line) == (f"cogt.backends.{name}", 1)
    assert (warning.problem, warning.suggestion) == ("no file states its models", "did you mean 'off'?")


def test_models_in_a_backends_table_are_told_where_they_belong(problems: Problems) -> None:
    assert problems({"backends.local.toml": "[a.models.m9]\nsdk = 's'\n"}) == [
        "backends.local.toml:1  cogt.backends.a.models: unknown key; write them in backends/a.toml, one table per model"
    ]


def test_an_enabled_backend_with_an_empty_file_serves_nothing(load: Load) -> None:
    manager = load({"backends.toml": "[a]\n[b]\n[off]\n[c]", "backends/c.toml": ""})
    assert dict(manager.backends["c"].model_specs) == {}


def test_a_file_without_its_backend_is_a_warning(load: Load) -> None:
    manager = load({"backends/offf.toml": '[m9]\nsdk = "s"'})
    (warning,) = manager.warnings
    assert warning.path == "cogt.models.offf"
    assert warning.problem == "models of a backend 'offf' that does not exist"
    assert warning.suggestion == "did you mean 'off'?"
    with pytest.raises(BackendDisabledError) as caught:
        manager.get_inference_model("m9")
    assert caught.value.backends == ("offf",)


def test_a_fault_in_the_file_of_a_disabled_backend_is_a_warning(load: Load) -> None:
    manager = load({"backends/off.toml": "[m-off]\nsdk = 3\n[m-off-2]\nsdk = 's'\nmax_tokens = 0"})
    assert [(warning.path, warning.problem) for warning in manager.warnings] == [
        ("cogt.models.off.m-off.sdk", "expected a string, got an integer"),
        ("cogt.models.off.m-off-2.max_tokens", "expected a number of at least 1, got 0"),
    ]


def test_a_model_with_a_fault_in_a_disabled_file_is_still_known(load: Load) -> None:
    manager = load({"backends/off.toml": "[m-off]\nsdk = 3"})
    with pytest.raises(BackendDisabledError):
        manager.get_inference_model("m-off")


def test_the_same_fault_in_an_enabled_file_is_an_error(problems: Problems) -> None:
    found = problems({"backends/off.toml": "[m-off]\nsdk = 3"}, overrides=ALL_ON)
    assert found == ["backends/off.toml:2  cogt.models.off.m-off.sdk: expected a string, got an integer"]


def test_a_backend_is_a_table(problems: Problems) -> None:
    found, *_ = problems({"backends.toml": 'endpoint = "x"\n[a]\n[b]\n[off]\nenabled = false'})
    hint = "write it below the [header] of a table"
    assert found == f"backends.toml:1  cogt.backends.endpoint: expected a table, got a string; {hint}"


def test_defer_is_the_default_and_loads_everything(load: Load) -> None:
    manager = load()
    assert list(manager.backends.enabled) == ["a", "b"]
    assert manager.warnings == ()


def test_skip_leaves_out_what_lacks_a_credential(load: Load) -> None:
    manager = load(overrides=missing_credentials("skip"), environ={"B_KEY": "x"})
    assert list(manager.backends.enabled) == ["b"]
    assert manager.get_inference_model("m1").backend_name == "b"
    (warning,) = manager.warnings
    assert (warning.path, warning.line) == ("cogt.backends.a.api_key", 3)
    assert warning.problem == "backend 'a' is left out: A_KEY is not set"


def test_skip_looks_at_every_reference(load: Load) -> None:
    files = {"backends.toml": '[a]\nregion = "${REGION}"\n[b]\n[off]\nenabled = false'}
    overrides = missing_credentials("skip")
    assert list(load(files, overrides=overrides).backends.enabled) == ["b"]
    assert list(load(files, overrides=overrides, environ={"REGION": "eu"}).backends.enabled) == ["a", "b"]


def test_skip_looks_at_the_model_ids(load: Load) -> None:
    files = {"backends/a.toml": '[m1]\nsdk = "s"\nmodel_id = "${DEPLOYMENT}"'}
    keys = {"A_KEY": "x", "B_KEY": "x"}
    overrides = missing_credentials("skip")
    assert list(load(files, overrides=overrides, environ=keys).backends.enabled) == ["b"]
    assert list(load(files, overrides=overrides, environ={**keys, "DEPLOYMENT": "d"}).backends.enabled) == ["a", "b"]


def test_a_default_is_an_answer(load: Load) -> None:
    files = {"backends.toml": '[a]\nregion = "${REGION:-eu}"\n[b]\n[off]\nenabled = false'}
    for means in ("skip", "error"):
        assert list(load(files, overrides=missing_credentials(means)).backends.enabled) == ["a", "b"]


def test_error_lists_every_missing_variable_of_every_enabled_backend(problems: Problems) -> None:
    files = {
        "backends.toml": """
            [a]
            endpoint = "https://${HOST}"
            api_key = "${env:A_KEY|secret:a}"
            [b]
            api_key = "${B_KEY}"
            [off]
            enabled = false
            api_key = "${OFF_KEY}"
        """
    }
    first, *others = problems(files, overrides=missing_credentials("error"))
    assert first.startswith(
        "backends.toml:2  cogt.backends.a.endpoint: backend 'a' needs HOST, which is not set; looked "
    )
    assert others == [
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' needs env:A_KEY or secret:a, which is not set",
        "backends.toml:5  cogt.backends.b.api_key: backend 'b' needs B_KEY, which is not set",
    ]


def test_a_variable_missing_in_two_places_is_told_once(problems: Problems) -> None:
    files = {"backends.toml": '[a]\nendpoint = "${X}"\nregion = "${X}"\n[b]\n[off]\nenabled = false'}
    (found,) = problems(files, overrides=missing_credentials("error"))
    assert found.startswith("backends.toml:2  cogt.backends.a.endpoint: backend 'a' needs X, which is not set; looked ")


def test_a_variable_that_two_backends_miss_is_told_once(problems: Problems) -> None:
    files = {"backends.toml": '[a]\napi_key = "${X}"\n[b]\napi_key = "${X}"\n[off]\nenabled = false'}
    (found,) = problems(files, overrides=missing_credentials("error"))
    assert found.startswith("backends.toml:2  cogt.backends.a.api_key: backends 'a' and 'b' need X, which is not set; ")


def test_error_loads_where_every_credential_is_set(load: Load) -> None:
    manager = load(overrides=missing_credentials("error"), environ={"A_KEY": "x", "B_KEY": "y"})
    assert list(manager.backends.enabled) == ["a", "b"]


def test_an_empty_variable_is_a_missing_one(problems: Problems) -> None:
    (found,) = problems(overrides=missing_credentials("error"), environ={"A_KEY": "", "B_KEY": "y"})
    assert found.startswith(
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set; looked "
    )


def test_missing_credentials_knows_four_words(problems: Problems) -> None:
    found = problems(overrides=missing_credentials("ignore"))
    path = "cogt.inference_config.missing_credentials"
    assert found == [f"overrides  {path}: expected one of 'prefer', 'defer', 'skip' or 'error', got 'ignore'"]


def test_who_starts_from_nothing_inherits_no_choice_of_the_packaged_settings(load: Load) -> None:
    assert list(load(env="production").backends.enabled) == ["a", "b"]


NO_DEFAULTS = {
    "one letter short": (
        {"backends/a.toml": "[default]\nsdk = 's'\n[m1]\n[only-a]"},
        (
            "backends/a.toml:1  cogt.models.a.default: taken for a model; "
            "write [defaults], or state model_id if a model is called 'default'"
        ),
    ),
    "other capitals": (
        {"backends/a.toml": "[m1]\n[only-a]\n[Defaults]\nsdk = 's'"},
        (
            "backends/a.toml:3  cogt.models.a.Defaults: taken for a model; "
            "write [defaults], or state model_id if a model is called 'Defaults'"
        ),
    ),
    "two letters swapped, over sound defaults": (
        {"settings.local.toml": "[default.cogt.models.a.defualts]\nmax_tokens = 5"},
        (
            "settings.local.toml:1  cogt.models.a.defualts: taken for a model; "
            "write [defaults], or state model_id if a model is called 'defualts'"
        ),
    ),
    "a model in it": (
        {"backends/a.toml": "[defaults]\nsdk = 's'\n[defaults.'m.1']\nmax_tokens = 5\n[m1]\n[only-a]"},
        'backends/a.toml:3  cogt.models.a.defaults."m.1": unknown key; write ["m.1"] for a model of that name',
    ),
    "a misspelt table in it": (
        {"backends/a.toml": "[defaults]\nsdk = 's'\n[defaults.cost]\ninput = 5\n[m1]\n[only-a]"},
        "backends/a.toml:3  cogt.models.a.defaults.cost: unknown key; did you mean 'costs'?",
    ),
}


@pytest.mark.parametrize(("files", "told"), NO_DEFAULTS.values(), ids=NO_DEFAULTS)
def test_a_slip_around_defaults_is_told_once_and_no_model_for_it(
    problems: Problems, files: dict[str, str], told: str
) -> None:
    assert problems(files) == [told]


def test_a_slip_in_the_file_of_a_disabled_backend_is_a_warning(load: Load) -> None:
    manager = load({"backends/off.local.toml": "[default]\nsdk = 's'"})
    assert told_of(manager, "default") == {
        f"backends/off.local.toml:1  cogt.models.off.default: taken for a model; {OR_STATE_MODEL_ID}"
    }


@pytest.mark.parametrize("name", ["default", "Defaults", "default_s"])
def test_a_model_of_such_a_name_states_its_model_id(load: Load, name: str) -> None:
    manager = load({"backends/a.local.toml": f"[{name}]\nmodel_id = 'provider/{name}'"})
    assert manager.get_inference_model(name).model_id == f"provider/{name}"
    assert manager.warnings == ()


SWALLOWED = {
    "a model_id for all": (
        {"backends/a.toml": "[defaults]\nsdk = 's'\nmodel_id = 'x'\n[m1]\n[only-a]"},
        (
            "backends/a.toml:3  cogt.models.a.defaults.model_id: [defaults] is no model: every model takes this; "
            "each model needs its own"
        ),
    ),
    "no model beside it": (
        {"backends/a.toml": "[defaults]\nsdk = 's'\nmodel_id = 'x'"},
        (
            "backends/a.toml:1  cogt.models.a.defaults: [defaults] is no model, and none takes it; "
            "a model needs a name of its own"
        ),
    ),
    "no model beside it, in the tree of the main file": (
        {"backends.local.toml": "[c]", "settings.local.toml": "[default.cogt.models.c.defaults]\nsdk = 's'"},
        (
            "settings.local.toml:1  cogt.models.c.defaults: [defaults] is no model, and none takes it; "
            "a model needs a name of its own"
        ),
    ),
}


@pytest.mark.parametrize(("files", "told"), SWALLOWED.values(), ids=SWALLOWED)
def test_defaults_that_swallow_a_model_are_told(load: Load, files: dict[str, str], told: str) -> None:
    deck = {"deck/base.toml": DARK["deck/base.toml"].replace("m1", "dot.ted")}
    assert told_of(load({**deck, **files}), "cogt.models") == {told}


def test_a_fault_in_the_defaults_of_every_file_is_no_fault_of_what_they_serve(problems: Problems) -> None:
    files = {f"backends/{name}.local.toml": "[defaults]\nskd = 's'" for name in ("a", "b")}
    assert problems(files) == [
        f"backends/{name}.local.toml:2  cogt.models.{name}.defaults.skd: unknown key; did you mean 'sdk'?"
        for name in ("a", "b")
    ]
