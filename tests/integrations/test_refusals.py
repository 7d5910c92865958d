"""The rule of what the loopback server refuses: what the live APIs refuse, in their words, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.integrations.server import Provider

HELLO = [{"role": "user", "content": "Hello"}]
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
AZURE = "/openai/v1/chat/completions"
VERTEX = "/v1/projects/p/locations/global/publishers/anthropic/models/{}:rawPredict"
GEMINI = "/v1beta/models/{}:generateContent"
OLD, NEW = {"anthropic-version": "2023-06-01"}, {"anthropic-version": "2026-10-21"}
BEARER = {"authorization": "Bearer key", "x-api-key": "key", "x-goog-api-key": "key", "api-key": "key"}
A_TOOL = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
AN_OBJECT = {"type": "object", "properties": {"name": {"type": "string"}}}


def post(
    provider: Provider, path: str, body: Mapping[str, Any], headers: Mapping[str, str] = BEARER
) -> tuple[int, str]:
    """Send JSON, and return the status and the text of the answer."""
    connection = HTTPConnection(provider.url.removeprefix("http://"))
    try:
        connection.request("POST", path, json.dumps(body), dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def chat(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": HELLO, **more}


def asked(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "input": "Hello", **more}


def claude(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 2000, "messages": HELLO, **more}


def on_vertex(**more: Any) -> dict[str, Any]:
    return {"anthropic_version": "vertex-2023-10-16", "max_tokens": 2000, "messages": HELLO, **more}


def on_bedrock(**more: Any) -> dict[str, Any]:
    return {**on_vertex(**more), "anthropic_version": more.get("anthropic_version", "bedrock-2023-05-31")}


def contents(**config: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "generationConfig": config}


def conversation(**config: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": config}


def a_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "it", "strict": True, "schema": schema}}


ADAPTIVE = {"type": "adaptive"}


def budget(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


OPENAI_REFUSES = [
    (CHAT, chat("gpt-5.4", max_tokens=100), "Use 'max_completion_tokens'"),
    (CHAT, chat("o3", max_tokens=100), "Use 'max_completion_tokens'"),
    (AZURE, chat("gpt-6-sol", max_tokens=100), "Use 'max_completion_tokens'"),
    (CHAT, chat("gpt-5", temperature=0.5), "'temperature' is not supported"),
    (CHAT, chat("gpt-5.6-sol", temperature=0.5), "'temperature' is not supported"),
    (CHAT, chat("gpt-5.4", temperature=0.5, reasoning_effort="low"), "'temperature' is not supported"),
    (CHAT, chat("gpt-5", top_p=0.5), "'top_p' is not supported"),
    (CHAT, chat("gpt-5.4", temperature=2.5), "temperature: 2.5 is not between"),
    (CHAT, chat("gpt-5", stop=["END"]), "'stop' is not supported"),
    (CHAT, chat("gpt-4o", reasoning_effort="low"), "'reasoning_effort' is not supported"),
    (CHAT, chat("gpt-5", reasoning_effort="none"), "does not support 'none'"),
    (CHAT, chat("gpt-5.4", reasoning_effort="minimal"), "does not support 'minimal'"),
    (CHAT, chat("gpt-6-sol", reasoning_effort="max"), "does not support 'max'"),
    (CHAT, chat("gpt-6-sol", tools=A_TOOL), "Function tools with reasoning_effort are not supported"),
    (CHAT, chat("gpt-5.4", foo=1), "Unrecognized request argument supplied: foo"),
    (CHAT, chat("gpt-5.4", max_completion_tokens=128_001), "is too large: 128001"),
    (CHAT, chat("gpt-4o", max_tokens=0), "less than the minimum of 1"),
    (CHAT, {"model": "gpt-5.4"}, "Missing required parameter: 'messages'"),
    (CHAT, {"messages": HELLO}, "you must provide a model parameter"),
    (CHAT, chat("gpt-5.4", response_format=a_format(AN_OBJECT)), "a strict object needs additionalProperties false"),
    (RESPONSES, asked("gpt-5.4", seed=1), "Unknown parameter: 'seed'"),
    (RESPONSES, asked("gpt-5.4", stop=["END"]), "Unknown parameter: 'stop'"),
    (RESPONSES, asked("gpt-5.4", max_tokens=100), "Unknown parameter: 'max_tokens'"),
    (RESPONSES, asked("gpt-5.4", max_output_tokens=15), "Expected a value >= 16"),
    (RESPONSES, asked("gpt-5.4", max_output_tokens=128_001), "is too large: 128001"),
    (RESPONSES, asked("gpt-5.5-pro", reasoning={"effort": "low"}), "does not support 'low'"),
    (RESPONSES, asked("gpt-5.5-pro", temperature=0.5), "'temperature' is not supported"),
    (RESPONSES, {"model": "gpt-5.4"}, "Missing required parameter: 'input'"),
    ("/as/bedrock/openai/v1/chat/completions", chat("global.openai.gpt-6-sol", max_tokens=9), "max_completion_tokens"),
]
OPENAI_TAKES = [
    (CHAT, chat("gpt-5.4", max_completion_tokens=100, temperature=0.5)),
    (CHAT, chat("gpt-5.6-sol", temperature=0.5, reasoning_effort="none")),
    (CHAT, chat("gpt-5.6-sol", tools=A_TOOL, reasoning_effort="none")),
    (CHAT, chat("gpt-5", reasoning_effort="minimal", tools=A_TOOL)),
    (CHAT, chat("gpt-4o", max_tokens=100, temperature=2, stop=["END"], seed=1)),
    (CHAT, chat("a-model-nobody-knows", max_tokens=100, temperature=0.5, reasoning_effort="max")),
    (RESPONSES, asked("gpt-6-sol", reasoning={"effort": "max"}, max_output_tokens=16)),
    (RESPONSES, asked("gpt-5.4", temperature=0.5, reasoning={"effort": "none"})),
]
IMITATORS_REFUSE = [
    ("/as/deepseek/chat/completions", chat("deepseek-flash", response_format=a_format({})), 400, "unavailable now"),
    ("/as/mistral/v1/chat/completions", chat("mistral-large-4", seed=1), 422, "seed: Extra inputs"),
    ("/as/mistral/v1/chat/completions", chat("mistral-large-4", max_completion_tokens=9), 422, "Extra inputs"),
    ("/as/mistral/v1/chat/completions", chat("mistral-large-4", temperature=1.6), 400, "not between 0 and 1.5"),
    ("/as/mistral/v1/chat/completions", chat("mistral-large-4", reasoning_effort="low"), 400, "not support 'low'"),
    ("/as/xai/v1/chat/completions", chat("grok-4.7", stop=["END"]), 400, "'stop' is not supported"),
    ("/as/xai/v1/chat/completions", chat("grok-4.6", reasoning_effort="none"), 400, "does not support 'none'"),
    ("/as/xai/v1/chat/completions", chat("grok-4.20", reasoning_effort="low"), 400, "'reasoning_effort' is not"),
    ("/as/cohere/compatibility/v1/chat/completions", chat("command-a", temperature=1.5), 400, "not between 0 and 1"),
    ("/as/groq/v1/chat/completions", chat("openai/gpt-oss-120b"), 404, "No API has the path"),
    ("/as/openrouter/v1/chat/completions", chat("x"), 404, "No API has the path"),
    ("/v1/v1/messages", claude("claude-sonnet-4-6"), 404, "No API has the path"),
]
ANTHROPIC_REFUSES = [
    (OLD, {"model": "claude-sonnet-4-6", "messages": HELLO}, "max_tokens: Field required"),
    (OLD, claude("claude-sonnet-4-6", max_tokens=128_001), "the most output tokens of claude-sonnet-4-6"),
    (OLD, claude("claude-sonnet-4-6", temperature=1.5), "temperature: 1.5 is not between 0 and 1"),
    (OLD, claude("claude-sonnet-4-6", temperature=0.5, top_p=0.5), "cannot both be specified"),
    (OLD, claude("claude-opus-5-5", temperature=0.5), "`temperature` is deprecated for this model"),
    (OLD, claude("claude-sonnet-4-6", seed=1), "seed: Extra inputs are not permitted"),
    (OLD, claude("claude-sonnet-4-6", mcp_servers=[]), "mcp_servers: Extra inputs"),
    (OLD, claude("claude-sonnet-4-6", stop_sequences=[" "]), "must contain non-whitespace"),
    (NEW, claude("claude-sonnet-4-6", temperature=0.5), "temperature: Extra inputs are not permitted"),
    (NEW, claude("claude-sonnet-4-6", top_p=0.5), "top_p: Extra inputs"),
    ({"anthropic-version": "2024-01-01"}, claude("claude-sonnet-4-6"), "is not a valid version"),
    ({}, claude("claude-sonnet-4-6"), "anthropic-version: header is required"),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(1023)), "greater than or equal to 1024"),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(2000)), "must be greater than `thinking.budget_tokens`"),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(1024), temperature=0.5), "only be set to 1 when thinking"),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(1024), top_p=0.5), "`top_p` must be greater"),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(1024), top_k=5), "`top_k` must be unset"),
    (OLD, claude("claude-sonnet-4-5", thinking=ADAPTIVE), "adaptive thinking is not supported"),
    (OLD, claude("claude-sonnet-4-5", output_config={"effort": "low"}), "does not support the effort parameter"),
    (OLD, claude("claude-opus-4-6", output_config={"effort": "xhigh"}), "does not support 'xhigh'"),
    (OLD, claude("claude-opus-5", thinking=budget(1024)), 'Use \\"thinking.type.adaptive\\"'),
    (OLD, claude("claude-opus-5-5", thinking={"type": "disabled"}), "is not supported for this model"),
    (OLD, claude("claude-sonnet-5-5", thinking={"type": "disabled"}), "is not supported for this model"),
    (
        NEW,
        claude("claude-haiku-5-5", thinking={"type": "disabled"}, output_config={"effort": "max"}),
        "is not supported while thinking is off",
    ),
    (NEW, claude("claude-opus-5-5", tool_choice={"type": "any"}), "does not support forcing tool use"),
    (NEW, claude("claude-opus-5", tool_choice={"type": "any"}, thinking=ADAPTIVE), "when tool_choice forces tool use"),
]
ANTHROPIC_TAKES = [
    (OLD, claude("claude-sonnet-4-6", temperature=1, stop_sequences=["END"])),
    (OLD, claude("claude-sonnet-4-5", thinking=budget(1024), temperature=1)),
    ({**OLD, "anthropic-beta": "mcp-client-2025-11-20"}, claude("claude-sonnet-4-6", mcp_servers=[])),
    (NEW, claude("claude-opus-5-5", output_config={"effort": "xhigh"}, thinking=ADAPTIVE)),
    (NEW, claude("claude-sonnet-5-5", thinking={"type": "between_tools"})),
]
BEDROCK = "/model/global.anthropic.claude-{}/invoke"
CONVERSE = "/model/global.anthropic.claude-{}/converse"
PLATFORMS_REFUSE = [
    (VERTEX.format("claude-opus-5-5"), on_vertex(temperature=0.5), "is deprecated for this model"),
    (VERTEX.format("claude-opus-4-6"), on_vertex(model="claude-opus-4-6"), "model: Extra inputs"),
    (VERTEX.format("claude-opus-4-6"), {"max_tokens": 9, "messages": HELLO}, "anthropic-version"),
    (BEDROCK.format("opus-4-6-v1"), on_bedrock(stream=True), "stream: Extra inputs"),
    (BEDROCK.format("opus-4-6-v1"), on_vertex(), "is not a valid version"),
    (BEDROCK.format("opus-4-6-v1"), on_bedrock(anthropic_version="2026-10-21", temperature=1), "Extra inputs"),
    (BEDROCK.format("opus-4-5-20251101-v1:0"), on_bedrock(anthropic_version="2026-10-21"), "Invalid API version"),
    (CONVERSE.format("opus-5-5"), conversation(temperature=0.5), "is deprecated for this model"),
    (CONVERSE.format("opus-4-6-v1"), conversation(temperature=1.5), "not between 0 and 1"),
    (CONVERSE.format("opus-4-6-v1"), conversation(topK=5), "extraneous key [topK]"),
    (
        CONVERSE.format("sonnet-4-5-20250929-v1:0"),
        {**conversation(maxTokens=1000), "additionalModelRequestFields": {"thinking": budget(1024)}},
        "must be greater than `thinking.budget_tokens`",
    ),
    (GEMINI.format("gemini-3.5-flash"), contents(max_tokens=9), 'Unknown name \\"maxTokens\\" at'),
    (GEMINI.format("gemini-3.5-flash"), {**contents(), "temperature": 1}, 'Unknown name \\"temperature\\"'),
    (GEMINI.format("gemini-3.5-flash"), {"generationConfig": {}}, "contents is not specified"),
    (GEMINI.format("gemini-3.5-flash"), contents(temperature=2.1), "not between 0 and 2"),
    (GEMINI.format("gemini-3.5-flash"), contents(maxOutputTokens=65_537), "maxOutputTokens value above 65536"),
    (GEMINI.format("gemini-3.5-flash"), contents(stopSequences=list("abcdef")), "must not exceed 5"),
    (
        GEMINI.format("gemini-3.5-flash"),
        contents(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 100}),
        "only set one of thinking budget and thinking level",
    ),
    (GEMINI.format("gemini-4-argon"), contents(thinkingConfig={"thinkingLevel": "MINIMAL"}), "is not supported"),
    (GEMINI.format("gemini-2.5-flash"), contents(thinkingConfig={"thinkingLevel": "LOW"}), "is not supported"),
    (GEMINI.format("gemini-2.5-pro"), contents(thinkingConfig={"thinkingBudget": 0}), "budget 0 is invalid"),
    (GEMINI.format("gemini-2.5-flash"), contents(thinkingConfig={"thinkingBudget": 24_577}), "24577 is invalid"),
]
PLATFORMS_TAKE = [
    (VERTEX.format("claude-opus-4-6"), on_vertex(temperature=0.5)),
    (BEDROCK.format("opus-4-5-20251101-v1:0"), on_bedrock(temperature=0.5)),
    (BEDROCK.format("haiku-4-5-20251001-v1:0"), on_bedrock(anthropic_version="2026-10-21")),
    (CONVERSE.format("opus-4-6-v1"), conversation(temperature=0.5, maxTokens=9)),
    ("/model/global.amazon.nova-2-lite-v1:0/converse", conversation(temperature=0.5, stopSequences=["END"])),
    (GEMINI.format("gemini-2.5-flash"), contents(thinkingConfig={"thinkingBudget": 0})),
    (GEMINI.format("gemini-2.5-pro"), contents(thinkingConfig={"thinkingBudget": -1})),
    (GEMINI.format("gemini-3.5-flash"), contents(max_output_tokens=9)),
]


@pytest.mark.parametrize(("path", "body", "message"), OPENAI_REFUSES)
def test_openai_refuses(provider: Provider, path: str, body: dict[str, Any], message: str) -> None:
    status, text = post(provider, path, body)
    assert (status, message in json.loads(text)["error"]["message"]) == (400, True), text


@pytest.mark.parametrize(("path", "body"), OPENAI_TAKES)
def test_openai_takes(provider: Provider, path: str, body: dict[str, Any]) -> None:
    assert post(provider, path, body)[0] == 200


@pytest.mark.parametrize("model", ["gpt-5.5-pro", "gpt-5.3-codex", "o3-pro", "gpt-5.1-codex-mini"])
def test_models_of_the_responses_api_are_not_found_on_chat(provider: Provider, model: str) -> None:
    status, text = post(provider, CHAT, chat(model))
    assert (status, "only supported in v1/responses" in text) == (404, True)
    assert post(provider, RESPONSES, asked(model))[0] == 200


@pytest.mark.parametrize(("path", "body", "status", "message"), IMITATORS_REFUSE)
def test_imitators_refuse(provider: Provider, path: str, body: dict[str, Any], status: int, message: str) -> None:
    found, text = post(provider, path, body)
    assert (found, message in text) == (status, True), text


def test_what_is_ignored_is_recorded(provider: Provider) -> None:
    post(provider, "/as/deepseek/chat/completions", chat("deepseek-flash", max_completion_tokens=9))
    post(provider, "/as/deepseek/v1/chat/completions", chat("deepseek-flash", max_tokens=9))
    post(provider, GEMINI.format("gemini-3.8-flash"), contents(temperature=0.5, topK=3))
    post(provider, GEMINI.format("gemini-3.5-flash"), contents(temperature=0.5))
    assert [request.ignored for request in provider.requests] == [
        ("max_completion_tokens",),
        (),
        ("temperature", "topK"),
        (),
    ]
    assert {request.status for request in provider.requests} == {200}


@pytest.mark.parametrize(("headers", "body", "message"), ANTHROPIC_REFUSES)
def test_anthropic_refuses(provider: Provider, headers: dict[str, str], body: dict[str, Any], message: str) -> None:
    status, text = post(provider, MESSAGES, body, {"x-api-key": "key", **headers})
    assert (status, json.loads(text)["error"]["type"]) == (400, "invalid_request_error")
    assert message in text


@pytest.mark.parametrize(("headers", "body"), ANTHROPIC_TAKES)
def test_anthropic_takes(provider: Provider, headers: dict[str, str], body: dict[str, Any]) -> None:
    assert post(provider, MESSAGES, body, {"x-api-key": "key", **headers})[0] == 200


@pytest.mark.parametrize(("path", "body", "message"), PLATFORMS_REFUSE)
def test_platforms_refuse(provider: Provider, path: str, body: dict[str, Any], message: str) -> None:
    status, text = post(provider, path, body)
    assert (status, message in text) == (400, True), text


@pytest.mark.parametrize(("path", "body"), PLATFORMS_TAKE)
def test_platforms_take(provider: Provider, path: str, body: dict[str, Any]) -> None:
    assert post(provider, path, body)[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "missing", "bad"),
    [
        (CHAT, chat("gpt-5.4"), 401, 401),
        (AZURE, chat("gpt-5.4"), 401, 401),
        (MESSAGES, claude("claude-sonnet-4-6"), 401, 401),
        (VERTEX.format("claude-sonnet-4-6"), on_vertex(), 401, 401),
        (GEMINI.format("gemini-3.5-flash"), contents(), 403, 400),
        (CONVERSE.format("opus-4-6-v1"), conversation(), 401, 401),
    ],
)
def test_a_key_is_asked_for(path: str, body: dict[str, Any], missing: int, bad: int) -> None:
    with Provider(keys={"good"}) as provider:
        assert post(provider, path, body, OLD)[0] == missing
        assert post(provider, path, body, {**OLD, **BEARER})[0] == bad
        good = {name: value.replace("key", "good") for name, value in BEARER.items()}
        assert post(provider, path, body, {**OLD, **good})[0] == 200


def test_ollama_asks_for_no_key(provider: Provider) -> None:
    assert post(provider, "/as/ollama/v1/chat/completions", chat("llama"), {})[0] == 200


def test_azure_asks_for_the_version_of_its_dated_form(provider: Provider) -> None:
    dated = "/openai/deployments/gpt-5.4/chat/completions"
    assert post(provider, dated, chat("gpt-5.4"))[0] == 404
    assert post(provider, f"{dated}?api-version=2024-10-21", chat("gpt-5.4"))[0] == 200
    assert post(provider, "/openai/responses?api-version=2024-10-21", asked("gpt-5.4"))[0] == 400
    assert post(provider, "/openai/responses?api-version=2025-04-01-preview", asked("gpt-5.4"))[0] == 200


@pytest.fixture
def knowing() -> Iterator[Provider]:
    with Provider(models={"mine"}, limits={"mine": 1000}) as provider:
        yield provider


def test_models_and_limits_can_be_given(knowing: Provider) -> None:
    assert post(knowing, CHAT, chat("yours"))[0] == 404
    status, text = post(knowing, CHAT, chat("mine", max_tokens=1001))
    assert (status, "at most 1000 tokens" in text) == (400, True)
    assert post(knowing, CHAT, chat("mine", max_tokens=1000))[0] == 200
    assert post(knowing, GEMINI.format("mine"), contents(maxOutputTokens=1001))[0] == 400
