"""Classes of OpenAI's clients that send what the settings say, and nothing that the environment says beside it."""

from __future__ import annotations

from copy import copy
from typing import Any

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.integrations.headers import asked_headers, merge_headers
from pipelex_cogt.models.model_deck import ResolvedLLM

_AMBIENT = ("organization", "project", "admin_api_key")
"""What the SDK takes from the process's environment where it is not told: whom it calls for, and with what."""


def settled(sdk_class: Any, llm: ResolvedLLM) -> Any:
    """A client class of the SDK that asks the settings for the headers of each request.

    The SDK reads `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`, `OPENAI_ADMIN_KEY` and `OPENAI_CUSTOM_HEADERS` by itself, and
    does so again for each copy of a client (`with_options`).

    Args:
        sdk_class: The class, such as `openai.OpenAI`.
        llm: What it is to call.
    """
    # A client that kept the backend itself would keep it for ever, for clients are kept as long as their backend.
    backend, model = copy(llm.backend), llm.model

    class Settled(sdk_class):  # type: ignore[misc]  # because: the SDK is imported only where it is needed
        def __init__(self, **named: Any) -> None:
            super().__init__(**named)
            for name in _AMBIENT:
                setattr(self, name, named.get(name))
            self._custom_headers = named.get("default_headers") or {}

        @property
        @leaves_no_locals
        def default_headers(self) -> dict[str, Any]:
            # What a copy of the client was given stands over the settings.
            return merge_headers(super().default_headers, asked_headers(backend, model), self._custom_headers)

    Settled.__name__ = Settled.__qualname__ = sdk_class.__name__
    return Settled
