"""Hidden defaults: a value for all environments that a packaged table of the one in force hides is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelex_cogt import ModelManager


def warnings_of(*lines: str, env: str = "development", name: str = "settings.toml") -> list[str]:
    """The warnings of a load of these settings alone over the packaged ones."""
    folder = Path("settings")
    folder.mkdir()
    (folder / "settings.toml").touch()
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    (folder / name).chmod(0o600)
    keys = {"OPENAI_API_KEY": "4f9d0c", "PIPELEX_COGT__INFERENCE_CONFIG__ENABLED_BACKENDS": "openai"}
    manager = ModelManager.load(env=env, environ=keys)
    return [str(each) for each in manager.warnings if "missing_credentials" in str(each.path)]


DEFAULT = "[default.cogt.inference_config]"


@pytest.mark.parametrize(
    ("env", "means", "line"), [("development", "error", 11), ("staging", "error", 15), ("production", "skip", 19)]
)
def test_a_default_that_a_packaged_environment_hides_is_told_at_its_line(env: str, means: str, line: int) -> None:
    assert warnings_of(DEFAULT, f"missing_credentials = '{means}'", env=env) == [
        (
            "settings/settings.toml:2  cogt.inference_config.missing_credentials: has no effect in environment "
            f"'{env}': packaged settings.toml:{line} states it for that one; "
            f"state it under [{env}.cogt.inference_config]"
        )
    ]


HEARD = {
    "the same": (DEFAULT, "missing_credentials = 'prefer'"),
    "its own environment": ("[development.cogt.inference_config]", "missing_credentials = 'error'"),
    "both": (
        DEFAULT,
        "missing_credentials = 'skip'",
        "[development.cogt.inference_config]",
        "missing_credentials = 'error'",
    ),
    "nothing packaged": (DEFAULT, "use_packaged_settings = true"),
}


@pytest.mark.parametrize("lines", HEARD.values(), ids=HEARD)
def test_what_is_heard_is_not_told(lines: tuple[str, ...]) -> None:
    assert warnings_of(*lines) == []


@pytest.mark.parametrize("name", ["settings.local.toml", ".secrets.toml"])
def test_a_file_above_the_environments_is_heard(name: str) -> None:
    assert warnings_of(DEFAULT, "missing_credentials = 'error'", name=name) == []
