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
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.settings_model import GIVEN, SettingsModel, none_if_empty
from pipelex_cogt.config.tables import FrozenDict, leaves
from pipelex_cogt.model_backends.model_spec import WILDCARD

# What `fnmatch` takes for more than itself, beside the `*` that is meant. One character.
_SPECIAL_TO_FNMATCH = re.compile(r"([?\[])")


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
        return "; ".join(map(str, self.turned_down)) or "no rule matches"


def describe_rule(rule: RoutingRule, key: str | None) -> str:
    """A rule for people: a route by its key, another by its kind."""
    return rule.value if key is None else f"route {key!r}"


Routes = Annotated[dict[str, str], AfterValidator(FrozenDict)]
Serves = Callable[[str, str], RouteRefusal | None]
"""Asks whether a backend serves a model name: None when it does, else why not."""
Matches = Callable[[str], object]
"""Says whether a name matches a pattern."""


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
            turned_down.append(TurnedDown(backend, rule, key, refusal))
            # A route is never bypassed, but for one that counts only while its backend is enabled.
            if key is not None and (key in self.routes or not refusal.is_of_backend):
                return RoutingDecision(model_name, None, rule, key, tuple(turned_down))
        return RoutingDecision(model_name, None, RoutingRule.NONE, None, tuple(turned_down))

    def decide_pin(self, model_name: str, backend: str, serves: Serves) -> RoutingDecision:
        """Decide whether the backend that a handle names serves a model; no rule of the profile is asked."""
        refusal = serves(backend, model_name)
        if refusal is None:
            return RoutingDecision(model_name, backend, RoutingRule.PIN)
        turned_down = TurnedDown(backend, RoutingRule.PIN, None, refusal)
        return RoutingDecision(model_name, None, RoutingRule.PIN, None, (turned_down,))

    def candidates(self, model_name: str) -> Iterator[tuple[RoutingRule, str | None, str]]:
        """Every rule that applies to a model, in the order in which they are asked: rule, route key, backend."""
        for routes in (self.routes, self.optional_routes):
            if model_name in routes:
                yield RoutingRule.EXACT, model_name, routes[model_name]
        for matches, key, backend in self.patterns:
            if matches(model_name) and key != model_name:
                yield RoutingRule.PATTERN, key, backend
        if self.default is not None:
            yield RoutingRule.DEFAULT, None, self.default
        yield from ((RoutingRule.FALLBACK, None, backend) for backend in self.fallback_order if backend != self.default)

    @cached_property
    def patterns(self) -> tuple[tuple[Matches, str, str], ...]:
        """The patterns, most specific first: what matches, the key, the backend."""
        routes = [(compile_pattern(key), key, backend) for _, key, backend in self.all_routes() if is_pattern(key)]
        # The sort is stable: between equals the one declared first stays first.
        return tuple(sorted(routes, key=lambda route: -specificity(route[1])))


def specificity(pattern: str) -> int:
    """How specific a pattern is: its number of literal characters."""
    return len(pattern.replace(WILDCARD, ""))


def compile_pattern(pattern: str) -> Matches:
    """A function that says whether a name matches a pattern, in which only `*` is special."""
    escaped = _SPECIAL_TO_FNMATCH.sub(r"[\1]", pattern)
    return re.compile(fnmatch.translate(escaped)).match


def is_pattern(key: str) -> bool:
    """Whether a route's key is a pattern rather than a model name."""
    return WILDCARD in key
