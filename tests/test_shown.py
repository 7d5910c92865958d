"""What is shown is true: no value of a command's data is cut, broken, obeyed by a terminal or taken for a command."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.catalogue import describe_report, print_report
from pipelex_cogt.cli.check import check_settings, describe_checked, print_checked
from pipelex_cogt.cli.diff import diff_decks, print_differences
from pipelex_cogt.cli.env import find_variables, print_variables
from pipelex_cogt.cli.explain import describe_explanation, print_explanation
from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import as_data, listed, text_of
from pipelex_cogt.cli.show import LISTINGS, describe, print_description
from pipelex_cogt.cli.words import Listing, OutputFormat
from pipelex_cogt.integrations.catalogue import compare
from pipelex_cogt.visible import visible
from tests.conftest import MINIMAL, Load, WriteTree

Shown: TypeAlias = tuple[Any, Callable[[Any, Page], None]]
"""A command's data, and what prints them."""

WIDTHS = [40, 57, 80, 120, None]
"""Of terminals, and None for a pipe."""
MORE_WIDTHS = [41, 72, 100, 163, 200]
AT_EACH_WIDTH = pytest.mark.parametrize(
    "widths", [WIDTHS, pytest.param(MORE_WIDTHS, marks=pytest.mark.slow)], ids=["widths", "more widths"]
)

LONG = "a-name-of-a-hundred-characters-" + "x" * 69
ODD_NAMES = [
    "größe-ß",
    "two words",
    " white space around ",
    LONG,
    "[bold]bold[/bold]",
    "dot.ted.name",
    "模型名字很长的一个模型名字很长的一个模型名字很长的一个",
    "e\u0301-with-a-combining-mark",
    "👩\u200d💻-joined",
    "tab\there",
    "new\nline",
    "esc\x1b[31mred",
    "osc\x1b]52;c;ZXZpbA==\x07",
    "c1\x9b31m",
    "del\x7f",
    "rtl\u202ereversed",
    "isolate\u2066\u2069",
    "marks\u200e\u200f",
    "separators\u2028\u2029",
    "::error::injected",
    "x\n::error::injected",
    "##[error]injected",
    "##vso[task.setvariable]injected",
    "quo\"te'd",
    "back\\slash",
    "slash/colon:at@percent%",
    "-",
]
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def odd_tree() -> dict[str, str]:
    """The minimal tree with every odd name as a backend, a model, an alias and a preset, and with odd values."""
    names = [*map(quoted, ODD_NAMES)]
    backends = (
        f"[{quoted(odd)}]\napi_key = '${{KEY_{number}}}'\nregion = {quoted(f'${{REGION:-{odd}}}')}\n"
        for number, odd in enumerate(ODD_NAMES)
    )
    served = (f"[default.cogt.models.{name}.m1]\nsdk = 'sdk'\n" for name in names)
    models = (
        f"[{name}]\nmodel_id = {name}\ndescription = {name}\nmax_tokens = {999_999 + number}\n"
        f"costs = {{ input = 0.0000{number + 1}, output = {number + 1}0.075, input_cached = 1e-05, batch = 0.55, "
        f"tiers = [{{ above = {2_000_000 + number}, input = 0.0000{number + 501} }}], "
        f"from = [{{ date = 2027-01-{number + 1:02}, output = {number + 1}0.125, "
        f"tiers = [{{ above = {3_000_000 + number}, output_audio = {number + 1}0.375 }}] }}] }}\n"
        for number, name in enumerate(names)
    )
    aliases = (f'{quoted("alias " + odd)} = [{name}, "m1"]' for odd, name in zip(ODD_NAMES, names, strict=True))
    presets = (
        f"[llm_presets.{quoted('preset ' + odd)}]\nllm_handle = {quoted('alias ' + odd)}\ntemperature = 0.3\n"
        f"description = {name}\n"
        for odd, name in zip(ODD_NAMES, names, strict=True)
    )
    chain = ", ".join(f"{quoted('alias ' + odd)}" for odd in ODD_NAMES)
    return {
        **MINIMAL,
        "backends.toml": MINIMAL["backends.toml"] + "".join(backends),
        "backends/a.toml": MINIMAL["backends/a.toml"] + "".join(models),
        "deck/odd.toml": "\n".join(["[aliases]", *aliases, f"all = [{chain}]", *presets]),
        "settings.toml": """
            [default.cogt.inference_config]
            use_packaged_settings = false
            [production.cogt.inference_config]
            missing_credentials = "error"
            [production.cogt.routing.profiles.all]
            fallback_order = ["b", "a"]
            [production.cogt.deck.aliases]
            best = "only-a"
            [staging.cogt.deck.llm_presets.p]
            temperature = 5
            """
        + "".join(served),
    }


def shown_by(manager: ModelManager, names: list[str]) -> Iterator[tuple[str, Shown]]:
    """Every command on one load, with its data."""
    yield "show", (describe(manager), print_description)
    for listing, (describe_listing, print_listing) in LISTINGS.items():
        yield f"show {listing}", (describe_listing(manager), print_listing)
    for name in names:
        told = describe_explanation(manager.explain(name), manager.deck)
        yield f"explain {name}", (told, print_explanation)
    yield "env", ([variable._asdict() for variable in find_variables(manager)], print_variables)
    differences = diff_decks(["development", "production"], None, None, is_profile=False)
    yield "catalogue", (describe_report(compare(manager, "genai-prices")), print_report)
    yield "diff", ([vars_of(each) for each in differences], print_differences)
    checked = check_settings(None, None)
    yield "check", (describe_checked(checked), lambda _data, page: print_checked(checked, OutputFormat.TEXT, page))


def vars_of(difference: Any) -> dict[str, Any]:
    return {name: getattr(difference, name) for name in ("kind", "name", "field", "before", "after")}


def printed(shown: Shown, width: int | None) -> str:
    data, print_data = shown
    stream = io.StringIO()
    print_data(as_data(data), Page(stream, width))
    return stream.getvalue()


def values_in(data: Any) -> Iterator[str | float]:
    """Every text and number of data that JSON holds; what is true, false or null is said in words."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from values_in(item)
    elif not isinstance(data, bool | None):
        yield data


NUMBER = re.compile(r"(?<![\w.])-?\w+(?:\.\d+)?(?!\w|\.\d)")


def is_whole(value: str | float, text: str, numbers: Container[str]) -> bool:
    """Whether a value stands in a text in one piece: a number with all its digits, and no more of them."""
    if not isinstance(value, str):
        return text_of(value) in numbers
    # Of a name that a CI runner would obey at the beginning of a line, the first colon is an escape there.
    return any(each in text for each in (visible(value), visible(value).replace(":", "\\x3a", 1)))


def not_whole(values: Iterable[str | float], text: str) -> list[str | float]:
    numbers = {*NUMBER.findall(text)}
    return [value for value in values if not is_whole(value, text, numbers)]


def lost_at(widths: list[int | None], commands: Mapping[str, Shown]) -> dict[tuple[str, int | None], list[Any]]:
    values = {command: {*values_in(as_data(data))} for command, (data, _) in commands.items()}
    found = {
        (command, width): not_whole(values[command], printed(shown, width))
        for command, shown in commands.items()
        for width in widths
    }
    return {where: values for where, values in found.items() if values}


@pytest.fixture
def shipped(folder: Path) -> dict[str, Shown]:
    """Every command on the shipped catalogue."""
    assert folder.is_dir()
    return shown_of_the_catalogue()


@cache
def shown_of_the_catalogue() -> dict[str, Shown]:
    names = ["llm_to_reason", "smart", "gpt-4.1", "openai", "routing.active", "deck.aliases", "models.openai"]
    return dict(shown_by(ModelManager.load(checks_credentials=False), names))


@pytest.fixture
def odd(write_tree: WriteTree, folder: Path) -> dict[str, Shown]:
    """Every command on a catalogue of odd names."""
    assert folder.is_dir()
    write_tree(odd_tree())
    names = [
        "best",
        "all",
        "m-off",
        "p",
        "a",
        "deck",
        "models",
        "backends",
        *ODD_NAMES,
        *(f"alias {odd}" for odd in ODD_NAMES),
    ]
    return dict(shown_by(ModelManager.load(checks_credentials=False), names))


# Nothing is lost


@AT_EACH_WIDTH
def test_every_value_of_the_shipped_catalogue_is_whole(shipped: dict[str, Shown], widths: list[int | None]) -> None:
    assert lost_at(widths, shipped) == {}


@AT_EACH_WIDTH
def test_every_value_of_odd_names_is_whole(odd: dict[str, Shown], widths: list[int | None]) -> None:
    assert lost_at(widths, odd) == {}


def test_a_value_that_is_cut_would_be_found_out() -> None:
    assert not_whole([50, 5], "$ 5") == [50]
    assert not_whole([5, 0.5, 50], "$ 50 0.5, 5.5 x5") == [5]
    assert not_whole(["name"], "na\nme") == ["name"]
    assert not_whole([999_999], "1e+03k") == [999_999]


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_model_is_wider_than_the_terminal(shipped: dict[str, Shown], width: int) -> None:
    lines = printed(shipped["show models"], width).splitlines()
    assert [line for line in lines if len(line) > width] == []
    (row,) = (number for number, line in enumerate(lines) if line.startswith("gpt-6-astra "))
    told = " ".join(line.strip() for line in lines[row : row + 8])
    assert "constraints = [temperature_unsupported, max_tokens_must_be_high_enough, stop_unsupported], " in told


def test_each_model_stands_beside_its_own_price(shipped: dict[str, Shown]) -> None:
    models, _ = shipped["show models"]
    rows = [re.split(r"  +", line) for line in printed(shipped["show models"], None).splitlines()]
    # Behind a price stand the marks of costs that rise or change.
    prices = {(row[0], row[1]): [price.rstrip("^*") for price in row[6:8]] for row in rows if len(row) >= 8}
    for model in models:
        model_id = "=" if model["model_id"] == model["name"] else model["model_id"]
        costs = [text_of(as_data(model.get("costs", {}).get(price))) for price in ("input", "output")]
        assert prices[model["name"], model_id] == costs


MARKED = {
    "flat": ("", "1", "input = 1, output = 2"),
    "long prompts": (
        "tiers = [{ above = 272_000, input = 3.0 }]",
        "1^",
        "input = 1, output = 2, input above 272000 = 3",
    ),
    "a date": (
        "from = [{ date = 2027-01-01, input = 3.0 }]",
        "1*",
        "input = 1, output = 2, input from 2027-01-01 = 3",
    ),
    "both": (
        "tiers = [{ above = 9, input = 3.0 }]\nfrom = [{ date = 2027-01-01, tiers = [{ above = 5, input = 4.0 }] }]",
        "1^*",
        "input = 1, output = 2, input above 9 = 3, input from 2027-01-01 above 5 = 4",
    ),
}


@pytest.mark.parametrize(("lines", "price", "prices"), MARKED.values(), ids=MARKED)
def test_a_price_that_does_not_hold_for_every_call_is_marked(load: Load, lines: str, price: str, prices: str) -> None:
    manager = load({"backends/a.local.toml": f"[m1.costs]\n{lines}"})
    describe_models, print_models = LISTINGS[Listing.MODELS]
    told = printed((describe_models(manager), print_models), None).splitlines()
    (row,) = (re.split(r"  +", line) for line in told if line.startswith("m1 "))
    assert row[6] == price
    assert told[-1].endswith("^ price of short prompts; * price until a date")
    explained = describe_explanation(manager.explain("m1"), manager.deck), print_explanation
    assert f"  prices      {prices} (US dollars per million tokens)" in printed(explained, None).splitlines()


@pytest.mark.parametrize("width", [80, None])
def test_what_is_in_force_is_one_screen(shipped: dict[str, Shown], width: int | None) -> None:
    assert 20 < len(printed(shipped["show"], width).splitlines()) <= 46


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_line_is_wider_than_the_terminal_only_for_a_piece_that_is(width: int) -> None:
    stream = io.StringIO()
    page = Page(stream, width)
    names = [f"name-{number}" for number in range(40)]
    page.table(["first", "second", "last"], [[name, LONG, listed(names)] for name in names])
    page.entry("entry", listed(names))
    page.flow([*names, LONG], indent=4, hang=2)
    wide = [line for line in stream.getvalue().splitlines() if len(line) > width]
    assert {line.strip() for line in wide if LONG not in line} == set()
    assert all(len(line.split()) <= 4 for line in wide if width < 100)


def test_columns_are_as_wide_as_their_letters() -> None:
    stream = io.StringIO()
    Page(stream).table(["a", "b"], [["模型", ["x"]], ["e\u0301", ["y"]], ["abcd", ["z"]]])
    assert stream.getvalue() == "a     b\n模型  x\ne\u0301     y\nabcd  z\n"


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (80, ["name  state  further", "m1    on     a = 1, b = 2"]),
        (22, ["name  state", "    further", "m1    on", "    a = 1, b = 2"]),
        (15, ["name  state", "    further", "m1    on", "    a = 1,", "    b = 2"]),
        (10, ["name: m1", "  state = on", "  further: a = 1,", "           b = 2"]),
        (None, ["name  state  further", "m1    on     a = 1, b = 2"]),
    ],
)
def test_a_table_takes_the_layout_that_fits(width: int | None, told: list[str]) -> None:
    stream = io.StringIO()
    Page(stream, width).table(["name", "state", "further"], [["m1", "on", ["a = 1,", "b = 2"]]])
    assert stream.getvalue().splitlines() == told


def test_a_long_last_cell_fills_lines_beside_the_others() -> None:
    stream = io.StringIO()
    Page(stream, 50).table(["name", "last"], [["m1", listed(f"piece-{number}" for number in range(6))]])
    assert stream.getvalue().splitlines() == [
        "name  last",
        "m1    piece-0, piece-1, piece-2, piece-3, piece-4,",
        "      piece-5",
    ]


def test_without_a_terminal_one_wide_cell_moves_its_own_row_alone() -> None:
    stream = io.StringIO()
    Page(stream).table(["name", "last"], [["x" * 10_000, ["y"]], *([["short", ["y"]]] * 100)])
    lines = stream.getvalue().splitlines()
    assert (len(lines[1]), max(map(len, lines[2:]))) == (10_002, 63)


# Numbers


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (999_999, "999999"),
        (1_048_576, "1048576"),
        (50.0, "50"),
        (0.075, "0.075"),
        (1e-05, "0.00001"),
        (1.5e-07, "0.00000015"),
        (1e22, "10000000000000000000000"),
        (0.1 + 0.2, "0.30000000000000004"),
        (0.0, "0"),
        (-1.5, "-1.5"),
        (float("inf"), "inf"),
        (True, "true"),
        (None, "-"),
        ("", '""'),
        (["a", 1.0, {"b": 0.5}], "[a, 1, { b = 0.5 }]"),
        ({}, "{}"),
    ],
)
def test_a_number_has_all_its_digits(value: Any, told: str) -> None:
    assert text_of(as_data(value)) == told


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_shown_is_that_number(number: float) -> None:
    assert float(text_of(as_data(number))) == number


def test_a_number_of_thousands_of_digits_is_shown_too() -> None:
    huge = 1 << 40_000
    assert text_of(as_data(huge)) == hex(huge)


# Lines


@pytest.mark.parametrize("name", ["::error::x", "  ::error::x", "\t::error::x"])
def test_no_name_at_the_beginning_of_a_line_is_a_command_to_a_runner(name: str) -> None:
    stream = io.StringIO()
    page = Page(stream)
    page.line(name)
    page.table([name, "last"], [[name, []], [name, [name]]])
    page.flow([name, name])
    page.entry(name, [name])
    for line in stream.getvalue().splitlines():
        assert not line.lstrip().startswith("::")


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        (["a", "", "b\nc", "d\n"], "ab\ncd\n"),
        (["a\n\n", "b"], "a\n\nb\n"),
        ([":", ":error::x\n:", ":x"], "\\x3a:error::x\n\\x3a:x\n"),
        (["", ""], ""),
        ([], ""),
    ],
)
def test_a_text_in_pieces_is_written_by_whole_lines(pieces: list[str], written: str) -> None:
    stream = io.StringIO()
    Page(stream).text(pieces)
    assert stream.getvalue() == written


def test_a_terminal_shows_each_piece_of_a_text_at_once() -> None:
    stream = io.StringIO()
    shown = []

    def answer() -> Iterator[str]:
        for piece in ("a", "b\n", "c"):
            yield piece
            shown.append(stream.getvalue())

    Page(stream, 80).text(answer())
    assert [*shown, stream.getvalue()] == ["a", "ab\n", "ab\nc", "ab\nc\n"]


def test_a_page_of_a_stream_that_is_closed_is_seen_by_nobody() -> None:
    Page.of(None).line("unseen")


COMMANDS = [
    ["show"],
    ["show", "--json"],
    *(["show", str(listing)] for listing in LISTINGS),
    ["env"],
    ["env", "--json"],
    ["env", "--example"],
    ["explain", "deck"],
    ["explain", "backends", "--json"],
    ["explain", "alias \x1b[31m"],
    *(pytest.param(["explain", odd], marks=pytest.mark.slow) for odd in ODD_NAMES),
    ["check"],
    ["check", "--credentials"],
    ["check", "--format", "json"],
    ["check", "--format", "github"],
    ["catalogue", "--against", "genai-prices"],
    ["catalogue", "--against", "genai-prices", "--json"],
    ["catalogue", "--against", "x\n::error::injected\x1b[31m"],
    ["ask", "p", "x\n::error::injected\x1b[31m", "--dry-run"],
    ["ask", "x\n::error::injected\x1b[31m", "Why?"],
    ["diff", "development", "production"],
    ["diff", "development", "x\n::error::injected\x1b[31m"],
    ["diff", "--profile", "all", "\u202enope"],
    ["show", "--backend", "\x1b[31m\n::error::injected"],
    ["show", "x\n::error::injected\x1b[31m"],
    ["x\n::error::injected\x1b[31m"],
    ["show", "--x\n::error::injected\x1b[31m"],
    ["--x\n::error::injected\x1b[31m"],
    ["check", "--format", "x\n::error::injected\x1b[31m\udc80"],
    ["check", "--settings-dir", "x\n::error::injected\x1b[31m"],
]
FAULTY = {
    "settings.toml": """
        [default.cogt.inference_config]
        use_packaged_settings = false
        [default.cogt.backends."x\\n::error::injected\\u001b[2J"]
        [default.cogt.deck.aliases]
        "a\\u009b31m\\u202egnp\\n::error::injected" = "nope\\n::error::injected"
        [default.cogt.routing]
        active = "\\u202e\\n::error::injected"
    """
}


@pytest.mark.parametrize("command", COMMANDS, ids=ascii)
@pytest.mark.parametrize("files", [odd_tree(), {**MINIMAL, **FAULTY}], ids=["sound", "faulty"])
def test_no_command_prints_what_a_terminal_or_a_runner_obeys(
    write_tree: WriteTree, folder: Path, files: dict[str, str], command: list[str]
) -> None:
    assert folder.is_dir()
    write_tree(files)
    result = CliRunner().invoke(app, command)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.output
    assert CONTROLS.findall(result.output) == []
    own = ("::error ", "::warning ")
    obeyed = [line for line in result.output.splitlines() if re.match(r"\s*::", line)]
    assert [line for line in obeyed if command[-1] != "github" or not line.startswith(own)] == []
    assert re.search(r"##(\[|vso\[)", result.output) is None


def test_the_data_hold_every_character_as_it_is(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    write_tree(odd_tree())
    data = json.loads(CliRunner().invoke(app, ["show", "aliases", "--json"]).stdout)
    assert {f"alias {odd}" for odd in ODD_NAMES} <= {*data}


# A terminal


def on_terminal(*arguments: str, columns: int, environ: Mapping[str, str]) -> str:
    """What a terminal of so many columns is given."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    script = "import os, sys; from pipelex_cogt.cli import main; sys.argv[0] = 'pipelex-cogt'; main()"
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=clean_environ(environ)) as process:
        os.close(theirs)
        chunks = []
        # Reading from a terminal that nobody writes to any more is an error on Linux.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65_536):
                chunks.append(chunk)
        process.wait()
    os.close(ours)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def in_pipe(*arguments: str, environ: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "pipelex_cogt", *arguments]
    return subprocess.run(command, env=clean_environ(environ), capture_output=True, check=False).stdout.decode()


def clean_environ(more: Mapping[str, str]) -> dict[str, str]:
    unwanted = ("PIPELEX_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "GITHUB_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**inherited, "TERM": "xterm-256color", **more}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", [("show",), ("show", "models"), ("explain", "smart"), ("env",), ("check",)])
def test_a_terminal_is_given_every_value_in_one_piece(folder: Path, columns: int, command: tuple[str, ...]) -> None:
    assert folder.is_dir()
    as_json = ["--format", "json"] if command == ("check",) else ["--json"]
    data = json.loads(in_pipe(*command, *as_json, environ={}))
    text = on_terminal(*command, columns=columns, environ={})
    assert ANSI.search(text)
    assert not_whole({*values_in(data)}, ANSI.sub("", text)) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
@pytest.mark.parametrize(
    ("environ", "is_coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_a_terminal_has_colours_unless_somebody_wants_none(
    folder: Path, environ: dict[str, str], *, is_coloured: bool
) -> None:
    assert folder.is_dir()
    assert bool(ANSI.search(on_terminal("show", columns=80, environ=environ))) is is_coloured


@pytest.mark.slow
@pytest.mark.parametrize(("environ", "is_coloured"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_a_pipe_has_no_colours_unless_somebody_wants_them(
    folder: Path, environ: dict[str, str], *, is_coloured: bool
) -> None:
    assert folder.is_dir()
    assert bool(ANSI.search(in_pipe("show", environ=environ))) is is_coloured


@pytest.mark.slow
def test_a_pipe_is_not_wrapped_whatever_the_width_of_the_terminal_around_it(folder: Path) -> None:
    assert folder.is_dir()
    narrow, wide = (in_pipe("show", "models", environ={"COLUMNS": columns}) for columns in ("40", "200"))
    assert narrow == wide
    assert max(map(len, narrow.splitlines())) > 100


@pytest.mark.slow
def test_a_character_that_the_encoding_lacks_is_written_as_an_escape(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    write_tree({**MINIMAL, "deck/z.toml": "[aliases]\n'größe' = 'm1'\n"})
    assert "gr\\xf6\\xdfe" in in_pipe("show", "aliases", environ={"PYTHONIOENCODING": "ascii"})
