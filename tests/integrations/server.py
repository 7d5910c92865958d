"""One server on the loopback interface that speaks like the providers, refuses what they refuse, and records what came.

    with Provider() as provider:
        client = openai.OpenAI(base_url=provider.url + "/v1", api_key="sk-test")
        client.chat.completions.create(model="gpt-5.4", messages=[{"role": "user", "content": "Hello"}])
        assert provider.requests[-1].body["model"] == "gpt-5.4"

Whose API is asked follows from the path; where that does not tell, `provider.at("deepseek")` is DeepSeek's root.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.integrations.dialects import DIALECTS
from tests.integrations.exchange import TEXT, DialectName, Refusal, Reply, Request, Tokens, Turn
from tests.integrations.refusals import anthropic, gemini, openai, refusal_of
from tests.integrations.schemas import example

Misfortune: TypeAlias = Literal["error", "drop", "hang"]

ROUTES: tuple[tuple[str, DialectName, str], ...] = (
    (r"^/openai/deployments/(?P<model>[^/]+)/chat/completions$", "chat", "azure_openai"),
    (r"^/openai/(v1/)?chat/completions$", "chat", "azure_openai"),
    (r"^/openai/(v1/)?responses$", "responses", "azure_openai"),
    (r"^/v1beta/openai/chat/completions$", "chat", "google"),
    (r"^/v1(beta1)?/projects/[^/]+/locations/[^/]+/endpoints/openapi/chat/completions$", "chat", "vertexai"),
    (r"^(/v1)?/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/:]+):(?P<verb>\w*[rR]awPredict)$",
     "messages", "vertexai"),
    (r"^/v1(beta1)?/(projects/[^/]+/locations/[^/]+/)?publishers/google/models/(?P<model>[^/:]+):(?P<verb>\w+)$",
     "gemini", "vertexai"),
    (r"^/v1(beta|alpha)?/models/(?P<model>[^/:]+):(?P<verb>\w+)$", "gemini", "google"),
    (r"^/model/(?P<model>[^/]+)/(?P<verb>invoke|invoke-with-response-stream)$", "messages", "bedrock"),
    (r"^/model/(?P<model>[^/]+)/(?P<verb>converse|converse-stream)$", "converse", "bedrock"),
    (r"^/v1/messages$", "messages", "anthropic"),
    (r"^/v1/chat/completions$", "chat", "openai"),
    (r"^/v1/responses$", "responses", "openai"),
    (r"^(/[\w.-]+)*/chat/completions$", "chat", "compatible"),
    (r"^(/[\w.-]+)*/responses$", "responses", "compatible"),
)  # fmt: skip
"""The path of each call, the dialect it speaks, and whose API it is."""

ROOTS = {
    "openai": "/v1",
    "anthropic": "/v1",
    "xai": "/v1",
    "mistral": "/v1",
    "cohere": "/compatibility/v1",
    "deepseek": "(/v1)?",
    "groq": "/openai/v1",
    "cerebras": "/v1",
    "fireworks": "/inference/v1",
    "together_ai": "/v1",
    "openrouter": "/api/v1",
    "ollama": "/v1",
    "bedrock": "(/openai)?/v1",
}
"""Where the hosts of OpenAI's dialects have them: anything else is not found there."""

AWS_ERRORS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
STREAM_TYPES = {True: "application/vnd.amazon.eventstream", False: "text/event-stream"}
TOKEN = {"access_token": "ya29.loopback", "expires_in": 3600, "token_type": "Bearer"}
"""What Google's token endpoint (`/token`) hands out for any assertion."""


@dataclass(frozen=True)
class Planned:
    """What will happen to the next request that fits, instead of an answer."""

    what: Misfortune
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    host: str | None = None

    def meets(self, request: Request) -> bool:
        return self.model in (None, request.model) and self.host in (None, request.host)


class Provider:
    """The server; a context manager that listens while it is entered.

    Args:
        keys: The keys that exist; None where every key is good.
        models: The ids of the models that exist; None where every model does.
        limits: The most output tokens of a model, by its id, beside those that the server knows.
    """

    def __init__(
        self,
        *,
        keys: Collection[str] | None = None,
        models: Collection[str] | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.keys = keys
        self.models = models
        self.limits: Mapping[str, int] = limits or {}
        self.tokens = Tokens()
        self._text: str | None = None
        self._requests: list[Request] = []
        self._plans: list[Planned] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = LoopbackServer(("127.0.0.1", 0), Handler)
        self._server.provider = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The root, without a slash at its end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def at(self, host: str) -> str:
        """Return the root of a host of that name (a backend's): `provider.at("groq") + "/openai/v1"`."""
        return f"{self.url}/as/{host}"

    @property
    def requests(self) -> list[Request]:
        """Every request so far, the latest last."""
        with self._lock:
            return list(self._requests)

    def answer(self, text: str | None) -> None:
        """Answer every request with this text from now on; None for what the server would say by itself."""
        self._text = text

    def fail_next(
        self,
        status: int,
        body: Any = None,
        *,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        model: str | None = None,
        host: str | None = None,
    ) -> None:
        """Answer the next requests with an error, in the words of their dialect unless `body` has others."""
        self._plan(times, Planned("error", status, body, headers or {}, model, host))

    def drop_next(self, times: int = 1, *, model: str | None = None, host: str | None = None) -> None:
        """Close the connection of the next requests without a word."""
        self._plan(times, Planned("drop", model=model, host=host))

    def hang_next(self, times: int = 1, *, model: str | None = None, host: str | None = None) -> None:
        """Leave the next requests without an answer, until the server closes."""
        self._plan(times, Planned("hang", model=model, host=host))

    def _plan(self, times: int, planned: Planned) -> None:
        with self._lock:
            self._plans.extend([planned] * times)

    def planned_for(self, request: Request) -> Planned | None:
        """Take the first plan that meets a request."""
        with self._lock:
            found = next((plan for plan in self._plans if plan.meets(request)), None)
            if found:
                self._plans.remove(found)
            return found

    def record(self, request: Request) -> None:
        """Keep a request before it is answered, so that whoever has the answer finds it."""
        with self._lock:
            self._requests.append(request)

    def wait_for_the_end(self) -> None:
        """Wait until the server closes."""
        self._closing.wait()

    def reply(self, request: Request, turn: Turn) -> Reply:
        """Return what the model says: a call of the next tool, else the text, else JSON of the schema."""
        thought = turn.reasons or (anthropic if request.dialect == "messages" else openai).reasons(request)
        if turn.tools and (turn.forced or not turn.after_a_result):
            fresh = [name for name in turn.tools if name not in turn.called]
            tool = turn.forced_tool or (fresh or list(turn.tools))[0 if fresh else -1]
            return Reply("", tool, example(turn.tools[tool]), reasons=thought)
        text = TEXT if turn.schema is None else json.dumps(example(turn.schema))
        return Reply(self._text if self._text is not None else text, reasons=thought)


class LoopbackServer(ThreadingHTTPServer):
    """A server whose threads end with the process, and which knows the provider it speaks for."""

    daemon_threads = True
    provider: Provider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away in the middle."""


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer goes out in two writes, and the second would wait for a delayed ACK
    server: LoopbackServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- because: the base class calls it so
        """Write nothing: the records are what tests look at."""

    def do_GET(self) -> None:
        """Answer what SDKs ask beside the calls: the list of models."""
        request = self.arrived(b"")
        names = sorted(self.server.provider.models or ())
        self.server.provider.record(replace(request, status=200))
        self.say(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def do_POST(self) -> None:
        """Answer a call, refuse it, or do what a test planned."""
        provider = self.server.provider
        request = self.arrived(self.rfile.read(int(self.headers.get("content-length", 0))))
        planned = provider.planned_for(request)
        if planned and planned.what != "error":
            self.vanish(request, planned.what)
        elif planned:
            self.refuse(request, Refusal(f"planned: {planned.status}", planned.status), planned)
        elif request.path.endswith("/token"):
            provider.record(replace(request, status=200))
            self.say(200, TOKEN)
        elif request.dialect is None:
            self.refuse(request, Refusal(f"No API has the path {request.path}.", 404))
        else:
            self.judge(request)

    def arrived(self, content: bytes) -> Request:
        """Return the request as a record, with whose API it asks and what of it."""
        split = urlsplit(self.path)
        named = re.match(r"^/as/([\w.-]+)(/.*)$", split.path)
        raw = named[2] if named else split.path
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(raw), dict(parse_qsl(split.query)), headers, parsed(content), "")
        for pattern, dialect, owner in ROUTES:
            found = re.match(pattern, raw)
            if found:
                host = named[1] if named else owner
                return self.routed(replace(request, host=host, dialect=dialect), found.groupdict())
        return replace(request, host=named[1] if named else "")

    def routed(self, request: Request, groups: Mapping[str, str | None]) -> Request:
        """Return the request with its model, and whether it is to be streamed, from the path or from the body."""
        verb = groups.get("verb") or ""
        root = ROOTS.get(request.host)
        missing = request.dialect in ("chat", "responses") and root and not re.match(rf"^{root}/\w", request.path)
        return replace(
            request,
            model=unquote(groups.get("model") or "") or str(request.body.get("model", "")),
            stream="stream" in verb.lower() or request.body.get("stream") is True,
            dialect=None if missing else request.dialect,
        )

    def judge(self, request: Request) -> None:
        provider = self.server.provider
        assert request.dialect is not None
        refusal = refusal_of(request, provider.keys, provider.models, provider.limits)
        if refusal:
            self.refuse(request, refusal)
            return
        dialect = DIALECTS[request.dialect]
        reply = provider.reply(request, dialect.turn(request.body))
        lost = {"chat": openai.ignored, "gemini": gemini.ignored}.get(request.dialect, lambda _: ())(request)
        provider.record(replace(request, status=200, ignored=lost))
        if request.stream:
            self.pour(request, dialect.stream(request, reply, provider.tokens))
        else:
            self.say(200, dialect.answer(request, reply, provider.tokens))

    def refuse(self, request: Request, refusal: Refusal, planned: Planned | None = None) -> None:
        """Answer with an error in the words of the dialect, with OpenAI's where there is none."""
        self.server.provider.record(replace(request, status=refusal.status))
        on_aws = request.path.startswith("/model/")
        body = DIALECTS["converse" if on_aws else request.dialect or "chat"].error(refusal)
        headers = {"x-amzn-errortype": AWS_ERRORS.get(refusal.status, "InternalServerException")} if on_aws else {}
        if planned:
            headers |= planned.headers
            body = body if planned.body is None else planned.body
        self.say(refusal.status, body, headers)

    def vanish(self, request: Request, what: Misfortune) -> None:
        provider = self.server.provider
        provider.record(request)
        if what == "hang":
            provider.wait_for_the_end()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def say(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "x-request-id": "req_loopback",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def pour(self, request: Request, pieces: Iterator[bytes]) -> None:
        """Send a streamed answer, piece by piece."""
        self.send_response(200)
        self.send_header("content-type", STREAM_TYPES[request.path.startswith("/model/")])
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (*pieces, b""):
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")


def parsed(content: bytes) -> Mapping[str, Any]:
    """Return a body as a table: JSON, or a form."""
    if not content:
        return {}
    if content.lstrip().startswith(b"{"):
        body: Mapping[str, Any] = json.loads(content)
        return body
    return dict(parse_qsl(content.decode()))
