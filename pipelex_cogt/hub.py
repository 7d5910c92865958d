"""One model manager per process, loaded once, by whoever asks first."""

from __future__ import annotations

from threading import Lock

from pipelex_cogt.models.model_manager import ModelManager

_lock = Lock()
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
        _manager = _manager or ModelManager.load()
        return _manager


def set_models_manager(manager: ModelManager | None) -> None:
    """Put a manager of your own in the process's place; None makes the next call load again."""
    global _manager  # noqa: PLW0603 -- because: as above
    with _lock:
        _manager = manager
