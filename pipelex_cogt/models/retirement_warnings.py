"""Warnings about models that their providers stop serving: those that something the application asks for leads to.

What a name leads to never changes with the calendar, for providers move such dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import chain

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import WHEREVER, ProblemReport
from pipelex_cogt.model_backends.backend_library import Pin
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.llm_setting import DISABLED
from pipelex_cogt.models.model_deck import ModelDeck

NOTICE = timedelta(days=60)
"""How long before a model's last day it is told."""
_NO_PIN = Pin("", "")


def warn_of_retirements(deck: ModelDeck, today: date, report: ProblemReport) -> None:
    """Note each model in force that retires soon, or has: once, at the line that an application can mend.

    Args:
        deck: The deck.
        today: The day to judge by.
        report: Where warnings are noted.
    """
    # A handle may pin a model to a backend that no rule leads to.
    models = chain.from_iterable(backend.model_specs.values() for backend in deck.backends.enabled.values())
    retiring = {_pin_of(model): model for model in models if model.retires and model.retires - today <= NOTICE}
    for pin, path in _places(retiring, deck, report).items():
        model = retiring[pin]
        verb = "retires" if model.retires and model.retires > today else "retired"
        text = f"model {model.name!r} on backend {model.backend_name!r} {verb} on {model.retires}"
        hint = f"its successor is {model.successor!r}" if model.successor else "choose another model"
        report.warning(path, text, hint, WHEREVER)


def _pin_of(model: InferenceModelSpec | None) -> Pin:
    return Pin(model.name, model.backend_name) if model is not None else _NO_PIN


def _places(
    retiring: Mapping[Pin, InferenceModelSpec], deck: ModelDeck, report: ProblemReport
) -> Mapping[Pin, KeyPath]:
    """Where it is told of each model that something asks for: at the first line of the application that leads to it.

    Only packaged lines may lead there; then the model's own is told, for the application has none to mend.
    """
    own: dict[Pin, KeyPath] = {}
    asked_for: dict[Pin, KeyPath] = {}
    for path, handle in _ways(deck) if retiring else ():
        pin = _pin_of(deck.model_in_force(handle))
        if pin not in retiring or pin in own:
            continue
        if report.is_own(path):
            own[pin] = path
        # A packaged alias alone is a word that nobody may use.
        elif pin not in asked_for and path[1] != "aliases":
            asked_for[pin] = _place_of(retiring[pin], deck, report)
    return {**asked_for, **own}


def _place_of(model: InferenceModelSpec, deck: ModelDeck, report: ProblemReport) -> KeyPath:
    """Where it is stated that a model retires."""
    places = ((*table, "retires") for table in deck.backends.tables_of(model.backend_name, model.name))
    return next(place for place in places if report.locate(place).stated == place)


def _ways(deck: ModelDeck) -> Iterator[tuple[KeyPath, str]]:
    """Every setting that leads to a model, with the handle that does: those nearest to the model first."""
    # The chains stand in an order in which each comes after those it leads to.
    yield from ((("deck", "aliases", alias), alias) for alias in deck.chains)
    for preset, setting in deck.llm_presets.items():
        yield ("deck", "llm_presets", preset, "llm_handle"), setting.llm_handle
    for key in ("llm_choice_overrides", "llm_choice_defaults"):
        for choice, name in getattr(deck, key):
            if name not in (None, DISABLED):
                yield ("deck", key, choice), deck.handle_of(name)
