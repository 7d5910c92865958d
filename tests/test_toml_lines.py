"""Lines: the scanner, against the standard library's parser, and that it runs only where a line is told."""

import itertools
import json
import tomllib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import ModelManager
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import LayerKind, Origin, SourceFile
from pipelex_cogt.config.toml_lines import Statement, _Scanner, find_lines, find_statements
from tests.conftest import MINIMAL, Load, WriteTree, steps

MARKED = 100_000
"""Scalars of the generated documents hold numbers from here upward, each once, so that a value can be found again."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Writer:
    """Writes a random valid document; `draw` makes the choices."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._markers = itertools.count(MARKED)

    def document(self) -> str:
        lines = [*self._noise(), *self._table((), depth=0)]
        newline: str = self._draw(st.sampled_from(["\n", "\r\n"]))
        return newline.join([*lines, ""])

    def _table(self, path: tuple[str, ...], depth: int) -> Iterator[str]:
        keys = self._draw(st.lists(KEYS, unique=True, max_size=5))
        headed = [key for key in keys if depth < 3 and self._draw(st.booleans())]
        for key in keys:
            if key not in headed:
                yield from self._pair(key)
                yield from self._noise()
        for key in headed:
            below = (*path, self._spell(key))
            count = self._draw(st.integers(0, 2))
            yield from self._headed(below, count, depth)

    def _headed(self, path: tuple[str, ...], count: int, depth: int) -> Iterator[str]:
        opening, closing = ("[", "]") if count == 0 else ("[[", "]]")
        for _ in range(max(count, 1)):
            yield f"{self._space()}{opening}{self._space()}{self._dots(path)}{self._space()}{closing}{self._comment()}"
            yield from self._noise()
            yield from self._table(path, depth + 1)

    def _pair(self, key: str) -> Iterator[str]:
        if self._draw(st.booleans()):
            yield f"{self._assigned([self._spell(key)])}{self._value(2)}{self._comment()}"
            return
        for inner in self._draw(st.lists(KEYS, unique=True, min_size=1, max_size=3)):
            keys = [self._spell(key), self._spell(inner)]
            yield f"{self._assigned(keys)}{self._value(1)}{self._comment()}"

    def _assigned(self, keys: list[str]) -> str:
        return f"{self._space()}{self._dots(tuple(keys))}{self._space()}={self._space()}"

    def _value(self, depth: int, *, one_line: bool = False) -> str:
        kind = self._draw(st.sampled_from(["scalar", "scalar", "array", "inline"] if depth else ["scalar"]))
        if kind == "array":
            return self._array(depth, one_line=one_line)
        if kind == "inline":
            keys = self._draw(st.lists(KEYS, unique=True, max_size=3))
            pairs = [f"{self._assigned([self._spell(key)])}{self._value(depth - 1, one_line=True)}" for key in keys]
            return "{" + ", ".join(pairs) + self._space() + "}"
        shapes = SCALARS[:6] if one_line else SCALARS
        shape: str = self._draw(st.sampled_from(shapes))
        return shape.replace("N", str(next(self._markers)))

    def _array(self, depth: int, *, one_line: bool) -> str:
        parts = ["["]
        for _ in range(self._draw(st.integers(0, 3))):
            parts += [self._gap(one_line=one_line), self._value(depth - 1, one_line=one_line)]
            parts += [self._gap(one_line=one_line), ","]
        if len(parts) > 1 and self._draw(st.booleans()):
            parts.pop()
        return "".join([*parts, self._gap(one_line=one_line), "]"])

    def _gap(self, *, one_line: bool) -> str:
        return self._space() if one_line else self._draw(st.sampled_from(["", " ", "\n", "\n\n  ", ' # ], = "x\n']))

    def _noise(self) -> list[str]:
        lines: list[str] = self._draw(st.lists(st.sampled_from(["", "  ", "# [x] = {", '\t# y = """']), max_size=2))
        return lines

    def _comment(self) -> str:
        return str(self._draw(st.sampled_from(["", "", "  # [no.table] k = 'v", "#"])))

    def _space(self) -> str:
        return str(self._draw(st.sampled_from(["", " ", "\t "])))

    def _dots(self, spelled: tuple[str, ...]) -> str:
        return f"{self._space()}.{self._space()}".join(spelled)

    def _spell(self, key: str) -> str:
        spellings = [json.dumps(key, ensure_ascii=False)]
        if "'" not in key:
            spellings.append(f"'{key}'")
        if key.isascii() and key.replace("-", "").replace("_", "").isalpha():
            spellings.append(key)
        return str(self._draw(st.sampled_from(spellings)))


KEYS = st.text(st.sampled_from("aBc-_. =#[]{}\"'\\,:/é*"), max_size=4)
SCALARS = [
    "N",
    "-N.5e3",
    "1979-05-27 07:32:00.N",
    '"N ] = [ # \\" x"',
    "'N [t] {\\'",
    "07:32:00.N",
    '"""N\n[x]\ny = 1 # \\"""\n"""',
    '"""N """""',
    "'''N\n[[z]] \"\"\"\nk = ['\n'''",
    "'''N'''''",
]


@st.composite
def documents(draw: Draw) -> str:
    return Writer(draw).document()


def key_paths(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key), child
        yield from key_paths(child, (*path, key))


def marker_of(value: object) -> str | None:
    """The number by which a scalar is found in the text."""
    text = str(getattr(value, "microsecond", value)) if not isinstance(value, float) else f"{-value / 1000:.1f}"
    return None if isinstance(value, dict | list) else text.partition(".")[0].split()[0]


def line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(documents())
def test_every_key_that_tomllib_finds_has_its_line(text: str) -> None:
    lines, rows = find_lines(text), text.split("\n")
    stated = dict(key_paths(tomllib.loads(text)))
    assert set(lines) == set(stated)
    for path, value in stated.items():
        marker, key = marker_of(value), path[-1]
        if marker is not None:
            assert lines[path] == line_at(text, text.index(marker))
        elif isinstance(key, str):
            assert key in rows[lines[path] - 1] or json.dumps(key, ensure_ascii=False) in rows[lines[path] - 1]
        else:
            assert any(bracket in rows[lines[path] - 1] for bracket in "[{")


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(documents())
def test_a_key_is_never_above_its_table(text: str) -> None:
    lines = find_lines(text)
    for path, line in lines.items():
        if len(path) > 1:
            assert lines[path[:-1]] <= line


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        pytest.param("[a]\n\n[a.b]\nc = 1\n", ("a", "b", "c"), 4, id="below a header"),
        pytest.param("[a.b]\nc = 1\n[a]\n", ("a",), 1, id="first stated by a header below it"),
        pytest.param("x = 1\na.b.c = 1\n", ("a", "b", "c"), 2, id="dotted"),
        pytest.param("x = 1\na.b.c = 1\n", ("a", "b"), 2, id="table of a dotted key"),
        pytest.param("\na = { b = { c = 1 } }\n", ("a", "b", "c"), 2, id="inline tables"),
        pytest.param("a = [\n  1,\n  # 2,\n  3,\n]\n", ("a", 1), 4, id="array over several lines"),
        pytest.param("a = [{ b = 1 },\n{ b = 2 }]\n", ("a", 1, "b"), 2, id="table in an array"),
        pytest.param("[[a]]\nb = 1\n[[a]]\nb = 2\n", ("a", 1, "b"), 4, id="array of tables"),
        pytest.param("[[a]]\n[[a]]\n[a.b]\nc = 1\n", ("a", 1, "b", "c"), 4, id="below an array of tables"),
        pytest.param("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\nc = 1\n", ("a", 1, "b", 0, "c"), 5, id="arrays of arrays"),
        pytest.param('["gpt-4.1"]\n"a\\tb" = 1\n', ("gpt-4.1", "a\tb"), 2, id="quoted"),
        pytest.param("['C:\\x']\n'\"' = 1\n", ("C:\\x", '"'), 2, id="literal quotes"),
        pytest.param('"\\u00e9" = 1\n', ("é",), 1, id="escaped"),
        pytest.param("a = '''\n[b]\nc = 1\n'''\nc = 2\n", ("c",), 5, id="after text that looks like keys"),
        pytest.param('a = """\\\n  x \\"""\nb = 1\n"""\nb = 2\n', ("b",), 5, id="after an escaped end"),
        pytest.param('a = """x"""""\nb = 2\n', ("b",), 2, id="after five quotes"),
        pytest.param("a = 1\r\n\r\n[b]\r\nc = 1\r\n", ("b", "c"), 4, id="CRLF"),
        pytest.param("a = 1979-05-27 07:32:00Z\nb = 1", ("b",), 2, id="after a date with a space"),
        pytest.param("[ a . b ] # c\nd = 1", ("a", "b", "d"), 2, id="spaces in a header"),
    ],
)
def test_a_key_has_the_line_that_first_states_it(text: str, path: KeyPath, line: int) -> None:
    tomllib.loads(text)
    assert find_lines(text)[path] == line


def test_a_byte_order_mark_moves_no_line(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    path.write_bytes(b"\xef\xbb\xbfactive = 'x'\r\n\r\n[profiles.x]\r\ndefault = 'a'\r\n")
    file = SourceFile.of(path, "routing.toml", path.read_bytes())
    origin = Origin(LayerKind.APPLICATION, "routing.toml", file, tree_prefix=("routing",))
    assert str(origin.place(("routing", "active"))) == "routing.toml:1"
    assert str(origin.place(("routing", "profiles", "x", "default"))) == "routing.toml:4"


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was scanned, one entry for each time."""
    scanned: list[object] = []
    scan = _Scanner.scan

    def remember(scanner: _Scanner) -> None:
        scanned.append(scanner)
        scan(scanner)

    monkeypatch.setattr(_Scanner, "scan", remember)
    return scanned


def test_a_load_without_problems_looks_for_no_line(load: Load, scans: list[object]) -> None:
    manager = load()
    assert (manager.warnings, scans) == ((), [])


INACTIVE_PROFILES = (
    "[profiles.mine]\ndefault = 'nobody'\nroutes = { 'gpt-4.1' = 'opnai' }\n[profiles.all_openai]\nx = 1\n"
)
WITH_WARNINGS = {
    "faults of profiles that are not active": {"routing.toml": INACTIVE_PROFILES},
    "a file of a backend that is not in use": {"backends/ollama.toml": "[m1]\nsdk = 5\n[m2]\nmax_tokens = 0\n"},
    "older spelling": {"backends/openai.toml": "default_sdk = 'openai'\n"},
    "a route of the active profile that is never used": {
        "routing.toml": "[profiles.all_enabled.routes]\n'gtp-*' = 'openai'\n"
    },
    "an alias that leads nowhere": {"deck/mine.toml": "[aliases]\nmine = 'mistral-large-4'\n"},
}


@pytest.mark.parametrize("files", WITH_WARNINGS.values(), ids=WITH_WARNINGS)
def test_lines_of_warnings_are_looked_for_when_somebody_reads_them(
    write_tree: WriteTree, scans: list[object], files: dict[str, str]
) -> None:
    in_use = {"settings.toml": "[default.cogt.inference_config]\nenabled_backends = ['openai', 'anthropic']\n"}
    manager = ModelManager.load(write_tree({**in_use, **files}), environ={})
    assert scans == []
    (name,) = files
    assert {Path(warning.file or "").name for warning in manager.warnings} == {Path(name).name}
    assert None not in {warning.line for warning in manager.warnings}
    assert scans != []


def test_two_warnings_a_file_cost_a_load_next_to_nothing(write_tree: WriteTree) -> None:
    def load_steps(table: str) -> int:
        backends = {f"backends/b{number}.toml": f"{table}[m{number}]\n" for number in range(30)}
        tables = "".join(f"[b{number}]\n" for number in range(30))
        directory = write_tree({**MINIMAL, "backends.local.toml": tables, **backends})
        return steps(lambda: ModelManager.load(directory, environ={}))

    # What a process does once is no matter of a load.
    _, clean = (load_steps("[defaults]\nsdk = 's'\nprompting_target = 'openai'\n") for _ in range(2))
    assert load_steps("default_sdk = 's'\ndefault_prompting_target = 'openai'\n") < 1.1 * clean


def test_the_line_of_an_environment_that_may_be_misspelt_waits_too(load: Load, scans: list[object]) -> None:
    nothing = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
    manager = load({"settings.toml": f"{nothing}[prodution.cogt.routing]\n"})
    assert scans == []
    assert [(warning.line, warning.path) for warning in manager.warnings] == [(3, "")]


def test_a_file_is_scanned_once_however_many_lines_are_told(load: Load, scans: list[object]) -> None:
    manager = load({"routing.local.toml": "[profiles.y]\ndefault = 'nobody'\nx = 1\n"})
    assert len(manager.warnings) == 2
    manager.explain("cogt.routing.profiles.y.default")
    assert len(scans) == 1


STATEMENTS = {
    "headers and keys": (
        "a.b = 1\n[t]\nx = [\n1]\n[[l]]\n[[l]]\ny = {z = 1}\n",
        [
            Statement(("a", "b"), 1),
            Statement(("t",), 2, is_table=True),
            Statement(("t", "x"), 3, table=("t",)),
            Statement(("l",), 5, is_table=True),
            Statement(("l",), 6, is_table=True),
            Statement(("l", 1, "y"), 7, table=("l", 1)),
        ],
    ),
    "the beginning of a header": ("a = 1\n[b", [Statement(("a",), 1), Statement(("b",), 2, is_table=True)]),
    "the beginning of an inline table": (
        "a = { b = 1, c = 2",
        [Statement(("a",), 1), Statement(("a", "b"), 1, table=("a",)), Statement(("a", "c"), 1, table=("a",))],
    ),
}


def test_a_key_of_many_levels_takes_as_much_for_each_level() -> None:
    def scan(levels: int) -> None:
        path = ("a",) * levels
        # The key below it makes no copy of the path above.
        lines = find_lines(f"[{'.'.join(path)}]\n" + "".join(f"k{number} = [1]\n" for number in range(levels)))
        assert lines.nearest((*path, f"k{levels - 1}", 0)) == levels + 1
        assert lines.nearest((*path, "other")) == 1

    assert steps(lambda: scan(4_000)) < 5 * steps(lambda: scan(1_000))
    tracemalloc.start()
    scan(4_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000 * 2_000


def test_line_ends_are_counted_once() -> None:
    lines = find_lines("\n" * 1_000 + "a = 1\n" + "\n" * 1_000 + "[b]\nc = [\n\n1]\n")
    assert {**lines} == {("a",): 1_001, ("b",): 2_002, ("b", "c"): 2_003, ("b", "c", 0): 2_005}
    assert len(lines) == 4
    with pytest.raises(KeyError):
        lines[()]
    with pytest.raises(KeyError):
        lines["b", "d"]


@pytest.mark.parametrize(("text", "statements"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements_are_told_in_their_order_as_far_as_the_text_goes(text: str, statements: list[Statement]) -> None:
    assert find_statements(text) == statements
