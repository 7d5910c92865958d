"""OpenAI's SDK: a resolved preset called at OpenAI, at Azure, and wherever somebody speaks OpenAI's API.

from pipelex_cogt.integrations import openai

client = openai.client(llm)
client.chat.completions.create(messages=[{"role": "user", "content": "Hello"}], **openai.arguments(llm))
client.responses.create(input="Hello", **openai.arguments(llm))      # where llm.model.api is "responses"

It calls models whose `sdk` is `openai` or `openai_compatible`, on Azure, Bedrock and Vertex AI too, and those of
`anthropic`, `google` and `mistral` through the door that each of these keeps for OpenAI's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pipelex_cogt.config.tables import thaw, without_none
from pipelex_cogt.integrations.clients import Clients
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.headers import shown_headers
from pipelex_cogt.integrations.openai_classes import settled
from pipelex_cogt.integrations.openai_doors import Door, Key, asked_later, asked_now, check, find_door
from pipelex_cogt.integrations.places import variant_of
from pipelex_cogt.model_backends.model_spec import ModelApi
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.call_parameters import CallParameters
from pipelex_cogt.models.model_deck import ResolvedLLM

_CLIENTS = Clients()
_TOKEN_LIMITS = {"openai": "max_completion_tokens"}
"""What chat calls the token limit, by `sdk`: OpenAI's own models refuse `max_tokens`, which is what it is called with
any other, for some who imitate OpenAI ignore `max_completion_tokens`."""
_COUNTS_UNASKED = ("mistral",)
"""The `sdk` of those who count the tokens of every stream, and refuse to be asked for it."""
_TEXTS = ("response.output_text.delta", "response.refusal.delta")
_ENDS = ("response.completed", "response.incomplete")


def arguments(llm: ResolvedLLM) -> dict[str, Any]:
    """What a call is sent besides its messages: `client.chat.completions.create(messages=…, **arguments(llm))`.

    Where `llm.model.api` is `responses`, it is `client.responses.create(input=…, **arguments(llm))`. It needs no SDK.
    No key is in it, and of the model's headers those that anybody may see: `client(llm)` sends the others. What
    `extra_body` states is in it as it is, for that is what the request carries.

    Raises:
        CallRefusedError: OpenAI's SDK cannot call this model.
        MissingCredentialError: Its `model_id` is a reference that no source answers.
    """
    check(llm)
    parameters, model = llm.parameters, llm.model
    named = _on_responses(parameters) if model.api is ModelApi.RESPONSES else _on_chat(parameters, model.sdk)
    shared = {
        "model": model.model_id,
        "timeout": parameters.timeout,
        "extra_headers": shown_headers(model),
        "extra_body": {**_in_body(parameters, model.sdk), **thaw(parameters.extra_body)},
    }
    stated = {**shared, **named}.items()
    return {name: value for name, value in stated if value is not None and value not in ({}, [])}


def client(llm: ResolvedLLM) -> Any:
    """The SDK's client for the backend of a model: an `openai.OpenAI`, or an `openai.AzureOpenAI`.

    Each backend has one, which is built when it is first asked for. Keys and headers are answered for each request, so
    that it uses a rotated key by itself; one that is missing then raises before anything is sent. Nothing that the
    environment says to the SDK changes where it goes and what it shows there, but for the chains of AWS and Google.

    Raises:
        CallRefusedError: The SDK cannot call the model, or does not know where or with what.
        MissingCredentialError: The endpoint is a reference that no source answers.
        MissingExtraError: The SDK is not installed.
    """
    door, sdk = find_door(llm), import_sdk("openai", "openai")
    build = partial(_build, getattr(sdk, door.client), door, asked_now, llm)
    return _CLIENTS.get(llm.backend, variant_of(llm), build)


def async_client(llm: ResolvedLLM) -> Any:
    """The same for `await`: an `openai.AsyncOpenAI`, or an `openai.AsyncAzureOpenAI`, one for each event loop.

    `async with openai.async_client(llm) as client:` closes it, as the SDK wants before a loop ends.

    Raises:
        CallRefusedError: The SDK cannot call the model, or does not know where or with what.
        MissingCredentialError: The endpoint is a reference that no source answers.
        MissingExtraError: The SDK is not installed.
    """
    door, sdk = find_door(llm), import_sdk("openai", "openai")
    build = partial(_build, getattr(sdk, f"Async{door.client}"), door, asked_later, llm)
    return _CLIENTS.get_async(llm.backend, variant_of(llm), build)


def stream(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    """What a model answers to one prompt: its text in the pieces in which it comes, then the usage, where it is told.

    Raises:
        CallRefusedError: The SDK cannot call the model, or does not know where or with what.
        MissingCredentialError: A key or the endpoint is a reference that no source answers.
        MissingExtraError: The SDK is not installed.
    """
    ask = _stream_responses if llm.model.api is ModelApi.RESPONSES else _stream_chat
    return ask(llm, prompt)


def _on_chat(parameters: CallParameters, sdk: str) -> Mapping[str, Any]:
    """Parameters as chat calls them: https://platform.openai.com/docs/api-reference/chat/create."""
    return {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        _TOKEN_LIMITS.get(sdk, "max_tokens"): parameters.max_tokens,
        "reasoning_effort": parameters.reasoning_effort and parameters.reasoning_effort.value,
        "seed": None if sdk in _SEEDS else parameters.seed,
        "stop": [*parameters.stop],
    }


def _on_responses(parameters: CallParameters) -> Mapping[str, Any]:
    """Parameters as responses call them: https://platform.openai.com/docs/api-reference/responses/create."""
    effort = parameters.reasoning_effort
    return {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "max_output_tokens": parameters.max_tokens,
        "reasoning": effort and {"effort": effort.value},
    }


_SEEDS = {"mistral": "random_seed"}
"""What a seed is called where OpenAI's name for it is refused, by `sdk`."""
_BUDGETS: Mapping[str, Callable[[int], Mapping[str, Any]]] = {
    # https://docs.anthropic.com/en/api/openai-sdk#extended-thinking-support
    "anthropic": lambda budget: {"thinking": {"type": "enabled", "budget_tokens": budget}},
    # https://ai.google.dev/gemini-api/docs/openai#thinking
    "google": lambda budget: {"extra_body": {"google": {"thinking_config": {"thinking_budget": budget}}}},
}
"""A budget in tokens, which OpenAI's API has not, as a body carries it, by `sdk`."""


def _in_body(parameters: CallParameters, sdk: str) -> Mapping[str, Any]:
    """The parameters that OpenAI's SDK has no argument for."""
    body: dict[str, Any] = {}
    if parameters.seed is not None and sdk in _SEEDS:
        body[_SEEDS[sdk]] = parameters.seed
    if parameters.reasoning_budget is not None and sdk in _BUDGETS:
        body |= _BUDGETS[sdk](parameters.reasoning_budget)
    return body


def _build(sdk_class: type, door: Door, kind: Callable[[Key], Any], llm: ResolvedLLM) -> Any:
    limits = without_none({"timeout": llm.backend.timeout, "max_retries": llm.max_retries})
    return settled(sdk_class, llm)(**door.build(kind), **limits)


def _stream_chat(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    counting = {} if llm.model.sdk in _COUNTS_UNASKED else {"stream_options": {"include_usage": True}}
    messages = [{"role": "user", "content": prompt}]
    counted = None
    with client(llm).chat.completions.create(messages=messages, stream=True, **counting, **arguments(llm)) as chunks:
        for chunk in chunks:
            yield from filter(None, (choice.delta.content or choice.delta.refusal for choice in chunk.choices))
            counted = chunk if chunk.usage else counted
    if counted is not None:
        yield Usage.of(counted)


def _stream_responses(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    with client(llm).responses.create(input=prompt, stream=True, **arguments(llm)) as events:
        for event in events:
            if event.type in _TEXTS:
                yield event.delta
            elif event.type == "response.failed":
                raise _failure(event.response, events.response.request)
            elif event.type in _ENDS and event.response.usage:
                yield Usage.of(event.response)


def _failure(response: Any, request: Any) -> Exception:
    """The SDK's own error for a response that fails on its way, which the SDK passes on as an event."""
    error = response.error
    told = error.message if error else "the response failed"
    raised: Exception = import_sdk("openai", "openai").APIError(told, request=request, body=error and error.to_dict())
    return raised
