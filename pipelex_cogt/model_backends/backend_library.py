"""The library of inference backends, each with the models it serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from pydantic import ValidationError

from pipelex_cogt.config.building import build_noting
from pipelex_cogt.config.frozen import FrozenDict, freeze
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath, did_you_mean, is_one_slip, near_names
from pipelex_cogt.config.layers import Place, Table, has_value, merge
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.references import Prefix, Reference, ReferenceSyntaxError, holds_reference, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import GIVEN, stated_fields
from pipelex_cogt.config.secrets import Credentials, is_placeholder
from pipelex_cogt.errors import BackendDisabledError, SecretFileError, SecretSourceError, UnknownNameError
from pipelex_cogt.model_backends.backend import InferenceBackend, referenced_settings
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelCosts

BACKEND_KEYS = ("enabled", "display_name", "endpoint", "api_key")
MODEL_KEYS = tuple(stated_fields(InferenceModelSpec))
GIVEN_FIELDS = {name for name, field in InferenceModelSpec.model_fields.items() if GIVEN in field.metadata}


@dataclass(frozen=True, eq=False, repr=False)
class InferenceBackendLibrary(Mapping[str, InferenceBackend]):
    """Every backend of the settings by its name, the disabled ones too.

    Attributes:
        backends: The backends by name.
        hidden_models: Models that a file knows and that are not served, each with the backends that know it.
    """

    backends: Mapping[str, InferenceBackend]
    hidden_models: Mapping[str, tuple[str, ...]]

    def __getitem__(self, name: str) -> InferenceBackend:
        return self.backends[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.backends)

    def __len__(self) -> int:
        return len(self.backends)

    @cached_property
    def enabled(self) -> Mapping[str, InferenceBackend]:
        """The backends in use."""
        return FrozenDict({name: backend for name, backend in self.backends.items() if backend.enabled})

    @cached_property
    def known_models(self) -> Mapping[str, tuple[str, ...]]:
        """Every model name that a file knows, with the backends that serve or know it."""
        known: dict[str, tuple[str, ...]] = {}
        for backend in self.enabled.values():
            for name in backend.model_specs:
                known[name] = (*known.get(name, ()), backend.name)
        for name, backends in self.hidden_models.items():
            known[name] = (*known.get(name, ()), *backends)
        return FrozenDict(known)

    def get_required(self, name: str) -> InferenceBackend:
        """The backend of that name, in use.

        Raises:
            UnknownNameError: No backend is called so.
            BackendDisabledError: It is disabled.
            MissingCredentialError: It was left out, for a credential is missing.
        """
        backend = self.backends.get(name)
        if backend is None:
            raise UnknownNameError(name, "backend", near_names(name, self.backends))
        if not backend.enabled:
            raise backend.missing_credential() or BackendDisabledError(name, (name,))
        return backend


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
    backends: dict[str, InferenceBackend] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys([*tables, *files]):
        specs = _build_specs(name, files.get(name, {}), credentials, report)
        served = FrozenDict({model: spec for model, spec in specs.items() if spec is not None and spec.enabled})
        if name in tables:
            if name in in_use and name not in files:
                _note_missing_file(name, config, report)
            backend = _build_backend(name, tables[name], served, credentials, report)
            backend = backend.model_copy(update={"enabled": name in in_use})
            backends[name] = _check_credentials(backend, config.missing_credentials, report)
        else:
            _note_orphan(name, tables, report)
        is_enabled = name in backends and backends[name].enabled
        if name not in in_use and not report.is_unknown("backends", name):
            report.demote(("models", name))
        for model in specs:
            if not (is_enabled and model in served):
                hidden[model] = (*hidden.get(model, ()), name)
    return InferenceBackendLibrary(FrozenDict(backends), FrozenDict(hidden))


def _choose_backends(tables: Mapping[str, Table], config: InferenceConfig, report: ProblemReport) -> set[str]:
    """The names of the backends in use."""
    if config.enabled_backends is None:
        return {name for name, table in tables.items() if table.get("enabled", True) is not False}
    for index, name in enumerate(config.enabled_backends):
        if name not in tables and not report.is_unknown("backends"):
            path = ("inference_config", "enabled_backends", index)
            report.error(path, f"no backend is called {name!r}", did_you_mean(name, tables) or _one_of(tables))
    return set(config.enabled_backends)


def _note_missing_file(name: str, config: InferenceConfig, report: ProblemReport) -> None:
    if not report.is_unknown("models", name):
        path = config.model_specs_path(name)
        report.error(
            ("backends", name), "no file states its models", f"expected them in {path.parent.name}/{path.name}"
        )


def _note_orphan(name: str, tables: Mapping[str, Table], report: ProblemReport) -> None:
    if not report.is_unknown("backends"):
        near = did_you_mean(name, tables) or "add its table to backends.toml"
        report.warning(("models", name), f"models of a backend {name!r} that does not exist", near)


def _build_backend(
    name: str,
    table: Table,
    specs: Mapping[str, InferenceModelSpec],
    credentials: Credentials,
    report: ProblemReport,
) -> InferenceBackend:
    extra = {key: value for key, value in table.items() if key not in BACKEND_KEYS}
    if "extra_config" in extra:
        hint = "write its keys in the backend's own table"
        report.error(("backends", name, "extra_config"), "unknown key", hint)
    for key in extra:
        if slipped := next((known for known in BACKEND_KEYS if is_one_slip(key, known)), None):
            report.error(("backends", name, key), "unknown key", f"did you mean {slipped!r}?")
    given = {"name": name, "extra_config": freeze(extra), "credentials": credentials, "model_specs": specs}
    fields = {key: value for key, value in table.items() if key in BACKEND_KEYS}
    backend = build_noting(InferenceBackend, {**fields, **given}, ("backends", name), report, known={(): BACKEND_KEYS})
    backend = backend or InferenceBackend.model_validate(given)
    if backend.display_name and holds_reference(backend.display_name):
        report.error(("backends", name, "display_name"), _NO_REFERENCE)
    return backend


def _check_credentials(
    backend: InferenceBackend, missing_means: MissingCredentials, report: ProblemReport
) -> InferenceBackend:
    """The backend, left out or refused where a credential is missing and the settings say so."""
    missing: dict[str, KeyPath] = {}
    for path, text in referenced_settings(backend):
        asks = backend.enabled and missing_means is not MissingCredentials.DEFER
        missing |= dict.fromkeys(_missing_in(text, path, backend, report, asks=asks), path)
    if missing_means is MissingCredentials.ERROR:
        for names, path in missing.items():
            report.error(path, f"backend {backend.name!r} needs {names}, which is not set")
    elif missing:
        for names, path in missing.items():
            place = backend.credentials.locate(path)
            report.warning(path, f"backend {backend.name!r} is left out: {names} is not set", place=place)
        return backend.model_copy(update={"enabled": False, "missing_variables": tuple(missing)})
    return backend


def _missing_in(text: str, path: KeyPath, backend: InferenceBackend, report: ProblemReport, *, asks: bool) -> list[str]:
    """What a setting references and no source holds; the sources are asked only where `asks` says so."""
    try:
        references = references_in(text)
        if backend.enabled:
            _warn_of_placeholders(backend, path, references, report)
        return [str(reference) for reference in backend.credentials.missing(text)] if asks else []
    except ReferenceSyntaxError as error:
        report.error(path, str(error))
    except SecretFileError as error:
        report.error(path, error.problem, place=Place(error.path))
    except SecretSourceError as error:
        report.error(path, str(error))
    return []


def _warn_of_placeholders(
    backend: InferenceBackend, path: KeyPath, references: list[Reference], report: ProblemReport
) -> None:
    environment = backend.credentials.environment
    for name in (name for reference in references for name in reference.names):
        if name.prefix is not Prefix.SECRET and is_placeholder(environment.get(name.name, "")):
            text = f"{name.name} looks like a placeholder, not like a credential of backend {backend.name!r}"
            report.warning(path, text, "set its value", Place(name.name))


_NO_REFERENCE = "a reference cannot stand here: the settings mean the same with and without keys"


def _build_specs(
    backend: str, file: Table, credentials: Credentials, report: ProblemReport
) -> dict[str, InferenceModelSpec | None]:
    """The specs of a backend's file by model name; None stands for one that has a fault."""
    defaults = file.get(DEFAULTS_KEY, {})
    _check_defaults(backend, defaults, report)
    specs: dict[str, InferenceModelSpec | None] = {}
    for name, table in file.items():
        if isinstance(table, dict) and name != DEFAULTS_KEY:
            specs[name] = _build_spec(backend, name, table, defaults, credentials, report)
        elif name in OLDER_SPELLINGS:
            twice = f"also stated as {DEFAULTS_KEY}.{OLDER_SPELLINGS[name]}"
            report.error(("models", backend, name), twice, "keep one of the two")
    return specs


def _check_syntax(text: str, path: KeyPath, report: ProblemReport) -> None:
    try:
        references_in(text)
    except ReferenceSyntaxError as error:
        report.error(path, str(error))


def _check_defaults(backend: str, defaults: Table, report: ProblemReport) -> None:
    """A fault of `[defaults]` is told once, where it stands, rather than for every model that takes it."""
    path = ("models", backend, DEFAULTS_KEY)
    for key in defaults.keys() & GIVEN_FIELDS:
        report.unknown_key((*path, key), MODEL_KEYS)
    refused = _refuse_references(defaults, path, report)
    sound = {**_ANY_MODEL, **defaults}
    build_noting(InferenceModelSpec, sound, path, report, known=_KNOWN_MODEL_KEYS, skips=partial(_lies_in, refused))


_ANY_MODEL = {"name": "any", "backend_name": "any", "model_id": "any", "sdk": "any"}


def _refuse_references(table: Table, path: KeyPath, report: ProblemReport) -> list[KeyPath]:
    """Note references where none can stand: everywhere but in `model_id`. Their places in the table are returned."""
    places = [place for place, text in _strings(table, ()) if "${" in text and holds_reference(text)]
    refused = [place for place in places if place != ("model_id",)]
    for place in refused:
        report.error((*path, *place), _NO_REFERENCE)
    return refused


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The strings of a table, with their places."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))


def _lies_in(places: Iterable[KeyPath], path: KeyPath) -> bool:
    return any(path[: len(place)] == place for place in places)


def _build_spec(
    backend: str, name: str, table: Table, defaults: Table, credentials: Credentials, report: ProblemReport
) -> InferenceModelSpec | None:
    path: KeyPath = ("models", backend, name)
    for key in table.keys() & GIVEN_FIELDS:
        report.unknown_key((*path, key), MODEL_KEYS)
    refused = _refuse_references(table, path, report) if "${" in str(table) else []
    fields = {"model_id": name, **(merge(defaults, table) if defaults else table)}
    fields |= {"name": name, "backend_name": backend, "credentials": None}
    model_id = fields["model_id"]
    if isinstance(model_id, str) and "${" in model_id:
        fields["credentials"] = credentials
        _check_syntax(model_id, (*path, "model_id") if "model_id" in table else _in_defaults(path, "model_id"), report)
    try:
        return InferenceModelSpec.model_validate(fields)
    except ValidationError as error:
        inherited = None if report.has_fault("models", backend, DEFAULTS_KEY) else defaults
        report.invalid(error, path, _KNOWN_MODEL_KEYS, skips=partial(_is_told, table, inherited, refused))
        return None


def _in_defaults(path: KeyPath, key: str) -> KeyPath:
    return (*path[:2], DEFAULTS_KEY, key)


def _is_told(table: Table, defaults: Table | None, refused: Iterable[KeyPath], path: KeyPath) -> bool:
    """Whether a model's fault is told elsewhere: as a reference, or in `[defaults]`, which None says are faulty."""
    is_inherited = not has_value(table, path) and (defaults is None or has_value(defaults, path))
    return is_inherited or _lies_in(refused, path)


_KNOWN_MODEL_KEYS: Mapping[KeyPath, tuple[str, ...]] = {
    (): MODEL_KEYS,
    ("costs",): tuple(ModelCosts.model_fields),
}


def _one_of(names: Iterable[str]) -> str:
    return f"expected one of {', '.join(names)}"
