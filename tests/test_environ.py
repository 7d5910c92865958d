"""The environment: the process's variables over those of `.env`, none of which can be listed; how a `.env` is read."""

import copy
import json
import pickle
from collections.abc import Callable, Iterable, Mapping, Sized
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from dotenv.variables import Variable, parse_variables
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.environ import Environ, Variables, _bindings, _parts, read_dotenv
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Severity
from tests.conftest import Load

CANARY = "canary-4711"


@pytest.mark.parametrize(
    ("process", "dotenv", "value"),
    [
        ({"A": "1"}, {"A": "2"}, "1"),
        ({"A": ""}, {"A": "2"}, "2"),
        ({}, {"A": "2"}, "2"),
        ({"A": ""}, {"A": ""}, None),
        ({"A": " \t\n"}, {"A": "2"}, "2"),
        ({"A": " "}, {"A": "\n"}, None),
        ({"A": " 1 "}, {"A": "2"}, " 1 "),
        ({}, {}, None),
    ],
)
def test_the_process_stands_over_dotenv(process: dict[str, str], dotenv: dict[str, str], value: str | None) -> None:
    assert Environ(process, dotenv).get("A") == value


def test_an_environment_answers_for_names() -> None:
    environment = Environ({"A": "1", "EMPTY": ""}, {"B": "2", "A": "3"})
    assert environment.names() == ["B", "A"]
    assert (environment["A"], environment["B"], environment.get("EMPTY", "x")) == ("1", "2", "x")
    assert "A" in environment
    assert "EMPTY" not in environment
    with pytest.raises(KeyError):
        _ = environment["EMPTY"]


def test_what_the_callers_mapping_holds_beside_text_breaks_nothing() -> None:
    values: dict[str, Any] = {"A": None, "B": "2"}
    assert (Variables(values).names(), Variables(values).get("A")) == (["B"], None)


def test_an_environment_has_its_two_parts() -> None:
    environment = Environ({"A": "1"}, {"A": "2", "B": "2"})
    assert (environment.process.names(), environment.dotenv.names()) == (["A"], ["A", "B"])
    assert (environment.process.get("A"), environment.dotenv.get("A")) == ("1", "2")


WAYS_TO_LIST: dict[str, Callable[[Any], object]] = {
    "dict": dict,
    "list": list,
    "iter": iter,
    "len": len,
    "json": json.dumps,
    "unpacking": lambda value: {**value},
    "vars": vars,
}


@pytest.mark.parametrize("way", WAYS_TO_LIST.values(), ids=WAYS_TO_LIST)
@pytest.mark.parametrize("part", [Environ({"A": CANARY}), Variables({"A": CANARY})], ids=["environment", "variables"])
def test_nobody_lists_an_environment(part: Variables, way: Callable[[Any], object]) -> None:
    assert not isinstance(part, Mapping | Iterable | Sized)
    with pytest.raises(TypeError):
        way(part)


def test_no_attribute_of_an_environment_holds_a_value() -> None:
    waiting: list[Any] = [Environ({"A": CANARY}, {"B": CANARY})]
    for _ in range(4):
        # Of a function what it is, as nobody who lists attributes calls it.
        waiting = [getattr(value, name, None) for value in waiting for name in dir(value) if not name.startswith("__")]
        assert CANARY not in repr(waiting)


def test_an_environment_may_be_copied_and_travels_without_its_values() -> None:
    environment = Environ({"A": CANARY}, {"B": CANARY})
    assert copy.copy(environment)["B"] == copy.deepcopy(environment)["B"] == CANARY
    assert CANARY.encode() not in pickle.dumps(environment)
    assert pickle.loads(pickle.dumps(environment)).get("B") is None
    with pytest.raises(TypeError):
        pickle.dumps(environment.process)


def test_an_environments_repr_holds_no_value() -> None:
    environment = Environ({"A": CANARY}, {"B": CANARY})
    assert [repr(environment), repr(environment.process)] == ["Environ(2 variables)", "Variables(1 variables)"]


def test_the_processs_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "1")
    environment = Environ.of_process()
    monkeypatch.setenv("SOME_KEY", "2")
    assert environment["SOME_KEY"] == "2"
    assert Environ.of_process({}).get("SOME_KEY") is None


def read(text: str | bytes, **process: str) -> dict[str, str]:
    """What a `.env` with this text in the working directory says."""
    values, _ = read_and_report(text, **process)
    return values


def read_and_report(text: str | bytes, **process: str) -> tuple[dict[str, str], list[str]]:
    path, report = Path.cwd() / ".env", ProblemReport()
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    found = read_dotenv(path, Variables(process), report)
    problems = [str(problem) for severity in Severity for problem in report.problems(severity)]
    return {name: found[name] for name in found.names()}, problems


def test_dotenv_is_read_as_people_write_it() -> None:
    lines = ["# a comment", "export A=1", "B='two words'", 'C="3"', "D=${A}", "E=", "F", "G = 7 # note", ""]
    text = b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
    assert read(text) == {"A": "1", "B": "two words", "C": "3", "D": "1", "G": "7"}


def test_a_dotenv_that_is_not_text_is_an_error() -> None:
    assert read_and_report(b"A=\xe9\n") == ({}, [".env: expected UTF-8 text"])


def test_a_line_of_dotenv_that_says_nothing_is_a_warning() -> None:
    found = read_and_report("A=1\n\nPIPELEX_ENV production\nB=2\n")
    assert found == ({"A": "1", "B": "2"}, [".env:3: not read: expected NAME=value"])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("URL=http://${HOST}:11434/v1", "http://box.example:11434/v1", id="unquoted"),
        pytest.param('URL="http://${HOST}"', "http://box.example", id="double quotes"),
        pytest.param("URL='http://${HOST}'", "http://${HOST}", id="single quotes"),
        pytest.param("  export URL = '${HOST}'  # note", "${HOST}", id="single quotes after spaces"),
        pytest.param("'URL'='${HOST}'", "${HOST}", id="quoted name"),
        pytest.param("\n\nURL='${HOST}'", "${HOST}", id="below empty lines"),
        pytest.param("URL=it's ${HOST}", "it's box.example", id="a quote inside"),
        pytest.param("URL=$HOST", "$HOST", id="without braces"),
        pytest.param("URL=${NOPE:-here}/${HOST:-there}", "here/box.example", id="default"),
        pytest.param("URL=${NOPE:-}x", "x", id="empty default"),
        pytest.param("URL=${EMPTY:-x}y", "y", id="empty above is set"),
        pytest.param("URL=${ALIAS}${ALIAS}", "box.examplebox.example", id="of a value with a reference"),
        pytest.param("URL=${LITERAL}", "${HOST}", id="what it yields is not looked at again"),
        pytest.param("URL=${secret:HOST}", "${secret:HOST}", id="another prefix"),
        pytest.param("URL=${HOST", "${HOST", id="unclosed"),
        pytest.param("URL=a\nURL=${URL}b", "ab", id="of itself"),
    ],
)
def test_a_reference_in_dotenv_is_answered_by_what_stands_above(line: str, value: str) -> None:
    above = "HOST=box.example\nEMPTY=\nALIAS=${HOST}\nLITERAL='${HOST}'\n"
    values, problems = read_and_report(above + line)
    assert (values["URL"], problems) == (value, [])


def test_a_reference_in_dotenv_is_answered_by_the_process_first() -> None:
    text = "HOST=of-dotenv\nURL=http://${HOST}/${PART:-x}/${EMPTY:-y}"
    assert read(text, HOST="of-process", PART="p", EMPTY="")["URL"] == "http://of-process/p/y"


def test_only_the_given_environment_answers_a_reference_in_dotenv(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "of-the-machine")
    Path(".env").write_text("A_KEY=${HOST:-nobody}\n")
    keys = [load(environ=environ).backends["a"].api_key for environ in ({}, {"HOST": "given"}, None)]
    assert [key and key.get_secret_value() for key in keys] == ["nobody", "given", "of-the-machine"]


def test_a_reference_in_dotenv_that_nothing_answers_is_a_warning() -> None:
    hint = "single quotes keep such text as it is"
    problem = "URL: nothing stands for ${HOST}, which neither the process nor a line above sets"
    assert read_and_report("A=1\n\nURL=http://${HOST}/v1\nHOST=x") == (
        {"A": "1", "URL": "http:///v1", "HOST": "x"},
        [f".env:3: {problem}; {hint}"],
    )


def test_a_reference_in_a_setting_of_dotenv_is_left_for_the_secrets_directory(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a_secret").write_text("of the directory")
    Path(".env").write_text("HOST=h\nPIPELEX_COGT__BACKENDS__A__API_KEY=${a_secret}-${HOST}\n")
    manager = load(environ={"PIPELEX_SECRETS_DIR": str(tmp_path)})
    key = manager.backends["a"].api_key
    assert key is not None
    assert key.get_secret_value() == "of the directory-h"
    assert not [warning for warning in manager.warnings if "nothing stands" in str(warning)]


PIECES = [
    "A",
    "export ",
    "export",
    "=",
    " = ",
    "'",
    '"',
    "#",
    " #",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "${A}",
    "é",
    "\x0b",
    "\x85",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_each_line_says_what_python_dotenv_says_it_does(text: str) -> None:
    found = [*_bindings(text)]
    assert [(each.key, each.value, each.error, each.original) for each in found] == [
        (each.key, each.value, each.error, each.original) for each in parse_stream(StringIO(text))
    ]


@given(st.lists(st.sampled_from(["${", "}", ":", "-", ":-", "a", "$", "\n"]), max_size=14).map("".join))
def test_variables_in_a_value_are_those_that_python_dotenv_finds(value: str) -> None:
    found = [part if isinstance(part, str) else tuple(part) for part in _parts(value)]
    assert [*filter(None, found)] == [
        (part.name, part.default) if isinstance(part, Variable) else part.resolve({}) for part in parse_variables(value)
    ]


def test_a_long_dotenv_is_read_at_once() -> None:
    long = 50_000
    blanks, opened = " " * long, "${" * long
    text = f"A=b{blanks}c\nB= b{blanks}\n export C = b{blanks}#\n'D'=b #{blanks}\nE={opened}\nF={'${A:' * long}}}\n"
    names = ["A", "B", "C", "D", "E", "F"]
    assert [(name, len(value)) for name, value in read(text).items()] == [
        *zip(names, [long + 2, 1, 1, 1, 2 * long, 4 * long + 1], strict=True)
    ]


NAMES = st.sampled_from(["A", "B", "C"])
PARTS = st.sampled_from(["${A}", "${B}", "${C:-d}", "${A:-}", "$A", "${", "}", "x", "-", "$${A}"])
VALUES = st.lists(PARTS, max_size=4).map("".join)


@given(st.lists(st.tuples(NAMES, VALUES, st.sampled_from(["", '"'])), max_size=6), st.dictionaries(NAMES, NAMES))
def test_dotenv_is_read_as_python_dotenv_reads_it(lines: list[tuple[str, str, str]], process: dict[str, str]) -> None:
    text = "".join(f"{name}={quote}{value}{quote}\n" for name, value, quote in lines)
    path = Path("property.env")
    path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        for name in "ABC":
            patch.delenv(name, raising=False)
        # What the process has wins over the file, as with `load_dotenv`; there it cannot be read without being set.
        known = dotenv_values(
            stream=StringIO(
                "".join(f"{name}={value}\n" for name, value in process.items())
                + "".join(
                    line
                    for line, (name, _, _) in zip(text.splitlines(keepends=True), lines, strict=True)
                    if name not in process
                )
            )
        )
    found = read_dotenv(path, Variables(process), ProblemReport())
    expected = {name: value for name, value in known.items() if value and value.strip() and name not in process}
    assert {name: found[name] for name in found.names() if name not in process} == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"A{each + 1}=${{A{each}}}${{A{each}}}\n" for each in range(60)), id="each line twice"),
        pytest.param(f"A1={'x' * 100_000}\nB={'${A1}' * 5000}\n", id="one value"),
    ],
)
def test_a_dotenv_that_grows_without_end_is_an_error(folder: Path, text: str) -> None:
    (folder / ".env").write_text("A0=0123456789\n" + text, encoding="utf-8")
    report = ProblemReport()
    assert not read_dotenv(folder / ".env", Variables({}), report).names()
    [problem] = report.problems(Severity.ERROR)
    assert problem.file == ".env"
    assert problem.line
    assert problem.problem.endswith("with what ${NAME} stands for, expected at most 16 MiB in the file, got more")
