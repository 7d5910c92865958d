"""Explaining: why a name leads to a model, and where each value on the way was stated.

manager.explain("llm_to_reason")     # a preset, a model name, an alias, a backend, or a key path
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

from pipelex_cogt.config.flat_prices import settle_table
from pipelex_cogt.config.key_paths import ROOT, KeyPath, format_key_path
from pipelex_cogt.config.layers import Layer
from pipelex_cogt.config.masking import is_in_free_table, mask_setting
from pipelex_cogt.config.older_spellings import path_in_defaults
from pipelex_cogt.config.schema import child_schema, is_table, known_keys
from pipelex_cogt.config.settings import Settings
from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.config.tables import Table, has_value, leaves, merge, value_at
from pipelex_cogt.errors import UnknownNameError, check_name
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingDecision, RoutingRule, TurnedDown
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.handles import what_is_no_handle
from pipelex_cogt.models.llm_setting import LLMChoice
from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA

_STATED_IN = {
    RoutingRule.DEFAULT: ("default",),
    RoutingRule.FALLBACK: ("fallback_order",),
    RoutingRule.NONE: (),
    RoutingRule.PIN: (),
}
"""The keys of a profile that state a rule; any other rule is a route."""
_NAME = "preset, model, alias, backend or key path"
# No name has more dots in it than a version or two.
_MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A value as one layer states it; a secret is masked.

    Attributes:
        value: The value.
        layer: The layer, in words.
        environment: The environment whose table states it, or None.
        place: The file and line, or the variable's name.
    """

    value: Any
    layer: str
    environment: str | None
    place: str


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One value in force.

    Attributes:
        key_path: Its keys below the root `cogt`.
        stated: The layer that it came from.
        replaced: The values it replaced, the nearest layer first.
    """

    key_path: KeyPath
    stated: StatedValue
    replaced: tuple[StatedValue, ...] = ()

    @property
    def path(self) -> str:
        """Its key path as TOML writes it."""
        return format_key_path(self.key_path)


@dataclass(frozen=True, slots=True)
class AliasStep:
    """One alias on the way.

    Attributes:
        alias: Its name.
        members: The names it stands for, in order.
        served: Those of them that lead to a model here; the first of them is chosen.
    """

    alias: str
    members: tuple[str, ...]
    served: tuple[str, ...]

    @property
    def chosen(self) -> str | None:
        """The member that the alias leads to; None where it leads to no model."""
        return next(iter(self.served), None)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a name leads where it does.

    Attributes:
        name: What was asked.
        kind: "preset", "model", "alias", "backend" or "key path".
        handle: The handle that the preset names, or the name itself.
        aliases: The aliases on the way, in order.
        model: The model that it leads to, or None.
        decision: The routing decision for that model, with every candidate turned down.
        backend: The backend that serves it, or the backend asked for.
        model_id: The provider's string as stated, which may be a reference.
        absence: Why it leads to no model, or None.
        values: Every value on the way, with its origin.
        llm: What a call of the name gets: parameters, model and backend; None where it leads to no model.
    """

    name: str
    kind: str
    handle: str | None = None
    aliases: tuple[AliasStep, ...] = ()
    model: str | None = None
    decision: RoutingDecision | None = None
    backend: str | None = None
    model_id: str | None = None
    absence: str | None = None
    values: tuple[ExplainedValue, ...] = ()
    llm: ResolvedLLM | None = None


def explain(name: str, settings: Settings, deck: ModelDeck) -> Explanation:
    """Explain a preset, else a model name, an alias, a backend, or a key path such as `routing.active`.

    Raises:
        UnknownNameError: It is none of these.
    """
    check_name(name, _NAME)
    explainer = _Explainer(settings, deck)
    if name in deck.llm_presets:
        stated = explainer.values("deck", "llm_presets", name)
        return explainer.handle(name, "preset", deck.llm_presets[name].llm_handle, stated)
    # An alias that hides a model which is not served is what a caller gets.
    if name in deck.aliases and name not in deck.inference_models:
        return explainer.handle(name, "alias", name)
    if deck.backends.known_by(name):
        return explainer.handle(name, "model", name)
    if name in deck.backends:
        return explainer.backend(name)
    return explainer.key_path(name)


class _Explainer(NamedTuple):
    """What every explanation is made from."""

    settings: Settings
    deck: ModelDeck

    def backend(self, name: str) -> Explanation:
        """Explain a backend: what it states, and what keeps it out of use."""
        values = chain(self.values("backends", name), self.values("inference_config", "enabled_backends"))
        why = self.deck.backends[name].why_unused
        absence = f"backend {name!r} {why}" if why else None
        return Explanation(name, "backend", backend=name, absence=absence, values=tuple(values))

    def handle(self, name: str, kind: str, handle: str, stated: Iterable[ExplainedValue] = ()) -> Explanation:
        """Explain where a handle leads; `stated` are the values of what named it."""
        steps = tuple(self._alias_steps(handle))
        aliases = chain.from_iterable(self.values("deck", "aliases", step.alias) for step in steps)
        explanation = Explanation(name, kind, handle, steps, values=(*stated, *aliases))
        if self.deck.is_served(handle):
            spec = self.deck.get_inference_model(handle)
            served = chain(self._model_values(spec.backend_name, spec.name), self.values("backends", spec.backend_name))
            llm = self.deck.resolve(name)
            explanation = replace(explanation, backend=spec.backend_name, model_id=spec.stated_model_id, llm=llm)
            return self._with_decision(explanation, self.deck.address(spec), served)
        explanation = replace(explanation, absence=self.deck.why_absent(handle))
        # The first model that it would lead to.
        model = next(iter(steps[-1].members), handle) if steps else handle
        if not self.deck.backends.known_by(model):
            return explanation
        return self._with_decision(explanation, model, self._switches(model))

    def _with_decision(self, explanation: Explanation, model: str, further: Iterable[ExplainedValue]) -> Explanation:
        """Add the model that a handle leads to, the rule that decided, and further values behind it."""
        decision = self._full_decision(model)
        values = (*explanation.values, *self._routing_values(decision), *further)
        return replace(explanation, model=decision.model_name, decision=decision, values=values)

    def key_path(self, name: str) -> Explanation:
        """Explain a key path.

        Raises:
            UnknownNameError: It is none, and nothing else either.
        """
        path = _parse_key_path(name)
        stated = [*self.values(*path)]
        in_defaults = path_in_defaults(path)
        if in_defaults and not stated:
            stated = [*self.values(*in_defaults)]
        if stated:
            return Explanation(name, "key path", values=tuple(stated))
        if len(path) > 1 and _is_known(path):
            return Explanation(name, "key path", absence="nothing states it")
        raise UnknownNameError(name, _NAME, partial(self._near, name, path), partial(self._identity, name))

    def _near(self, name: str, path: KeyPath) -> tuple[str, ...]:
        """What may be meant by a name that nothing is called by."""
        known = [*self.deck.llm_presets, *self.deck.backends.known_models, *self.deck.aliases, *self.deck.backends]
        return self._path_with_dots(path) or near_names(name, known) or self._near_paths(path)

    def _identity(self, name: str) -> str | None:
        """What a name is that nothing to explain is called by, in words."""
        return self._choice(name) or what_is_no_handle((), self.deck.aliases, self.deck.backends, name)

    def values(self, *path: str | int) -> Iterator[ExplainedValue]:
        """Every value at or below a key path, with the layers that state it."""
        for place in self._places(path):
            last, *replaced = reversed(self.settings.layers_stating(place))
            # A list may go on with what is below: what is in force is more than what the last layer states.
            first = _stated(place, last, self.settings.value_at(place))
            below = (_stated(place, layer, value_at(layer, place)) for layer in replaced)
            yield ExplainedValue(place, first, tuple(below))

    def _places(self, path: KeyPath) -> list[KeyPath]:
        """The key path of every value at or below a key path."""
        # Where nothing stands an empty table does, which has no values.
        return [place for place, _ in leaves(value_at(self.settings.tree, path, {}), path, opens_lists=False)]

    def _alias_steps(self, handle: str) -> Iterator[AliasStep]:
        """The aliases from a handle to its model: at each, on to the first member that is served."""
        # A model name wins over an alias of the same name.
        leads_on = self.deck.aliases.keys() - self.deck.inference_models.keys()
        while handle in leads_on:
            leads_on.remove(handle)
            members = members_of(self.deck.aliases[handle])
            # A member with the alias's own name is the model of that name, which is not served.
            served = tuple(member for member in members if member != handle and self.deck.is_served(member))
            yield AliasStep(handle, members, served)
            handle = next(iter((*served, *members)), handle)

    def _full_decision(self, model: str) -> RoutingDecision:
        """The routing decision, with the candidates that were not asked any more."""
        decision = self.deck.routing.decide(model)
        if decision.rule is RoutingRule.PIN:
            return decision
        asked = len(decision.turned_down) + (decision.backend is not None)
        later = islice(self.deck.routing.active.candidates(model), asked, None)
        not_asked = (TurnedDown(backend, rule, key, RouteRefusal.NOT_ASKED) for rule, key, backend in later)
        return decision._replace(turned_down=(*decision.turned_down, *not_asked))

    def _routing_values(self, decision: RoutingDecision) -> Iterator[ExplainedValue]:
        """Which profile is active, and the rule that decided."""
        if decision.rule is not RoutingRule.PIN:
            yield from self.values("routing", "active")
        key = () if decision.key is None else (decision.key,)
        for field in _STATED_IN.get(decision.rule, ("routes", "optional_routes")):
            yield from self.values("routing", "profiles", self.deck.routing.active.name, field, *key)

    def _model_values(self, backend: str, model: str) -> Iterator[ExplainedValue]:
        """What the model's own table states, and what it takes from other tables: those of backends it is like too."""
        above: Table = {}
        for path in self.deck.backends.tables_of(backend, model):
            stated = value_at(self.settings.tree, path, {})
            above = settle_table(above, stated)
            for place in self._places(path):
                if not has_value(above, place[len(path) :]):
                    yield from self.values(*place)
            above = merge(stated, above)

    def _switches(self, model: str) -> Iterator[ExplainedValue]:
        """What may have switched a model off."""
        name = self.deck.backends.model_of(model)
        for backend in self.deck.backends.known_by(model):
            for table in self.deck.backends.tables_of(backend, name):
                yield from self.values(*table, "enabled")
            yield from self.values("backends", backend, "enabled")
        yield from self.values("inference_config", "enabled_backends")

    def _choice(self, name: str) -> str | None:
        """What a name is that is a choice's, in words."""
        return f"a choice: ask for {self.deck.chosen_name(name)!r}" if name in {*LLMChoice} else None

    def _path_with_dots(self, path: KeyPath) -> tuple[str, ...]:
        """The key path that is there when keys are put together to names with dots, which need quotes; or none."""
        table: Any = self.settings.tree
        keys, found = [*map(str, path)], list[str]()
        while keys and isinstance(table, Mapping):
            parts = next((end for end in range(_MOST_PARTS, 0, -1) if ".".join(keys[:end]) in table), 0)
            if not parts:
                return ()
            found.append(".".join(keys[:parts]))
            table, keys = table[found[-1]], keys[parts:]
        return () if keys else (format_key_path(tuple(found)),)

    def _near_paths(self, path: KeyPath) -> tuple[str, ...]:
        """Key paths like this one but for the last key."""
        table = value_at(self.settings.tree, path[:-1])
        near = near_names(str(path[-1]), table) if isinstance(table, Mapping) else ()
        return tuple(format_key_path((*path[:-1], key)) for key in near)


def _stated(path: KeyPath, layer: Layer, value: Any) -> StatedValue:
    """A value that a layer states at a key path; what is secret is masked."""
    origin = layer.origin
    shown = mask_setting(str(path[-1]), value) if path[0] == "backends" or is_in_free_table(path) else value
    return StatedValue(shown, origin.kind.label, origin.environment, str(origin.place(path)))


def _is_known(path: KeyPath) -> bool:
    """Whether the schema knows a key path, down to a key that it names."""
    schema: Any = SETTINGS_SCHEMA
    for key in path:
        inner = child_schema(schema, key)
        if str(key) not in known_keys(schema) and not is_table(inner):
            return False
        schema = inner
    return True


def _parse_key_path(text: str) -> KeyPath:
    """A key path as TOML writes it, with or without the root."""
    table: Table = {}
    with suppress(tomllib.TOMLDecodeError):
        table = tomllib.loads(f"{text} = 0")
    path, _ = next(leaves(table, opens_lists=False), (("",), None))
    return path[1:] if path[0] == ROOT and len(path) > 1 else path
