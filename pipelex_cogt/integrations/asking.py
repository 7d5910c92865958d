"""Asking: one question to any model, whichever of our modules calls it.

for piece in asking.stream(llm, "Why is the sky blue?"):
    ...                                  # pieces of text, and last a Usage, where the provider tells it
asking.request(llm, "Why?")              # what would be sent, as data
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from pipelex_cogt.integrations.platforms import MODULES, refusal
from pipelex_cogt.model_backends.model_spec import ModelApi
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

_QUESTIONS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "anthropic": lambda prompt: {"messages": [{"role": "user", "content": prompt}]},
    "bedrock": lambda prompt: {"messages": [{"role": "user", "content": [{"text": prompt}]}]},
    "google": lambda prompt: {"contents": prompt},
    "openai": lambda prompt: {"messages": [{"role": "user", "content": prompt}]},
    "responses": lambda prompt: {"input": prompt},
}
"""A question as a call is sent it, by the module that calls, or by the API."""


def module_for(llm: ResolvedLLM) -> ModuleType:
    """The module of this package that calls a model.

    Raises:
        CallRefusedError: None does.
    """
    name = MODULES.get(llm.model.sdk)
    if name is None:
        raise refusal(llm, "this package")
    return import_module(f"pipelex_cogt.integrations.{name}")


def request(llm: ResolvedLLM, prompt: str) -> dict[str, Any]:
    """What a call with one question is sent, as the module's SDK takes it; no key is in it.

    Raises:
        CallRefusedError: No module of this package can call the model here.
        MissingCredentialError: Its `model_id` is a reference that no source answers.
    """
    module = module_for(llm)
    is_of_responses = llm.model.api is ModelApi.RESPONSES and MODULES[llm.model.sdk] == "openai"
    question = _QUESTIONS["responses" if is_of_responses else MODULES[llm.model.sdk]]
    return {**module.arguments(llm), **question(prompt)}


def stream(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    """Call a model with one question: the pieces of the answer as they come, then the usage, where it is told.

    Raises:
        CallRefusedError: No module of this package can call the model here.
        MissingExtraError: The SDK is not installed.
        MissingCredentialError: A credential is missing.
    """
    pieces: Iterator[str | Usage] = module_for(llm).stream(llm, prompt)
    return pieces
