"""Long texts: no pattern of the package takes longer than its text is long, however the text is made to mislead it.

A pattern that looks back again and again would not fail here but never end: a million characters leave no doubt.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pipelex_cogt import Severity
from pipelex_cogt.config.bounds import TOO_DEEP
from pipelex_cogt.config.key_paths import quote_key
from pipelex_cogt.config.masking import is_placeholder, mask_setting
from pipelex_cogt.config.references import ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.secret_names import names_secret
from pipelex_cogt.config.secret_values import MASK
from pipelex_cogt.config.toml_files import read_toml_file
from pipelex_cogt.config.toml_lines import find_lines
from pipelex_cogt.config.variable_names import variable_part
from pipelex_cogt.model_routing.patterns import PatternIndex

pytestmark = pytest.mark.slow

LENGTH = 1_000_000
PIECES = [
    *("your", "your-", "sk-", "<", "change_", "token", "api_", "_key_", "aB", "_", "-", "é"),
    *("://", "://a:", "://a:1/", "://a:b@", "a@", ":", "://u:${", "} "),
    *("${", "$${", "$", "{", "${A:-://u:p@", "${a|", "|"),
    *('"', "'", "\\", "\0", "\n"),
    *(
        "=",
        "&",
        "?",
        "#",
        ";",
        ",",
        "%",
        "@",
        "a=b&",
        "?key=",
        ",a://",
        "://a@",
        "://a@,b",
        "//",
        "a1",
        "A1b2",
        "Bearer ",
    ),
    *("%3A%2F%2F", "%40", "://[", "a:b@", "${A:-x}@", "mailto:", "-----BEGIN "),
]


def repeated(piece: str) -> str:
    return piece * (LENGTH // len(piece))


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_a_secret_among_a_million_characters_is_hidden(piece: str) -> None:
    # A URL ends where a word does.
    behind = "" if piece.isspace() or " " in piece else repeated(piece)
    for text in (f"{repeated(piece)} https://u:canary@h", f"https://u:canary{behind}@h"):
        assert "canary" not in mask_setting("endpoint", text)
    shown = mask_setting("endpoint", f"{repeated(piece)}}}@h")
    assert shown.endswith(("@h", MASK))


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_a_name_or_a_reference_of_a_million_characters_is_judged(piece: str) -> None:
    text = repeated(piece)
    assert is_placeholder(text) is False
    assert names_secret(f"{text}_path") is False
    assert names_secret(f"{text}_api_key") is True
    assert len(variable_part(text)) == len(text)
    assert len(quote_key(text)) >= len(text)
    for around in ("${secret:%s}", "${A|%s:-x}", "${A:-%s"):
        with suppress(ReferenceSyntaxError):
            assert len(references_in(around % text)) > 0


TEXTS = {
    "quotes": f'"""{repeated(chr(34) * 2 + "a")}"""',
    "escaped quotes": f'"""{repeated(chr(92) + chr(34))}"""',
    "backslashes": f'"{repeated(chr(92) * 2)}"',
    "escaped quotes on one line": f'"{repeated(chr(92) + chr(34))}"',
    "apostrophes": f"'''{repeated(chr(39) * 2 + 'a')}'''",
    "line ends in quotes": f'"""{repeated(chr(10))}"""',
    "headers in quotes": f"'''{repeated('[a]' + chr(10))}'''",
    "hashes": f"'{repeated('#')}'",
    "comment": f"1{repeated('#')}",
    "spaces": f"{repeated(' ')}1",
    "digits": f"1.{repeated('0')}",
    "array": f"[{'1,' * (LENGTH // 20)}]",
    "array of lines": f"[{repeated(' ' + chr(10))}]",
    "array of comments": f"[{repeated('#]' + chr(10))}]",
    "array of empty texts": f"[{chr(34) * 2}{f', {chr(34) * 2}' * (LENGTH // 20)}]",
    "array in arrays": f"{'[' * 200}{']' * 200}",
}
KEYS = {
    "dashes": repeated("-"),
    "escaped": f'"{repeated(chr(92) + chr(34))}"',
    "literal": f"'{repeated(chr(34))}'",
    "spaces after it": f"a{repeated(' ')}",
    "dots": ".".join(["a"] * 1000),
    "lines above it": f"{repeated(chr(10))}a",
    "comments above it": f"{repeated('#' + chr(10))}a",
    "spaces above it": f"{repeated(' ')}\na",
}
DOCUMENTS = {
    **{f"value: {name}": f"a = {text}\nlast = 1" for name, text in TEXTS.items()},
    **{f"key: {name}": f"{text} = 1\nlast = 1" for name, text in KEYS.items()},
    "many keys": "".join(f"k{number} = 1\n" for number in range(LENGTH // 28)) + "last = 1",
    "many tables": "[[t]]\n" * (LENGTH // 24) + "[u]\n[v]\n",
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_last_key_of_a_million_characters_has_its_line(text: str) -> None:
    tomllib.loads(text)
    lines = find_lines(text)
    last = ("v",) if ("v",) in lines else ("last",)
    assert lines[last] == text.rstrip("\n").count("\n") + 1


BROKEN = {
    **{
        f"{piece!r}": repeated(piece)
        for piece in ('"', "'", "[", "]", "=", ".", "-", "_", "a", "{", "a={", "#\r", "\\")
    },
    "open text": f'a = "{repeated("a")}',
    "open text of escapes": f'a = "{repeated(chr(92))}',
    "open lines": f'a = """{repeated("a" + chr(10))}',
    "open lines of quotes": f'a = """{repeated(chr(34) * 2 + "a")}',
    "open apostrophes": f"a = '''{repeated(chr(39) * 2 + 'a')}",
    "open list": f"a = [{'1,' * (LENGTH // 20)}",
    "open list of lines": f"a = [{repeated(chr(10))}",
    "open list of comments": f"a = [{repeated('#]' + chr(10))}",
    "key twice": "".join(f"k{number} = 1\n" for number in range(LENGTH // 28)) + "k0 = 1",
    "table twice": "".join(f"[t{number}]\n" for number in range(LENGTH // 28)) + "[t0]",
    "long key twice": f"{repeated('a')} = 1\n{repeated('a')} = 1",
    "long header": f"[{repeated('a/')}]",
    "long name": f"{repeated('a/')} = 1",
    "spaces": f"a = 1{repeated(' ')}b",
    "spaces without a value": f"a{repeated(' ')}b",
    "like a position": f"a = {repeated('(at line 1, column 1)')}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_a_million_characters_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path, report = tmp_path / "some.toml", ProblemReport()
    path.write_text(text, newline="")
    assert read_toml_file(path, ("routing",), report) is None
    (problem,) = report.problems(Severity.ERROR)
    assert problem.problem.startswith(("not valid TOML", TOO_DEEP))
    assert len(problem.problem) < 200


PATTERNS: dict[str, Callable[[int], str]] = {
    "*a*a…": lambda stars: "*a" * stars,
    "*a*a…b": lambda stars: "*a" * stars + "b",
    "a*a*…b": lambda stars: "a*" * stars + "b",
    "*aa*aa…b": lambda stars: "*aa" * stars + "b",
    "***…b": lambda stars: "*" * stars + "b",
    "*?*?…": lambda stars: "*?" * stars,
    "*[*[…": lambda stars: "*[" * stars,
}
MATCHING = ("*a*a…",)


@pytest.mark.parametrize("stars", [10, 60, 500])
@pytest.mark.parametrize("shape", PATTERNS)
def test_a_route_of_many_stars_decides_about_a_name_of_a_million_letters(shape: str, stars: int) -> None:
    pattern, name = PATTERNS[shape](stars), repeated("a")
    assert [*PatternIndex([pattern]).matching(name)] == ([0] if shape in MATCHING else [])
