"""The clients that integrations share: one that outlives its event loop goes without a word."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from pipelex_cogt import ResolvedLLM
from pipelex_cogt.integrations import anthropic, openai
from tests.integrations.server import Provider
from tests.resolved import resolved

HELLO: Any = [{"role": "user", "content": "Hello"}]


async def ask_openai(llm: ResolvedLLM) -> Any:
    client = openai.async_client(llm)
    await client.chat.completions.create(messages=HELLO, **openai.arguments(llm))
    return client


async def ask_anthropic(llm: ResolvedLLM) -> Any:
    client = anthropic.async_client(llm)
    await client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    return client


# The socket of the loop that is over is closed when it is collected.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("ask", "path", "model"),
    [
        (ask_openai, "/v1", {"model_id": "gpt-4.1"}),
        (ask_anthropic, "", {"model_id": "claude-opus-5", "sdk": "anthropic"}),
    ],
    ids=["openai", "anthropic"],
)
def test_a_client_whose_loop_is_over_fails_in_no_other(
    ask: Any, path: str, model: dict[str, Any], provider: Provider
) -> None:
    llm = resolved({"endpoint": f"{provider.url}{path}", "api_key": "${KEY}"}, model, {}, {"KEY": "k"})
    told = list[Any]()

    async def ask_in_the_next_loop() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
        client = await ask(llm)
        for _ in range(2):
            gc.collect()
            await asyncio.sleep(0)
        await client.close()

    assert asyncio.run(ask(llm))
    asyncio.run(ask_in_the_next_loop())
    assert told == []
    assert len(provider.requests) == 2
