"""Hiding: values that no stranger finds, whether he walks over objects or over the frames of a traceback.

An error reporter lists the local variables of every frame that an exception has passed, and of each variable whatever
can be enumerated. So nothing that holds values is a mapping or shows them in its attributes, and no frame that an
exception has left keeps its variables:

    variables = Hidden({"OPENAI_API_KEY": "…"})
    variables.open()

    @leaves_no_locals
    def load(environ): ...
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from itertools import starmap
from typing import Any, Generic, NoReturn, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Hidden(Generic[T]):
    """A value out of sight: only `open()` gives it, and no repr, attribute or pickle."""

    __slots__ = ("open",)

    def __init__(self, value: T) -> None:
        # What a function closes over is listed by none of the usual tools, unlike what an attribute holds.
        self.open: Callable[[], T] = lambda: value

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __copy__(self) -> Hidden[T]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Hidden[T]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a hidden value stays in its process")


class Source(Protocol):
    """What answers for a secret's name."""

    def get(self, name: str, /) -> Any:
        """The secret of that name."""


class _StandIn:
    """A source of secrets of which nobody sees more than the name of its class."""

    __slots__ = ("get",)

    def __init__(self, source: Source) -> None:
        # A method of the source would lead whoever lists attributes to the source.
        self.get: Callable[[str], Any] = lambda name: source.get(name)  # noqa: PLW0108 -- because: as above

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def hide_source(source: Source) -> Source:
    """What answers like a source and is called like it, for a source may be a dictionary, which anybody can list."""
    stand_in: type[_StandIn] = type(type(source).__name__, (_StandIn,), {"__slots__": ()})
    return stand_in(source)


def leaves_no_locals(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function so that an exception leaves it without the local variables of the frames that it has passed.

    The frames stay, with their lines. They are those of the function and of everything that it called.
    """

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        # An interrupt may come at any moment. What holds the call is no function of Python's, whose frame could be
        # interrupted before it is left, and it shows nobody what it holds.
        try:
            before, ask = sys.exception(), starmap(partial(function, *arguments, **named), [()])
        finally:
            # This frame is in the traceback too, and the arguments may be what is to be hidden.
            del arguments, named
        try:
            return next(ask)
        except BaseException as error:
            try:
                _empty_frames(error, before)
            except BaseException as interrupt:
                # It came while frames were emptied, and the error is its context.
                _empty_frames(interrupt, before)
                raise
            raise

    return call


def _empty_frames(error: BaseException, before: BaseException | None) -> None:
    import traceback  # imported here because only an error needs it

    for raised in _raised_since(before, error):
        # It leaves frames alone that are still running, such as the caller's.
        traceback.clear_frames(raised.__traceback__)


def _raised_since(before: BaseException | None, error: BaseException) -> Iterator[BaseException]:
    """An exception with its members, causes and contexts, but for what the caller was handling already."""
    # Each once, for an exception may be the cause and the context of another.
    seen = {id(before), id(None)}
    waiting: list[BaseException | None] = [error]
    while waiting:
        raised = waiting.pop()
        if raised is not None and id(raised) not in seen:
            seen.add(id(raised))
            yield raised
            waiting += [raised.__cause__, raised.__context__]
            waiting += raised.exceptions if isinstance(raised, BaseExceptionGroup) else ()
