"""Asking at the command line: an answer as it comes, its tokens and its cost, through each SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt.cli.app import app
from pipelex_cogt.integrations import openai
from tests.integrations.exchange import Tokens
from tests.integrations.server import Provider

Run = Callable[..., Result]
KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def run(folder: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder, with keys, where every backend is the loopback server."""
    endpoints = {
        "OPENAI": f"{provider.url}/v1",
        "ANTHROPIC": provider.url,
        "GOOGLE": provider.url,
        "BEDROCK": provider.url,
    }
    for backend, endpoint in endpoints.items():
        monkeypatch.setenv(f"PIPELEX_COGT__BACKENDS__{backend}__ENDPOINT", endpoint)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert [*folder.iterdir()] == []
    return lambda *arguments: CliRunner().invoke(app, ["ask", *arguments])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gpt-4.1", "gpt-4.1 @ openai: input = 1000, output = 500; 0.006 US dollars\n"),
        ("gpt-5-pro", "gpt-5-pro @ openai: input = 1000, output = 500; 0.075 US dollars\n"),
        ("claude-4.6-sonnet", "claude-4.6-sonnet @ anthropic: input = 1000, output = 500; 0.0105 US dollars\n"),
        ("gemini-4-argon", "gemini-4-argon @ google: input = 1000, output = 500; "),
        ("nova-pro", "nova-pro @ bedrock: input = 1000, output = 500; 0.0024 US dollars\n"),
    ],
)
def test_an_answer_is_printed_and_beside_it_what_it_took(run: Run, provider: Provider, name: str, told: str) -> None:
    provider.answer("Blue light\nscatters most.")
    provider.tokens = Tokens(input=1000, cached=0, cache_write=0, output=500, reasoning=0)
    result = run(name, "Why is the sky blue?")
    assert (result.exit_code, result.stdout) == (0, "Blue light\nscatters most.\n")
    assert result.stderr.startswith(told)
    assert "Why is the sky blue?" in str(provider.requests[-1].body)


def test_what_a_terminal_or_a_runner_would_obey_is_shown_in_an_answer_too(run: Run, provider: Provider) -> None:
    provider.answer("\x1b[2J a\ttab\n::set-env name=x::y")
    assert run("gpt-4.1", "Why?").stdout == "\\x1b[2J a\ttab\n\\x3a:set-env name=x::y\n"


def test_a_provider_that_refuses_is_told_in_one_line_without_the_key(run: Run, provider: Provider) -> None:
    provider.fail_next(403, times=9)
    result = run("gpt-4.1", "Why?")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("gpt-4.1 @ openai: openai.PermissionDeniedError: Error code: 403")
    assert len(result.stderr.splitlines()) == 1
    assert KEY not in result.output


def test_a_key_that_a_provider_repeats_is_hidden_whatever_it_looks_like(
    run: Run, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "kettle")
    provider.fail_next(401, {"error": {"message": "Incorrect API key provided: kettle. Get another."}})
    assert run("gpt-4.1", "Why?").stderr == (
        "gpt-4.1 @ openai: openai.AuthenticationError: Error code: 401 - Incorrect API key provided: **********."
        " Get another.\n"
    )


def test_an_answer_without_text_is_told(run: Run, provider: Provider) -> None:
    provider.answer("")
    result = run("gpt-4.1", "Why?")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("the answer has no text\ngpt-4.1 @ openai: ")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gemini-4-argon", {"candidates": [{"content": {"parts": [{"text": "Blue."}], "role": "model"}}]}),
        ("gpt-4.1", {"id": "1", "choices": [{"index": 0, "delta": {"content": "Blue."}}]}),
    ],
)
def test_a_provider_that_tells_no_usage_has_answered(run: Run, provider: Provider, name: str, told: object) -> None:
    events = f"data: {json.dumps(told)}\n\n"
    provider.fail_next(200, events, headers={"content-type": "text/event-stream"})
    result = run(name, "Why?")
    assert (result.exit_code, result.stdout) == (0, "Blue.\n")
    assert result.stderr.endswith("the provider tells no usage\n")


@pytest.mark.parametrize("kind", [ValueError, TimeoutError])
def test_what_came_before_a_failure_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def break_off(*_arguments: object) -> Iterator[str]:
        yield "Blue light"
        raise kind("the line is dead")

    # No server can choose which class an SDK raises in the middle of an answer.
    monkeypatch.setattr(openai, "stream", break_off)
    result = run("gpt-4.1", "Why?")
    assert (result.exit_code, result.stdout) == (1, "Blue light\n")
    assert result.stderr == f"gpt-4.1 @ openai: builtins.{kind.__name__}: the line is dead\n"


def test_what_the_model_takes_otherwise_is_told(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    (folder / "settings").mkdir()
    (folder / "settings" / "settings.toml").write_text(
        '[default.cogt.deck.aliases]\nboth = ["claude-4.6-sonnet@anthropic", "gpt-5.5"]\n'
        '[default.cogt.deck.llm_presets.p]\nllm_handle = "both"\ntemperature = 0.5\n'
    )
    result = run("p", "Why?")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "temperature 0.5 left out: 'gpt-5.5' takes none"
