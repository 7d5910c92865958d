"""Building the model deck: route every model, resolve every alias, check every preset and choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table
from pipelex_cogt.config.validation import build_sound
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.aliases import check_members, read_aliases, resolve_chains
from pipelex_cogt.models.llm_setting import DISABLED, LLMChoice, LLMChoices, LLMSetting
from pipelex_cogt.models.model_deck import ModelDeck


def build_model_deck(tree: Table, routing: RoutingProfileLibrary, report: ProblemReport) -> ModelDeck:
    """Build the deck; faults are noted, and what has one is left out.

    Args:
        tree: The merged settings.
        routing: The routing profiles, with the backends they lead to.
        report: Where problems are noted.
    """
    table: Table = tree.get("deck", {})
    known_models = routing.backends.known_models
    served = route_models(routing)
    alias_table: Table = table.get("aliases", {})
    aliases = read_aliases(alias_table, report)
    check_members(alias_table, known_models, report)
    deck = ModelDeck(
        inference_models=FrozenDict(served),
        aliases=FrozenDict(aliases),
        llm_presets=FrozenDict(_read_presets(table.get("llm_presets", {}), report)),
        llm_choice_defaults=_read_choices("llm_choice_defaults", table, report),
        llm_choice_overrides=_read_choices("llm_choice_overrides", table, report),
        backends=routing.backends,
        routing=routing,
        chains=FrozenDict(resolve_chains(aliases, served, known_models, report)),
    )
    check = _Check(deck, report)
    check.presets()
    check.choices()
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
    presets: dict[str, LLMSetting] = {}
    for name, table in tables.items():
        setting = build_sound(LLMSetting, table, ("deck", "llm_presets", name), report)
        if setting is not None:
            presets[name] = setting
    return presets


def _read_choices(key: str, table: Table, report: ProblemReport) -> LLMChoices:
    return build_sound(LLMChoices, table.get(key, {}), ("deck", key), report) or LLMChoices()


class _Check(NamedTuple):
    """What presets and choices lead to, judged once the deck is there."""

    deck: ModelDeck
    report: ProblemReport

    def presets(self) -> None:
        """Every preset names something known and fits the model it resolves to; the rest of its chain is a warning."""
        known = (*self.deck.backends.known_models, *self.deck.aliases)
        for name, setting in self.deck.llm_presets.items():
            path, handle = ("deck", "llm_presets", name), setting.llm_handle
            if handle not in self.deck.aliases and handle not in self.deck.backends.known_models:
                rests_on = [model_place(handle), ("deck", "aliases", handle)]
                near = NearName(handle, known)
                self.report.unknown_name((*path, "llm_handle"), "model or alias", near, unless=rests_on)
            elif self.deck.is_served(handle):
                first, *others = self.deck.chain(handle)
                for field, problem in setting.faults_for(first):
                    self.report.error((*path, field), problem)
                for model in others:
                    for field, problem in setting.faults_for(model):
                        self.report.warning((*path, field), problem)

    def choices(self) -> None:
        """Every choice names a preset that leads to a model; each default is stated."""
        presets = (*self.deck.llm_presets,)
        defaults, overrides = ("deck", "llm_choice_defaults"), ("deck", "llm_choice_overrides")
        unstated = [choice for choice in LLMChoice if getattr(self.deck.llm_choice_defaults, choice) is None]
        hint = "name the preset used when the caller names none"
        self.report.required([(*defaults, choice.value) for choice in unstated], hint, unless=[defaults])
        for choice in LLMChoice:
            if choice not in unstated:
                preset = getattr(self.deck.llm_choice_defaults, choice)
                self._choice(preset, (*defaults, choice.value), presets)
            override = getattr(self.deck.llm_choice_overrides, choice)
            if override not in (None, DISABLED):
                self._choice(override, (*overrides, choice.value), (*presets, DISABLED))

    def _choice(self, preset: str, path: KeyPath, known: tuple[str, ...]) -> None:
        stated_at = ("deck", "llm_presets", preset)
        if preset not in self.deck.llm_presets:
            self.report.unknown_name(path, "preset", NearName(preset, known), unless=[stated_at])
            return
        try:
            self.deck.resolve(preset)
        except LookupError as error:
            rests_on = [stated_at, *self._places_behind(self.deck.llm_presets[preset].llm_handle)]
            text = f"preset {preset!r} leads to no model that is served: {error}"
            self.report.error(path, text, unless=rests_on)

    def _places_behind(self, handle: str) -> Iterator[KeyPath]:
        """The places that decide whether a handle leads to a model."""
        yield from (("inference_config",), ("routing", "active"))
        yield ("routing", "profiles", self.deck.routing.active.name)
        for alias in self.deck.aliases_behind(handle):
            yield ("deck", "aliases", alias)
        for model in self.deck.models_behind(handle):
            # A name at the end of a chain may be an alias that has a fault or could not be read.
            yield from (model_place(model), ("deck", "aliases", model))
            for backend in self.deck.backends.known_models.get(model, ()):
                yield from (("models", backend, model), ("backends", backend))
