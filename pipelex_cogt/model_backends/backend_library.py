"""The library of inference backends, each with the models it serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.errors import BackendDisabledError, UnknownNameError, check_name
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelSpecs
from pipelex_cogt.model_backends.shared_models import lineage, tables_of

AT = "@"
"""What stands between a model's name and the backend that it is pinned to."""


class Pin(NamedTuple):
    """A model at one backend, whatever the routing says.

    Attributes:
        model: The model's name.
        backend: The backend's name.
    """

    model: str
    backend: str


def switches_of(backend: str) -> tuple[KeyPath, ...]:
    """The key paths of the settings that switch a backend off, or leave it out."""
    return ("backends", backend, "enabled"), ("inference_config", "enabled_backends")


@dataclass(frozen=True, eq=False, repr=False)
class InferenceBackendLibrary(Mapping[str, InferenceBackend]):
    """Every backend of the settings by its name, the disabled ones too.

    Attributes:
        backends: The backends by name.
        hidden_models: Models that a file knows and that are not served, each with the backends that know it.
        like: The backends with the models of another (`models_like`), each with that other.
    """

    backends: Mapping[str, InferenceBackend]
    hidden_models: Mapping[str, tuple[str, ...]]
    like: Mapping[str, str] = FrozenDict()

    def __getitem__(self, name: str) -> InferenceBackend:
        return self.backends[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.backends)

    def __len__(self) -> int:
        return len(self.backends)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.backends)} backends, {len(self.enabled)} in use)"

    @cached_property
    def enabled(self) -> Mapping[str, InferenceBackend]:
        """The backends in use."""
        return FrozenDict({name: backend for name, backend in self.backends.items() if backend.enabled})

    @cached_property
    def served(self) -> Mapping[str, ModelSpecs]:
        """The models that each backend in use serves. Routing asks for every model, and a backend answers slower."""
        return FrozenDict({name: backend.model_specs for name, backend in self.enabled.items()})

    @cached_property
    def served_with_every_key(self) -> Mapping[str, ModelSpecs]:
        """The models that each backend would serve if no credential were missing."""
        left_out = {name: backend.model_specs for name, backend in self.backends.items() if backend.is_left_out}
        return FrozenDict({**self.served, **left_out}) if left_out else self.served

    @cached_property
    def switched_off_models(self) -> Mapping[str, Mapping[str, KeyPath]]:
        """The models that each backend's file switches off, each with the key path of the `enabled` that does."""
        return FrozenDict({name: backend.switched_off_models for name, backend in self.backends.items()})

    @cached_property
    def known_models(self) -> Mapping[str, tuple[str, ...]]:
        """Every model name that a file knows, with the backends that serve or know it."""
        known: defaultdict[str, list[str]] = defaultdict(list)
        for backend in self.enabled.values():
            for name in backend.model_specs:
                known[name].append(backend.name)
        for name, backends in self.hidden_models.items():
            known[name] += backends
        return FrozenDict(zip(known, map(tuple, known.values()), strict=True))

    def pin(self, handle: str) -> Pin | None:
        """The model and the backend that `name@backend` names; None for any other handle.

        Raises:
            NameTypeError: It is no text.
        """
        check_name(handle, "model or alias")
        model, at, backend = handle.rpartition(AT)
        if not at or handle in self.known_models or backend not in self.known_models.get(model, ()):
            return None
        return Pin(model, backend)

    def pinned(self, handle: str) -> InferenceModelSpec | None:
        """The model that `name@backend` names, where that backend serves it; None for any other handle."""
        pin = self.pin(handle)
        return self.served.get(pin.backend, {}).get(pin.model) if pin else None

    def known_by(self, handle: str) -> tuple[str, ...]:
        """The backends that know a model; of `name@backend` that one alone."""
        pin = self.pin(handle)
        return (pin.backend,) if pin else self.known_models.get(handle, ())

    def model_of(self, handle: str) -> str:
        """The model's name without the backend that it is pinned to."""
        pin = self.pin(handle)
        return pin.model if pin else handle

    @cached_property
    def model_ids(self) -> Mapping[str, tuple[str, ...]]:
        """Every model_id as stated, with the names of its models; looked up when a message needs it."""
        names: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for backend in self.backends.values():
            for spec in backend.model_specs.values():
                names[spec.stated_model_id][spec.name] = None
        return FrozenDict(zip(names, map(tuple, names.values()), strict=True))

    def what_is(self, name: str) -> str | None:
        """What a name is that is no model's, in words; None where it is nothing else here."""
        if name in self.model_ids and name not in self.known_models:
            return f"the model_id of {' or '.join(map(repr, self.model_ids[name]))}"
        return "a backend" if name in self.backends else None

    def lineage(self, backend: str) -> tuple[str, ...]:
        """A backend, and those whose models it takes (`models_like`), the nearest first."""
        return tuple(lineage(backend, self.like))

    def tables_of(self, backend: str, model: str) -> tuple[KeyPath, ...]:
        """The key paths of the tables that may state a key of a backend's model, the one that wins first."""
        return tuple(tables_of(model, self.lineage(backend)))

    def existing(self, names: Iterable[str]) -> list[InferenceBackend]:
        """The backends of some names, without the names that no backend has."""
        return [self.backends[name] for name in names if name in self.backends]

    def serving(self, model: str, *, with_every_key: bool = False) -> tuple[str, ...]:
        """The backends in use that serve a model; with every key those too that were left out for a missing one."""
        served = self.served_with_every_key if with_every_key else self.served
        return tuple([name for name in self.known_models.get(model, ()) if name in served and model in served[name]])

    def get_required(self, name: str) -> InferenceBackend:
        """The backend of that name, in use.

        Raises:
            UnknownNameError: No backend is called so.
            BackendDisabledError: It is disabled.
            MissingCredentialError: It was left out, for a credential is missing.
        """
        check_name(name, "backend")
        backend = self.backends.get(name)
        if backend is None:
            raise UnknownNameError(name, "backend", partial(near_names, name, self.backends))
        if not backend.enabled:
            switches = tuple(map(format_key_path, backend.switched_off_by))
            raise backend.missing_credential() or BackendDisabledError(name, (name,), switches)
        return backend
