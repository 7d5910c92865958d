"""TOML files: finding them, and reading them strictly, so that every failure becomes a problem that names the file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place, SourceFile
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table

LOCAL_SUFFIX = ".local.toml"
_SETTINGS_NAME = re.compile(r"(?!\.#|\._|\.local\.toml\Z).*\.toml", re.DOTALL)
"""A file of one's own, rather than what an editor (`.#x.toml`) or a file system (`._x.toml`) leaves beside it."""
_NO_FILE = {
    FileNotFoundError: "expected a TOML file, found nothing here",
    IsADirectoryError: "expected a TOML file, found a directory",
}


class TomlDocument(NamedTuple):
    """What a TOML file states, and the file that it came from."""

    table: Table
    file: SourceFile


def display_path(path: Path) -> str:
    """A path as people write it: relative to the working directory where it lies below it."""
    # Text, for `Path.relative_to` takes its time and every file of a load is named.
    working_directory, shown = str(Path.cwd()), str(path)
    return "." if shown == working_directory else shown.removeprefix(os.path.join(working_directory, ""))


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
        found += map(partial(os.path.join, root), filter(_SETTINGS_NAME.fullmatch, [*names, *folders]))
        if not is_recursive:
            break
        # os.walk goes into the folders that are left in its list.
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
    return [*map(Path, sorted(found))]


def read_toml_file(path: Path, prefix: KeyPath, report: ProblemReport) -> TomlDocument | None:
    """Read one TOML file.

    Args:
        path: The file.
        prefix: The key path in the tree of what the file states.
        report: Where a failure is noted.

    Returns:
        What the file states, or None when it could not be read.
    """
    name, line, hint = display_path(path), None, None
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        return TomlDocument(tomllib.loads(text), SourceFile.of(path, name, content))
    except OSError as error:
        problem = _NO_FILE.get(type(error), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}"
    except tomllib.TOMLDecodeError as error:
        from pipelex_cogt.config.toml_syntax import find_fault  # imported here because most files are sound

        line, problem, hint = find_fault(str(error), text)
        problem = f"not valid TOML: {problem}"
    except (ValueError, RecursionError):
        problem = "not valid TOML: a number too long or tables too deep to read"
    report.unreadable(prefix, problem, Place(name, line), hint=hint)
    return None
