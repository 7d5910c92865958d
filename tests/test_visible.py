"""How a character is shown: one that a terminal or a CI runner would obey is an escape wherever words are told."""

from __future__ import annotations

import logging
import pickle
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import (
    BackendDisabledError,
    CogtError,
    FallbackError,
    LiteralLeftBehindError,
    MissingCredentialError,
    MissingExtraError,
    ModelManager,
    ModelNotRoutedError,
    NameTypeError,
    Problem,
    ProblemError,
    SecretFileError,
    SecretSourceError,
    SettingsError,
    UnknownNameError,
    UnusableCredentialError,
    UsageError,
)
from pipelex_cogt.config.directories import Directories
from pipelex_cogt.errors import CallFailedError, CallFailure, CallRefusedError, CatalogueSourceError
from pipelex_cogt.visible import visible, visible_line
from tests.conftest import MINIMAL, Load, WriteTree

OBEYED = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|##(\[|vso\[)|^\s*::",
    re.MULTILINE,
)
EVIL = (
    "::error::x\n::error::y\r\t##[error]z ##vso[task]\x1b]52;c;ZXZpbA==\x07\x9b31m\x7f\u202e\u2066\u2028\udc80\x00\x85"
)


# Text


@given(st.text() | st.text(st.sampled_from(EVIL)))
def test_no_text_holds_what_a_terminal_or_a_runner_obeys(text: str) -> None:
    shown = visible_line(text)
    assert OBEYED.search(shown) is None
    assert len([shown]) == len(f"{shown}.".splitlines())
    assert visible(visible(text)) == visible(text)
    assert visible_line(shown) == visible(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"], exclude_characters="#")))
def test_what_can_be_looked_at_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202e\u2066\u200e", r"\u202e\u2066\u200e"),
        ("gpt-4\u200b\ufeff", r"gpt-4\u200b\ufeff"),
        ("a\xadb\u2060c\U000e0041", r"a\xadb\u2060c\U000e0041"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\udc80", r"\udc80"),
        ("##[error]", r"\x23#[error]"),
        ("##vso[task]", r"\x23#vso[task]"),
        ("## heading", "## heading"),
        ("::error::x", "::error::x"),
    ],
)
def test_an_escape_says_which_character_it_is(text: str, told: str) -> None:
    assert visible(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("\t::error::x", r"\t::error::x"),
        ("settings::x", "settings::x"),
        (": x", ": x"),
    ],
)
def test_no_line_begins_with_what_a_runner_obeys(text: str, told: str) -> None:
    assert visible_line(text) == told


def test_a_megabyte_of_what_is_not_shown_is_looked_at_once() -> None:
    for text in ("\x1b" * 1_000_000, "#" * 1_000_000, " " * 1_000_000, ":" * 1_000_000):
        assert len(visible_line(text)) >= len(text)


# Exceptions


PROBLEM = Problem(EVIL, EVIL, EVIL, 1, EVIL)
FAILURE = CallFailure(EVIL, EVIL, EVIL, 500, EVIL)
ERRORS: dict[str, CogtError] = {
    "any": CogtError(EVIL),
    "problem": ProblemError(PROBLEM),
    "name of a type": NameTypeError(EVIL, EVIL),
    "unknown": UnknownNameError(EVIL, EVIL, (EVIL, EVIL)),
    "known as": UnknownNameError(EVIL, EVIL, (), EVIL),
    "disabled": BackendDisabledError(EVIL, (EVIL, EVIL), (EVIL,)),
    "disabled backend": BackendDisabledError(EVIL, (EVIL,), (EVIL,)),
    "not routed": ModelNotRoutedError(EVIL, EVIL, EVIL, ((EVIL, EVIL),), EVIL),
    "missing": MissingCredentialError(EVIL, (EVIL,), EVIL, EVIL, EVIL),
    "left behind": LiteralLeftBehindError(EVIL, EVIL),
    "unusable": UnusableCredentialError(EVIL, EVIL, EVIL, EVIL, EVIL),
    "usage": UsageError(EVIL),
    "secret file": SecretFileError(EVIL, EVIL),
    "secret source": SecretSourceError(EVIL, EVIL, EVIL),
    "refused": CallRefusedError(EVIL, EVIL, EVIL, EVIL),
    "extra": MissingExtraError(EVIL, EVIL),
    "failed": CallFailedError(FAILURE),
    "catalogue": CatalogueSourceError(EVIL, EVIL),
}
GROUPS: dict[str, CogtError] = {
    "settings": SettingsError.from_problems(EVIL, [PROBLEM, PROBLEM]),
    "fallback": FallbackError.from_failures(EVIL, [FAILURE, FAILURE], [CogtError(EVIL), CogtError(EVIL)]),
}
TELLERS: dict[str, Callable[[Any], str]] = {
    "str": str,
    "repr": repr,
    "pickled": lambda value: str(pickle.loads(pickle.dumps(value))),
    "traceback": lambda value: "".join(traceback.format_exception(value)),
}


def all_classes(root: type[CogtError]) -> set[type[CogtError]]:
    return {root}.union(*map(all_classes, root.__subclasses__()))


def test_every_exception_of_the_package_is_looked_at() -> None:
    ours = {each for each in all_classes(CogtError) if each.__module__.startswith("pipelex_cogt")}
    told = {type(error) for error in (*ERRORS.values(), *GROUPS.values())}
    assert {each.__name__ for each in ours - told} == {"NotAvailableError"}


@pytest.mark.parametrize("tell", TELLERS.values(), ids=TELLERS)
@pytest.mark.parametrize("error", [*ERRORS.values(), *GROUPS.values()], ids=[*ERRORS, *GROUPS])
def test_no_exception_tells_what_a_terminal_or_a_runner_obeys(error: CogtError, tell: Callable[[Any], str]) -> None:
    assert OBEYED.search(tell(error)) is None


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_no_name_begins_a_line_of_an_exception(error: CogtError) -> None:
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("error", GROUPS.values(), ids=GROUPS)
def test_a_group_has_its_own_lines_and_no_more(error: CogtError) -> None:
    first, *others = str(error).splitlines()
    assert first == visible_line(EVIL)
    assert [other[:2] for other in others] == ["  ", "  "]


def test_the_facts_stay_as_they_are() -> None:
    assert (PROBLEM.problem, PROBLEM.file, PROBLEM.message, PROBLEM.place) == (
        EVIL,
        EVIL,
        f"{EVIL}; {EVIL}",
        f"{EVIL}:1",
    )
    error = UnknownNameError(EVIL, "backend", (EVIL,))
    assert (error.name, error.suggestions) == (EVIL, (EVIL,))


def test_a_problem_and_a_failure_are_one_line() -> None:
    for told in map(str, (PROBLEM, FAILURE)):
        assert (OBEYED.search(told), len(told.splitlines())) == (None, 1)


# Logs and reprs


QUOTED = '"##[error]x\\n::error::y\\u001b[2J\\u202e"'
NAMED = {
    "settings.toml": f"[{QUOTED}.cogt]\n[default.cogt.inference_config]\nuse_packaged_settings = false\n"
    f"[default.cogt.models.{QUOTED}.m1]\nsdk = 's'",
    "backends.toml": f"{MINIMAL['backends.toml']}[{QUOTED}]\nregion = {QUOTED}\n",
    "routing.toml": f"active = {QUOTED}\n[profiles.{QUOTED}]\ndefault = 'a'\n",
    "deck/odd.toml": f"[llm_presets.{QUOTED}]\nllm_handle = 'm1'\nextra_body = {{ user = {QUOTED} }}\n",
}
NAME = "##[error]x\n::error::y\x1b[2J\u202e"
REPRS: dict[str, Callable[[ModelManager], object]] = {
    "manager": lambda manager: manager,
    "settings": lambda manager: manager.settings,
    "deck": lambda manager: manager.deck,
    "routing": lambda manager: manager.routing,
    "backend": lambda manager: manager.backends[NAME],
    "further keys": lambda manager: manager.backends[NAME].extra_config,
    "preset": lambda manager: manager.deck.llm_presets[NAME],
    "resolved": lambda manager: manager.deck.resolve(NAME),
    "parameters": lambda manager: manager.deck.resolve(NAME).parameters,
}


@pytest.mark.parametrize("find", REPRS.values(), ids=REPRS)
def test_no_repr_tells_what_a_terminal_or_a_runner_obeys(load: Load, find: Callable[[ModelManager], object]) -> None:
    told = f"{find(load(NAMED, env=NAME))!r}"
    assert OBEYED.search(told) is None
    assert len(told.splitlines()) == 1


def test_no_log_record_tells_it(
    write_tree: WriteTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / NAME.replace("/", "")
    write_tree({**MINIMAL, **NAMED}).parent.rename(folder)
    monkeypatch.chdir(folder)
    with caplog.at_level(logging.INFO, "pipelex_cogt"):
        ModelManager.load(env=NAME)
        ModelManager.load(folder / "settings", NAME)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert [text for text in told if OBEYED.search(text) or len(text.splitlines()) > 1] == []


def test_where_settings_were_found_is_one_line(tmp_path: Path) -> None:
    found = Directories(tmp_path, tmp_path / EVIL, tmp_path, tmp_path / EVIL, ())
    assert OBEYED.search(str(found)) is None
