"""pydantic-ai: a resolved preset as the model of an agent.

from pipelex_cogt.integrations import pydantic_ai

agent = Agent(pydantic_ai.model(deck.resolve("llm_to_reason")))
agent = Agent(pydantic_ai.fallback_model(deck, "llm_to_reason"))      # all that the preset may lead to, in order

The model sends through the clients of `integrations.openai`, `.anthropic`, `.google` and `.bedrock`, with the preset's
parameters as its own settings, over which an agent and a run may lay theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pipelex_cogt.errors import CallRefusedError, MissingExtraError
from pipelex_cogt.integrations import anthropic, bedrock, fallback, google, openai
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.openai_doors import has_responses
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.model_spec import ModelApi, ModelConstraint
from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM

EXTRA = "pydantic-ai"
Settings = dict[str, Any]


def model(llm: ResolvedLLM) -> Any:
    """The model of pydantic-ai that calls what a preset leads to, with the preset's parameters as its settings.

    A key that was rotated is used by its next request, and each event loop has a client of its own.

    Raises:
        CallRefusedError: pydantic-ai cannot call it, or nobody says where to.
        MissingExtraError: pydantic-ai, or the SDK that it calls, is not installed.
        MissingCredentialError: The endpoint, or the `model_id`, is a reference that no source answers.
    """
    llm, family, stated = _as_agents_call(llm), _family(llm), settings(llm)
    # An SDK that is not there is told before pydantic-ai misses it.
    provider = _provider(llm, family)
    module, name = family.model(llm)
    model_class = getattr(import_sdk(f"pydantic_ai.models.{module}", EXTRA), name)
    member = type(name, (_MEMBERS.get(llm.model.sdk, _Member), model_class), {"_llm": llm})
    return member(llm.model.model_id, provider=provider, profile=_profile(llm), settings=stated)


def fallback_model(deck: ModelDeck, name: str) -> Any:
    """A `FallbackModel` of all that a preset, a model or an alias may lead to and that can be called now.

    It goes on to the next model as `fallback.call` does, for the same reasons and as loudly. Each model has the
    settings that it takes of the preset's, and all but the last try a failed request only once.

    Raises:
        UnknownNameError: Nothing is called so.
        BackendDisabledError: What it leads to is known, its backends are disabled.
        ModelNotRoutedError: The backend is enabled, no rule of the active profile leads to the model.
        CallRefusedError: pydantic-ai cannot call one of them, or nobody says where to.
        MissingExtraError: pydantic-ai, or an SDK that it calls, is not installed.
        MissingCredentialError: None can be called now, for a credential is missing.
    """
    members = [model(llm) for llm in fallback.as_chain(deck.resolve_all(name, ready=True))]
    return import_sdk("pydantic_ai.models.fallback", EXTRA).FallbackModel(*members, fallback_on=_falls_back)


def settings(llm: ResolvedLLM) -> Settings:
    """The preset's parameters as the `ModelSettings` of pydantic-ai. It needs no SDK, and no key is in it.

    Headers of the model that are secret are the client's. What `extra_body` states is in it as it is.

    Raises:
        CallRefusedError: pydantic-ai cannot call this model, or would leave out a parameter that is stated.
        MissingCredentialError: Its `model_id` is a reference that no source answers.
    """
    llm = _as_agents_call(llm)
    parameters = llm.parameters
    common = {
        "max_tokens": parameters.max_tokens,
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "seed": parameters.seed,
        "stop_sequences": [*parameters.stop],
        "timeout": parameters.timeout,
    }
    stated = {**common, **_family(llm).settings(llm)}
    return {name: value for name, value in stated.items() if value is not None and value not in ({}, [])}


def _falls_back(error: Exception) -> bool:
    """Whether another model may answer, as `FallbackModel` asks it."""
    llm: ResolvedLLM | None = getattr(error, _MEMBER, None)
    if llm is None:
        return fallback.reason_to_go_on(error) is not None
    return fallback.failure_of(llm, error) is not None


_MEMBER = "_pipelex_cogt_member"
"""The attribute of an exception that says which member of a chain it came from: pydantic-ai tells the name only."""


class _Member:
    """A model that puts its name on what it raises: the ids of two members may be the same."""

    _llm: ResolvedLLM

    async def request(self, *arguments: Any, **named: Any) -> Any:
        """Ask for an answer."""
        with self._signing():
            return await super().request(*arguments, **named)  # type: ignore[misc]  # because: pydantic-ai's comes next

    @asynccontextmanager
    async def request_stream(self, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        """Ask for an answer in pieces."""
        with self._signing():
            async with super().request_stream(*arguments, **named) as response:  # type: ignore[misc]  # because: as above
                yield response

    @contextmanager
    def _signing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            setattr(error, _MEMBER, self._llm)
            raise


class _MistralMember(_Member):
    """A model of Mistral, which counts the tokens of every stream and refuses to be asked for it."""

    def _get_stream_options(self, _settings: Any) -> Any:
        return import_sdk("openai", "openai").omit


_MEMBERS: Mapping[str, type[_Member]] = {"mistral": _MistralMember}
"""What is done to a model otherwise, by `sdk`."""


def _as_agents_call(llm: ResolvedLLM) -> ResolvedLLM:
    """What agents call: OpenAI's chat refuses tools while a model reasons, so that its responses serve there instead.

    So does pydantic-ai by itself: `openai:gpt-5.5` is a model of responses. They have no seed and no stop.
    """
    parameters = llm.parameters
    needs_chat = bool(parameters.stop) or parameters.seed is not None
    if needs_chat or not llm.model.reasoning_efforts or not has_responses(llm):
        return llm
    return replace(llm, model=llm.model.model_copy(update={"api": ModelApi.RESPONSES}))


# What each SDK's models are called with


def _openai_settings(llm: ResolvedLLM) -> Settings:
    stated = openai.arguments(llm)
    effort = stated.get("reasoning_effort") or stated.get("reasoning", {}).get("effort")
    # A seed that the SDK has no name for is in the body.
    is_seed_named = "seed" in stated
    return {
        "openai_reasoning_effort": effort,
        "seed": llm.parameters.seed if is_seed_named else None,
        "extra_headers": stated.get("extra_headers"),
        "extra_body": stated.get("extra_body"),
    }


def _anthropic_settings(llm: ResolvedLLM) -> Settings:
    stated = anthropic.arguments(llm)
    # pydantic-ai puts these into the body itself, and a run may state others.
    body = {name: value for name, value in stated.get("extra_body", {}).items() if name not in _SAMPLING}
    own = {name: value for name, value in llm.parameters.extra_body.items() if name in _SAMPLING}
    return {
        "max_tokens": stated["max_tokens"],
        "anthropic_thinking": stated.get("thinking"),
        "anthropic_effort": stated.get("output_config", {}).get("effort"),
        "timeout": stated.get("timeout"),
        "extra_headers": {**_version(llm), **stated.get("extra_headers", {})},
        "extra_body": {**body, **own},
    }


_SAMPLING = ("temperature", "top_p")


def _version(llm: ResolvedLLM) -> Mapping[str, str]:
    """The version of Anthropic's API that takes a temperature, for a run may state one, where the model takes any."""
    is_sampled = ModelConstraint.TEMPERATURE_UNSUPPORTED not in llm.model.constraints
    return anthropic.OLDER_VERSION if is_sampled and platform_of(llm.backend) is Platform.OWN else {}


def _google_settings(llm: ResolvedLLM) -> Settings:
    stated = google.arguments(llm)["config"]
    options = stated.get("http_options", {})
    if "extra_body" in options:
        problem = "has an extra_body, which pydantic-ai sends to no model of Google"
        raise CallRefusedError(llm.model.name, llm.backend.name, problem, refusal(llm, EXTRA).next_step)
    return {"google_thinking_config": stated.get("thinking_config"), "extra_headers": options.get("headers")}


def _bedrock_settings(llm: ResolvedLLM) -> Settings:
    # The client has the timeout and the headers.
    further = bedrock.arguments(llm).get("additionalModelRequestFields")
    return {"bedrock_additional_model_requests_fields": further, "timeout": None, "seed": None}


def _openai_model(llm: ResolvedLLM) -> tuple[str, str]:
    return "openai", "OpenAIResponsesModel" if llm.model.api is ModelApi.RESPONSES else "OpenAIChatModel"


class _Service(NamedTuple):
    """Whom pydantic-ai takes a backend for.

    Attributes:
        name: What it calls the service, in the history of messages too.
        module: The module of its provider, in `pydantic_ai.providers`.
        provider: The provider's class, which knows what the models of the service can do.
    """

    name: str
    module: str
    provider: str


_AZURE = _Service("azure", "azure", "AzureProvider")
_OPENAI = _Service("openai", "openai", "OpenAIProvider")
_IMITATORS = {
    "alibaba": _Service("alibaba", "alibaba", "AlibabaProvider"),
    "cerebras": _Service("cerebras", "cerebras", "CerebrasProvider"),
    "deepseek": _Service("deepseek", "deepseek", "DeepSeekProvider"),
    "fireworks": _Service("fireworks", "fireworks", "FireworksProvider"),
    "moonshot": _Service("moonshotai", "moonshotai", "MoonshotAIProvider"),
    "ollama": _Service("ollama", "ollama", "OllamaProvider"),
    "openrouter": _Service("openrouter", "openrouter", "OpenRouterProvider"),
    "together_ai": _Service("together", "together", "TogetherProvider"),
    "zai": _Service("zai", "zai", "ZaiProvider"),
}
"""Backends whose imitation of OpenAI's API pydantic-ai knows apart, by the backend's name."""


def _openai_service(llm: ResolvedLLM) -> _Service:
    platform = platform_of(llm.backend)
    if platform is Platform.AZURE:
        return _AZURE
    if llm.model.sdk == "openai" and platform is Platform.OWN:
        return _OPENAI
    name = llm.backend.models_like or llm.backend.name
    other = _Service(llm.backend.name, "openai_compatible", "OpenAICompatibleProvider")
    return _IMITATORS.get(name, other)


def _google_service(llm: ResolvedLLM) -> _Service:
    if platform_of(llm.backend) is Platform.VERTEX:
        return _Service("google-cloud", "google_cloud", "GoogleCloudProvider")
    return _Service("google", "google", "GoogleProvider")


class _Family(NamedTuple):
    """How pydantic-ai calls the models of an SDK.

    Attributes:
        model: The module, in `pydantic_ai.models`, and the class of the model.
        service: Whom it takes the backend for.
        client: The client for the event loop that is running.
        settings: What the model's settings are beside those that all models share, or instead of them.
    """

    model: Callable[[ResolvedLLM], tuple[str, str]]
    service: Callable[[ResolvedLLM], _Service]
    client: Callable[[ResolvedLLM], Any]
    settings: Callable[[ResolvedLLM], Settings]


_IMITATED = _Family(_openai_model, _openai_service, openai.async_client, _openai_settings)
_FAMILIES: Mapping[str, _Family] = {
    "openai": _IMITATED,
    "openai_compatible": _IMITATED,
    "mistral": _IMITATED,
    "anthropic": _Family(
        lambda _llm: ("anthropic", "AnthropicModel"),
        lambda _llm: _Service("anthropic", "anthropic", "AnthropicProvider"),
        anthropic.async_client,
        _anthropic_settings,
    ),
    "google": _Family(lambda _llm: ("google", "GoogleModel"), _google_service, google.loop_client, _google_settings),
    "bedrock": _Family(
        lambda _llm: ("bedrock", "BedrockConverseModel"),
        lambda _llm: _Service("bedrock", "bedrock", "BedrockProvider"),
        bedrock.client,
        _bedrock_settings,
    ),
}
"""How models are called, by their `sdk`."""


def _family(llm: ResolvedLLM) -> _Family:
    if llm.model.sdk not in _FAMILIES:
        raise refusal(llm, EXTRA)
    return _FAMILIES[llm.model.sdk]


# Providers


def _provider(llm: ResolvedLLM, family: _Family) -> Any:
    """The backend as a provider of pydantic-ai."""
    client, service = partial(family.client, llm), family.service(llm)
    first = client()
    base = import_sdk("pydantic_ai.providers", EXTRA).Provider
    return type("BackendProvider", (_BackendProvider, base), {})(llm, service, _profiles_of(service), client, first)


def _profiles_of(service: _Service) -> Callable[[str], Any]:
    """What answers what pydantic-ai knows of a service's models; before 2.63 it took every imitator for OpenAI."""
    try:
        module = import_sdk(f"pydantic_ai.providers.{service.module}", EXTRA)
    except MissingExtraError:
        if service == _OPENAI:
            raise
        return _profiles_of(_OPENAI)
    answer: Callable[[str], Any] = getattr(module, service.provider).model_profile
    return answer


class _BackendProvider:
    """A backend whose client is asked for each time: each event loop has its own, and SDKs keep old keys."""

    def __init__(
        self,
        llm: ResolvedLLM,
        service: _Service,
        profile: Callable[[str], Any],
        ask: Callable[[], Any],
        first: Any,
    ) -> None:
        self._llm = llm
        self._service = service
        self._profile = profile
        self._ask = ask
        self._client = first

    @property
    def name(self) -> str:
        """What pydantic-ai calls the service."""
        return self._service.name

    @property
    def base_url(self) -> str:
        """Where it is, as far as anybody has said."""
        return str(getattr(self._client, "base_url", None) or self._llm.backend.endpoint or "")

    @property
    def client(self) -> Any:
        """The client for the event loop that is running."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            # Whoever looks at a client outside of a loop calls nobody with it.
            return self._client
        return self._ask()

    def model_profile(self, model_name: str) -> Any:
        """What pydantic-ai knows of a model."""
        if self._service == _AZURE:
            # There, people choose the ids themselves.
            return self._profile(self._llm.model.name)
        return self._profile(f"mistral/{model_name}" if self._llm.model.sdk == "mistral" else model_name)


def _profile(llm: ResolvedLLM) -> dict[str, Any]:
    """What the settings know of a model, over what pydantic-ai knows."""
    known: dict[str, Any] = {}
    if _FAMILIES[llm.model.sdk] is _IMITATED:
        known["openai_chat_supports_max_completion_tokens"] = llm.model.sdk == "openai"
    if llm.model.context_window is not None:
        known["context_window"] = llm.model.context_window
    if llm.model.tools is False:
        is_structured = llm.model.is_gen_object_supported
        known["supports_tools"] = False
        known["default_structured_output_mode"] = "native" if is_structured else "prompted"
    return known
