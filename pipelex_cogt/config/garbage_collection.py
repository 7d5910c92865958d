"""Holding Python's cyclic garbage collector back while settings are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Pause the cyclic collector.

    A load makes many objects and keeps nearly all of them, so that the collector would walk through the growing tree
    again and again and find nothing: with it, the time of a load grows faster than the settings do.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
