"""The cost log: one row for a preset, a model and a backend, whoever adds to it, and however often."""

from __future__ import annotations

import os
import pickle
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from sys import getswitchinterval, setswitchinterval

import pytest

from pipelex_cogt import CostLog, CostRow, ModelDeck, Usage, UsageError
from tests.conftest import Load

PRICES = """
    [m1.costs]
    input = 1.0
    output = 2.0
    batch = 0.5
    tiers = [{ above = 1_000_000, input = 3.0 }]
    from = [{ date = 2027-01-01, input = 10.0 }]
"""
TODAY = date(2026, 11, 30)
MILLION = 1_000_000


@pytest.fixture
def deck(load: Load) -> ModelDeck:
    return load({"backends/a.local.toml": PRICES}, environ={"A_KEY": "k", "B_KEY": "k"}).deck


def add(log: CostLog, deck: ModelDeck, name: str, usage: Usage = Usage(MILLION)) -> None:  # noqa: B008 -- because: it is frozen
    log.add(deck.resolve(name), usage, on=TODAY)


def test_a_row_adds_up_the_calls_of_a_preset_to_a_model(deck: ModelDeck) -> None:
    log = CostLog()
    add(log, deck, "p", Usage(10, 5))
    add(log, deck, "m1", Usage(7))
    add(log, deck, "p", Usage(20, 5, input_cached=3))
    assert log.rows() == (
        CostRow("p", "m1", "a", 2, Usage(30, 10, input_cached=3), Decimal("0.000047"), ("input_cached",)),
        CostRow("m1", "m1", "a", 1, Usage(7), Decimal("0.000007")),
    )


def test_each_call_is_priced_by_its_own_length_day_and_batch(deck: ModelDeck) -> None:
    log, llm = CostLog(), deck.resolve("p")
    costs = [
        log.add(llm, Usage(MILLION), on=TODAY),
        log.add(llm, Usage(MILLION), on=TODAY),
        log.add(llm, Usage(2 * MILLION), on=TODAY),
        log.add(llm, Usage(MILLION), on=date(2027, 1, 1)),
        log.add(llm, Usage(MILLION), on=TODAY, batch=True),
    ]
    assert [cost.total for cost in costs] == [1, 1, 6, 10, Decimal("0.5")]
    assert log.total == Decimal("18.5")
    assert (len(log), log.rows()[0].calls) == (1, 5)


def test_an_answer_is_read_for_its_usage(deck: ModelDeck) -> None:
    log = CostLog()
    log.add(deck.resolve("p"), {"usage": {"input_tokens": 3, "output_tokens": 2}}, on=TODAY)
    assert log.rows()[0].usage == Usage(3, 2)


def test_an_answer_without_a_usage_leaves_the_log_as_it_is(deck: ModelDeck) -> None:
    log = CostLog()
    with pytest.raises(UsageError):
        log.add(deck.resolve("p"), {"usage": None})
    assert log.rows() == ()


def test_what_has_no_price_leaves_no_total_and_is_named_once(deck: ModelDeck) -> None:
    log = CostLog()
    add(log, deck, "p")
    add(log, deck, "only-b")
    add(log, deck, "only-b", Usage(1, 1))
    known, unknown = log.rows()
    assert (known.total, unknown.total, unknown.unrated) == (Decimal(1), None, ("input", "output"))
    assert (log.total, log.rated) == (None, Decimal(1))


def test_an_empty_log_has_cost_nothing() -> None:
    assert CostLog().rows() == ()
    assert CostLog().total == 0
    assert len(CostLog()) == 0


def test_it_says_how_much_it_holds(deck: ModelDeck) -> None:
    log = CostLog()
    add(log, deck, "p")
    add(log, deck, "p")
    assert repr(log) == "CostLog(2 calls, 1 rows)"


@pytest.mark.slow
def test_no_call_of_any_thread_is_lost(deck: ModelDeck) -> None:
    log, interval = CostLog(), getswitchinterval()
    names = ["p", "m1", "only-a", "only-b"] * 500
    # Threads take turns far more often than they do by themselves.
    setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(add, log, deck, name, Usage(3, 2, input_cached=1)) for name in names]:
                future.result()
    finally:
        setswitchinterval(interval)
    assert Counter({row.preset: row.calls for row in log.rows()}) == Counter(names)
    assert {row.usage for row in log.rows()} == {Usage(1500, 1000, input_cached=500)}


def test_a_log_grows_with_what_is_called_and_not_with_how_often(deck: ModelDeck) -> None:
    log = CostLog()
    sizes = set()
    for _ in range(200):
        add(log, deck, "p")
        sizes.add(len(pickle.dumps(log)) // 20)
    assert len(log) == 1
    assert len(sizes) <= 2


def test_a_pickle_carries_the_rows(deck: ModelDeck) -> None:
    log = CostLog()
    add(log, deck, "p")
    copied = pickle.loads(pickle.dumps(log))
    add(copied, deck, "p")
    assert (log.rows()[0].calls, copied.rows()[0].calls) == (1, 2)


def test_what_a_worker_spent_is_added_up(deck: ModelDeck) -> None:
    log, worker = CostLog(), CostLog()
    for each in (log, worker):
        add(each, deck, "p")
    add(worker, deck, "only-b")
    log.update(worker.rows())
    assert [(row.preset, row.calls) for row in log.rows()] == [("p", 2), ("only-b", 1)]
    assert CostLog(worker.rows()).rows() == worker.rows()
    log.update(log.rows())
    assert log.rows()[0].calls == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no process")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_goes_on_with_a_copy_while_threads_write(deck: ModelDeck) -> None:
    log = CostLog()
    add(log, deck, "p")
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(add, log, deck, "m1") for _ in range(2000)]
        for _ in range(10):
            child = os.fork()
            if child == 0:
                # A lock that nobody opens any more would hold this process for ever.
                signal.alarm(30)
                add(log, deck, "p")
                os._exit(0 if log.rows()[0].calls == 2 else 1)
            _, status = os.waitpid(child, 0)
            assert status == 0
        for future in busy:
            future.result()
    assert [row.calls for row in log.rows()] == [1, 2000]
