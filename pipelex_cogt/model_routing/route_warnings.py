"""Warnings about routes of the active profile that decide nothing, or not what they seem to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, partial

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.model_backends.model_spec import WILDCARD
from pipelex_cogt.model_routing.routing_profile import (
    Matches,
    RoutingDecision,
    RoutingRule,
    compile_pattern,
    is_pattern,
    specificity,
)
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary


def warn_of_routes(routing: RoutingProfileLibrary, report: ProblemReport) -> None:
    """Note the routes of the active profile that no model takes, and patterns that lose by a hair.

    Args:
        routing: Every routing profile.
        report: Where warnings are noted.
    """
    decisions = [routing.decide(model) for model in routing.backends.known_models]
    serving = {(decision.key, decision.backend) for decision in decisions}
    unused: set[str] = set()
    for field, key, backend in routing.active.all_routes():
        path = ("routing", "profiles", routing.active.name, field, key)
        is_in_use = backend in routing.backends.enabled
        if is_in_use and field == "optional_routes" and key in routing.active.routes:
            report.warning(path, f"never used: the route {key!r} in routes decides first", "remove one of the two")
        elif is_pattern(key) and (key, backend) not in serving:
            matched = _matched(key, decisions)
            # What waits for its backend must match something all the same.
            if not matched:
                hint = "remove it, or mend its spelling"
                report.warning(path, "this pattern matches no model", hint, unless=[("models",)])
            elif is_in_use:
                unused.add(key)
                _warn_of_pattern(path, key, backend, matched, report)
    _warn_of_rivals(routing, decisions, unused, report)


def _matched(key: str, decisions: Iterable[RoutingDecision]) -> list[RoutingDecision]:
    """The decisions about models that a pattern matches."""
    matches = compile_pattern(key)
    return [decision for decision in decisions if matches(decision.model_name)]


def _warn_of_pattern(
    path: KeyPath, key: str, backend: str, matched: Sequence[RoutingDecision], report: ProblemReport
) -> None:
    """A pattern that leads none of the models that it matches to its backend."""
    # A name that the pattern matches is never left to `default`: another route decides, or this one.
    winners = sorted({str(decision.key) for decision in matched})
    if key in winners:
        report.warning(path, f"backend {backend!r} serves none of the models that this pattern matches")
        return
    decide = "decides" if len(winners) == 1 else "decide"
    names = " and ".join(map(repr, winners))
    text = f"never used: {names} {decide} first for every model that this matches"
    report.warning(path, f"{text}, such as {matched[0].model_name!r}", _write_the_same(key, winners))


def _write_the_same(key: str, winners: Sequence[str]) -> str | None:
    """The next step where nothing but a separator makes another pattern more specific."""
    is_twin = [*map(_without_separators, winners)] == [_without_separators(key)]
    return f"only a separator makes it more specific; write {winners[0]!r} to take its place" if is_twin else None


def _warn_of_rivals(
    routing: RoutingProfileLibrary, decisions: Iterable[RoutingDecision], told: set[str], report: ProblemReport
) -> None:
    """A pattern that another one beats only by a separator, or by being declared first."""
    # The models of each two patterns that match them: the one that is asked second, and the one asked first.
    contested: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    rivals_of = cache(partial(_rivals, routing, told))
    for decision in decisions:
        if decision.rule is RoutingRule.PATTERN:
            winner, backend = str(decision.key), decision.backend or decision.turned_down[-1].backend
            for rival, matches in rivals_of(winner, backend):
                if matches(decision.model_name):
                    contested[rival, winner].append(decision.model_name)
    for (loser, winner), models in contested.items():
        field = "routes" if loser in routing.active.routes else "optional_routes"
        is_longer = specificity(winner) > specificity(loser)
        merit = "only has a separator more" if is_longer else "is only declared first"
        more = f" and {len(models) - 1} more" if len(models) > 1 else ""
        problem = f"loses {models[0]!r}{more} to {winner!r}, which {merit}"
        path = ("routing", "profiles", routing.active.name, field, loser)
        report.warning(path, problem, "an exact name decides before any pattern")


def _rivals(routing: RoutingProfileLibrary, told: set[str], winner: str, backend: str) -> list[tuple[str, Matches]]:
    """The patterns that a pattern beats by a hair, if at all, and that lead elsewhere: each with what it matches."""
    elsewhere, known = routing.backends.enabled.keys() - {backend}, {winner, *told}
    patterns = [(key, matches) for matches, key, other in routing.active.patterns if other in elsewhere]
    return [(key, matches) for key, matches in patterns if key not in known and _letters(key) >= _letters(winner)]


def _letters(pattern: str) -> int:
    """How specific a pattern is when what only separates words is not counted."""
    return specificity(_without_separators(pattern))


def _without_separators(pattern: str) -> str:
    return "".join(filter(lambda character: character.isalnum() or character == WILDCARD, pattern))
