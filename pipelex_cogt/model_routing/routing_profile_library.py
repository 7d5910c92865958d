"""The library of routing profiles, with the one that is active.

active = "all_enabled"

[profiles.all_enabled]
fallback_order = ["openai", "anthropic"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelex_cogt.config.building import build_noting
from pipelex_cogt.config.frozen import FrozenDict
from pipelex_cogt.config.key_paths import KeyPath, did_you_mean, near_names
from pipelex_cogt.config.layers import Table
from pipelex_cogt.config.report import ProblemReport, toml_type
from pipelex_cogt.config.schema import stated_fields
from pipelex_cogt.errors import UnknownNameError
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_routing.routing_profile import (
    RouteRefusal,
    RoutingDecision,
    RoutingProfile,
    is_pattern,
)

PROFILE_KEYS = tuple(stated_fields(RoutingProfile))


@dataclass(frozen=True, eq=False, repr=False)
class RoutingProfileLibrary(Mapping[str, RoutingProfile]):
    """Every routing profile by its name.

    Attributes:
        profiles: The profiles by name.
        active: The profile in force.
        backends: The backends that rules lead to.
    """

    profiles: Mapping[str, RoutingProfile]
    active: RoutingProfile
    backends: InferenceBackendLibrary

    def __getitem__(self, name: str) -> RoutingProfile:
        return self.profiles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)

    def get_required(self, name: str) -> RoutingProfile:
        """The profile of that name.

        Raises:
            UnknownNameError: No profile is called so.
        """
        if name not in self.profiles:
            raise UnknownNameError(name, "routing profile", near_names(name, self.profiles))
        return self.profiles[name]

    def decide(self, model_name: str, profile: str | None = None) -> RoutingDecision:
        """Which backend serves a model, and why.

        Args:
            model_name: The model.
            profile: The profile to ask; None for the active one.
        """
        chosen = self.active if profile is None else self.get_required(profile)
        return chosen.decide(model_name, self._refusal)

    def _refusal(self, backend: str, model_name: str) -> RouteRefusal | None:
        known = self.backends.backends.get(backend)
        if known is None:
            return RouteRefusal.UNKNOWN_BACKEND
        if not known.enabled:
            return RouteRefusal.DISABLED
        if model_name in known.model_specs:
            return None
        is_hidden = backend in self.backends.hidden_models.get(model_name, ())
        return RouteRefusal.MODEL_DISABLED if is_hidden else RouteRefusal.MODEL_NOT_SERVED


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
    profiles = {name: _build_profile(name, table, report) for name, table in tables.items()}
    active_name = routing.get("active")
    for name, profile in profiles.items():
        _check_backends(profile, backends, report)
        _check_exact_routes(profile, backends, report)
        if name != active_name:
            report.demote(("routing", "profiles", name))
    active = _choose_active(active_name, profiles, report)
    return RoutingProfileLibrary(FrozenDict(profiles), active, backends)


def _choose_active(name: Any, profiles: Mapping[str, RoutingProfile], report: ProblemReport) -> RoutingProfile:
    path = ("routing", "active")
    nothing = RoutingProfile(name="")
    if isinstance(name, str) and name in profiles:
        return profiles[name]
    if name is not None and not isinstance(name, str):
        report.error(path, f"expected a string, got {toml_type(name)}")
    elif report.is_unknown("routing", "active") or report.is_unknown("routing", "profiles", str(name)):
        pass
    elif name is None:
        report.error(path, "required, and nothing states it", "name the routing profile in force")
    else:
        known = f"expected one of {', '.join(profiles)}" if profiles else "no profile is stated"
        report.error(path, f"no routing profile is called {name!r}", did_you_mean(name, profiles) or known)
    return nothing


def _build_profile(name: str, table: Table, report: ProblemReport) -> RoutingProfile:
    if "name" in table:
        report.unknown_key(("routing", "profiles", name, "name"), PROFILE_KEYS)
    path = ("routing", "profiles", name)
    profile = build_noting(RoutingProfile, {**table, "name": name}, path, report, known={(): PROFILE_KEYS})
    return profile or RoutingProfile(name=name)


def _check_backends(profile: RoutingProfile, backends: InferenceBackendLibrary, report: ProblemReport) -> None:
    """Every rule names a backend that exists; a route or default names one that is enabled."""
    for rule_path, name in profile.named_backends():
        path: KeyPath = ("routing", "profiles", profile.name, *rule_path)
        if name not in backends:
            if not report.is_unknown("backends", name):
                near = did_you_mean(name, backends) or f"expected one of {', '.join(backends)}"
                report.error(path, f"no backend is called {name!r}", near)
        elif rule_path[0] in ("routes", "default") and _is_switched_off(backends[name]):
            report.error(path, f"backend {name!r} is disabled", "enable it, or name another backend")


def _is_switched_off(backend: InferenceBackend) -> bool:
    """Whether it is disabled, rather than left out for a missing credential."""
    return not backend.enabled and not backend.missing_variables


def _check_exact_routes(profile: RoutingProfile, backends: InferenceBackendLibrary, report: ProblemReport) -> None:
    """An exact route leads to a backend that serves the model; one for a model that nothing knows is never used."""
    for field, routes in (("routes", profile.routes), ("optional_routes", profile.optional_routes)):
        for model, name in routes.items():
            backend = backends.get(name)
            path = ("routing", "profiles", profile.name, field, model)
            if backend is None or not backend.enabled or model in backend.model_specs:
                continue
            if model not in backends.known_models:
                if not is_pattern(model) and not report.may_hide_model(model):
                    near = did_you_mean(model, backends.known_models)
                    report.warning(path, f"no backend knows a model {model!r}", near)
            elif not (report.is_unknown("models", name) or report.has_fault("models", name, model)):
                others = [each for each in backends.known_models[model] if each in backends.enabled]
                hint = f"{' and '.join(map(repr, others))} can" if others else None
                report.error(path, f"backend {name!r} does not serve {model!r}", hint)
