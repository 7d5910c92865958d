"""Headers of OpenAI's clients: those that the settings state, answered anew for each request, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.models.model_deck import ResolvedLLM

_AMBIENT = ("organization", "project", "admin_api_key")
"""What the SDK takes from the process's environment where it is not told: whom it calls for, and with what."""


def headers_for(llm: ResolvedLLM) -> Callable[[], Mapping[str, str]]:
    """What answers the headers that a client sends with each request: the backend's, and over them the model's."""
    # The client must not keep the backend, for it is kept as long as that.
    backend, model = copy(llm.backend), llm.model

    @leaves_no_locals
    def answer() -> Mapping[str, str]:
        tables = (backend.headers, model.headers)
        return {name: plain_text(value) for table in tables for name, value in table.items()}

    return answer


def settled(sdk_class: Any, headers: Callable[[], Mapping[str, str]]) -> Any:
    """A client class of the SDK that sends what the settings say.

    The SDK reads `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`, `OPENAI_ADMIN_KEY` and `OPENAI_CUSTOM_HEADERS` by itself, and
    does so again for each copy of a client (`with_options`).

    Args:
        sdk_class: The class, such as `openai.OpenAI`.
        headers: Answers the headers of each request.
    """

    class Settled(sdk_class):  # type: ignore[misc]  # because: the SDK is imported only where it is needed
        def __init__(self, **named: Any) -> None:
            super().__init__(**named)
            for name in _AMBIENT:
                setattr(self, name, named.get(name))
            self._custom_headers = named.get("default_headers") or {}

        @property
        def default_headers(self) -> Mapping[str, Any]:
            # What a copy of the client was given stands over the settings.
            return {**super().default_headers, **headers(), **self._custom_headers}

    Settled.__name__ = Settled.__qualname__ = sdk_class.__name__
    return Settled
