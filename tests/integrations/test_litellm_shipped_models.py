"""The rule of the catalogue in use, through LiteLLM: what presets make of each shipped model is accepted there.

With the presets that the catalogue ships, and with one for each effort, budget and limit that it states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import ModelManager, ResolvedLLM
from pipelex_cogt.integrations import litellm
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.integrations.test_shipped_models import (
    BACKENDS,
    HELLO,
    all_that_may_be_asked,
    load_at,
    presets_of,
    told,
)

sdk: Any = import_module("litellm")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:litellm"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.parametrize("backend", BACKENDS),
    pytest.mark.usefixtures("quiet_litellm"),
]


@pytest.fixture
def quiet_litellm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let LiteLLM print nothing, and keep none of its clients."""
    monkeypatch.setattr(sdk, "suppress_debug_info", True)
    sdk.in_memory_llm_clients_cache.flush_cache()
    yield
    sdk.in_memory_llm_clients_cache.flush_cache()


@pytest.fixture(autouse=True)
def google_account(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a service account of Google's: LiteLLM shows Vertex AI no key."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", write_service_account(tmp_path, provider.url))


def text(llm: ResolvedLLM) -> Any:
    return sdk.completion(messages=HELLO, **litellm.arguments(llm)).choices[0].message.content


def look(provider: Provider, all_asked: list[ResolvedLLM]) -> None:
    """Look that each is answered, at its own host, with no parameter in vain."""
    asked = [as_litellm_takes_it(llm, provider) for llm in all_asked if not is_grok_on_vertex(llm)]
    answers = [(llm, told(llm, text)) for llm in asked]
    unknown = [llm for llm, failure in answers if failure and is_unknown_effort(failure)]
    failures = [failure for llm, failure in answers if failure and llm not in unknown]
    assert not failures, "\n".join(failures)
    asked = [llm for llm in asked if llm not in unknown]
    arrived = [each for each in provider.requests if each.path != "/token"]
    assert [(each.host, each.model, each.status, each.ignored) for each in arrived] == [
        (llm.backend.name, llm.model.model_id, 200, ()) for llm in asked
    ]


def is_unknown_effort(failure: str) -> bool:
    """Return whether LiteLLM sent nothing, for its own list does not know yet that a model takes such an effort."""
    return "effort=" in failure and " is not supported " in failure


def is_grok_on_vertex(llm: ResolvedLLM) -> bool:
    """Return whether LiteLLM would want another SDK beside it."""
    return llm.backend.name == "vertexai" and llm.model.model_id.startswith("xai/")


def as_litellm_takes_it(llm: ResolvedLLM, provider: Provider) -> ResolvedLLM:
    """Return the same without a key and a path on Vertex AI: LiteLLM asks a host of one's own at its root."""
    if llm.backend.name != "vertexai":
        return llm
    keyless = {"endpoint": provider.url, "gcp_project_id": "a-project"}
    overrides = {"inference_config": {"enabled_backends": ["vertexai"]}, "backends": {"vertexai": keyless}}
    return replace(llm, backend=ModelManager.load(environ={}, overrides=overrides).backends["vertexai"])


def test_every_model_answers(provider: Provider, backend: str) -> None:
    look(provider, all_that_may_be_asked(load_at(provider, backend), backend))


def test_every_model_takes_what_the_catalogue_says(provider: Provider, backend: str) -> None:
    specs = load_at(provider, backend).backends[backend].model_specs.values()
    stated = {f"{spec.name} {number}": each for spec in specs for number, each in enumerate(presets_of(spec))}
    deck = load_at(provider, backend, stated).deck
    look(provider, [deck.resolve(name) for name in stated])
