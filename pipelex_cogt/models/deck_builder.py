"""Building the model deck: route every model, resolve every alias, check every preset and choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table
from pipelex_cogt.config.validation import build_sound
from pipelex_cogt.errors import MissingCredentialError, NotAvailableError
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.aliases import check_taken_away, read_aliases, resolve_chains
from pipelex_cogt.models.handles import Handles
from pipelex_cogt.models.leads import causes_of_absence, causes_of_parameters, lead_of_settings
from pipelex_cogt.models.llm_setting import DISABLED, LLMChoices, LLMSetting
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
    served = FrozenDict(route_models(routing))
    stated = (name for name, value in table.get("aliases", {}).items() if value != [])
    handles = Handles(routing.backends, stated, table.get("llm_presets", {}))
    _check_enabled_backends(tree, report)
    check_taken_away(table, known_models, report)
    aliases = FrozenDict(read_aliases(table.get("aliases", {}), handles, report))
    deck = ModelDeck(
        inference_models=served,
        aliases=aliases,
        llm_presets=FrozenDict(_read_presets(table.get("llm_presets", {}), report)),
        llm_choice_defaults=_read_choices("llm_choice_defaults", table, report),
        llm_choice_overrides=_read_choices("llm_choice_overrides", table, report),
        backends=routing.backends,
        routing=routing,
        chains=resolve_chains(aliases, served, routing.backends, report),
    )
    check = _Check(deck, report, handles)
    check.presets()
    check.choices()
    return deck


def _check_enabled_backends(tree: Table, report: ProblemReport) -> None:
    """An empty list says that no backend is in use: that no choice leads to a model is told there, once."""
    if tree.get("inference_config", {}).get("enabled_backends") == []:
        problem = "names no backend, so that no choice leads to a model"
        report.error(("inference_config", "enabled_backends"), problem, "name one")


def route_models(routing: RoutingProfileLibrary, profile: str | None = None) -> dict[str, InferenceModelSpec]:
    """The models that a routing profile serves, by model name; None for the active profile."""
    served: dict[str, InferenceModelSpec] = {}
    for name in dict.fromkeys(chain.from_iterable(routing.backends.served.values())):
        backend = routing.judge(name, profile).serving
        if backend is not None:
            served[name] = routing.backends.served[backend][name]
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
    handles: Handles

    def presets(self) -> None:
        """Every preset names something known, and fits the model that it leads to when no credential is missing."""
        lead = lead_of_settings(self.deck)
        for name, setting in self.deck.llm_presets.items():
            path = ("deck", "llm_presets", name)
            self.handles.check(setting.llm_handle, (*path, "llm_handle"), self.report)
            model = lead(setting.llm_handle)
            for field, problem in setting.faults_for(model) if model else ():
                causes = partial(causes_of_parameters, self.deck, name, field, lead)
                self.report.error((*path, field), problem, causes=causes)

    def choices(self) -> None:
        """Every choice names a preset, a model or an alias that leads to a model; each default is stated."""
        path, known = ("deck", "llm_choice_defaults"), self.deck.names()
        unstated = [(*path, choice) for choice, name in self.deck.llm_choice_defaults if name is None]
        hint = "name the preset, model or alias used when the caller names none"
        self.report.required(unstated, hint, unless=[path])
        defaults = self.deck.llm_choice_defaults.model_dump(exclude_none=True)
        overrides = self.deck.llm_choice_overrides.model_dump(exclude_none=True)
        # Of each handle the names that lead to it.
        leading = Counter(map(self.deck.handle_of, {*defaults.values(), *overrides.values()}))
        for choice, name in defaults.items():
            self._choice(name, (*path, choice), known, leading)
        for choice, name in overrides.items():
            if name != DISABLED:
                self._choice(name, ("deck", "llm_choice_overrides", choice), {**known, DISABLED: "word"}, leading)

    def _choice(self, name: str, path: KeyPath, known: Mapping[str, str], leading: Mapping[str, int]) -> None:
        stated_at = [("deck", "llm_presets", name), ("deck", "aliases", name)]
        if name not in known and self.deck.backends.pin(name) is None:
            near = NearName(name, known, what_is=self.handles.what_is)
            self.report.unknown_name(path, "preset, model or alias", near, unless=[*stated_at, model_place(name)])
            return
        try:
            self.deck.resolve(name)
        except MissingCredentialError:
            # Whoever uses it hears of the key that is missing: that is no fault of the choice.
            return
        except NotAvailableError as error:
            handle = self.deck.handle_of(name)
            behind = self._places_behind(handle)
            # What several names lead to is told as one fault of all of them.
            told = f"{known.get(name, 'model')} {name!r}" if leading[handle] == 1 else f"handle {handle!r}"
            text = f"{told} leads to no model that is served: {error}"
            causes = partial(causes_of_absence, self.deck, name, error)
            self.report.error(path, text, unless=[*stated_at, *behind], causes=causes)

    def _places_behind(self, handle: str) -> Iterator[KeyPath]:
        """The places that decide whether a handle leads to a model."""
        yield from (("inference_config",), ("routing", "active"))
        yield ("routing", "profiles", self.deck.routing.active.name)
        behind = self.deck.behind(handle)
        yield from (("deck", "aliases", alias) for alias in behind.aliases)
        for model in behind.models:
            # A name at the end of a chain may be an alias that has a fault or could not be read.
            yield from (model_place(model), ("deck", "aliases", model))
            name = self.deck.backends.model_of(model)
            for backend in self.deck.backends.known_by(model):
                yield from (*self.deck.backends.tables_of(backend, name), ("backends", backend))
