"""Aliases: names for one name or for a fallback chain, resolved to the models that are served."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import toml_type
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec

Alias: TypeAlias = str | tuple[str, ...]
Chain: TypeAlias = tuple[InferenceModelSpec, ...]
_LONGEST_TURN = 12


def members_of(alias: Alias) -> tuple[str, ...]:
    """The names an alias stands for, in order."""
    return (alias,) if isinstance(alias, str) else alias


def read_aliases(table: Mapping[str, Any], report: ProblemReport) -> dict[str, Alias]:
    """Read `[aliases]`; what is neither a name nor a list of names is noted and left out."""
    aliases: dict[str, Alias] = {}
    for name, value in table.items():
        path = ("deck", "aliases", name)
        if isinstance(value, str):
            aliases[name] = value
        elif not isinstance(value, list | tuple):
            report.error(path, f"expected a name or a list of names, got {toml_type(value)}")
        elif not value:
            report.error(path, "expected at least one name, got an empty list")
        else:
            for place, member in _stated_members(name, value):
                if not isinstance(member, str):
                    report.error(place, f"expected a name, got {toml_type(member)}")
            aliases[name] = tuple(member for member in value if isinstance(member, str))
    return aliases


def _stated_members(name: str, value: Any) -> Iterator[tuple[KeyPath, Any]]:
    """What an alias states, name or not, with its key path."""
    path = ("deck", "aliases", name)
    if isinstance(value, list | tuple):
        yield from (((*path, index), member) for index, member in enumerate(value))
    else:
        yield path, value


def check_members(table: Mapping[str, Any], known_models: Collection[str], report: ProblemReport) -> None:
    """Note every member that neither a backend's file nor another alias knows."""
    known = (*known_models, *table)
    for name, value in table.items():
        for path, member in _stated_members(name, value):
            if isinstance(member, str) and member not in table and member not in known_models:
                rests_on = [model_place(member), ("deck", "aliases", member)]
                report.unknown_name(path, "model or alias", NearName(member, known), unless=rests_on)


def resolve_chains(
    aliases: Mapping[str, Alias],
    served: Mapping[str, InferenceModelSpec],
    known_models: Collection[str],
    report: ProblemReport,
) -> dict[str, Chain]:
    """Every alias with the served models of its chain, depth first, each once.

    A model name wins over an alias of the same name; an alias that names itself means the model of that name.
    """

    def leads_on(name: str, member: str) -> bool:
        is_its_model = member == name and member in known_models
        return member in aliases and member not in served and not is_its_model

    below = {name: [each for each in members_of(alias) if leads_on(name, each)] for name, alias in aliases.items()}
    chains: dict[str, Chain] = {}
    for name in _in_order(below, report):
        found: dict[str, InferenceModelSpec] = {}
        for member in members_of(aliases[name]):
            models = (served[member],) if member in served else chains.get(member, ())
            found.update((model.name, model) for model in models if model.name not in found)
        chains[name] = tuple(found.values())
    return chains


def _in_order(below: dict[str, list[str]], report: ProblemReport) -> Iterator[str]:
    """The aliases, each after those it leads to; every cycle is noted, and the step that closes it left out."""
    declared = {name: position for position, name in enumerate(below)}
    remaining = below
    while True:
        try:
            yield from [*TopologicalSorter(remaining).static_order()]
        except CycleError as error:
            cycle: list[str] = error.args[1][::-1]
            # The circle is told from the name that is declared first, wherever the sorter came upon it.
            start = min(range(len(cycle) - 1), key=lambda index: declared[cycle[index]])
            turn = [*cycle[start:-1], *cycle[: start + 1]]
            report.error(("deck", "aliases", turn[0]), f"aliases lead in a circle: {_show_turn(turn)}")
            remaining = {**remaining, turn[-2]: [member for member in remaining[turn[-2]] if member != turn[0]]}
        else:
            return


def _show_turn(turn: list[str]) -> str:
    """A circle of names; of a long one the ends."""
    names = [repr(name) for name in turn]
    if len(names) > _LONGEST_TURN:
        names[_LONGEST_TURN // 2 : -2] = [f"{len(names) - _LONGEST_TURN // 2 - 2} more"]
    return " -> ".join(names)
