"""One manager per process: loaded once, by whoever asks first, also when many ask at the same moment."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

import pytest

from pipelex_cogt import ModelManager, SettingsError, get_models_manager, set_models_manager
from tests.conftest import MINIMAL, Load, WriteTree

THREADS = 32


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


def ask_from_many_threads() -> list[ModelManager | SettingsError]:
    barrier = Barrier(THREADS)

    def ask_together(_: int) -> ModelManager | SettingsError:
        barrier.wait()
        return ask()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask_together, range(THREADS)))


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
    assert {type(answer) for answer in ask_from_many_threads()} == {SettingsError}
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
