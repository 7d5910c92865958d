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
from pipelex_cogt.errors import UnknownNameError
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import ModelSpecs
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingDecision, RoutingProfile


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
        return f"{type(self).__name__}({len(self.profiles)} profiles, {self.active.name!r} is active)"

    def get_required(self, name: str) -> RoutingProfile:
        """The profile of that name.

        Raises:
            UnknownNameError: No profile is called so.
        """
        if name not in self.profiles:
            raise UnknownNameError(name, "routing profile", near_names(name, self.profiles))
        return self.profiles[name]

    def decide(self, model_name: str, profile: str | None = None, *, with_every_key: bool = False) -> RoutingDecision:
        """Which backend serves a model, and why.

        Args:
            model_name: The model.
            profile: The profile to ask; None for the active one.
            with_every_key: Whether to decide as if no credential were missing.
        """
        chosen = self.active if profile is None else self.get_required(profile)
        served = self.backends.served_with_every_key if with_every_key else self.backends.served
        return chosen.decide(model_name, partial(self._refusal, served))

    def _refusal(self, served: Mapping[str, ModelSpecs], backend: str, model_name: str) -> RouteRefusal | None:
        """Why a backend does not serve a model; None where it does."""
        specs = served.get(backend)
        if specs is None:
            return RouteRefusal.DISABLED if backend in self.backends else RouteRefusal.UNKNOWN_BACKEND
        if model_name in specs:
            return None
        is_hidden = backend in self.backends.hidden_models.get(model_name, ())
        return RouteRefusal.MODEL_DISABLED if is_hidden else RouteRefusal.MODEL_NOT_SERVED
