"""TOML files: finding them, naming them for people, and reading them strictly, so that each failure names its file."""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.bounds import TOO_DEEP, TOO_LARGE, cut_excesses, line_of_deep_key
from pipelex_cogt.config.key_paths import ROOT, KeyPath
from pipelex_cogt.config.layers import Place, SourceFile
from pipelex_cogt.config.parsed_texts import table_of
from pipelex_cogt.config.regular_files import UnfitFileError, read_file
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table
from pipelex_cogt.config.toml_parser import parse_toml

LOCAL_SUFFIX = ".local.toml"
MAX_FOLDERS = 1_000
"""In how many folders TOML files are looked for."""
_SETTINGS_NAME = re.compile(r"(?!\.#|\._|\.local\.toml\Z).*\.toml", re.DOTALL)
"""A file of one's own, rather than what an editor (`.#x.toml`) or a file system (`._x.toml`) leaves beside it."""


class TomlDocument(NamedTuple):
    """What a TOML file states, and the file that it came from."""

    table: Table
    file: SourceFile


def working_directory() -> Path:
    """The working directory; where it was removed meanwhile, a path that leads to nothing."""
    try:
        return Path.cwd()
    except OSError:
        return Path()


def display_path(path: Path, packaged: Path | None = None) -> str:
    """A path as people write it: relative to the working directory where it lies below it.

    Args:
        path: The file or folder.
        packaged: The packaged settings directory, for a file of it: `packaged backends.toml`, wherever that is
            installed.
    """
    # Text, for `Path.relative_to` takes its time and every file of a load is named.
    directory, shown = str(packaged or working_directory()), str(path)
    below = "." if shown == directory else shown.removeprefix(os.path.join(directory, ""))
    if not below.isprintable():
        # A name may hold a line end, a terminal's control sequence, or bytes that are no text.
        below = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in below)
    return f"packaged {below}" if packaged else below


def warn_if_others_read(path: Path, report: ProblemReport) -> None:
    """Warn of a file with secrets that other users of the machine can read."""
    if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        shown = display_path(path)
        report.warning((), "other users can read this file with secrets", f"chmod 600 {shown}", Place(shown))


def is_local(path: Path) -> bool:
    """Whether a file holds one person's own changes to the file beside it."""
    return path.name.endswith(LOCAL_SUFFIX)


def local_path(path: Path) -> Path:
    """The file of one person's own changes that lies beside a file."""
    # As text, for the root of a file system has no name.
    return Path(str(path).removesuffix(".toml") + LOCAL_SUFFIX)


def find_toml_files(
    directory: Path, *, is_recursive: bool, on_error: Callable[[OSError], object] | None = None
) -> list[Path]:
    """The TOML files of a directory, sorted by path as text; `on_error` hears of folders that cannot be read.

    Of a directory with too many folders, as the root of a file system is, there are none.
    """
    found: list[str] = []
    walked = walk_folders(directory, is_recursive=is_recursive, on_error=on_error)
    for number, (root, folders, names) in enumerate(walked):
        if number == MAX_FOLDERS and on_error is not None:
            on_error(OSError(errno.EFBIG, f"more than {MAX_FOLDERS:,} folders lie in it", str(directory)))
        if number == MAX_FOLDERS:
            return []
        # A folder called `x.toml` is listed too, so that reading it says what is wrong.
        found += map(partial(os.path.join, root), filter(is_settings_name, [*names, *folders]))
    return [*map(Path, sorted(found))]


def is_settings_name(name: str) -> bool:
    """Whether a file of this name is read in a directory of TOML files."""
    return _SETTINGS_NAME.fullmatch(name) is not None


def walk_folders(
    directory: Path, *, is_recursive: bool, on_error: Callable[[OSError], object] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder of a directory with the folders and files in it; hidden folders are left out.

    Links are followed, each folder once: one that leads back to the directory or above it adds nothing.
    """
    seen: set[object] = set()
    # Links come last, so that a folder has its own name where it lies in the directory itself.
    waiting = deque([str(directory)])
    while waiting:
        for root, folders, names in os.walk(waiting.popleft(), onerror=on_error):
            if (identity := _identity(root)) in seen:
                folders.clear()
                continue
            seen.add(identity)
            yield root, [*folders], names
            # os.walk goes into the folders that are left in its list, and into no link.
            folders[:] = [folder for folder in folders if is_recursive and not folder.startswith(".")]
            links = sorted(filter(os.path.islink, map(partial(os.path.join, root), folders)))
            if links:
                seen.update(map(_identity, Path(os.path.realpath(directory)).parents))
                waiting += links


def _identity(folder: Path | str) -> object:
    """What tells a folder from every other, whichever way leads to it; its name where the system does not say."""
    try:
        status = Path(folder).stat()
    except OSError:
        return str(folder)
    return status.st_dev, status.st_ino


@lru_cache(maxsize=64)
def parse_once(text: str) -> Table:
    """What a text states, parsed when it is first met: for packaged files, which each load of a process reads.

    Parsing is more than half of a load of the catalogue, and of what a wheel carries parsed it is spared. Nobody may
    change the table, for all loads share it.
    """
    table = table_of(text)
    return parse_toml(text) if table is None else table


def read_toml_file(
    path: Path,
    prefix: KeyPath,
    report: ProblemReport,
    display: Callable[[Path], str] = display_path,
    parse: Callable[[str], Table] = parse_toml,
) -> TomlDocument | None:
    """Read one TOML file.

    Args:
        path: The file.
        prefix: The key path in the tree of what the file states; empty for a main file.
        report: Where a failure is noted.
        display: What writes the file's name for people.
        parse: What parses its text.

    Returns:
        What the file states, or None when it could not be read.
    """
    name, line, hint = display(path), None, None
    try:
        content = read_file(path)
        text = content.decode("utf-8-sig")
        # What ships is within the bounds; to look would cost every load a thirtieth.
        line = None if parse is parse_once else line_of_deep_key(text)
        if line is None:
            document = TomlDocument(parse(text), SourceFile.of(path, name, content))
            if parse is not parse_once:
                _note_excesses(document, prefix, report)
            return document
        problem = TOO_DEEP
    except UnfitFileError as error:
        problem = f"expected a TOML file, found {error.found}"
    except FileNotFoundError:
        problem = "expected a TOML file, found nothing here"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}"
    except tomllib.TOMLDecodeError as error:
        from pipelex_cogt.config.toml_syntax import find_fault  # imported here because most files are sound

        line, problem, hint = find_fault(str(error), text)
        problem = f"not valid TOML: {problem}"
    except ValueError:
        problem = TOO_LARGE
    except RecursionError:
        problem = TOO_DEEP
    report.unreadable(prefix, problem, Place(name, line), hint=hint)
    return None


def _note_excesses(document: TomlDocument, prefix: KeyPath, report: ProblemReport) -> None:
    """Note what a file states beyond the bounds; of a main file only what it states for us."""
    for excess in cut_excesses(document.table):
        keys = excess.path if prefix else excess.path[2:]
        if prefix or excess.path[1:2] == (ROOT,):
            told = excess._replace(path=(*prefix, *keys))
            report.error(told.shown_path, told.problem, place=document.file.place(excess.path))
