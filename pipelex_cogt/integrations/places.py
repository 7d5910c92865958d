"""Places: where a backend answers, looked at before anything is sent there."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.headers import secret_headers
from pipelex_cogt.integrations.platforms import Platform, platform_of
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_deck import ResolvedLLM

_HOSTS: Mapping[str, str] = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
"""Hosts by location; any other location is part of the host's name."""
AWS_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""The further keys of a backend that AWS's requests are signed with."""
_FURTHER = ("api_version", "aws_region", "aws_profile", "gcp_project_id", "gcp_location")
"""The further keys of a backend that say where it answers, and for whom."""


def variant_of(llm: ResolvedLLM) -> tuple[Hashable, ...]:
    """What tells one client of a backend from another: whose API it calls and where, how often, whose headers it sends.

    Raises:
        MissingCredentialError: What says where is a reference that no source answers.
    """
    backend = llm.backend
    place = backend.endpoint, *(further_text(backend, key) for key in _FURTHER)
    of_model = llm.model.name if secret_headers(llm.model) else None
    return (llm.model.sdk, *place, has_key(backend), llm.max_retries, of_model)


@leaves_no_locals
def has_key(backend: InferenceBackend) -> bool:
    """Whether a backend shows a key of its own: where its platform finds credentials by itself, not an empty one.

    Raises:
        MissingCredentialError: Its platform does so, and the key is a reference that no source answers.
    """
    if platform_of(backend) in (Platform.BEDROCK, Platform.VERTEX):
        return backend.api_key is not None
    return backend.stated_api_key is not None


@leaves_no_locals
def further_text(backend: InferenceBackend, key: str) -> str | None:
    """A further setting of a backend as text; None where it is not stated, or empty.

    Raises:
        MissingCredentialError: It is a reference that no source answers.
    """
    value = plain_text(backend.extra_config.get(key))
    return None if value in (None, "") else str(value)


def own_endpoint(llm: ResolvedLLM, vendor: str, host: str) -> str:
    """Where the backend of a model has the API that a vendor's own SDK calls, as stated.

    Args:
        llm: What is to be called.
        vendor: Whose SDK calls it, such as "Anthropic".
        host: Where that SDK would call, were it told nothing.

    Raises:
        CallRefusedError: It states no endpoint, or nothing that shows who calls.
        MissingCredentialError: The endpoint is a reference that no source answers.
    """
    if llm.backend.stated_api_key is None and not llm.backend.stated_headers:
        raise keyless(llm)
    endpoint = llm.backend.endpoint
    if endpoint is None:
        raise placeless(llm, vendor, host)
    return endpoint


@leaves_no_locals
def own_key(llm: ResolvedLLM) -> str | None:
    """The key that a request to a vendor's own API shows; None where headers show who calls.

    Raises:
        CallRefusedError: The key is empty by now, and no header is stated.
        MissingCredentialError: The key is a reference that no source answers.
    """
    key: str | None = plain_text(llm.backend.api_key)
    if key is None and not llm.backend.stated_headers:
        raise keyless(llm)
    return key


def keyless(
    llm: ResolvedLLM, way: str = "headers that show who calls; where the host asks for none, any text does"
) -> CallRefusedError:
    """The error for a backend that states nothing that shows who calls.

    Args:
        llm: What was to be called.
        way: What else may be stated than a key.
    """
    problem = f"has no api_key, which sdk {llm.model.sdk!r} needs"
    return CallRefusedError(llm.model.name, llm.backend.name, problem, f"state one, or {way}")


def placeless(llm: ResolvedLLM, vendor: str, host: str) -> CallRefusedError:
    """The error for a backend that states no endpoint.

    Args:
        llm: What was to be called.
        vendor: Whose SDK calls it, such as "Anthropic".
        host: Where that SDK would call, were it told nothing.
    """
    problem = f"has no endpoint, and {vendor}'s SDK would send the prompt to {host}"
    return CallRefusedError(llm.model.name, llm.backend.name, problem, "state the backend's endpoint")


class VertexPlace(NamedTuple):
    """Where a backend on Vertex AI answers.

    Attributes:
        project: The project that is billed.
        location: The region, a continent, or "global".
        endpoint: The base URL, as stated or as the location tells it.
    """

    project: str
    location: str
    endpoint: str


def vertex_place(llm: ResolvedLLM) -> VertexPlace:
    """Where the backend of a model answers.

    Raises:
        CallRefusedError: It states an empty project.
        MissingCredentialError: The project, the location or the endpoint is a reference that no source answers.
    """
    backend = llm.backend
    project = further_text(backend, "gcp_project_id")
    if project is None:
        raise CallRefusedError(llm.model.name, backend.name, "has no gcp_project_id", "state it at the backend")
    location = further_text(backend, "gcp_location") or "global"
    host = _HOSTS.get(location, f"{location}-aiplatform.googleapis.com")
    return VertexPlace(project, location, backend.endpoint or f"https://{host}")


def vertex_credentials(backend: InferenceBackend) -> Any:
    """Google's credentials made of the `api_key` of a backend, an access token that is asked for at each request.

    Returns:
        None where it has no key: SDKs ask `google-auth`, which knows the application default credentials.

    Raises:
        MissingExtraError: `google-auth` is not installed.
    """
    base = import_sdk("google.auth.credentials", "vertex").Credentials
    if not has_key(backend):
        return None
    # Google's class sets its token when it is built.
    token = property(lambda _self: plain_text(backend.api_key), lambda _self, _token: None)
    return type("BackendToken", (base,), {"token": token, "refresh": lambda _self, _request: None})()
