"""Anthropic's SDK: Claude on its own API, on Amazon Bedrock and on Vertex AI.

from pipelex_cogt.integrations import anthropic

client = anthropic.client(llm)
client.messages.create(messages=[{"role": "user", "content": "Hello"}], **anthropic.arguments(llm))

The same arguments go to `client.messages.stream`, `client.messages.parse` and `async_client`, and to any version of the
SDK from 0.92 on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.tables import FrozenDict, thaw, without_none
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.clients import Clients, apart
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.headers import asked_headers, merge_headers, shown_headers
from pipelex_cogt.integrations.places import (
    further_text,
    has_key,
    keyless,
    own_endpoint,
    variant_of,
    vertex_credentials,
    vertex_place,
)
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ReasoningEffort
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

MOST_TOKENS_AT_ONCE = 21_333
"""The most tokens of an answer that the SDK waits for without a timeout of one's own, unless it is streamed: it expects
`SECONDS_PER_TOKEN` of each, and waits ten minutes (`_calculate_nonstreaming_timeout`)."""
SECONDS_PER_TOKEN = 3600 / 128_000
"""What the SDK expects a token to take."""
LEAST_KNOWN_LIMIT = 8_192
"""The token limit where neither preset nor model states one: Anthropic's API requires it, and no model of this API
that is served writes less."""

_CLIENTS = Clients()

_CLASSES: Mapping[Platform, str] = {
    Platform.OWN: "Anthropic",
    Platform.BEDROCK: "AnthropicBedrock",
    Platform.VERTEX: "AnthropicVertex",
}
"""The SDK's client for each platform."""
_CREDENTIALS: Mapping[Platform, Mapping[str, str]] = {
    Platform.OWN: {"api_key": "api_key"},
    Platform.BEDROCK: {
        "api_key": "api_key",
        "aws_access_key": "aws_access_key_id",
        "aws_secret_key": "aws_secret_access_key",
        "aws_session_token": "aws_session_token",
        "aws_profile": "aws_profile",
    },
    Platform.VERTEX: {},
}
"""The attributes of a client that hold credentials, each with the key of a backend that states it. On Vertex AI
credentials are an object of their own."""
OLDER_VERSION = {"anthropic-version": "2023-06-01"}
"""The version of Anthropic's API that takes a temperature; SDK 2.x speaks 2026-10-21, which takes none:
https://platform.claude.com/docs/en/api/migration-2026-10-21"""
_VERSIONS_IN_BODY: Mapping[Platform, Mapping[str, str]] = {
    Platform.OWN: {},
    Platform.BEDROCK: {"anthropic_version": "bedrock-2023-05-31"},
    Platform.VERTEX: {"anthropic_version": "vertex-2023-10-16"},
}
"""The same on platforms, where the body states it. There every call is sent the older one, as SDK 0.x and 1.x do, for
Bedrock takes the newer one only for Claude 4.7 and later:
https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock-legacy"""
_SAMPLING = ("temperature", "top_p", "top_k")
"""What no method of SDK 1.x and 2.x has an argument for."""


# The arguments of a call


def arguments(llm: ResolvedLLM) -> dict[str, Any]:
    """What `messages.create` and `messages.stream` are sent beside the messages. It needs no SDK, and holds no key.

    Headers of the model that are secret are the client's: `client(llm)` sends them.

    Args:
        llm: What to call.

    Returns:
        `model`, `max_tokens`, and what else the preset and the model state: `stop_sequences`, `thinking`,
        `output_config`, `timeout` (seconds), `extra_headers`, `extra_body` (with temperature and top_p).

    Raises:
        CallRefusedError: The SDK cannot call this model.
        MissingCredentialError: The `model_id` is a reference that no source answers.
    """
    platform = _platform(llm)
    parameters = llm.parameters
    limit = _max_tokens(llm)
    body = {
        **_VERSIONS_IN_BODY[platform],
        **without_none({"temperature": parameters.temperature, "top_p": parameters.top_p}),
        **thaw(parameters.extra_body),
    }
    named = {
        "model": llm.model.model_id,
        "max_tokens": limit,
        "stop_sequences": [*parameters.stop] or None,
        **_reasoning(llm),
        "timeout": parameters.timeout or _timeout(limit),
        "extra_headers": merge_headers(_version(platform, body), shown_headers(llm.model)) or None,
        "extra_body": body or None,
    }
    return without_none(named)


def _version(platform: Platform, body: Mapping[str, Any]) -> Mapping[str, str]:
    """The header that a request with such a body needs."""
    takes_samples = platform is Platform.OWN and any(name in body for name in _SAMPLING)
    return OLDER_VERSION if takes_samples else FrozenDict()


def _max_tokens(llm: ResolvedLLM) -> int:
    """The token limit, which this API requires: as stated, else what the SDK waits for, and as much to reason."""
    stated, most = llm.parameters.max_tokens, llm.model.max_tokens
    if stated is not None:
        return stated
    wanted = (llm.parameters.reasoning_budget or 0) + (MOST_TOKENS_AT_ONCE if most else LEAST_KNOWN_LIMIT)
    return min(wanted, most or wanted)


def _timeout(limit: int) -> float | None:
    """How long the SDK would expect an answer to take for which it does not wait of itself, in seconds."""
    return limit * SECONDS_PER_TOKEN if limit > MOST_TOKENS_AT_ONCE else None


def _reasoning(llm: ResolvedLLM) -> dict[str, Any]:
    """How the model reasons, in the SDK's words."""
    budget, effort = llm.parameters.reasoning_budget, llm.parameters.reasoning_effort
    if effort is ReasoningEffort.NONE or budget == 0:
        return {"thinking": {"type": "disabled"}}
    if budget is not None:
        return {"thinking": {"type": "enabled", "budget_tokens": budget}}
    if effort is None:
        return {}
    thinking = {"type": "adaptive"} if _decides_itself(llm.model) else None
    return without_none({"thinking": thinking, "output_config": {"effort": effort.value}})


def _decides_itself(model: InferenceModelSpec) -> bool:
    """Whether a model decides by itself how long it reasons, within an effort.

    Claude 4.5 takes efforts and does not; it reasons within a budget. Claude 4.6 does either, and is the first with the
    effort `max`. Later ones take no budget: https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
    """
    return model.reasoning_budget is None or ReasoningEffort.MAX in (model.reasoning_efforts or ())


# Clients


def client(llm: ResolvedLLM) -> Any:
    """The SDK's client for what is to be called: `Anthropic`, `AnthropicBedrock` or `AnthropicVertex`.

    It asks the settings for the key and the headers at each request, so that a rotated key is used by the next one. It
    takes from the process's environment nothing but what AWS's and Google's own libraries find there, and these only
    where the backend states no credential of its own.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: What says where to is a reference that no source answers. So is a key where the platform
            finds credentials of its own; elsewhere it is missed at the request.
    """
    _platform(llm)
    return _CLIENTS.get(llm.backend, variant_of(llm), partial(_build, llm, ""))


def async_client(llm: ResolvedLLM) -> Any:
    """The SDK's asynchronous client: as `client`, one for each event loop.

    It asks for the key within the loop, so that a source of secrets that takes its time keeps the loop waiting.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: What says where to is a reference that no source answers. So is a key where the platform
            finds credentials of its own; elsewhere it is missed at the request.
    """
    _platform(llm)
    return _CLIENTS.get_async(llm.backend, variant_of(llm), partial(_build, llm, "Async"))


def stream(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    """Call with one prompt: the pieces of the answer as they come, then what it took.

    Raises:
        CallRefusedError: The SDK cannot call this model, or nobody says where to.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: A credential is missing.
    """
    messages = [{"role": "user", "content": prompt}]
    with client(llm).messages.stream(messages=messages, **arguments(llm)) as answer:
        yield from answer.text_stream
        yield Usage.of(answer.get_final_message())


def _build(llm: ResolvedLLM, kind: str) -> Any:
    """A client of the SDK.

    Args:
        llm: What it is to call.
        kind: "Async", or nothing.
    """
    llm = apart(llm)
    platform = _platform(llm)
    places = _PLACES[platform](llm)
    sdk_class = getattr(import_sdk("anthropic", "anthropic"), f"{kind}{_CLASSES[platform]}")
    asked = _asked(llm.backend, platform)
    follower = type(sdk_class.__name__, (_Follower, sdk_class), {**asked, "_asked": [*asked], "_llm": llm})
    return follower(**places, **without_none({"timeout": llm.backend.timeout, "max_retries": llm.max_retries}))


class _Follower:
    """What a client of the SDK does otherwise here: it asks the settings at each request, and not the environment."""

    _llm: ClassVar[ResolvedLLM]
    _asked: ClassVar[Collection[str]]
    """The attributes that the settings are asked for."""
    _custom_headers: Mapping[str, Any]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{name: option for name, option in options.items() if name not in self._asked})
        # What the SDK has found in the environment meanwhile is taken off again.
        for name in self._asked:
            setattr(self, name, None)
        self.auth_token = options.get("auth_token")
        self._custom_headers = options.get("default_headers") or {}

    def copy(self, **options: Any) -> Any:
        """A client that differs in some options, and asks the settings as this one does."""
        copied = super().copy(**options)  # type: ignore[misc]  # because: the SDK's class comes next
        for name in self._asked:
            # The SDK has given it what this client was told just now; only what somebody states for a copy stays.
            setattr(copied, name, options.get(name) or vars(self).get(name))
        return copied

    with_options = copy

    @property
    @leaves_no_locals
    def default_headers(self) -> dict[str, Any]:
        """The headers of each request."""
        of_sdk = super().default_headers  # type: ignore[misc]  # because: the SDK's class comes next
        return merge_headers(of_sdk, asked_headers(self._llm.backend, self._llm.model), self._custom_headers)

    def _validate_headers(self, headers: Mapping[str, str], *_others: object) -> None:
        """Refuse a request that shows nobody who calls: its key is empty by now, and no header is stated."""
        backend = self._llm.backend
        is_shown = headers.get("Authorization") or headers.get("X-Api-Key") or backend.stated_headers
        if platform_of(backend) is Platform.OWN and not is_shown:
            raise keyless(self._llm)


class _Asked:
    """A credential of a client, asked of the settings each time; another that somebody gives stays."""

    def __init__(self, backend: InferenceBackend, key: str) -> None:
        self._backend = backend
        self._key = key
        self._name = key

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, client: Any, owner: type | None = None) -> Any:
        if client is None:
            return self
        given = vars(client).get(self._name)
        return _credential(self._backend, self._key) if given is None else given

    def __set__(self, client: Any, value: str | None) -> None:
        vars(client)[self._name] = value


def _credential(backend: InferenceBackend, key: str) -> str | None:
    """A credential of a backend, ready to be sent; None where none is stated."""
    return plain_text(backend.api_key) if key == "api_key" else further_text(backend, key)


def _asked(backend: InferenceBackend, platform: Platform) -> Mapping[str, _Asked]:
    """The credentials that a client asks for, by its attribute; none where a library of the platform finds them."""
    keys = _CREDENTIALS[platform]
    stated = {*backend.stated_extra_config, *(["api_key"] if backend.stated_api_key else [])}
    is_left = platform is not Platform.OWN and stated.isdisjoint(keys.values())
    return {} if is_left else {name: _Asked(backend, key) for name, key in keys.items()}


# Where to


def _platform(llm: ResolvedLLM) -> Platform:
    """Whose door the model stands behind.

    Raises:
        CallRefusedError: The SDK cannot call it there.
    """
    platform = platform_of(llm.backend)
    if llm.model.sdk != "anthropic" or platform not in _CLASSES:
        raise refusal(llm, "anthropic")
    return platform


def _root(endpoint: str) -> str:
    """An endpoint without the version, which the SDK adds."""
    return endpoint.rstrip("/").removesuffix("/v1")


def _own_places(llm: ResolvedLLM) -> dict[str, Any]:
    return {"base_url": _root(own_endpoint(llm, "Anthropic", "api.anthropic.com"))}


def _bedrock_places(llm: ResolvedLLM) -> dict[str, Any]:
    backend = llm.backend
    if not has_key(backend):
        # The SDK imports it no sooner than it signs a request.
        import_sdk("boto3", "bedrock")
    region = further_text(backend, "aws_region") or _region_of_aws(further_text(backend, "aws_profile"))
    if not region:
        problem = "has no aws_region, nor has AWS's own configuration"
        raise CallRefusedError(llm.model.name, backend.name, problem, "state it at the backend, or in that")
    return {
        "aws_region": region,
        "base_url": _root(backend.endpoint or f"https://bedrock-runtime.{region}.amazonaws.com"),
    }


def _region_of_aws(profile: str | None) -> str | None:
    """The region that AWS's own library finds, in the process's environment or in the profile."""
    region: str | None = import_sdk("boto3", "bedrock").Session(profile_name=profile).region_name
    return region


def _vertex_places(llm: ResolvedLLM) -> dict[str, Any]:
    place = vertex_place(llm)
    return {
        "project_id": place.project,
        "region": place.location,
        "credentials": vertex_credentials(llm.backend),
        "base_url": f"{_root(place.endpoint)}/v1",
    }


_PLACES = {Platform.OWN: _own_places, Platform.BEDROCK: _bedrock_places, Platform.VERTEX: _vertex_places}
"""What the constructor of each client is told of where to call."""
