"""Building a Pydantic model from a table, noting every fault, and saving what is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Table
from pipelex_cogt.config.report import ProblemReport

M = TypeVar("M", bound=BaseModel)


def build_noting(
    model: type[M],
    table: Table,
    path: KeyPath,
    report: ProblemReport,
    *,
    known: Mapping[KeyPath, Iterable[str]],
    skips: Callable[[KeyPath], bool] = lambda _path: False,
) -> M | None:
    """Build a model; its faults are noted, and what is sound is built without the keys that have one.

    Args:
        model: The model.
        table: Its values.
        path: The key path of the table.
        report: Where faults are noted.
        known: The keys that exist, by the path of their table, for suggestions.
        skips: Says of which places in the table the faults are told elsewhere.

    Returns:
        The model, or None where a key that it needs is missing or has a fault.
    """
    try:
        return model.model_validate(table)
    except ValidationError as error:
        report.invalid(error, path, known, skips)
        faulty = {fault["loc"][0] for fault in error.errors(include_input=False) if fault["loc"]}
    try:
        return model.model_validate({key: value for key, value in table.items() if key not in faulty})
    except ValidationError:
        return None
