"""Whether a backend can be called: its state, and whether its key is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, good, listed
from pipelex_cogt.model_backends.backend import InferenceBackend

ENABLED = "enabled"
DISABLED = "disabled"
THERE = "there"
MISSING = "missing"
UNUSABLE = "unusable"
NONE_STATED = "none stated"
SEE_CHECK = "see `check --credentials`"
"""Where all is told that a load says of missing credentials, and of everything else."""
_COLOURS = {THERE: good, UNUSABLE: bad}


def describe_state(backend: InferenceBackend) -> str:
    """Whether a backend is used: a switch says so, or a missing credential."""
    if backend.missing_variables:
        return "left out"
    return ENABLED if backend.enabled else DISABLED


def describe_key(backend: InferenceBackend) -> dict[str, Any]:
    """Whether what a backend references is there, and what is not, as data."""
    missing = [*backend.missing()]
    if missing:
        return {"key": MISSING, "missing": missing}
    if not backend.is_ready:
        return {"key": UNUSABLE}
    return {"key": NONE_STATED if backend.stated_api_key is None else THERE}


def key_pieces(key: str, missing: Iterable[str] = ()) -> list[Piece]:
    """What `describe_key` found, in the colour of it."""
    names = [*map(bad, missing)]
    if names:
        return [bad(f"{key}:"), *listed(names)]
    return [_COLOURS.get(key, Piece)(key)]


def print_refusal(page: Page) -> None:
    """Print that an application's load is refused while keys are missing."""
    page.line(bad("a load is refused:"), SEE_CHECK)
