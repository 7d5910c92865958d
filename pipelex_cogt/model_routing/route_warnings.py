"""Warnings about routes of the active profile that decide nothing, or not what they seem to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import abridge
from pipelex_cogt.model_backends.model_spec import WILDCARD
from pipelex_cogt.model_routing.patterns import PatternIndex, is_pattern, specificity
from pipelex_cogt.model_routing.routing_profile import RoutingProfile, RoutingRule, Verdict
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary


@dataclass(slots=True)
class _Matched:
    """What a pattern that serves nothing matches.

    Attributes:
        model: The first model.
        winners: The keys of the routes that decide about the models.
    """

    model: str
    winners: dict[str, None] = field(default_factory=dict)


def warn_of_routes(routing: RoutingProfileLibrary, report: ProblemReport) -> None:
    """Note the routes of the active profile that no model takes, and patterns that lose by a hair.

    Args:
        routing: Every routing profile.
        report: Where warnings are noted.
    """
    verdicts = {model: routing.judge(model) for model in routing.backends.known_models}
    serving = {(verdict.key, verdict.serving) for verdict in verdicts.values()}
    idle = [key for _, key, backend in routing.active.all_routes() if is_pattern(key) and (key, backend) not in serving]
    matched = _match(dict.fromkeys(idle), verdicts)
    unused: set[str] = set()
    for table, key, backend in routing.active.all_routes():
        path = ("routing", "profiles", routing.active.name, table, key)
        is_in_use = backend in routing.backends.enabled
        if is_in_use and table == "optional_routes" and key in routing.active.routes:
            report.warning(path, f"never used: the route {key!r} in routes decides first", "remove one of the two")
        elif is_pattern(key) and (key, backend) not in serving:
            # What waits for its backend must match something all the same.
            if key not in matched:
                hint = "remove it, or mend its spelling"
                report.warning(path, "this pattern matches no model", hint, unless=[("models",)])
            elif is_in_use:
                unused.add(key)
                _warn_of_pattern(path, key, backend, matched[key], report)
    _warn_of_rivals(routing, verdicts, unused, report)


def _match(keys: Mapping[str, None], verdicts: Mapping[str, Verdict]) -> Mapping[str, _Matched]:
    """Those of some patterns that match a model, each with what it matches."""
    names, index = [*keys], PatternIndex(keys)
    found: dict[str, _Matched] = {}
    for model, verdict in verdicts.items():
        for position in index.matching(model):
            matched = found.setdefault(names[position], _Matched(model))
            # A name that a pattern matches is never left to `default`: another route decides, or this one.
            matched.winners[str(verdict.key)] = None
    return found


def _warn_of_pattern(path: KeyPath, key: str, backend: str, matched: _Matched, report: ProblemReport) -> None:
    """A pattern that leads none of the models that it matches to its backend."""
    winners = sorted(matched.winners)
    if key in matched.winners:
        report.warning(path, f"backend {backend!r} serves none of the models that this pattern matches")
        return
    decide = "decides" if len(winners) == 1 else "decide"
    names = " and ".join(abridge([*map(repr, winners)]))
    text = f"never used: {names} {decide} first for every model that this matches"
    report.warning(path, f"{text}, such as {matched.model!r}", _write_the_same(key, winners))


def _write_the_same(key: str, winners: Sequence[str]) -> str | None:
    """The next step where nothing but a separator makes another pattern more specific."""
    is_twin = [*map(_without_separators, winners)] == [_without_separators(key)]
    return f"only a separator makes it more specific; write {winners[0]!r} to take its place" if is_twin else None


def _warn_of_rivals(
    routing: RoutingProfileLibrary, verdicts: Mapping[str, Verdict], told: set[str], report: ProblemReport
) -> None:
    """A pattern that another one beats only by a separator, or by being declared first."""
    # The models of each two patterns that match them: the one that is asked second, and the one asked first.
    contested: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    letters = {str(pattern.key): _letters(str(pattern.key)) for pattern in routing.active.patterns}
    for model, verdict in verdicts.items():
        for key, backend in _losers(routing.active, model, verdict, letters):
            if backend in routing.backends.enabled and key not in told:
                contested[key, str(verdict.key)].append(model)
    for (loser, winner), models in contested.items():
        table = "routes" if loser in routing.active.routes else "optional_routes"
        is_longer = specificity(winner) > specificity(loser)
        merit = "only has a separator more" if is_longer else "is only declared first"
        more = f" and {len(models) - 1} more" if len(models) > 1 else ""
        problem = f"loses {models[0]!r}{more} to {winner!r}, which {merit}"
        path = ("routing", "profiles", routing.active.name, table, loser)
        report.warning(path, problem, "an exact name decides before any pattern")


def _losers(
    profile: RoutingProfile, model: str, verdict: Verdict, letters: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """The patterns that the one in force for a model beats by a hair, if at all: each with its backend, another one.

    Args:
        profile: The routing profile.
        model: The model.
        verdict: What the profile decides about it.
        letters: Every pattern with how specific it is when what only separates words is not counted.
    """
    if verdict.rule is not RoutingRule.PATTERN:
        return
    least = letters[str(verdict.key)]
    for _, rival, backend in map(profile.patterns.__getitem__, profile.pattern_index.matching(model)):
        key = str(rival)
        # The most specific come first: none of the others has as many letters.
        if specificity(key) < least:
            return
        if key != verdict.key and backend != verdict.backend and letters[key] >= least:
            yield key, backend


def _letters(pattern: str) -> int:
    """How specific a pattern is when what only separates words is not counted."""
    return specificity(_without_separators(pattern))


def _without_separators(pattern: str) -> str:
    return "".join(filter(lambda character: character.isalnum() or character == WILDCARD, pattern))
