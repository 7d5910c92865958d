"""Building the backends: read their models, choose those in use, and look for their credentials."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.masking import is_placeholder
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.references import Prefix, Reference, ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName, is_one_slip
from pipelex_cogt.config.tables import FrozenDict, Table, freeze, merge
from pipelex_cogt.config.validation import Inherited, build_sound, note_faults, note_given
from pipelex_cogt.errors import SecretFileError, SecretSourceError
from pipelex_cogt.model_backends.backend import HandedOver, InferenceBackend, referenced_settings, references_of
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec

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
    build = _BackendBuilder(config, credentials, report)
    backends: dict[str, InferenceBackend] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys([*tables, *files]):
        specs = build.specs(name, files.get(name, {}))
        if name not in tables:
            hint = NearName(name, tables, otherwise="add its table to backends.toml")
            problem = f"models of a backend {name!r} that does not exist"
            report.warning(("models", name), problem, hint, unless=[("backends", name)])
        else:
            if name in in_use and name not in files:
                build.note_missing_file(name)
            backends[name] = build.backend(name, tables[name], specs, is_in_use=name in in_use)
        served = backends[name].model_specs if name in backends and backends[name].enabled else {}
        for model in specs:
            if model not in served:
                hidden[model] = (*hidden.get(model, ()), name)
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

    def note_missing_file(self, name: str) -> None:
        """Note a backend in use whose models no file states."""
        path = self.config.model_specs_path(name)
        hint = f"expected them in {path.parent.name}/{path.name}"
        self.report.error(("backends", name), "no file states its models", hint, unless=[("models", name)])

    def backend(self, name: str, table: Table, specs: Specs, *, is_in_use: bool) -> InferenceBackend:
        """Build a backend; one whose credentials are missing is left out or refused, as the settings say."""
        path = ("backends", name)
        own = {key: value for key, value in table.items() if key in _BACKEND_KEYS}
        further = {key: value for key, value in table.items() if key not in _BACKEND_KEYS}
        served = FrozenDict({model: spec for model, spec in specs.items() if spec is not None and spec.enabled})
        self._check_further_keys(path, further)
        missing = self._find_missing(name, table, served, is_in_use=is_in_use)
        given = {"name": name, "extra_config": freeze(further), "missing_variables": tuple(missing)}
        if isinstance(own.get("enabled", True), bool):
            # What is no boolean stays, for validation to refuse it.
            given["enabled"] = is_in_use and not missing
        context = HandedOver(self.credentials, served)
        backend = build_sound(InferenceBackend, own, path, self.report, given, context)
        self._check_display_name(path, own.get("display_name"))
        return backend or InferenceBackend.model_validate(given, context=context)

    def _check_further_keys(self, path: KeyPath, further: Table) -> None:
        """A key that is one slip away from a known one is a misspelling, not a further key of its SDK."""
        if "extra_config" in further:
            hint = "write its keys in the backend's own table"
            self.report.error((*path, "extra_config"), "unknown key", hint)
        for key in further:
            slipped = next((known for known in _BACKEND_KEYS if is_one_slip(key, known)), None)
            if slipped:
                self.report.error((*path, key), "unknown key", f"did you mean {slipped!r}?")

    def _check_display_name(self, path: KeyPath, display_name: Any) -> None:
        for _ in references_of(display_name, path):
            self.report.error((*path, "display_name"), _NO_REFERENCE)

    def _find_missing(
        self, name: str, table: Table, served: Mapping[str, InferenceModelSpec], *, is_in_use: bool
    ) -> list[str]:
        """The variables whose absence leaves the backend out; where it is refused for them, they are errors."""
        missing: dict[str, KeyPath] = {}
        stated = {key: value for key, value in table.items() if key not in _PLAIN_KEYS}
        for path, text in referenced_settings(name, stated, served):
            for reference in self._check_references(name, path, text, is_in_use=is_in_use):
                missing.setdefault(str(reference), path)
        is_refused = self.config.missing_credentials is MissingCredentials.ERROR
        for names, path in missing.items():
            if is_refused:
                self.report.error(path, f"backend {name!r} needs {names}, which is not set")
            else:
                place = self.credentials.locate(path)
                self.report.warning(path, f"backend {name!r} is left out: {names} is not set", place=place)
        return [] if is_refused else [*missing]

    def _check_references(self, name: str, path: KeyPath, text: str, *, is_in_use: bool) -> list[Reference]:
        """Check the references of a setting.

        Returns:
            Those that no source answers, where that means something at load.
        """
        try:
            references = references_in(text)
            if not is_in_use:
                return []
            self._warn_of_placeholders(name, path, references)
            if self.config.missing_credentials is MissingCredentials.DEFER:
                # Whoever uses the backend hears of it; a source is not asked before.
                return []
            return self.credentials.missing(text)
        except SecretFileError as error:
            self.report.error(path, error.problem, place=Place(error.path))
        except (ReferenceSyntaxError, SecretSourceError) as error:
            self.report.error(path, str(error))
        return []

    def _warn_of_placeholders(self, backend: str, path: KeyPath, references: list[Reference]) -> None:
        for name in (name for reference in references for name in reference.names):
            value = self.credentials.environ.get(name.name, "")
            if name.prefix is not Prefix.SECRET and is_placeholder(value):
                text = f"{name.name} looks like a placeholder, not like a credential of backend {backend!r}"
                self.report.warning(path, text, "set its value", Place(name.name))

    def specs(self, backend: str, file: Table) -> Specs:
        """Build the specs of a backend's file."""
        defaults = file.get(DEFAULTS_KEY, {})
        self._check_defaults(backend, defaults)
        specs: dict[str, InferenceModelSpec | None] = {}
        for name, table in file.items():
            if name == DEFAULTS_KEY:
                continue
            if isinstance(table, dict):
                specs[name] = self._spec(backend, name, table, defaults)
            else:
                # Whatever else stood here has been moved to `[defaults]`, or was refused for its shape.
                twice = f"also stated as {DEFAULTS_KEY}.{OLDER_SPELLINGS[name]}"
                self.report.error(("models", backend, name), twice, "keep one of the two")
        return specs

    def _check_defaults(self, backend: str, defaults: Table) -> None:
        """Tell a fault of `[defaults]` once, where it stands, rather than for every model that takes it."""
        path = ("models", backend, DEFAULTS_KEY)
        note_given(InferenceModelSpec, defaults, path, self.report)
        refused = self._refuse_references(defaults, path)
        self._validate({**_ANY_MODEL, **defaults}, path, refused)

    def _spec(self, backend: str, name: str, table: Table, defaults: Table) -> InferenceModelSpec | None:
        path: KeyPath = ("models", backend, name)
        note_given(InferenceModelSpec, table, path, self.report)
        refused = self._refuse_references(table, path)
        merged = merge(defaults, table) if defaults else table
        fields = {"model_id": name, **merged, "name": name, "backend_name": backend}
        return self._validate(fields, path, refused, table)

    def _validate(
        self, fields: Table, path: KeyPath, refused: Collection[KeyPath], own: Table | None = None
    ) -> InferenceModelSpec | None:
        """Validate a model; what it does not state of its `own` table comes from the `[defaults]` of its file."""
        model_id = fields["model_id"]
        # An escaped `$${` is answered too: with `${`.
        needs_answer = isinstance(model_id, str) and "${" in model_id
        try:
            return InferenceModelSpec.model_validate(fields, context=self.credentials if needs_answer else None)
        except ValidationError as error:
            inherited = None if own is None else Inherited(own, (*path[:-1], DEFAULTS_KEY))
            note_faults(error, InferenceModelSpec, path, self.report, inherited, refused)
        return None

    def _refuse_references(self, table: Table, path: KeyPath) -> list[KeyPath]:
        """Note references where none can stand: everywhere but in `model_id`.

        Returns:
            The key paths of those that were refused.
        """
        refused: list[KeyPath] = []
        # Most tables hold none, and looking at their text is quicker than at each value.
        if "${" not in str(table):
            return refused
        for place, text in references_of(table, path):
            if place != (*path, "model_id"):
                self.report.error(place, _NO_REFERENCE)
                refused.append(place)
                continue
            try:
                references_in(text)
            except ReferenceSyntaxError as error:
                self.report.error(place, str(error))
        return refused
