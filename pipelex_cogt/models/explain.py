"""Explaining: why a name leads to a model, and where each value on the way was stated.

manager.explain("llm_to_reason")     # a preset, a model name, an alias, a backend, or a key path
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelex_cogt.config.key_paths import ROOT, KeyPath, format_key_path, near_names
from pipelex_cogt.config.layers import value_at
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.schema import child_schema, is_table, known_keys
from pipelex_cogt.config.secrets import mask_setting
from pipelex_cogt.config.settings import Settings
from pipelex_cogt.errors import UnknownNameError
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingDecision, TurnedDown
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.model_deck import ModelDeck
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA


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
        path: Its key path.
        stated: The layer that it came from.
        replaced: The values it replaced, the nearest layer first.
    """

    path: str
    stated: StatedValue
    replaced: tuple[StatedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class AliasStep:
    """One alias on the way.

    Attributes:
        alias: Its name.
        members: The names it stands for, in order.
        served: Those of them that lead to a model here.
    """

    alias: str
    members: tuple[str, ...]
    served: tuple[str, ...]


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


def explain(name: str, settings: Settings, deck: ModelDeck) -> Explanation:
    """Explain a preset, else a model name, an alias, a backend, or a key path such as `routing.active`.

    Raises:
        UnknownNameError: It is none of these.
    """
    if name in deck.llm_presets:
        preset: KeyPath = ("deck", "llm_presets", name)
        handle = deck.llm_presets[name].llm_handle
        return _explain_handle(name, "preset", handle, settings, deck, (*_values(preset, settings),))
    if name in deck.inference_models or (name in deck.backends.known_models and name not in deck.aliases):
        return _explain_handle(name, "model", name, settings, deck, ())
    if name in deck.aliases:
        return _explain_handle(name, "alias", name, settings, deck, ())
    if name in deck.backends:
        return Explanation(name, "backend", backend=name, values=(*_values(("backends", name), settings),))
    path = _parse_key_path(name)
    if stated := (*_values(path, settings),) or (*_values(_in_defaults(path), settings),):
        return Explanation(name, "key path", values=stated)
    if len(path) > 1 and _is_known(path):
        return Explanation(name, "key path", absence="nothing states it")
    known = [*deck.llm_presets, *deck.backends.known_models, *deck.aliases, *deck.backends]
    near = near_names(name, known) or _near_paths(path, settings)
    raise UnknownNameError(name, "preset, model, alias, backend or key path", near)


def _explain_handle(
    name: str, kind: str, handle: str, settings: Settings, deck: ModelDeck, values: tuple[ExplainedValue, ...]
) -> Explanation:
    steps = (*_alias_steps(handle, deck),)
    for step in steps:
        values += (*_values(("deck", "aliases", step.alias), settings),)
    served = deck.is_served(handle)
    model = deck.get_inference_model(handle).name if served else _known_model(handle, steps, deck)
    decision = None if model is None else _full_decision(model, deck)
    spec = deck.inference_models[model] if model is not None and served else None
    if decision is not None:
        values += (*_routing_values(decision, settings, deck),)
    if spec is None and model is not None:
        for backend in deck.backends.known_models[model]:
            values += (*_values(("models", backend, model, "enabled"), settings),)
            values += (*_values(("backends", backend, "enabled"), settings),)
            values += (*_values(("inference_config", "enabled_backends"), settings),)
    if spec is not None:
        values += (*_model_values(spec.backend_name, spec.name, settings),)
        values += (*_values(("backends", spec.backend_name), settings),)
    return Explanation(
        name=name,
        kind=kind,
        handle=handle,
        aliases=steps,
        model=model,
        decision=decision,
        backend=spec.backend_name if spec else None,
        model_id=spec.stated_model_id if spec else None,
        absence=None if served else deck.why_absent(handle),
        values=values,
    )


def _alias_steps(handle: str, deck: ModelDeck) -> Iterator[AliasStep]:
    """The aliases from a handle to its model: at each, on to the first member that is served."""
    seen: set[str] = set()
    while handle in deck.aliases and handle not in deck.inference_models and handle not in seen:
        seen.add(handle)
        members = members_of(deck.aliases[handle])
        served = tuple(member for member in members if deck.is_served(member))
        yield AliasStep(handle, members, served)
        handle = served[0] if served else members[0]


def _known_model(handle: str, steps: tuple[AliasStep, ...], deck: ModelDeck) -> str | None:
    """The first model that an unserved handle would lead to."""
    last = steps[-1].members[0] if steps else handle
    return last if last in deck.backends.known_models else None


def _full_decision(model: str, deck: ModelDeck) -> RoutingDecision:
    """The routing decision, with the candidates that were not asked any more."""
    decision = deck.routing.decide(model)
    asked = len(decision.turned_down) + (decision.backend is not None)
    later = [*deck.routing.active.candidates(model)][asked:]
    not_asked = (TurnedDown(backend, rule, key, RouteRefusal.NOT_ASKED) for rule, key, backend in later)
    return decision._replace(turned_down=(*decision.turned_down, *not_asked))


def _routing_values(decision: RoutingDecision, settings: Settings, deck: ModelDeck) -> Iterator[ExplainedValue]:
    """Which profile is active, and the rule that decided."""
    yield from _values(("routing", "active"), settings)
    profile: KeyPath = ("routing", "profiles", deck.routing.active.name)
    if decision.key is not None:
        for field in ("routes", "optional_routes"):
            yield from _values((*profile, field, decision.key), settings)
    elif decision.backend is not None:
        key = "default" if decision.backend == deck.routing.active.default else "fallback_order"
        yield from _values((*profile, key), settings)


def _model_values(backend: str, model: str, settings: Settings) -> Iterator[ExplainedValue]:
    """What the model's own table states, and what it takes from the `[defaults]` of its file."""
    own = [*_values(("models", backend, model), settings)]
    yield from own
    own_keys = {value.path.removeprefix(format_key_path(("models", backend, model))) for value in own}
    for value in _values(("models", backend, DEFAULTS_KEY), settings):
        if value.path.removeprefix(format_key_path(("models", backend, DEFAULTS_KEY))) not in own_keys:
            yield value


def _is_known(path: KeyPath) -> bool:
    """Whether the schema knows a key path, down to a key that it names."""
    schema: Any = SETTINGS_SCHEMA
    for key in path:
        if str(key) not in known_keys(schema) and not is_table(child_schema(schema, str(key))):
            return False
        schema = child_schema(schema, str(key))
    return True


def _in_defaults(path: KeyPath) -> KeyPath:
    """Where a key of a model is stated for every model of its file."""
    is_of_model = path[:1] == ("models",) and len(path) > len(("models", "backend", "model"))
    return (*path[:2], DEFAULTS_KEY, *path[3:]) if is_of_model else ("",)


def _near_paths(path: KeyPath, settings: Settings) -> tuple[str, ...]:
    """Key paths like this one but for the last key."""
    table = value_at(settings.tree, path[:-1])
    near = near_names(str(path[-1]), table) if isinstance(table, Mapping) else ()
    return tuple(format_key_path((*path[:-1], key)) for key in near)


def _values(path: KeyPath, settings: Settings) -> Iterator[ExplainedValue]:
    """Every value at or below a key path, with the layers that state it."""
    missing = object()
    value = value_at(settings.tree, path, missing)
    if isinstance(value, Mapping):
        for key in value:
            yield from _values((*path, key), settings)
    elif value is not missing:
        stated = [
            StatedValue(
                value=_shown(path, value_at(layer.table, path)),
                layer=layer.origin.kind.label,
                environment=layer.origin.environment,
                place=str(layer.origin.place(path)),
            )
            for layer in reversed(settings.layers_stating(path))
        ]
        yield ExplainedValue(format_key_path(path), stated[0], tuple(stated[1:]))


def _shown(path: KeyPath, value: Any) -> Any:
    """A value as it may be shown: only backends hold secrets."""
    return mask_setting(str(path[-1]), value) if path[0] == "backends" else value


def _parse_key_path(text: str) -> KeyPath:
    """A key path as TOML writes it, with or without the root."""
    try:
        table: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ("",)
    path: KeyPath = ()
    while isinstance(table, dict):
        key = next(iter(table))
        path, table = (*path, key), table[key]
    return path[1:] if path[0] == ROOT and len(path) > 1 else path
