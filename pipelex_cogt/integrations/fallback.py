"""Falling back: the next model of a chain is called where the one before it cannot answer.

from pipelex_cogt.integrations import fallback, openai

def ask(llm):
    return openai.client(llm).chat.completions.create(messages=messages, **openai.arguments(llm))

answer = fallback.call(deck.resolve_all("llm_to_reason", ready=True), ask)

The function may call any SDK: what it raises is judged by the HTTP status that the exception carries, by its class
where nothing was answered, and by its words where one status means several things.

    next            no connection, time is up, 408, 409, 425, 429, 5xx
    next, loudly    401, 402, 403, 404, 410, an account without credit, a prompt too long for the model, a backend that
                    cannot be called: a warning in the log, for somebody has to mend it
    stop            whatever else is raised: the other models would fail alike
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import Any, NamedTuple, TypeVar

from pipelex_cogt.errors import CallFailure, CogtError, FallbackError
from pipelex_cogt.models.model_deck import ResolvedLLM
from pipelex_cogt.visible import visible

T = TypeVar("T")
_log = logging.getLogger("pipelex_cogt")


class Reason(NamedTuple):
    """Why another model may answer where one has failed.

    Attributes:
        words: Why, said of the model that has failed.
        is_loud: Whether somebody has to mend it.
    """

    words: str
    is_loud: bool = False


_UNREACHED = Reason("it cannot be reached")
_SLOW = Reason("it took too long")
_BUSY = Reason("it is asked too often")
_IN_TROUBLE = Reason("its backend is in trouble")
_KEY_REFUSED = Reason("its key is refused", is_loud=True)
_FORBIDDEN = Reason("its key may not use it", is_loud=True)
_NO_CREDIT = Reason("its account has no credit left", is_loud=True)
_NOT_THERE = Reason("its backend does not know the model or the address", is_loud=True)
_NO_CREDENTIALS = Reason("its credentials are missing", is_loud=True)
_TOO_LONG = Reason("the prompt is too long for it", is_loud=True)
_NOT_CALLABLE = Reason("it cannot be called from here", is_loud=True)

_FAILURES = range(400, 600)
"""The statuses of requests that have failed."""

_BY_STATUS: Mapping[int, Reason] = {
    401: _KEY_REFUSED,
    402: _NO_CREDIT,
    403: _FORBIDDEN,
    404: _NOT_THERE,
    408: _SLOW,
    409: _BUSY,
    410: _NOT_THERE,
    425: _BUSY,
    429: _BUSY,
    **dict.fromkeys(range(500, 600), _IN_TROUBLE),
}

_BY_CLASS: Mapping[str, Reason] = {
    # Python's own, and those of the libraries below the SDKs: requests, httpx, aiohttp, botocore, google-auth.
    "TimeoutError": _SLOW,
    "Timeout": _SLOW,
    "TimeoutException": _SLOW,
    "ReadTimeoutError": _SLOW,
    "ConnectTimeoutError": _SLOW,
    "ConnectionError": _UNREACHED,
    "TransportError": _UNREACHED,
    "HTTPClientError": _UNREACHED,
    "ClientConnectionError": _UNREACHED,
    "gaierror": _UNREACHED,
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "TokenRetrievalError": _NO_CREDENTIALS,
    "DefaultCredentialsError": _NO_CREDENTIALS,
    "RefreshError": _KEY_REFUSED,
    # OpenAI and Anthropic, and LiteLLM after them.
    "APITimeoutError": _SLOW,
    "APIConnectionError": _UNREACHED,
    "ContextWindowExceededError": _TOO_LONG,
    # Mistral.
    "NoResponseError": _UNREACHED,
    # pydantic-ai.
    "ModelTimeoutError": _SLOW,
    "ModelRequestTimeout": _SLOW,
    "ModelConnectionError": _UNREACHED,
    "ModelRateLimitError": _BUSY,
    "ModelUnavailableError": _IN_TROUBLE,
    "ModelServerError": _IN_TROUBLE,
    "ModelQuotaExceededError": _NO_CREDIT,
    "ModelAuthenticationError": _KEY_REFUSED,
    "ModelNotFoundError": _NOT_THERE,
    "ModelContextWindowExceededError": _TOO_LONG,
    # Ours: a member whose credentials are gone, or whom this SDK does not call.
    "MissingCredentialError": _NO_CREDENTIALS,
    "UnusableCredentialError": _NO_CREDENTIALS,
    "SecretFileError": _NO_CREDENTIALS,
    "SecretSourceError": _NO_CREDENTIALS,
    "CallRefusedError": _NOT_CALLABLE,
    "MissingExtraError": _NOT_CALLABLE,
}
"""Reasons by the name of a class: the SDKs need not be there, and the same name means the same in all of them."""


class _Wording(NamedTuple):
    """What providers say where a status alone does not tell.

    Attributes:
        statuses: The statuses it comes with; None stands for an error in the middle of a stream, which has none.
        phrases: What they say, of which one is enough, in small letters.
        reason: What it means.
    """

    statuses: frozenset[int | None]
    phrases: tuple[str, ...]
    reason: Reason


_BY_WORDS = (
    _Wording(
        frozenset({400, 422, None}),
        (
            "context_length_exceeded",  # OpenAI, Azure, Cerebras, Groq
            "maximum context length",  # OpenRouter, DeepSeek, vLLM, Mistral
            "exceeds the context window",  # OpenAI's Responses
            "prompt is too long",  # Anthropic, Fireworks
            "exceed context limit",  # Anthropic
            "input token count",  # Google
            "input is too long",  # Bedrock
            "maximum prompt length",  # xAI
            "reduce the length of the messages",  # Groq
            "too many tokens",  # Cohere
            "`inputs` tokens + `max_new_tokens` must be",  # Together, with 422
            "longer than the model's context length",  # SGLang
            "exceeds the available context size",  # llama.cpp
        ),
        _TOO_LONG,
    ),
    _Wording(
        frozenset({400, None}),
        ("invalid_api_key", "api_key_invalid", "api key not valid", "api key expired", "incorrect api key"),
        _KEY_REFUSED,
    ),
    _Wording(
        frozenset({400, 403, 429, None}),
        (
            "insufficient_quota",  # OpenAI, Azure
            "billing_hard_limit_reached",
            "credit balance is too low",  # Anthropic
            "billing_error",
            "insufficient balance",  # Moonshot, Z.AI
        ),
        _NO_CREDIT,
    ),
    _Wording(
        frozenset({None}),
        ("rate_limit", "throttlingexception", "too_many_requests"),
        _BUSY,
    ),
    _Wording(
        frozenset({None}),
        (
            "overloaded",
            "api_error",
            "server_error",
            "internalserverexception",
            "service_unavailable",
            "serviceunavailableexception",
            "modelstreamerrorexception",
            "modeltimeoutexception",
        ),
        _IN_TROUBLE,
    ),
)


def call(members: Iterable[ResolvedLLM], function: Callable[[ResolvedLLM], T]) -> T:
    """What a function answers, called with the first model; with the next where that one cannot answer, and so on.

    Each member has its own parameters, and its SDK tries a failed request again only for the last one, as
    `member.max_retries` says. A stream falls back until the function returns: a function that returns an open stream
    has answered, whatever comes of it later.

    Args:
        members: What `deck.resolve_all(name, ready=True)` gives, first choice first.
        function: Calls one member, and returns what the caller wants of the answer.

    Raises:
        FallbackError: No member has answered; it holds the exception of each.
        Exception: What the function raises where the other members would fail alike; its cause is a `FallbackError`
            with the failures before it, if there were any.
        CogtError: There is no member, or the function returns a coroutine or a generator.
    """
    if iscoroutinefunction(function) or isgeneratorfunction(function):
        # What it raises comes when nobody listens any more.
        problem = "the function returns before it has called anybody"
        raise CogtError(f"{problem}; await fallback.async_call, or return a stream that is open")
    chain = _Chain(members)
    for llm in chain:
        try:
            return function(llm)
        except Exception as error:  # noqa: BLE001 -- because: an SDK raises what it likes, and the chain judges it
            chain.note(llm, error)
    raise chain.exhausted()


async def async_call(members: Iterable[ResolvedLLM], function: Callable[[ResolvedLLM], Awaitable[T]]) -> T:
    """What a function answers, as `call`, where the function is awaited.

    Raises:
        FallbackError: No member has answered; it holds the exception of each.
        Exception: What the function raises where the other members would fail alike; its cause is a `FallbackError`
            with the failures before it, if there were any.
        CogtError: There is no member.
    """
    chain = _Chain(members)
    for llm in chain:
        try:
            return await function(llm)
        except Exception as error:  # noqa: BLE001 -- because: as above
            chain.note(llm, error)
    raise chain.exhausted()


def as_chain(members: Iterable[ResolvedLLM]) -> tuple[ResolvedLLM, ...]:
    """The members as a chain calls them: each but the last knows that another one follows.

    Raises:
        CogtError: There is no member.
    """
    listed = [*members]
    if not listed:
        raise CogtError(
            "there is no model to call; deck.resolve_all(name) gives those of a preset, a model or an alias"
        )
    *followed, last = listed
    return (*(replace(llm, is_followed=True) for llm in followed), last)


def failure_of(llm: ResolvedLLM, error: BaseException) -> CallFailure | None:
    """What is told of a call that failed; None where the other models would fail alike.

    What somebody has to mend is a warning in the log. Nothing of it says what the provider answered, for some repeat
    the key or the prompt.
    """
    reason = reason_to_go_on(error)
    if reason is None:
        return None
    # Our own errors say more, and never a value.
    words = str(error) if isinstance(error, CogtError) else reason.words
    failure = CallFailure(llm.model.name, llm.backend.name, type(error).__name__, status_of(error), words)
    _log.log(logging.WARNING if reason.is_loud else logging.INFO, "%s", failure)
    return failure


def reason_to_go_on(error: BaseException) -> Reason | None:
    """Why another model may answer where an exception came of one; None where it would fail alike."""
    if isinstance(error, BaseExceptionGroup):
        reasons = [*map(reason_to_go_on, error.exceptions)]
        return None if None in reasons else max(filter(None, reasons), key=lambda reason: reason.is_loud)
    return next(filter(None, map(_reason_by_itself, _telling(error))), None)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an exception of any SDK carries; None where it carries none."""
    response = getattr(error, "response", None)
    stated = [getattr(error, name, None) for name in ("status_code", "code", "status", "http_status")]
    if isinstance(response, Mapping):  # botocore's
        stated.append(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    stated.append(getattr(response, "status_code", None))
    # In the middle of a stream, a status says how the stream began.
    return next((int(status) for status in stated if isinstance(status, int) and status in _FAILURES), None)


class _Chain:
    """One way down a chain, and the failures on it."""

    def __init__(self, members: Iterable[ResolvedLLM]) -> None:
        self.members = as_chain(members)
        self.failures: list[CallFailure] = []
        self.errors: list[Exception] = []

    def __iter__(self) -> Iterator[ResolvedLLM]:
        return iter(self.members)

    def note(self, llm: ResolvedLLM, error: Exception) -> None:
        """Keep an exception after which the next member is called, and raise any other."""
        failure = failure_of(llm, error)
        if failure is None:
            error.add_note(visible(f"raised by model {llm.model.name!r} on backend {llm.backend.name!r}"))
            if not self.errors:
                raise error
            raise error from self.exhausted()
        error.add_note(str(failure))
        self.failures.append(failure)
        self.errors.append(error)

    def exhausted(self) -> FallbackError:
        """The failures so far, as an error."""
        heading = f"none of the models of {self.members[0].name!r} that were called has answered"
        return FallbackError.from_failures(heading, self.failures, self.errors)


def _telling(error: BaseException) -> Iterator[BaseException]:
    """An exception with its causes, to the first that tells a status: a wrapper tells by what it wraps."""
    told: BaseException | None = error
    seen: set[int] = set()
    while told is not None and id(told) not in seen:
        yield told
        seen.add(id(told))
        told = told.__cause__ if status_of(told) is None else None


def _reason_by_itself(error: BaseException) -> Reason | None:
    """The reason that one exception tells, without its causes."""
    status = status_of(error)
    of_class = (_BY_CLASS[base.__name__] for base in type(error).__mro__ if base.__name__ in _BY_CLASS)
    return next(of_class, None) or _reason_by_words(error, status) or _BY_STATUS.get(status or 0)


def _reason_by_words(error: BaseException, status: int | None) -> Reason | None:
    wordings = [wording for wording in _BY_WORDS if status in wording.statuses]
    told = _words_of(error, status) if wordings else ""
    return next((wording.reason for wording in wordings if any(map(told.__contains__, wording.phrases))), None)


def _words_of(error: BaseException, status: int | None) -> str:
    """What a provider says of an error, in small letters."""
    response = getattr(error, "response", None)
    told: list[Any] = [getattr(error, name, None) for name in ("code", "type", "body")]
    if isinstance(response, Mapping):
        told.append(response)
    if status is not None:
        told.append(error)
        # A response whose stream nobody has read raises.
        with suppress(Exception):
            told.append(getattr(response, "text", None))
    return " ".join(map(str, told)).lower()
