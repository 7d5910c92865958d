"""What LiteLLM is told of a model: who serves it, under which address, with which key and parameters.

It is told the same way to call a model now and to write it into the configuration of a proxy. The two differ in what
becomes of a setting that may hold a reference: `Read` answers it, or writes it down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.tables import thaw
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.headers import merge_headers
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelApi
from pipelex_cogt.models.call_parameters import CallParameters
from pipelex_cogt.models.model_deck import ResolvedLLM

Told: TypeAlias = Mapping[str, Any]
"""Arguments of LiteLLM, by its own names; None stands for what is left out."""


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
        limit: The argument that limits the tokens of an answer.
    """

    prefix: str
    path: str = ""
    limit: str = "max_tokens"


# A deployment may have any name, so that LiteLLM cannot tell by it how its model calls the limit.
_LIMIT_OF_OPENAI = "max_completion_tokens"
_IMITATION = Provider("openai")
_AZURE = Provider("azure")
_BEDROCK = Provider("bedrock")
_VERTEX = Provider("vertex_ai")
_PROVIDERS: Mapping[Platform, Mapping[str, Provider]] = {
    Platform.OWN: {
        "openai": Provider("openai", limit=_LIMIT_OF_OPENAI),
        "openai_compatible": _IMITATION,
        "anthropic": Provider("anthropic"),
        "google": Provider("gemini", path="/v1beta"),
        "mistral": Provider("mistral"),
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
_UNDATED_VERSIONS = (None, "", "v1")
"""What `api_version` states for the form of Azure's API that has no versions."""
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
    provider, parameters = find_provider(llm), llm.parameters
    told = {
        "model": _model(llm, provider, read),
        **_address(llm, provider, read),
        "extra_headers": _headers(llm, read),
        "timeout": parameters.timeout,
        "num_retries": llm.max_retries,
        **_parameters(llm.model, parameters, provider),
    }
    return {**_stated(told), **_body(llm.model, parameters, provider)}


def find_provider(llm: ResolvedLLM) -> Provider:
    """What LiteLLM calls the provider of a model.

    Raises:
        CallRefusedError: It calls no such model there.
    """
    provider = _PROVIDERS[_platform(llm)].get(llm.model.sdk)
    if provider is None:
        raise refusal(llm, "LiteLLM")
    is_known_by_name = provider is _IMITATION and llm.model.api is ModelApi.CHAT
    names = (llm.backend.name, llm.backend.models_like or "") if is_known_by_name else ()
    prefix = next((_HOSTS[name] for name in names if name in _HOSTS), provider.prefix)
    return provider._replace(prefix=prefix)


def _platform(llm: ResolvedLLM) -> Platform:
    """Whose door a backend is; Converse is spoken on Bedrock, even where no region is stated."""
    platform = platform_of(llm.backend)
    is_bedrock = platform is Platform.OWN and llm.model.sdk == "bedrock"
    return Platform.BEDROCK if is_bedrock else platform


def _model(llm: ResolvedLLM, provider: Provider, read: Read) -> Any:
    """The model's string behind LiteLLM's prefixes."""
    model = llm.model
    is_responses = model.api is ModelApi.RESPONSES
    if is_responses and provider.prefix not in _RESPONSES:
        problem = f"has api 'responses', which LiteLLM calls at OpenAI and Azure, not at {provider.prefix}"
        raise _refused(llm, problem, 'state api = "chat"')
    before = f"{provider.prefix}/responses/" if is_responses else f"{provider.prefix}/"
    return read(llm.backend, model.stated_model_id, (*model.path, "model_id"), lambda model_id: before + model_id)


def _address(llm: ResolvedLLM, provider: Provider, read: Read) -> Told:
    """Where a backend answers, and what it is shown."""
    backend, path = llm.backend, ("backends", llm.backend.name)
    within = partial(_below, provider.path) if provider.path else None
    further = backend.stated_extra_config
    told = {
        "api_base": read(backend, backend.stated_endpoint, (*path, "endpoint"), within),
        "api_key": read(backend, backend.stated_api_key, (*path, "api_key")),
        **dict.fromkeys(_FURTHER.values()),
        **{_FURTHER[name]: read(backend, further[name], (*path, name)) for name in further if name in _FURTHER},
    }
    return _DOORS[_platform(llm)](llm, told)


def _own(llm: ResolvedLLM, told: Told) -> Told:
    """A host of its own is named, and shown no key of somebody else's that LiteLLM finds in the environment."""
    _check_endpoint(llm, told)
    return {**told, "api_key": told["api_key"] or STAND_IN_KEY}


def _azure(llm: ResolvedLLM, told: Told) -> Told:
    """Azure is shown a key or a token of Entra ID, which is sent as a key in the form that has no versions."""
    _check_endpoint(llm, told)
    token = told["azure_ad_token"]
    if not told["api_key"] and not token:
        raise _refused(llm, "has no api_key", "state one, or azure_ad_token for a token of Entra ID")
    if token and told["api_version"] in _UNDATED_VERSIONS:
        told = {**told, "api_key": token, "azure_ad_token": None}
    return {**told, "api_version": told["api_version"] or "v1"}


def _bedrock(_llm: ResolvedLLM, told: Told) -> Told:
    """Bedrock is found by its region, and shown what AWS's own chain finds where nothing is stated."""
    # Over an `api_base`, LiteLLM would take AWS_BEDROCK_RUNTIME_ENDPOINT of the environment.
    return {**told, "api_base": None, "aws_bedrock_runtime_endpoint": told["api_base"]}


def _vertex(llm: ResolvedLLM, told: Told) -> Told:
    """Vertex AI is found by its location, and shown Google's application default credentials."""
    if told["api_key"]:
        problem = "has an api_key, which LiteLLM does not show to Vertex AI"
        raise _refused(llm, problem, "leave it to Google's application default credentials")
    return {**told, "vertex_location": told["vertex_location"] or "global"}


_DOORS: Mapping[Platform, Callable[[ResolvedLLM, Told], Told]] = {
    Platform.OWN: _own,
    Platform.AZURE: _azure,
    Platform.BEDROCK: _bedrock,
    Platform.VERTEX: _vertex,
}
"""What is made of an address and its credentials, by platform."""


def _check_endpoint(llm: ResolvedLLM, told: Told) -> None:
    if not told["api_base"]:
        problem = "has no endpoint, so LiteLLM would send the prompt to a host of its own choice"
        raise _refused(llm, problem, f"state endpoint in [{llm.backend.name}]")


def _refused(llm: ResolvedLLM, problem: str, next_step: str) -> CallRefusedError:
    return CallRefusedError(llm.model.name, llm.backend.name, problem, next_step)


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
    read_tables = (
        {name: read(llm.backend, stated, (*path, name)) for name, stated in table.items()}
        for path, table in tables.items()
    )
    return merge_headers(*read_tables)


def _parameters(model: InferenceModelSpec, parameters: CallParameters, provider: Provider) -> dict[str, Any]:
    """The parameters as LiteLLM calls them."""
    effort = parameters.reasoning_effort
    return {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        provider.limit: _limit(model, parameters),
        "seed": parameters.seed,
        "stop": [*parameters.stop],
        "reasoning_effort": effort and effort.value,
        # What the model takes is settled by its spec: LiteLLM knows fewer models, and refuses an effort for the others.
        "allowed_openai_params": ["reasoning_effort"] if effort and model.sdk in _LIKE_OPENAI else None,
        "thinking": _thinking(model, parameters),
    }


def _limit(model: InferenceModelSpec, parameters: CallParameters) -> int | None:
    """The most tokens of the answer, which Anthropic requires: LiteLLM would take that of its own list."""
    is_required = model.sdk == "anthropic"
    return parameters.max_tokens or (model.max_tokens if is_required else None)


def _thinking(model: InferenceModelSpec, parameters: CallParameters) -> dict[str, Any] | None:
    """The budget to reason with, which LiteLLM takes in Anthropic's words for any provider."""
    budget = parameters.reasoning_budget
    if budget is None:
        return None
    # In Google's words no tokens mean not to reason; in Anthropic's there is a word for that.
    is_off = budget == 0 and model.sdk != "google"
    return {"type": "disabled"} if is_off else {"type": "enabled", "budget_tokens": budget}


def _body(model: InferenceModelSpec, parameters: CallParameters, provider: Provider) -> dict[str, Any]:
    """What the request carries in its body beside the parameters."""
    body = thaw(parameters.extra_body)
    # To these LiteLLM would send a field that is called `extra_body`; arguments that it does not know it passes on.
    is_passed_on = model.sdk == "anthropic" or provider.prefix == "bedrock"
    return body if is_passed_on else _stated({"extra_body": body})


def _stated(told: Told) -> dict[str, Any]:
    """What is stated: neither None nor an empty text, list or table."""
    return {name: value for name, value in told.items() if value is not None and value not in ("", [], {})}
