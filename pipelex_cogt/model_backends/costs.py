"""Costs: what a model's tokens cost, and what a call did.

["gpt-6.1-sol".costs]
input = 2.0
output = 10.0
batch = 0.5
tiers = [{ above = 272_000, input = 4.0, output = 15.0 }]          # for the whole of a longer prompt
from = [{ date = 2027-01-01, input = 3.0, output = 12.0 }]         # instead of all above, from that day on

cost = model.cost(Usage.of(response))
cost.total, cost.parts, cost.unrated                 # Decimal("0.0123"), {"input": …, "output": …}, ()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pipelex_cogt.config import clock
from pipelex_cogt.config.settings_model import SettingsModel
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.model_backends.usage import Usage

ONE_HOUR_CACHE_WRITE = Decimal("1.6")
"""What a token that the cache keeps for an hour costs, by one that it keeps for five minutes.

Anthropic asks 2 times the price of input rather than 1.25 times: https://docs.anthropic.com/en/docs/about-claude/pricing;
so do all 40 models of the catalogue for which genai-prices 0.2.3 has both prices.
"""
_PER_TOKEN = Decimal("0.000001")
"""Prices are per million tokens."""
# No sum or product of prices is as long, whatever precision the application has set.
_EXACT = Context(prec=200)

Price: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
Factor: TypeAlias = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None
PriceTable: TypeAlias = Mapping[str, Decimal]
"""US dollars per million tokens, by price name."""


class Prices(SettingsModel):
    """Prices in US dollars per million tokens; None where nobody stated one."""

    input: Price = None
    """Text read, not from a cache."""
    input_cached: Price = None
    """Text read from the provider's cache."""
    input_cache_write: Price = None
    """Text written to the provider's cache."""
    input_audio: Price = None
    """Audio read."""
    input_audio_cached: Price = None
    """Audio read from the provider's cache."""
    output: Price = None
    """Text written."""
    output_audio: Price = None
    """Audio written."""
    output_reasoning: Price = None
    """Reasoning written, where it is priced apart from the answer."""

    def stated(self) -> PriceTable:
        """The prices that are known, by name, each the number that TOML states."""
        prices = ((name, getattr(self, name)) for name in PRICE_NAMES)
        return {name: Decimal(str(price)) for name, price in prices if price is not None}


PRICE_NAMES = tuple(Prices.model_fields)
"""The names of the prices."""


class PriceTier(Prices):
    """Prices of long prompts, for the whole call; a price that it does not state is that of short ones."""

    above: Annotated[int, Field(ge=1)]
    """The tokens of a prompt, cached ones too, above which these prices hold."""


def _check_tiers(tiers: tuple[PriceTier, ...]) -> tuple[PriceTier, ...]:
    """Tiers in the order of their length, so that a reader finds the last that holds."""
    for below, tier in pairwise(tiers):
        if tier.above == below.above:
            raise PydanticCustomError("twice", "expected one tier above {above}, got two", {"above": tier.above})
        if tier.above < below.above:
            facts = {"above": tier.above, "below": below.above}
            raise PydanticCustomError("order", "expected tiers that rise, got above {above} after {below}", facts)
    return tiers


def _check_dates(dated: tuple[DatedPrices, ...]) -> tuple[DatedPrices, ...]:
    """Dates, each of which stands once."""
    days = [prices.date for prices in dated]
    for day in days:
        if days.count(day) > 1:
            raise PydanticCustomError("twice", "expected one entry of {day}, got two", {"day": str(day)})
    return dated


Tiers: TypeAlias = Annotated[tuple[PriceTier, ...], Field(strict=False), AfterValidator(_check_tiers)]


class DatedPrices(Prices):
    """Prices from a day on; a price that it does not state is the flat one, a tier that it does not state is gone."""

    date: date
    """The first day (UTC)."""
    tiers: Tiers = ()
    """What long prompts cost from that day on."""


Dated: TypeAlias = Annotated[tuple[DatedPrices, ...], Field(strict=False), AfterValidator(_check_dates)]


class ModelCosts(Prices):
    """Flat prices, what long prompts cost, and what changes; what nobody stated is unknown: `None`, never zero."""

    batch: Factor = None
    """What a call in a batch costs, as a factor of any price, such as 0.5; None where unknown."""
    batch_cached: Factor = None
    """The same for what is read from a cache, where the factor is another: 1 where a batch pays it in full."""
    tiers: Tiers = ()
    """What long prompts cost."""
    dated: Annotated[Dated, Field(alias="from")] = ()
    """What will cost something else from a date on, or does so since."""

    @property
    def total(self) -> float | None:
        """Flat prices of input and output together, for comparing; None where one is unknown."""
        return None if self.input is None or self.output is None else self.input + self.output

    @property
    def rises_above(self) -> int | None:
        """The tokens of a prompt above which the flat prices hold no more; None where they hold for any prompt."""
        return self.tiers[0].above if self.tiers else None

    @property
    def changes_on(self) -> date | None:
        """The first day from which the flat prices hold no more; None where no date says so."""
        return min((prices.date for prices in self.dated), default=None)

    def prices(self, prompt_tokens: int = 0, on: date | None = None, *, batch: bool = False) -> PriceTable:
        """The prices that are known for one call.

        Args:
            prompt_tokens: The length of its prompt in tokens, cached ones too.
            on: The day of the call (UTC); None for today.
            batch: Whether it is part of a batch.

        Returns:
            US dollars per million tokens, by price name.
        """
        day = _day_of(on)
        in_force = max((each for each in self.dated if each.date <= day), key=lambda each: each.date, default=None)
        tiers = in_force.tiers if in_force else self.tiers
        passed = [tier for tier in tiers if prompt_tokens > tier.above]
        found: dict[str, Decimal] = {}
        for prices in (self, in_force, *passed[-1:]):
            if prices is not None:
                found |= prices.stated()
        return dict(self._in_batch(found)) if batch else found

    def _in_batch(self, prices: PriceTable) -> Iterator[tuple[str, Decimal]]:
        """What remains known of prices in a batch."""
        for name, price in prices.items():
            own = self.batch_cached if name in _CACHED else None
            factor = self.batch if own is None else own
            if factor is not None:
                yield name, _EXACT.multiply(price, Decimal(str(factor)))

    def cost(self, used: object, on: date | None = None, *, batch: bool = False) -> Cost:
        """What one call costs.

        Args:
            used: Its usage, or the answer that states it: whatever `Usage.of` reads.
            on: The day of the call (UTC); None for today.
            batch: Whether it is part of a batch.

        Raises:
            UsageError: The answer states no usage, or one that cannot be true.
        """
        usage = Usage.of(used)
        prices = self.prices(usage.input, on, batch=batch)
        # Reasoning without a price of its own is priced as the answer, by the meaning of that price.
        counts = _counts_by_price(usage, has_reasoning_price="output_reasoning" in prices)
        parts = {name: _price_of(count, prices.get(name)) for name, count in counts.items() if count}
        return Cost(FrozenDict(parts))


_CACHED = ("input_cached", "input_audio_cached")
"""The prices of what is read from a cache."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the tokens of a call cost, in US dollars; what a provider asks for searches and tools is no part of it.

    Attributes:
        parts: What was used, by price name; None where that price is unknown.
    """

    parts: Mapping[str, Decimal | None]

    @property
    def total(self) -> Decimal | None:
        """All of it; None where a part of it is unknown."""
        return None if self.unrated else self.rated

    @property
    def rated(self) -> Decimal:
        """The parts that are known, together: what it costs at least."""
        return add_exactly(part for part in self.parts.values() if part is not None)

    @property
    def unrated(self) -> tuple[str, ...]:
        """What was used and has no price, by price name."""
        return tuple(name for name, part in self.parts.items() if part is None)


def add_exactly(amounts: Iterable[Decimal]) -> Decimal:
    """Amounts added up to the last digit, whatever precision the application has set."""
    with localcontext(_EXACT):
        return sum(amounts, Decimal(0))


def _counts_by_price(usage: Usage, *, has_reasoning_price: bool) -> Mapping[str, Decimal]:
    """How many tokens each price is for; every token of a usage is in one of them."""
    reasoning = usage.output_reasoning if has_reasoning_price else 0
    audio = usage.input_audio - usage.input_audio_cached
    kept_longer = _EXACT.multiply(ONE_HOUR_CACHE_WRITE - 1, Decimal(usage.input_cache_write_1h))
    counts: dict[str, Decimal | int] = {
        "input": usage.input - usage.input_cached - usage.input_cache_write - audio,
        "input_cached": usage.input_cached - usage.input_audio_cached,
        "input_cache_write": _EXACT.add(Decimal(usage.input_cache_write), kept_longer),
        "input_audio": audio,
        "input_audio_cached": usage.input_audio_cached,
        "output": usage.output - usage.output_audio - reasoning,
        "output_audio": usage.output_audio,
        "output_reasoning": reasoning,
    }
    return {name: Decimal(count) for name, count in counts.items()}


def _price_of(count: Decimal, price: Decimal | None) -> Decimal | None:
    """What so many tokens cost; None where the price is unknown."""
    return None if price is None else _EXACT.multiply(_EXACT.multiply(count, price), _PER_TOKEN)


def _day_of(on: date | None) -> date:
    """A day as UTC has it; today where none is given."""
    if on is None:
        return clock.today()
    if isinstance(on, datetime):
        return (on.astimezone(UTC) if on.tzinfo else on).date()
    return on
