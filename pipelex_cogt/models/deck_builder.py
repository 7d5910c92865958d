"""Building the model deck: route every model, resolve every alias, check every preset and choice."""

from __future__ import annotations

from collections.abc import Mapping

from pipelex_cogt.config.building import build_noting
from pipelex_cogt.config.frozen import FrozenDict
from pipelex_cogt.config.key_paths import KeyPath, did_you_mean
from pipelex_cogt.config.layers import Table
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.aliases import check_members, read_aliases, resolve_chains
from pipelex_cogt.models.llm_setting import DISABLED, LLMChoice, LLMChoices, LLMSetting
from pipelex_cogt.models.model_deck import ModelDeck

_SETTING_KEYS = tuple(LLMSetting.model_fields)


def build_model_deck(tree: Table, routing: RoutingProfileLibrary, report: ProblemReport) -> ModelDeck:
    """Build the deck; faults are noted, and what has one is left out.

    Args:
        tree: The merged settings.
        routing: The routing profiles, with the backends they lead to.
        report: Where problems are noted.
    """
    deck_table: Table = tree.get("deck", {})
    known_models = routing.backends.known_models
    served = route_models(routing)
    alias_table: Table = deck_table.get("aliases", {})
    aliases = read_aliases(alias_table, report)
    check_members(alias_table, known_models, report)
    deck = ModelDeck(
        inference_models=FrozenDict(served),
        aliases=FrozenDict(aliases),
        llm_presets=FrozenDict(_read_presets(deck_table.get("llm_presets", {}), report)),
        llm_choice_defaults=_read_choices("llm_choice_defaults", deck_table, report),
        llm_choice_overrides=_read_choices("llm_choice_overrides", deck_table, report),
        backends=routing.backends,
        routing=routing,
        chains=FrozenDict(resolve_chains(aliases, served, known_models, report)),
    )
    _check_presets(deck, report)
    _check_choices(deck, report)
    return deck


def route_models(routing: RoutingProfileLibrary, profile: str | None = None) -> dict[str, InferenceModelSpec]:
    """The models that a routing profile serves, by model name; None for the active profile."""
    served: dict[str, InferenceModelSpec] = {}
    names = dict.fromkeys(name for backend in routing.backends.enabled.values() for name in backend.model_specs)
    for name in names:
        decision = routing.decide(name, profile)
        if decision.backend is not None:
            served[name] = routing.backends[decision.backend].model_specs[name]
    return served


def _read_presets(tables: Mapping[str, Table], report: ProblemReport) -> dict[str, LLMSetting]:
    built = {
        name: build_noting(LLMSetting, table, ("deck", "llm_presets", name), report, known={(): _SETTING_KEYS})
        for name, table in tables.items()
    }
    return {name: setting for name, setting in built.items() if setting is not None}


def _read_choices(key: str, deck_table: Table, report: ProblemReport) -> LLMChoices:
    known: Mapping[KeyPath, tuple[str, ...]] = {(): tuple(LLMChoices.model_fields)}
    return build_noting(LLMChoices, deck_table.get(key, {}), ("deck", key), report, known=known) or LLMChoices()


def _check_presets(deck: ModelDeck, report: ProblemReport) -> None:
    """Every preset names something known and fits the model it resolves to; the rest of its chain is a warning."""
    for name, setting in deck.llm_presets.items():
        path = ("deck", "llm_presets", name)
        handle = setting.llm_handle
        if handle not in deck.aliases and handle not in deck.backends.known_models:
            is_doubtful = report.may_hide_model(handle) or report.has_fault("deck", "aliases", handle)
            if not is_doubtful and not report.is_unknown("deck", "aliases", handle):
                near = did_you_mean(handle, [*deck.backends.known_models, *deck.aliases])
                report.error((*path, "llm_handle"), f"no model or alias is called {handle!r}", near)
            continue
        chain = (deck.inference_models[handle],) if handle in deck.inference_models else deck.chains.get(handle, ())
        for position, model in enumerate(chain):
            for field, problem in setting.faults_for(model):
                note = report.error if position == 0 else report.warning
                note((*path, field), problem)


def _check_choices(deck: ModelDeck, report: ProblemReport) -> None:
    defaults = ("deck", "llm_choice_defaults")
    may_be_stated = report.is_unknown(*defaults) or report.has_fault(*defaults)
    for choice in LLMChoice:
        path = (*defaults, choice.value)
        preset = getattr(deck.llm_choice_defaults, choice)
        if preset is not None:
            _check_choice(preset, path, deck, report)
        elif not may_be_stated:
            report.error(path, "required, and nothing states it", "name the preset used when the caller names none")
        override = getattr(deck.llm_choice_overrides, choice)
        if override not in (None, DISABLED):
            _check_choice(override, ("deck", "llm_choice_overrides", choice.value), deck, report)


def _check_choice(preset: str, path: tuple[str, ...], deck: ModelDeck, report: ProblemReport) -> None:
    """A choice names a preset that leads to a model."""
    if not _is_preset(preset, path, deck, report) or report.has_fault("deck", "llm_presets", preset):
        return
    if _is_doubtful(deck.llm_presets[preset].llm_handle, deck, report):
        return
    try:
        deck.resolve(preset)
    except LookupError as error:
        report.error(path, f"preset {preset!r} leads to no model that is served: {error}")


def _is_doubtful(handle: str, deck: ModelDeck, report: ProblemReport) -> bool:
    """Whether a fault told elsewhere may be why a handle leads to no model."""
    active = deck.routing.active.name
    places: list[tuple[str, ...]] = [("inference_config",), ("routing", "active"), ("routing", "profiles", active)]
    for model in deck.models_behind(handle):
        if report.may_hide_model(model) or report.is_unknown("deck", "aliases", model):
            return True
        places.append(("deck", "aliases", model))
        backends = deck.backends.known_models.get(model, ())
        places += [("models", backend, model) for backend in backends]
        places += [("backends", backend) for backend in backends]
    aliases = (("deck", "aliases", alias) for alias in deck.aliases_behind(handle))
    return any(report.has_fault(*place) or report.is_unknown(*place) for place in [*places, *aliases])


def _is_preset(name: str, path: tuple[str, ...], deck: ModelDeck, report: ProblemReport) -> bool:
    if name in deck.llm_presets:
        return True
    if not report.has_fault("deck", "llm_presets", name) and not report.is_unknown("deck", "llm_presets", name):
        known = [*deck.llm_presets, *([DISABLED] if "llm_choice_overrides" in path else [])]
        report.error(path, f"no preset is called {name!r}", did_you_mean(name, known))
    return False
