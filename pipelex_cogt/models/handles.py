"""Handles: what a caller asks for, a model name or an alias, and `name@backend` for a model at one backend.

smart = ["claude-4.6-sonnet@anthropic", "claude-4.6-sonnet@bedrock"]
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import toml_type
from pipelex_cogt.model_backends.backend_library import AT, InferenceBackendLibrary


def what_is_no_handle(
    presets: Collection[str], aliases: Collection[str], backends: InferenceBackendLibrary, name: str
) -> str | None:
    """What a name is that stands where a model or an alias belongs, in words; None where it is nothing here."""
    if name in presets:
        return "a preset: name its llm_handle instead"
    return backends.what_is(name) or _what_pin_is(aliases, backends, name)


def _what_pin_is(aliases: Collection[str], backends: InferenceBackendLibrary, handle: str) -> str | None:
    """What `name@backend` is that pins nothing; None for any other name."""
    name, at, backend = handle.rpartition(AT)
    if at and name in backends.known_models:
        if not backend:
            return f"a model and {AT}, which names the backend that comes after it"
        lack = "does not have" if backend in backends else "would have if there were such a backend"
        known_by = ", ".join(map(repr, backends.known_models[name]))
        return f"a model that {backend!r} {lack}; it is known to {known_by}"
    return f"an alias, and {AT} pins models: pin its members" if at and name in aliases else None


class Handles:
    """The handles that something is called by."""

    def __init__(
        self, backends: InferenceBackendLibrary, aliases: Iterable[str], presets: Collection[str] = ()
    ) -> None:
        """Keep the names of models and aliases, and the presets, which are none."""
        self.backends = backends
        # In the order in which they are stated, for that is the order of suggestions.
        self._aliases = dict.fromkeys(aliases)
        self._names = dict.fromkeys([*backends.known_models, *self._aliases])
        self.what_is = partial(what_is_no_handle, presets, self._aliases, backends)

    def __contains__(self, handle: str) -> bool:
        return handle in self._names or self.backends.pin(handle) is not None

    def check(self, handle: Any, path: KeyPath, report: ProblemReport) -> None:
        """Note a handle that is no name, or that nothing is called by."""
        if not isinstance(handle, str):
            report.error(path, f"expected a name, got {toml_type(handle)}")
        elif handle not in self:
            self._note_unknown(handle, path, report)

    def _note_unknown(self, handle: str, path: KeyPath, report: ProblemReport) -> None:
        near = NearName(handle, self._names, what_is=self.what_is)
        name, at, backend = handle.rpartition(AT)
        stated_at = ("deck", "aliases", handle)
        places = [model_place(handle), stated_at, *([model_place(name), ("backends", backend)] if at else [])]
        report.unknown_name(path, "model or alias", near, unless=places, causes=[stated_at])
