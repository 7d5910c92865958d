"""The library of routing profiles, with the one that is active.

active = "all_enabled"

[profiles.all_enabled]
fallback_order = ["openai", "anthropic"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.errors import ModelNotRoutedError, NotAvailableError, UnknownNameError, check_name
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_routing.refusals import ServiceOf, Unserved, absence_of, absence_of_pin, not_routed
from pipelex_cogt.model_routing.routing_profile import RoutingDecision, RoutingProfile, RoutingRule, Verdict
from pipelex_cogt.visible import visible


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

    def __repr__(self) -> str:
        return visible(f"{type(self).__name__}({len(self.profiles)} profiles, {self.active.name!r} is active)")

    def get_required(self, name: str) -> RoutingProfile:
        """The profile of that name.

        Raises:
            UnknownNameError: No profile is called so.
        """
        check_name(name, "routing profile")
        if name not in self.profiles:
            raise UnknownNameError(name, "routing profile", partial(near_names, name, self.profiles))
        return self.profiles[name]

    def decide(self, model_name: str, profile: str | None = None, *, with_every_key: bool = False) -> RoutingDecision:
        """Which backend serves a model, and why.

        Args:
            model_name: The model; `name@backend` for one that a backend is pinned to.
            profile: The profile to ask; None for the active one.
            with_every_key: Whether to decide as if no credential were missing.
        """
        chosen, service = self._profile(profile), ServiceOf(self.backends, with_every_key)
        pin = self.backends.pin(model_name)
        return chosen.decide_pin(*pin, service) if pin else chosen.decide(model_name, service)

    def judge(self, model_name: str, profile: str | None = None, *, with_every_key: bool = False) -> Verdict:
        """Which backend serves a model, without those asked before it; the arguments are those of `decide`."""
        chosen, service = self._profile(profile), ServiceOf(self.backends, with_every_key)
        pin = self.backends.pin(model_name)
        if pin is None:
            return chosen.judge(model_name, service)
        return Verdict(RoutingRule.PIN, None, pin.backend, pin.backend in service.serving(pin.model))

    def _profile(self, name: str | None) -> RoutingProfile:
        return self.active if name is None else self.get_required(name)

    def absence(self, model_name: str) -> NotAvailableError:
        """Why the active profile serves a known model nowhere: the error for whoever asks for it."""
        pin = self.backends.pin(model_name)
        if pin is not None:
            return absence_of_pin(self.backends, model_name, pin)
        would_serve = self.judge(model_name, with_every_key=True).serving
        return absence_of(self.backends, self._unserved(model_name), would_serve)

    def not_routed(self, model_name: str) -> ModelNotRoutedError:
        """Why no rule of the active profile leads to a known model, and the line that would."""
        return not_routed(self.backends, self._unserved(model_name))

    def _unserved(self, model_name: str) -> Unserved:
        """A known model that the active profile serves nowhere."""
        verdict, known = self.judge(model_name), frozenset(self.backends.known_models[model_name])
        turned_down = self.active.turned_down(model_name, verdict, known)
        # Of many that were asked in turn, those that never heard of the model are no news.
        asked = [each.backend for each in turned_down if verdict.key is not None or each.backend in known]
        return Unserved(model_name, self.active.name, verdict, asked)
