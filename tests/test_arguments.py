"""The arguments of a load: one of a wrong type, or overrides without end, are our error before anything uses them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import ModelManager, SettingsError
from tests.conftest import Load, steps


def nested(levels: int) -> dict[str, Any]:
    table: dict[str, Any] = {"k": 1}
    for _ in range(levels):
        table = {"x": table}
    return table


def circle() -> dict[str, Any]:
    table: dict[str, Any] = {}
    table["x"] = table
    return table


def doubled(times: int) -> dict[str, Any]:
    """A table that holds another twice, which holds another twice: what it says has no end, in little memory."""
    table: dict[str, Any] = {"k": 1}
    for _ in range(times):
        table = {"a": table, "b": table}
    return table


DEEP = "expected at most 64 levels of tables and lists, got more"
LARGE = "expected an integer of at most 64 bits, got a larger one"
SOURCES = "the argument sources: expected"
OVERRIDES = "overrides: expected a mapping shaped like the tree under cogt"
WRONG: dict[str, tuple[str, Any, str]] = {
    "a number for a path": ("settings_dir", 5, "the argument settings_dir: expected a path, got an integer"),
    "bytes for a path": ("settings_dir", b"x", "the argument settings_dir: expected a path, got a Python bytes"),
    "a list for a name": ("env", ["x"], "the argument env: expected an environment's name, got a list"),
    "no mapping": ("environ", ["A"], "the argument environ: expected a mapping of variables, got a list"),
    "no text": ("environ", {"A": 5}, "the argument environ: A: expected text, got an integer"),
    "no name": ("environ", {5: "A"}, "the argument environ: expected names of text, got an integer"),
    "no sources": ("sources", None, f"{SOURCES} a list of secret sources, got a Python NoneType"),
    "one source": ("sources", object(), f"{SOURCES} a list of secret sources, got a Python object"),
    "a mapping for a list": (
        "sources",
        {"A": "b"},
        f"{SOURCES} sources with get(name), got a string",
    ),
    "no truth": ("checks_credentials", "no", "the argument checks_credentials: expected True or False, got a string"),
    "a list of overrides": (
        "overrides",
        [],
        "overrides: expected a mapping shaped like the tree under cogt, got a list",
    ),
    "deep": ("overrides", {"backends": {"a": nested(500)}}, f"overrides  cogt.backends.a.x.x.x.x.x.x: {DEEP}"),
    "a circle": ("overrides", {"backends": circle()}, f"overrides  cogt.backends.x.x.x.x.x.x.x: {DEEP}"),
    "without end": ("overrides", doubled(60), "overrides: expected at most 1,000,000 values, got more"),
    "a large number": ("overrides", {"a": [1, 2**63]}, f"overrides  cogt.a.1: {LARGE}"),
    "a number too long to write": ("overrides", {"a": -(10**5000)}, f"overrides  cogt.a: {LARGE}"),
}


@pytest.mark.parametrize(("name", "value", "told"), WRONG.values(), ids=WRONG)
def test_an_argument_of_a_wrong_type_is_one_problem(name: str, value: Any, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(**{"environ": {}, name: value})
    assert str(caught.value) == f"1 problem in the arguments\n  {told}"


def test_every_wrong_argument_is_told_at_once() -> None:
    wrong: dict[str, Any] = {"settings_dir": 1, "env": 2, "environ": 3, "overrides": 4, "sources": 5}
    with pytest.raises(SettingsError, match=r"\A6 problems in the arguments") as caught:
        ModelManager.load(**wrong, checks_credentials=None)  # type: ignore[arg-type]  # because: that is the fault
    assert len(caught.value.problems) == 6


def test_sources_may_come_one_by_one(load: Load) -> None:
    def sources() -> Iterator[dict[str, str]]:
        yield {"A_KEY": "a"}

    assert load(sources=sources()).backends["a"].is_ready


def test_a_variable_of_none_is_unset_and_a_path_may_be_of_any_type_of_paths(tmp_path: Path) -> None:
    class Place:
        def __fspath__(self) -> str:
            return str(tmp_path / "gone")

    with pytest.raises(SettingsError, match="places where settings are looked for"):
        ModelManager.load(Place(), environ={"A": None})  # type: ignore[arg-type,dict-item]  # because: both are taken


@pytest.mark.parametrize("make", [lambda: nested(50), lambda: doubled(9)])
def test_overrides_within_the_bounds_are_taken(load: Load, make: Callable[[], dict[str, Any]]) -> None:
    manager = load(overrides={"backends": {"a": {"own": make()}}})
    assert manager.settings.value_at(("backends", "a", "own")) == make()


def test_a_circle_costs_no_more_than_its_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelex_cogt.config.bounds import excess_of

    monkeypatch.chdir("/")
    assert steps(lambda: excess_of(circle())) < 2000
    assert steps(lambda: excess_of(doubled(1000))) < 5000
