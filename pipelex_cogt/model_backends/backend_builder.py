"""Building the backends: read their models, choose those in use, and look for their credentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import chain, filterfalse, product
from typing import NamedTuple, TypeAlias

from pydantic import ValidationError

from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.masking import is_placeholder
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.references import Prefix, Reference, ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import WHEREVER, ProblemReport
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName, is_one_slip
from pipelex_cogt.config.tables import FrozenDict, Table, freeze, merge
from pipelex_cogt.config.toml_files import display_path
from pipelex_cogt.config.validation import Inherited, build_sound, note_faults, note_given
from pipelex_cogt.errors import SecretFileError, SecretSourceError
from pipelex_cogt.model_backends.backend import HandedOver, InferenceBackend, referenced_settings, references_of
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
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
    backends: dict[str, InferenceBackend] = {}
    hidden: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for name in {**tables, **files}:
        specs = build.specs(name)
        served: Collection[str] = ()
        if name in tables:
            backend = backends[name] = build.backend(name, tables[name], specs)
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


class _BackendBuilder(NamedTuple):
    """The steps of building one backend, and what all of them need."""

    config: InferenceConfig
    credentials: Credentials
    report: ProblemReport
    files: Mapping[str, Table]
    in_use: Collection[str]

    def backend(self, name: str, table: Table, specs: Specs) -> InferenceBackend:
        """Build a backend; one whose credentials are missing is left out or refused, as the settings say."""
        path, is_in_use = ("backends", name), name in self.in_use
        if is_in_use and name not in self.files:
            place = ("models", name)
            hint = f"expected them in {display_path(self.config.model_specs_path(name))}"
            self.report.unreadable(place, "no file states its models", path=path, hint=hint, unless=[place])
        own = {key: table[key] for key in table.keys() & _BACKEND_KEYS}
        further = {key: value for key, value in table.items() if key not in own}
        served = FrozenDict({model: spec for model, spec in specs.items() if spec is not None and spec.enabled})
        self._check_further_keys(path, further)
        missing = self._find_missing(name, table, served)
        given = {"name": name, "extra_config": freeze(further), "missing_variables": tuple(missing)}
        if isinstance(own.get("enabled", True), bool):
            # What is no boolean stays, for validation to refuse it.
            given["enabled"] = is_in_use and not missing
        context = HandedOver(self.credentials, served)
        backend = build_sound(InferenceBackend, own, path, self.report, given, context)
        for _ in references_of(own.get("display_name"), path):
            self.report.error((*path, "display_name"), _NO_REFERENCE)
        return backend or InferenceBackend.model_validate(given, context=context)

    def _check_further_keys(self, path: KeyPath, further: Table) -> None:
        """A key that is one slip away from a known one is a misspelling, not a further key of its SDK."""
        if "extra_config" in further:
            hint = "write its keys in the backend's own table"
            self.report.error((*path, "extra_config"), "unknown key", hint)
        # The known keys are far apart: no key is one slip away from two of them.
        for key, known in product(further, _BACKEND_KEYS):
            if is_one_slip(key, known):
                self.report.error((*path, key), "unknown key", f"did you mean {known!r}?")

    def _find_missing(self, name: str, table: Table, served: ModelSpecs) -> list[str]:
        """The variables whose absence leaves the backend out; where it is refused for them, they are errors."""
        missing: dict[str, KeyPath] = {}
        # What takes no reference is blanked, so that nobody looks there.
        stated = {**table, **dict.fromkeys(_PLAIN_KEYS)}
        for path, text in referenced_settings(name, stated, served):
            for reference in self._check_references(name, path, text):
                missing.setdefault(str(reference), path)
        if self.config.missing_credentials is MissingCredentials.ERROR:
            for names, path in missing.items():
                self.report.error(path, f"backend {name!r} needs {names}, which is not set")
            return []
        for names, path in missing.items():
            self.report.warning(path, f"backend {name!r} is left out: {names} is not set", place=WHEREVER)
        return [*missing]

    def _check_references(self, name: str, path: KeyPath, text: str) -> list[Reference]:
        """Check the references of a setting.

        Returns:
            Those that no source answers, where that means something at load.
        """
        try:
            references = references_in(text)
            if name in self.in_use:
                self._warn_of_placeholders(name, path, references)
                # Under "defer" whoever uses the backend hears of it; a source is not asked before.
                if self.config.missing_credentials is not MissingCredentials.DEFER:
                    return self.credentials.missing(text)
        except SecretFileError as error:
            self.report.error(path, error.problem, place=Place(error.path))
        except (ReferenceSyntaxError, SecretSourceError) as error:
            self.report.error(path, str(error))
        return []

    def _warn_of_placeholders(self, backend: str, path: KeyPath, references: list[Reference]) -> None:
        for prefix, name in chain.from_iterable(reference.names for reference in references):
            if prefix is not Prefix.SECRET and is_placeholder(self.credentials.environ.get(name, "")):
                text = f"{name} looks like a placeholder, not like a credential of backend {backend!r}"
                self.report.warning(path, text, "set its value", Place(name))

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
