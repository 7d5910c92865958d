"""Clients: each backend has its own, for as long as it lives, and none that is closed."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import threading
import weakref

import pytest

from pipelex_cogt.integrations.clients import Clients
from pipelex_cogt.model_backends.backend import InferenceBackend
from tests.resolved import resolved


class Client:
    """What an SDK builds."""

    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed


class Unasked:
    """A client that does not say whether it is closed."""


def backend() -> InferenceBackend:
    return resolved({"endpoint": "https://h.example.com"}).backend


def test_a_backend_has_one_client_of_each_variant() -> None:
    clients, one, other = Clients(), backend(), backend()
    assert clients.get(one, "v", Client) is clients.get(one, "v", Client)
    assert clients.get(one, "v", Client) is not clients.get(one, "w", Client)
    assert clients.get(one, "v", Client) is not clients.get(other, "v", Client)


def test_a_client_that_was_closed_is_built_anew() -> None:
    clients, one = Clients(), backend()
    first = clients.get(one, "v", Client)
    first.closed = True
    assert clients.get(one, "v", Client) is not first
    assert clients.get(one, "w", Unasked) is clients.get(one, "w", Unasked)


def test_a_client_goes_with_its_backend() -> None:
    clients, one = Clients(), backend()
    clients.get(one, "v", Client)
    assert repr(clients) == "Clients(1 backends)"
    del one
    gc.collect()
    assert repr(clients) == "Clients(0 backends)"


def test_an_event_loop_has_a_client_of_its_own_which_goes_with_it() -> None:
    clients, one = Clients(), backend()

    async def ask() -> object:
        first = clients.get_async(one, "v", Client)
        assert first is clients.get_async(one, "v", Client)
        assert first is not clients.get_async(one, "w", Client)
        return first

    first = asyncio.run(ask())
    assert asyncio.run(ask()) is not first
    kept = weakref.ref(first)
    del first
    gc.collect()
    assert kept() is None


def test_threads_that_ask_first_at_once_have_one_client() -> None:
    clients, one, start, found = Clients(), backend(), threading.Barrier(64), list[object]()

    def ask() -> None:
        start.wait()
        found.append(clients.get(one, "v", Client))

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 64
    assert len({id(client) for client in found}) == 1


def test_outside_an_event_loop_an_async_client_is_built_each_time() -> None:
    clients, one = Clients(), backend()
    assert clients.get_async(one, "v", Client) is not clients.get_async(one, "v", Client)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # because: of threads that other tests have left
def test_a_forked_process_has_clients_of_its_own() -> None:
    clients, one = Clients(), backend()
    clients.get(one, "v", Client)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put(repr(clients)))
    child.start()
    assert answers.get(timeout=30) == "Clients(0 backends)"
    child.join()


class Locked:
    """A client that closes itself under a lock, as those of HTTP libraries do."""

    lock = threading.Lock()

    def __del__(self) -> None:
        with self.lock:
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # because: of threads that other tests have left
def test_a_forked_process_waits_for_no_lock_of_a_client_of_its_parent() -> None:
    clients, one = Clients(), backend()
    clients.get(one, "v", Locked)
    child = multiprocessing.get_context("fork").Process(target=lambda: None)
    with Locked.lock:
        child.start()
        child.join(timeout=30)
    ended = child.exitcode
    child.kill()
    child.join()
    assert ended == 0
