"""Doors: where OpenAI's SDK finds a backend, and what it shows there.

A door is the class of the SDK's client, with what it is built with. Whose door it is, is told by the backend's
platform; the `sdk` of a model says which path leads to OpenAI's API there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.clients import apart
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.places import AWS_KEYS, further_text, has_key, keyless, placeless, vertex_place
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.model_spec import ModelApi
from pipelex_cogt.models.model_deck import ResolvedLLM

Key: TypeAlias = Callable[[], str]
"""Answers a key; it is asked for each request, so that a rotated key is used by the next one."""
AskedLater: TypeAlias = Callable[[], Awaitable[str]]
"""The same for an async client."""

_PATHS = {"anthropic": "/v1", "google": "/v1beta/openai", "mistral": "/v1"}
"""Where those who have an API of their own keep OpenAI's, by `sdk`: below the endpoint that their own SDK takes."""
_SDKS = {
    Platform.OWN: ("openai", "openai_compatible", *_PATHS),
    Platform.AZURE: ("openai", "openai_compatible"),
    Platform.BEDROCK: ("openai", "openai_compatible"),
    Platform.VERTEX: ("openai_compatible",),
}
"""The `sdk` of the models that OpenAI's SDK can call, by platform."""
_STAND_IN_KEY = "no-key-needed"
"""What the SDK is given where a host asks for no key, for it insists on one."""
_FIRST_RESPONSES_VERSION = "2025-03-01"
"""The day of Azure's first dated version that has the Responses API."""
_UNDATED_VERSIONS = ("", "v1")
"""What `api_version` states for the form of Azure's API that has no versions."""
_ENTRA_TOKEN = "azure_ad_token"  # noqa: S105 -- because: it is the name of a key of TOML
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Door(NamedTuple):
    """A way into an API.

    Attributes:
        client: The class of the SDK's client, without the `Async` before it.
        build: The arguments of the class; it is given what makes a `Key` of the kind that the class asks.
    """

    client: str
    build: Callable[[Callable[[Key], Any]], dict[str, Any]]


def asked_now(key: Key) -> Key:
    """A key as a client asks it."""
    return key


def asked_later(key: Key) -> AskedLater:
    """A key as an async client asks it: a file or a token that has to be fetched keeps no event loop waiting."""

    async def ask() -> str:
        # What the SDK itself stands on: it works with trio as it does with asyncio.
        threads = import_sdk("anyio.to_thread", "openai")
        return str(await threads.run_sync(key))

    return ask


def check(llm: ResolvedLLM) -> None:
    """Look whether OpenAI's SDK can call a model.

    Raises:
        CallRefusedError: It cannot.
    """
    sdk, platform = llm.model.sdk, platform_of(llm.backend)
    if sdk not in _SDKS[platform]:
        raise refusal(llm, "openai")
    lacking = f"sdk {sdk!r}" if sdk in _PATHS else platform
    if llm.model.api is ModelApi.RESPONSES and (sdk in _PATHS or platform is Platform.VERTEX):
        raise _refused(llm, f"has api 'responses', which {lacking} lacks", 'state api = "chat"')


def find_door(llm: ResolvedLLM) -> Door:
    """The door to the backend of a model.

    Raises:
        CallRefusedError: OpenAI's SDK cannot call the model, or does not know where or with what.
        MissingCredentialError: The endpoint, or another setting of the address, is a reference that nothing answers.
    """
    check(llm)
    return _FINDERS[platform_of(llm.backend)](apart(llm))


def has_responses(llm: ResolvedLLM) -> bool:
    """Whether there is a Responses API beside chat where a model is served: at OpenAI, and at Azure in this version.

    Raises:
        MissingCredentialError: The version is a reference that no source answers.
    """
    platform = platform_of(llm.backend)
    if platform is Platform.AZURE:
        return _has_responses(further_text(llm.backend, "api_version") or "")
    return platform is Platform.OWN and llm.model.sdk == "openai"


def _has_responses(version: str) -> bool:
    return version in _UNDATED_VERSIONS or version >= _FIRST_RESPONSES_VERSION


def _find_own(llm: ResolvedLLM) -> Door:
    base_url = _below(_endpoint(llm), _PATHS.get(llm.model.sdk, ""))
    # A host that imitates OpenAI may ask for no key, and a gateway for headers alone.
    is_optional = llm.model.sdk == "openai_compatible" or bool(llm.backend.stated_headers)
    key = _key(llm, is_optional=is_optional)
    return Door("OpenAI", lambda kind: {"base_url": base_url, "api_key": kind(key)})


def _find_azure(llm: ResolvedLLM) -> Door:
    """Azure's API, by the form that `api_version` states: with dated versions, or the later one that has none.

    https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    """
    root = _endpoint(llm).removesuffix("/v1").removesuffix("/openai")
    version = further_text(llm.backend, "api_version") or ""
    is_token = _ENTRA_TOKEN in llm.backend.stated_extra_config
    key = _entra_token(llm) if is_token else _key(llm, is_optional=bool(llm.backend.stated_headers))
    if version in _UNDATED_VERSIONS:
        base_url = f"{root}/openai/v1"
        return Door("OpenAI", lambda kind: {"base_url": base_url, "api_key": kind(key)})
    if llm.model.api is ModelApi.RESPONSES and not _has_responses(version):
        problem = f"has api 'responses', which Azure's api_version {version!r} lacks"
        raise _refused(llm, problem, f'state api_version = "v1", or one from {_FIRST_RESPONSES_VERSION} on')
    place = {"azure_endpoint": root, "api_version": version}
    argument = "azure_ad_token_provider" if is_token else "api_key"
    return Door("AzureOpenAI", lambda kind: {**place, argument: kind(key)})


def _find_bedrock(llm: ResolvedLLM) -> Door:
    """Bedrock's OpenAI API: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html."""
    return Door("OpenAI", partial(_bedrock, llm))


def _bedrock(llm: ResolvedLLM, kind: Callable[[Key], Any]) -> dict[str, Any]:
    bedrock = import_sdk("openai.providers", "bedrock").bedrock
    endpoint = llm.backend.endpoint
    # Of its two services the older one serves the ids that begin with a region or end with a version.
    service = "mantle" if "bedrock-mantle" in (endpoint or "") else "runtime"
    base_url = endpoint and _below(endpoint.rstrip("/"), "/openai/v1")
    shown = {"token_provider": kind(_key(llm))} if has_key(llm.backend) else _aws_credentials(llm)
    region = further_text(llm.backend, "aws_region")
    return {"provider": bedrock(endpoint=service, region=region, base_url=base_url, **shown)}


def _aws_credentials(llm: ResolvedLLM) -> dict[str, Any]:
    """The keys or the profile of AWS that a backend states; nothing where AWS's own chain is to find them."""
    botocore = import_sdk("botocore.credentials", "bedrock")
    backend = llm.backend
    if further_text(backend, AWS_KEYS[0]):
        return {
            "credential_provider": lambda: botocore.Credentials(*(further_text(backend, name) for name in AWS_KEYS))
        }
    return {"profile": further_text(backend, "aws_profile")}


def _find_vertex(llm: ResolvedLLM) -> Door:
    """Vertex AI's open models: https://cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis."""
    project, location, endpoint = vertex_place(llm)
    root = endpoint.rstrip("/").removesuffix("/v1")
    base_url = f"{root}/v1/projects/{project}/locations/{location}/endpoints/openapi"

    def build(kind: Callable[[Key], Any]) -> dict[str, Any]:
        return {"base_url": base_url, "api_key": kind(_key(llm) if has_key(llm.backend) else _google_token())}

    return Door("OpenAI", build)


def _google_token() -> Key:
    """What answers a token of Google's application default credentials; it is fetched again when it ends."""
    auth, transport = (import_sdk(f"google.auth{name}", "vertex") for name in ("", ".transport.requests"))
    credentials, _project = auth.default(scopes=[_GOOGLE_SCOPE])

    def token() -> str:
        if not credentials.valid:
            credentials.refresh(transport.Request())
        return str(credentials.token)

    return token


_FINDERS: Mapping[Platform, Callable[[ResolvedLLM], Door]] = {
    Platform.OWN: _find_own,
    Platform.AZURE: _find_azure,
    Platform.BEDROCK: _find_bedrock,
    Platform.VERTEX: _find_vertex,
}


def _endpoint(llm: ResolvedLLM) -> str:
    """Where a backend is, without a slash at its end."""
    endpoint = llm.backend.endpoint
    if endpoint is None:
        raise placeless(llm, "OpenAI", "api.openai.com")
    return endpoint.rstrip("/")


def _below(root: str, path: str) -> str:
    """A path below a root, which may have its first step already, or all of it."""
    steps = path.split("/")
    if not path or root.endswith(f"/{steps[-1]}"):
        return root
    return root.removesuffix(f"/{steps[1]}") + path


def _key(llm: ResolvedLLM, *, is_optional: bool = False) -> Key:
    """What answers the key of a backend; a stand-in where there is none and none is needed."""
    if llm.backend.stated_api_key is None and not is_optional:
        raise _keyless(llm)

    @leaves_no_locals
    def key() -> str:
        found = plain_text(llm.backend.api_key)
        if not found and not is_optional:
            raise _keyless(llm)
        return str(found or _STAND_IN_KEY)

    return key


def _entra_token(llm: ResolvedLLM) -> Key:
    """What answers the Entra token of an Azure backend that states one instead of a key."""

    @leaves_no_locals
    def token() -> str:
        found = further_text(llm.backend, _ENTRA_TOKEN)
        if not found:
            raise _keyless(llm)
        return found

    return token


def _keyless(llm: ResolvedLLM) -> CallRefusedError:
    is_azure = platform_of(llm.backend) is Platform.AZURE
    return keyless(llm, f"{_ENTRA_TOKEN} for a token of Entra ID") if is_azure else keyless(llm)


def _refused(llm: ResolvedLLM, problem: str, way: str) -> CallRefusedError:
    return CallRefusedError(llm.model.name, llm.backend.name, problem, way)
