"""Hiding: values that nobody lists, and exceptions that carry no local variables."""

from __future__ import annotations

import copy
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from types import FrameType
from typing import Any

import pytest
from rich.pretty import pretty_repr

from pipelex_cogt.config.hiding import Hidden, hide_source, leaves_no_locals

CANARY = "canary-4711"


def test_a_hidden_value_is_given_to_whoever_opens_it() -> None:
    hidden = Hidden({"A": CANARY})
    assert hidden.open() == {"A": CANARY}
    assert copy.copy(hidden) is copy.deepcopy(hidden) is hidden


def test_a_hidden_value_is_in_no_repr_attribute_or_pickle() -> None:
    hidden = Hidden({"A": CANARY})
    attributes = [getattr(hidden, name) for name in dir(hidden)]
    assert [repr(hidden), pretty_repr(hidden)] == ["Hidden()", "Hidden()"]
    assert CANARY not in repr(attributes)
    assert not hasattr(hidden, "__dict__")
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(hidden)


def test_a_hidden_source_answers_and_is_called_like_itself() -> None:
    source = hide_source({"a": CANARY})
    assert (source.get("a"), source.get("b"), type(source).__name__, repr(source)) == (CANARY, None, "dict", "dict()")
    assert CANARY not in repr([getattr(source, name) for name in dir(source)])
    assert not isinstance(source, dict)


def fail(value: str) -> Iterator[str]:
    doubled = value * 2
    yield doubled
    raise KeyError(len(doubled))


@leaves_no_locals
def load(value: str, *, named: str) -> list[str]:
    def inner() -> list[str]:
        return [f"{item}{named}" for item in fail(value)]

    try:
        return inner()
    except KeyError:
        seen = value + named
        raise ValueError(len(seen)) from None


@leaves_no_locals
def load_several(value: str) -> None:
    raised = []
    for _ in range(2):
        try:
            load(value, named=value)
        except ValueError as error:
            raised.append(error)
    raise ExceptionGroup("several", raised) from RuntimeError()


def frames_behind(error: BaseException | None) -> list[FrameType]:
    """The frames below this test, of an exception and all that led to it."""
    if error is None:
        return []
    own = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if not frame.f_code.co_name.startswith("test_")]
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return own + [frame for each in (error.__context__, error.__cause__, *members) for frame in frames_behind(each)]


@pytest.mark.parametrize("function", [load, load_several])
def test_an_exception_keeps_its_frames_and_no_value(function: Any) -> None:
    arguments: dict[str, str] = {"named": CANARY} if function is load else {}
    with pytest.raises((ValueError, ExceptionGroup)) as caught:
        function(CANARY, **arguments)
    frames = frames_behind(caught.value)
    assert {"call", "load", "inner", "fail"} <= {frame.f_code.co_name for frame in frames}
    assert CANARY not in repr([frame.f_locals for frame in frames])


def test_what_the_caller_was_handling_keeps_its_own_variables() -> None:
    def of_the_caller() -> None:
        own = "own variable"
        raise LookupError(len(own))

    def handle() -> None:
        try:
            of_the_caller()
        except LookupError:
            load(CANARY, named=CANARY)

    with pytest.raises(ValueError, match="22") as caught:
        handle()
    told = repr([frame.f_locals for frame in frames_behind(caught.value)])
    assert "own variable" in told
    assert CANARY not in told


def test_an_answer_passes() -> None:
    assert leaves_no_locals(str.upper)("a") == "A"
    assert load.__name__ == "load"


@leaves_no_locals
def load_in_steps(value: str) -> None:
    doubled = [len(value) for _ in range(3)]
    try:
        fail_at_once(value)
    except KeyError:
        doubled.append(len(value * 2))
        raise


def fail_at_once(value: str) -> None:
    raise KeyError(len(value), max(len(value), 1))


def interrupt_at(moment: int, call: Callable[[], object]) -> BaseException | None:
    """Interrupt a call where a function of Python begins, or where one of C's returns."""
    passed = 0

    def interrupt(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal passed
        passed += event in ("call", "c_return") and frame.f_code.co_filename != __file__
        if passed == moment:
            sys.setprofile(None)
            raise KeyboardInterrupt

    try:
        sys.setprofile(interrupt)
        call()
    except KeyboardInterrupt as error:
        return error
    except KeyError:
        return None
    finally:
        sys.setprofile(None)
    return None


def test_an_interrupt_at_any_moment_leaves_no_value() -> None:
    # At the first moment nothing of the function's own has begun.
    moments = takewhile(bool, (interrupt_at(moment, lambda: load_in_steps(CANARY)) for moment in count(2)))
    told = [repr([frame.f_locals for frame in frames_behind(error)]) for error in moments]
    assert len(told) > 10
    assert [text for text in told if CANARY in text] == []
