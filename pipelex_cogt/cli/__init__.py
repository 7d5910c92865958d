"""The command `pipelex-cogt`; its libraries come with the extra `cli`."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line, or say how to install what it needs."""
    if not all(map(find_spec, ("typer", "rich"))):
        sys.exit("the command line needs the extra 'cli': pip install 'pipelex-cogt[cli]'")
    from pipelex_cogt.cli.app import app

    app()
