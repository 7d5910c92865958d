"""The rule of the catalogue in use: what each shipped preset makes of each model it may reach is accepted there.

Every backend of the catalogue alone, with its own path, keys and rules at the loopback server, through the SDK that its
models name: each model with each preset that may reach it, and with none; and with a preset for each effort, budget and
limit that the catalogue says it takes.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipelex_cogt import InferenceModelSpec, LLMSetting, ModelManager, NotAvailableError, ResolvedLLM
from pipelex_cogt.integrations import anthropic, asking, bedrock, google, openai
from tests.integrations.exchange import TEXT
from tests.integrations.server import Provider

SETTINGS = Path(__file__).parents[2] / "settings"
STATED = tomllib.loads((SETTINGS / "backends.toml").read_text(encoding="utf-8"))
BACKENDS = sorted(name for name in STATED if (SETTINGS / "backends" / f"{name}.toml").is_file())
pytestmark = [
    # Anthropic's SDK warns of models that will be retired, as the catalogue does, and of budgets where it would rather
    # have an effort.
    pytest.mark.filterwarnings("ignore:The model 'claude-:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Using Claude with:UserWarning"),
]

HELLO: Any = [{"role": "user", "content": "Hello"}]
ON_BEDROCK: Any = [{"role": "user", "content": [{"text": "Hello"}]}]
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "azure_openai": {"endpoint": ""},
    "bedrock": {
        "endpoint": "",
        "aws_region": "us-east-1",
        "aws_access_key_id": "AKIA",
        "aws_secret_access_key": "secret",
    },
    "ollama": {"endpoint": "/v1"},
    "vertexai": {"endpoint": "", "api_key": "a-token", "gcp_project_id": "a-project"},
}
"""The path of endpoints that the catalogue does not state, and what else these backends need here."""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a backend of the catalogue that has models."""
    name: str = request.param
    return name


def load_at(provider: Provider, backend: str, presets: Mapping[str, Any] | None = None) -> ModelManager:
    """Load the catalogue with one backend, at the loopback server, which learns of its models and their limits."""
    stated = ELSEWHERE.get(backend) or {"endpoint": urlsplit(STATED[backend]["endpoint"]).path}
    key = {"api_key": "a-key"} if "api_key" in STATED[backend] else {}
    overrides = {
        "inference_config": {"enabled_backends": [backend]},
        "backends": {backend: {**key, **stated, "endpoint": provider.at(backend) + stated["endpoint"]}},
        "deck": {"llm_presets": presets or {}},
    }
    manager = ModelManager.load(environ={}, overrides=overrides)
    specs = manager.backends[backend].model_specs.values()
    provider.models = {spec.model_id for spec in specs}
    provider.limits = {spec.model_id: spec.max_tokens for spec in specs if spec.max_tokens}
    return manager


def all_that_may_be_asked(manager: ModelManager, backend: str) -> list[ResolvedLLM]:
    """Return each model alone, and with each preset that may reach it, unless that asks the same once more."""
    deck = manager.deck
    alone = [deck.resolve(f"{model}@{backend}") for model in manager.backends[backend].model_specs]
    with_presets = [llm for preset in deck.llm_presets for llm in members(manager, preset)]
    return [*{(llm.model.name, repr(llm.parameters)): llm for llm in [*alone, *with_presets]}.values()]


def members(manager: ModelManager, preset: str) -> tuple[ResolvedLLM, ...]:
    """Return whatever a preset may lead to; nothing where this backend serves none of it."""
    try:
        return manager.deck.resolve_all(preset)
    except NotAvailableError:
        return ()


# Ways to call: what each returns is the text of the answer


def by_chat(llm: ResolvedLLM) -> Any:
    return (
        openai.client(llm).chat.completions.create(messages=HELLO, **openai.arguments(llm)).choices[0].message.content
    )


def by_responses(llm: ResolvedLLM) -> Any:
    return openai.client(llm).responses.create(input="Hello", **openai.arguments(llm)).output_text


def by_openai(llm: ResolvedLLM) -> Any:
    return (by_responses if llm.model.api == "responses" else by_chat)(llm)


def by_anthropic(llm: ResolvedLLM) -> Any:
    return anthropic.client(llm).messages.create(messages=HELLO, **anthropic.arguments(llm)).content[-1].text


def by_google(llm: ResolvedLLM) -> Any:
    return google.client(llm).models.generate_content(contents="Hello", **google.arguments(llm)).text


def by_bedrock(llm: ResolvedLLM) -> Any:
    answer = bedrock.client(llm).converse(messages=ON_BEDROCK, **bedrock.arguments(llm))
    return answer["output"]["message"]["content"][0]["text"]


async def later_by_openai(llm: ResolvedLLM) -> Any:
    client = openai.async_client(llm)
    if llm.model.api == "responses":
        return (await client.responses.create(input="Hello", **openai.arguments(llm))).output_text
    answer = await client.chat.completions.create(messages=HELLO, **openai.arguments(llm))
    return answer.choices[0].message.content


async def later_by_anthropic(llm: ResolvedLLM) -> Any:
    answer = await anthropic.async_client(llm).messages.create(messages=HELLO, **anthropic.arguments(llm))
    return answer.content[-1].text


async def later_by_google(llm: ResolvedLLM) -> Any:
    answer = await google.async_client(llm).models.generate_content(contents="Hello", **google.arguments(llm))
    return answer.text


AT_ONCE: Mapping[str, Callable[[ResolvedLLM], Any]] = {
    "openai": by_openai,
    "openai_compatible": by_openai,
    "mistral": by_openai,
    "anthropic": by_anthropic,
    "google": by_google,
    "bedrock": by_bedrock,
}
LATER: Mapping[str, Callable[[ResolvedLLM], Awaitable[Any]]] = {
    "openai": later_by_openai,
    "openai_compatible": later_by_openai,
    "mistral": later_by_openai,
    "anthropic": later_by_anthropic,
    "google": later_by_google,
}
"""By the `sdk` of a model; boto3 knows no `await`."""


def by_stream(llm: ResolvedLLM) -> Any:
    return "".join(piece for piece in asking.stream(llm, "Hello") if isinstance(piece, str))


def async_client(llm: ResolvedLLM) -> Any:
    return {"anthropic": anthropic, "google": google}.get(llm.model.sdk or "", openai).async_client(llm)


def told_of_all(asked: list[ResolvedLLM], ask: Callable[[ResolvedLLM], Any]) -> list[str]:
    """Return what went wrong, and close the clients: their sockets would be a warning in whichever test comes later."""
    try:
        return [each for each in (told(llm, ask) for llm in asked) if each]
    finally:
        modules = {llm.model.sdk: asking.module_for(llm) for llm in asked}
        for client in {id(each): each for each in (modules[llm.model.sdk].client(llm) for llm in asked)}.values():
            client.close()


def told(llm: ResolvedLLM, ask: Callable[[ResolvedLLM], Any]) -> str | None:
    """Return what went wrong with a call; None if it was answered."""
    try:
        text = ask(llm)
    except Exception as error:  # noqa: BLE001 -- because: all that is refused is told at once
        return f"{llm.model.name}@{llm.backend.name} {shown(llm)}: {type(error).__name__}: {error}"
    return None if text == TEXT else f"{llm.model.name}: {text!r}"


def shown(llm: ResolvedLLM) -> str:
    """Return the parameters that a call states, as text."""
    return str({each.name: value for each in fields(llm.parameters) if (value := getattr(llm.parameters, each.name))})


def look(provider: Provider, asked: list[ResolvedLLM], failures: list[str]) -> None:
    """Look that nothing failed, and at what arrived: each at its own host, no parameter in vain."""
    assert not failures, "\n".join(failures)
    arrived = provider.requests
    assert [(each.model, each.status, each.ignored) for each in arrived] == [
        (llm.model.model_id, 200, ()) for llm in asked
    ]
    assert {each.host for each in arrived} == {llm.backend.name for llm in asked}


def test_every_model_answers(provider: Provider, backend: str) -> None:
    asked = all_that_may_be_asked(load_at(provider, backend), backend)
    assert asked
    look(provider, asked, told_of_all(asked, lambda llm: AT_ONCE[llm.model.sdk or ""](llm)))


def test_every_model_streams(provider: Provider, backend: str) -> None:
    asked = all_that_may_be_asked(load_at(provider, backend), backend)
    look(provider, asked, told_of_all(asked, by_stream))
    assert all(each.stream for each in provider.requests)


def test_every_model_answers_an_async_client(provider: Provider, backend: str) -> None:
    every = all_that_may_be_asked(load_at(provider, backend), backend)
    asked = [llm for llm in every if llm.model.sdk in LATER]

    async def ask_all() -> list[Any]:
        try:
            return [await answered(llm) for llm in asked]
        finally:
            # One client for each backend and loop, which goes with the connections of this one.
            for client in {id(each): each for each in map(async_client, asked)}.values():
                await (client.aclose() if hasattr(client, "aclose") else client.close())

    async def answered(llm: ResolvedLLM) -> Any:
        try:
            return await LATER[llm.model.sdk or ""](llm)
        except Exception as error:  # noqa: BLE001 -- because: all that is refused is told at once
            return f"{type(error).__name__}: {error}"

    answers = asyncio.run(ask_all())
    failures = [f"{llm.model.name}: {each}" for llm, each in zip(asked, answers, strict=True) if each != TEXT]
    look(provider, asked, failures)


def test_every_model_takes_what_the_catalogue_says(provider: Provider, backend: str) -> None:
    specs = load_at(provider, backend).backends[backend].model_specs.values()
    stated = {f"{spec.name} {number}": each for spec in specs for number, each in enumerate(presets_of(spec))}
    deck = load_at(provider, backend, stated).deck
    asked = [deck.resolve(name) for name in stated]
    look(provider, asked, told_of_all(asked, by_stream))


def presets_of(spec: InferenceModelSpec) -> Iterator[dict[str, Any]]:
    """Yield a preset for each thing that the catalogue says a model takes."""
    efforts = [{"reasoning_effort": effort.value} for effort in spec.reasoning_efforts or ()]
    budgets = [{"reasoning_budget": budget, "max_tokens": spec.max_tokens} for budget in spec.reasoning_budget or ()]
    limits = [{"max_tokens": spec.max_tokens}] if spec.max_tokens else []
    every: list[dict[str, Any]] = [*efforts, *budgets, *limits]
    for stated in every:
        preset = {"llm_handle": f"{spec.name}@{spec.backend_name}", **stated}
        # A model may take what its API has no word for: such a preset is refused when it is loaded.
        if not LLMSetting.model_validate(preset).parameters_for(spec).adapted:
            yield preset
