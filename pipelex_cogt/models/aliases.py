"""Aliases: names for one name or for a fallback chain, resolved to the models that are served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import BELOW, Table, leaves, toml_type
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import WILDCARD, InferenceModelSpec, ModelSpecs
from pipelex_cogt.models.handles import Handles

Alias: TypeAlias = str | tuple[str, ...]
Chain: TypeAlias = tuple[InferenceModelSpec, ...]
_LONGEST_TURN = 12
_MOST_PLACES = 3


def members_of(alias: Alias) -> tuple[str, ...]:
    """The names an alias stands for, in order."""
    return (alias,) if isinstance(alias, str) else alias


def read_aliases(table: Table, handles: Handles, report: ProblemReport) -> dict[str, Alias]:
    """Read `[aliases]`; what is no name is noted and left out, a name that nothing is called by is noted.

    An empty list takes an alias away that a lower layer states.
    """
    stated = {name: value for name, value in table.items() if value != []}
    aliases: dict[str, Alias] = {}
    for name, value in stated.items():
        path = ("deck", "aliases", name)
        if WILDCARD in name:
            report.error(path, f"an alias's name holds no {WILDCARD}", "only routes are patterns")
        if isinstance(value, str):
            handles.check(value, path, report)
            aliases[name] = value
        elif not isinstance(value, list | tuple):
            report.error(path, f"expected a name or a list of names, got {toml_type(value)}")
        else:
            for index, member in enumerate(value):
                handles.check(member, (*path, index), report)
            aliases[name] = tuple(member for member in value if isinstance(member, str))
    return aliases


def check_taken_away(deck: Table, known_models: Collection[str], report: ProblemReport) -> None:
    """Note an alias that is taken away with an empty list although something names it.

    It is told once, where it is taken away: that nothing is called so is a consequence for all that name it.
    """
    taken = {name for name, value in deck.get("aliases", {}).items() if value == [] and name not in known_models}
    naming: defaultdict[str, list[str]] = defaultdict(list)
    for path, name in _named(deck) if taken else ():
        if name in taken:
            naming[name].append(format_key_path(("deck", *path)))
    for name, places in naming.items():
        named = " and ".join(_abridge(places, _MOST_PLACES, first=_MOST_PLACES))
        text = f"taken away, while it is named by {named}"
        report.error(("deck", "aliases", name), text, "state it, or change what names it")


def _named(deck: Table) -> Iterator[tuple[KeyPath, Any]]:
    """Every handle that the deck states for something to call, with its key path."""
    presets = deck.get("llm_presets", {})
    for path, value in leaves(deck):
        is_handle = path[0] == "aliases" or path[-1] == "llm_handle"
        # A choice may name a preset, which comes before an alias of that name.
        is_choice = path[0] in ("llm_choice_defaults", "llm_choice_overrides") and value not in presets
        if is_handle or is_choice:
            yield path, value


def resolve_chains(
    aliases: Mapping[str, Alias], served: ModelSpecs, backends: InferenceBackendLibrary, report: ProblemReport
) -> dict[str, Chain]:
    """Every alias with the served models of its chain, depth first, each once at each backend.

    A model name wins over an alias of the same name; an alias that names itself means the model of that name.
    """
    leads_on = (aliases.keys() - served.keys()).__contains__
    below = {name: dict.fromkeys(filter(leads_on, members_of(alias))) for name, alias in aliases.items()}
    for name in filter(backends.known_models.__contains__, below):
        below[name].pop(name, None)
    chains: dict[str, Chain] = {}
    for name in _in_order(below, report):
        found: dict[tuple[str, str], InferenceModelSpec] = {}
        for member in members_of(aliases[name]):
            model = served.get(member) or backends.pinned(member)
            models = (model,) if model else chains.get(member, ())
            found.update(((model.name, model.backend_name), model) for model in models)
        chains[name] = tuple(found.values())
    return chains


def _in_order(below: dict[str, dict[str, None]], report: ProblemReport) -> list[str]:
    """The aliases, each after those it leads to; every cycle is noted, and the step that closes it taken out."""
    while True:
        try:
            return [*TopologicalSorter(below).static_order()]
        except CycleError as error:
            # The sorter tells the circle against the direction of the aliases, with its first name twice.
            cycle: list[str] = error.args[1][:0:-1]
        # The circle is told from the name that is declared first, wherever the sorter came upon it.
        first = next(filter({*cycle}.__contains__, below))
        start = cycle.index(first)
        turn = [*cycle[start:], *cycle[:start], first]
        causes = [("deck", "aliases", alias) for alias in turn]
        # Whoever names an alias in itself mostly means what it stands for so far.
        hint = f'"{BELOW}" stands for what the layer below says' if turn == [first, first] else None
        text = f"aliases lead in a circle: {_show_turn(turn)}"
        report.error(("deck", "aliases", first), text, hint, causes=causes)
        del below[turn[-2]][first]


def _show_turn(turn: list[str]) -> str:
    """A circle of names; of a long one the ends."""
    return " -> ".join(_abridge([*map(repr, turn)], _LONGEST_TURN, first=_LONGEST_TURN // 2, last=2))


def _abridge(names: Sequence[str], longest: int, first: int, last: int = 0) -> Sequence[str]:
    """Some names; of more than `longest` the first and the last ones, and how many are between them."""
    if len(names) <= longest:
        return names
    end = len(names) - last
    return [*names[:first], f"{end - first} more", *names[end:]]
