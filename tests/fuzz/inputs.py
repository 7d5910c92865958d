"""Inputs: whatever bytes may reach the package as, each kind by name; a load ends well, or with an error of ours.

`check("deck/d.toml", b"[aliases]", directory)` says what was wrong with the package, which is nothing.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TypeAlias

import pipelex_cogt
from pipelex_cogt import CogtError, InferenceBackend, ModelManager
from tests.conftest import MINIMAL, dedent, write_settings

PACKAGE_DIR = Path(pipelex_cogt.__file__).parent
SECONDS = 10.0
"""The time of the processor after which an input hangs."""
__all__ = ["KINDS", "MINIMAL", "Finding", "check", "dedent", "use"]
_MOST_NAMES = 20
_DEEPEST = 100
ENVIRON = {"A_KEY": "key-of-a", "B_KEY": "key-of-b"}
PATHS = (
    *("ROUTING__ACTIVE", "ROUTING__PROFILES__ALL__FALLBACK_ORDER", "DECK__ALIASES__BEST", "DECK__LLM_PRESETS__P"),
    *("DECK__LLM_PRESETS__P__TEMPERATURE", "DECK__LLM_CHOICE_DEFAULTS__FOR_TEXT", "BACKENDS__A__ENDPOINT"),
    *("BACKENDS__A__API_KEY", "BACKENDS__A__HEADERS", "BACKENDS__A__TIMEOUT", "MODELS__A__M1__COSTS"),
    *("MODELS__A__M1__INPUTS", "MODELS__A__M1__RETIRES", "INFERENCE_CONFIG__ENABLED_BACKENDS"),
)
"""What a variable may set, each of another type."""


class Hang(BaseException):
    """An input takes too long; no handler of an exception lets it pass."""


class Finding(NamedTuple):
    """What an input brought down.

    Attributes:
        kind: The kind of the input.
        what: The exception.
        where: The last line of the package that was running.
        data: The input.
    """

    kind: str
    what: str
    where: str
    data: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings one."""
        return self.what.partition(" ")[0], self.where

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} at {self.where}, of {self.data[:300]!r}"


def check(kind: str, data: bytes, directory: Path) -> Finding | None:
    """Give the package an input, and look how it ends.

    Args:
        kind: A key of `KINDS`.
        data: The input.
        directory: A folder, which is emptied first.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        with _bounded(SECONDS):
            KINDS[kind](data, directory)
    except CogtError as error:
        return _fault_of_error(kind, data, error)
    except (Exception, Hang) as error:  # noqa: BLE001 -- because: whatever it is, it is what this looks for
        return Finding(kind, f"{type(error).__name__} {str(error)[:120]!r}", _where(error), data)
    return None


def _fault_of_error(kind: str, data: bytes, error: CogtError) -> Finding | None:
    """What is wrong with an error of ours: it can be told, shown and pickled."""
    try:
        with _bounded(SECONDS):
            f"{error}{error!r}".encode()
            pickle.loads(pickle.dumps(error))
    except (Exception, Hang) as fault:  # noqa: BLE001 -- because: as above
        return Finding(
            kind, f"{type(fault).__name__} {str(fault)[:120]!r} of {type(error).__name__}", _where(fault), data
        )
    return None


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(f"{PACKAGE_DIR}{os.sep}")]
    last = (ours or frames)[-1]
    return f"{os.path.relpath(last.filename, PACKAGE_DIR.parent)}:{last.lineno} {last.name}"


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Hang(f"over {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _write(directory: Path) -> Path:
    return write_settings(directory, MINIMAL)


def _load(settings: Path, environ: Mapping[str, str] | None = None, **arguments: Any) -> ModelManager:
    return ModelManager.load(settings, environ=ENVIRON if environ is None else environ, **arguments)


def use(manager: ModelManager) -> None:
    """Ask whatever an application asks; an error of ours is an answer."""
    "".join(map(str, manager.warnings)).encode()
    repr([manager, manager.settings, manager.backends, manager.routing, manager.deck]).encode()
    pickle.loads(pickle.dumps(manager))
    deck = manager.deck
    for name in islice([*deck.llm_presets, *deck.aliases, *deck.inference_models, "nobody"], _MOST_NAMES):
        for ask in (deck.resolve, deck.resolve_all, deck.get_inference_model, manager.explain):
            with suppress(CogtError):
                repr(ask(name)).encode()
    for backend in islice(manager.backends.values(), _MOST_NAMES):
        _use_backend(backend)


def _use_backend(backend: InferenceBackend) -> None:
    for ask in (lambda: backend.endpoint, lambda: backend.api_key, lambda: {**backend.headers}, backend.missing):
        with suppress(CogtError):
            repr(ask()).encode()


def _file(path: str, data: bytes, directory: Path) -> None:
    settings = _write(directory)
    place = settings / path
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    use(_load(settings))


def _commands(data: bytes, directory: Path) -> None:
    """Every command that prints settings, over a fuzzed deck."""
    settings = _write(directory)
    (settings / "deck" / "d.toml").write_bytes(data)
    for command in ("show", "show models", "env", "env --example", "check", "check --format github", "explain p"):
        _command([*command.split(), "--settings-dir", str(settings)])


def _arguments(data: bytes, directory: Path) -> None:
    """Whatever stands on a command line, a line for each argument."""
    settings = _write(directory)
    _command([*_text(data).split("\n"), "--settings-dir", str(settings)])


def _command(arguments: list[str]) -> None:
    from typer.testing import CliRunner

    from pipelex_cogt.cli.app import app

    result = CliRunner().invoke(app, arguments, input="", env={"PIPELEX_SETTINGS_DIR": None})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception


def _secret_file(data: bytes, directory: Path) -> None:
    settings = _write(directory)
    secrets = directory / "secrets"
    secrets.mkdir()
    (secrets / "A_KEY").write_bytes(data)
    use(_load(settings, {"PIPELEX_SECRETS_DIR": str(secrets)}))


def _variable_value(data: bytes, directory: Path) -> None:
    path = PATHS[data[0] % len(PATHS)] if data else PATHS[0]
    use(_load(_write(directory), {**ENVIRON, f"PIPELEX_COGT__{path}": _text(data[1:])}))


def _variable_names(data: bytes, directory: Path) -> None:
    names = _text(data).split("\n")
    use(_load(_write(directory), {**ENVIRON, **{f"PIPELEX_{name}": "1" for name in names}}))


def _credential(data: bytes, directory: Path) -> None:
    use(_load(_write(directory), {"A_KEY": _text(data), "B_KEY": "key-of-b"}))


def _environment(data: bytes, directory: Path) -> None:
    use(_load(_write(directory), {**ENVIRON, "PIPELEX_ENV": _text(data)}))


def _places(data: bytes, directory: Path) -> None:
    settings = _write(directory)
    named, secrets, *_ = [*_text(data).split("\n"), "", ""]
    use(_load(settings, {**ENVIRON, "PIPELEX_SECRETS_DIR": secrets}))
    use(ModelManager.load(environ={**ENVIRON, "PIPELEX_SETTINGS_DIR": named}))


def _overrides(data: bytes, directory: Path) -> None:
    use(_load(_write(directory), overrides=_Structure(data).read()))


def _load_arguments(data: bytes, directory: Path) -> None:
    """Arguments of any type."""
    structure = _Structure(data)
    name = ("settings_dir", "env", "environ", "overrides", "sources")[structure.byte() % 5]
    given = {"settings_dir": _write(directory), "environ": ENVIRON, name: structure.read()}
    use(ModelManager.load(**given))


def _look_ups(data: bytes, directory: Path) -> None:
    """Look-ups of any type."""
    manager = _load(_write(directory))
    deck, name = manager.deck, _Structure(data).read()
    for ask in (
        *(deck.resolve, deck.resolve_all, deck.get_inference_model, deck.chain, deck.choice, manager.explain),
        *(manager.get_required_inference_backend, lambda name: deck.find(inputs=name)),
        *(lambda name: deck.find(outputs=name), lambda name: deck.find(backend=name)),
    ):
        try:
            ask(name)
        except CogtError as error:
            f"{error}{error!r}".encode()


def _text(data: bytes) -> str:
    """Text as the process's environment has it, where what is no UTF-8 becomes half a character."""
    return data.decode("utf-8", "surrogateescape")


class _Structure:
    """Python objects of any shape out of bytes: the same bytes give the same shape."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)
        self._tables: list[dict[Any, Any]] = []

    def byte(self) -> int:
        byte: int = next(self._data, 0)
        return byte

    def read(self, depth: int = 0) -> Any:
        """The next object; a byte says of which type it is."""
        makers: list[Callable[[int], Any]] = [
            *(self._table, self._table, self._table, self._list, self._key, self._key_text, self._number),
            *(lambda _: None, lambda _: True, lambda _: 0.5, lambda _: float("nan"), lambda _: date(2026, 1, 1)),
            *(lambda _: b"bytes", lambda _: {"a", "b"}, lambda _: object(), self._same, self._deep),
        ]
        maker = makers[self.byte() % len(makers)]
        return maker(depth + 1) if depth < _DEEPEST else None

    def _table(self, depth: int) -> dict[Any, Any]:
        table: dict[Any, Any] = {}
        self._tables.append(table)
        for _ in range(self.byte() % 4):
            key = self._key(depth)
            table[key] = self.read(depth)
        return table

    def _list(self, depth: int) -> list[Any]:
        return [self.read(depth) for _ in range(self.byte() % 4)]

    def _key(self, _depth: int) -> Any:
        index = self.byte()
        return _KEYS[index] if index < len(_KEYS) else chr(index)

    def _key_text(self, _depth: int) -> str:
        return _text(bytes(islice(self._data, self.byte())))

    def _number(self, _depth: int) -> int:
        number = int.from_bytes(bytes(islice(self._data, 8)), "little")
        return number << self.byte() * 64

    def _same(self, _depth: int) -> Any:
        """A table that stands elsewhere too, maybe around this one."""
        return self._tables[self.byte() % len(self._tables)] if self._tables else None

    def _deep(self, _depth: int) -> Any:
        value: Any = {}
        for _ in range(self.byte() * 8):
            value = {"a": value}
        return value


_KEYS: tuple[Any, ...] = (
    *("backends", "models", "routing", "deck", "inference_config", "a", "b", "m1", "only-a", "best", "p", "all"),
    *("aliases", "llm_presets", "llm_choice_defaults", "llm_handle", "profiles", "active", "routes", "default"),
    *(
        "fallback_order",
        "enabled",
        "endpoint",
        "api_key",
        "headers",
        "timeout",
        "models_like",
        "costs",
        "tiers",
        "from",
    ),
    *(
        "input",
        "output",
        "inputs",
        "outputs",
        "max_tokens",
        "extra_config",
        "extra_body",
        "retires",
        "successor",
        "sdk",
    ),
    *("reasoning_budget", "reasoning_efforts", "stop", "enabled_backends", "...", "", 7, None, ("a",), b"a"),
)

Kind: TypeAlias = Callable[[bytes, Path], None]
FILES = (
    *("settings.toml", "settings.local.toml", ".secrets.toml", "backends.toml", "backends.local.toml"),
    *("backends/a.toml", "backends/a.local.toml", "backends/c.toml", "routing.toml", "deck/base.toml", "deck/d.toml"),
    *("../.env", "notes.toml", "deck.toml"),
)
"""Where a file may stand: what is read, and what is only told."""
KINDS: Mapping[str, Kind] = {
    **{path: partial(_file, path) for path in FILES},
    "commands": _commands,
    "arguments": _arguments,
    "a secret file": _secret_file,
    "a variable's value": _variable_value,
    "variables' names": _variable_names,
    "a credential": _credential,
    "an environment": _environment,
    "places": _places,
    "overrides": _overrides,
    "arguments of a load": _load_arguments,
    "look-ups": _look_ups,
}
