"""Warnings about what can be loaded and yet deserves attention; they are looked for when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Problem, Severity
from pipelex_cogt.model_routing.routing_profile import RoutingRule, compile_pattern, is_pattern
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.model_deck import ModelDeck

_ROUTE_RULES = (RoutingRule.EXACT, RoutingRule.PATTERN)


def find_warnings(deck: ModelDeck, report: ProblemReport) -> tuple[Problem, ...]:
    """The warnings of a load, in file and line order: what the load noted, and what is never used.

    Args:
        deck: The deck that was built.
        report: What the load noted; it stays as it is.
    """
    full = report.copy()
    _warn_of_routes(deck.routing, full)
    _warn_of_models(deck, full)
    _warn_of_aliases(deck, full)
    _warn_of_presets(deck, full)
    return tuple(full.problems(Severity.WARNING))


def _warn_of_routes(routing: RoutingProfileLibrary, report: ProblemReport) -> None:
    """Routes of the active profile that no model takes."""
    taken_by = dict(_routes_taken(routing))
    served_by = {key for key, models in taken_by.items() if any(is_served for _, is_served in models)}
    for field, routes in (("routes", routing.active.routes), ("optional_routes", routing.active.optional_routes)):
        for key, backend in routes.items():
            if key in served_by or not is_pattern(key) or not _is_enabled(backend, routing):
                continue
            path = ("routing", "profiles", routing.active.name, field, key)
            if key in taken_by:
                report.warning(path, f"backend {backend!r} serves none of the models that this pattern matches")
            else:
                report.warning(path, *_why_untaken(key, routing))


def _is_enabled(backend: str, routing: RoutingProfileLibrary) -> bool:
    return backend in routing.backends.enabled


def _routes_taken(routing: RoutingProfileLibrary) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Each route that decided for a model, with those models and whether they are served."""
    taken: dict[str, list[tuple[str, bool]]] = {}
    for model in routing.backends.known_models:
        decision = routing.decide(model)
        if decision.rule in _ROUTE_RULES and decision.key is not None:
            taken.setdefault(decision.key, []).append((model, decision.backend is not None))
    yield from taken.items()


def _why_untaken(key: str, routing: RoutingProfileLibrary) -> tuple[str, str | None]:
    matches = compile_pattern(key)
    matched = next((model for model in routing.backends.known_models if matches(model)), None)
    if matched is None:
        return "this pattern matches no model", "remove it, or mend its spelling"
    winner = next(
        (other for _, other, backend in routing.active.candidates(matched) if _is_enabled(backend, routing)), None
    )
    return f"never used: {winner!r} decides first for every model that this matches, such as {matched!r}", None


def _warn_of_models(deck: ModelDeck, report: ProblemReport) -> None:
    """Models of enabled backends that no rule of the active profile serves."""
    for backend in deck.backends.enabled.values():
        for name in backend.model_specs:
            if name not in deck.inference_models:
                reason = deck.routing.decide(name).reason
                report.warning(("models", backend.name, name), f"no rule of the active profile serves it: {reason}")


def _warn_of_aliases(deck: ModelDeck, report: ProblemReport) -> None:
    """Members of aliases that are not served here."""
    for name, alias in deck.aliases.items():
        path = ("deck", "aliases", name)
        if not deck.chains[name] and name not in deck.inference_models:
            report.warning(path, f"nothing to resolve to in this environment: {deck.why_absent(name)}")
            continue
        for index, member in enumerate(members_of(alias)):
            if not isinstance(alias, str) and not deck.is_served(member):
                report.warning((*path, index), f"this member is not served: {deck.why_absent(member)}")


def _warn_of_presets(deck: ModelDeck, report: ProblemReport) -> None:
    """Presets with nothing to resolve to here."""
    for name, setting in deck.llm_presets.items():
        if not deck.is_served(setting.llm_handle):
            reason = deck.why_absent(setting.llm_handle)
            report.warning(("deck", "llm_presets", name, "llm_handle"), f"nothing to resolve to: {reason}")
