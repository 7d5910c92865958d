"""Clients: one for each backend and way to build it, for a client opens connections and takes its time to build.

Each object that stands for a backend has its own, even where two are equal: their credentials may come from elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from copy import copy
from dataclasses import replace
from inspect import iscoroutinefunction
from threading import RLock
from typing import Any
from weakref import finalize

from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_deck import ResolvedLLM


class Clients:
    """The clients of one SDK that this process has built, kept as long as their backends."""

    def __init__(self) -> None:
        self._clients: dict[int, dict[Hashable, Any]] = {}
        self._of_parent: list[Any] = []
        self._lock = RLock()
        # Two processes must not write to one connection.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_all)

    def get(self, backend: InferenceBackend, variant: Hashable, build: Callable[[], Any]) -> Any:
        """The client of a backend; it is built when it is first asked for.

        Args:
            backend: The backend.
            variant: What tells one client of a backend from another, such as its class.
            build: Builds one.
        """
        with self._lock:
            return _usable(self._known(backend), variant, build)

    def get_async(self, backend: InferenceBackend, variant: Hashable, build: Callable[[], Any]) -> Any:
        """The client of a backend for the event loop that is running: its connections belong to the loop.

        Outside a loop a new one is built each time.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return build()
        with self._lock:
            of_loops = self._known(backend).setdefault(("async", variant), {})
            # Connections hold on to their loop, so that no weak reference would ever let it go.
            for past in filter(_is_closed, [*of_loops]):
                _let_go(of_loops.pop(past))
            return _usable(of_loops, loop, build)

    def _known(self, backend: InferenceBackend) -> dict[Hashable, Any]:
        if id(backend) not in self._clients:
            self._clients[id(backend)] = {}
            finalize(backend, self._clients.pop, id(backend), None)
        return self._clients[id(backend)]

    def _forget_all(self) -> None:
        # They are kept all the same: whoever closes one may wait for a lock that no thread of this process holds.
        self._of_parent.extend(self._clients.values())
        self._clients = {}
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._clients)} backends)"


def apart(llm: ResolvedLLM) -> ResolvedLLM:
    """The same with a backend of its own, for what a client holds: a client is kept as long as its backend.

    One that held that backend would keep it, and so itself, for ever.
    """
    return replace(llm, backend=copy(llm.backend))


def _usable(clients: dict[Hashable, Any], key: Hashable, build: Callable[[], Any]) -> Any:
    """The client of a key, built where there is none, or where somebody has closed it: SDKs offer `with client:`."""
    if key not in clients or _is_closed(clients[key]):
        clients[key] = build()
    return clients[key]


def _let_go(client: Any) -> None:
    """Close a client whose loop is over, as far as that goes without the loop.

    One that is not closed closes itself when it is collected, in whichever loop is running by then, and fails aloud.
    """
    close = getattr(client, "close", None)
    if not iscoroutinefunction(close):
        return
    closing = close()
    with suppress(Exception):
        closing.send(None)
    closing.close()


def _is_closed(client_or_loop: Any) -> bool:
    """Whether something is closed, as far as it says so."""
    is_closed = getattr(client_or_loop, "is_closed", None)
    return bool(is_closed()) if callable(is_closed) else False
