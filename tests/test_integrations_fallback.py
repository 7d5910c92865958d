"""Falling back: what calls the next model, what stops, what is kept and told of each failure; no SDK is needed."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from pipelex_cogt import (
    CallFailedError,
    CallFailure,
    CallRefusedError,
    CogtError,
    FallbackError,
    MissingCredentialError,
    MissingExtraError,
    ResolvedLLM,
    SecretFileError,
    UnknownNameError,
    UnusableCredentialError,
)
from pipelex_cogt.integrations import fallback
from tests.conftest import Load

FILES = {
    "backends.toml": """
        [a]
        max_retries = 5
        endpoint = "https://a.example.com"
        api_key = "${A_KEY}"
        [b]
        max_retries = 4
        api_key = "${B_KEY}"
    """,
    "backends/off.toml": "",
    "routing.toml": """
        active = "all"
        [profiles.all]
        fallback_order = ["a", "b"]
    """,
    "deck/base.toml": """
        [aliases]
        best = ["m1", "only-b", "only-a"]
        [llm_presets]
        p = { llm_handle = "best", temperature = 0.5 }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}


@pytest.fixture
def members(load: Load) -> tuple[ResolvedLLM, ...]:
    return load(FILES).deck.resolve_all("p")


class FailedError(Exception):
    """An exception of some SDK, with the attributes that it is given."""

    def __init__(self, text: str = "", **attributes: Any) -> None:
        super().__init__(text)
        vars(self).update(attributes)


class Response:
    def __init__(self, status_code: int, text: str = "") -> None:
        self.status_code, self.text = status_code, text


class UnreadResponse:
    status_code = 400

    @property
    def text(self) -> str:
        raise RuntimeError("the stream was not read")


def named(name: str, text: str = "", *bases: type[Exception], **attributes: Any) -> Exception:
    """An exception whose class has a name."""
    error: Exception = type(name, (*bases, FailedError), {})(text, **attributes)
    return error


def boto_error(code: str, text: str, status: int | None) -> Exception:
    metadata = {} if status is None else {"HTTPStatusCode": status}
    return FailedError(text, response={"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata})


def caused(by: BaseException) -> Exception:
    wrapper = RuntimeError("a wrapper")
    wrapper.__cause__ = by
    return wrapper


NEXT = {
    "408": FailedError(status_code=408),
    "409": FailedError(status_code=409),
    "425": FailedError(status_code=425),
    "429": FailedError(status_code=429),
    "500": FailedError(status_code=500),
    "502 as google-genai has it": FailedError(code=502),
    "503 as httpx and requests have it": FailedError(response=Response(503)),
    "504 as aiohttp has it": FailedError(status=504),
    "529": FailedError(status_code=529),
    "a member of HTTPStatus": FailedError(status_code=HTTPStatus.TOO_MANY_REQUESTS),
    "429 as botocore has it": boto_error("ThrottlingException", "slow down", 429),
    "botocore in a stream": boto_error("throttlingException", "slow down", None),
    "anthropic in a stream": FailedError(status_code=200, body={"error": {"type": "overloaded_error"}}),
    "openai in a stream": FailedError(code="rate_limit_exceeded", body={"message": "slow down"}),
    "no connection": ConnectionRefusedError(),
    "time is up": TimeoutError(),
    "no connection, in an SDK's words": named("APITimeoutError"),
    "no connection, in a transport's words": named("ReadError", "", type("TransportError", (Exception,), {})),
    "a wrapper of a 500": caused(FailedError(status_code=500)),
    "a wrapper of no connection": caused(caused(ConnectionResetError())),
    "a group of both": ExceptionGroup("two", [FailedError(status_code=500), TimeoutError()]),
}

NEXT_LOUDLY = {
    "401": (FailedError(status_code=401), "its key is refused"),
    "402": (FailedError(status_code=402), "its account has no credit left"),
    "403": (FailedError(status_code=403), "its key may not use it"),
    "404": (FailedError(status_code=404), "its backend does not know the model or the address"),
    "410": (FailedError(status_code=410), "its backend does not know the model or the address"),
    "quota": (FailedError("{'code': 'insufficient_quota'}", status_code=429), "its account has no credit left"),
    "quota, by code": (FailedError(status_code=429, code="insufficient_quota"), "its account has no credit left"),
    "credit": (FailedError("Your credit balance is too low", status_code=400), "its account has no credit left"),
    "key": (FailedError("API key not valid. Please pass a valid one", code=400), "its key is refused"),
    "context, by code": (
        FailedError("400 - {'code': 'context_length_exceeded'}", status_code=400),
        "the prompt is too long for it",
    ),
    "context, by message": (FailedError("Prompt is too long: 9", status_code=400), "the prompt is too long for it"),
    "context, by body": (
        FailedError(response=Response(400, '{"message": "This model\'s maximum context length is 9 tokens"}')),
        "the prompt is too long for it",
    ),
    "context, as Cohere has it": (
        FailedError("too many tokens: size limit exceeded by 9 tokens", status_code=400),
        "the prompt is too long for it",
    ),
    "context, as Together has it": (
        FailedError("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9", status_code=422),
        "the prompt is too long for it",
    ),
    "context, as botocore has it": (
        boto_error("ValidationException", "Input is too long for requested model.", 400),
        "the prompt is too long for it",
    ),
    "context, by class": (named("ContextWindowExceededError", status_code=400), "the prompt is too long for it"),
    "no AWS credentials": (named("NoCredentialsError"), "its credentials are missing"),
    "an expired Google token": (named("RefreshError"), "its key is refused"),
    "a group of both": (
        ExceptionGroup("two", [FailedError(status_code=500), FailedError(status_code=401)]),
        "its key is refused",
    ),
    "a credential that went away": (
        missing := MissingCredentialError("a", ("A_KEY",), "cogt.backends.a.api_key", "backends.toml:3"),
        str(missing),
    ),
    "a credential that cannot work": (
        unusable := UnusableCredentialError("a", "A", "cogt.backends.a.api_key", "A", "A holds a tab"),
        str(unusable),
    ),
    "a secret's file": (unread := SecretFileError("/run/secrets/a", "expected UTF-8 text"), str(unread)),
    "an SDK that does not call it": (refused := CallRefusedError("m1", "a", "is another's", "do that"), str(refused)),
    "an SDK that is not there": (absent := MissingExtraError("openai", "openai"), str(absent)),
}

STOP = {
    "400": FailedError("'temperature' is not supported", status_code=400),
    "400 whose stream nobody read": FailedError(response=UnreadResponse()),
    "413": FailedError("prompt is too long", status_code=413),
    "422": FailedError(status_code=422),
    "a wrapper of a 400": caused(FailedError(status_code=400)),
    "a 400 that a 500 caused": named("Refused", status_code=400),
    "a mistake of the function": KeyError("choices"),
    "an answer that does not fit": ValueError("expected JSON"),
    "an unknown name": UnknownNameError("nope", "preset"),
    "a group with a mistake": ExceptionGroup("two", [FailedError(status_code=500), KeyError("choices")]),
}
STOP["a 400 that a 500 caused"].__cause__ = FailedError(status_code=500)


class Provider:
    """Answers each call with what the script says, and keeps who was called."""

    def __init__(self, *script: Any) -> None:
        self.script, self.called = [*script], list[ResolvedLLM]()

    def ask(self, llm: ResolvedLLM) -> Any:
        self.called.append(llm)
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def ask_async(self, llm: ResolvedLLM) -> Any:
        await asyncio.sleep(0)
        return self.ask(llm)


def test_the_first_that_answers_is_the_last_that_is_called(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider("hello")
    assert fallback.call(members, provider.ask) == "hello"
    assert [llm.model.name for llm in provider.called] == ["m1"]


@pytest.mark.parametrize("error", NEXT.values(), ids=NEXT)
def test_the_next_is_called(
    members: tuple[ResolvedLLM, ...], error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(error, "hello")
    with caplog.at_level(logging.INFO, logger="pipelex_cogt"):
        assert fallback.call(members, provider.ask) == "hello"
    assert [llm.model.name for llm in provider.called] == ["m1", "only-b"]
    assert [record.levelname for record in caplog.records] == ["INFO"]


@pytest.mark.parametrize(("error", "reason"), NEXT_LOUDLY.values(), ids=NEXT_LOUDLY)
def test_the_next_is_called_and_somebody_hears_of_it(
    members: tuple[ResolvedLLM, ...], error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(error, "hello")
    assert fallback.call(members, provider.ask) == "hello"
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("pipelex_cogt", "WARNING")
    assert record.getMessage().startswith("model 'm1' on backend 'a' failed with ")
    assert record.getMessage().endswith(f": {reason}")


@pytest.mark.parametrize("error", STOP.values(), ids=STOP)
def test_what_would_fail_alike_stops(members: tuple[ResolvedLLM, ...], error: Exception) -> None:
    provider = Provider(error, "hello")
    with pytest.raises(type(error)) as caught:
        fallback.call(members, provider.ask)
    assert caught.value is error
    assert len(provider.called) == 1
    assert "raised by model 'm1' on backend 'a'" in caught.value.__notes__


def test_a_stop_keeps_the_failures_before_it(members: tuple[ResolvedLLM, ...]) -> None:
    first, second = FailedError(status_code=503), FailedError(status_code=422)
    with pytest.raises(FailedError) as caught:
        fallback.call(members, Provider(first, second).ask)
    assert caught.value is second
    before = caught.value.__cause__
    assert isinstance(before, FallbackError)
    assert before.exceptions == (first,)


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), asyncio.CancelledError(), SystemExit(429)])
def test_who_ends_the_program_ends_the_chain(members: tuple[ResolvedLLM, ...], raised: BaseException) -> None:
    provider = Provider(raised, "hello")
    with pytest.raises(type(raised)):
        fallback.call(members, provider.ask)
    assert len(provider.called) == 1


def test_every_failure_is_kept_where_none_answers(members: tuple[ResolvedLLM, ...]) -> None:
    errors = [named("RateLimitError", status_code=429), named("AuthenticationError", status_code=401), TimeoutError()]
    with pytest.raises(FallbackError) as caught:
        fallback.call(members, Provider(*errors).ask)
    assert caught.value.exceptions == tuple(errors)
    assert caught.value.failures == (
        CallFailure("m1", "a", "RateLimitError", 429, "it is asked too often"),
        CallFailure("only-b", "b", "AuthenticationError", 401, "its key is refused"),
        CallFailure("only-a", "a", "TimeoutError", None, "it took too long"),
    )
    assert str(caught.value) == (
        "none of the models of 'p' that were called has answered\n"
        "  model 'm1' on backend 'a' failed with RateLimitError 429: it is asked too often\n"
        "  model 'only-b' on backend 'b' failed with AuthenticationError 401: its key is refused\n"
        "  model 'only-a' on backend 'a' failed with TimeoutError: it took too long"
    )
    assert caught.value.__context__ is None


def test_each_exception_says_whose_it_is(members: tuple[ResolvedLLM, ...]) -> None:
    with pytest.raises(FallbackError) as caught:
        fallback.call(members[:1], Provider(TimeoutError()).ask)
    text = "model 'm1' on backend 'a' failed with TimeoutError: it took too long"
    assert caught.value.exceptions[0].__notes__ == [text]
    assert "".join(traceback.format_exception(caught.value)).count(text) == 2


def test_parts_of_the_failures_keep_what_is_told_of_them(members: tuple[ResolvedLLM, ...]) -> None:
    with pytest.raises(FallbackError) as caught:
        fallback.call(members, Provider(TimeoutError(), FailedError(status_code=500), TimeoutError()).ask)
    slow, rest = caught.value.split(TimeoutError)
    assert isinstance(slow, FallbackError)
    assert isinstance(rest, FallbackError)
    assert [failure.model for failure in slow.failures] == ["m1", "only-a"]
    assert [failure.model for failure in rest.failures] == ["only-b"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_pickle_leaves_the_exceptions_of_sdks_behind(members: tuple[ResolvedLLM, ...], copied: Any) -> None:
    class LocalError(Exception):
        """No pickle can name it, and it holds a key."""

        status_code = 500
        key = "sk-canary"

    ours = MissingCredentialError("a", ("B_KEY",), "cogt.backends.b.api_key", "backends.toml:3")
    with pytest.raises(FallbackError) as caught:
        fallback.call(members[:2], Provider(LocalError(), ours).ask)
    arrived = copied(caught.value)
    assert str(arrived) == str(caught.value)
    assert arrived.failures == caught.value.failures
    assert [type(error) for error in arrived.exceptions] == [CallFailedError, MissingCredentialError]
    assert str(arrived.exceptions[0]) == str(caught.value.failures[0])
    assert b"sk-canary" not in pickle.dumps(caught.value)


def test_nothing_that_a_provider_says_is_logged(
    members: tuple[ResolvedLLM, ...], caplog: pytest.LogCaptureFixture
) -> None:
    told = FailedError("Incorrect API key: sk-canary", status_code=401, body={"key": "sk-canary"})
    with caplog.at_level(logging.DEBUG), pytest.raises(FallbackError) as caught:
        fallback.call(members[:1], Provider(told).ask)
    assert "sk-canary" not in caplog.text
    assert "sk-canary" not in str(caught.value)


def test_sdks_retry_only_for_the_last(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider(TimeoutError(), TimeoutError(), "hello")
    fallback.call(members, provider.ask)
    assert [llm.is_followed for llm in provider.called] == [True, True, False]
    assert [llm.max_retries for llm in provider.called] == [0, 0, 5]
    assert [llm.max_retries for llm in members] == [5, 4, 5]


def test_each_is_called_with_its_own_parameters(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider(TimeoutError(), "hello")
    fallback.call(members, provider.ask)
    assert [llm.parameters for llm in provider.called] == [llm.parameters for llm in members[:2]]


@pytest.mark.parametrize("none", [[], ()])
def test_no_member_is_told(none: Any) -> None:
    text = "there is no model to call; deck.resolve_all"
    with pytest.raises(CogtError, match=text):
        fallback.call(none, Provider().ask)
    with pytest.raises(CogtError, match=text):
        asyncio.run(fallback.async_call(none, Provider().ask_async))


async def ask_later(llm: ResolvedLLM) -> str:
    raise TimeoutError(llm.name)


def ask_by_and_by(llm: ResolvedLLM) -> Iterator[str]:
    yield llm.name
    raise TimeoutError


@pytest.mark.parametrize("function", [ask_later, ask_by_and_by])
def test_a_function_that_returns_before_it_calls_is_refused(members: tuple[ResolvedLLM, ...], function: Any) -> None:
    text = "the function returns before it has called anybody; await fallback.async_call, or return a stream that is"
    with pytest.raises(CogtError, match=re.escape(text)):
        fallback.call(members, function)


def test_the_next_is_awaited(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider(TimeoutError(), "hello")
    assert asyncio.run(fallback.async_call(members, provider.ask_async)) == "hello"
    assert [llm.is_followed for llm in provider.called] == [True, True]


def test_what_would_fail_alike_stops_what_is_awaited(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider(FailedError(status_code=422), "hello")
    with pytest.raises(FailedError):
        asyncio.run(fallback.async_call(members, provider.ask_async))
    assert len(provider.called) == 1


def test_every_failure_of_what_is_awaited_is_kept(members: tuple[ResolvedLLM, ...]) -> None:
    with pytest.raises(FallbackError) as caught:
        asyncio.run(fallback.async_call(members, Provider(TimeoutError(), TimeoutError(), TimeoutError()).ask_async))
    assert len(caught.value.exceptions) == 3


def test_a_task_that_is_cancelled_calls_nobody_else(members: tuple[ResolvedLLM, ...]) -> None:
    provider = Provider()
    started = asyncio.Event()

    async def hang(llm: ResolvedLLM) -> None:
        provider.called.append(llm)
        started.set()
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(fallback.async_call(members, hang))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert len(provider.called) == 1


def test_the_application_can_ask_the_same_of_its_own_chain() -> None:
    assert fallback.reason_to_go_on(FailedError(status_code=503)) == fallback.Reason("its backend is in trouble")
    assert fallback.reason_to_go_on(FailedError(status_code=400)) is None
