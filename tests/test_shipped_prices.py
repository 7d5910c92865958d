"""The prices of the shipped catalogue, against an independent source.

Every price stated in `settings/backends/*.toml` is compared with the data bundled in `genai-prices`, wherever that
package knows the provider and the model. Prices are in US dollars per million tokens. The catalogue states the first
tier of a tiered price, and the peak price where a price depends on the hour; so does the comparison.

Nothing here touches the network: `genai-prices` only fetches data when it is told to.
"""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

SETTINGS = Path(__file__).parents[1] / "settings"

READ_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""The day the catalogue's prices were read, at an hour inside DeepSeek's peak window."""

PROVIDERS = {
    "anthropic": "anthropic",
    "azure_openai": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "together_ai": "together",
    "vertexai": "google",
    "xai": "x-ai",
}
"""Backends by the name `genai-prices` has for them."""

WITHOUT_PROVIDER = {"ollama"}
"""Backends that `genai-prices` doesn't have: a model on one's own machine has no price per token."""

PRICE_FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "input_cached": "cache_read_mtok",
    "input_cache_write": "cache_write_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "output_reasoning": "output_reasoning_mtok",
}
"""The catalogue's price names, by the fields of `genai-prices`."""

KNOWN_DIFFERENCES: dict[tuple[str, str, str], str] = {}
"""Prices that differ on purpose: (backend, model name, price name) and the reason. None does today."""

LEAST_MODELS_COMPARED = 240
LEAST_SHARE_COMPARED = 0.85


class Comparison(NamedTuple):
    """One stated price beside the one that `genai-prices` has for it."""

    backend: str
    model: str
    price: str
    stated: float
    expected: float

    @property
    def key(self) -> tuple[str, str, str]:
        """What `KNOWN_DIFFERENCES` is keyed by."""
        return self.backend, self.model, self.price

    @property
    def agrees(self) -> bool:
        """Whether both are the same number, up to the representation of floats."""
        return isclose(self.stated, self.expected, rel_tol=1e-9)

    def __str__(self) -> str:
        """Say which price this is, and both values."""
        return f"{self.backend} {self.model} {self.price}: stated {self.stated}, genai-prices has {self.expected}"


def read_models(backend: str) -> dict[str, dict[str, Any]]:
    """Read the models of one backend's file, each with the file's defaults applied."""
    tables = tomllib.loads((SETTINGS / "backends" / f"{backend}.toml").read_text(encoding="utf-8"))
    defaults = tables.pop("defaults", {})
    return {name: {**defaults, **table} for name, table in tables.items()}


def find_prices(backend: str, model_id: str) -> ModelPrice | None:
    """Find what `genai-prices` has for a model on the day of `READ_AT`, by its own matching."""
    try:
        _, model = get_snapshot().find_provider_model(model_id, None, PROVIDERS[backend], None)
    except LookupError:
        return None
    return model.get_prices(READ_AT)


def compare_prices(backend: str) -> Iterator[Comparison]:
    """Compare every stated price that `genai-prices` has as well."""
    for name, model in read_models(backend).items():
        prices = find_prices(backend, model.get("model_id", name))
        for price, stated in model.get("costs", {}).items():
            expected = getattr(prices, PRICE_FIELDS[price], None)
            if isinstance(expected, TieredPrices):
                expected = expected.base
            if expected is not None:
                yield Comparison(backend, name, price, stated, float(expected))


def test_each_backend_is_compared_or_excused() -> None:
    files = {path.stem for path in (SETTINGS / "backends").glob("*.toml")}
    assert files == PROVIDERS.keys() | WITHOUT_PROVIDER


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_prices_agree(backend: str) -> None:
    different = [str(it) for it in compare_prices(backend) if not it.agrees and it.key not in KNOWN_DIFFERENCES]
    assert different == []


def test_known_differences_are_still_different() -> None:
    different = {it.key for backend in PROVIDERS for it in compare_prices(backend) if not it.agrees}
    assert KNOWN_DIFFERENCES.keys() - different == set()


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_each_backend_has_prices_to_compare(backend: str) -> None:
    assert any(compare_prices(backend))


def test_most_priced_models_are_compared() -> None:
    priced = {(backend, name) for backend in PROVIDERS for name, it in read_models(backend).items() if "costs" in it}
    compared = {(it.backend, it.model) for backend in PROVIDERS for it in compare_prices(backend)}
    assert len(compared) >= LEAST_MODELS_COMPARED
    assert len(compared) >= LEAST_SHARE_COMPARED * len(priced)
