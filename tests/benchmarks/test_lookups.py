"""Look-ups against one look-up in a dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from pipelex_cogt import ModelManager
from tests.benchmarks.conftest import Measured, run_benchmark

CALLS = 100_000
TABLE = {f"model-{number}": number for number in range(200)}


def dict_lookup(_manager: ModelManager) -> None:
    table = TABLE
    for _ in range(CALLS):
        table["model-77"]


def alias_to_spec(manager: ModelManager) -> None:
    get = manager.get_inference_model
    for _ in range(CALLS):
        get("best-claude")


def preset_to_resolve(manager: ModelManager) -> None:
    resolve = manager.get_llm_deck().resolve
    for _ in range(CALLS):
        resolve("llm_to_reason")


@pytest.mark.parametrize(("call", "limit"), [(dict_lookup, 1), (alias_to_spec, 10), (preset_to_resolve, 30)])
def test_lookup(benchmark: BenchmarkFixture, measured: Measured, call: Any, limit: float) -> None:
    manager = ModelManager.load(environ={})
    benchmark.group = f"{CALLS:,} look-ups"
    _, measured.values[call.__name__] = run_benchmark(benchmark, call, manager, rounds=10)
    if call is not dict_lookup:
        measured.compare(f"{call.__name__} : one dictionary look-up", call.__name__, "dict_lookup", limit)
    assert manager.deck.resolve("llm_to_reason").model is manager.get_inference_model("steerable-reasoning")
