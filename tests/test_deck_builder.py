"""Building the deck: work grows with aliases, presets and faults, however they are tied to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import pytest

from pipelex_cogt import ModelManager, SettingsError
from tests.conftest import MINIMAL, WriteTree, steps

Deck: TypeAlias = Mapping[str, Any]


def models(count: int, name: str = "m") -> str:
    return "\n".join(["[defaults]", "sdk = 's'", *(f"[{name}-{index}]" for index in range(count))])


def a_chain(count: int, name: str = "m") -> Deck:
    """Presets on one alias of as many members."""
    return {
        "aliases": {"wide": [f"{name}-{index}" for index in range(count)]},
        "llm_presets": {f"q{index}": {"llm_handle": "wide"} for index in range(count)},
    }


def levels(end: str, **parameters: Any) -> Callable[[int], Deck]:
    """Presets on one alias that leads through as many others."""

    def make(count: int) -> Deck:
        aliases = {f"x{index}": f"x{index + 1}" for index in range(count)}
        presets = {f"q{index}": {"llm_handle": "x0", **parameters} for index in range(count)}
        return {"aliases": {**aliases, f"x{count}": end}, "llm_presets": presets}

    return make


def a_staircase(count: int) -> Deck:
    return {"aliases": {f"x{index}": [f"m-{index}", f"x{index + 1}"] for index in range(count)} | {f"x{count}": "m-0"}}


def unknown_members(count: int) -> Deck:
    return {"aliases": {f"x{index}": ["m-0", f"m{index}-"] for index in range(count)}}


def taken_away(count: int) -> Deck:
    return {
        "aliases": {f"x{index}": [] for index in range(count)} | {f"y{index}": f"x{index}" for index in range(count)}
    }


def loading(write_tree: WriteTree, make: Callable[[int], Deck], count: int) -> int:
    """The steps of a load, with its warnings."""
    files = {**MINIMAL, "backends/a.toml": models(count), "backends/off.toml": models(count, "off")}
    packaged = {"deck/base.toml": "aliases.best = 'm-0'\nllm_presets.p.llm_handle = 'best'\n" + CHOICES}
    directory = write_tree({**files, **packaged, "backends/b.toml": "[b-0]\nsdk = 's'"})
    deck = make(count)

    def load() -> None:
        with suppress(SettingsError):
            assert ModelManager.load(directory, environ={}, overrides={"deck": deck}).warnings is not None

    return steps(load)


CHOICES = "llm_choice_defaults = { for_text = 'p', for_object = 'p' }"
DIMENSIONS: dict[str, Callable[[int], Deck]] = {
    "presets on a chain": a_chain,
    "presets on a chain that leads nowhere": lambda count: a_chain(count, "off"),
    "presets on levels": levels("m-0"),
    "presets on levels that lead nowhere": levels("off-0"),
    "presets with a fault each": levels("m-0", temperature=9),
    "a staircase": a_staircase,
    "unserved members": lambda count: {"aliases": {"x": [f"off-{index}" for index in range(count)] + ["m-0"]}},
    "unknown members": unknown_members,
    "aliases that are taken away": taken_away,
}


@pytest.mark.slow
@pytest.mark.parametrize("make", DIMENSIONS.values(), ids=DIMENSIONS)
def test_work_grows_with_what_is_stated(write_tree: WriteTree, make: Callable[[int], Deck]) -> None:
    few, many = (loading(write_tree, make, count) for count in (300, 1_200))
    assert many < 4.4 * few
