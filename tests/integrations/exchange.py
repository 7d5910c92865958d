"""What arrives at the loopback server and what it says: requests, replies, refusals, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

DialectName: TypeAlias = Literal["chat", "responses", "messages", "gemini", "converse"]
JSON: TypeAlias = Mapping[str, Any]

TEXT = "The loopback server says hello."


@dataclass(frozen=True)
class Request:
    """One request as it arrived, with the status of its answer."""

    method: str
    path: str
    """As at the live host: without the `/as/<host>` of `Provider.at`, and without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their name in lower case."""
    body: JSON
    host: str
    """Whose API was asked: the name of a backend (`openai`, `azure_openai`, `bedrock`, …)."""
    dialect: DialectName | None = None
    model: str = ""
    """The model's id, wherever this dialect writes it: in the body or in the path."""
    stream: bool = False
    status: int = 0
    """The HTTP status of the answer; 0 where the connection was dropped or left hanging."""
    ignored: tuple[str, ...] = ()
    """Parameters that the live API takes without a word and without effect."""


@dataclass(frozen=True)
class Tokens:
    """How many tokens every answer says that it took, `input` and `output` with all their parts."""

    input: int = 120
    cached: int = 20
    cache_write: int = 8
    output: int = 30
    reasoning: int = 10


@dataclass(frozen=True)
class Turn:
    """What a request asks of the next turn."""

    schema: JSON | None = None
    """The JSON Schema of the answer; an empty one for any object."""
    tools: Mapping[str, JSON] = field(default_factory=dict)
    """The schema of each tool's arguments. None of them, where the request forbids tools."""
    forced: bool = False
    """Whether a tool must be called."""
    forced_tool: str | None = None
    called: tuple[str, ...] = ()
    """The tools that the conversation has called so far."""
    after_a_result: bool = False
    """Whether the last thing said is a tool's result."""
    reasons: bool = False
    """Whether this dialect would show that the model reasoned."""


@dataclass(frozen=True)
class Reply:
    """What the model answers: a text, or a call of one tool."""

    text: str = ""
    tool: str | None = None
    arguments: JSON = field(default_factory=dict)
    reasons: bool = False

    @property
    def pieces(self) -> list[str]:
        """The text in the pieces in which it is streamed."""
        words = self.text.split(" ")
        return [words[0], *(f" {word}" for word in words[1:])]


@dataclass(frozen=True)
class Refusal:
    """What the live API refuses, and in which words."""

    message: str
    status: int = 400
    param: str | None = None
    code: str | None = None
