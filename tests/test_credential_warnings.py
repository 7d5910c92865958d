"""Warnings about credentials: values that can never work, literals of other tools, keys in files for everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import ModelManager, UnusableCredentialError
from tests.conftest import Load

CANARY = "4f9d0cCANARY"
KEYS = {"A_KEY": "4f9d0c", "B_KEY": "4f9d0c"}


def told(manager: ModelManager, tmp_path: Path) -> list[str]:
    return [str(warning).replace(f"{tmp_path}/app/settings/", "") for warning in manager.warnings]


def api_key(text: str) -> dict[str, str]:
    return {"backends.toml": f"[a]\napi_key = {text}\n[b]\napi_key = '${{B_KEY}}'\n[off]\nenabled = false"}


VALUES = {
    "carriage return": (f"{CANARY}\rx", "A_KEY holds a carriage return at position 13; set it again without it"),
    "smart quotes": (
        f"“{CANARY}”",
        "A_KEY holds U+201C at position 1, which no header takes; set it again without it",
    ),
    "quotes": (f'"{CANARY}"', "A_KEY has quotes around it that are part of its value; take them off"),
    "placeholder": ("your-api-key", "A_KEY looks like a placeholder; set its value"),
    "another tool's": (
        "os.environ/OTHER",
        "A_KEY looks like a reference of another tool; set its value, or write ${OTHER} in the settings",
    ),
    "another tool's of itself": ("$A_KEY", "A_KEY looks like a reference of another tool; set its value"),
    "a vault's address": ("op://v/i/f", "A_KEY looks like a reference of another tool; set its value"),
    "one of ours": ("${OTHER}", "A_KEY is a reference, and what it holds is not looked at again; set its value"),
    "the name of a variable": (
        "B_KEY",
        "A_KEY is the name of a variable instead of its value; set its value, or write ${B_KEY} in the settings",
    ),
}


@pytest.mark.parametrize(("value", "problem"), VALUES.values(), ids=VALUES)
def test_a_value_that_cannot_work_is_a_warning_and_an_error_at_its_use(load: Load, value: str, problem: str) -> None:
    manager = load(environ={**KEYS, "A_KEY": value})
    line = f"A_KEY  cogt.backends.a.api_key: {problem}"
    assert [str(warning) for warning in manager.warnings] == [line]
    with pytest.raises(UnusableCredentialError) as caught:
        _ = manager.backends["a"].api_key
    error = caught.value
    assert (str(error), error.backend, error.variable, error.place) == (line, "a", "A_KEY", "A_KEY")
    assert CANARY not in f"{error}{error!r}{manager.warnings}"
    assert (manager.backends["a"].is_ready, manager.backends["a"].missing()) == (False, ())


def test_a_value_of_a_dotenv_is_told_at_that_file(load: Load) -> None:
    Path(".env").write_text("A_KEY=“4f9d0c”\nB_KEY=x\n", encoding="utf-8")
    Path(".env").chmod(0o600)
    (warning,) = load().warnings
    assert (warning.file, warning.problem) == (".env", "A_KEY holds U+201C at position 1, which no header takes")


def test_a_secrets_file_is_told_by_its_path(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "no-secrets" / "A_KEY"
    path.write_bytes(b"\xef\xbb\xbf4f9\r\n\x004f\n")
    (warning,) = load(environ={"B_KEY": "x"}).warnings
    assert str(warning).startswith(f"{path}  cogt.backends.a.api_key: A_KEY holds a carriage return at position 4; ")


@pytest.mark.parametrize("means", ["prefer", "defer", "skip", "error"])
def test_a_value_that_cannot_work_is_set_all_the_same(load: Load, means: str) -> None:
    overrides = {"inference_config": {"missing_credentials": means}}
    manager = load(environ={**KEYS, "A_KEY": "your-api-key"}, overrides=overrides)
    assert list(manager.backends.enabled) == ["a", "b"]
    assert len(manager.warnings) == 1


class Vault:
    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return self.secrets.get(name)


def test_the_applications_own_sources_are_not_asked_for_warnings(load: Load) -> None:
    vault = Vault(A_KEY="your-api-key", B_KEY=" 4f9d0c\n")
    manager = load(sources=[vault])
    assert (manager.warnings, vault.asked) == ((), [])
    with pytest.raises(
        UnusableCredentialError, match=r"^Vault  cogt.backends.a.api_key: A_KEY looks like a placeholder"
    ):
        _ = manager.backends["a"].api_key
    key = manager.backends["b"].api_key
    assert key is not None
    assert key.get_secret_value() == "4f9d0c"


LITERALS = {
    "os.environ": ("'os.environ/A_KEY'", "looks like a reference of another tool; write ${A_KEY}"),
    "braces": ("'{env:A_KEY}'", "looks like a reference of another tool; write ${A_KEY}"),
    "a vault's address": ("'op://v/i/f'", "looks like a reference of another tool; write ${A_API_KEY}"),
    "a placeholder": ("'your-api-key'", "looks like a placeholder; set its value"),
    "a variable's name": ("'A_KEY'", "is the name of a variable instead of its value; write ${A_KEY}"),
}


@pytest.mark.parametrize(("text", "problem"), LITERALS.values(), ids=LITERALS)
def test_a_literal_that_cannot_work_is_told_at_its_line(load: Load, tmp_path: Path, text: str, problem: str) -> None:
    manager = load(api_key(text), environ=KEYS)
    assert told(manager, tmp_path) == [f"backends.toml:2  cogt.backends.a.api_key: {problem}"]
    with pytest.raises(UnusableCredentialError, match=r"backends\.toml:2  cogt.backends.a.api_key: ") as caught:
        _ = manager.backends["a"].api_key
    assert caught.value.variable is None


FILES_FOR_EVERYBODY = {
    "backends.toml": api_key(f"'{CANARY}'"),
    "backends.local.toml": {"backends.local.toml": f"[a]\napi_key = '{CANARY}'"},
    "settings.local.toml": {"settings.local.toml": f"[default.cogt.backends.a]\napi_key = '{CANARY}'"},
}


@pytest.mark.parametrize("files", FILES_FOR_EVERYBODY.values(), ids=FILES_FOR_EVERYBODY)
def test_a_literal_key_in_a_file_for_everybody_is_told(load: Load, files: dict[str, str]) -> None:
    (warning,) = load(files, environ=KEYS).warnings
    assert warning.line == 2
    assert warning.problem == "a literal key in a file that is not for secrets"
    assert warning.suggestion == "put it into .env and write ${A_API_KEY}, or state it in .secrets.toml"
    assert CANARY not in str(warning)


def test_a_literal_key_where_secrets_belong_is_not(load: Load, tmp_path: Path) -> None:
    (tmp_path / "app" / "settings").mkdir(parents=True)
    (tmp_path / "app" / "settings" / ".secrets.toml").touch(mode=0o600)
    files = {".secrets.toml": f"[default.cogt.backends.a]\napi_key = '{CANARY}'"}
    assert load(files, environ=KEYS).warnings == ()
    assert load(environ=KEYS, overrides={"backends": {"a": {"api_key": CANARY}}}).warnings == ()
    assert load(environ={**KEYS, "PIPELEX_COGT__BACKENDS__A__API_KEY": CANARY}).warnings == ()


@pytest.mark.parametrize("text", ["'ollama'", "'none'", "'EMPTY'", "'not-needed'", "'a'", "''"])
def test_what_a_server_without_keys_is_given_is_no_key(load: Load, text: str) -> None:
    assert load(api_key(text), environ=KEYS).warnings == ()


def test_what_is_hardly_meant_is_told_at_any_further_key_and_used_all_the_same(load: Load, tmp_path: Path) -> None:
    lines = ["aws_region = '$AWS_REGION'", "password = '$ECRET'", "project = 'your-project'", "zone = '${A_ZONE}'"]
    files = {"backends.toml": "\n".join(["[a]", *lines, "[b]\n[off]\nenabled = false"])}
    manager = load(files, environ={"A_ZONE": "your-zone"})
    assert sorted(told(manager, tmp_path)) == [
        "A_ZONE  cogt.backends.a.zone: A_ZONE looks like a placeholder; set its value",
        "backends.toml:2  cogt.backends.a.aws_region: looks like a reference of another tool; write ${AWS_REGION}",
        "backends.toml:4  cogt.backends.a.project: looks like a placeholder; set its value",
    ]
    assert dict(manager.backends["a"].extra_config)["zone"] == "your-zone"


@pytest.mark.parametrize(
    ("text", "variable"), [("{env:A_BASE}", "A_BASE"), ("$A_BASE", "A_BASE"), ("op://v/i", "A_ENDPOINT")]
)
def test_an_endpoint_of_another_tool_is_refused(problems: Callable[..., list[str]], text: str, variable: str) -> None:
    files = {"backends.toml": f"[a]\nendpoint = '{text}'\n[b]\n[off]\nenabled = false"}
    assert problems(files) == [
        f"backends.toml:2  cogt.backends.a.endpoint: looks like a reference of another tool; write ${{{variable}}}"
    ]


def test_a_backend_that_is_off_is_nobodys_business(load: Load) -> None:
    files = {"backends.toml": "[a]\n[b]\n[off]\nenabled = false\napi_key = '$OFF_KEY'"}
    assert load(files).warnings == ()


# Names that come near


def test_a_name_that_comes_near_a_missing_one_is_told_though_nothing_is_left_out() -> None:
    Path(".env").write_text("GOOGLE_GENERATIVE_AI_API_KEY=4f9d0c\nOPENAI_API_KEY=\n", encoding="utf-8")
    Path(".env").chmod(0o600)
    manager = ModelManager.load(env="development", environ={})
    assert "openai" in manager.backends.enabled
    assert [str(warning) for warning in manager.warnings] == [
        (
            "packaged backends.toml:25  cogt.backends.google.api_key: backend 'google' needs GEMINI_API_KEY or "
            "GOOGLE_API_KEY, which is not set; GOOGLE_GENERATIVE_AI_API_KEY is set in .env; rename it, or refer to it "
            "in the settings"
        )
    ]


@pytest.mark.parametrize(("environ", "sources"), [({"A_KEY": ""}, []), ({"a_key": "x"}, [{"A_KEY": "y"}])])
def test_what_is_empty_or_may_be_known_to_a_source_is_no_near_name(load: Load, environ: Any, sources: Any) -> None:
    manager = load(environ={"B_KEY": "x", **environ}, sources=sources)
    assert manager.warnings == ()
