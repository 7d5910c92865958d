"""One model manager per process, loaded once, by whoever asks first.

One thread loads while others wait, and a load never leaves anybody waiting for ever: a signal handler that asks in the
middle of one loads by itself, a fork waits until a load is done, and the child of a fork waits for no thread that only
its parent has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cached_property
from inspect import unwrap
from itertools import chain
from threading import RLock, get_ident
from time import monotonic, sleep
from types import FrameType
from typing import Any

from pipelex_cogt.models.model_manager import ModelManager

_LONGEST_WAIT = 5.0
"""How long a fork waits for loads to end, in seconds."""
_PAUSE = 0.005
"""How long it waits before it looks again, in seconds."""
_LOAD = unwrap(ModelManager.load).__code__
_PACKAGE = __name__.partition(".")[0]

# The thread that loads may ask again: out of a signal handler, or of a handler of log records.
_lock = RLock()
_manager: ModelManager | None = None


def get_models_manager() -> ModelManager:
    """The process's model manager; the first call loads it, also when many threads call at once.

    Raises:
        SettingsError: The settings have faults; the next call tries again.
    """
    global _manager  # noqa: PLW0603 -- because: one manager per process is what this module is for
    # Read once, for another thread may take the manager away before it is returned.
    if (manager := _manager) is not None:
        return manager
    with _lock:
        loaded = _manager or ModelManager.load()
        # What was put in place meanwhile, by this thread, somebody has already.
        _manager = _manager or loaded
        return _manager


def set_models_manager(manager: ModelManager | None) -> None:
    """Put a manager of your own in the process's place; None makes the next call load again."""
    global _manager  # noqa: PLW0603 -- because: as above
    with _lock:
        _manager = manager


def _wait_for_loads() -> None:
    """Let the loads of other threads end before a fork.

    The child has the manager then, and no module half imported, which Python lets nobody import after a fork.
    """
    end = monotonic() + _LONGEST_WAIT
    while _others_load() and monotonic() < end:
        sleep(_PAUSE)


def _others_load() -> bool:
    """Whether another thread is in the middle of a load."""
    # Looked for in the frames that run: an interrupt could leave a list of our own wrong.
    frames = sys._current_frames()  # noqa: SLF001 -- because: Python documents it, for those who look at threads
    return any(_is_loading(frame) for thread, frame in frames.items() if thread != get_ident())


def _is_loading(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not _LOAD:
        frame = frame.f_back
    return frame is not None


def _renew_locks() -> None:
    """Give the child of a fork locks of its own, for the thread that holds one may have stayed with the parent."""
    global _lock  # noqa: PLW0603 -- because: as above
    _lock = RLock()
    # Before Python 3.12 one lock for all objects is held while a cached property is worked out.
    for each in _cached_properties():
        each.lock = RLock()


def _cached_properties() -> Iterator[Any]:
    """The cached properties of our classes that have a lock."""
    ours = [module for name, module in sys.modules.items() if name.startswith(_PACKAGE)]
    classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
    attributes = chain.from_iterable(vars(each).values() for each in classes)
    return (each for each in attributes if isinstance(each, cached_property) and hasattr(each, "lock"))


if sys.platform != "win32":
    os.register_at_fork(before=_wait_for_loads, after_in_child=_renew_locks)
