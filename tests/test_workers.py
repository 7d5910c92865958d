"""Workers: what answers references where the settings were loaded is found again where a pickle is read, or told."""

from __future__ import annotations

import copy
import os
import pickle
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import LiteralLeftBehindError, MissingCredentialError, ModelDeck, ModelManager
from tests.conftest import MINIMAL, Load, WriteTree

LoadHere = Callable[..., ModelManager]

SECRET = "sk-of-the-parent"
WAY_OUT = "set it, or leave the backend out with"


def again(value: Any) -> Any:
    """What a worker makes of a value: nobody but the pickle tells it anything."""
    return pickle.loads(pickle.dumps(value))


def key_of(deck: ModelDeck) -> str:
    """The key of the backend of a deck's only preset; a function of a module, as workers need it."""
    key = deck.resolve("p").backend.api_key
    return key.get_secret_value() if key else "none"


def complaint_of(deck: ModelDeck) -> str:
    """What is told of the missing key, from where it was looked for on."""
    with pytest.raises(MissingCredentialError, match="needs A_KEY") as caught:
        key_of(deck)
    return re.sub(r".*is not set; ", "", str(caught.value)).partition(f"; {WAY_OUT}")[0]


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    """The `.env` beside the settings."""
    path = tmp_path / "app" / ".env"
    path.parent.mkdir()
    path.write_text(f"A_KEY={SECRET}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def load_here(write_tree: WriteTree) -> LoadHere:
    """Load the minimal tree with the variables of this process."""
    return lambda **arguments: ModelManager.load(write_tree(MINIMAL), **arguments)


@pytest.mark.usefixtures("dotenv")
@pytest.mark.parametrize("what", ["deck", "backends", "settings", "manager"])
def test_dotenv_is_read_again_whatever_was_pickled(load_here: LoadHere, what: str) -> None:
    manager = load_here()
    value = manager if what == "manager" else getattr(manager, what)
    pickled = pickle.dumps(value)
    assert SECRET.encode() not in pickled
    found = pickle.loads(pickled)
    credentials = {
        "deck": lambda: found.resolve("p").backend.credentials,
        "backends": lambda: found["a"].credentials,
        "settings": lambda: found.credentials,
        "manager": lambda: found.settings.credentials,
    }[what]()
    assert credentials.resolve("${A_KEY}", "a", ("api_key",)) == SECRET
    assert credentials.environment.get("A_KEY") == SECRET


def test_a_pickle_of_what_a_pickle_held_looks_there_too(load_here: LoadHere, dotenv: Path) -> None:
    deck = again(again(load_here().deck))
    assert key_of(deck) == SECRET
    dotenv.unlink()
    assert "cannot be read" in complaint_of(again(deck))


def test_the_variables_of_the_worker_lie_over_dotenv(
    load_here: LoadHere, dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv.write_text("BASE=of-dotenv\nA_KEY=sk-${BASE}\n")
    pickled = pickle.dumps(load_here().deck)
    monkeypatch.setenv("BASE", "of-worker")
    assert key_of(pickle.loads(pickled)) == "sk-of-worker"
    monkeypatch.setenv("A_KEY", "whole")
    assert key_of(pickle.loads(pickled)) == "whole"


def test_a_worker_elsewhere_reads_the_files_of_the_load(
    load_here: LoadHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("key.txt").write_text(SECRET)
    monkeypatch.setenv("A_KEY_FILE", "key.txt")
    pickled = pickle.dumps(load_here().deck)
    monkeypatch.chdir(tmp_path)
    assert key_of(pickle.loads(pickled)) == SECRET


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (
        Path.unlink,
        "looked in the environment, {env} (cannot be read: No such file or directory) and {secrets}",
    ),
    "without the name": (lambda path: path.write_text("B_KEY=x\n"), "looked in the environment, {env} and {secrets}"),
    "no text": (
        lambda path: path.write_bytes(b"A_KEY=\xff\n"),
        "looked in the environment, {env} (expected UTF-8 text) and {secrets}",
    ),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_a_dotenv_that_changed_meanwhile_is_told(
    load_here: LoadHere, dotenv: Path, tmp_path: Path, change: Callable[[Path], object], told: str
) -> None:
    pickled = pickle.dumps(load_here().deck)
    change(dotenv)
    assert complaint_of(pickle.loads(pickled)) == told.format(env=dotenv, secrets=tmp_path / "no-secrets")


class Vault:
    """A source of the application's own."""

    def get(self, name: str) -> str | None:
        return SECRET if name == "A_KEY" else None


LEFT_BEHIND: dict[str, tuple[Mapping[str, Any], str]] = {
    "a source": ({"sources": [Vault()]}, "the source Vault"),
    "variables": ({"environ": {"A_KEY": SECRET}}, "the variables given as environ"),
    "both": (
        {"environ": {"A_KEY": SECRET}, "sources": [Vault(), {"x": "y"}]},
        "the variables given as environ and the source Vault and the source dict",
    ),
}


@pytest.mark.parametrize(("given", "told"), LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_what_no_pickle_can_find_again_is_told(load_here: LoadHere, given: Mapping[str, Any], told: str) -> None:
    deck = load_here(**given).deck
    assert key_of(deck) == SECRET
    told_of_one, told_of_two = complaint_of(again(deck)), complaint_of(again(again(deck)))
    assert told_of_one.endswith(f"; a pickle carries no secret, so it left behind {told}")
    assert told_of_one == told_of_two


def test_a_literal_stays_behind_as_it_did(load: Load) -> None:
    literal = {".secrets.toml": f"[default.cogt.backends.a]\napi_key = '{SECRET}'"}
    with pytest.raises(LiteralLeftBehindError, match="has lost its literal secret, which no pickle carries"):
        key_of(again(load(literal).deck))


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
def test_a_copy_asks_the_same_sources(load_here: LoadHere, twin: Callable[[Any], Any]) -> None:
    manager = load_here(environ={}, sources=[Vault()])
    assert key_of(twin(manager.deck)) == SECRET
    assert twin(manager.settings.credentials).resolve("${A_KEY}", "a", ("api_key",)) == SECRET
    assert twin(manager.backends["a"]).api_key == manager.backends["a"].api_key


@pytest.mark.slow
@pytest.mark.usefixtures("dotenv")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", get_all_start_methods())
def test_workers_of_a_pool_find_the_key_of_dotenv(load_here: LoadHere, method: str) -> None:
    deck = load_here().deck
    assert "A_KEY" not in os.environ
    with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
        assert [*pool.map(key_of, [deck] * 4)] == [SECRET] * 4
