"""Leads: where a handle leads when no credential is missing, and which settings decide it.

A preset is judged by the model that its settings lead to, whoever's keys are there. What is wrong with it, or with a
choice, is told at the setting that decides: `causes` for the report, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache, cached_property, partial
from itertools import chain, product
from typing import TypeAlias

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.errors import ModelNotRoutedError, NotAvailableError
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.model_deck import ModelDeck, nearest
from pipelex_cogt.models.parameter_rules import judged_by

Lead: TypeAlias = Callable[[str], InferenceModelSpec | None]
"""Answers which model a handle leads to; None where it leads to none."""
Members: TypeAlias = tuple[str, ...]


def lead_of_settings(deck: ModelDeck) -> Lead:
    """What answers where a handle leads when no credential is missing."""
    backends = deck.backends
    return deck.model_in_force if backends.served_with_every_key is backends.served else _EveryKey(deck)


class _EveryKey:
    """Where handles lead when no credential is missing, in a deck that leaves backends out for theirs."""

    def __init__(self, deck: ModelDeck) -> None:
        self._deck = deck

    def __call__(self, handle: str) -> InferenceModelSpec | None:
        return self._model(handle) or self._of_aliases.get(handle)

    def _model(self, name: str) -> InferenceModelSpec | None:
        """The model of that name; None where no rule leads to a backend that serves it."""
        backends = self._deck.backends
        if not backends.known_by(name):
            return None
        backend = self._deck.routing.judge(name, with_every_key=True).serving
        return backends.served_with_every_key[backend][backends.model_of(name)] if backend else None

    @cached_property
    def _of_aliases(self) -> dict[str, InferenceModelSpec | None]:
        found: dict[str, InferenceModelSpec | None] = {}
        # The chains stand in an order in which each comes after those it leads to.
        for alias in self._deck.chains:
            members = members_of(self._deck.aliases[alias])
            models = (self._model(member) or found.get(member) for member in members)
            found[alias] = next(filter(None, models), None)
        return found


class Absences:
    """Why the handles of a sound deck lead to no model: each name is looked at once, however many lead to it."""

    def __init__(self, deck: ModelDeck) -> None:
        self._deck = deck
        self._of_model = cache(deck.routing.absence)

    def __call__(self, handle: str) -> NotAvailableError:
        """Why a model name or an alias leads to no model, though something is called so."""
        return self._of_aliases[handle] if handle in self._deck.aliases else self._of_model(handle)

    @cached_property
    def _of_aliases(self) -> dict[str, NotAvailableError]:
        found: dict[str, NotAvailableError] = {}
        # The chains stand in an order in which each comes after those it leads to.
        for alias, model in self._deck.chains.first.items():
            if model is None:
                # A member with the alias's own name is the model of that name.
                members = members_of(self._deck.aliases[alias])
                found[alias] = nearest(found.get(member) or self._of_model(member) for member in members)
        return found


def causes_of_parameters(deck: ModelDeck, preset: str, parameter: str, lead: Lead) -> Iterator[KeyPath]:
    """The settings that decide which model takes a preset's parameters, and what that model takes.

    Args:
        deck: The deck.
        preset: The preset, which leads to a model.
        parameter: The parameter that is judged.
        lead: Answers where handles lead.
    """
    yield ("deck", "llm_presets", preset, "llm_handle")
    handle = deck.handle_of(preset)
    way = _aliases_from(handle, deck, partial(_leading_alias, lead))
    yield from (("deck", "aliases", alias) for alias in way)
    model = lead(handle)
    if model is not None:
        tables = deck.backends.tables_of(model.backend_name, model.name)
        yield from ((*table, key) for table, key in product(tables, judged_by(parameter)))
    yield from _switches(deck, handle)
    yield from _rules(deck, handle)


def _aliases_from(handle: str, deck: ModelDeck, choose: Callable[[Members], str]) -> Collection[str]:
    """The aliases on a way that begins with a handle and goes on, at each, to the member that `choose` tells."""
    way: dict[str, None] = {}
    name = choose((handle,))
    while name in deck.aliases and name not in way:
        way[name] = None
        name = choose(members_of(deck.aliases[name]))
    return way


def _leading_alias(lead: Lead, members: Members) -> str:
    """The first member that leads to a model; none where that is the model of its name, which wins over an alias."""
    first = next(filter(lead, members), "")
    model = lead(first)
    return first if model is not None and model.name != first else ""


def _only_member(members: Members) -> str:
    """The member that every way goes through; none where there are several."""
    return members[0] if len(members) == 1 else ""


def causes_of_absence(deck: ModelDeck, name: str, absence: NotAvailableError) -> Iterator[KeyPath]:
    """The settings that decide that a name leads to no model.

    Args:
        deck: The deck.
        name: A preset, a model name or an alias.
        absence: The reason that is told, of all models it might lead to.
    """
    handle = deck.handle_of(name)
    if name in deck.llm_presets:
        yield ("deck", "llm_presets", name, "llm_handle")
    aliases = [("deck", "aliases", alias) for alias in deck.behind(handle).aliases]
    # Of several members each would have been enough: what all of them have in common is nearer than one of them.
    common = len(_aliases_from(handle, deck, _only_member))
    yield from aliases[:common]
    # What is told is mended where the model that it tells of was switched off; other models come after it.
    groups = [chain(_switches(deck, absence.name), _switches(deck, handle)), _rules(deck, handle)]
    is_rule_first = isinstance(absence, ModelNotRoutedError) and bool(deck.backends.serving(absence.name))
    for group in reversed(groups) if is_rule_first else groups:
        yield from group
    yield from aliases[common:]


def _switches(deck: ModelDeck, handle: str) -> Iterator[KeyPath]:
    """What may have switched off the models that a handle names."""
    for name in deck.behind(handle).models:
        model = deck.backends.model_of(name)
        for backend in deck.backends.existing(deck.backends.known_by(name)):
            yield from backend.switched_off_by
            yield from ((*table, "enabled") for table in deck.backends.tables_of(backend.name, model))


def _rules(deck: ModelDeck, handle: str) -> Iterator[KeyPath]:
    """What says which backend is asked for the models that a handle names."""
    yield ("routing", "active")
    profile = ("routing", "profiles", deck.routing.active.name)
    for model in filter(deck.backends.known_by, deck.behind(handle).models):
        key = deck.routing.judge(model).key
        if key is not None:
            yield from ((*profile, routes, key) for routes in ("routes", "optional_routes"))
    yield from ((*profile, "default"), (*profile, "fallback_order"), profile)
