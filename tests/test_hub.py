"""One manager per process: loaded once, by whoever asks first, also when many ask at the same moment.

Nobody waits for ever: neither a signal handler in the middle of a load, nor the child of a fork.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Lock, Thread
from types import FrameType
from typing import Any

import pytest

from pipelex_cogt import ModelManager, SettingsError, get_models_manager, set_models_manager
from pipelex_cogt.models import forks
from tests.conftest import MINIMAL, Load, WriteTree

THREADS = 64
FEW = 8
PATIENCE = 30.0
"""After how many seconds a test says that somebody waits for ever."""


@pytest.fixture(autouse=True)
def switch_threads_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the settings were really loaded."""
    counted: list[int] = []
    lock = Lock()
    really_load = ModelManager.load

    def load_and_count() -> ModelManager:
        with lock:
            counted.append(1)
        return really_load()

    monkeypatch.setattr(ModelManager, "load", load_and_count)
    return counted


@pytest.fixture
def use_tree(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    def write(**files: str) -> Path:
        directory = write_tree({**MINIMAL, **{f"{name}.toml": text for name, text in files.items()}})
        monkeypatch.setenv("PIPELEX_SETTINGS_DIR", str(directory))
        return directory

    return write


UseTree = Callable[..., Path]


def ask() -> ModelManager | SettingsError:
    try:
        return get_models_manager()
    except SettingsError as error:
        return error


def ask_from_many_threads(number: int = THREADS) -> list[ModelManager | SettingsError]:
    barrier = Barrier(number)

    def ask_together(_: int) -> ModelManager | SettingsError:
        barrier.wait()
        return ask()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(ask_together, range(number)))


def test_the_first_call_loads_and_the_others_get_the_same(use_tree: UseTree, loads: list[int]) -> None:
    use_tree()
    manager = get_models_manager()
    assert manager.get_llm_deck().resolve("p").model.name == "m1"
    assert get_models_manager() is manager
    assert len(loads) == 1


def test_many_threads_that_ask_first_load_once(use_tree: UseTree, loads: list[int]) -> None:
    use_tree()
    answers = ask_from_many_threads()
    assert all(isinstance(answer, ModelManager) for answer in answers)
    assert len({id(answer) for answer in answers}) == 1
    assert len(loads) == 1


def test_a_failing_load_is_tried_again(use_tree: UseTree) -> None:
    use_tree(routing="active = 'nobody'")
    assert "nobody" in str(ask())
    assert "nobody" in str(ask())
    use_tree()
    assert get_models_manager().routing.active.name == "all"


def test_a_load_that_fails_for_many_threads_fails_for_each(use_tree: UseTree) -> None:
    use_tree(routing="active = 'nobody'")
    assert {type(answer) for answer in ask_from_many_threads(FEW)} == {SettingsError}
    use_tree()
    assert {type(answer) for answer in ask_from_many_threads()} == {ModelManager}


def test_a_manager_of_ones_own_is_put_in_place(load: Load) -> None:
    own = load()
    set_models_manager(own)
    assert get_models_manager() is own
    assert {id(answer) for answer in ask_from_many_threads()} == {id(own)}


def test_none_makes_the_next_call_load_again(use_tree: UseTree) -> None:
    use_tree()
    first = get_models_manager()
    set_models_manager(None)
    second = get_models_manager()
    assert second is not first
    assert get_models_manager() is second


def test_a_manager_put_in_place_wins_over_a_broken_tree(use_tree: UseTree, load: Load) -> None:
    own = load()
    use_tree(routing="active = 'nobody'")
    set_models_manager(own)
    assert get_models_manager() is own


def test_the_process_environment_is_read(use_tree: UseTree, monkeypatch: pytest.MonkeyPatch) -> None:
    use_tree()
    monkeypatch.setenv("PIPELEX_ENV", "staging")
    monkeypatch.setenv("A_KEY", "from-process")
    manager = get_models_manager()
    api_key = manager.get_required_inference_backend("a").api_key
    assert manager.environment == "staging"
    assert api_key is not None
    assert api_key.get_secret_value() == "from-process"


class Meanwhile(logging.Handler):
    """Does something in the middle of a load, when it is logged, each time but while it does so."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act
        self.is_acting = False

    def emit(self, _record: logging.LogRecord) -> None:
        if not self.is_acting:
            self.is_acting = True
            self.act()
            self.is_acting = False


@pytest.fixture
def meanwhile(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Have something done in the middle of each load."""
    caplog.set_level(logging.INFO, "pipelex_cogt")
    log = logging.getLogger("pipelex_cogt")
    handlers: list[logging.Handler] = []

    def add(act: Callable[[], object]) -> None:
        handlers.append(Meanwhile(act))
        log.addHandler(handlers[-1])

    yield add
    for handler in handlers:
        log.removeHandler(handler)


DoMeanwhile = Callable[[Callable[[], object]], None]


def answer_of_child(work: Callable[[], int]) -> int | None:
    """Fork, and return what the child works out, which is no zero; None where it waits for ever."""
    child = os.fork()
    if child == 0:
        answer = 0
        try:
            answer = work()
        finally:
            os._exit(answer)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def number_of_backends() -> int:
    return len(get_models_manager().backends)


BACKENDS = 3


def refuse_to_wait(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError("waits for ever")


@pytest.fixture
def no_eternity() -> Iterator[None]:
    previous = signal.signal(signal.SIGALRM, refuse_to_wait)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.usefixtures("no_eternity")
def test_a_signal_handler_that_asks_during_the_first_load_gets_a_manager(
    use_tree: UseTree, meanwhile: DoMeanwhile
) -> None:
    use_tree()
    given: list[ModelManager] = []
    previous = signal.signal(signal.SIGUSR1, lambda _number, _frame: given.append(get_models_manager()))
    try:
        meanwhile(lambda: signal.raise_signal(signal.SIGUSR1))
        manager = get_models_manager()
    finally:
        signal.signal(signal.SIGUSR1, previous)
    # Whoever asked first in the end has the same as everybody after.
    assert given == [manager]
    assert get_models_manager() is manager


@pytest.mark.usefixtures("no_eternity")
def test_a_manager_put_in_place_in_the_middle_of_a_load_stays(
    use_tree: UseTree, load: Load, meanwhile: DoMeanwhile
) -> None:
    own = load()
    use_tree()
    meanwhile(lambda: set_models_manager(own))
    assert get_models_manager() is own


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("patience", [0.0, 0.2, PATIENCE])
def test_a_child_forked_while_a_thread_loads_gets_a_manager(
    use_tree: UseTree, meanwhile: DoMeanwhile, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    use_tree()
    monkeypatch.setattr(forks, "_LONGEST_WAIT", patience)
    parent, is_loading, may_go_on = os.getpid(), Event(), Event()

    def stay() -> None:
        if os.getpid() == parent:
            is_loading.set()
            may_go_on.wait(PATIENCE)

    meanwhile(stay)
    loader = Thread(target=get_models_manager)
    loader.start()
    is_loading.wait(PATIENCE)
    if patience == PATIENCE:
        # The load ends while the fork waits for it.
        may_go_on.set()
    assert answer_of_child(number_of_backends) == BACKENDS
    may_go_on.set()
    loader.join()
    assert answer_of_child(number_of_backends) == BACKENDS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("ask", [get_models_manager, ModelManager.load])
def test_a_fork_waits_for_the_load_that_goes_on(
    use_tree: UseTree, meanwhile: DoMeanwhile, ask: Callable[[], ModelManager]
) -> None:
    use_tree()
    is_loading, ended = Event(), Event()

    def stay() -> None:
        is_loading.set()
        time.sleep(0.1)
        ended.set()

    meanwhile(stay)
    loader = Thread(target=ask)
    loader.start()
    is_loading.wait(PATIENCE)
    assert answer_of_child(lambda: 1 + ended.is_set()) == 1 + 1
    loader.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_in_the_middle_of_a_load_of_its_own_goes_on(use_tree: UseTree, meanwhile: DoMeanwhile) -> None:
    use_tree()
    seen: list[int | None] = []
    meanwhile(lambda: seen.append(answer_of_child(number_of_backends)))
    get_models_manager()
    assert seen == [BACKENDS]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_while_a_thread_looks_for_warnings_looks_too(load: Load) -> None:
    parent, is_looking, may_go_on = os.getpid(), Event(), Event()

    class Waiting(dict[str, str]):
        """Variables that keep whoever asks for one waiting, in the parent alone."""

        is_armed = False

        def get(self, name: str, default: Any = None) -> Any:
            if self.is_armed and os.getpid() == parent:
                is_looking.set()
                may_go_on.wait(PATIENCE)
            return super().get(name, default)

    variables = Waiting(A_KEY="a", B_KEY="short")
    manager = load(environ=variables)
    variables.is_armed = True
    looker = Thread(target=lambda: manager.warnings)
    looker.start()
    assert is_looking.wait(PATIENCE)
    assert answer_of_child(lambda: 1 + len(manager.warnings)) == 1
    may_go_on.set()
    looker.join()
