"""The APIs that the loopback server speaks, one module each, all of the same shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from tests.integrations.dialects import chat, converse, gemini, messages, responses
from tests.integrations.exchange import JSON, DialectName, Refusal, Reply, Request, Tokens, Turn


class Dialect(Protocol):
    """What a module of a dialect knows."""

    def turn(self, body: JSON) -> Turn:
        """Return what the body of a request asks for."""

    def answer(self, request: Request, reply: Reply, tokens: Tokens) -> dict[str, Any]:
        """Return the body of a whole answer."""

    def stream(self, request: Request, reply: Reply, tokens: Tokens) -> Iterator[bytes]:
        """Yield the pieces of a streamed answer, as they go over the wire."""

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """Return the body of an error."""


DIALECTS: dict[DialectName, Dialect] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
    "converse": converse,
}
