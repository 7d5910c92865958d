"""Reading TOML files strictly: every failure becomes a problem that names the file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place, Table
from pipelex_cogt.config.report import ProblemReport

_IN_OTHER_WORDS = {r"Illegal character '\n'": "a string is not closed on its line"}
_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def display_path(path: Path) -> str:
    """A path as people write it: relative to the working directory where it lies below it."""
    working_directory = Path.cwd()
    return str(path.relative_to(working_directory) if path.is_relative_to(working_directory) else path)


def warn_if_others_read(path: Path, report: ProblemReport) -> None:
    """Warn of a file with secrets that other users of the machine can read."""
    if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        shown = display_path(path)
        report.warning((), "other users can read this file with secrets", f"chmod 600 {shown}", Place(shown))


def read_toml_file(path: Path, prefix: KeyPath, report: ProblemReport) -> Table | None:
    """Read one TOML file.

    Args:
        path: The file.
        prefix: The key path in the tree of what the file states.
        report: Where a failure is noted.

    Returns:
        The file's table, or None when it could not be read.
    """
    problem, line = "", None
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
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
    report.unreadable(prefix, problem, Place(display_path(path), line))
    return None


def _explain_syntax(message: str, text: str) -> tuple[str, int]:
    position = _POSITION.search(message)
    line = int(position[1]) if position and position[1] else text.count("\n") + 1
    problem = _POSITION.sub("", message)
    return f"not valid TOML: {_IN_OTHER_WORDS.get(problem, problem)}", line
