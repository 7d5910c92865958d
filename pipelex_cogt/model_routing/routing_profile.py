"""Routing profiles: the rules that lead a model name to the backend that serves it.

    [profiles.azure_first]
    routes = { "gpt-*" = "azure_openai", "claude-*" = "bedrock" }
    fallback_order = ["openai", "anthropic"]

An exact route wins, else the most specific pattern, else `default`; only then `fallback_order` is asked.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipelex_cogt.config.frozen import FrozenDict
from pipelex_cogt.config.schema import GIVEN

WILDCARD = "*"
_SPECIAL_TO_FNMATCH = re.compile(r"([?\[])")


class RoutingRule(StrEnum):
    """Which kind of rule decided."""

    EXACT = "exact"
    PATTERN = "pattern"
    DEFAULT = "default"
    FALLBACK = "fallback"
    NONE = "none"


class RouteRefusal(StrEnum):
    """Why a backend that a rule names does not serve a model."""

    UNKNOWN_BACKEND = "does not exist"
    DISABLED = "is disabled"
    MODEL_NOT_SERVED = "does not serve the model"
    MODEL_DISABLED = "has the model disabled"
    NOT_ASKED = "a rule before it decided"


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
        if not self.turned_down:
            return "no rule matches"
        return "; ".join(map(str, self.turned_down))


def describe_rule(rule: RoutingRule, key: str | None) -> str:
    """A rule for people: a route by its key, another by its kind."""
    return rule.value if key is None else f"route {key!r}"


Routes = Annotated[dict[str, str], AfterValidator(FrozenDict)]
Serves = Callable[[str, str], RouteRefusal | None]
"""Asks whether a backend serves a model name: None when it does, else why not."""


class RoutingProfile(BaseModel):
    """One routing profile. `routes` have no order of their own: the most specific one decides."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, GIVEN]
    """The profile's name: its table's key."""
    description: str | None = None
    """A sentence for people."""
    default: str | None = None
    """The backend of the models that no route matches."""
    routes: Routes = FrozenDict()
    """Model name, or pattern with `*`, to backend."""
    optional_routes: Routes = FrozenDict()
    """Routes that count only while their backend is enabled."""
    fallback_order: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The backends that may serve what `default` does not, in order; disabled ones are passed over."""

    def named_backends(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every backend that a rule names, with the rule's key path within the profile."""
        for field, routes in (("routes", self.routes), ("optional_routes", self.optional_routes)):
            yield from (((field, key), backend) for key, backend in routes.items())
        if self.default is not None:
            yield ("default",), self.default
        yield from ((("fallback_order", index), backend) for index, backend in enumerate(self.fallback_order))

    def decide(self, model_name: str, serves: Serves) -> RoutingDecision:
        """Decide which backend serves a model.

        Args:
            model_name: The model.
            serves: Says whether a backend serves it.
        """
        turned_down: list[TurnedDown] = []
        for rule, key, backend in self.candidates(model_name):
            refusal = serves(backend, model_name)
            if refusal is None:
                return RoutingDecision(model_name, backend, rule, key, tuple(turned_down))
            if self._is_binding(rule, key, refusal):
                down = TurnedDown(backend, rule, key, refusal)
                return RoutingDecision(model_name, None, rule, key, (*turned_down, down))
            turned_down.append(TurnedDown(backend, rule, key, refusal))
        return RoutingDecision(model_name, None, RoutingRule.NONE, None, tuple(turned_down))

    def _is_binding(self, rule: RoutingRule, key: str | None, refusal: RouteRefusal) -> bool:
        """Whether a rule ends the search though its backend serves nothing: a route is never bypassed."""
        if rule not in (RoutingRule.EXACT, RoutingRule.PATTERN):
            return False
        is_optional = key not in self.routes
        return not (is_optional and refusal is RouteRefusal.DISABLED)

    def candidates(self, model_name: str) -> Iterator[tuple[RoutingRule, str | None, str]]:
        """Every rule that applies to a model, in the order in which they are asked: rule, route key, backend."""
        for routes in (self.routes, self.optional_routes):
            if model_name in routes:
                yield RoutingRule.EXACT, model_name, routes[model_name]
        for matches, key, backend in self._patterns:
            if matches(model_name) and key != model_name:
                yield RoutingRule.PATTERN, key, backend
        if self.default is not None:
            yield RoutingRule.DEFAULT, None, self.default
        yield from ((RoutingRule.FALLBACK, None, backend) for backend in self.fallback_order if backend != self.default)

    @cached_property
    def _patterns(self) -> tuple[tuple[Callable[[str], object], str, str], ...]:
        """The patterns, most specific first: what matches, the key, the backend."""
        routes = [*self.routes.items(), *self.optional_routes.items()]
        patterns = [(key, backend) for key, backend in routes if WILDCARD in key]
        patterns.sort(key=lambda route: -specificity(route[0]))
        return tuple((compile_pattern(key), key, backend) for key, backend in patterns)


def specificity(pattern: str) -> int:
    """How specific a pattern is: its number of literal characters."""
    return len(pattern.replace(WILDCARD, ""))


def compile_pattern(pattern: str) -> Callable[[str], object]:
    """A function that says whether a name matches a pattern, in which only `*` is special."""
    escaped = _SPECIAL_TO_FNMATCH.sub(r"[\1]", pattern)
    return re.compile(fnmatch.translate(escaped)).match


def is_pattern(key: str) -> bool:
    """Whether a route's key is a pattern rather than a model name."""
    return WILDCARD in key
