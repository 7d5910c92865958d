"""Reading TOML files: strictly, and with every failure named by its file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelex_cogt import Severity
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import (
    display_path,
    find_toml_files,
    read_toml_file,
    walk_folders,
    working_directory,
)

Spoil = Callable[[Path], object]


def text(content: str) -> Spoil:
    return lambda path: path.write_text(content, encoding="utf-8")


def content(raw: bytes) -> Spoil:
    return lambda path: path.write_bytes(raw)


def endless_link(path: Path) -> None:
    path.symlink_to(path)


def file_above(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


def nothing(_path: Path) -> None:
    """Leave the file missing."""


@pytest.fixture
def path() -> Path:
    folder = Path("files")
    folder.mkdir()
    return Path.cwd() / folder / "some.toml"


def read_errors(path: Path) -> list[str]:
    report = ProblemReport()
    assert read_toml_file(path, ("routing",), report) is None
    return [str(problem) for problem in report.problems(Severity.ERROR)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(nothing, "files/some.toml  cogt.routing: expected a TOML file, found nothing here", id="missing"),
        pytest.param(
            Path.mkdir, "files/some.toml  cogt.routing: expected a TOML file, found a directory", id="directory"
        ),
        pytest.param(
            lambda path: path.symlink_to("gone"),
            "files/some.toml  cogt.routing: expected a TOML file, found nothing here",
            id="dangling link",
        ),
        pytest.param(
            endless_link,
            "files/some.toml  cogt.routing: cannot be read: Too many levels of symbolic links",
            id="endless link",
        ),
        pytest.param(
            file_above, "files/some.toml  cogt.routing: cannot be read: Not a directory", id="a file where a folder is"
        ),
        pytest.param(
            content(b"a = 1\nb = '\xe9'\n"),
            "files/some.toml:2  cogt.routing: expected UTF-8 text, found the byte 0xe9",
            id="latin-1",
        ),
        pytest.param(
            content("a = 1\n".encode("utf-16")),
            "files/some.toml:1  cogt.routing: expected UTF-8 text, found the byte 0xff",
            id="utf-16",
        ),
        pytest.param(
            text("a = 1\nb =\n"),
            (
                "files/some.toml:2  cogt.routing: not valid TOML: expected a value behind =;"
                " write one, or leave the key out"
            ),
            id="no value",
        ),
        pytest.param(
            text("a = 1\n\n[b"),
            "files/some.toml:3  cogt.routing: not valid TOML: the header is not closed; end it with ]",
            id="end of file",
        ),
        pytest.param(
            text("a = 1\na = 2\n"),
            "files/some.toml:2  cogt.routing: not valid TOML: a is stated twice, on lines 1 and 2; keep one of the two",
            id="stated twice",
        ),
        pytest.param(
            text("a = " + "9" * 5000),
            "files/some.toml  cogt.routing: expected an integer of at most 64 bits, got a larger one",
            id="endless number",
        ),
        pytest.param(
            text("a = " + "[" * 100_000),
            "files/some.toml  cogt.routing: expected at most 64 levels of tables and lists, got more",
            id="endless depth",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(path: Path, spoil: Spoil, message: str) -> None:
    spoil(path)
    assert read_errors(path) == [message]


def test_a_name_that_no_file_can_have_is_one_problem(path: Path) -> None:
    path.symlink_to("x" * 300)
    assert read_errors(path) == ["files/some.toml  cogt.routing: cannot be read: File name too long"]


def test_what_a_broken_file_would_have_stated_is_unknown(path: Path) -> None:
    report = ProblemReport()
    read_toml_file(path, ("models", "openai"), report)
    for place in (("models", "openai"), ("models",), ("models", "anthropic"), ("deck",)):
        report.warning(place, "judged", unless=[place])
    judged = [problem.path for problem in report.problems(Severity.WARNING)]
    assert judged == ["cogt.models.anthropic", "cogt.deck"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"a.b = 1\n", id="plain"),
        pytest.param(b"\xef\xbb\xbfa.b = 1\n", id="byte order mark"),
        pytest.param(b"[a]\r\nb = 1\r\n", id="CRLF"),
    ],
)
def test_what_is_read_is_what_is_stated(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    report = ProblemReport()
    document = read_toml_file(path, (), report)
    assert document is not None
    assert document.table == {"a": {"b": 1}}
    assert not report.problems(Severity.ERROR)


def test_an_empty_file_states_nothing(path: Path) -> None:
    path.write_text("")
    document = read_toml_file(path, (), ProblemReport())
    assert document is not None
    assert document.table == {}


def test_paths_below_the_working_directory_are_shown_relative() -> None:
    assert display_path(Path.cwd() / "settings" / "routing.toml") == str(Path("settings") / "routing.toml")


def test_other_paths_are_shown_whole(tmp_path: Path) -> None:
    assert display_path(tmp_path / "routing.toml") == str(tmp_path / "routing.toml")


def test_files_of_the_packaged_settings_are_shown_as_such(tmp_path: Path) -> None:
    assert display_path(tmp_path / "a" / "deck" / "x.toml", tmp_path / "a") == f"packaged {Path('deck/x.toml')}"
    assert display_path(Path.cwd() / "backends.toml", Path.cwd()) == "packaged backends.toml"


def test_folders_are_gone_through_once_each(tmp_path: Path) -> None:
    for name in ("a/x", "b/c/x", ".hidden/x"):
        path = tmp_path / "top" / name
        path.parent.mkdir(parents=True)
        path.touch()
    (tmp_path / "top" / "a" / "to-b").symlink_to("../b")
    (tmp_path / "top" / "up").symlink_to("..")
    roots = [Path(root) for root, _, _ in walk_folders(tmp_path / "top", is_recursive=True)]
    found = [root.relative_to(tmp_path).as_posix() for root in roots]
    assert sorted(found) == ["top", "top/a", "top/b", "top/b/c"]
    assert [root for root, _, _ in walk_folders(tmp_path / "top", is_recursive=False)] == [str(tmp_path / "top")]


def test_a_working_directory_that_was_removed_leads_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert working_directory() == Path()
    assert display_path(tmp_path / "x.toml") == str(tmp_path / "x.toml")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.toml", r"a\nb.toml"),
        ("\x1b[31m.toml", r"\x1b[31m.toml"),
        ("\udcff.toml", r"\udcff.toml"),
        ("é ü.toml", "é ü.toml"),
    ],
)
def test_a_name_that_cannot_be_printed_is_written_with_escapes(name: str, shown: str) -> None:
    assert display_path(Path.cwd() / name) == shown


def test_a_directory_of_too_many_folders_holds_no_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelex_cogt.config.toml_files.MAX_FOLDERS", 3)
    for name in ("a", "b"):
        (folder / "deck" / name).mkdir(parents=True)
        (folder / "deck" / name / "x.toml").touch()
    heard: list[OSError] = []
    assert len(find_toml_files(folder / "deck", is_recursive=True, on_error=heard.append)) == 2
    assert not heard
    (folder / "deck" / "c").mkdir()
    assert not find_toml_files(folder / "deck", is_recursive=True, on_error=heard.append)
    assert [(error.strerror, error.filename) for error in heard] == [
        ("more than 3 folders lie in it", str(folder / "deck"))
    ]
    assert not find_toml_files(folder / "deck", is_recursive=True)
