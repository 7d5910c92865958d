"""The main files: environments, and what is not a setting."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from dynaconf import Dynaconf

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
            ["settings.toml:3: default.cgt: unknown key, expected cogt; write [default.cogt.routing]"],
            id="a letter left out",
        ),
        pytest.param(
            "[production.cgot.deck.aliases]\nx = 'm1'\n",
            ["settings.toml:3: production.cgot: unknown key, expected cogt; write [production.cogt.deck]"],
            id="two letters swapped",
        ),
        pytest.param(
            "[default.Cogt.backend.a]\n",
            ["settings.toml:3: default.Cogt: unknown key, expected cogt; write [default.cogt.backend]"],
            id="a capital, and a misspelt section",
        ),
        pytest.param(
            "[default.cogt_]\n",
            ["settings.toml:3: default.cogt_: unknown key, expected cogt; write [default.cogt]"],
            id="an empty table",
        ),
        pytest.param(
            "['eu.west'.cgt.models]\n",
            ['settings.toml:3: "eu.west".cgt: unknown key, expected cogt; write ["eu.west".cogt.models]'],
            id="an environment with a dot",
        ),
        pytest.param(
            "[default.routing]\nactive = 'x'\n[staging.deck.aliases]\n",
            [
                "settings.toml:3: default.routing: unknown key, expected cogt; write [default.cogt.routing]",
                "settings.toml:5: staging.deck: unknown key, expected cogt; write [staging.cogt.deck]",
            ],
            id="sections beside the root",
        ),
        pytest.param(
            "[development]\nmodels = 5\n",
            ["settings.toml:4: development.models: unknown key, expected cogt; write [development.cogt.models]"],
            id="a value as section",
        ),
        pytest.param(
            "[qa]\nllm_deck_dir = 'x'\n",
            ["settings.toml:4: qa.llm_deck_dir: unknown key, expected cogt; write [qa.cogt.inference_config]"],
            id="a choice beside the root",
        ),
        pytest.param(
            "[routing]\nactive = 'x'\n",
            ["settings.toml:3: routing: expected an environment first; write [default.cogt.routing]"],
            id="a section at the top",
        ),
        pytest.param(
            "[cogt.deck.aliases]\n",
            ["settings.toml:3: cogt: expected an environment first; write [default.cogt.deck]"],
            id="the root at the top",
        ),
        pytest.param(
            "[cgot.deck.aliases]\n",
            ["settings.toml:3: cgot: expected an environment first; write [default.cogt.deck]"],
            id="a misspelt root at the top",
        ),
        pytest.param(
            "[staging.llm_presets.q]\nllm_handle = 'm1'\n",
            ["settings.toml:3: staging.llm_presets: unknown key, expected cogt; write [staging.cogt.deck.llm_presets]"],
            id="what a section holds beside the root",
        ),
        pytest.param(
            "[profiles.q]\ndefault = 'a'\n",
            ["settings.toml:3: profiles: expected an environment first; write [default.cogt.routing.profiles]"],
            id="what a section holds at the top",
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


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("[default.server]\nport = 80\n[default.cogt]\n", id="a table"),
        pytest.param("[default]\nDEBUG = true\n[development]\nactive = 'all'\n", id="values"),
        pytest.param("[default.cost]\nper_hour = 3\n", id="a name that is one slip away and holds nothing of ours"),
        pytest.param("[default.aliases]\nx = 'm1'\n[default.profiles.me]\nname = 'x'\n", id="plain names"),
        pytest.param("[default]\ncost = 3\n", id="a value whose name is one slip away"),
        pytest.param("[[default.servers]]\nname = 'x'\n", id="a list of tables"),
        pytest.param("[default]\ndynaconf_merge = true\n", id="a key of Dynaconf"),
    ],
)
def test_the_rest_of_an_environment_is_the_applications_own(load: Load, table: str) -> None:
    manager = load({"settings.toml": table + START_FROM_NOTHING.replace("[default", "[development")})
    assert manager.warnings == ()
    assert set(manager.settings.tree) == set(load().settings.tree)


def test_one_file_serves_the_applications_dynaconf_too(load: Load) -> None:
    own = "dynaconf_merge = true\n[default.server]\nport = 80\n[production.server]\nport = 443\n"
    files = {"settings.toml": own + START_FROM_NOTHING + describe("production", "ours")}
    manager = load(files, env="production")
    assert (described(manager), manager.warnings) == ("ours", ())
    directory = manager.settings.directories.application
    theirs = Dynaconf(root_path=directory, settings_files=["settings.toml"], environments=True, env="production")
    assert theirs.server.port == 443
    assert theirs.cogt.deck.llm_presets.p.description == "ours"


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
