"""Building the backends: which are in use, which models each serves, and what a missing credential means."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelex_cogt import BackendDisabledError
from tests.conftest import Load

Problems = Callable[..., list[str]]

ALL_ON = {"inference_config": {"enabled_backends": ["a", "b", "off"]}}


def enabled(*names: str) -> dict[str, Any]:
    return {"inference_config": {"enabled_backends": list(names)}}


def missing_credentials(means: str) -> dict[str, Any]:
    return {"inference_config": {"missing_credentials": means}}


def test_backends_are_enabled_unless_they_say_otherwise(load: Load) -> None:
    files = {"backends.toml": "[a]\nenabled = true\n[b]\n[off]\nenabled = false"}
    assert list(load(files).backends.enabled) == ["a", "b"]


@pytest.mark.parametrize(
    ("named", "in_use"),
    [(("a", "b"), ["a", "b"]), (("b", "a"), ["a", "b"]), (("a", "b", "off"), ["a", "b", "off"]), (("a",), ["a"])],
)
def test_enabled_backends_decides(load: Load, named: tuple[str, ...], in_use: list[str]) -> None:
    library = load(overrides=enabled(*named)).backends
    assert list(library.enabled) == in_use
    assert [name for name, backend in library.items() if backend.enabled] == in_use


def test_enabled_backends_wins_over_a_backend_that_is_off(load: Load) -> None:
    manager = load(overrides=ALL_ON)
    assert manager.get_inference_model("m-off").backend_name == "off"


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
    assert "backends.toml:1  cogt.backends.endpoint: expected a table, got a string" in problems(
        {"backends.toml": 'endpoint = "x"\n[a]\n[b]\n[off]\nenabled = false'}
    )


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
