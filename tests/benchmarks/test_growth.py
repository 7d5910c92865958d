"""A load against its floor: parsing the same files with tomllib, and one Pydantic validation a model; beside a peer."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from pipelex_cogt import InferenceModelSpec, ModelManager
from tests.benchmarks.conftest import Measured, run_benchmark
from tests.benchmarks.trees import write_generated_tree

SIZES = (100, 1_000, 10_000, 50_000)
ROUNDS = {100: 20, 1_000: 10, 10_000: 5, 50_000: 3}


def parse_and_validate(directory: Path) -> int:
    count = 0
    for path in sorted(directory.rglob("*.toml")):
        document = tomllib.loads(path.read_text())
        if path.parent.name == "backends" and not path.name.endswith(".local.toml"):
            defaults = document.pop("defaults")
            for name, table in document.items():
                InferenceModelSpec.model_validate({"name": name, "backend_name": path.stem, **defaults, **table})
                count += 1
    return count


@pytest.mark.parametrize("size", SIZES)
def test_floor(benchmark: BenchmarkFixture, tmp_path: Path, measured: Measured, size: int) -> None:
    write_generated_tree(tmp_path / "settings", size)
    benchmark.group = f"load {size:,} models"
    settings = tmp_path / "settings"
    count, measured.values[f"floor {size}"] = run_benchmark(
        benchmark, parse_and_validate, settings, rounds=ROUNDS[size]
    )
    assert count == size


@pytest.mark.parametrize("size", SIZES)
def test_load(benchmark: BenchmarkFixture, tmp_path: Path, measured: Measured, size: int) -> None:
    variables = write_generated_tree(tmp_path / "settings", size)
    benchmark.group = f"load {size:,} models"
    arguments = (tmp_path / "settings", None, variables)
    manager, measured.values[f"load {size}"] = run_benchmark(
        benchmark, ModelManager.load, *arguments, rounds=ROUNDS[size]
    )
    measured.compare(f"{size:,} models : tomllib and one validation each", f"load {size}", f"floor {size}", 1.7)
    if size == SIZES[-1]:
        measured.compare("load of 50,000 models : load of 10,000", "load 50000", "load 10000", 6)
    assert len(manager.deck.inference_models) == size
    assert manager.get_inference_model("model-0.1").max_tokens == 77
    assert manager.get_inference_model("model-0.0").max_tokens == 9_000


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", SIZES[:2])
def test_peer(benchmark: BenchmarkFixture, measured: Measured, size: int) -> None:
    """LiteLLM's router, which is given the same models without reading any file."""
    litellm = pytest.importorskip("litellm")
    models = [{"model_name": f"m{n}", "litellm_params": {"model": f"openai/m{n}", "api_key": "k"}} for n in range(size)]
    benchmark.group = f"load {size:,} models"
    _, measured.values[f"router {size}"] = run_benchmark(benchmark, litellm.Router, models, rounds=5)
    measured.compare(f"{size:,} models : litellm.Router of as many", f"load {size}", f"router {size}")
