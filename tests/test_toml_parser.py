"""Whichever parser reads a text, it states the same, and a fault is told in the same words."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pipelex_cogt.config.toml_parser import compiled_parser, parse_toml
from tests.test_shipped_settings import SETTINGS

ODD = {
    "dates": "a = 1979-05-27T07:32:00.123456789-07:00\nb = 1979-05-27\nc = 07:32:00\nd = 1979-05-27 07:32:00",
    "numbers": "a = 0xdead_beef\nb = 1e400\nc = nan\nd = -0.0\ne = 0o17\nf = 99999999999999999999",
    "keys": '"a.b" = 1\n"" = 2\nc."d e".f = 3\n[[t]]\nx = [{}, { y = [] }]\n[[t]]',
    "texts": 'a = """\nx \\\n   y"""\nb = \'\'\'\nz\'\'\'\nc = "\\u00e9"\r\n',
    "key twice": "a = 1\na = 2",
    "table twice": "[a]\n[a]",
    "no value": "a =",
    "no such day": "a = 2024-02-30",
    "later TOML: escape": 'a = "\\e"',
    "later TOML: lines": "a = {\nb = 1,\n}",
    "control character": 'a = "\x00"',
    "a number too long": "a = " + "9" * 5_000,
    "too deep": "a = " + "[" * 5_000,
}


def outcome(parse: Callable[[str], Any], text: str) -> str:
    try:
        return repr(parse(text))
    except (ValueError, RecursionError) as error:
        # Where a recursion ends depends on how deep it began.
        return type(error).__name__ if isinstance(error, RecursionError) else repr(error)


@pytest.fixture(params=["compiled", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parser in turn; the compiled one where it is installed."""
    if request.param == "compiled" and compiled_parser() is None:
        pytest.skip("the extra `fast` is not installed")
    if request.param == "python":
        monkeypatch.setattr("pipelex_cogt.config.toml_parser.compiled_parser", lambda: None)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_is_odd_is_read_as_python_reads_it(text: str) -> None:
    assert outcome(parse_toml, text) == outcome(tomllib.loads, text)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("path", sorted(SETTINGS.rglob("*.toml")), ids=lambda path: path.name)
def test_the_catalogue_is_read_as_python_reads_it(path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    assert repr(parse_toml(text)) == repr(tomllib.loads(text))


def tomli_with(parse: Callable[[str], Any], file: str) -> ModuleType:
    module: Any = SimpleNamespace(_parser=SimpleNamespace(loads=parse, __file__=file))
    return module  # type: ignore[no-any-return]  # because: it stands for a module


@pytest.mark.parametrize(
    ("parse", "file", "is_taken"),
    [
        (tomllib.loads, "_parser.abi3.so", True),
        (tomllib.loads, "_parser.py", False),
        (lambda _text: {}, "_parser.abi3.so", False),
    ],
    ids=["alike", "not compiled", "another language"],
)
def test_a_parser_is_taken_where_it_is_compiled_and_reads_the_same_language(
    monkeypatch: pytest.MonkeyPatch, parse: Callable[[str], Any], file: str, *, is_taken: bool
) -> None:
    monkeypatch.setitem(sys.modules, "tomli", tomli_with(parse, file))
    assert (compiled_parser.__wrapped__() is parse) is is_taken


def test_without_the_extra_pythons_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomli", None)
    assert compiled_parser.__wrapped__() is None
