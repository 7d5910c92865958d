"""The arguments of a load: each is of its type, and overrides are within the bounds, before anything uses them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.bounds import excess_of
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import toml_type

_Look: TypeAlias = Callable[[Any], Iterator[tuple[KeyPath, str]]]


class _Expected(NamedTuple):
    """What an argument may be.

    Attributes:
        types: Its types.
        words: What is expected, in words.
        place: What people call the argument in a message.
    """

    types: Any
    words: str
    place: str


_ARGUMENTS = {
    "settings_dir": _Expected(str | os.PathLike | None, "a path", "the argument settings_dir"),
    "env": _Expected(str | None, "an environment's name", "the argument env"),
    "environ": _Expected(Mapping | None, "a mapping of variables", "the argument environ"),
    "overrides": _Expected(Mapping | None, "a mapping shaped like the tree under cogt", "overrides"),
    "sources": _Expected(Iterable, "a list of secret sources", "the argument sources"),
    "checks_credentials": _Expected(bool, "True or False", "the argument checks_credentials"),
}


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse the arguments of a load that are none.

    Args:
        arguments: Each argument by its name.

    Raises:
        SettingsError: Every fault of them.
    """
    report = ProblemReport()
    for name, value in arguments.items():
        expected = _ARGUMENTS[name]
        place = Place(expected.place)
        if not isinstance(value, expected.types):
            report.error((), f"expected {expected.words}, got {toml_type(value)}", place=place)
            continue
        for path, problem in _faults_of(name, value):
            report.error(path, problem, place=place)
    report.raise_errors("the arguments")


def _odd_variables(environ: Mapping[Any, Any] | None) -> Iterator[tuple[KeyPath, str]]:
    """The variables that are no text; None counts as unset, as python-dotenv has it."""
    for name, text in (environ or {}).items():
        if not isinstance(name, str):
            yield (), f"expected names of text, got {toml_type(name)}"
        elif not isinstance(text, str | None):
            yield (), f"{name}: expected text, got {toml_type(text)}"


def _excesses(overrides: Mapping[Any, Any] | None) -> Iterator[tuple[KeyPath, str]]:
    """What is beyond the bounds in overrides."""
    if excess := excess_of(overrides):
        yield tuple(map(str, excess.shown_path)), excess.problem


def _odd_sources(sources: Iterable[Any]) -> Iterator[tuple[KeyPath, str]]:
    """The sources that cannot be asked for a secret."""
    for source in sources:
        if not callable(getattr(source, "get", None)):
            yield (), f"expected sources with get(name), got {toml_type(source)}"


_PARTS: Mapping[str, _Look] = {
    "environ": _odd_variables,
    "overrides": _excesses,
    "sources": _odd_sources,
}
"""What looks at the parts of an argument, by its name."""


def _faults_of(name: str, value: Any) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the parts of an argument, each with its key path."""
    if name in _PARTS:
        yield from _PARTS[name](value)
