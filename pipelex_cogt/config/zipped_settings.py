"""The packaged settings of a package that is imported from a zip file, where no path leads to a file."""

from __future__ import annotations

import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@cache
def unpacked_settings(package: str, name: str) -> Path | None:
    """A folder of a package that lies in a zip file, unpacked until the process ends.

    Args:
        package: The package.
        name: The folder's name.

    Returns:
        The folder; None where the package has none of that name.
    """
    # Imported here because nearly every package lies in a folder.
    import atexit
    import tempfile
    from importlib.resources import files

    packed = files(package) / name
    if not packed.is_dir():
        return None
    temporary = Path(tempfile.mkdtemp(prefix=f"{package}-"))
    atexit.register(partial(_remove, temporary, os.getpid()))
    _unpack(packed, temporary / name)
    return temporary / name


def _unpack(packed: Traversable, target: Path) -> None:
    target.mkdir()
    for each in packed.iterdir():
        if each.is_dir():
            _unpack(each, target / each.name)
        else:
            (target / each.name).write_bytes(each.read_bytes())


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, unless the process that ends was forked from the one that it belongs to."""
    import shutil

    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
