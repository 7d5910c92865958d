"""Forks: one waits until other threads have loaded, and its child waits for no thread that only its parent has.

forks.wait_for(ModelManager.load)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from inspect import unwrap
from itertools import chain
from threading import RLock, get_ident
from time import monotonic, sleep
from types import CodeType, FrameType
from typing import Any

_LONGEST_WAIT = 5.0
"""How long a fork waits, in seconds."""
_PAUSE = 0.005
"""How long it waits before it looks again, in seconds."""
_PACKAGE = __name__.partition(".")[0]


def wait_for(load: Callable[..., object]) -> None:
    """Have each fork of this process wait while another thread is in a function.

    Its child has then what the function made, and no module half imported, which Python lets nobody import after a
    fork.
    """
    if sys.platform != "win32":
        wait = partial(_wait_while_others_run, unwrap(load).__code__)
        os.register_at_fork(before=wait, after_in_child=_renew_locks)


def _wait_while_others_run(code: CodeType) -> None:
    end = monotonic() + _LONGEST_WAIT
    while _others_run(code) and monotonic() < end:
        sleep(_PAUSE)


def _others_run(code: CodeType) -> bool:
    """Whether another thread is in a function."""
    # Looked for in the frames that run: an interrupt could leave a list of our own wrong.
    frames = sys._current_frames()  # noqa: SLF001 -- because: Python documents it, for those who look at threads
    return any(_is_in(code, frame) for thread, frame in frames.items() if thread != get_ident())


def _is_in(code: CodeType, frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _renew_locks() -> None:
    """Give the child locks of its own: before Python 3.12 a cached property holds one while it is worked out."""
    for each in _cached_properties():
        each.lock = RLock()


def _cached_properties() -> Iterator[Any]:
    """The cached properties of our classes that have a lock."""
    ours = [module for name, module in sys.modules.items() if name.startswith(_PACKAGE)]
    classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
    attributes = chain.from_iterable(vars(each).values() for each in classes)
    return (each for each in attributes if isinstance(each, cached_property) and hasattr(each, "lock"))
