"""The main files: environments, and what is not a setting."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from pipelex_cogt import ModelManager
from pipelex_cogt.config.layers import LayerKind
from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]
START_FROM_NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"


def described(manager: ModelManager) -> str | None:
    return manager.deck.llm_presets["p"].description


def describe(environment: str, text: str) -> str:
    return f"[{environment}.cogt.deck.llm_presets.p]\ndescription = '{text}'\n"


def main_file(*tables: str) -> dict[str, str]:
    return {"settings.toml": START_FROM_NOTHING + "".join(tables)}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param({}, "development", id="nothing said"),
        pytest.param({"environ": {"PIPELEX_ENV": "staging"}}, "staging", id="variable"),
        pytest.param({"environ": {"PIPELEX_ENV": ""}}, "development", id="empty variable"),
        pytest.param({"env": "production"}, "production", id="argument"),
        pytest.param({"env": "production", "environ": {"PIPELEX_ENV": "staging"}}, "production", id="argument first"),
        pytest.param({"env": "qa"}, "qa", id="declared by a file"),
    ],
)
def test_the_environment_is_chosen(load: Load, arguments: dict[str, str], environment: str) -> None:
    tables = [describe(name, f"of {name}") for name in ("development", "staging", "production", "qa")]
    manager = load(main_file(*tables), **arguments)
    assert manager.environment == environment
    assert described(manager) == f"of {environment}"


def test_dotenv_may_choose_the_environment(load: Load) -> None:
    assert load({"../.env": "PIPELEX_ENV=production\n"}).environment == "production"


def test_the_process_chooses_over_dotenv(load: Load) -> None:
    manager = load({"../.env": "PIPELEX_ENV=production\n"}, environ={"PIPELEX_ENV": "staging"})
    assert manager.environment == "staging"


@pytest.mark.parametrize("name", ["settings.local.toml", ".secrets.toml"])
def test_every_main_file_may_declare_an_environment(load: Load, name: str) -> None:
    manager = load({name: describe("qa", "here")}, env="qa")
    assert described(manager) == "here"
    assert "qa" in manager.settings.environments


def test_an_environment_needs_no_table(load: Load) -> None:
    assert load(main_file(describe("default", "always")), env="staging").environment == "staging"


def test_tables_of_other_environments_are_not_in_force(load: Load) -> None:
    files = main_file(describe("default", "always"), describe("production", "there"))
    assert described(load(files)) == "always"


def test_an_environments_name_is_exact(load: Load, problems: Problems) -> None:
    files = main_file(describe("Production", "capital"), describe("production", "small"))
    assert described(load(files, env="Production")) == "capital"
    assert described(load(files, env="production")) == "small"
    assert problems(env="PRODUCTION") == [
        "the argument env: no file declares the environment 'PRODUCTION'; did you mean 'production'?"
    ]


def test_an_environments_name_may_hold_a_dot(load: Load) -> None:
    assert described(load(main_file(describe('"eu.west"', "there")), env="eu.west")) == "there"


def test_default_can_be_asked_for(load: Load) -> None:
    assert described(load(main_file(describe("default", "always")), env="default")) == "always"


def test_the_environments_that_exist_are_known(load: Load) -> None:
    manager = load(main_file(describe("qa", "x"), describe("production", "x")))
    assert set(manager.settings.environments) == {"development", "staging", "production", "qa"}


def test_a_broken_table_of_an_environment_not_in_force_stops_nothing(load: Load) -> None:
    files = main_file("[production.cogt.routing]\nactive = 'gone'\n")
    assert load(files).environment == "development"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        pytest.param(
            "[default.cgt.routing]\n",
            ["settings.toml:3: default.cgt: unknown key, expected cogt; did you mean 'cogt'?"],
            id="another root",
        ),
        pytest.param(
            "[development]\nactive = 'all'\n",
            ["settings.toml:4: development.active: unknown key, expected cogt"],
            id="no root",
        ),
        pytest.param(
            "[production]\ncogt = 5\n",
            ["settings.toml:4: production.cogt: expected a table, got an integer"],
            id="a value as root",
        ),
        pytest.param(
            "[[production]]\n",
            ["settings.toml:3: production: expected an environment's table such as [default.cogt], got a list"],
            id="a list of environments",
        ),
    ],
)
def test_what_is_no_setting_is_an_error(problems: Problems, table: str, found: list[str]) -> None:
    assert problems(main_file(table)) == found


def test_every_main_file_is_checked(problems: Problems) -> None:
    files = {".secrets.toml": "[default.cgt]\n", "settings.local.toml": "x = 1\n", "settings.toml": "y = 1\n"}
    assert [text.partition(":")[0] for text in problems(files)] == [
        ".secrets.toml",
        "settings.local.toml",
        "settings.toml",
    ]


def test_each_table_is_a_layer_with_its_origin(load: Load) -> None:
    files = {
        **main_file(describe("production", "1")),
        "settings.local.toml": describe("default", "2") + describe("production", "3"),
        ".secrets.toml": describe("production", "4"),
    }
    layers = load(files, env="production").settings.layers
    origins = [layer.origin for layer in layers if layer.origin.environment]
    assert [(origin.kind, origin.name.rpartition("/")[2], origin.environment) for origin in origins] == [
        (LayerKind.APPLICATION, "settings.toml", "default"),
        (LayerKind.ENVIRONMENT, "settings.toml", "production"),
        (LayerKind.LOCAL, "settings.local.toml", "default"),
        (LayerKind.LOCAL, "settings.local.toml", "production"),
        (LayerKind.SECRETS_FILE, ".secrets.toml", "production"),
    ]
