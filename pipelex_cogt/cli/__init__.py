"""The command `pipelex-cogt`; its libraries come with the extra `cli`."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line, or say how to install what it needs."""
    if not all(map(find_spec, ("typer", "rich"))):
        sys.exit("the command line needs the extra 'cli': pip install 'pipelex-cogt[cli]'")
    from pipelex_cogt.cli.app import app

    try:
        app()
    except OSError as error:
        # What waits to be written would be tried again at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"stopped by the system: {error.strerror}")
