"""`pipelex-cogt diff A B`: what differs for a caller between two environments, or two routing profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import filterfalse, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, counted, doubtful, good, listed, text_of
from pipelex_cogt.models.difference import LEADS_TO, Difference, find_config_differences, find_differences
from pipelex_cogt.models.model_manager import ModelManager

Told: TypeAlias = Mapping[str, Any]
"""A difference as data."""


def diff_decks(sides: Iterable[str], env: str | None, settings_dir: Path | None, is_profile: bool) -> list[Difference]:
    """What differs between two environments, or two routing profiles in one; no credential is asked for."""
    managers = []
    for name in sides:
        chosen, overrides = (env, {"routing": {"active": name}}) if is_profile else (name, None)
        managers.append(ModelManager.load(settings_dir, chosen, overrides=overrides, checks_credentials=False))
    configs = find_config_differences(*(manager.settings.inference_config for manager in managers))
    return [*configs, *find_differences(*(manager.deck for manager in managers))]


def print_differences(differences: list[Told], page: Page) -> None:
    """Print what `diff_decks` found, each difference as data: how many there are, then each of them once."""
    if not differences:
        page.line("no differences")
        return
    page.flow(listed(_summary(differences)))
    for (kind, name), changes in groupby(filterfalse(_is_lead, differences), key=_thing):
        _print_thing(f"{kind} {name} ", [*changes], page)
    _print_leads(filter(_is_lead, differences), page)


_thing = itemgetter("kind", "name")
"""What a difference is about."""


def _is_lead(difference: Told) -> bool:
    return bool(difference["field"] == LEADS_TO)


def _summary(differences: Iterable[Told]) -> list[str]:
    """How many models move, appear, vanish and change, and how many of everything else differ."""
    # A thing with several fields that differ is counted once, by what weighs most.
    found: dict[tuple[str, str], str] = {}
    for each in differences:
        thing = _thing(each)
        found[thing] = min(found.get(thing, _CHANGE), _what_happens(each), key=_BY_WEIGHT.index)
    numbers = Counter((kind, what) for (kind, _), what in found.items())
    return [_count(number, kind, what) for (kind, what), number in numbers.items()]


_APPEAR, _VANISH, _MOVE, _CHANGE = _BY_WEIGHT = ("appear", "vanish", "move", "change")


def _what_happens(difference: Told) -> str:
    if difference["field"] is None:
        return _APPEAR if difference["before"] is None else _VANISH
    return _MOVE if difference["field"] == "backend_name" else _CHANGE


def _count(number: int, kind: str, what: str) -> str:
    verb = _OF_ONE[what] if number == 1 else what
    return f"{counted(number, kind, _PLURALS.get(kind, ''))} {verb}"


_OF_ONE: Mapping[str, str] = {_APPEAR: "appears", _VANISH: "vanishes", _MOVE: "moves", _CHANGE: "changes"}
_PLURALS: Mapping[str, str] = {"alias": "aliases"}
_MARKS: Mapping[str, tuple[Piece, str]] = {_APPEAR: (good("+"), "after"), _VANISH: (bad("-"), "before")}
"""How a thing is printed that one side has alone: its mark, and the side that tells of it."""


def _print_thing(name: str, changes: list[Told], page: Page) -> None:
    first, what = changes[0], _what_happens(changes[0])
    if what in _MARKS:
        mark, side = _MARKS[what]
        page.line(mark, name, first[side])
    else:
        page.flow([doubtful("~"), name, *listed(map(_change, changes))], hang=4)


def _change(difference: Told) -> Piece:
    before, after = text_of(difference["before"]), text_of(difference["after"])
    return Piece(f"{difference['field']}: {before} -> {after}")


def _print_leads(leads: Iterable[Told], page: Page) -> None:
    """Print what leads to another model, everything that changes in the same way in one entry."""
    names: dict[tuple[str, str], list[str]] = {}
    for each in leads:
        change = (text_of(each["before"]), text_of(each["after"]))
        names.setdefault(change, []).append(f"{each['kind']} {each['name']}")
    for (before, after), things in names.items():
        page.flow([doubtful("~"), f"{LEADS_TO}: {before} -> {after} ", *listed(things)], hang=4)
