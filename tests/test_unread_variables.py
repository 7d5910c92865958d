"""Variables that nearly are ours: each is a warning with the right spelling, and never with its value."""

import time
from typing import Any

import pytest

from pipelex_cogt import ModelManager, SettingsError
from tests.conftest import MINIMAL, Load

CANARY = "canary-4711"
ACTIVE = "PIPELEX_COGT__ROUTING__ACTIVE"
OTHERWISE = "what overrides a setting begins with PIPELEX_COGT__"


def told(manager: ModelManager) -> list[str]:
    found = [str(warning) for warning in manager.warnings if "is not read" in warning.problem]
    assert CANARY not in "".join(found)
    return found


MEANT = {
    "PIPELEX_COGT_ROUTING_ACTIVE": ACTIVE,
    "PIPELEX_COGT_ROUTING__ACTIVE": ACTIVE,
    "PIPELEX_ROUTING__ACTIVE": ACTIVE,
    "PIPELEX_ROUTING_ACTIVE": ACTIVE,
    "PIPELEX__COGT__ROUTING__ACTIVE": ACTIVE,
    "pipelex_cogt__routing__active": ACTIVE,
    "Pipelex_Cogt__Routing__Active": ACTIVE,
    "COGT__ROUTING__ACTIVE": ACTIVE,
    "cogt__routing__active": ACTIVE,
    "PIPELEXCOGT__ROUTING__ACTIVE": ACTIVE,
    "PIPLEX_COGT__ROUTING__ACTIVE": ACTIVE,
    "PIPELEX_CGOT__ROUTING__ACTIVE": ACTIVE,
    "PIPELEX_COGT_ROUTNG_ACTIVE": ACTIVE,
    "PIPELEX_COGT_MODELS_B_DOT_TED_MAX_TOKENS": "PIPELEX_COGT__MODELS__B__DOT_TED__MAX_TOKENS",
    "PIPELEX_DECK_ALIASES_BEST": "PIPELEX_COGT__DECK__ALIASES__BEST",
    "PIPELEX_COGT_BACKENDS_A_API_KEY": "PIPELEX_COGT__BACKENDS__A__API_KEY",
    "PIPELEX_INFERENCE_CONFIG__ENABLED_BACKENDS": "PIPELEX_COGT__INFERENCE_CONFIG__ENABLED_BACKENDS",
    "pipelex_env": "PIPELEX_ENV",
    "PIPLEX_ENV": "PIPELEX_ENV",
    "PIPELEX_ENVIRONMENT": "PIPELEX_ENV",
    "PIPELEX_COGT_ENV": "PIPELEX_ENV",
    "PIPELEX_SETTING_DIR": "PIPELEX_SETTINGS_DIR",
    "PIPELEX_SETTINGS": "PIPELEX_SETTINGS_DIR",
    "PIPELEX_SECRET_DIR": "PIPELEX_SECRETS_DIR",
}


@pytest.mark.parametrize(("name", "meant"), MEANT.items())
@pytest.mark.parametrize("source", ["environ", "dotenv"])
def test_a_variable_that_nearly_is_ours_is_told_with_the_right_spelling(
    load: Load, source: str, name: str, meant: str
) -> None:
    variables = {"environ": {name: CANARY}} if source == "environ" else {"files": {"../.env": f"{name}={CANARY}\n"}}
    assert told(load(**variables)) == [f"{name}: is not read; did you mean {meant}?"]


@pytest.mark.parametrize(
    "name", ["PIPELEX_COGT", "PIPELEX_COGT_X", "PIPELEX_X", "PIPELEX_", "PIPELEXCOGT__X", "COGT__X"]
)
def test_what_begins_like_ours_and_is_nothing_is_told_too(load: Load, name: str) -> None:
    assert told(load(environ={name: CANARY})) == [f"{name}: is not read; {OTHERWISE}"]


def test_what_is_reserved_is_not_taken_for_something_else(load: Load) -> None:
    name = "PIPELEX_SETTINGS_REDIS_URL"
    assert told(load(environ={name: CANARY})) == [f"{name}: is not read; no version reads it yet"]


OTHERS = [
    "PATH",
    "COGT",
    "COGT_X",
    "PIPELINE_ENV",
    "PIPELEX",
    "PIPLEX_X",
    "MY_PIPELEX_ENV",
    "ENV",
    "SETTINGS_DIR",
    "_",
    "",
]
OURS = ["PIPELEX_ENV", "PIPELEX_SETTINGS_DIR", "PIPELEX_SECRETS_DIR", ACTIVE, "PIPELEX_COGT__routing__active"]


@pytest.mark.parametrize("name", OTHERS)
def test_variables_of_other_programs_are_not_told(load: Load, name: str) -> None:
    assert told(load(environ={name: CANARY})) == []


def test_our_own_variables_are_not_told(load: Load, tmp_path: Any) -> None:
    values = ["staging", str(tmp_path), str(tmp_path), "all", "all"]
    assert told(load(environ=dict(zip(OURS, values, strict=True)))) == []


def test_an_empty_one_counts_as_unset(load: Load) -> None:
    assert told(load({"../.env": "PIPELEX_X=\n"}, environ={"PIPELEX_ROUTING__ACTIVE": " "})) == []


def test_one_that_stands_twice_is_told_once(load: Load) -> None:
    assert len(told(load({"../.env": "PIPELEX_X=1\n"}, environ={"PIPELEX_X": "2"}))) == 1


def test_what_a_reference_names_is_read(load: Load) -> None:
    backends = MINIMAL["backends.toml"].replace("[b]", 'region = "${PIPELEX_A}-${env:PIPELEX_B|secret:PIPELEX_C}"\n[b]')
    models = MINIMAL["backends/a.toml"].replace("[only-a]", '[only-a]\nmodel_id = "${PIPELEX_D}"')
    names = ["PIPELEX_A", "PIPELEX_B_FILE", "PIPELEX_C", "PIPELEX_D", "PIPELEX_E"]
    manager = load({"backends.toml": backends, "backends/a.toml": models}, environ=dict.fromkeys(names, CANARY))
    assert told(manager) == [f"PIPELEX_E: is not read; {OTHERWISE}"]


def test_a_file_of_the_secrets_directory_is_told_only_where_it_is_spelt_so(load: Load, tmp_path: Any) -> None:
    for name in ["PIPELEX_ROUTING__ACTIVE", "pipelex_token", "PIPELEX_X"]:
        (tmp_path / "no-secrets" / name).write_text(CANARY, encoding="utf-8")
    assert told(load()) == [f"PIPELEX_ROUTING__ACTIVE: is not read; did you mean {ACTIVE}?"]


def test_a_failing_load_tells_them_beside_its_faults(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={"PIPELEX_X": CANARY, ACTIVE: "nobody"})
    assert [str(warning) for warning in caught.value.warnings] == [f"PIPELEX_X: is not read; {OTHERWISE}"]


@pytest.mark.slow
def test_the_work_grows_with_the_number_of_variables_alone(load: Load) -> None:
    def duration(count: int) -> float:
        environ = {f"PIPELEX_COGT_{number}_X": CANARY for number in range(count)}
        start = time.perf_counter()
        assert len(told(load(environ=environ))) == count
        return time.perf_counter() - start

    duration(1)
    assert duration(1600) < 12 * duration(400)
