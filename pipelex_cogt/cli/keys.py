"""Whether a backend can be called: its state, and whether its key is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, good, listed
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.references import Reference, references_in
from pipelex_cogt.errors import CogtError
from pipelex_cogt.model_backends.backend import InferenceBackend

ENABLED = "enabled"
THERE = "there"
MISSING = "missing"
NONE_STATED = "none stated"


def describe_state(backend: InferenceBackend) -> str:
    """Whether a backend is used: a switch says so, or a missing credential."""
    if backend.missing_variables:
        return "left out"
    return ENABLED if backend.enabled else "disabled"


def describe_key(backend: InferenceBackend) -> dict[str, Any]:
    """Whether what a backend references is there, and what is not, as data."""
    missing = missing_references(backend)
    if missing:
        return {"key": MISSING, "missing": missing}
    return {"key": NONE_STATED if backend.stated_api_key is None else THERE}


def key_pieces(key: str, missing: Iterable[str] = ()) -> list[Piece]:
    """What `describe_key` found, in the colour of it."""
    names = [*map(bad, missing)]
    if names:
        return [bad(f"{key}:"), *listed(names)]
    return [good(key) if key == THERE else Piece(key)]


def print_refusals(problems: Iterable[str], page: Page) -> None:
    """Print why an application's load is refused while keys are missing."""
    for problem in problems:
        page.line(bad("a load is refused:"), problem)


def missing_references(backend: InferenceBackend) -> list[str]:
    """The references of a backend that nothing answers now, each once."""
    texts = (text for _, text in backend.referenced_settings())
    references = dict.fromkeys(reference for text in texts for reference in references_in(text))
    return [str(reference) for reference in references if not _is_answered(reference, backend.credentials)]


def _is_answered(reference: Reference, credentials: Credentials) -> bool:
    try:
        return reference.default is not None or any(map(credentials.source_of, reference.names))
    except CogtError:
        # A secret's file that cannot be used answers nothing.
        return False
