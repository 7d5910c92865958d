"""Strangers: whether somebody else may have put settings where they are looked for.

Settings that are named, by the code or by a variable, are read wherever they lie. Those that are found by looking lie
in whatever folder a process is started in, and where that is a stranger's, they would send the user's keys to the
stranger's endpoint. git's `safe.directory` is the model.

A stranger is anybody but the user of the process, root, and whoever called sudo. The members of a group are none: with
a umask of 002, as Debian has it, the group of a user may write whatever the user makes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path

_ROOT = 0
_CALLER_OF_SUDO = "SUDO_UID"


def refuse_strangers(paths: Iterable[Path], hint: str, process: Environ, report: ProblemReport) -> None:
    """Note the first of several paths, found by looking, that a stranger owns or may write.

    Args:
        paths: Folders and files that are about to be read.
        hint: How to have them read all the same.
        process: The process's environment.
        report: Where it is noted.
    """
    trusted = _trusted(process)
    for path in paths:
        fault = _fault_of(path, trusted)
        if fault is not None:
            report.error((), f"found by looking, and not read: {fault}", hint, Place(display_path(path)))
            return


def _fault_of(path: Path, trusted: frozenset[str]) -> str | None:
    """Which stranger can have changed what lies at a path; None where none can."""
    # What cannot be looked at is told by whoever reads it.
    with suppress(OSError):
        found = path.stat()
        if str(found.st_uid) not in trusted:
            return f"it belongs to another user ({found.st_uid})"
        # In a sticky folder, as `/tmp`, nobody replaces what is another's.
        is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
        if found.st_mode & stat.S_IWOTH and not is_sticky:
            return "anybody may write it"
    return None


def _trusted(process: Environ) -> frozenset[str]:
    """The numbers of the users that are no strangers."""
    user = os.geteuid()
    # Only root can tell by this variable who has become root: anybody else may have set it.
    caller = process.get(_CALLER_OF_SUDO, "") if user == _ROOT else ""
    return frozenset((str(_ROOT), str(user), caller))
