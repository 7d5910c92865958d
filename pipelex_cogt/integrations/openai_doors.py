"""Doors: where OpenAI's SDK finds a backend, and what it shows there.

A door is the class of the SDK's client, with what it is built with. Whose door it is, is told by the backend's
platform; the `sdk` of a model says which path leads to OpenAI's API there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import ModelApi
from pipelex_cogt.models.model_deck import ResolvedLLM

Key: TypeAlias = Callable[[], str]
"""Answers a key; it is asked for each request, so that a rotated key is used by the next one."""
AskedLater: TypeAlias = Callable[[], Awaitable[str]]
"""The same for an async client."""

PATHS = {"anthropic": "/v1", "google": "/v1beta/openai", "mistral": "/v1"}
"""Where those who have an API of their own keep OpenAI's, by `sdk`: below the endpoint that their own SDK takes."""
_OWN_SDKS = frozenset({"openai", "openai_compatible", *PATHS})
_SDKS = {
    Platform.OWN: _OWN_SDKS,
    Platform.AZURE: frozenset({"openai", "openai_compatible"}),
    Platform.BEDROCK: frozenset({"openai", "openai_compatible"}),
    Platform.VERTEX: frozenset({"openai_compatible"}),
}
"""The `sdk` of the models that OpenAI's SDK can call, by platform."""
_RESPONSES_SDKS = ("openai", "openai_compatible")
_STAND_IN_KEY = "no-key-needed"
"""What the SDK is given where a host asks for no key, for it insists on one."""
_FIRST_RESPONSES_VERSION = "2025-03-01"
"""The day of Azure's first dated version that has the Responses API."""
_UNDATED_VERSIONS = ("", "v1")
"""What `api_version` states for the form of Azure's API that has no versions."""
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Door(NamedTuple):
    """A way into an API.

    Attributes:
        client: The class of the SDK's client, without the `Async` before it.
        variant: What tells it from another door of the same backend; no secret is in it.
        build: The arguments of the class; it is given what makes a `Key` of the kind that the class asks.
    """

    client: str
    variant: tuple[Hashable, ...]
    build: Callable[[Callable[[Key], Any]], dict[str, Any]]


def asked_now(key: Key) -> Key:
    """A key as a client asks it."""
    return key


def asked_later(key: Key) -> AskedLater:
    """A key as an async client asks it: a file or a token that has to be fetched keeps no event loop waiting."""

    async def ask() -> str:
        return await asyncio.to_thread(key)

    return ask


def check(llm: ResolvedLLM) -> None:
    """Look whether OpenAI's SDK can call a model.

    Raises:
        CallRefusedError: It cannot.
    """
    sdk = llm.model.sdk
    if sdk not in _SDKS[platform_of(llm.backend)]:
        raise refusal(llm, "openai")
    if llm.model.api is ModelApi.RESPONSES and sdk not in _RESPONSES_SDKS:
        raise _refused(llm, f"has api 'responses', which sdk {sdk!r} lacks", 'state api = "chat"')


def find_door(llm: ResolvedLLM) -> Door:
    """The door to the backend of a model.

    Raises:
        CallRefusedError: OpenAI's SDK cannot call the model, or does not know where or with what.
        MissingCredentialError: The endpoint, or another setting of the address, is a reference that nothing answers.
    """
    check(llm)
    # A client that kept the backend itself would keep it for ever, for clients are kept as long as their backend.
    return _FINDERS[platform_of(llm.backend)](llm, copy(llm.backend))


def _find_own(llm: ResolvedLLM, backend: InferenceBackend) -> Door:
    base_url = _below(_endpoint(llm, backend), PATHS.get(llm.model.sdk, ""))
    key = _key(llm, backend)
    return Door("OpenAI", (base_url,), lambda kind: {"base_url": base_url, "api_key": kind(key)})


def _find_azure(llm: ResolvedLLM, backend: InferenceBackend) -> Door:
    """Azure's API, by the form that `api_version` states: with dated versions, or the later one that has none.

    https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    """
    root = _endpoint(llm, backend).removesuffix("/v1").removesuffix("/openai")
    version = _text(backend, "api_version") or ""
    token = _entra_token(backend)
    if token is None and backend.stated_api_key is None:
        raise _refused(llm, "has no api_key", "state one, or azure_ad_token for a token of Entra ID")
    if version in _UNDATED_VERSIONS:
        base_url, key = f"{root}/openai/v1", token or _own_key(backend)
        return Door("OpenAI", (base_url,), lambda kind: {"base_url": base_url, "api_key": kind(key)})
    if llm.model.api is ModelApi.RESPONSES and version < _FIRST_RESPONSES_VERSION:
        problem = f"has api 'responses', which Azure's api_version {version!r} lacks"
        raise _refused(llm, problem, f'state api_version = "v1", or one from {_FIRST_RESPONSES_VERSION} on')
    place = {"azure_endpoint": root, "api_version": version}
    argument, key = ("azure_ad_token_provider", token) if token else ("api_key", _own_key(backend))
    return Door("AzureOpenAI", (root, version), lambda kind: {**place, argument: kind(key)})


def _find_bedrock(_llm: ResolvedLLM, backend: InferenceBackend) -> Door:
    """Bedrock's OpenAI API: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html."""
    base_url = backend.endpoint and _below(backend.endpoint.rstrip("/"), "/openai/v1")
    region = _text(backend, "aws_region")
    if backend.stated_api_key is not None:
        # The SDK would wrap the error of a key that is missing.
        backend.api_key  # noqa: B018 -- because: it is asked for its error
    return Door("OpenAI", (base_url, region), partial(_bedrock, backend, base_url, region))


def _bedrock(
    backend: InferenceBackend, base_url: str | None, region: str | None, kind: Callable[[Key], Any]
) -> dict[str, Any]:
    bedrock = import_sdk("openai.providers", "bedrock").bedrock
    # The ids of the catalogue are those of the older of its two services.
    service = "mantle" if "bedrock-mantle" in (base_url or "") else "runtime"
    shown = _aws_credentials(backend, kind)
    return {"provider": bedrock(endpoint=service, region=region, base_url=base_url, **shown)}


def _aws_credentials(backend: InferenceBackend, kind: Callable[[Key], Any]) -> dict[str, Any]:
    """What Bedrock is shown: a key, the profile or the keys that are stated, else what AWS's own chain finds."""
    if backend.stated_api_key is not None:
        return {"token_provider": kind(_own_key(backend))}
    botocore = import_sdk("botocore.credentials", "bedrock")
    if "aws_access_key_id" in backend.stated_extra_config:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return {"credential_provider": lambda: botocore.Credentials(*(_text(backend, name) for name in names))}
    return {"profile": _text(backend, "aws_profile")}


def _find_vertex(llm: ResolvedLLM, backend: InferenceBackend) -> Door:
    """Vertex AI's open models: https://cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis."""
    project, location = _text(backend, "gcp_project_id"), _text(backend, "gcp_location") or "global"
    if project is None:
        raise _refused(llm, "has no gcp_project_id", "state it at the backend")
    prefix = "" if location == "global" else f"{location}-"
    root = (backend.endpoint or f"https://{prefix}aiplatform.googleapis.com").rstrip("/").removesuffix("/v1")
    base_url = f"{root}/v1/projects/{project}/locations/{location}/endpoints/openapi"
    return Door("OpenAI", (base_url,), partial(_vertex, backend, base_url))


def _vertex(backend: InferenceBackend, base_url: str, kind: Callable[[Key], Any]) -> dict[str, Any]:
    key = _google_token() if backend.stated_api_key is None else _own_key(backend)
    return {"base_url": base_url, "api_key": kind(key)}


def _google_token() -> Key:
    """What answers a token of Google's application default credentials; it is fetched again when it ends."""
    auth, transport = (import_sdk(f"google.auth{name}", "vertex") for name in ("", ".transport.requests"))
    credentials, _project = auth.default(scopes=[_GOOGLE_SCOPE])

    def token() -> str:
        if not credentials.valid:
            credentials.refresh(transport.Request())
        return str(credentials.token)

    return token


_FINDERS: Mapping[Platform, Callable[[ResolvedLLM, InferenceBackend], Door]] = {
    Platform.OWN: _find_own,
    Platform.AZURE: _find_azure,
    Platform.BEDROCK: _find_bedrock,
    Platform.VERTEX: _find_vertex,
}


def _endpoint(llm: ResolvedLLM, backend: InferenceBackend) -> str:
    """Where a backend is, without a slash at its end."""
    if backend.endpoint is None:
        problem = "has no endpoint, and OpenAI's SDK would send the prompt to api.openai.com"
        raise _refused(llm, problem, "state the backend's endpoint")
    return backend.endpoint.rstrip("/")


def _below(root: str, path: str) -> str:
    """A path below a root, which may have it already, or the version at its end."""
    version = path.rpartition("/")[2]
    return root if not path or root.endswith((path, f"/{version}")) else f"{root}{path}"


def _key(llm: ResolvedLLM, backend: InferenceBackend) -> Key:
    """What answers the key of a backend; a stand-in where a host asks for none."""
    if backend.stated_api_key is not None:
        return _own_key(backend)
    if llm.model.sdk != "openai_compatible" and not backend.stated_headers:
        way = "state one, or headers that show who calls; where the host asks for none, any text does"
        raise _refused(llm, f"has no api_key, which sdk {llm.model.sdk!r} needs", way)
    return lambda: _STAND_IN_KEY


def _own_key(backend: InferenceBackend) -> Key:
    @leaves_no_locals
    def key() -> str:
        return str(plain_text(backend.api_key) or "")

    return key


def _entra_token(backend: InferenceBackend) -> Key | None:
    """What answers the Entra token of an Azure backend that states one instead of a key."""
    if backend.stated_api_key is not None or "azure_ad_token" not in backend.stated_extra_config:
        return None
    return lambda: str(_text(backend, "azure_ad_token"))


@leaves_no_locals
def _text(backend: InferenceBackend, key: str) -> str | None:
    """A further setting of a backend as text; None where it is not stated, or empty."""
    value = plain_text(backend.extra_config.get(key))
    return str(value) if value else None


def _refused(llm: ResolvedLLM, problem: str, way: str) -> CallRefusedError:
    return CallRefusedError(llm.model.name, llm.backend.name, problem, way)
