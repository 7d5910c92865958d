"""A preset called with boto3's Converse: what arrives, with which key, and when it is refused."""

from __future__ import annotations

import gc
import time
import traceback
import weakref
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from pipelex_cogt import MissingCredentialError
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations import bedrock
from tests.integrations.exchange import TEXT
from tests.integrations.server import Provider
from tests.resolved import resolved

NOVA = {"model_id": "amazon.nova-pro-v1:0", "sdk": "bedrock"}
HELLO: Any = [{"role": "user", "content": [{"text": "Hello"}]}]


def at(provider: Provider, keys: dict[str, str], **stated: Any) -> Any:
    backend = {"endpoint": provider.url, "aws_region": "eu-west-1", "api_key": "${KEY}", **stated}
    return resolved(backend, {**NOVA, "headers": {"x-team": "blue"}}, {"max_tokens": 100}, keys)


def ask(llm: Any) -> str:
    answer = bedrock.client(llm).converse(messages=HELLO, **bedrock.arguments(llm))
    return str(answer["output"]["message"]["content"][0]["text"])


def test_it_answers(provider: Provider) -> None:
    assert ask(at(provider, {"KEY": "one"}, headers={"x-app": "mine"})) == TEXT
    request = provider.requests[-1]
    assert request.path == "/model/amazon.nova-pro-v1:0/converse"
    assert request.body["inferenceConfig"] == {"maxTokens": 100}
    shown = [request.headers[name] for name in ("authorization", "x-team", "x-app")]
    assert shown == ["Bearer one", "blue", "mine"]


def test_it_streams(provider: Provider) -> None:
    llm = at(provider, {"KEY": "one"})
    events = bedrock.client(llm).converse_stream(messages=HELLO, **bedrock.arguments(llm))["stream"]
    pieces = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert len(pieces) > 1
    assert "".join(pieces) == TEXT


def test_the_next_request_uses_a_rotated_key(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "wrong")
    keys = {"KEY": "one"}
    llm = at(provider, keys)
    client = bedrock.client(llm)
    ask(llm)
    keys["KEY"] = "two"
    client.converse(messages=HELLO, **bedrock.arguments(llm))
    assert [request.headers["authorization"] for request in provider.requests] == ["Bearer one", "Bearer two"]


def test_a_key_that_went_away_is_told_before_anything_is_sent(provider: Provider) -> None:
    keys = {"KEY": "one"}
    llm = at(provider, keys)
    client = bedrock.client(llm)
    keys.clear()
    with pytest.raises(MissingCredentialError):
        client.converse(messages=HELLO, **bedrock.arguments(llm))
    assert provider.requests == []


def test_without_a_key_the_chain_of_aws_is_asked(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAONE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    ask(at(provider, {}, api_key="", aws_region=""))
    assert "Credential=AKIAONE/" in provider.requests[-1].headers["authorization"]
    assert "/eu-west-3/bedrock/" in provider.requests[-1].headers["authorization"]


def test_without_a_region_it_is_refused(provider: Provider) -> None:
    with pytest.raises(CallRefusedError, match="states no aws_region"):
        bedrock.client(at(provider, {"KEY": "one"}, aws_region=""))


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (1, 2)])
def test_it_tries_again_as_often_as_the_settings_say(provider: Provider, retries: int, requests: int) -> None:
    provider.fail_next(500, times=9)
    with pytest.raises(ClientError):
        ask(at(provider, {"KEY": "one"}, max_retries=retries))
    assert len(provider.requests) == requests


def test_it_waits_as_long_as_the_settings_say(provider: Provider) -> None:
    provider.hang_next(9)
    with pytest.raises(ReadTimeoutError):
        ask(at(provider, {"KEY": "one"}, timeout=0.2, max_retries=0))


def test_a_client_is_kept_as_long_as_its_backend(provider: Provider) -> None:
    llm = at(provider, {"KEY": "one"})
    assert bedrock.client(llm) is bedrock.client(llm)
    kept = weakref.ref(llm.backend)
    del llm
    # A collection that another thread has begun ends this one at once.
    for _ in range(100):
        gc.collect()
        if kept() is None:
            break
        time.sleep(0.01)
    assert kept() is None


def test_no_key_is_in_the_frames_of_an_error_of_ours(provider: Provider) -> None:
    canary = "canary-7f3a9c1e5b"
    llm = at(provider, {"KEY": canary}, headers={"x-a": "${KEY}", "x-b": "${OTHER}"})
    with pytest.raises(MissingCredentialError, match="OTHER") as caught:
        ask(llm)
    # The frame of the test is its own.
    left = caught.value.with_traceback(caught.tb.tb_next)
    told = traceback.TracebackException.from_exception(left, capture_locals=True)
    assert canary not in "".join(told.format())
