"""OpenAI's Responses API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.integrations.dialects import chat
from tests.integrations.dialects.sse import event
from tests.integrations.exchange import JSON, Refusal, Reply, Request, Tokens, Turn

MESSAGE_ID, CALL_ID = "msg_loopback", "fc_loopback"
REASONING = {"type": "reasoning", "id": "rs_loopback", "summary": []}


def turn(body: JSON) -> Turn:
    """Return what the body of a request asks for."""
    asked = body.get("input", [])
    items = asked if isinstance(asked, list) else []
    choice = body.get("tool_choice", "auto")
    tools = {tool["name"]: tool.get("parameters") or {} for tool in body.get("tools") or () if "name" in tool}
    return Turn(
        schema=asked_schema((body.get("text") or {}).get("format") or {}),
        tools={} if choice == "none" else tools,
        forced=choice not in ("auto", "none"),
        forced_tool=choice.get("name") if isinstance(choice, dict) else None,
        called=tuple(item["name"] for item in items if item.get("type") == "function_call"),
        after_a_result=bool(items) and items[-1].get("type") == "function_call_output",
    )


def asked_schema(form: JSON) -> JSON | None:
    match form.get("type"):
        case "json_schema":
            schema: JSON = form["schema"]
            return schema
        case "json_object":
            return {"type": "object", "properties": {"text": {"type": "string"}}}
        case _:
            return None


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def answer(request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:
    """Return the body of a whole answer."""
    said = call_item(reply, "completed") if reply.tool else message_item(reply.text, "completed")
    output = [REASONING, said] if reply.reasons else [said]
    return {**head(request, "completed"), "output": output, "usage": usage(tokens)}


def head(request: Request, status: str) -> dict[str, Any]:
    """Return what a response says of itself, before it has said anything else."""
    return {
        "id": "resp_loopback",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": request.body.get("instructions"),
        "max_output_tokens": request.body.get("max_output_tokens"),
        "metadata": {},
        "model": request.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": request.body.get("reasoning") or {"effort": None, "summary": None},
        "store": True,
        "temperature": request.body.get("temperature"),
        "text": request.body.get("text") or {"format": {"type": "text"}},
        "tool_choice": request.body.get("tool_choice", "auto"),
        "tools": request.body.get("tools") or [],
        "top_p": request.body.get("top_p"),
        "truncation": "disabled",
        "usage": None,
    }


def message_item(text: str, status: str) -> dict[str, Any]:
    content = [text_part(text)] if status == "completed" else []
    return {"id": MESSAGE_ID, "type": "message", "role": "assistant", "status": status, "content": content}


def text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(reply: Reply, status: str) -> dict[str, Any]:
    return {
        "id": CALL_ID,
        "call_id": chat.CALL_ID,
        "type": "function_call",
        "name": reply.tool,
        "arguments": json.dumps(reply.arguments) if status == "completed" else "",
        "status": status,
    }


def stream(request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:
    """Yield the pieces of a streamed answer, numbered as they go."""
    numbers = count()
    said = call_events(reply) if reply.tool else text_events(reply)
    first: dict[str, Any] = {"output_index": 0, "item": REASONING}
    thought = [("output_item.added", first), ("output_item.done", first)] if reply.reasons else []
    events: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": head(request, "in_progress")}),
        ("in_progress", {"response": head(request, "in_progress")}),
        *thought,
        *((name, {"output_index": len(thought) // 2, **data}) for name, data in said),
        ("completed", {"response": answer(request, reply, tokens)}),
    ]
    for name, data in events:
        kind = f"response.{name}"
        yield event({"type": kind, "sequence_number": next(numbers), **data}, kind)


def text_events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    of_the_part = {"item_id": MESSAGE_ID, "content_index": 0}
    yield "output_item.added", {"item": message_item("", "in_progress")}
    yield "content_part.added", {**of_the_part, "part": text_part("")}
    for piece in reply.pieces:
        yield "output_text.delta", {**of_the_part, "delta": piece, "logprobs": []}
    yield "output_text.done", {**of_the_part, "text": reply.text, "logprobs": []}
    yield "content_part.done", {**of_the_part, "part": text_part(reply.text)}
    yield "output_item.done", {"item": message_item(reply.text, "completed")}


def call_events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    done = call_item(reply, "completed")
    yield "output_item.added", {"item": call_item(reply, "in_progress")}
    yield "function_call_arguments.delta", {"item_id": CALL_ID, "delta": done["arguments"]}
    yield "function_call_arguments.done", {"item_id": CALL_ID, "name": reply.tool, "arguments": done["arguments"]}
    yield "output_item.done", {"item": done}


def error(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error."""
    return chat.error(refusal)
