"""Building the routing profiles, and checking their rules against the backends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.report import Elsewhere, ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName, WhatIs
from pipelex_cogt.config.tables import FrozenDict, Table, toml_type
from pipelex_cogt.config.validation import build_sound
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_routing.patterns import is_pattern
from pipelex_cogt.model_routing.refusals import refusal_of, tell_others
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingProfile
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary

_ACTIVE: KeyPath = ("routing", "active")
_NO_MODELS = {"an alias": "aliases", "a preset": "llm_presets"}
"""What a route's key may be by mistake, each with the key of the deck that states it."""


def build_routing_profile_library(
    tree: Table, backends: InferenceBackendLibrary, report: ProblemReport
) -> RoutingProfileLibrary:
    """Build the routing profiles and check their rules against the backends.

    Args:
        tree: The merged settings.
        backends: The backends that rules may name.
        report: Where problems are noted: errors for the active profile, warnings for the others.
    """
    routing: Table = tree.get("routing", {})
    tables: Mapping[str, Table] = routing.get("profiles", {})
    active_name = routing.get("active")
    profiles: dict[str, RoutingProfile] = {}
    what_is = partial(_what_is_no_model, tree.get("deck", {}), backends)
    for name, table in tables.items():
        path, given = ("routing", "profiles", name), {"name": name}
        profile = build_sound(RoutingProfile, table, path, report, given) or RoutingProfile(name=name)
        profiles[name] = profile
        _check_backends(profile, backends, report)
        _check_exact_routes(profile, backends, report, what_is)
        # Where no profile has the active one's name, the rest of it may stand behind a dot outside quotes.
        is_begun = active_name not in tables and f"{active_name}.".startswith(f"{name}.")
        if name != active_name and not is_begun:
            report.demote(path)
    active = _choose_active(active_name, profiles, report)
    return RoutingProfileLibrary(FrozenDict(profiles), active, backends)


def _choose_active(name: Any, profiles: Mapping[str, RoutingProfile], report: ProblemReport) -> RoutingProfile:
    if name is None:
        report.required([_ACTIVE], "name the routing profile in force", unless=[_ACTIVE])
    elif not isinstance(name, str):
        report.error(_ACTIVE, f"expected a string, got {toml_type(name)}")
    elif name in profiles:
        return profiles[name]
    else:
        near = NearName(name, profiles, lists_known=True, otherwise="no profile is stated")
        report.unknown_name(_ACTIVE, "routing profile", near, unless=[_ACTIVE, ("routing", "profiles", name)])
    return RoutingProfile(name=name if isinstance(name, str) else "")


def _check_backends(profile: RoutingProfile, backends: InferenceBackendLibrary, report: ProblemReport) -> None:
    """Every rule names a backend that exists; a route or default names one that is enabled."""
    for rule_path, name in profile.named_backends():
        place = ("routing", "profiles", profile.name, *rule_path)
        if name not in backends:
            near = NearName(name, backends, lists_known=True)
            report.unknown_name(place, "backend", near, unless=[("backends", name)])
        elif rule_path[0] in ("routes", "default") and _is_switched_off(backends[name]):
            switches = backends[name].switched_off_by
            hint = f"enable it in {' and '.join(map(format_key_path, switches))}, or name another backend"
            report.error(place, f"backend {name!r} is disabled", hint, causes=[_ACTIVE, *switches])


def _is_switched_off(backend: InferenceBackend) -> bool:
    """Whether it is disabled, rather than left out for a missing credential."""
    return not backend.enabled and not backend.is_left_out


def _what_is_no_model(deck: Table, backends: InferenceBackendLibrary, name: str) -> str | None:
    """What a name is that a route has for a model's, in words; None where it is nothing here."""
    named = (f"{kind}, and a route names a model" for kind, key in _NO_MODELS.items() if name in deck.get(key, {}))
    return next(named, None) or backends.what_is(name)


def _check_exact_routes(
    profile: RoutingProfile, backends: InferenceBackendLibrary, report: ProblemReport, what_is: WhatIs
) -> None:
    """An exact route leads to a backend that serves the model; one for a model that nothing knows is never used."""
    for field, model, name in profile.all_routes():
        place = ("routing", "profiles", profile.name, field, model)
        if model in backends.known_models:
            _check_exact_route(place, name, model, backends, report)
        elif name in backends and not is_pattern(model):
            near = NearName(model, backends.known_models, what_is=what_is)
            report.warning(place, f"no backend knows a model {model!r}", near, unless=[model_place(model)])


def _check_exact_route(
    place: KeyPath, backend: str, model: str, backends: InferenceBackendLibrary, report: ProblemReport
) -> None:
    """An exact route leads to a backend that serves the model; that a backend is out of use is another fault."""
    refusal = refusal_of(backends, backend, model)
    if refusal is RouteRefusal.MODEL_DISABLED:
        switch = backends.switched_off_models[backend][model]
        hint = Elsewhere("enabled = false at ", switch)
        report.error(place, f"backend {backend!r} has the model disabled", hint, causes=[_ACTIVE, switch])
    elif refusal is RouteRefusal.MODEL_NOT_SERVED:
        others = tell_others(backends, model, (backend,))
        # A model that its file states is missing for a fault of its own, or of the defaults that it takes.
        tables, is_known = backends.tables_of(backend, model), backend in backends.known_models[model]
        rests_on = [table for table in tables if is_known or table[-1] == model]
        problem = f"backend {backend!r} does not serve {model!r}"
        report.error(place, problem, others, unless=rests_on, causes=[_ACTIVE])
