"""Vertex AI: where it answers, and with whose token."""

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
        problem = "has an empty gcp_project_id, which Vertex AI requires"
        raise CallRefusedError(llm.model.name, backend.name, problem, "state the project in backends.toml")
    location = backend.extra_config.get("gcp_location") or "global"
    host = _HOSTS.get(location, f"{location}-aiplatform.googleapis.com")
    return VertexPlace(project, location, backend.endpoint or f"https://{host}")


def vertex_credentials(backend: InferenceBackend, extra: str) -> Any:
    """Google's credentials made of the `api_key` of a backend, an access token that is asked for at each request.

    Args:
        backend: The backend.
        extra: The extra of this package that brings `google-auth`.

    Returns:
        None where it states no key: the SDK asks `google-auth`, which knows the application default credentials.
    """
    if backend.stated_api_key is None:
        return None
    base = import_sdk("google.auth.credentials", extra).Credentials
    token = property(lambda _self: plain_text(backend.api_key), lambda _self, _token: None)
    return type("BackendToken", (base,), {"token": token, "refresh": lambda _self, _request: None})()
