"""Building the backends: read their models, choose those in use, and look for their credentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import filterfalse, product
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from pipelex_cogt.config.credential_checks import variable_for
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.foreign_references import foreign_reference
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.references import ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName, is_one_slip
from pipelex_cogt.config.tables import FrozenDict, Table, freeze, merge
from pipelex_cogt.config.validation import Inherited, build_sound, note_faults, note_given
from pipelex_cogt.model_backends.backend import HandedOver, InferenceBackend, referenced_settings, references_of
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.credential_needs import (
    Lacking,
    Needs,
    NeedsFinder,
    left_out,
    named_backends,
    refuse_missing,
    tell_left_out,
)
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelSpecs

Specs: TypeAlias = Mapping[str, InferenceModelSpec | None]
"""The specs of a backend's file by model name; None stands for one that has a fault."""

_BACKEND_KEYS = known_keys(InferenceBackend)
_PLAIN_KEYS = ("enabled", "display_name")
"""The keys of a backend that take no reference."""
_ANY_MODEL = {"name": "any", "backend_name": "any", "model_id": "any", "sdk": "any"}
"""What a model must have, for judging `[defaults]`, which need not state it."""
_NO_REFERENCE = "a reference cannot stand here: the settings mean the same with and without keys"


def build_backend_library(
    tree: Table, config: InferenceConfig, credentials: Credentials, report: ProblemReport
) -> InferenceBackendLibrary:
    """Build every backend with its models; faults are noted and what has one is left out.

    Args:
        tree: The merged settings.
        config: Which backends are in use, and what a missing credential means.
        credentials: What answers references.
        report: Where problems are noted.
    """
    tables: Mapping[str, Table] = tree.get("backends", {})
    files: Mapping[str, Table] = tree.get("models", {})
    in_use = _choose_backends(tables, config, report)
    build = _BackendBuilder(config, credentials, report, files, in_use)
    specs_of = {name: build.specs(name) for name in {**tables, **files}}
    lacking = build.lacking(tree, specs_of)
    backends: dict[str, InferenceBackend] = {}
    hidden: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for name, specs in specs_of.items():
        served: Collection[str] = ()
        if name in tables:
            missing = tuple(map(str, lacking.get(name, ())))
            backend = backends[name] = build.backend(name, tables[name], specs, missing)
            served = backend.model_specs if backend.enabled else ()
        else:
            hint = NearName(name, tables, otherwise="add its table to backends.toml")
            problem = f"models of a backend {name!r} that does not exist"
            report.warning(("models", name), problem, hint, unless=[("backends", name)])
        for model in filterfalse(served.__contains__, specs):
            hidden[model] += (name,)
        if name not in in_use:
            report.demote(("models", name), unless=[("backends", name, "enabled")])
    return InferenceBackendLibrary(FrozenDict(backends), FrozenDict(hidden))


def _choose_backends(tables: Mapping[str, Table], config: InferenceConfig, report: ProblemReport) -> set[str]:
    """The names of the backends in use."""
    if config.enabled_backends is None:
        return {name for name, table in tables.items() if table.get("enabled", True) is not False}
    for index, name in enumerate(config.enabled_backends):
        if name not in tables:
            path = ("inference_config", "enabled_backends", index)
            near = NearName(name, tables, lists_known=True)
            report.unknown_name(path, "backend", near, unless=[("backends", name)])
    return set(config.enabled_backends)


def _served(specs: Specs) -> ModelSpecs:
    """The specs that have no fault and are not switched off."""
    return FrozenDict({model: spec for model, spec in specs.items() if spec is not None and spec.enabled})


class _BackendBuilder(NamedTuple):
    """The steps of building one backend, and what all of them need."""

    config: InferenceConfig
    credentials: Credentials
    report: ProblemReport
    files: Mapping[str, Table]
    in_use: Collection[str]

    def lacking(self, tree: Table, specs_of: Mapping[str, Specs]) -> Mapping[str, Lacking]:
        """The backends to load without for lack of a credential; where that is a fault, it is noted."""
        finder = NeedsFinder(self.config, self.credentials, self.report)
        needs: dict[str, Needs] = {}
        for name, table in tree.get("backends", {}).items():
            # What takes no reference is blanked, so that nobody looks there.
            stated = {**table, **dict.fromkeys(_PLAIN_KEYS)}
            settings = referenced_settings(name, stated, _served(specs_of[name]))
            needs[name] = finder.find(table, settings, is_in_use=name in self.in_use)
        mode, given = self.config.missing_credentials, (self.config, self.credentials, self.report)
        if mode is MissingCredentials.ERROR:
            refuse_missing(needs, *given)
        is_preferring = mode is MissingCredentials.PREFER
        named = named_backends(tree, self.config, self.credentials) if is_preferring else ()
        lacking = left_out(needs, mode, named)
        tell_left_out(lacking, *given)
        return lacking

    def backend(self, name: str, table: Table, specs: Specs, missing: tuple[str, ...]) -> InferenceBackend:
        """Build a backend; `missing` names what it was left out for."""
        path, is_in_use = ("backends", name), name in self.in_use
        if is_in_use and name not in self.files:
            file = self.config.model_specs_path(name)
            hint = f"expected them in {file.parent.name}/{file.name}"
            self.report.error(path, "no file states its models", hint, unless=[("models", name)])
        own = {key: table[key] for key in table.keys() & _BACKEND_KEYS}
        further = {key: value for key, value in table.items() if key not in own}
        self._check_further_keys(path, further)
        self._check_endpoint(path, own.get("endpoint"))
        given = {"name": name, "extra_config": freeze(further), "missing_variables": missing}
        if isinstance(own.get("enabled", True), bool):
            # What is no boolean stays, for validation to refuse it.
            given["enabled"] = is_in_use and not missing
        context = HandedOver(self.credentials, _served(specs))
        backend = build_sound(InferenceBackend, own, path, self.report, given, context)
        for _ in references_of(own.get("display_name"), path):
            self.report.error((*path, "display_name"), _NO_REFERENCE)
        return backend or InferenceBackend.model_validate(given, context=context)

    def _check_endpoint(self, path: KeyPath, endpoint: Any) -> None:
        """What another tool takes for a reference is no base URL."""
        text = plain_text(endpoint)
        foreign = foreign_reference(text) if isinstance(text, str) else None
        if foreign is not None:
            place = (*path, "endpoint")
            hint = f"write ${{{foreign or variable_for(place)}}}"
            self.report.error(place, "looks like a reference of another tool", hint)

    def _check_further_keys(self, path: KeyPath, further: Table) -> None:
        """A key that is one slip away from a known one is a misspelling, not a further key of its SDK."""
        if "extra_config" in further:
            hint = "write its keys in the backend's own table"
            self.report.error((*path, "extra_config"), "unknown key", hint)
        # The known keys are far apart: no key is one slip away from two of them.
        for key, known in product(further, _BACKEND_KEYS):
            if is_one_slip(key, known):
                self.report.error((*path, key), "unknown key", f"did you mean {known!r}?")

    def specs(self, backend: str) -> Specs:
        """Build the specs of a backend's file."""
        tables = dict(self.files.get(backend, {}))
        defaults = tables.pop(DEFAULTS_KEY, {})
        # A fault of `[defaults]` is told once, where it stands, rather than for every model that takes it.
        self._spec(("models", backend, DEFAULTS_KEY), defaults, {**_ANY_MODEL, **defaults})
        specs: dict[str, InferenceModelSpec | None] = {}
        for name, table in tables.items():
            path = ("models", backend, name)
            if isinstance(table, dict):
                merged = merge(defaults, table) if defaults else table
                fields = {"model_id": name, **merged, "name": name, "backend_name": backend}
                specs[name] = self._spec(path, table, fields)
            else:
                # Whatever else stood here has been moved to `[defaults]`, or was refused for its shape.
                twice = f"also stated as {DEFAULTS_KEY}.{OLDER_SPELLINGS[name]}"
                self.report.error(path, twice, "keep one of the two")
        return specs

    def _spec(self, path: KeyPath, table: Table, fields: Table) -> InferenceModelSpec | None:
        """Build a model from its fields; those that its own table does not state come from its file's `[defaults]`."""
        note_given(InferenceModelSpec, table, path, self.report)
        refused = self._refuse_references(table, path)
        # An escaped `$${` is answered too: with `${`.
        context = self.credentials if "${" in str(fields["model_id"]) else None
        try:
            return InferenceModelSpec.model_validate(fields, context=context)
        except ValidationError as error:
            inherited = Inherited(table, (*path[:-1], DEFAULTS_KEY))
            note_faults(error, InferenceModelSpec, path, self.report, inherited, refused)
        return None

    def _refuse_references(self, table: Table, path: KeyPath) -> list[KeyPath]:
        """Note references where none can stand: everywhere but in `model_id`.

        Returns:
            The key paths of those that were refused.
        """
        # Most tables hold none, and looking at their text is quicker than at each value.
        if "${" not in str(table):
            return []
        stated = dict(references_of(table, path))
        model_id = stated.pop((*path, "model_id"), "")
        for place in stated:
            self.report.error(place, _NO_REFERENCE)
        try:
            references_in(model_id)
        except ReferenceSyntaxError as error:
            self.report.error((*path, "model_id"), str(error))
        return [*stated]
