"""Places: where a backend answers, looked at before anything is sent there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_deck import ResolvedLLM

_HOSTS: Mapping[str, str] = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
"""Hosts by location; any other location is part of the host's name."""


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
    project = backend.extra_config["gcp_project_id"]
    if not project:
        raise CallRefusedError(llm.model.name, backend.name, "has no gcp_project_id", "state it at the backend")
    location = backend.extra_config.get("gcp_location") or "global"
    host = _HOSTS.get(location, f"{location}-aiplatform.googleapis.com")
    return VertexPlace(project, location, backend.endpoint or f"https://{host}")


def vertex_credentials(backend: InferenceBackend) -> Any:
    """Google's credentials made of the `api_key` of a backend, an access token that is asked for at each request.

    Returns:
        None where it states no key: SDKs ask `google-auth`, which knows the application default credentials.

    Raises:
        MissingExtraError: `google-auth` is not installed.
    """
    base = import_sdk("google.auth.credentials", "vertex").Credentials
    if backend.stated_api_key is None:
        return None
    # Google's class sets its token when it is built.
    token = property(lambda _self: plain_text(backend.api_key), lambda _self, _token: None)
    return type("BackendToken", (base,), {"token": token, "refresh": lambda _self, _request: None})()
