"""Regular expressions: each is tried with a million characters that lead it astray, and none is without a trial."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import pipelex_cogt
from pipelex_cogt.config import credential_checks, foreign_references, references, toml_syntax
from pipelex_cogt.integrations import catalogue

PACKAGE = Path(pipelex_cogt.__file__).parent
FUNCTIONS = {f"re.{name}" for name in vars(re.Pattern)} | {"re.compile"}


class Trial(NamedTuple):
    """How a pattern is used, and texts that lead it astray.

    Attributes:
        way: The method that it is used with.
        pieces: Each is repeated, to end in what the pattern does not expect.
        longest: How long the texts are at most that it is asked of; None where they may be of any length.
    """

    way: str
    pieces: tuple[str, ...]
    longest: int | None = None


def trial(way: str, *pieces: str, longest: int | None = None) -> Trial:
    return Trial(way, pieces, longest)


# Only a line of so many characters, on both sides of where the parser stopped, is looked at.
REACH = toml_syntax._REACH
TRIALS = {
    "cli.explain: _HAS_LINE": trial("search", ":", ":1", "1"),
    "config.bounds: _KEY": trial("findall", "a", ".", "'", '"', '"\\'),
    "config.bounds: _DOTTED_KEYS": trial(
        "findall", "a", "a.", ".", "'", '"', '""', '"""', "'''", "#", "a ", '"\\', "'.", "a. "
    ),
    "config.credential_checks: kind.refused": trial("search", "a", " "),
    "config.credential_checks: _QUOTED": trial("fullmatch", '"', "'\"", "`"),
    "config.credential_checks: _CHOSEN": trial("search", "pas", "pi", "pina"),
    "config.credential_checks: '\\\\W'": trial("sub", "-", "a-"),
    "config.directories: _SPEAKS_OF_US": trial("search", "cog", "acogt", "cogta"),
    "config.endpoints: _URL": trial("match", "a", "://", "a.", "http:"),
    "config.endpoints: _BARE": trial("fullmatch", "a", "a.", "://a:", "a-", ":", "/", "/a", "https", ":1"),
    "config.endpoints: _NEARBY": trial("fullmatch", "a", "1", "1.", "."),
    "config.environ: _BEFORE_VALUE": trial("match", " ", "export ", "a", "'", "a ", "="),
    "config.environ: _UNQUOTED": trial("match", " ", "export ", "a", "'", "a ", "=", "a= ", "\n"),
    "config.environ: _NAME_END": trial("search", "a", "${"),
    "config.foreign_references: '|'.join((re.escape(opening) + name + re.escape(closing)"
    " for (opening, closing), name in forms))": trial("fullmatch", "A", "A_", "$", "{{", "_", "env:", "%", "A1_"),
    "config.foreign_references: _NOT_PART_OF_IT": trial("sub", " ", "'a"),
    "config.foreign_references: _CREDENTIAL_VARIABLE": trial("fullmatch", "A", "A_", "_", "KEY_", "A_KEY"),
    "config.free_tables: _HEADER_NAME": trial("fullmatch", "a", "-", "a "),
    "config.key_paths: _BARE_KEY": trial("fullmatch", "a", "-"),
    "config.masking: _MARK": trial("search", "a"),
    "config.masking: _PLACEHOLDER": trial(
        "fullmatch", "your", "your-", "your_a", "x", ".", "<", ">", "change", longest=200
    ),
    "config.other_words: _SILENT": trial("sub", "_", "a_", "-"),
    "config.references: _TOKEN": trial("split", "$", "${", "$${", "${a", "}"),
    "config.references: UNSAFE_NAME": trial("search", ".", "a/", "a.", "/..a"),
    "config.references: _NO_VARIABLE": trial("search", "a", "-"),
    "config.references: _PERHAPS_A_KEY": trial("search", "a", "sk", "-", "\n"),
    "config.references: form": trial("fullmatch", "a", "-", "a-", "/", "a/"),
    "config.secret_names: _WORDS": trial("findall", "A", "a", "Aa", "1", "_"),
    "config.secret_values: _LITERAL": trial("sub", "a"),
    "config.secret_values: _PIECE": trial("findall", "a", "=", "a:"),
    "config.secret_values: _WORD": trial("sub", "a", " ", "a "),
    "config.secret_values: _HEAD": trial("match", "a", "/"),
    "config.secret_values: _VALUE": trial("match", "a", "&"),
    "config.secret_values: _NEXT_URL": trial("split", ",", "a", ",a", ",a://", "a:", ";a.", "|"),
    "config.secret_values: '://'": trial("findall", "://", ":", "/"),
    "config.secret_values: _WITH_SCHEME": trial("search", " ", ":", ": ", "bearer", "= token ", ":basic ", "'"),
    "config.secret_values: _LOGIN": trial("fullmatch", "a", "a:", "@", "a:b@", ":1", "//", "mailto:"),
    "config.secret_values: _PARAMETER": trial("findall", "&", "a", "&a", "a=", ",a", "?"),
    "config.secret_values: _SCHEME_ALONE": trial("fullmatch", "a", "a:", " ", "basic ", "a ", "-"),
    "config.secret_values: _LONG": trial("fullmatch", "a", "1", "a-", "12345678-"),
    "config.secret_values: _BASE64": trial("fullmatch", "a", "A", "1", "=", "aA1"),
    "config.secret_values: _LETTER_MEETS_DIGIT": trial("findall", "a", "a1"),
    "config.secret_values: _HOST_AND_PORT": trial("fullmatch", "a", ":", ":1", "["),
    "config.secret_values: _BEFORE_BLANK": trial("match", " ", "a", "a://", "a://b:", "a://b:c", "a://b:1"),
    "config.secret_values: _OPENS_USER": trial("search", "://", "://a", "://a:1", ":", "a"),
    "config.suggestions: _WORD_END": trial("split", "_", "a_", "a"),
    "config.toml_files: _SETTINGS_NAME": trial("fullmatch", ".", ".toml", ".local", "a"),
    "config.toml_lines: _BLANK": trial("match", " ", "#", ",", "\n", "#\n"),
    "config.toml_lines: KEY_PART": trial("match", " ", "'", '"', '"\\', "a", "a.", "."),
    "config.toml_lines: _SCALAR": trial("match", "'", '"', '""', "a", "\\", '"""', "'''", "'''a", '"""a', "1"),
    "config.toml_syntax: _POSITION": trial("search", " (at line 1, column 1", "1", " (at ", " "),
    "config.toml_syntax: _TOKEN": trial("findall", "'", '"', '"""', "'''", "#", "[", "a", "\\", '"a', "'''a"),
    "config.toml_syntax: _NEXT_STATEMENT": trial("match", "[", "a", "a ", "]", "."),
    "config.toml_syntax: _KEY_BEFORE": trial("search", "a", " ", "a =", '"', "'", "=", "{a", longest=2 * REACH),
    "config.toml_syntax: _NEEDS_QUOTES": trial("fullmatch", "a", ".", "a.", "\n"),
    "config.toml_syntax: _HEADER": trial("match", " ", "[", "]", "a", "[a"),
    "config.toml_syntax: _PAIR": trial("match", " ", "a", ":", "a:", "=", "a ", longest=2 * REACH),
    "config.toml_syntax: rule.said": trial("match", "Invalid ", "a"),
    "config.toml_syntax: rule.before": trial("search", "1", "[", " ", "= ", "1,", "2024-01-01", ".", longest=REACH),
    "config.toml_syntax: rule.after": trial("match", " ", "a", ",", "]", "1", "<", "a ", longest=REACH),
    "config.toml_syntax: '\\n'": trial("findall", "\n", "a"),
    "config.unread_files: _ENVIRONMENT_FILE": trial("fullmatch", "settings.", "a", "-", "default"),
    "config.unread_files: _FOLDER_IN_PEACE": trial("match", "a", ".", "examples"),
    # No name of a file is longer.
    "config.unread_files: _CONFIGURATION": trial("fullmatch", ".", "a", ".toml", ".env", ".bak", "dist.", longest=255),
    "config.unread_variables: _FIRST_WORD": trial("match", "_", "a", "a_", "-"),
    "config.variable_names: _NOT_ALPHANUMERIC": trial("sub", "_", "a", "-"),
    "config.whereabouts: _FILLERS": trial("sub", "_", "pa", "api", "patt", "key"),
    "integrations.catalogue: _ABOVE": trial("search", "_above_", "1", "_above_1"),
    "integrations.catalogue: _EDITION": trial("sub", "a", "-", "-1", "@v1", "-2024", "a.", longest=1_000),
    "integrations.catalogue: pattern": trial("fullmatch", "a", "_", "-"),
    "integrations.google: _VERSION": trial("fullmatch", "v", "v1", "1"),
    "visible: _RUNNER_COMMAND": trial("match", " ", " :", ":"),
    "visible: _UNSHOWABLE": trial("sub", "a", "#", "##["),
}
"""Each pattern of the package, by its module and its name or what it is made of."""
MADE = {
    "config.credential_checks: kind.refused": [kind.refused for kind in credential_checks._KINDS.values()],
    "config.references: form": [*references._RIGHT_FORMS],
    "config.toml_syntax: rule.said": [rule.said for rule in toml_syntax._RULES],
    "config.toml_syntax: rule.before": [rule.before for rule in toml_syntax._RULES],
    "config.toml_syntax: rule.after": [rule.after for rule in toml_syntax._RULES],
    "integrations.catalogue: pattern": [provider.pattern for provider in catalogue._OF_LITELLM.values()],
}
"""The patterns that are made of data, and local names of others."""


def calls_of_re(path: Path) -> Iterator[str]:
    """What each pattern of a module is called, or made of."""
    text = path.read_text(encoding="utf-8")
    nodes = [*ast.walk(ast.parse(text))] if "import re\n" in text else []
    names = {node.value: ast.unparse(node.targets[0]) for node in nodes if isinstance(node, ast.Assign)}
    calls = (node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) in FUNCTIONS)
    for node in calls:
        made_of = ast.unparse(node.args[0])
        is_named = ast.unparse(node.func) == "re.compile" and not isinstance(node.args[0], ast.Name)
        yield names.get(node, made_of) if is_named else made_of


@cache
def patterns_used() -> frozenset[str]:
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found.update(f"{module}: {name}" for name in calls_of_re(path))
    return frozenset(found)


def compiled(key: str) -> Iterator[re.Pattern[Any]]:
    """The patterns of an entry."""
    name, _, written = key.partition(": ")
    module = importlib.import_module(f"pipelex_cogt.{name}")
    for each in MADE.get(key, [written]):
        yield as_pattern(module, each)


def as_pattern(module: ModuleType, written: str) -> re.Pattern[Any]:
    value = getattr(module, written, written)
    if "re.escape" in written:
        return foreign_references._pattern()
    if isinstance(value, re.Pattern):
        return value
    is_literal = value is written and value.startswith(("'", '"'))
    return re.compile(ast.literal_eval(value) if is_literal else value)


def test_every_pattern_of_the_package_has_a_trial() -> None:
    assert patterns_used() == {*TRIALS}


@pytest.mark.parametrize("length", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("key", TRIALS)
def test_a_pattern_is_through_with_a_million_characters(key: str, length: int) -> None:
    way, pieces, longest = TRIALS[key]
    for pattern, piece in product(compiled(key), pieces):
        text = piece * (min(length, longest or length) // len(piece)) + "!\n"
        subject = text.encode() if isinstance(pattern.pattern, bytes) else text
        # A pattern that tries each of many ways never comes to an end.
        getattr(pattern, way)(*([""] if way == "sub" else []), subject)
