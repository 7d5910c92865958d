"""What LiteLLM is told of a model: who serves it, under which address, with which key and parameters.

It is told the same way to call a model now and to write it into the configuration of a proxy. The two differ in what
becomes of a setting that may hold a reference: `Read` answers it, or writes it down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.tables import map_leaves
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import ModelApi
from pipelex_cogt.models.model_deck import ResolvedLLM


class Read(Protocol):
    """What becomes of a setting that may hold a reference."""

    def __call__(
        self, backend: InferenceBackend, stated: Any, path: KeyPath, within: Callable[[str], str] | None = None
    ) -> Any:
        """The value of a setting; None and an empty text stand for none.

        Args:
            backend: The backend that needs it.
            stated: The setting as stated.
            path: Its key path.
            within: Puts the text into a longer one, which LiteLLM wants; None where it wants the text alone.
        """


class Provider(NamedTuple):
    """What LiteLLM calls a provider, and what it wants of one.

    Attributes:
        prefix: What stands before the `model_id`.
        path: What LiteLLM wants below the endpoint that the provider's own SDK takes.
        has_home: Whether LiteLLM finds the address where no endpoint is stated.
        has_chain: Whether LiteLLM finds credentials of the machine where no key is stated.
        limit: The argument that limits the tokens of an answer.
    """

    prefix: str
    path: str = ""
    has_home: bool = False
    has_chain: bool = False
    limit: str = "max_tokens"


# A deployment may have any name, so that LiteLLM cannot tell by it how its model calls the limit.
_LIMIT_OF_OPENAI = "max_completion_tokens"
_IMITATION = Provider("openai")
_AZURE = Provider("azure", has_chain=True)
_BEDROCK = Provider("bedrock", has_home=True, has_chain=True)
_VERTEX = Provider("vertex_ai", has_home=True, has_chain=True)
_PROVIDERS: Mapping[Platform, Mapping[str, Provider]] = {
    Platform.OWN: {
        "openai": Provider("openai", limit=_LIMIT_OF_OPENAI),
        "openai_compatible": _IMITATION,
        "anthropic": Provider("anthropic"),
        "google": Provider("gemini", path="/v1beta"),
        "mistral": Provider("mistral"),
        "bedrock": _BEDROCK,
    },
    Platform.AZURE: {"openai": _AZURE._replace(limit=_LIMIT_OF_OPENAI), "openai_compatible": _AZURE},
    Platform.BEDROCK: dict.fromkeys(("anthropic", "bedrock", "openai", "openai_compatible"), _BEDROCK),
    Platform.VERTEX: dict.fromkeys(("anthropic", "google", "openai_compatible", "mistral"), _VERTEX),
}
"""LiteLLM's provider of a model, by platform and `sdk`: https://docs.litellm.ai/docs/providers."""
_HOSTS: Mapping[str, str] = {
    "cerebras": "cerebras",
    "deepseek": "deepseek",
    "fireworks": "fireworks_ai",
    "groq": "groq",
    "openrouter": "openrouter",
    "together_ai": "together_ai",
    "xai": "xai",
}
"""Backends that imitate OpenAI and that LiteLLM knows by name, with what it knows of their models and prices. Cohere is
none of them, for LiteLLM would speak another protocol than its endpoint does; any other is `openai` to LiteLLM."""
_FURTHER: Mapping[str, str] = {
    "api_version": "api_version",
    "azure_ad_token": "azure_ad_token",
    "aws_region": "aws_region_name",
    "aws_profile": "aws_profile_name",
    "aws_access_key_id": "aws_access_key_id",
    "aws_secret_access_key": "aws_secret_access_key",
    "aws_session_token": "aws_session_token",
    "gcp_project_id": "vertex_project",
    "gcp_location": "vertex_location",
}
"""What LiteLLM calls the further keys of a backend."""
_RESPONSES = ("openai", "azure")
"""The providers whose Responses API LiteLLM calls for `completion`."""
_LIKE_OPENAI = ("openai", "openai_compatible", "mistral")
"""The `sdk` of models that take parameters as OpenAI's do, so that LiteLLM has nothing to translate."""
STAND_IN_KEY = "no-key-needed"
"""What LiteLLM is given where a backend asks for no key: it would take one of somebody else's from the environment."""


def build_call(llm: ResolvedLLM, read: Read) -> dict[str, Any]:
    """What LiteLLM is told of a model, by its own names: all that a call is sent beside the messages.

    Args:
        llm: What to call.
        read: What becomes of settings that may hold references.

    Raises:
        CallRefusedError: LiteLLM cannot call this model, or would send the prompt somewhere else.
    """
    provider = find_provider(llm)
    told = {
        "model": _model(llm, provider, read),
        **_address(llm, provider, read),
        "extra_headers": _headers(llm, read),
        "timeout": llm.parameters.timeout,
        "num_retries": llm.backend.max_retries,
        **_parameters(llm, provider),
    }
    return _stated(told)


def find_provider(llm: ResolvedLLM) -> Provider:
    """What LiteLLM calls the provider of a model.

    Raises:
        CallRefusedError: It calls no such model there.
    """
    provider = _PROVIDERS[platform_of(llm.backend)].get(llm.model.sdk)
    if provider is None:
        raise refusal(llm, "LiteLLM")
    is_known_by_name = provider is _IMITATION and llm.model.api is ModelApi.CHAT
    names = (llm.backend.name, llm.backend.models_like or "") if is_known_by_name else ()
    prefix = next((_HOSTS[name] for name in names if name in _HOSTS), provider.prefix)
    return provider._replace(prefix=prefix)


def _model(llm: ResolvedLLM, provider: Provider, read: Read) -> Any:
    """The model's string behind LiteLLM's prefixes."""
    model = llm.model
    is_responses = model.api is ModelApi.RESPONSES
    if is_responses and provider.prefix not in _RESPONSES:
        problem = f"has api 'responses', which LiteLLM calls at OpenAI and Azure, not at {provider.prefix}"
        raise CallRefusedError(model.name, llm.backend.name, problem, 'state api = "chat"')
    before = f"{provider.prefix}/responses/" if is_responses else f"{provider.prefix}/"
    return read(llm.backend, model.stated_model_id, (*model.path, "model_id"), lambda model_id: before + model_id)


def _address(llm: ResolvedLLM, provider: Provider, read: Read) -> dict[str, Any]:
    """Where a backend answers, and what it is shown."""
    backend, path = llm.backend, ("backends", llm.backend.name)
    within = partial(_below, provider.path) if provider.path else None
    endpoint = read(backend, backend.stated_endpoint, (*path, "endpoint"), within)
    if not endpoint and not provider.has_home:
        problem = "has no endpoint, so LiteLLM would send the prompt to a host of its own choice"
        raise CallRefusedError(llm.model.name, backend.name, problem, f"state endpoint in [{backend.name}]")
    key = read(backend, backend.stated_api_key, (*path, "api_key"))
    stated = backend.stated_extra_config
    return {
        "api_base": endpoint,
        "api_key": key or (None if provider.has_chain else STAND_IN_KEY),
        **{argument: read(backend, stated.get(name), (*path, name)) for name, argument in _FURTHER.items()},
    }


def _below(path: str, endpoint: str) -> str:
    """A path below an endpoint, which may have it already."""
    root = endpoint.rstrip("/")
    return root if root.endswith(path) else root + path


def _headers(llm: ResolvedLLM, read: Read) -> dict[str, Any]:
    """The headers of the backend, and over them those of the model."""
    tables = {
        ("backends", llm.backend.name, "headers"): llm.backend.stated_headers,
        (*llm.model.path, "headers"): llm.model.stated_headers,
    }
    return {
        name: read(llm.backend, stated, (*path, name))
        for path, table in tables.items()
        for name, stated in table.items()
    }


def _parameters(llm: ResolvedLLM, provider: Provider) -> dict[str, Any]:
    """The parameters as LiteLLM calls them."""
    parameters = llm.parameters
    effort = parameters.reasoning_effort
    return {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        provider.limit: parameters.max_tokens,
        "seed": parameters.seed,
        "stop": [*parameters.stop],
        "reasoning_effort": effort and effort.value,
        # What the model takes is settled by its spec: LiteLLM knows fewer models, and refuses an effort for the others.
        "allowed_openai_params": ["reasoning_effort"] if effort and llm.model.sdk in _LIKE_OPENAI else None,
        "thinking": _thinking(llm),
        **_body(llm, provider),
    }


def _thinking(llm: ResolvedLLM) -> dict[str, Any] | None:
    """The budget to reason with, which LiteLLM takes in Anthropic's words for any provider."""
    budget = llm.parameters.reasoning_budget
    if budget is None:
        return None
    # In Google's words no tokens mean not to reason; in Anthropic's there is a word for that.
    is_off = budget == 0 and llm.model.sdk != "google"
    return {"type": "disabled"} if is_off else {"type": "enabled", "budget_tokens": budget}


def _body(llm: ResolvedLLM, provider: Provider) -> dict[str, Any]:
    """What the request carries in its body beside the parameters."""
    body: dict[str, Any] = map_leaves(llm.parameters.extra_body, lambda _path, value: value)
    # To these LiteLLM would send a field that is called `extra_body`; arguments that it does not know it passes on.
    is_passed_on = llm.model.sdk == "anthropic" or provider.prefix == "bedrock"
    return body if is_passed_on else {"extra_body": body}


def _stated(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is stated: neither None nor an empty text, list or table."""
    return {name: value for name, value in told.items() if value is not None and value not in ("", [], {})}
