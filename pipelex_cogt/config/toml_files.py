"""TOML files: finding them, and reading them strictly, so that every failure becomes a problem that names the file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place, SourceFile
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table

LOCAL_SUFFIX = ".local.toml"
_IN_OTHER_WORDS = {r"Illegal character '\n'": "a string is not closed on its line"}
# Where the parser stopped, at the end of its message. Literal text around one run of digits.
_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlDocument(NamedTuple):
    """What a TOML file states, and the file that it came from."""

    table: Table
    file: SourceFile


def display_path(path: Path) -> str:
    """A path as people write it: relative to the working directory where it lies below it."""
    working_directory = Path.cwd()
    return str(path.relative_to(working_directory) if path.is_relative_to(working_directory) else path)


def warn_if_others_read(path: Path, report: ProblemReport) -> None:
    """Warn of a file with secrets that other users of the machine can read."""
    if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        shown = display_path(path)
        report.warning((), "other users can read this file with secrets", f"chmod 600 {shown}", Place(shown))


def is_local(path: Path) -> bool:
    """Whether a file holds one person's own changes to the file beside it."""
    return path.name.endswith(LOCAL_SUFFIX)


def find_toml_files(
    directory: Path, *, is_recursive: bool, on_error: Callable[[OSError], object] | None = None
) -> list[Path]:
    """The TOML files of a directory, sorted by path as text; `on_error` hears of folders that cannot be read."""
    found: list[str] = []
    for root, folders, names in os.walk(directory, onerror=on_error):
        # A folder called `x.toml` is listed too, so that reading it says what is wrong.
        found += (os.path.join(root, name) for name in [*names, *folders] if _is_settings(name))
        # os.walk goes into the folders that are left in its list.
        folders[:] = [folder for folder in folders if is_recursive and not folder.startswith(".")]
    return [Path(path) for path in sorted(found)]


def _is_settings(name: str) -> bool:
    """Whether a file is one of the person's own, rather than what an editor or a file system leaves beside it."""
    return name.endswith(".toml") and not name.startswith((".#", "._")) and name != LOCAL_SUFFIX


def read_toml_file(path: Path, prefix: KeyPath, report: ProblemReport) -> TomlDocument | None:
    """Read one TOML file.

    Args:
        path: The file.
        prefix: The key path in the tree of what the file states.
        report: Where a failure is noted.

    Returns:
        What the file states, or None when it could not be read.
    """
    name, line = display_path(path), None
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        return TomlDocument(tomllib.loads(text), SourceFile.of(path, name, content))
    except FileNotFoundError:
        problem = "expected a TOML file, found nothing here"
    except IsADirectoryError:
        problem = "expected a TOML file, found a directory"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}"
    except tomllib.TOMLDecodeError as error:
        problem, line = _explain_syntax(str(error), text)
    except (ValueError, RecursionError):
        problem = "not valid TOML: a number too long or tables too deep to read"
    report.unreadable(prefix, problem, Place(name, line))
    return None


def _explain_syntax(message: str, text: str) -> tuple[str, int]:
    """The parser's message in our words, and its line."""
    position = _POSITION.search(message)
    line = int(position[1]) if position and position[1] else text.count("\n") + 1
    problem = _POSITION.sub("", message)
    return f"not valid TOML: {_IN_OTHER_WORDS.get(problem, problem)}", line
