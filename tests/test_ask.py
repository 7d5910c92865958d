"""Asking at the command line, as far as it needs no SDK: the request that would be sent, and what is refused."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt.cli.app import app

Run = Callable[..., Result]
KEY = "sk-canary-0123456789abcdef"
TREE = """
[default.cogt.inference_config]
enabled_backends = ["openai", "anthropic", "google", "bedrock", "own"]

[default.cogt.backends.own]
endpoint = "https://own.example.com/v1?api_key=sk-in-the-url-0123456789"
api_key = "${OWN_KEY}"

[default.cogt.models.own.plain]
sdk = "openai_compatible"
extra_body = { session_token = "sk-in-the-body-0123456789", top_k = 3 }

[default.cogt.models.own.strange]
sdk = "of_somebody"

[default.cogt.routing.profiles.all_enabled]
fallback_order = ["own", "..."]

[default.cogt.deck.llm_presets.p]
llm_handle = "plain"
temperature = 0.5
max_tokens = 20
"""


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an application's folder, with a key for each backend."""
    (folder / "settings").mkdir()
    (folder / "settings" / "settings.toml").write_text(TREE)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OWN_KEY"):
        monkeypatch.setenv(name, KEY)
    return lambda *arguments, **given: CliRunner().invoke(app, ["ask", *arguments], **given)


def request_of(result: Result) -> dict[str, Any]:
    assert (result.exit_code, result.stderr) == (0, "")
    described: dict[str, Any] = json.loads(result.stdout)
    return described


def test_a_dry_run_prints_the_request_without_its_key(run: Run) -> None:
    result = run("p", "Why?", "--dry-run")
    assert request_of(result) == {
        "model": "plain",
        "backend": "own",
        "module": "pipelex_cogt.integrations.openai",
        "endpoint": "https://own.example.com/v1?api_key=**********",
        "key": "${OWN_KEY}",
        "headers": {},
        "adapted": [],
        "arguments": {
            "model": "plain",
            "temperature": 0.5,
            "max_tokens": 20,
            "extra_body": {"session_token": "**********", "top_k": 3},
            "messages": [{"role": "user", "content": "Why?"}],
        },
    }
    assert "0123456789" not in result.output


@pytest.mark.parametrize(
    ("name", "module", "question"),
    [
        ("gpt-5-pro", "openai", {"input": "Why?"}),
        ("gpt-5.5", "openai", {"messages": [{"role": "user", "content": "Why?"}]}),
        ("claude-4.6-sonnet@anthropic", "anthropic", {"messages": [{"role": "user", "content": "Why?"}]}),
        ("gemini-4-argon", "google", {"contents": "Why?"}),
        ("nova-pro", "bedrock", {"messages": [{"role": "user", "content": [{"text": "Why?"}]}]}),
    ],
)
def test_each_model_is_asked_in_its_own_way(run: Run, name: str, module: str, question: dict[str, Any]) -> None:
    described = request_of(run(name, "Why?", "--dry-run"))
    assert described["module"] == f"pipelex_cogt.integrations.{module}"
    assert question.items() <= described["arguments"].items()


def test_the_question_may_come_from_standard_input(run: Run) -> None:
    described = request_of(run("p", "-", "--dry-run", input="from a pipe"))
    assert described["arguments"]["messages"] == [{"role": "user", "content": "from a pipe"}]


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("", "", "the question is empty; state it after the preset, or - to read it from standard input\n"),
        ("-", " \n", "the question is empty; state it after the preset, or - to read it from standard input\n"),
        ("-", b"a\xff", "the question holds bytes that are no text\n"),
        ("a\udcff", "", "the question holds bytes that are no text\n"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(run: Run, text: str, given: str | bytes, told: str) -> None:
    result = run("p", text, input=given)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)


def test_what_answers_a_reference_is_shown_as_the_reference(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYMENT", "kettle")
    monkeypatch.setenv("HOST_OF_OURS", "https://teapot.example.com")
    monkeypatch.setenv("PIPELEX_COGT__MODELS__OWN__PLAIN__MODEL_ID", "of-${DEPLOYMENT}")
    monkeypatch.setenv("PIPELEX_COGT__BACKENDS__OWN__ENDPOINT", "${HOST_OF_OURS}/v1")
    result = run("p", "Why?", "--dry-run")
    described = request_of(result)
    assert (described["endpoint"], described["arguments"]["model"]) == ("${HOST_OF_OURS}/v1", "of-${DEPLOYMENT}")
    assert "kettle" not in result.output
    assert "teapot" not in result.output


def test_a_dry_run_needs_no_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OWN_KEY"):
        monkeypatch.delenv(name)
    assert request_of(run("p", "Why?", "--dry-run"))["key"] == "${OWN_KEY}"


def test_a_model_that_no_module_calls_is_refused_with_the_way(run: Run) -> None:
    result = run("strange", "Why?")
    assert result.exit_code == 1
    assert result.stderr == (
        "model 'strange' on backend 'own' has sdk 'of_somebody' at its own API, which this package cannot call;"
        " this package calls sdk 'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible': state"
        " one of them, or call it with an SDK of your own\n"
    )


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("p", "openai", "openai"),
        ("claude-4.6-sonnet@anthropic", "anthropic", "anthropic"),
        ("gemini-4-argon", "google.genai", "google"),
    ],
)
def test_an_sdk_that_is_missing_is_told_with_the_way_to_install_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    result = run(name, "Why?")
    assert result.exit_code == 1
    assert result.stderr == f'{package} is not installed; run pip install "pipelex-cogt[{extra}]"\n'


def test_a_name_that_nothing_is_called_by_is_told(run: Run) -> None:
    result = run("nobody", "Why?")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("no preset, model or alias is called 'nobody'")
