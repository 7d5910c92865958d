"""The words that the command line takes beside names: what `show` lists, how `check` writes.

They stand alone, so that the help of a command is shown without what a load needs.
"""

from __future__ import annotations

from enum import StrEnum


class Listing(StrEnum):
    """What `show` lists beyond its one screen."""

    MODELS = "models"
    BACKENDS = "backends"
    ALIASES = "aliases"
    PRESETS = "presets"


class OutputFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
