"""Google's SDK, google-genai: Gemini on its own API and on Vertex AI.

from pipelex_cogt.integrations import google

client = google.client(llm)
client.models.generate_content(contents="Hello", **google.arguments(llm))
await google.async_client(llm).models.generate_content(contents="Hello", **google.arguments(llm))

What an application adds to the configuration of a call, such as a schema, it gives by name:

client.models.generate_content(contents="Hello", **google.arguments(llm, response_schema=Answer))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.tables import thaw, without_none
from pipelex_cogt.integrations.clients import Clients, apart
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.headers import asked_headers, merge_headers, shown_headers
from pipelex_cogt.integrations.places import own_endpoint, own_key, variant_of, vertex_credentials, vertex_place
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.model_spec import ReasoningEffort
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

_CLIENTS = Clients()

_VERSIONS: Mapping[Platform, str] = {Platform.OWN: "v1beta", Platform.VERTEX: "v1beta1"}
"""The version of the API on each platform, where the endpoint states none."""
_VERSION = re.compile(r"v\d\w*")
_KEY_HEADER = "x-goog-api-key"
_ASKED_LATER = "asked-for-at-each-request"
"""What the SDK is given as a key, for it takes a text and keeps it."""


# The arguments of a call


def arguments(llm: ResolvedLLM, **config: Any) -> dict[str, Any]:
    """What `models.generate_content` is sent beside the contents. It needs no SDK, and holds no key.

    Headers of the model that are secret are the client's: `client(llm)` sends them.

    Args:
        llm: What to call.
        **config: What else the configuration holds, such as `response_schema` or `tools`; it wins over the settings.

    Returns:
        `model`, and as `config` a dictionary of what the preset and the model state.

    Raises:
        CallRefusedError: The SDK cannot call this model.
        MissingCredentialError: The `model_id` is a reference that no source answers.
    """
    _platform(llm)
    parameters = llm.parameters
    http_options = {
        "timeout": _milliseconds(parameters.timeout),
        "headers": shown_headers(llm.model) or None,
        "extra_body": thaw(parameters.extra_body) or None,
    }
    stated = {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "max_output_tokens": parameters.max_tokens,
        "seed": parameters.seed,
        "stop_sequences": [*parameters.stop] or None,
        "thinking_config": _thinking(llm) or None,
        "http_options": without_none(http_options) or None,
    }
    return {"model": llm.model.model_id, "config": {**without_none(stated), **config}}


def _milliseconds(seconds: float | None) -> int | None:
    """A time as the SDK takes it; never 0, which it takes for none."""
    return None if seconds is None else max(1, round(seconds * 1000))


def _thinking(llm: ResolvedLLM) -> dict[str, Any]:
    """How the model reasons, in the SDK's words."""
    budget, effort = llm.parameters.reasoning_budget, llm.parameters.reasoning_effort
    if budget is not None:
        return {"thinking_budget": budget}
    if effort is None:
        return {}
    # None of Google's levels is the absence of one.
    return {"thinking_budget": 0} if effort is ReasoningEffort.NONE else {"thinking_level": effort.value.upper()}


# Clients


def client(llm: ResolvedLLM) -> Any:
    """The SDK's client, a `google.genai.Client`, for what is to be called.

    It asks the settings for the key and the headers at each request, so that a rotated key is used by the next one. Of
    the process's environment it takes nothing but what `google-auth` finds there for a backend on Vertex AI that states
    no key; there an `api_key` is an access token.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: What says where to is a reference that no source answers. So is a key where the platform
            finds credentials of its own; elsewhere it is missed at the request.
    """
    _platform(llm)
    return _CLIENTS.get(llm.backend, variant_of(llm), partial(_build, llm))


def async_client(llm: ResolvedLLM) -> Any:
    """What an application awaits, the `aio` of a client: as `client`, one for each event loop.

    It asks for the key within the loop, so that a source of secrets that takes its time keeps the loop waiting.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: What says where to is a reference that no source answers. So is a key where the platform
            finds credentials of its own; elsewhere it is missed at the request.
    """
    return loop_client(llm).aio


def loop_client(llm: ResolvedLLM) -> Any:
    """The client whose `aio` `async_client` hands out, for libraries that take it from the client by themselves.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: What says where to is a reference that no source answers. So is a key where the platform
            finds credentials of its own; elsewhere it is missed at the request.
    """
    _platform(llm)
    return _CLIENTS.get_async(llm.backend, variant_of(llm), partial(_build, llm))


def stream(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    """Call with one prompt: the pieces of the answer as they come, then what it took.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: A credential is missing.
    """
    usage = None
    for chunk in client(llm).models.generate_content_stream(contents=prompt, **arguments(llm)):
        usage = chunk.usage_metadata or usage
        if chunk.text:
            yield chunk.text
    if usage is not None:
        yield Usage.of(usage)


def _build(llm: ResolvedLLM) -> Any:
    llm = apart(llm)
    platform = _platform(llm)
    options = _PLACES[platform](llm)
    sdk = import_sdk("google.genai", "google")
    endpoint, version = _taken_apart(options.pop("endpoint"), _VERSIONS[platform])
    attempts = None if llm.max_retries is None else llm.max_retries + 1
    http_options = {
        "base_url": endpoint,
        "api_version": version,
        "timeout": _milliseconds(llm.backend.timeout),
        "retry_options": None if attempts is None else {"attempts": attempts},
    }
    built = sdk.Client(**options, http_options=without_none(http_options))
    # The SDK keeps the key as a text, and has no hook for headers that works for each of its three HTTP libraries. As
    # a class this is no part of a circle, so that a client nobody holds is closed at once.
    api = built._api_client  # noqa: SLF001 -- because: as above
    follows = {"_llm": llm, "_has_key": platform is Platform.OWN}
    api.__class__ = type(type(api).__name__, (_Follower, type(api)), follows)
    # A client that somebody has closed is not handed out again, and those of this SDK do not say that they are.
    built.is_closed = partial(_is_closed, api)
    return built


class _Follower:
    """What the heart of a client does otherwise here: each request carries what the settings say by then."""

    _llm: ClassVar[ResolvedLLM]
    _has_key: ClassVar[bool]
    """Whether a header carries the key; on Vertex AI it is part of the credentials."""
    _http_options: Any

    @leaves_no_locals
    def _build_request(self, *given: Any, **named: Any) -> Any:
        request = super()._build_request(*given, **named)  # type: ignore[misc]  # because: the SDK's class comes next
        of_client = self._http_options.headers or {}
        of_call = {name: value for name, value in request.headers.items() if of_client.get(name) != value}
        key = {_KEY_HEADER: own_key(self._llm)} if self._has_key else {}
        asked = asked_headers(self._llm.backend, self._llm.model)
        request.headers = without_none(merge_headers(of_client, key, asked, of_call))
        return request


def _is_closed(api: Any) -> bool:
    http_clients = (api._httpx_client, api._async_httpx_client)  # noqa: SLF001 -- because: nothing else says so
    return any(http_client is not None and http_client.is_closed for http_client in http_clients)


# Where to


def _platform(llm: ResolvedLLM) -> Platform:
    """Whose door the model stands behind.

    Raises:
        CallRefusedError: The SDK cannot call it there.
    """
    platform = platform_of(llm.backend)
    if llm.model.sdk != "google" or platform not in _PLACES:
        raise refusal(llm, "google")
    return platform


def _taken_apart(endpoint: str, version: str) -> tuple[str, str]:
    """An endpoint without the version of the API, which the SDK adds, and that version."""
    whole = endpoint.rstrip("/")
    root, _, last = whole.rpartition("/")
    return (root, last) if _VERSION.fullmatch(last) else (whole, version)


def _own_places(llm: ResolvedLLM) -> dict[str, Any]:
    endpoint = own_endpoint(llm, "Google", "generativelanguage.googleapis.com")
    return {"vertexai": False, "api_key": _ASKED_LATER, "endpoint": endpoint}


def _vertex_places(llm: ResolvedLLM) -> dict[str, Any]:
    place = vertex_place(llm)
    return {
        "vertexai": True,
        "project": place.project,
        "location": place.location,
        "credentials": vertex_credentials(llm.backend),
        "endpoint": place.endpoint,
    }


_PLACES = {Platform.OWN: _own_places, Platform.VERTEX: _vertex_places}
"""What the constructor is told of where to call, and as `endpoint` the base URL."""
