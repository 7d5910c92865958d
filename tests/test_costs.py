"""Costs: what long prompts, dates and batches change, what has no price, and what a model's costs refuse."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import Cost, ModelCosts, Usage, UsageError
from pipelex_cogt.config import clock
from pipelex_cogt.model_backends.costs import ONE_HOUR_CACHE_WRITE, PRICE_NAMES
from tests.conftest import Load
from tests.usages import CHAT, CHAT_USAGE, usages

Problems = Callable[..., list[str]]

SOL = {
    "input": 2.0,
    "output": 10.0,
    "input_cached": 0.1,
    "input_cache_write": 2.5,
    "batch": 0.5,
    "tiers": [{"above": 272_000, "input": 4.0, "output": 15.0, "input_cached": 0.2, "input_cache_write": 5.0}],
}
"""gpt-6.1-sol, as genai-prices 0.2.3 has it."""
DATED = {
    "input": 1.0,
    "output": 2.0,
    "tiers": [{"above": 100, "input": 3.0}],
    "from": [
        {
            "date": date(2027, 6, 1),
            "input": 50.0,
            "tiers": [{"above": 10, "output": 70.0}, {"above": 20, "input": 60.0}],
        },
        {"date": date(2027, 1, 1), "input": 20.0},
    ],
}
MILLION = 1_000_000
TODAY = date(2026, 11, 30)


def costs(**stated: Any) -> ModelCosts:
    return ModelCosts.model_validate(stated)


def total(stated: dict[str, Any], usage: Usage, on: date = TODAY, *, batch: bool = False) -> Decimal | None:
    return costs(**stated).cost(usage, on, batch=batch).total


# One call

TOTALS = {
    "nothing": (SOL, Usage(), "0"),
    "short": (SOL, Usage(1000, 100), "0.003"),
    "long, the whole at the tier": (SOL, Usage(400_000, 2000), "1.63"),
    "at the edge": (SOL, Usage(272_000), "0.544"),
    "past the edge": (SOL, Usage(272_001), "1.088004"),
    "cached tokens are part of the prompt's length": (SOL, Usage(272_001, input_cached=272_001), "0.0544002"),
    "the answer is not": (SOL, Usage(1000, 500_000), "5.002"),
    "cached": (SOL, Usage(MILLION // 10, input_cached=90_000), "0.029"),
    "written": (SOL, Usage(100_000, input_cache_write=90_000), "0.245"),
    "written for an hour": (SOL, Usage(100_000, input_cache_write=90_000, input_cache_write_1h=50_000), "0.32"),
    "reasoning as the answer": (SOL, Usage(0, 100_000, output_reasoning=90_000), "1"),
    "reasoning apart": (
        {"output": 10.0, "output_reasoning": 20.0},
        Usage(0, MILLION, output_reasoning=MILLION // 2),
        "15",
    ),
    "audio": (
        {"input": 1.0, "output": 2.0, "input_audio": 4.0, "output_audio": 8.0},
        Usage(MILLION, MILLION, input_audio=MILLION // 2, output_audio=MILLION // 2),
        "7.5",
    ),
    "audio, cached": (
        {"input": 1.0, "input_cached": 0.25, "input_audio": 4.0, "input_audio_cached": 0.5},
        Usage(MILLION, input_cached=500_000, input_audio=500_000, input_audio_cached=250_000),
        "1.4375",
    ),
    "free": ({"input": 0.0, "output": 0.0}, Usage(10, 10), "0"),
}


@pytest.mark.parametrize(("stated", "usage", "expected"), TOTALS.values(), ids=TOTALS)
def test_a_call_costs(stated: dict[str, Any], usage: Usage, expected: str) -> None:
    assert total(stated, usage) == Decimal(expected)


def test_the_flat_price_alone_would_say_half_of_the_truth() -> None:
    flat = {**SOL, "tiers": []}
    assert total(flat, Usage(400_000, 2000)) == Decimal("0.82")
    assert total(SOL, Usage(400_000, 2000)) == Decimal("1.63")


def test_a_price_that_a_tier_does_not_state_is_the_flat_one() -> None:
    stated = {"input": 2.0, "output": 10.0, "tiers": [{"above": 5, "input": 4.0}, {"above": 9, "input": 6.0}]}
    in_force = [dict(costs(**stated).prices(length)) for length in (5, 6, 9, 10)]
    assert [prices["input"] for prices in in_force] == [2, 4, 4, 6]
    assert {prices["output"] for prices in in_force} == {10}


# What has no price


def test_what_has_no_price_is_named_and_leaves_no_total() -> None:
    cost = costs(input=1.0, output=2.0).cost(Usage(1000, 10, input_cached=400, input_cache_write=100, input_audio=50))
    assert cost.unrated == ("input_cached", "input_cache_write", "input_audio")
    assert cost.total is None
    assert cost.rated == Decimal("0.00047")
    assert dict(cost.parts) == {
        "input": Decimal("0.00045"),
        "input_cached": None,
        "input_cache_write": None,
        "input_audio": None,
        "output": Decimal("0.00002"),
    }


def test_what_was_not_used_needs_no_price() -> None:
    assert costs(input=1.0).cost(Usage(1000)) == Cost({"input": Decimal("0.001")})
    assert costs().cost(Usage()).total == 0


def test_a_model_without_prices_is_never_free() -> None:
    cost = ModelCosts().cost(Usage(1, 1, output_reasoning=1))
    assert (cost.total, cost.rated, cost.unrated) == (None, Decimal(0), ("input", "output"))


# Batches


def test_a_batch_is_a_factor_of_every_price() -> None:
    usage = Usage(400_000, 2000, input_cached=1000)
    whole, batch = (total(SOL, usage, batch=batch) for batch in (False, True))
    assert whole is not None
    assert batch == whole / 2


def test_what_is_read_from_a_cache_may_have_a_factor_of_its_own() -> None:
    stated = {"input": 2.0, "input_cached": 0.5, "batch": 0.5, "batch_cached": 1.0}
    assert total(stated, Usage(2 * MILLION, input_cached=MILLION), batch=True) == Decimal("1.5")
    assert total(stated, Usage(2 * MILLION, input_cached=MILLION)) == Decimal("2.5")


def test_a_batch_without_a_factor_has_no_price() -> None:
    cost = costs(input=1.0, output=2.0).cost(Usage(3, 2), batch=True)
    assert (cost.total, cost.unrated) == (None, ("input", "output"))


# Dates


@pytest.mark.parametrize(
    ("day", "length", "prices"),
    [
        (date(2026, 12, 31), 100, (1, 2)),
        (date(2026, 12, 31), 101, (3, 2)),
        (date(2027, 1, 1), 100, (20, 2)),
        (date(2027, 1, 1), 101, (20, 2)),
        (date(2027, 5, 31), 5, (20, 2)),
        (date(2027, 6, 1), 10, (50, 2)),
        (date(2027, 6, 1), 11, (50, 70)),
        (date(2099, 1, 1), 21, (60, 2)),
    ],
)
def test_a_date_has_its_prices_and_its_tiers(day: date, length: int, prices: tuple[int, int]) -> None:
    found = costs(**DATED).prices(length, day)
    assert (found["input"], found["output"]) == (Decimal(prices[0]), Decimal(prices[1]))


def test_a_moment_is_on_its_day_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    of_costs = costs(**DATED)
    assert of_costs.prices(0, datetime(2027, 1, 1, 8, tzinfo=tokyo))["input"] == 1
    assert of_costs.prices(0, datetime(2027, 1, 1, 9, tzinfo=tokyo))["input"] == 20
    assert of_costs.prices(0, datetime(2027, 1, 1, 0))["input"] == 20  # noqa: DTZ001 -- because: that is the test


def test_without_a_day_today_counts() -> None:
    today = clock.today()
    days = [{"date": today, "input": 2.0}, {"date": today + timedelta(days=1), "input": 3.0}]
    assert costs(**{"input": 1.0, "from": days}).cost(Usage(MILLION)).total == 2


def test_an_answer_costs_what_its_usage_does() -> None:
    assert costs(**SOL).cost(CHAT, TODAY) == costs(**SOL).cost(CHAT_USAGE, TODAY)
    with pytest.raises(UsageError, match="a dict states no usage"):
        costs(**SOL).cost({"usage": None}, TODAY)


# For any usage

PRICE = st.floats(0, 1000, allow_nan=False).map(lambda price: round(price, 4))
STATED = st.dictionaries(st.sampled_from(PRICE_NAMES), PRICE)
ALL_STATED = st.fixed_dictionaries(dict.fromkeys(PRICE_NAMES, PRICE))


@given(STATED, usages())
def test_a_total_is_the_sum_of_its_parts(stated: dict[str, Any], usage: Usage) -> None:
    cost = costs(**stated).cost(usage, TODAY)
    known = [part for part in cost.parts.values() if part is not None]
    assert cost.rated == sum(known)
    assert cost.total == (None if cost.unrated else sum(known))
    assert {*cost.unrated} == {name for name in cost.parts if name not in stated}


@given(ALL_STATED, usages(), usages())
def test_flat_prices_add_up_over_calls(stated: dict[str, Any], first: Usage, second: Usage) -> None:
    apart = [total(stated, usage) for usage in (first, second)]
    assert None not in apart
    assert total(stated, first + second) == sum(filter(None, apart))


@given(ALL_STATED, usages(), usages())
def test_more_tokens_never_cost_less(stated: dict[str, Any], usage: Usage, more: Usage) -> None:
    less, both = total(stated, usage), total(stated, usage + more)
    assert less is not None
    assert both is not None
    assert both >= less


@given(PRICE, usages())
def test_one_price_for_everything_counts_every_token_once(price: float, usage: Usage) -> None:
    kept_longer = (ONE_HOUR_CACHE_WRITE - 1) * usage.input_cache_write_1h
    tokens = usage.input + usage.output + kept_longer
    assert total(dict.fromkeys(PRICE_NAMES, price), usage) == tokens * Decimal(str(price)) / MILLION


@given(usages())
def test_the_application_s_own_precision_changes_nothing(usage: Usage) -> None:
    exact = total(SOL, usage)
    with localcontext(prec=3):
        assert total(SOL, usage) == exact


# As values


def test_a_price_keeps_the_digits_that_were_stated() -> None:
    assert total({"input": 0.1}, Usage(3)) == Decimal("0.0000003")
    assert total({"input": 0.30000000000000004}, Usage(MILLION)) == Decimal("0.30000000000000004")


def test_flat_prices_say_how_long_they_hold() -> None:
    assert (costs(**SOL).rises_above, costs(**SOL).changes_on) == (272_000, None)
    assert (costs(**DATED).rises_above, costs(**DATED).changes_on) == (100, date(2027, 1, 1))
    assert (costs().rises_above, costs().changes_on) == (None, None)
    assert costs(**DATED).total == 3.0


@pytest.mark.parametrize("stated", [SOL, DATED, {}], ids=["tiers", "dates", "nothing"])
def test_costs_are_values(stated: dict[str, Any]) -> None:
    of_costs = costs(**stated)
    assert pickle.loads(pickle.dumps(of_costs)) == of_costs
    assert hash(of_costs) == hash(costs(**stated))
    assert ModelCosts.model_validate(of_costs.model_dump()) == of_costs
    assert of_costs.model_dump(exclude_defaults=True).keys() == stated.keys()


def test_a_cost_is_a_value() -> None:
    cost = costs(**SOL).cost(Usage(5, 5))
    assert pickle.loads(pickle.dumps(cost)) == cost
    assert hash(cost) == hash(costs(**SOL).cost(Usage(5, 5)))


# In TOML


def of_m1(load: Load, lines: str, **arguments: Any) -> ModelCosts:
    return load({"backends/a.local.toml": f"[m1.costs]\n{lines}"}, **arguments).get_inference_model("m1").costs


def test_costs_stand_in_a_model_s_table(load: Load) -> None:
    lines = """
        input = 1.0
        batch = 0.5
        tiers = [{ above = 200_000, input = 2 }]
        from = [{ date = 2027-01-01, input = 3.0, tiers = [{ above = 100_000, input = 4.0 }] }]
    """
    model = load({"backends/a.local.toml": f"[m1.costs]\n{lines}"}).get_inference_model("m1")
    assert (model.costs.rises_above, model.costs.changes_on) == (200_000, date(2027, 1, 1))
    assert model.cost(Usage(150_000), date(2026, 12, 31)).total == Decimal("0.15")
    assert model.cost(Usage(150_000), date(2027, 1, 1)).total == Decimal("0.6")
    assert model.cost(Usage(250_000), date(2026, 12, 31), batch=True).total == Decimal("0.25")


def test_a_variable_states_tiers(load: Load) -> None:
    name = "PIPELEX_COGT__MODELS__A__M1__COSTS__TIERS"
    assert of_m1(load, "input = 1.0", environ={name: "[{ above = 10, input = 2.0 }]"}).rises_above == 10
    assert of_m1(load, "input = 1.0", environ={name: '[{"above": 11, "input": 2.0}]'}).rises_above == 11


NAMES = (
    "input, input_audio, input_audio_cached, input_cache_write, input_cached, output, output_audio, output_reasoning"
)
BAD = {
    "a tier without a length": ("tiers = [{ input = 1.0 }]", ["tiers.0.above: required, and nothing states it"]),
    "another word for it": (
        "tiers = [{ tokens = 5, input = 1.0 }]",
        ["tiers.0.tokens: unknown key; did you mean 'above'?"],
    ),
    "a slip": ("tiers = [{ above = 5, inptu = 1.0 }]", ["tiers.0.inptu: unknown key; did you mean 'input'?"]),
    "a slip below a date": (
        "from = [{ date = 2027-01-01, tiers = [{ abov = 5 }] }]",
        ["from.0.tiers.0.abov: unknown key; did you mean 'above'?"],
    ),
    "no key of a tier": (
        "tiers = [{ above = 5, zzz = 1.0 }]",
        [f"tiers.0.zzz: unknown key; expected one of above, {NAMES}"],
    ),
    "a price per image": ("per_image = 0.04", ["per_image: unknown key; only tokens have prices here: leave it out"]),
    "tiers that fall": (
        "tiers = [{ above = 9, input = 1.0 }, { above = 5, input = 2.0 }]",
        ["tiers: expected tiers that rise, got above 5 after 9"],
    ),
    "a tier twice": (
        "tiers = [{ above = 9, input = 1.0 }, { above = 9, input = 2.0 }]",
        ["tiers: expected one tier above 9, got two"],
    ),
    "a tier above nothing": (
        "tiers = [{ above = 0, input = 1.0 }]",
        ["tiers.0.above: expected a number of at least 1, got 0"],
    ),
    "a tier that is no table": ("tiers = [5]", ["tiers.0: expected a table, got an integer"]),
    "tiers that are none": ("tiers = { above = 5 }", ["tiers: expected a list, got a table"]),
    "a price that is none": (
        "tiers = [{ above = 5, input = -1 }]",
        ["tiers.0.input: expected a number of at least 0, got -1"],
    ),
    "a date twice": (
        "from = [{ date = 2027-01-01, input = 1.0 }, { date = 2027-01-01, input = 2.0 }]",
        ["from: expected one entry of 2027-01-01, got two"],
    ),
    "a date in quotes": (
        'from = [{ date = "2027-01-01", input = 1.0 }]',
        ["from.0.date: expected a date such as 2027-01-31, got a string"],
    ),
    "a date with a time": (
        "from = [{ date = 2027-01-01T00:00:00Z, input = 1.0 }]",
        ["from.0.date: expected a date such as 2027-01-31, got a date and time"],
    ),
    "no date": ("from = [{ input = 1.0 }]", ["from.0.date: required, and nothing states it"]),
    "a factor above one": ("batch = 1.5", ["batch: expected a number of at most 1, got 1.5"]),
    "a percentage": ("batch = 50", ["batch: expected a number of at most 1, got 50"]),
    "a factor of nothing": ("batch = 0", ["batch: expected a number above 0, got 0"]),
    "a reference": (
        'tiers = [{ above = "${X}", input = 1.0 }]',
        [
            (
                "tiers.0.above: a reference cannot stand here,"
                " only in a backend's own settings, model_id, headers and extra_config; set"
                " PIPELEX_COGT__MODELS__A__M1__COSTS__TIERS instead"
            )
        ],
    ),
}


@pytest.mark.parametrize(("line", "found"), BAD.values(), ids=BAD)
def test_what_costs_refuse(problems: Problems, line: str, found: list[str]) -> None:
    told = problems({"backends/a.local.toml": f"[m1.costs]\n{line}"})
    assert told == [f"backends/a.local.toml:2  cogt.models.a.m1.costs.{each}" for each in found]
