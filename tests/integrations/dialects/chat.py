"""OpenAI's chat completions, as OpenAI, Azure and everything that imitates them speak it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.integrations.dialects.sse import event
from tests.integrations.exchange import JSON, Refusal, Reply, Request, Tokens, Turn

HEAD = {"id": "chatcmpl-loopback", "created": 1_790_000_000, "system_fingerprint": "fp_loopback"}
CALL_ID = "call_loopback"
ERROR_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def turn(body: JSON) -> Turn:
    """Return what the body of a request asks for."""
    messages = body.get("messages", [])
    choice = body.get("tool_choice", "auto")
    tools = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in body.get("tools") or ()}
    return Turn(
        schema=asked_schema(body.get("response_format") or {}),
        tools={} if choice == "none" else tools,
        forced=choice not in ("auto", "none"),
        forced_tool=choice["function"]["name"] if isinstance(choice, dict) and "function" in choice else None,
        called=tuple(call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()),
        after_a_result=bool(messages) and messages[-1].get("role") == "tool",
    )


def asked_schema(form: JSON) -> JSON | None:
    match form.get("type"):
        case "json_schema":
            schema: JSON = form["json_schema"].get("schema") or form["json_schema"].get("schema_definition") or {}
            return schema
        case "json_object":
            return {"type": "object", "properties": {"text": {"type": "string"}}}
        case _:
            return None


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def answer(request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:
    """Return the body of a whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.tool:
        message |= {"content": None, "tool_calls": [tool_call(reply)]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(reply)}
    return {
        **HEAD,
        "object": "chat.completion",
        "model": request.model,
        "choices": [choice],
        "usage": usage(tokens),
        "service_tier": "default",
    }


def tool_call(reply: Reply) -> dict[str, Any]:
    return {
        "id": CALL_ID,
        "type": "function",
        "function": {"name": reply.tool, "arguments": json.dumps(reply.arguments)},
    }


def finish(reply: Reply) -> str:
    return "tool_calls" if reply.tool else "stop"


def stream(request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:
    """Yield the pieces of a streamed answer: the usage only where the request asks for it."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if reply.tool:
        deltas.append({"tool_calls": [{"index": 0, **tool_call(reply)}]})
    else:
        deltas.extend({"content": piece} for piece in reply.pieces)
    for delta in deltas:
        yield chunk(request, [{"index": 0, "delta": delta, "finish_reason": None}])
    # Mistral's API always says what a stream took.
    last: dict[str, Any] = {"usage": usage(tokens)} if request.host == "mistral" else {}
    yield chunk(request, [{"index": 0, "delta": {}, "finish_reason": finish(reply)}], **last)
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield chunk(request, [], usage=usage(tokens))
    yield b"data: [DONE]\n\n"


def chunk(request: Request, choices: list[dict[str, Any]], **more: Any) -> bytes:
    return event(
        {**HEAD, "object": "chat.completion.chunk", "model": request.model, "choices": choices, **more},
    )


def error(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error."""
    known = ERROR_TYPES.get(refusal.status)
    kind = known or ("server_error" if refusal.status >= 500 else "invalid_request_error")
    return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}}
