"""An interrupt at any moment of a load leaves the process as it should be, and no value in the frames on its way."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pipelex_cogt import ModelManager, get_models_manager, hub, set_models_manager
from tests.conftest import MINIMAL, WriteTree

# Python steps over an interrupt that comes while it closes a generator, and leaves open files to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEED = 10
FEW, MANY = 60, 1_500
CANARY = "canary-4711"
PACKAGE = str(Path(hub.__file__).parent)
SECRETS = {
    **MINIMAL,
    ".secrets.toml": f"[default.cogt.backends.b]\napi_key = '{CANARY}-file'\n[default.cogt.backends.a]\nregion = 'x'",
}
READ_OR_SEALED = {
    *("toml_files.py", "main_files.py", "environ.py", "override_variables.py", "schema.py"),
    *("masking.py", "tables.py", "references.py", "secret_values.py", "hiding.py"),
    *("inference_config.py", "layers.py", "arguments.py", "regular_files.py", "bounds.py", "toml_parser.py"),
}
"""The modules that look at what the code hands over, read a text, make a layer of it and seal that."""


class Interruption:
    """Interrupts whatever runs at one of its moments: where a function begins, or where one of C's returns.

    Attributes:
        moments: How many there were so far.
        running: What our frames hold that were running at the moment.
    """

    def __init__(self, moment: int | None = None) -> None:
        self.moment = moment
        self.moments = 0
        self.running: list[str] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        # Only then does Python look whether a signal has come.
        if event not in ("call", "c_return") or frame.f_code.co_filename == __file__:
            return
        self.moments += 1
        if self.moments == self.moment:
            sys.setprofile(None)
            ours = (each for each, _line in traceback.walk_stack(frame) if PACKAGE in each.f_code.co_filename)
            self.running = [text for each in ours for text in held_by(each)]
            raise KeyboardInterrupt


def interrupted(call: Callable[[], object], interruption: Interruption) -> KeyboardInterrupt | None:
    """Call, and interrupt; the interrupt, or None where the call came to its end."""
    try:
        sys.setprofile(interruption)
        call()
    except KeyboardInterrupt as interrupt:
        return interrupt
    finally:
        sys.setprofile(None)
    return None


def moments_of(call: Callable[[], object], number: int) -> list[int]:
    """Moments of a call, chosen at random, and each of the first and the last."""
    call()
    interruption = Interruption()
    interrupted(call, interruption)
    edges = {*range(1, FEW // 4), *range(interruption.moments - FEW // 4, interruption.moments + 1)}
    chosen = random.Random(SEED).choices(range(1, interruption.moments), k=number - len(edges))
    return [*edges, *chosen]


def listed(value: Any, depth: int = 6) -> Iterator[str]:
    """What a reporter of errors shows of a value: its repr, and whatever can be enumerated."""
    # What an interrupt leaves half made has no repr, and the usual tools step over it.
    with suppress(AttributeError):
        yield repr(value)
    if isinstance(value, Mapping) and depth:
        for pair in [*value.items()]:
            yield from listed(pair, depth - 1)
    elif isinstance(value, list | tuple) and depth:
        for item in value:
            yield from listed(item, depth - 1)


def held_by(frame: FrameType) -> Iterator[str]:
    """The variables of a frame in which a secret stands, each after the module and the function."""
    path = Path(frame.f_code.co_filename)
    if path == Path(__file__):
        return
    for name, value in [*frame.f_locals.items()]:
        if any(CANARY in text for text in listed(value)):
            yield f"{path.name} {frame.f_code.co_name} {name}"


def left_in_frames(error: BaseException | None) -> Iterator[str]:
    """The variables of the frames that an exception, and each that led to it, has passed."""
    if error is not None:
        for frame, _line in traceback.walk_tb(error.__traceback__):
            yield from held_by(frame)
        yield from left_in_frames(error.__context__)


def is_free(pool: ThreadPoolExecutor) -> bool:
    """Whether another thread can have the lock of the hub."""

    def take() -> bool:
        taken = hub._lock.acquire(blocking=False)
        if taken:
            hub._lock.release()
        return taken

    return pool.submit(take).result()


MOMENTS = [FEW, pytest.param(MANY, marks=pytest.mark.slow)]


@pytest.mark.parametrize("number", MOMENTS)
def test_an_interrupt_leaves_lock_collector_and_hub_as_they_should_be(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("PIPELEX_SETTINGS_DIR", str(write_tree(MINIMAL)))

    def load_anew() -> ModelManager:
        set_models_manager(None)
        return get_models_manager()

    with ThreadPoolExecutor(1) as pool:
        for moment in moments_of(load_anew, number):
            interrupted(load_anew, Interruption(moment))
            assert is_free(pool), moment
            assert gc.isenabled()
            assert hub._manager is None or hub._manager.deck.resolve("p").model.name == "m1"
        set_models_manager(None)
        assert pool.submit(get_models_manager).result().deck.resolve("p").model.name == "m1"


@pytest.mark.parametrize("number", MOMENTS)
def test_an_interrupt_leaves_no_value_in_the_frames_on_its_way(write_tree: WriteTree, number: int) -> None:
    folder = write_tree(SECRETS)
    (folder / ".secrets.toml").chmod(0o600)
    dotenv = folder.parent / ".env"
    dotenv.write_text(f"A_KEY={CANARY}-dotenv\nPIPELEX_COGT__BACKENDS__A__API_KEY={CANARY}-variable\n")
    dotenv.chmod(0o600)

    def load() -> ModelManager:
        laid_over = {"backends": {"a": {"token": f"{CANARY}-override"}}}
        return ModelManager.load(folder, environ={"K": f"{CANARY}-k"}, overrides=laid_over, sources=[{"k": CANARY}])

    for moment in moments_of(load, number):
        interruption = Interruption(moment)
        # At its first moment a call has what its caller gave it, and nothing of ours has begun.
        left = [*left_in_frames(interrupted(load, interruption))] if moment > 1 else []
        assert left == [], moment
        # The arguments stand in the frame of the load until they are sealed.
        unsealed = ("model_manager.py load environ", "model_manager.py load overrides", "model_manager.py load sources")
        held = [text for text in interruption.running if text.split()[0] not in READ_OR_SEALED]
        assert [text for text in held if text not in unsealed] == [], moment


def test_a_cancelled_task_leaves_the_hub_as_it_should_be(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELEX_SETTINGS_DIR", str(write_tree(MINIMAL)))

    async def cancel() -> ModelManager:
        asking = asyncio.create_task(asyncio.to_thread(get_models_manager))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await asyncio.to_thread(get_models_manager)

    manager = asyncio.run(cancel())
    assert manager is get_models_manager()
