"""The corpus of broken trees in `reports/`: each file holds a small settings tree and its exact report.

A sentence that says what the case shows.
=== backends/a.toml             a file of the settings directory; it lies over the minimal tree
=== deck/b.toml (BOM, CRLF)     a file with a byte order mark, with carriage returns
=== ../.env                     a file beside the settings directory
=== [base]                      what lies below: `minimal` unless it says `packaged`
=== [env]                       the environment chosen in code
=== [environ]                   variables of the process, one on each line
=== [overrides]                 overrides given in code, as JSON
>>> errors                      or `warnings`, or `clean`; then the report, one problem on each line
"""

from __future__ import annotations

import json
import pickle
import re
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelex_cogt import ModelManager, Problem, SettingsError, Severity
from tests.conftest import MINIMAL, dedent

REPORTS = Path(__file__).parent / "reports"
SECRET = "canary"
_SHAPE = re.compile(r"(?P<place>[^ ]+?(:\d+)?)?(?(place)(  cogt\.|: )|cogt\.).*")


class Case(NamedTuple):
    """One broken tree with its report."""

    title: str
    files: dict[str, bytes]
    given: dict[str, str]
    outcome: str
    report: list[str]

    @property
    def environ(self) -> dict[str, str]:
        lines = self.given.get("environ", "").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def arguments(self) -> dict[str, Any]:
        """What is given to `ModelManager.load`."""
        return {
            "settings_dir": "settings",
            "env": self.given.get("env", "").strip() or None,
            "environ": self.environ,
            "overrides": json.loads(self.given.get("overrides", "{}")),
        }


def read_case(path: Path) -> Case:
    tree, _, told = path.read_text(encoding="utf-8").partition(">>> ")
    title, *sections = re.split(r"^=== ", tree, flags=re.MULTILINE)
    files: dict[str, bytes] = {}
    given: dict[str, str] = {}
    for section in sections:
        header, _, text = section.partition("\n")
        if header.startswith("["):
            given[header.strip("[]")] = text
        else:
            name, _, marks = header.partition(" ")
            files[name] = encoded(text, marks)
    outcome, *report = told.splitlines()
    return Case(title.strip(), files, given, outcome, report)


def encoded(text: str, marks: str) -> bytes:
    if "CRLF" in marks:
        text = text.replace("\n", "\r\n")
    return text.encode("utf-8-sig" if "BOM" in marks else "utf-8")


CASES = {path.stem: read_case(path) for path in sorted(REPORTS.glob("*.txt"))}
FAILING = {name: case for name, case in CASES.items() if case.outcome == "errors"}
SUCCEEDING = {name: case for name, case in CASES.items() if case.outcome != "errors"}


def cases(chosen: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in chosen.items()])


def write_case(case: Case, folder: Path) -> None:
    base = {} if case.given.get("base", "").strip() == "packaged" else MINIMAL
    files = {name: dedent(text).encode() for name, text in base.items()} | case.files
    for name, content in files.items():
        path = folder / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)


def load_broken(case: Case, folder: Path) -> SettingsError:
    write_case(case, folder)
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(**case.arguments)
    return caught.value


def told(problems: Iterable[Problem]) -> list[str]:
    """The problems as text, the folder of the test written as `TMP`."""
    return [str(problem).replace(str(Path.cwd().parent), "TMP") for problem in problems]


@cases(FAILING)
def test_every_problem_of_a_broken_tree_is_told_and_nothing_else(case: Case, folder: Path) -> None:
    assert told(load_broken(case, folder).problems) == case.report


@cases(SUCCEEDING)
def test_every_warning_of_a_tree_that_loads_is_told_and_nothing_else(case: Case, folder: Path) -> None:
    write_case(case, folder)
    warnings = ModelManager.load(**case.arguments).warnings
    assert told(warnings) == case.report
    assert {warning.severity for warning in warnings} <= {Severity.WARNING}


@pytest.mark.slow
@cases(FAILING)
def test_the_text_of_the_error_is_the_whole_report(case: Case, folder: Path) -> None:
    error = load_broken(case, folder)
    heading, *lines = str(error).split("\n")
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    assert heading.startswith(f"{count} in the ")
    assert lines == [f"  {problem}" for problem in error.problems]


@pytest.mark.slow
@cases(FAILING)
def test_the_error_is_a_group_of_errors_that_survives_pickling(case: Case, folder: Path) -> None:
    error = load_broken(case, folder)
    assert isinstance(error, ExceptionGroup)
    assert {problem.severity for problem in error.problems} == {Severity.ERROR}
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.problems, str(copied)) == (error.problems, str(error))


@pytest.mark.slow
@cases(FAILING)
def test_a_plain_traceback_holds_the_whole_report(case: Case, folder: Path) -> None:
    error = load_broken(case, folder)
    assert str(error) in "".join(traceback.format_exception(error)).replace("\n  | ", "\n")


def test_a_plain_traceback_is_not_cut_short_however_many_problems_there_are(folder: Path) -> None:
    names = [f"model-{number}" for number in range(40)]
    models = "".join(f"[{name}]\nmax_tokens = 'x'\n" for name in names)
    error = load_broken(Case("", {"backends/a.local.toml": models.encode()}, {}, "", []), folder)
    printed = "".join(traceback.format_exception(error))
    assert [name for name in names if f"cogt.models.a.{name}.max_tokens: expected an integer" not in printed] == []


@pytest.mark.slow
@cases(FAILING)
def test_no_report_shows_a_secret(case: Case, folder: Path) -> None:
    error = load_broken(case, folder)
    assert SECRET not in f"{error}{error!r}{error.problems}"


@cases(CASES)
def test_every_expected_line_has_the_one_shape(case: Case) -> None:
    assert [line for line in case.report if not _SHAPE.fullmatch(line)] == []


@cases(CASES)
def test_every_case_says_what_it_shows(case: Case) -> None:
    assert case.title.endswith(".")
    assert case.outcome in ("errors", "warnings", "clean")
    assert bool(case.report) is (case.outcome != "clean")


def test_the_corpus_is_large_and_holds_trees_with_many_faults() -> None:
    assert len(CASES) >= 60
    broken_in_many_files = [
        case
        for case in FAILING.values()
        if len(case.report) >= 5 and len({line.partition("  cogt")[0].partition(":")[0] for line in case.report}) >= 3
    ]
    assert len(broken_in_many_files) >= 12
