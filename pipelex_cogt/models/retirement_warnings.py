"""Warnings about models that their providers stop serving: those that something the application asks for leads to.

What a name leads to never changes with the calendar, for providers move such dates.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.report import WHEREVER, ProblemReport
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.llm_setting import DISABLED
from pipelex_cogt.models.model_deck import ModelDeck

NOTICE = timedelta(days=60)
"""How long before a model's last day it is told."""


def warn_of_retirements(deck: ModelDeck, today: date, report: ProblemReport) -> None:
    """Note each model in force that retires soon, or has: once, at the line that an application can mend.

    Args:
        deck: The deck.
        today: The day to judge by.
        report: Where warnings are noted.
    """
    # A handle may pin a model to a backend that no rule leads to.
    for model in chain.from_iterable(backend.model_specs.values() for backend in deck.backends.enabled.values()):
        if model.retires is not None and model.retires - today <= NOTICE:
            _warn_of_retirement(model, model.retires, today, deck, report)


def _warn_of_retirement(
    model: InferenceModelSpec, retires: date, today: date, deck: ModelDeck, report: ProblemReport
) -> None:
    own = next(filter(report.is_own, _ways_to(model, deck)), None)
    if own is None and not _is_asked_for(model, deck):
        return
    verb = "retires" if retires > today else "retired"
    text = f"model {model.name!r} on backend {model.backend_name!r} {verb} on {retires}"
    hint = f"its successor is {model.successor!r}" if model.successor else "choose another model"
    # Only packaged lines may lead there; then the model's own is told, for the application has none to mend.
    report.warning(own or _place_of(model, deck, report), text, hint, WHEREVER)


def _place_of(model: InferenceModelSpec, deck: ModelDeck, report: ProblemReport) -> KeyPath:
    """Where it is stated that a model retires."""
    places = ((*table, "retires") for table in _tables_of(model, deck))
    return next(place for place in places if report.locate(place).stated == place)


def _tables_of(model: InferenceModelSpec, deck: ModelDeck) -> Iterator[KeyPath]:
    """The tables that may state a key of a model, the one that wins first."""
    lineage = deck.backends.lineage(model.backend_name)
    yield from (("models", backend, table) for table in (model.name, DEFAULTS_KEY) for backend in lineage)


def _ways_to(model: InferenceModelSpec, deck: ModelDeck) -> Iterator[KeyPath]:
    """The settings that lead to a model in force, those nearest to it first."""
    # The chains stand in an order in which each comes after those it leads to.
    yield from (("deck", "aliases", alias) for alias in deck.chains if deck.model_in_force(alias) is model)
    for preset, setting in deck.llm_presets.items():
        if deck.model_in_force(setting.llm_handle) is model:
            yield ("deck", "llm_presets", preset, "llm_handle")
    yield from (path for path, name in _choices(deck) if deck.model_in_force(deck.handle_of(name)) is model)


def _is_asked_for(model: InferenceModelSpec, deck: ModelDeck) -> bool:
    """Whether a preset or a choice leads to a model; a packaged alias alone is a word that nobody may use."""
    handles = (setting.llm_handle for setting in deck.llm_presets.values())
    chosen = (deck.handle_of(name) for _path, name in _choices(deck))
    return any(deck.model_in_force(handle) is model for handle in (*handles, *chosen))


def _choices(deck: ModelDeck) -> Iterator[tuple[KeyPath, str]]:
    """The preset, model or alias that each choice names, with its key path."""
    for key in ("llm_choice_overrides", "llm_choice_defaults"):
        for choice, name in getattr(deck, key):
            if name not in (None, DISABLED):
                yield ("deck", key, choice), name
