"""The clients that integrations share: each calls where its backend is by now, and ends without a word."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import ResolvedLLM
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations import anthropic, asking, bedrock, google, openai
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.resolved import resolved

HELLO: Any = [{"role": "user", "content": "Hello"}]


class Changing(dict[str, str]):
    """An environment that changes."""


async def ask_openai(llm: ResolvedLLM) -> Any:
    client = openai.async_client(llm)
    await client.chat.completions.create(messages=HELLO, **openai.arguments(llm))
    return client


async def ask_anthropic(llm: ResolvedLLM) -> Any:
    client = anthropic.async_client(llm)
    await client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    return client


# The transport of the loop that is over is closed when it is collected.
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
@pytest.mark.parametrize(
    ("ask", "path", "model"),
    [
        (ask_openai, "/v1", {"model_id": "gpt-4.1"}),
        (ask_anthropic, "", {"model_id": "claude-opus-5", "sdk": "anthropic"}),
    ],
    ids=["openai", "anthropic"],
)
def test_a_client_whose_loop_is_over_fails_in_no_other(
    ask: Any, path: str, model: dict[str, Any], provider: Provider
) -> None:
    llm = resolved({"endpoint": f"{provider.url}{path}", "api_key": "${KEY}"}, model, {}, {"KEY": "k"})
    told = list[Any]()

    async def ask_in_the_next_loop() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
        client = await ask(llm)
        for _ in range(2):
            gc.collect()
            await asyncio.sleep(0)
        await client.close()

    assert asyncio.run(ask(llm))
    asyncio.run(ask_in_the_next_loop())
    # Transports of asyncio warn here, where that is expected, and not in the middle of another test.
    gc.collect()
    assert told == []
    assert len(provider.requests) == 2


MODELS = {
    "openai": {"model_id": "gpt-4.1"},
    "anthropic": {"model_id": "claude-opus-5", "sdk": "anthropic"},
    "google": {"model_id": "gemini-2.5-pro", "sdk": "google"},
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_backend_that_moves_is_followed(model: dict[str, Any], provider: Provider) -> None:
    keys = Changing(KEY="k", HOST=provider.at("one"))
    llm = resolved({"endpoint": "${HOST}", "api_key": "${KEY}"}, model, {}, keys)
    for host in ("one", "two"):
        keys["HOST"] = provider.at(host)
        assert [*asking.stream(llm, "Hello")]
    assert [request.host for request in provider.requests] == ["one", "two"]


@pytest.mark.parametrize(("module", "sdk"), [(anthropic, "anthropic"), (google, "google")], ids=["anthropic", "google"])
@pytest.mark.parametrize("client", ["client", "async_client"])
def test_a_client_of_the_backend_makes_no_way_for_another_sdk(module: Any, sdk: str, client: str) -> None:
    own = resolved({"endpoint": "https://h.example.com", "api_key": "k"}, {"sdk": sdk})
    other = replace(own, model=resolved({}, {"sdk": "mistral"}).model)
    assert getattr(module, client)(own)
    with pytest.raises(CallRefusedError, match="has sdk 'mistral' at its own API"):
        getattr(module, client)(other)


BEDROCK = {
    "openai": {"model_id": "openai.gpt-oss-120b-1:0"},
    "anthropic": {"model_id": "claude-haiku-4-5", "sdk": "anthropic"},
    "bedrock": {"model_id": "amazon.nova-lite-v1:0", "sdk": "bedrock"},
}


@pytest.mark.parametrize("model", BEDROCK.values(), ids=BEDROCK)
def test_on_bedrock_a_key_that_is_empty_leaves_it_to_aws(
    model: dict[str, Any], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACHAIN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    keys = Changing()
    # A region of its own: Anthropic's SDK keeps the credentials that it once found for one.
    backend = {"endpoint": provider.at("bedrock"), "aws_region": "ap-southeast-4", "api_key": "${KEY:-}"}
    llm = resolved(backend, model, {}, keys)
    for key in ("", "a-key", ""):
        keys["KEY"] = key
        assert [*asking.stream(llm, "Hello")]
    signed, keyed, again = [request.headers["authorization"] for request in provider.requests]
    assert keyed == "Bearer a-key"
    assert all(each.startswith("AWS4-HMAC-SHA256 Credential=AKIACHAIN/") for each in (signed, again))


VERTEX = {
    "openai": {"model_id": "meta/llama", "sdk": "openai_compatible"},
    "anthropic": {"model_id": "claude-haiku-4-5", "sdk": "anthropic"},
    "google": {"model_id": "gemini-2.5-pro", "sdk": "google"},
}


@pytest.mark.parametrize("model", VERTEX.values(), ids=VERTEX)
def test_on_vertex_a_key_that_is_empty_leaves_it_to_google(
    model: dict[str, Any], provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", write_service_account(tmp_path, provider.url))
    keys = Changing()
    # A project's number is as good as its name.
    backend = {"endpoint": provider.url, "gcp_project_id": 7, "api_key": "${KEY:-}"}
    llm = resolved(backend, model, {}, keys)
    for key in ("", "a-token"):
        keys["KEY"] = key
        assert [*asking.stream(llm, "Hello")]
    calls = [request for request in provider.requests if request.path != "/token"]
    assert [each.headers["authorization"] for each in calls] == ["Bearer ya29.loopback", "Bearer a-token"]
    assert all("/projects/7/" in each.path for each in calls)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_key_that_is_empty_by_now_sends_nothing(model: dict[str, Any], provider: Provider) -> None:
    llm = resolved({"endpoint": provider.url, "api_key": "${KEY:-}"}, model)
    with pytest.raises(CallRefusedError, match="model 'm' on backend 'b' has no api_key"):
        list(asking.stream(llm, "Hello"))
    assert provider.requests == []


def test_a_header_that_shows_who_calls_is_not_signed_away(provider: Provider) -> None:
    backend = {"endpoint": provider.at("bedrock"), "aws_region": "eu-west-1", "headers": {"authorization": "Bearer me"}}
    list(bedrock.stream(resolved(backend, BEDROCK["bedrock"]), "Hello"))
    assert provider.requests[-1].headers["authorization"] == "Bearer me"
