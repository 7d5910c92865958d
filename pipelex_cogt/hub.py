"""One model manager per process, loaded once, by whoever asks first.

One thread loads while others wait, and nobody waits for ever: a signal handler that asks in the middle of a load loads
by itself, and the child of a fork waits for no thread that only its parent has (see `models/forks.py`).
"""

from __future__ import annotations

import os
import sys
from threading import RLock

from pipelex_cogt.models.model_manager import ModelManager

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


def _renew_lock() -> None:
    """Give the child of a fork a lock of its own, for the thread that holds it may have stayed with the parent."""
    global _lock  # noqa: PLW0603 -- because: as above
    _lock = RLock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_renew_lock)
