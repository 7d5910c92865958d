"""The prices of the shipped catalogue, against an independent source.

Every price in `settings/backends/*.toml`, flat, of long prompts, from a date on or in a batch, is compared with the
data bundled in `genai-prices`, wherever that package knows the provider and the model; so is what calls cost. Prices
are in US dollars per million tokens. Where a price depends on the hour, the catalogue states that of the peak.

Nothing here touches the network: `genai-prices` only fetches data when it is told to.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices

from pipelex_cogt import Cost, InferenceModelSpec, ModelManager, Usage
from pipelex_cogt.model_backends.costs import PRICE_NAMES

READ_ON = date(2026, 11, 30)
"""The day the catalogue's prices were read."""
PEAK = time(9, tzinfo=UTC)
"""An hour inside DeepSeek's peak window."""
TODAY = datetime.now(UTC).date()
OUT_OF_DATE = "the catalogue has become old: state today's price as the flat one or below `from`, and move READ_ON"

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
    "input_audio_cached": "cache_audio_read_mtok",
    "output_audio": "output_audio_mtok",
    "output_reasoning": "output_reasoning_mtok",
}
"""The catalogue's price names, by the fields of `genai-prices`."""
COUNT_FIELDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "input_cached": "cache_read_tokens",
    "input_cache_write": "cache_write_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
    "input_audio": "input_audio_tokens",
    "input_audio_cached": "cache_audio_read_tokens",
    "output_audio": "output_audio_tokens",
    "output_reasoning": "output_reasoning_tokens",
}
"""The counts of a usage, by the fields of `genai-prices`."""

_ROUNDED = "rounded to cents: half of what is asked otherwise, as every other price of a batch"
_FLAT_IN_BATCH = "one price for prompts of any length; litellm 1.110.2 has half of what a long prompt costs otherwise"
KNOWN_DIFFERENCES: dict[tuple[str, str, str], str] = {
    ("azure_openai", "gpt-5.4", "batch input_cached"): _ROUNDED,
    ("google", "gemini-3.5-flash-lite", "batch input_cached"): _ROUNDED,
    ("openai", "gpt-5.4", "batch input_cached"): _ROUNDED,
    ("vertexai", "gemini-3.5-flash-lite", "batch input_cached"): _ROUNDED,
    **{
        (backend, "gpt-5.5-pro", f"batch {price}"): _FLAT_IN_BATCH
        for backend in ("azure_openai", "openai")
        for price in ("input", "output")
    },
}
"""Prices that differ on purpose: (backend, model name, price name) and what `genai-prices` has instead."""

LEAST_MODELS_COMPARED = 240
LEAST_SHARE_COMPARED = 0.85


class Known(NamedTuple):
    """A shipped model that `genai-prices` knows too."""

    spec: InferenceModelSpec
    provider: Provider
    model: ModelInfo

    @property
    def days(self) -> list[date]:
        """The days to look at: when the prices were read, today, and each change with the day before it."""
        conditions = self.model.prices if isinstance(self.model.prices, list) else []
        starts = [each.constraint.start_date for each in conditions if isinstance(each.constraint, StartDateConstraint)]
        changes = {*starts, *(prices.date for prices in self.spec.costs.dated)}
        # What was before the catalogue was read is no matter of it.
        around = {day - timedelta(days=before) for day in changes for before in (0, 1)}
        return sorted({READ_ON, *(day for day in around if day >= READ_ON)})

    def prices(self, day: date, *, batch: bool = False) -> ModelPrice:
        """What `genai-prices` has for a day."""
        return self.model.get_prices(datetime.combine(day, PEAK), {"processing": "batch"} if batch else None)

    def lengths(self, day: date) -> list[int]:
        """Prompts of which each has other prices: as long as a tier of either source, and one token longer."""
        costs = self.spec.costs
        starts = {tier.above for tiers in (costs.tiers, *(dated.tiers for dated in costs.dated)) for tier in tiers}
        for price in vars(self.prices(day)).values():
            if isinstance(price, TieredPrices):
                starts |= {tier.start for tier in price.tiers}
        return sorted({1, *(start + more for start in starts for more in (0, 1))})

    @property
    def name(self) -> tuple[str, str]:
        """Its backend and its own name."""
        return self.spec.backend_name, self.spec.name

    @property
    def has_batch_price(self) -> bool:
        """Whether `genai-prices` says anything of batches."""
        return any(variant.when == {"processing": "batch"} for variant in self.model.price_variants or ())


class Comparison(NamedTuple):
    """One price of the catalogue beside the one that `genai-prices` has; None where either has none."""

    backend: str
    model: str
    price: str
    day: date
    length: int
    is_batch: bool
    stated: Decimal | None
    expected: Decimal | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What `KNOWN_DIFFERENCES` is keyed by."""
        return self.backend, self.model, f"batch {self.price}" if self.is_batch else self.price

    def __str__(self) -> str:
        when = f"{self.day}{' in a batch' if self.is_batch else ''}, prompts of {self.length} tokens"
        values = f"stated {self.stated}, genai-prices has {self.expected}"
        return f"{self.backend} {self.model} {self.price}, {when}: {values}"


@cache
def shipped() -> Mapping[str, Mapping[str, InferenceModelSpec]]:
    """Every shipped model, by backend and model name."""
    backends = ModelManager.load(environ={}, checks_credentials=False).backends
    return {name: backend.model_specs for name, backend in backends.items() if backend.model_specs}


@cache
def known_models(backend: str) -> tuple[Known, ...]:
    """The models of a backend that `genai-prices` knows, by its own matching."""
    found = []
    for spec in shipped()[backend].values():
        try:
            provider, model = get_snapshot().find_provider_model(spec.model_id, None, PROVIDERS[backend], None)
        except LookupError:
            continue
        found.append(Known(spec, provider, model))
    return tuple(found)


def price_for(prices: ModelPrice, price: str, length: int) -> Decimal | None:
    """A price of `genai-prices` for prompts of a length."""
    found: Decimal | TieredPrices | None = getattr(prices, PRICE_FIELDS[price])
    if not isinstance(found, TieredPrices):
        return found
    passed = [tier.price for tier in found.tiers if length > tier.start]
    return passed[-1] if passed else found.base


def compare(backend: str, days: list[date] | None = None, *, batch: bool = False) -> Iterator[Comparison]:
    """Every price of a backend that either source has, for each length of prompts and each day that matters."""
    for each in known_models(backend):
        if batch and not each.has_batch_price:
            continue
        for day in days or each.days:
            theirs = each.prices(day, batch=batch)
            for length in each.lengths(day):
                ours = each.spec.costs.prices(length, day, batch=batch)
                for price in PRICE_NAMES:
                    pair = ours.get(price), price_for(theirs, price, length)
                    if pair != (None, None):
                        yield Comparison(backend, each.spec.name, price, day, length, batch, *pair)


def differences(compared: Iterator[Comparison]) -> list[str]:
    """What differs by mistake: another price, or none where `genai-prices` has one."""
    wrong = (it for it in compared if it.expected is not None and it.stated != it.expected)
    return [str(it) for it in wrong if it.key not in KNOWN_DIFFERENCES]


# Prices


def test_each_backend_is_compared_or_excused() -> None:
    assert {*shipped()} == PROVIDERS.keys() | WITHOUT_PROVIDER


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_prices_agree(backend: str) -> None:
    assert differences(compare(backend)) == []


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_prices_agree_today(backend: str) -> None:
    assert differences(compare(backend, [TODAY])) == [], OUT_OF_DATE


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_prices_in_a_batch_agree(backend: str) -> None:
    assert differences(compare(backend, batch=True)) == []


def test_known_differences_are_still_different() -> None:
    compared = [it for backend in PROVIDERS for batch in (False, True) for it in compare(backend, batch=batch)]
    assert KNOWN_DIFFERENCES.keys() - {it.key for it in compared if it.stated != it.expected} == set()


@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_each_backend_has_prices_to_compare(backend: str) -> None:
    assert any(compare(backend))


def test_most_priced_models_are_compared() -> None:
    specs = [spec for models in shipped().values() for spec in models.values()]
    priced = {(spec.backend_name, spec.name) for spec in specs if spec.costs.total is not None}
    compared = priced & {it.name for backend in PROVIDERS for it in known_models(backend)}
    assert len(compared) >= LEAST_MODELS_COMPARED
    assert len(compared) >= LEAST_SHARE_COMPARED * len(priced)


# What calls cost

MODES = pytest.mark.parametrize("is_batch", [False, True], ids=["one by one", "in a batch"])
SHAPES: tuple[tuple[float, ...], ...] = (
    (0, 0, 0, 0, 0),
    (0.5, 0, 0, 0, 0),
    (0.5, 0.3, 0, 0, 0),
    (0.3, 0.2, 0.3, 0, 0),
    (0, 0, 0, 0.4, 0),
    (0.2, 0, 0, 0.3, 0.2),
)
"""Prompts, as shares: cached, written for five minutes, written for an hour, audio, cached audio."""
LEAST_CALLS = {
    "output": 1000,
    "input_cached": 200,
    "input_cache_write": 75,
    "input_cache_write_1h": 15,
    "input_audio": 10,
    "input_audio_cached": 5,
}
"""How many calls with such a count are compared at least, one by one and in batches."""


class Call(NamedTuple):
    """A call that both sources have a price for."""

    known: Known
    usage: Usage
    day: date
    is_batch: bool

    @property
    def ours(self) -> Cost:
        """What it costs by the catalogue."""
        return self.known.spec.cost(self.usage, self.day, batch=self.is_batch)

    @property
    def theirs(self) -> Decimal:
        """What it costs by `genai-prices`."""
        counts = {field: getattr(self.usage, name) for name, field in COUNT_FIELDS.items()}
        usage = genai_prices.Usage(**{field: count for field, count in counts.items() if count})
        return self.known.prices(self.day, batch=self.is_batch).calc_price(usage)["total_price"]

    @property
    def is_comparable(self) -> bool:
        """Whether `genai-prices` has a price for each part of it, and none that differs on purpose.

        Where it has none for a part of the prompt, it asks what the rest of it costs: ours is unknown then. Of writes
        for an hour ours knows the price by that of the others.
        """
        prices = self.known.prices(self.day, batch=self.is_batch)
        keys = ((*self.known.name, f"batch {part}" if self.is_batch else part) for part in self.ours.parts)
        is_hour_unknown = bool(self.usage.input_cache_write_1h) and prices.cache_write_1h_mtok is None
        is_known = all(price_for(prices, part, self.usage.input) is not None for part in self.ours.parts)
        return is_known and not is_hour_unknown and not any(map(KNOWN_DIFFERENCES.__contains__, keys))

    def __str__(self) -> str:
        which = f"{' '.join(self.known.name)} on {self.day}{' in a batch' if self.is_batch else ''}, {self.usage}"
        return f"{which}: {self.ours.total}, genai-prices has {self.theirs}"


def calls(backend: str, *, is_batch: bool) -> Iterator[Call]:
    """Calls of every model: at the edges of each tier and of any other length, the same ones at every run."""
    chance = random.Random(backend)
    for known in known_models(backend):
        if is_batch and not known.has_batch_price:
            continue
        for day in known.days:
            for length in [*known.lengths(day), chance.randrange(1_000_000)]:
                for shape in SHAPES:
                    yield Call(known, usage_of(length, shape, chance.randrange(100_000)), day, is_batch)


@cache
def compared_calls(backend: str, *, is_batch: bool) -> tuple[Call, ...]:
    """The calls of which both sources know every price."""
    return tuple(filter(attrgetter("is_comparable"), calls(backend, is_batch=is_batch)))


def usage_of(length: int, shape: tuple[float, ...], output: int) -> Usage:
    """The usage of a prompt of a length and a shape; half of the answer is reasoning."""
    cached, short, long, audio, cached_audio = (int(share * length) for share in shape)
    return Usage(
        input=length,
        output=output,
        input_cached=cached + cached_audio,
        input_cache_write=short + long,
        input_cache_write_1h=long,
        input_audio=audio + cached_audio,
        input_audio_cached=cached_audio,
        output_reasoning=output // 2,
    )


@pytest.mark.slow
@MODES
@pytest.mark.parametrize("backend", sorted(PROVIDERS))
def test_calls_cost_the_same(backend: str, *, is_batch: bool) -> None:
    different = (call for call in compared_calls(backend, is_batch=is_batch) if call.ours.total != call.theirs)
    assert [*map(str, different)] == []


@MODES
@pytest.mark.parametrize("count", LEAST_CALLS)
def test_many_calls_of_each_kind_are_compared(count: str, *, is_batch: bool) -> None:
    compared = (call for backend in PROVIDERS for call in compared_calls(backend, is_batch=is_batch))
    assert sum(bool(getattr(call.usage, count)) for call in compared) >= LEAST_CALLS[count]
