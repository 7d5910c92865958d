"""Regular files: the one way in which the bytes of a file come in.

Whatever may lie where a file belongs, none keeps a load waiting or fills its memory: a named pipe waits for somebody to
write, a device never ends, and a file with holes is larger than any memory.

    content = read_file(path)
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MAX_FILE_BYTES = 16 * 1024 * 1024
"""How many bytes a file of settings may have."""
_LEAST_READ = 8192
"""How many bytes are asked for at a time, at least: some systems say of a file that it has none."""
# Opening a pipe would wait for somebody to write into it, and a terminal would take control of the process.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnfitFileError(OSError):
    """What lies where a regular file belongs cannot be one of settings.

    Attributes:
        found: What it is, in words.
    """

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The content of a regular file.

    Args:
        path: The file.
        limit: How many bytes it may have.

    Raises:
        UnfitFileError: It is no regular file, or has more bytes.
        OSError: It cannot be read.
    """
    if part := unfit_part(str(path)):
        raise OSError(errno.EINVAL, f"no path holds {part}")
    # Looked at before it is opened: to open some devices is to set them going.
    _expect_fit(path.stat(), limit)
    descriptor = os.open(path, _FLAGS)
    try:
        # Another may have taken its place since.
        status = os.fstat(descriptor)
        _expect_fit(status, limit)
        return _read(descriptor, max(status.st_size + 1, _LEAST_READ), limit)
    finally:
        os.close(descriptor)


def unfit_part(path: str) -> str | None:
    """What a text holds that no path can, in words; None where it may be one."""
    if "\0" in path:
        return "a NUL character"
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return "half a character"
    return None


def with_home(path: str) -> str:
    """A path with its `~` replaced, where there is such a home."""
    return path if unfit_part(path) else os.path.expanduser(path)


def _expect_fit(status: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnfitFileError(_KINDS.get(stat.S_IFMT(status.st_mode), "something else"))
    if status.st_size > limit:
        raise UnfitFileError(_more_than(limit))


def _read(descriptor: int, step: int, limit: int) -> bytes:
    """What a file holds to its end; it may grow meanwhile."""
    content = b""
    while more := os.read(descriptor, step):
        content += more
        if len(content) > limit:
            raise UnfitFileError(_more_than(limit))
    return content


def _more_than(limit: int) -> str:
    number, unit = (limit >> 20, "MiB") if limit >> 20 else (limit >> 10, "KiB")
    return f"one of more than {number} {unit}"
