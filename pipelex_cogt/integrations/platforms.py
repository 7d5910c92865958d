"""Platforms: whose door a backend is, and which module of ours goes through it.

The `sdk` of a model names the library that calls it; the platform is the backend's. Claude has `sdk = "anthropic"` at
Anthropic, on Bedrock and on Vertex AI, and each platform needs a client class of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_deck import ResolvedLLM


class Platform(StrEnum):
    """Whose door a backend is."""

    OWN = "its own API"
    AZURE = "Azure OpenAI"
    BEDROCK = "Amazon Bedrock"
    VERTEX = "Vertex AI"


_MARKS: Mapping[str, Platform] = {
    "api_version": Platform.AZURE,
    "aws_region": Platform.BEDROCK,
    "gcp_project_id": Platform.VERTEX,
}
"""The further keys of a backend that tell its platform."""

MODULES: Mapping[str, str] = {
    "anthropic": "anthropic",
    "bedrock": "bedrock",
    "google": "google",
    "mistral": "openai",
    "openai": "openai",
    "openai_compatible": "openai",
}
"""The module of this package that calls a model, by its `sdk`."""


def platform_of(backend: InferenceBackend) -> Platform:
    """Whose door a backend is, as its further keys tell."""
    return next((platform for key, platform in _MARKS.items() if key in backend.stated_extra_config), Platform.OWN)


def refusal(llm: ResolvedLLM, module: str) -> CallRefusedError:
    """The error for a model that a module of this package cannot call, naming the one that can.

    Args:
        llm: What was to be called.
        module: The SDK that the module calls, such as "anthropic".
    """
    sdk = llm.model.sdk
    other = MODULES.get(sdk, module)
    way = f"call it with pipelex_cogt.integrations.{other}"
    # The module that refuses is no way, even where it calls this `sdk` on another platform.
    if other == module:
        known = ", ".join(map(repr, MODULES))
        way = f"this package calls sdk {known}: state one of them, or call it with an SDK of your own"
    problem = f"has sdk {sdk!r} at {platform_of(llm.backend)}, which {module} cannot call"
    return CallRefusedError(llm.model.name, llm.backend.name, problem, way)
