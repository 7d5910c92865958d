"""The cost log: what an application has spent so far, by preset, model and backend.

log = CostLog()
log.add(llm, response)                       # what deck.resolve returned, and what the SDK did
for row in log.rows():
    row.preset, row.model, row.backend, row.calls, row.usage.input, row.total
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import TypeAlias

from pipelex_cogt.model_backends.costs import Cost, add_exactly
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

_NO_TOKENS = Usage()


@dataclass(frozen=True, slots=True)
class CostRow:
    """What the calls of one preset to one model have come to.

    Attributes:
        preset: The preset, model or alias that was asked for.
        model: The name of the model that answered.
        backend: The backend that serves it.
        calls: How many calls.
        usage: Their tokens, added up.
        rated: What of them has a price, in US dollars: what they cost at least.
        unrated: What was used and has no price, by price name.
    """

    preset: str
    model: str
    backend: str
    calls: int = 0
    usage: Usage = _NO_TOKENS
    rated: Decimal = Decimal(0)
    unrated: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal | None:
        """What they cost, in US dollars; None where a part of it has no price."""
        return None if self.unrated else self.rated

    def and_more(self, calls: int, usage: Usage, rated: Decimal, unrated: Iterable[str]) -> CostRow:
        """The row with further calls added up."""
        return CostRow(
            self.preset,
            self.model,
            self.backend,
            self.calls + calls,
            self.usage + usage,
            add_exactly((self.rated, rated)),
            tuple(dict.fromkeys((*self.unrated, *unrated))),
        )


Key: TypeAlias = tuple[str, str, str]
"""Preset, model and backend of a row."""
# One for all logs, held for microseconds: no process that is forked meanwhile finds half of a row.
_lock = Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class CostLog:
    """A running log of costs. Threads may share it; it grows with what is called, not with how often.

    A process that is forked goes on with a copy of its own, and a pickle carries the rows: `update` takes back what a
    worker has spent.
    """

    def __init__(self, rows: Iterable[CostRow] = ()) -> None:
        """Begin with what was spent before."""
        self._rows: dict[Key, CostRow] = {}
        self.update(rows)

    def add(self, llm: ResolvedLLM, used: object, *, batch: bool = False, on: date | None = None) -> Cost:
        """Note one call.

        Args:
            llm: What was called.
            used: Its usage, or the answer that states it: whatever `Usage.of` reads.
            batch: Whether it is part of a batch.
            on: The day of the call (UTC); None for today.

        Returns:
            What the call costs.

        Raises:
            UsageError: The answer states no usage, or one that cannot be true.
        """
        usage = Usage.of(used)
        cost = llm.model.cost(usage, on, batch=batch)
        row = CostRow(llm.name, llm.model.name, llm.backend.name, 1, usage, cost.rated, cost.unrated)
        self.update([row])
        return cost

    def update(self, rows: Iterable[CostRow]) -> None:
        """Add up rows of another log, such as that of a worker."""
        for row in [*rows]:
            key = (row.preset, row.model, row.backend)
            with _lock:
                found = self._rows.get(key) or CostRow(*key)
                self._rows[key] = found.and_more(row.calls, row.usage, row.rated, row.unrated)

    def rows(self) -> tuple[CostRow, ...]:
        """The rows as they are now, in the order of their first call."""
        with _lock:
            return tuple(self._rows.values())

    @property
    def total(self) -> Decimal | None:
        """All of it, in US dollars; None where a part of it has no price."""
        rows = self.rows()
        return None if any(row.unrated for row in rows) else add_exactly(row.rated for row in rows)

    @property
    def rated(self) -> Decimal:
        """What of it has a price, in US dollars: what was spent at least."""
        return add_exactly(row.rated for row in self.rows())

    def __len__(self) -> int:
        return len(self.rows())

    def __repr__(self) -> str:
        rows = self.rows()
        return f"{type(self).__name__}({sum(row.calls for row in rows)} calls, {len(rows)} rows)"

    def __reduce__(self) -> tuple[type[CostLog], tuple[tuple[CostRow, ...]]]:
        return CostLog, (self.rows(),)
