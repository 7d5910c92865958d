"""Warnings about what can be loaded and yet deserves attention; they are looked for when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import filterfalse

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Problem, Severity
from pipelex_cogt.model_routing.routing_profile import RoutingDecision, compile_pattern, is_pattern
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.model_deck import ModelDeck


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
    decisions = [routing.decide(model) for model in routing.backends.known_models]
    serving = {(decision.key, decision.backend) for decision in decisions}
    for field, key, backend in routing.active.all_routes():
        path = ("routing", "profiles", routing.active.name, field, key)
        if backend not in routing.backends.enabled:
            continue
        if field == "optional_routes" and key in routing.active.routes:
            report.warning(path, f"never used: the route {key!r} in routes decides first", "remove one of the two")
        elif is_pattern(key) and (key, backend) not in serving:
            _warn_of_pattern(path, key, backend, decisions, report)


def _warn_of_pattern(
    path: KeyPath, key: str, backend: str, decisions: Iterable[RoutingDecision], report: ProblemReport
) -> None:
    """A pattern that leads no model to its backend."""
    matches = compile_pattern(key)
    matched = [decision for decision in decisions if matches(decision.model_name)]
    # A name that the pattern matches is never left to `default`: another route decides, or this one.
    winners = sorted({str(decision.key) for decision in matched})
    if key in winners:
        report.warning(path, f"backend {backend!r} serves none of the models that this pattern matches")
    elif winners:
        decide = "decides" if len(winners) == 1 else "decide"
        names = " and ".join(map(repr, winners))
        text = f"never used: {names} {decide} first for every model that this matches"
        report.warning(path, f"{text}, such as {matched[0].model_name!r}")
    else:
        hint = "remove it, or mend its spelling"
        report.warning(path, "this pattern matches no model", hint, unless=[("models",)])


def _warn_of_models(deck: ModelDeck, report: ProblemReport) -> None:
    """Models of enabled backends that no rule of the active profile serves."""
    for backend in deck.backends.enabled.values():
        for name in filterfalse(deck.inference_models.__contains__, backend.model_specs):
            reason = deck.routing.decide(name).reason
            report.warning(("models", backend.name, name), f"no rule of the active profile serves it: {reason}")


def _warn_of_aliases(deck: ModelDeck, report: ProblemReport) -> None:
    """Members of aliases that are not served here."""
    for name, alias in deck.aliases.items():
        path = ("deck", "aliases", name)
        _warn_if_absent(name, path, "nothing to resolve to in this environment", deck, report)
        if deck.is_served(name) and not isinstance(alias, str):
            for index, member in enumerate(alias):
                _warn_if_absent(member, (*path, index), "this member is not served", deck, report)


def _warn_of_presets(deck: ModelDeck, report: ProblemReport) -> None:
    """Presets with nothing to resolve to here."""
    for name, setting in deck.llm_presets.items():
        path = ("deck", "llm_presets", name, "llm_handle")
        _warn_if_absent(setting.llm_handle, path, "nothing to resolve to", deck, report)


def _warn_if_absent(handle: str, path: KeyPath, text: str, deck: ModelDeck, report: ProblemReport) -> None:
    """A handle that leads to no model here, with the reason."""
    if not deck.is_served(handle):
        report.warning(path, f"{text}: {deck.why_absent(handle)}")
