"""Google's `generateContent`: of the Gemini API, and of Vertex AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.integrations.dialects.sse import event
from tests.integrations.exchange import JSON, Refusal, Reply, Request, Tokens, Turn
from tests.integrations.google_json import camel

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def turn(body: JSON) -> Turn:
    """Return what the body of a request asks for."""
    body = camel(body)
    config = body.get("generationConfig") or {}
    parts = [part for content in body.get("contents", []) for part in content.get("parts") or ()]
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode = calling.get("mode", "AUTO")
    allowed = calling.get("allowedFunctionNames") or [None]
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    plain = {"type": "object", "properties": {"text": {"type": "string"}}}
    return Turn(
        schema=schema or (plain if config.get("responseMimeType") == "application/json" else None),
        tools={} if mode == "NONE" else declared(body),
        forced=mode == "ANY",
        forced_tool=allowed[0] if mode == "ANY" else None,
        called=tuple(part["functionCall"]["name"] for part in parts if "functionCall" in part),
        after_a_result=bool(parts) and "functionResponse" in parts[-1],
    )


def declared(body: JSON) -> dict[str, JSON]:
    functions = [each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    return {each["name"]: schema_of(each) for each in functions}


def schema_of(function: JSON) -> JSON:
    schema: JSON = function.get("parametersJsonSchema") or function.get("parameters") or {"type": "object"}
    return schema


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "promptTokenCount": tokens.input,
        "cachedContentTokenCount": tokens.cached,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "thoughtsTokenCount": tokens.reasoning,
        "totalTokenCount": tokens.input + tokens.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.input}],
    }


def answer(request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:
    """Return the body of a whole answer."""
    part: dict[str, Any] = {"text": reply.text}
    if reply.tool:
        part = {"functionCall": {"name": reply.tool, "args": reply.arguments}}
    return piece(request, [part], tokens, finishReason="STOP")


def piece(request: Request, parts: list[dict[str, Any]], tokens: Tokens, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0, **more}],
        "usageMetadata": usage(tokens),
        "modelVersion": request.model,
        "responseId": "loopback",
    }


def stream(request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:
    """Yield the pieces of a streamed answer; each says what was used so far."""
    for text in reply.pieces[:-1]:
        yield event(piece(request, [{"text": text}], tokens))
    yield event(answer(request, Reply(reply.pieces[-1], reply.tool, reply.arguments), tokens))


def error(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error."""
    status = STATUSES.get(refusal.status, "UNKNOWN")
    return {"error": {"code": refusal.status, "message": refusal.message, "status": status}}
