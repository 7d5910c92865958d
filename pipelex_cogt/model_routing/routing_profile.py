"""Routing profiles: the rules that lead a model name to the backend that serves it.

    [profiles.azure_first]
    routes = { "gpt-*" = "azure_openai", "claude-*" = "bedrock" }
    fallback_order = ["openai", "anthropic"]

An exact route wins, else the most specific pattern, else `default`; only then `fallback_order` is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Annotated, ClassVar, NamedTuple, Protocol

from pydantic import AfterValidator, BeforeValidator, Field

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.settings_model import GIVEN, SettingsModel, none_if_empty
from pipelex_cogt.config.tables import FrozenDict, leaves
from pipelex_cogt.errors import abridge
from pipelex_cogt.model_routing.patterns import PatternIndex, is_pattern, specificity


class RoutingRule(StrEnum):
    """Which kind of rule decided."""

    EXACT = "exact"
    PATTERN = "pattern"
    DEFAULT = "default"
    FALLBACK = "fallback"
    PIN = "the handle"
    NONE = "none"


class RouteRefusal(StrEnum):
    """Why a backend that a rule names does not serve a model."""

    UNKNOWN_BACKEND = "does not exist"
    DISABLED = "is disabled"
    LEFT_OUT = "is left out for a missing credential"
    MODEL_NOT_SERVED = "does not serve the model"
    MODEL_DISABLED = "has the model disabled"
    NOT_ASKED = "a rule before it decided"

    @property
    def is_of_backend(self) -> bool:
        """Whether the backend is out of use, whichever model is asked for."""
        return self in (RouteRefusal.DISABLED, RouteRefusal.LEFT_OUT)


class Service(Protocol):
    """What routing asks of the backends."""

    def serving(self, model_name: str) -> Collection[str]:
        """The backends that serve a model."""

    def refusal(self, backend: str, model_name: str) -> RouteRefusal | None:
        """Why a backend does not serve a model; None where it does."""


class Candidate(NamedTuple):
    """A rule that applies to a model.

    Attributes:
        rule: The kind of rule.
        key: The route's key, or None for `default` and `fallback_order`.
        backend: The backend that the rule names.
    """

    rule: RoutingRule
    key: str | None
    backend: str


class Verdict(NamedTuple):
    """Which rule decides about a model, without those that were asked before it.

    Attributes:
        rule: The kind of rule that decides.
        key: The key of the route that decides, or None.
        backend: The backend that the rule names; None where no rule decides.
        is_served: Whether that backend serves the model.
    """

    rule: RoutingRule
    key: str | None
    backend: str | None
    is_served: bool

    @property
    def serving(self) -> str | None:
        """The backend that serves the model, or None."""
        return self.backend if self.is_served else None


_UNDECIDED = Verdict(RoutingRule.NONE, None, None, is_served=False)


class TurnedDown(NamedTuple):
    """A candidate that does not serve the model, and why.

    Attributes:
        backend: The backend that the rule names.
        rule: The kind of rule.
        key: The route's key, or None for `default` and `fallback_order`.
        reason: Why it was turned down.
    """

    backend: str
    rule: RoutingRule
    key: str | None
    reason: RouteRefusal

    def __str__(self) -> str:
        return f"{describe_rule(self.rule, self.key)} names {self.backend!r}: {self.reason}"


class RoutingDecision(NamedTuple):
    """The answer to "which backend serves this model, and why".

    Attributes:
        model_name: The model.
        backend: The backend that serves it, or None.
        rule: The kind of rule that decided.
        key: The key of the route that decided, or None.
        turned_down: The candidates that were asked before, in order.
    """

    model_name: str
    backend: str | None
    rule: RoutingRule
    key: str | None = None
    turned_down: tuple[TurnedDown, ...] = ()

    @property
    def rule_name(self) -> str | None:
        """The rule that decided, for people; None where none did."""
        return None if self.rule is RoutingRule.NONE else describe_rule(self.rule, self.key)

    @property
    def reason(self) -> str:
        """The decision in words."""
        if self.backend is not None:
            return f"{self.rule_name} leads to {self.backend!r}"
        return "; ".join(abridge([*map(str, self.turned_down)])) or "no rule matches"


def describe_rule(rule: RoutingRule, key: str | None) -> str:
    """A rule for people: a route by its key, another by its kind."""
    return rule.value if key is None else f"route {key!r}"


Routes = Annotated[dict[str, str], AfterValidator(FrozenDict)]


class RoutingProfile(SettingsModel):
    """One routing profile. `routes` have no order of their own: the most specific one decides."""

    is_named: ClassVar[bool] = True

    name: Annotated[str, GIVEN]
    """The profile's name: its table's key."""
    description: str | None = None
    """A sentence for people."""
    default: Annotated[str | None, BeforeValidator(none_if_empty)] = None
    """The backend of the models that no route matches; `""` for none."""
    routes: Routes = Field(default_factory=FrozenDict)
    """Model name, or pattern with `*`, to backend."""
    optional_routes: Routes = Field(default_factory=FrozenDict)
    """Routes that count only while their backend is enabled."""
    fallback_order: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The backends that may serve what `default` does not, in order; disabled ones are passed over."""

    def all_routes(self) -> Iterator[tuple[str, str, str]]:
        """Every route: the table that states it, its key, and the backend that it names."""
        for field, routes in (("routes", self.routes), ("optional_routes", self.optional_routes)):
            yield from ((field, key, backend) for key, backend in routes.items())

    def named_backends(self) -> Iterator[tuple[KeyPath, str]]:
        """Every backend that a rule names, with the rule's key path within the profile."""
        others = self.model_dump(include={"default", "fallback_order"}, exclude_none=True)
        return leaves({"routes": self.routes, "optional_routes": self.optional_routes, **others})

    def decide(self, model_name: str, service: Service) -> RoutingDecision:
        """Decide which backend serves a model, and tell all that were asked.

        Args:
            model_name: The model.
            service: Says which backends serve it.
        """
        verdict = self.judge(model_name, service)
        turned_down: list[TurnedDown] = []
        for rule, key, backend in self.turned_down(model_name, verdict):
            refusal = service.refusal(backend, model_name)
            if refusal is not None:
                turned_down.append(TurnedDown(backend, rule, key, refusal))
        return RoutingDecision(model_name, verdict.serving, verdict.rule, verdict.key, tuple(turned_down))

    def judge(self, model_name: str, service: Service) -> Verdict:
        """Decide which rule decides about a model; the arguments are those of `decide`.

        Of a long `fallback_order` the backends that serve the model are looked at, rather than each one asked.
        """
        serving = service.serving(model_name)
        for rule, key, backend in self._routes_of(model_name):
            is_served = backend in serving
            if is_served or self._is_decisive(key, service.refusal(backend, model_name)):
                return Verdict(rule, key, backend, is_served)
        if self.default in serving:
            return Verdict(RoutingRule.DEFAULT, None, self.default, is_served=True)
        first = next(iter(self._in_order(serving)), None)
        return _UNDECIDED if first is None else Verdict(RoutingRule.FALLBACK, None, first, is_served=True)

    def _is_decisive(self, key: str | None, refusal: RouteRefusal | None) -> bool:
        """Whether a route is never bypassed, as all are but those that count only while their backend is enabled."""
        return key in self.routes or not (refusal and refusal.is_of_backend)

    def decide_pin(self, model_name: str, backend: str, service: Service) -> RoutingDecision:
        """Decide whether the backend that a handle names serves a model; no rule of the profile is asked."""
        refusal = service.refusal(backend, model_name)
        if refusal is None:
            return RoutingDecision(model_name, backend, RoutingRule.PIN)
        turned_down = TurnedDown(backend, RoutingRule.PIN, None, refusal)
        return RoutingDecision(model_name, None, RoutingRule.PIN, None, (turned_down,))

    def turned_down(
        self, model_name: str, verdict: Verdict, among: Collection[str] | None = None
    ) -> Iterator[Candidate]:
        """The candidates that were asked and do not serve a model, in order.

        Args:
            model_name: The model.
            verdict: What was decided about it.
            among: The backends that count of `default` and `fallback_order`; None for all.
        """
        yield from takewhile(lambda candidate: candidate != verdict[:3], self.candidates(model_name, among))
        if verdict.backend is not None and not verdict.is_served:
            yield Candidate(verdict.rule, verdict.key, verdict.backend)

    def candidates(self, model_name: str, among: Collection[str] | None = None) -> Iterator[Candidate]:
        """Every rule that applies to a model, in the order in which they are asked.

        Args:
            model_name: The model.
            among: The backends that count of `default` and `fallback_order`; None for all.
        """
        yield from self._routes_of(model_name)
        if self.default is not None and (among is None or self.default in among):
            yield Candidate(RoutingRule.DEFAULT, None, self.default)
        order = self.fallback_order if among is None else self._in_order(among)
        yield from (Candidate(RoutingRule.FALLBACK, None, backend) for backend in order if backend != self.default)

    def _routes_of(self, model_name: str) -> Iterator[Candidate]:
        """The routes that a model takes, in the order in which they are asked."""
        for routes in (self.routes, self.optional_routes):
            if model_name in routes:
                yield Candidate(RoutingRule.EXACT, model_name, routes[model_name])
        for position in self.pattern_index.matching(model_name):
            candidate = self.patterns[position]
            if candidate.key != model_name:
                yield candidate

    def _in_order(self, backends: Collection[str]) -> list[str]:
        """Those of some backends that `fallback_order` names, in its order."""
        return sorted(filter(self.order.__contains__, backends), key=self.order.__getitem__)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The place of each backend in `fallback_order`; of one that stands there twice the first."""
        places: dict[str, int] = {}
        for place, backend in enumerate(self.fallback_order):
            places.setdefault(backend, place)
        return FrozenDict(places)

    @cached_property
    def patterns(self) -> tuple[Candidate, ...]:
        """The patterns, most specific first."""
        routes = [(key, backend) for _, key, backend in self.all_routes() if is_pattern(key)]
        # The sort is stable: between equals the one declared first stays first.
        routes.sort(key=lambda route: -specificity(route[0]))
        return tuple(Candidate(RoutingRule.PATTERN, *route) for route in routes)

    @cached_property
    def pattern_index(self) -> PatternIndex:
        """Which of the patterns match a name."""
        return PatternIndex(str(route.key) for route in self.patterns)
