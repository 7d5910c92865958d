"""Warnings about what can be loaded and yet deserves attention; they are looked for when somebody asks."""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import chain, filterfalse

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table
from pipelex_cogt.errors import MissingCredentialError, NotAvailableError, Problem, Severity
from pipelex_cogt.model_backends.backend_library import AT
from pipelex_cogt.model_backends.credential_warnings import warn_of_credentials
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_backends.shared_models import StatedBy
from pipelex_cogt.model_backends.value_warnings import (
    warn_of_defaults,
    warn_of_forgotten_tiers,
    warn_of_prices,
    warn_of_sdks,
    warn_of_tiers,
)
from pipelex_cogt.model_routing.route_warnings import warn_of_routes
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.leads import Absences, causes_of_parameters, lead_of_settings
from pipelex_cogt.models.llm_setting import AUTO
from pipelex_cogt.models.model_deck import ModelDeck, tell_absence
from pipelex_cogt.models.retirement_warnings import warn_of_retirements


def find_warnings(deck: ModelDeck, models: Table, report: ProblemReport, today: date) -> tuple[Problem, ...]:
    """The warnings of a load, in file and line order: what the load noted, and what is never used.

    Args:
        deck: The deck that was built.
        models: The tables of the models that it was built from, by backend and model name.
        report: What the load noted; it stays as it is.
        today: The day that models retire by.
    """
    full = report.copy()
    warn_of_credentials(deck.backends, full)
    warn_of_prices(models, full)
    warn_of_tiers(deck.backends, models, full)
    warn_of_forgotten_tiers(deck.backends, models, full)
    warn_of_defaults(deck.backends, models, full)
    warn_of_sdks(models, full)
    warn_of_routes(deck.routing, full)
    _warn_of_models(deck, models, full)
    _warn_of_backends(deck, full)
    absences = Absences(deck)
    _warn_of_aliases(deck, absences, full)
    _warn_of_hidden_names(deck, full)
    _warn_of_hidden_pins(deck, full)
    _warn_of_presets(deck, absences, full)
    warn_of_retirements(deck, today, full)
    return tuple(full.problems(Severity.WARNING))


def _warn_of_models(deck: ModelDeck, models: Table, report: ProblemReport) -> None:
    """Models of enabled backends that no rule of the active profile serves, each where a file states it."""
    told: set[KeyPath] = set()
    stated_by = StatedBy(models, deck.backends.like)
    for backend in deck.backends.enabled.values():
        for name in filterfalse(deck.inference_models.__contains__, backend.model_specs):
            place = ("models", stated_by(backend.name, name) or backend.name, name)
            if place not in told:
                absence = deck.routing.not_routed(name)
                text = f"not served in routing profile {absence.profile!r}: {absence.reason}"
                report.warning(place, text, absence.next_step)
            told.add(place)


def _warn_of_backends(deck: ModelDeck, report: ProblemReport) -> None:
    """Backends with the models of another, to which nothing leads because the other serves them all."""
    pinned = map(deck.backends.pinned, chain.from_iterable(map(members_of, deck.aliases.values())))
    led = {model.backend_name for model in chain(deck.inference_models.values(), filter(None, pinned))}
    led.update(llm.backend.name for llm in map(deck.resolve, filter(deck.is_resolved, deck.llm_presets)))
    for backend in deck.backends.enabled.values():
        is_hidden = backend.model_specs.keys() <= deck.inference_models.keys()
        if backend.models_like and is_hidden and backend.name not in led:
            order = format_key_path(("routing", "profiles", deck.routing.active.name, "fallback_order"))
            hint = f'put it first with {order} = ["{backend.name}", "..."], or ask for a model as name@{backend.name}'
            report.warning(("backends", backend.name), "nothing leads to it: other backends serve its models", hint)


def _warn_of_aliases(deck: ModelDeck, absences: Absences, report: ProblemReport) -> None:
    """Members of aliases that are not served here; what a missing key leaves out is told with the key."""
    for name, alias in deck.aliases.items():
        path = ("deck", "aliases", name)
        if not deck.is_served(name):
            _warn_of_absence(path, "nothing to resolve to in this environment", absences(name), report)
        elif not isinstance(alias, str):
            for index, member in enumerate(alias):
                absence = None if deck.is_served(member) else absences(member)
                if absence is not None and not isinstance(absence, MissingCredentialError):
                    _warn_of_absence((*path, index), "this member is not served", absence, report)


def _warn_of_hidden_names(deck: ModelDeck, report: ProblemReport) -> None:
    """Names that two things have: a model wins over an alias, a preset over both."""
    for name, alias in deck.aliases.items():
        # An alias that stands for its own name alone means the model of that name.
        if name in deck.inference_models and members_of(alias) != (name,):
            _warn_of_hidden(("deck", "aliases", name), "model", _place_of_model(name, deck), report)
    for name in deck.llm_presets:
        preset = ("deck", "llm_presets", name)
        if name in deck.inference_models:
            _warn_of_hidden(_place_of_model(name, deck), "preset", preset, report)
        elif name in deck.aliases:
            _warn_of_hidden(("deck", "aliases", name), "preset", preset, report)


def _warn_of_hidden_pins(deck: ModelDeck, report: ProblemReport) -> None:
    """Aliases and presets with a name that means a model at one backend."""
    for section, names in (("aliases", deck.aliases), ("llm_presets", deck.llm_presets)):
        for name in names:
            pin = deck.backends.pin(name)
            if pin is not None:
                text = f"its name stands for model {pin.model!r} on backend {pin.backend!r}, which it hides"
                report.warning(("deck", section, name), text, f"take one without {AT}")


def _warn_of_hidden(hidden: KeyPath, kind: str, winner: KeyPath, report: ProblemReport) -> None:
    """What is hidden by something of its name that wins; where the first is packaged, the second is to be mended."""
    report.warning(hidden, f"the {kind} of the same name hides it", "rename one of the two", causes=[winner])


def _place_of_model(name: str, deck: ModelDeck) -> KeyPath:
    """The table of a model that is served."""
    return ("models", deck.inference_models[name].backend_name, name)


def _warn_of_presets(deck: ModelDeck, absences: Absences, report: ProblemReport) -> None:
    """Presets with nothing to resolve to here, or whose parameters the model in force takes otherwise."""
    lead = lead_of_settings(deck)
    for name, setting in deck.llm_presets.items():
        path = ("deck", "llm_presets", name)
        model = deck.model_in_force(setting.llm_handle)
        if model is None:
            _warn_of_absence((*path, "llm_handle"), "nothing to resolve to", absences(setting.llm_handle), report)
        else:
            _warn_of_adapted(name, model, lead(setting.llm_handle), deck, report)
            _warn_of_auto(name, model, deck, report)


def _warn_of_adapted(
    preset: str, model: InferenceModelSpec, first: InferenceModelSpec | None, deck: ModelDeck, report: ProblemReport
) -> None:
    """A model in force that refuses something: the load judged the first of the chain, whose key is missing."""
    setting = deck.llm_presets[preset]
    fault = next(setting.faults_for(model), None)
    if fault is None:
        return
    parameter, _ = fault
    adapted = "; ".join(setting.parameters_for(model).adapted)
    waiting = f"while backend {first.backend_name!r} is left out" if first else "here"
    hint = f"{model.name!r} on backend {model.backend_name!r} answers {waiting}"
    causes = partial(causes_of_parameters, deck, preset, parameter, deck.model_in_force)
    report.warning(("deck", "llm_presets", preset, parameter), adapted, hint, causes=causes)


def _warn_of_auto(preset: str, model: InferenceModelSpec, deck: ModelDeck, report: ProblemReport) -> None:
    """A preset that leaves the limit to a model whose limit is unknown."""
    if deck.llm_presets[preset].max_tokens == AUTO and model.max_tokens is None:
        text = (
            f'"auto" has no effect: the max_tokens of model {model.name!r} on backend {model.backend_name!r} is unknown'
        )
        causes = partial(causes_of_parameters, deck, preset, "max_tokens", deck.model_in_force)
        path = ("deck", "llm_presets", preset, "max_tokens")
        report.warning(path, text, "state a number, or the model's max_tokens", causes=causes)


def _warn_of_absence(path: KeyPath, text: str, absence: NotAvailableError, report: ProblemReport) -> None:
    """A handle that leads to no model here, with the reason."""
    report.warning(path, f"{text}: {tell_absence(absence)}")
