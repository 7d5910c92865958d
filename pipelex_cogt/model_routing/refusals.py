"""Why a backend does not serve a model, and which do: the one place that judges it and puts it into words.

refusal_of(backends, "openai", "gpt-4.1")       # RouteRefusal.MODEL_DISABLED, or None where it serves the model
tell_refusal(backends, "openai", "gpt-4.1")     # has the model disabled (cogt.models.openai."gpt-4.1".enabled)
tell_others(backends, "gpt-4.1", "openai")      # 'azure_openai' can
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import filterfalse
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath, format_key_path, quote_key, quote_text
from pipelex_cogt.errors import BackendDisabledError, ModelNotRoutedError, NotAvailableError, abridge
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary, Pin
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, Verdict, describe_rule


class ServiceOf(NamedTuple):
    """What routing asks of the backends of a library.

    Attributes:
        backends: Every backend.
        with_every_key: Whether they are asked as if no credential were missing.
    """

    backends: InferenceBackendLibrary
    with_every_key: bool = False

    def serving(self, model_name: str) -> tuple[str, ...]:
        """The backends that serve a model."""
        return self.backends.serving(model_name, with_every_key=self.with_every_key)

    def refusal(self, backend: str, model_name: str) -> RouteRefusal | None:
        """Why a backend does not serve a model; None where it does."""
        return refusal_of(self.backends, backend, model_name, with_every_key=self.with_every_key)


class Unserved(NamedTuple):
    """A model that a routing profile serves nowhere.

    Attributes:
        model: The model.
        profile: The name of the routing profile.
        verdict: What the profile decided.
        asked: The backends that were asked; of those that were asked in turn, the ones that know the model.
    """

    model: str
    profile: str
    verdict: Verdict
    asked: Collection[str]


def refusal_of(
    backends: InferenceBackendLibrary, backend: str, model: str, *, with_every_key: bool = False
) -> RouteRefusal | None:
    """Why a backend does not serve a model, or would not if no credential were missing; None where it does."""
    served = backends.served_with_every_key if with_every_key else backends.served
    specs = served.get(backend)
    if specs is None:
        return _refusal_of_unused(backends, backend)
    if model in specs:
        return None
    is_switched_off = model in backends.switched_off_models[backend]
    return RouteRefusal.MODEL_DISABLED if is_switched_off else RouteRefusal.MODEL_NOT_SERVED


def _refusal_of_unused(backends: InferenceBackendLibrary, backend: str) -> RouteRefusal:
    # Routing asks for every model, and the library itself answers slower than its mapping.
    stated = backends.backends.get(backend)
    if stated is None:
        return RouteRefusal.UNKNOWN_BACKEND
    return RouteRefusal.LEFT_OUT if stated.is_left_out else RouteRefusal.DISABLED


def tell_refusal(backends: InferenceBackendLibrary, backend: str, model: str) -> str | None:
    """Why a backend does not serve a model, in words that name the settings behind it; None where it does."""
    refusal = refusal_of(backends, backend, model)
    if refusal is RouteRefusal.MODEL_DISABLED:
        return f"{refusal} ({format_key_path(backends.switched_off_models[backend][model])})"
    if refusal is not None and refusal.is_of_backend:
        return backends[backend].why_unused
    return refusal


def tell_others(backends: InferenceBackendLibrary, model: str, asked: Collection[str]) -> str | None:
    """Which backends beside those asked serve a model; where none does, why those that know it do not."""
    serving = backends.serving(model)
    if serving:
        return f"{' and '.join(abridge([*map(repr, serving)]))} can"
    others = filterfalse(asked.__contains__, backends.known_models.get(model, ()))
    told = [f"{name!r} knows it and {tell_refusal(backends, name, model)}" for name in others]
    return "; ".join(abridge(told)) or None


def absence_of(backends: InferenceBackendLibrary, unserved: Unserved, would_serve: str | None) -> NotAvailableError:
    """Why a known model is not served: a missing credential, a disabled backend, or no rule that leads to it.

    Args:
        backends: Every backend.
        unserved: The model, and what was decided about it.
        would_serve: The backend that it would have been led to if no credential were missing.
    """
    model = unserved.model
    known = backends.known_models[model]
    is_in_use = any(map(backends.enabled.__contains__, known))
    # What would not serve the model with its credential either is no reason.
    for backend in backends.existing(filter(None, [would_serve, *(unserved.asked if is_in_use else known)])):
        missing = backend.missing_credential()
        if missing is not None and model in backend.model_specs:
            return missing
    if is_in_use:
        return not_routed(backends, unserved)
    switches = dict.fromkeys(map(format_key_path, _switches(backends, model)))
    return BackendDisabledError(model, known, tuple(switches))


def absence_of_pin(backends: InferenceBackendLibrary, handle: str, pin: Pin) -> NotAvailableError:
    """Why the backend that a handle pins does not serve the model that it knows."""
    backend = backends[pin.backend]
    missing = backend.missing_credential()
    if missing is not None and pin.model in backend.model_specs:
        return missing
    own = [backend.switched_off_models[pin.model]] if pin.model in backend.switched_off_models else []
    switches = map(format_key_path, [*backend.switched_off_by, *own])
    return BackendDisabledError(handle, (pin.backend,), tuple(switches))


def _switches(backends: InferenceBackendLibrary, model: str) -> Iterator[KeyPath]:
    """The settings that keep a model from being served, of the backends of which least has to be changed."""
    stated = backends.existing(backends.known_models[model])
    for backend in [each for each in stated if model in each.model_specs] or stated:
        yield from backend.switched_off_by
        if model in backend.switched_off_models:
            yield backend.switched_off_models[model]


def not_routed(backends: InferenceBackendLibrary, unserved: Unserved) -> ModelNotRoutedError:
    """Why no rule leads to a model, and the line that would; the arguments are those of `absence_of`."""
    model, profile, verdict, asked = unserved
    turned_down = {name: str(tell_refusal(backends, name, model)) for name in asked}
    next_step = tell_others(backends, model, turned_down)
    if backends.serving(model):
        next_step = f"{next_step}: {_line_to_add(backends, unserved)}"
    rule = None if verdict.backend is None else describe_rule(verdict.rule, verdict.key)
    return ModelNotRoutedError(model, profile, rule, tuple(turned_down.items()), next_step)


def _line_to_add(backends: InferenceBackendLibrary, unserved: Unserved) -> str:
    """The line that leads a model to the first backend that serves it."""
    model = unserved.model
    route = f"routes = {{ {quote_key(model)} = {quote_text(backends.serving(model)[0])} }}"
    # A route that takes the model is asked before `fallback_order` is.
    otherwise = "" if unserved.verdict.key else ", or name it in fallback_order"
    return f"add {route} to {format_key_path(('routing', 'profiles', unserved.profile))}{otherwise}"
