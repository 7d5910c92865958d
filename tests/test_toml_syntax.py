"""Texts that are no TOML: whatever the parser says is told in our words, with its line and what to write instead."""

from __future__ import annotations

import inspect
import re
import tomllib
from contextlib import suppress
from tomllib import _parser  # type: ignore[attr-defined]  # because: its messages are what is put into our words

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.toml_syntax import SyntaxFault, find_fault

CANARY = "sk-canary"
NAME = "a name with other characters than letters, digits, - and _ needs quotes"
TEXT = "text needs quotes"
SMALL = "expected true or false in small letters"
ONE_LINE = "an inline table stands on one line; write it without a line end, or below a [header] of its own"
OPEN_LINE = "a string is not closed on its line; end it with its quote, or put three quotes around several lines"
QUOTES = "text goes on behind its closing quote; put the other kind of quotes around it"
ESCAPE = r"\ in double quotes begins an escape; write \\, or put single quotes around it"
STATEMENT = "expected a key or a [header]; write key = value; a comment begins with #"
COMMA = "a comma stands in a number; write 1_000 for 1,000"
ZERO = "a number begins with no zero; take the zero away"
BRACKET = "a bracket closes what is not open; take it away"
DOT = "a dot stands at the end of a key or beside another; take it away"
CURLY = "a curly quote; write \" or '"
BEHIND = "expected the end of the line behind a value; take away what is behind it"
EQUALS = "expected = and a value behind a key; write key = value"
COLON = "expected = behind a key, found a colon; write = for it"
CONFLICT = "a merge conflict was left in the file; resolve it"

FAULTS = {
    # Names that need quotes
    "[gpt-5 mini]": f'1: {NAME}; write ["gpt-5 mini"]',
    "[qwen/qwen3:free]": f'1: {NAME}; write ["qwen/qwen3:free"]',
    "[qwen/qwen3.5:free] # the free one": f'1: {NAME}; write ["qwen/qwen3.5:free"]',
    "[default.cogt.models.x.qwen/q3]": f'1: {NAME}; write [default.cogt.models.x."qwen/q3"]',
    "[llm_presets.gpt-5 mini]": f'1: {NAME}; write [llm_presets."gpt-5 mini"]',
    "[@cf/meta]": f'1: {NAME}; write ["@cf/meta"]',
    "[[a b]]": f'1: {NAME}; write [["a b"]]',
    'qwen/x = "y"': f'1: {NAME}; write "qwen/x" = …',
    'qwen3:8b = "x"': f'1: {NAME}; write "qwen3:8b" = …',
    'a.é = "y"': f'1: {NAME}; write a."é" = …',
    '* = "openai"': f'1: {NAME}; write "*" = …',
    'gpt-* = "openai"': f'1: {NAME}; write "gpt-*" = …',
    'routes = { a = "b", gpt-* = "openai" }': f'1: {NAME}; write "gpt-*" = …',
    # Values
    "a = True": f"1: {SMALL}; write a = true",
    "a = yes": f"1: {SMALL}; write a = true",
    "a = { b = OFF }": f"1: {SMALL}; write b = false",
    "a = [True, False]": f"1: {SMALL}; write true",
    "a = flase": "1: expected true or false; write a = true or false",
    "a = None": "1: TOML has no null; leave the key out",
    "a = null # none": "1: TOML has no null; leave the key out",
    "a =": "1: expected a value behind =; write one, or leave the key out",
    "a = # later": "1: expected a value behind =; write one, or leave the key out",
    "a = [1,,2]": "1: expected a value; write one, or take the comma away",
    f"api_key = {CANARY}": f'1: {TEXT}; write api_key = "…"',
    "endpoint = https://a.example.com/v1#x": f'1: {TEXT}; write endpoint = "…"',
    "a = ${A_KEY}": f'1: {TEXT}; write a = "…"',
    "a = [gpt-4]": f'1: {TEXT}; write "…"',
    "a = 2024-08-01-preview": f'1: {TEXT}; write a = "…"',
    "a = 2024-13-01": f'1: {TEXT}; write a = "…"',
    "a = 2024-02-30": '1: no such date or time; write a = "…"',
    "a = 1.2.3": f'1: {TEXT}; write a = "…"',
    "a = { b = 5GB }": f'1: {TEXT}; write b = "…"',
    "a = 5 tokens": f'1: {TEXT}; write a = "…"',
    "a = .5": "1: a number needs a digit before its dot; write 0.5 for .5",
    "a = 007": f"1: {ZERO}",
    "a = [01]": f"1: {ZERO}",
    "a = 1,000": f"1: {COMMA}",
    "a = { input = 1,000 }": f"1: {COMMA}",
    "a = \u201cx\u201d": f"1: {CURLY}",
    "\u201ca\u201d = 1": f"1: {CURLY}",
    # Texts
    'a = "x': f"1: {OPEN_LINE}",
    "a = 1\nb = 'x\nc = 2\n": f"2: {OPEN_LINE}",
    "a = 'it's'": f"1: {QUOTES}",
    f'a = "{CANARY}" "{CANARY}"': f"1: {QUOTES}",
    'a = 1\nb = """\nx\n': "2: the string that opens here is not closed; end it with the quotes it begins with",
    "b = '''\nx\n": "1: the string that opens here is not closed; end it with the quotes it begins with",
    r'a = "C:\dir"': f"1: {ESCAPE}",
    r'a = "C:\users"': f"1: {ESCAPE}",
    r'a = "\ud800"': r"1: an escape names no character; write \\ for \ itself",
    'a = "x\x01"': "1: U+0001 stands in a text or a comment; take it away",
    "a = 1 # x\x00": "1: U+0000 stands in a text or a comment; take it away",
    "a = 1\rb = 2": "1: a carriage return ends no line by itself; end lines with a line feed",
    # Lists and inline tables
    'a = [\n"x"\n"y"\n]': "3: expected a comma or ] in a list; write one between its values",
    "a = [1,\n[t]\nb = 1": "1: the list that opens here is not closed; end it with ]",
    "a = ['x'\nb = 1": "1: the list that opens here is not closed; end it with ]",
    "a = 1\nb = [[1, 2],": "2: the list that opens here is not closed; end it with ]",
    "a = { b = 1": "1: the inline table that opens here is not closed; end it with }",
    "a = [\n['x' 'y'],\n]": "2: expected a comma or ] in a list; write one between its values",
    "a = { b = 1, }": "1: a comma stands before the } of an inline table; take it away",
    "a = {\n b = 1 }": f"1: {ONE_LINE}",
    "a = { b = 1,\n c = 2 }": f"1: {ONE_LINE}",
    "a = { b = 1\n}": f"1: {ONE_LINE}",
    "a = { b = 1 c = 2 }": "1: expected a comma or } in an inline table; write one between its keys",
    "a = ['x']]": f"1: {BRACKET}",
    "a = 1\n}": f"2: {BRACKET}",
    # Lines
    "active": f"1: {EQUALS}",
    f"api_key {CANARY}": f"1: {EQUALS}",
    f"{CANARY}\n": f"1: {EQUALS}",
    f"api_key: {CANARY}": f"1: {COLON}",
    'a = { "b": 1 }': f"1: {COLON}",
    "= 1": "1: a key is missing before =; write key = value",
    "a = { 1 = 2, = 3 }": "1: expected a key; write key = value",
    "a. = 1": f"1: {DOT}",
    "[a..b]": f"1: {DOT}",
    "[.a]": f"1: {DOT}",
    "[]": "1: a header needs a name; write it in the brackets",
    "[x": "1: the header is not closed; end it with ]",
    "[[x]": "1: a header that opens with [[ ends with ]]; write ]]",
    "[x]]": f"1: {BRACKET}",
    "[a] b = 1": "1: a header has its line to itself; begin a new line behind it",
    "a = 1 b = 2": "1: a key has its line to itself; begin a new line before it",
    "a = true,": "1: a value ends with its line; take away what is behind it",
    "a = 1 // one": "1: expected the end of the line; a comment begins with #",
    "a = {} x": f"1: {BEHIND}",
    "// one": f"1: {STATEMENT}",
    '{"a": 1}': f"1: {STATEMENT}",
    "<<<<<<< HEAD": f"1: {CONFLICT}",
    "a = 1\n=======\n": f"2: {CONFLICT}",
    # What is there already, with both lines
    "[a]\nx = 1\n[b]\n[a]\n": "4: [a] is opened twice, on lines 1 and 4; write its keys below one header",
    '["a.b"]\n["a.b"]': '2: ["a.b"] is opened twice, on lines 1 and 2; write its keys below one header',
    "a.b = 1\n[a]": "2: [a] is opened twice, on lines 1 and 2; write its keys below one header",
    "[a.b]\nc = 1\n[a]\nb.d = 2": "4: [a.b] is opened twice, on lines 1 and 4; write its keys below one header",
    "[[t]]\n[t]": "2: [t] is opened twice, on lines 1 and 2; write its keys below one header",
    "[[t]]\n[t.x]\n[[t]]\n[t.x]\n[t.x]": "5: [t.x] is opened twice, on lines 4 and 5; write its keys below one header",
    "[a]\nx = 1\ny = 2\nx = 3\n": "4: a.x is stated twice, on lines 2 and 4; keep one of the two",
    "a = [\n1,\n2]\na = [\n3]": "4: a is stated twice, on lines 1 and 4; keep one of the two",
    "costs = { i = 1 }\ncosts = { o = 1 }": "2: costs is stated twice, on lines 1 and 2; keep one of the two",
    "a = { b = 1, b = 2 }": "1: a.b is stated twice, on line 1; keep one of the two",
    "a = 1\n[a]": "2: a is stated as a value and as a table, on lines 1 and 2; keep one of the two",
    "a = 1\na.b = 2": "2: a is stated as a value and as a table, on lines 1 and 2; keep one of the two",
    "a = {}\n[a.b]": "2: a is stated as a value and as a table, on lines 1 and 2; keep one of the two",
    "t = []\n[[t]]": "2: t is stated as a value and as a table, on lines 1 and 2; keep one of the two",
    "[a.b]\n[a]\nb = 1": "3: a.b is stated as a value and as a table, on lines 1 and 3; keep one of the two",
}


def fault_of(text: str) -> SyntaxFault:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    return find_fault(str(caught.value), text)


def told(text: str) -> str:
    line, problem, hint = fault_of(text)
    return f"{line}: {problem}; {hint}"


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=map(repr, FAULTS))
def test_what_is_no_toml_is_told_with_what_to_write(text: str, message: str) -> None:
    assert told(text) == message


@pytest.mark.parametrize("text", FAULTS, ids=map(repr, FAULTS))
def test_line_ends_of_windows_change_nothing(text: str) -> None:
    assert told(text.replace("\n", "\r\n")) == told(text)


def test_no_message_shows_a_value() -> None:
    assert [text for text in FAULTS if CANARY in told(text)] == []


def test_everything_the_parser_says_is_put_into_our_words() -> None:
    source = inspect.getsource(_parser)
    said = re.findall(
        r"""(?:suffixed_err\(|TOMLDecodeError\()\s*(?:src, pos, |src, new_pos, )?f?(".*?[^\\]"|'.*?')""", source
    )
    heard = set()
    for text in FAULTS:
        with suppress(tomllib.TOMLDecodeError):
            tomllib.loads(text)
    for text in FAULTS:
        with pytest.raises(tomllib.TOMLDecodeError) as caught:
            tomllib.loads(text)
        heard.add(str(caught.value).split(" (at ")[0])
    # A message with a key or a character in it is known by its beginning.
    beginnings = [re.split(r"[{]", message[1:-1].replace("\\\\", "\\"))[0] for message in said]
    unheard = [beginning for beginning in beginnings if not any(message.startswith(beginning) for message in heard)]
    assert len(said) > 15
    assert unheard == []


def test_what_nobody_foresaw_is_told_as_the_parser_says_it() -> None:
    assert find_fault("Something new (at line 2, column 1)", "a = 1\nb") == SyntaxFault(2, "Something new", None)


PIECES = [
    "a",
    "b.c",
    '"a"',
    "=",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    " ",
    '"',
    "'",
    '"""',
    "'''",
    "#",
    "\\",
    "1",
    "true",
    "x/y",
    "\r",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_is_wrong_is_told_at_a_line_of_the_text(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, problem, hint = find_fault(str(error), text)
        assert 1 <= line <= text.count("\n") + 1
        assert problem
        assert hint
