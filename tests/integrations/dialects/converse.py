"""Bedrock's own Converse API, for every model there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.integrations.event_stream import frame
from tests.integrations.exchange import JSON, Refusal, Reply, Request, Tokens, Turn

CALL_ID = "tooluse_loopback"


def turn(body: JSON) -> Turn:
    """Return what the body of a request asks for."""
    messages = body.get("messages", [])
    config = body.get("toolConfig") or {}
    choice = config.get("toolChoice") or {"auto": {}}
    specs = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
    form = (body.get("outputConfig") or {}).get("textFormat")
    return Turn(
        schema=json.loads(form["structure"]["jsonSchema"]["schema"]) if form else None,
        tools={spec["name"]: spec["inputSchema"]["json"] for spec in specs},
        forced="any" in choice or "tool" in choice,
        forced_tool=choice["tool"]["name"] if "tool" in choice else None,
        called=tuple(
            block["toolUse"]["name"] for message in messages for block in message["content"] if "toolUse" in block
        ),
        after_a_result=bool(messages) and any("toolResult" in block for block in messages[-1]["content"]),
    )


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "inputTokens": tokens.input - tokens.cached - tokens.cache_write,
        "outputTokens": tokens.output,
        "totalTokens": tokens.input + tokens.output,
        "cacheReadInputTokens": tokens.cached,
        "cacheWriteInputTokens": tokens.cache_write,
    }


def answer(request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:  # noqa: ARG001 -- because: one shape for all
    """Return the body of a whole answer."""
    block: dict[str, Any] = {"text": reply.text}
    if reply.tool:
        block = {"toolUse": {"toolUseId": CALL_ID, "name": reply.tool, "input": reply.arguments}}
    return {
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": stop(reply),
        "usage": usage(tokens),
        "metrics": {"latencyMs": 1},
    }


def stop(reply: Reply) -> str:
    return "tool_use" if reply.tool else "end_turn"


def stream(request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:  # noqa: ARG001 -- because: one shape for all
    """Yield the pieces of a streamed answer in Amazon's framing."""
    yield frame("messageStart", {"role": "assistant"})
    deltas: list[dict[str, Any]] = [{"text": piece} for piece in reply.pieces]
    if reply.tool:
        start = {"toolUse": {"toolUseId": CALL_ID, "name": reply.tool}}
        yield frame("contentBlockStart", {"contentBlockIndex": 0, "start": start})
        deltas = [{"toolUse": {"input": json.dumps(reply.arguments)}}]
    for delta in deltas:
        yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})
    yield frame("contentBlockStop", {"contentBlockIndex": 0})
    yield frame("messageStop", {"stopReason": stop(reply)})
    yield frame("metadata", {"usage": usage(tokens), "metrics": {"latencyMs": 1}})


def error(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error; its kind stands in a header."""
    return {"message": refusal.message}
