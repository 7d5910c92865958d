"""Anthropic's Messages API: on its own host, on Vertex AI (`rawPredict`) and on Bedrock (`invoke`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.integrations.dialects.sse import event
from tests.integrations.event_stream import frame
from tests.integrations.exchange import JSON, Refusal, Reply, Request, Tokens, Turn

CALL_ID = "toolu_loopback"
ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def turn(body: JSON) -> Turn:
    """Return what the body of a request asks for."""
    messages = body.get("messages", [])
    blocks = [block for message in messages for block in blocks_of(message)]
    choice = body.get("tool_choice") or {"type": "auto"}
    tools = {tool["name"]: tool["input_schema"] for tool in body.get("tools") or () if "input_schema" in tool}
    form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return Turn(
        schema=form.get("schema"),
        tools={} if choice["type"] == "none" else tools,
        forced=choice["type"] in ("any", "tool"),
        forced_tool=choice.get("name"),
        called=tuple(block["name"] for block in blocks if block.get("type") == "tool_use"),
        after_a_result=any(block.get("type") == "tool_result" for block in blocks_of(messages[-1]))
        if messages
        else False,
        reasons=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
    )


def blocks_of(message: JSON) -> list[JSON]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": tokens.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
        "service_tier": "standard",
    }


def head(request: Request) -> dict[str, Any]:
    return {
        "id": "msg_loopback",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def answer(request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:
    """Return the body of a whole answer."""
    return {**head(request), "content": blocks(reply), "stop_reason": stop(reply), "usage": usage(tokens)}


def blocks(reply: Reply) -> list[dict[str, Any]]:
    thought = {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"}
    said: dict[str, Any] = {"type": "text", "text": reply.text, "citations": None}
    if reply.tool:
        said = {"type": "tool_use", "id": CALL_ID, "name": reply.tool, "input": reply.arguments}
    return [thought, said] if reply.reasons else [said]


def stop(reply: Reply) -> str:
    return "tool_use" if reply.tool else "end_turn"


def stream(request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:
    """Yield the pieces of a streamed answer: as server-sent events, but on Bedrock in Amazon's framing."""
    for data in events(request, reply, tokens):
        if request.host == "bedrock":
            yield frame("chunk", {"bytes": base64.b64encode(json.dumps(data).encode()).decode()})
        else:
            yield event(data, data["type"])


def events(request: Request, reply: Reply, tokens: Tokens) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": {**head(request), "usage": {**usage(tokens), "output_tokens": 1}}}
    yield {"type": "ping"}
    for index, block in enumerate(blocks(reply)):
        start, deltas = started(block, reply)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop(reply), "stop_sequence": None},
        "usage": {name: value for name, value in usage(tokens).items() if name.endswith(("tokens", "details"))},
    }
    yield {"type": "message_stop"}


def started(block: dict[str, Any], reply: Reply) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return how a block looks when it starts, and what is added to it."""
    match block["type"]:
        case "thinking":
            return {**block, "signature": ""}, [{"type": "signature_delta", "signature": block["signature"]}]
        case "tool_use":
            text = json.dumps(block["input"])
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": text}]
        case _:
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in reply.pieces]


def error(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error, in the shape of Anthropic's own host."""
    kind = ERROR_TYPES.get(refusal.status) or ("api_error" if refusal.status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": refusal.message}, "request_id": "req_loopback"}
