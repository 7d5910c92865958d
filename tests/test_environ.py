"""The environment: the process's variables over those of `.env`, and how a `.env` is read."""

from pathlib import Path

import pytest

from pipelex_cogt.config.environ import Environ, read_dotenv
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Severity

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


def test_an_environment_behaves_like_a_mapping() -> None:
    environment = Environ({"A": "1", "EMPTY": ""}, {"B": "2", "A": "3"})
    assert dict(environment) == {"A": "1", "B": "2"}
    assert len(environment) == 2
    assert "EMPTY" not in environment


def test_an_environments_repr_holds_no_value() -> None:
    assert CANARY not in repr(Environ({"A": CANARY}, {"B": CANARY}))


def test_the_processs_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "1")
    environment = Environ.of_process()
    monkeypatch.setenv("SOME_KEY", "2")
    assert environment["SOME_KEY"] == "2"
    assert Environ.of_process({}).get("SOME_KEY") is None


def test_dotenv_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    lines = ["# a comment", "export A=1", "B='two words'", 'C="3"', "D=${A}", "E=", "F", "G = 7 # note", ""]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert read_dotenv(path, ProblemReport()) == {
        "A": "1",
        "B": "two words",
        "C": "3",
        "D": "${A}",
        "E": "",
        "G": "7",
    }


def test_a_dotenv_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path, report = tmp_path / ".env", ProblemReport()
    path.write_bytes(b"A=\xe9\n")
    assert read_dotenv(path, report) == {}
    assert [str(problem) for problem in report.problems(Severity.ERROR)] == [f"{path}: expected UTF-8 text"]


def test_a_line_of_dotenv_that_says_nothing_is_a_warning() -> None:
    path, report = Path.cwd() / ".env", ProblemReport()
    path.write_text("A=1\nPIPELEX_ENV production\nB=2\n")
    path.chmod(0o600)
    assert read_dotenv(path, report) == {"A": "1", "B": "2"}
    assert [*map(str, report.problems(Severity.WARNING))] == [".env:2: not read: expected NAME=value"]
