"""Bounds: settings nested too deep and integers beyond 64 bits are told where they enter, whatever states them."""

import json
import pickle
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.cli.show import describe
from pipelex_cogt.config.bounds import MAX_LEVELS, cut_excesses, excess_of, line_of_deep_key
from pipelex_cogt.config.directories import packaged_settings_dir
from pipelex_cogt.config.toml_files import find_toml_files
from tests.conftest import Load, steps

Problems = Callable[..., list[str]]

DEEP = "expected at most 64 levels of tables and lists, got more"
LARGE = "expected an integer of at most 64 bits, got a larger one"
HUGE = "0x" + "f" * 4000


def keys(count: int) -> str:
    return ".".join("x" * count)


def in_words(told: str) -> str:
    return told.replace(": deep", f": {DEEP}").replace(": large", f": {LARGE}")


FILES = {
    "a header of the main file": (
        "settings.toml",
        f"[default.cogt.backends.a.{keys(600)}]",
        "settings.toml:1: deep",
    ),
    "an application's own table": ("settings.toml", f"[default.other.{keys(20_000)}]", "settings.toml:1: deep"),
    "a header": ("backends.toml", f"[a]\n[b.{keys(600)}]\nk = 1", "backends.toml:2  cogt.backends: deep"),
    "a dotted key": ("backends/a.toml", f"[m1]\n\n{keys(600)} = 1", "backends/a.toml:3  cogt.models.a: deep"),
    "a key in a table": ("deck/x.toml", f"a = {{ {keys(600)} = 1 }}", "deck/x.toml:1  cogt.deck: deep"),
    "secrets": (".secrets.toml", f"[default.cogt.backends.a.{keys(1500)}]", ".secrets.toml:1: deep"),
    "lists": (
        "backends.toml",
        "[a]\nk = " + "[" * 70 + "]" * 70,
        "backends.toml:2  cogt.backends.a.k.0.0.0.0.0: deep",
    ),
    "lists without end": ("backends.toml", "[a]\nk = " + "[" * 9000, "backends.toml  cogt.backends: deep"),
    "tables in tables": (
        "backends.toml",
        f"[a.{keys(40)}]\nk = {{ {keys(40)} = 1 }}",
        "backends.toml:2  cogt.backends.a.x.x.x.x.x.x: deep",
    ),
    "a price": (
        "backends/a.toml",
        f"[m1]\ncosts.input = {HUGE}",
        "backends/a.toml:2  cogt.models.a.m1.costs.input: large",
    ),
    "a limit": (
        "backends/a.toml",
        f"[m1]\nmax_tokens = {HUGE}",
        "backends/a.toml:2  cogt.models.a.m1.max_tokens: large",
    ),
    "a further key": ("backends.toml", f"[a]\ntoken = {2**63}", "backends.toml:2  cogt.backends.a.token: large"),
    "in a list": ("backends.toml", f"[a]\nk = [1, -{2**64}]", "backends.toml:2  cogt.backends.a.k.1: large"),
    "in the main file": (
        "settings.toml",
        f"[default.cogt.backends.a]\ntimeout = {HUGE}",
        "settings.toml:2  cogt.backends.a.timeout: large",
    ),
}


@pytest.mark.parametrize(("name", "text", "told"), FILES.values(), ids=FILES)
def test_what_a_file_states_beyond_the_bounds_is_one_problem(
    problems: Problems, name: str, text: str, told: str
) -> None:
    # What a tree lacks that has such a file in the place of its own is another matter.
    assert [problem for problem in problems({name: text}) if DEEP in problem or LARGE in problem] == [in_words(told)]


VARIABLES = {
    "TOML": ("HEADERS", "{ " + keys(600) + " = 1 }", DEEP),
    "TOML in TOML": ("HEADERS", "{a=" * 70 + "1" + "}" * 70, DEEP),
    "JSON": ("HEADERS", '{"a":' * 500 + "1" + "}" * 500, DEEP),
    "endless JSON": ("HEADERS", '{"a":' * 100_000, DEEP),
    "a long number": ("HEADERS", "{ a = " + HUGE + " }", LARGE),
    "a number": ("MAX_RETRIES", "9" * 400, LARGE),
}


@pytest.mark.parametrize(("name", "text", "told"), VARIABLES.values(), ids=VARIABLES)
def test_what_a_variable_states_beyond_the_bounds_is_one_problem(
    problems: Problems, name: str, text: str, told: str
) -> None:
    variable = f"PIPELEX_COGT__BACKENDS__A__{name}"
    assert problems(environ={variable: text}) == [f"{variable}  cogt.backends.a.{name.lower()}: {told}"]


def deep_in_the_stack(function: Callable[[], Any], frames: int) -> Any:
    return function() if not frames else deep_in_the_stack(function, frames - 1)


def test_what_is_within_the_bounds_is_loaded_and_survives_whatever_follows(load: Load) -> None:
    text = f"[a]\nendpoint = 'https://x'\n[a.own.{keys(MAX_LEVELS - 3)}]\nk = '${{A:-b}}'\n[b]\n[off]\nenabled = false"

    def use() -> None:
        manager = load({"backends.toml": text})
        backend = manager.backends["a"]
        assert repr(backend)
        assert json.loads(backend.model_dump_json())
        assert dict(backend.extra_config)
        assert pickle.loads(pickle.dumps(manager.deck))
        assert manager.explain("a")
        assert describe(manager)
        assert manager.settings.tree

    deep_in_the_stack(use, 400)


def test_what_ships_is_within_the_bounds_for_no_load_looks() -> None:
    for path in find_toml_files(packaged_settings_dir(), is_recursive=True):
        text = path.read_text(encoding="utf-8")
        assert line_of_deep_key(text) is None
        assert not cut_excesses(tomllib.loads(text))


NUMBERS = st.one_of(st.integers(-(2**65), 2**65), st.integers(-9, 9), st.text(max_size=3), st.booleans())
TREES = st.recursive(
    NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
TABLES = st.dictionaries(st.text(max_size=2), TREES, max_size=4)


def plain_excesses(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The key path of every value beyond the bounds, as anybody would write it."""
    if isinstance(value, dict | list):
        if len(path) >= MAX_LEVELS:
            return [path]
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [found for key, item in items for found in plain_excesses(item, (*path, key))]
    return [path] if isinstance(value, int) and not -(2**63) <= value < 2**63 else []


@pytest.mark.slow
@given(TABLES, st.integers(0, 70))
def test_what_is_cut_is_what_a_plain_search_finds(table: dict[str, Any], depth: int) -> None:
    for _ in range(depth):
        table = {"d": table, "e": [1]}
    expected = plain_excesses(table)
    assert (excess_of(table) is not None) == bool(expected)
    assert sorted(excess.path for excess in cut_excesses(table)) == sorted(expected)
    assert not plain_excesses(table)


KEY = st.sampled_from(["x", "'a.b'", '"c.d"', '"e\\""', "0", "-"])
LONG = st.lists(KEY, min_size=60, max_size=70)


@pytest.mark.slow
@given(LONG, st.sampled_from([".", " . ", "\t."]), st.sampled_from(["[{}]", "{} = 1", "a = {{ b = 1, {} = 2 }}"]))
def test_a_key_is_too_deep_from_one_level_more_on(parts: list[str], dot: str, around: str) -> None:
    text = '# a.b\nt = """\n' + ".x" * 99 + '\n"""\n' + around.format(dot.join(parts)) + "\n"
    assert line_of_deep_key(text) == (5 if len(parts) > MAX_LEVELS else None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# " + ".x" * 100, id="comment"),
        pytest.param(f'a = "{keys(100)}"', id="text"),
        pytest.param(f"a = '''\n{keys(100)}'''", id="text of lines"),
        pytest.param(f'a = """{keys(100)}', id="open text"),
        pytest.param("a = [" + "1.5, " * 100 + "]", id="numbers"),
        pytest.param("a = 'Wait" + ". " * 100 + "'", id="prose"),
    ],
)
def test_dots_elsewhere_are_no_levels(text: str) -> None:
    assert line_of_deep_key(text) is None


@pytest.mark.parametrize("unit", ['"""', "'''", '\\"""', '"', "x.", '"a".', "x . ", "#\n" + "." * 70 + "\n"])
def test_the_search_for_deep_keys_grows_with_the_text(unit: str) -> None:
    def work(size: int) -> int:
        text = "a = " + unit * size + "." * 70
        return steps(lambda: line_of_deep_key(text))

    assert work(4000) <= 5 * work(1000)
