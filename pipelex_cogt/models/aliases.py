"""Aliases: names for one name or for a fallback chain, resolved to the models that are served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import FrozenDict, Table, leaves, toml_type
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import WILDCARD, InferenceModelSpec, ModelSpecs
from pipelex_cogt.models.circles import in_order
from pipelex_cogt.models.handles import Handles

Alias: TypeAlias = str | tuple[str, ...]
Chain: TypeAlias = tuple[InferenceModelSpec, ...]
_MOST_PLACES = 3
_LONGEST_KEPT = 100


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
        named = " and ".join(_abridge(places))
        text = f"taken away, while it is named by {named}"
        report.error(("deck", "aliases", name), text, "state it, or change what names it")


def _abridge(places: Sequence[str]) -> Sequence[str]:
    """Some places; of many the first ones, and how many come after them."""
    more = len(places) - _MOST_PLACES
    return places if more <= 0 else [*places[:_MOST_PLACES], f"{more} more"]


def _named(deck: Table) -> Iterator[tuple[KeyPath, Any]]:
    """Every handle that the deck states for something to call, with its key path."""
    presets = deck.get("llm_presets", {})
    for path, value in leaves(deck):
        is_handle = path[0] == "aliases" or path[-1] == "llm_handle"
        # A choice may name a preset, which comes before an alias of that name.
        is_choice = path[0] in ("llm_choice_defaults", "llm_choice_overrides") and value not in presets
        if is_handle or is_choice:
            yield path, value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chains(Mapping[str, Chain]):
    """Every alias with the served models of its chain, depth first, each once at each backend.

    A model name wins over an alias of the same name; an alias that names itself means the model of that name.
    A chain is put together when somebody asks for it: aliases that lead to each other have most of their models in
    common. Short ones are kept. The aliases stand in an order in which each comes after those that it leads to.

    Attributes:
        first: Every alias with the model that it leads to; None where it leads to none.
        aliases: Every alias with what it stands for.
        served: The models that are served by their name.
        backends: The backends that a model may be pinned to.
    """

    first: Mapping[str, InferenceModelSpec | None]
    aliases: Mapping[str, Alias]
    served: ModelSpecs
    backends: InferenceBackendLibrary
    _kept: dict[str, Chain] = field(default_factory=dict, init=False)

    def __getitem__(self, alias: str) -> Chain:
        if alias not in self.first:
            raise KeyError(alias)
        kept = self._kept.get(alias)
        if kept is not None:
            return kept
        chain = self._put_together(alias)
        if len(chain) <= _LONGEST_KEPT:
            self._kept[alias] = chain
        return chain

    def _put_together(self, alias: str) -> Chain:
        found: dict[tuple[str, str], InferenceModelSpec] = {}
        seen, waiting = {alias}, [*reversed(members_of(self.aliases[alias]))]
        while waiting:
            name = waiting.pop()
            model = self._model(name)
            if model is not None:
                found.setdefault((model.name, model.backend_name), model)
            elif name in self.aliases and name not in seen:
                seen.add(name)
                waiting += reversed(members_of(self.aliases[name]))
        return tuple(found.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self.first)

    def __len__(self) -> int:
        return len(self.first)

    def _model(self, name: str) -> InferenceModelSpec | None:
        return _served_by_name(name, self.served, self.backends)


def _served_by_name(name: str, served: ModelSpecs, backends: InferenceBackendLibrary) -> InferenceModelSpec | None:
    """The model that is served by a name, or by a name and its backend."""
    return served.get(name) or backends.pinned(name)


def resolve_chains(
    aliases: Mapping[str, Alias], served: ModelSpecs, backends: InferenceBackendLibrary, report: ProblemReport
) -> Chains:
    """The chain of every alias; aliases that lead in a circle are noted."""
    leads_on = (aliases.keys() - served.keys()).__contains__
    steps = {name: dict.fromkeys(filter(leads_on, members_of(alias))) for name, alias in aliases.items()}
    for name in filter(backends.known_models.__contains__, steps):
        steps[name].pop(name, None)
    first: dict[str, InferenceModelSpec | None] = {}
    for name in in_order(steps, report):
        members = members_of(aliases[name])
        models = (_served_by_name(member, served, backends) or first.get(member) for member in members)
        first[name] = next(filter(None, models), None)
    return Chains(FrozenDict(first), aliases, served, backends)
