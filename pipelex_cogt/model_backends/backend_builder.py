"""Building the backends: read their models, choose those in use, and look for their credentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, compress, filterfalse
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from pydantic import SecretStr, ValidationError

from pipelex_cogt.config.credential_checks import Fault, doubt_of, variable_for
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.endpoints import fault_of_template
from pipelex_cogt.config.flat_prices import settle_table
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.other_words import meanings, sdk_meaning
from pipelex_cogt.config.references import ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import Elsewhere, ProblemReport, model_place
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName, did_you_mean, find_slips, is_one_slip, one_slip_from
from pipelex_cogt.config.tables import FrozenDict, Table, freeze, merge, without
from pipelex_cogt.config.toml_files import display_path
from pipelex_cogt.config.validation import Inherited, build_sound, note_faults, note_given
from pipelex_cogt.model_backends.backend import HandedOver, InferenceBackend, referenced_settings
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary, switches_of
from pipelex_cogt.model_backends.credential_needs import (
    Lacking,
    Needs,
    NeedsFinder,
    left_out,
    refuse_missing,
    tell_left_out,
)
from pipelex_cogt.model_backends.model_files import FileReader
from pipelex_cogt.model_backends.model_spec import WILDCARD, InferenceModelSpec, ModelAnswers, ModelSpecs
from pipelex_cogt.model_backends.shared_models import KEY as MODELS_LIKE
from pipelex_cogt.model_backends.shared_models import SharedModels

Specs: TypeAlias = Mapping[str, InferenceModelSpec | None]
"""The specs of a backend's file by model name; None stands for one that has a fault."""

_BACKEND_KEYS = known_keys(InferenceBackend)
_MODEL_KEYS = known_keys(InferenceModelSpec)
_NO_MODELS = "no file states its models"
_PLAIN_KEYS = ("enabled", "display_name")
"""The keys of a backend that take no reference."""
_ANY_MODEL = {"name": "any", "backend_name": "any", "model_id": "any", "sdk": "any"}
"""What a model must have, for judging `[defaults]`, which need not state it."""
_KEYS_OF_MODELS = (
    {*known_keys(InferenceModelSpec), *OLDER_SPELLINGS, DEFAULTS_KEY}
    - {*_BACKEND_KEYS}
    - {"api", "description", "extra_body", "headers", "tools"}
)
"""Keys of models that no backend knows, without those that an SDK may take."""
_WITHOUT_SDK = {*_MODEL_KEYS} - {"sdk"}
_MISTAKEN_KEYS = ("constraints", "costs", "max_tokens")
"""Keys of models that are told from a slip, or another word for them, for no SDK of a backend has one like it."""
_NOTHING: Table = FrozenDict()


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
    switches = _find_switches(tables, config)
    _check_choice(tables, config, report)
    in_use = {name for name, settings in switches.items() if not settings}
    shared = SharedModels(tables, files, FileReader(files, report).read, report)
    build = _BackendBuilder(config, credentials, report, shared, in_use, switches)
    specs_of = {name: build.specs(name) for name in {**tables, **files}}
    build.check_successors(specs_of)
    lacking = build.lacking(tree, specs_of)
    # What was to be switched off may have been misspelt, unless it says where it answers: then it is one of its own.
    bare = (name for name, table in tables.items() if name not in files and "endpoint" not in table)
    misspelt = find_slips(bare, files)
    backends: dict[str, InferenceBackend] = {}
    for name, table in tables.items():
        backends[name] = build.backend(name, table, specs_of[name], lacking.get(name, {}), misspelt)
    for name in filterfalse(tables.__contains__, files):
        hint = NearName(name, tables, otherwise="add its table to backends.toml")
        problem = f"models of a backend {name!r} that does not exist"
        report.warning(("models", name), problem, hint, unless=[("backends", name)])
    for name in filterfalse(in_use.__contains__, specs_of):
        report.demote(("models", name), unless=[("backends", name, "enabled")])
    return InferenceBackendLibrary(FrozenDict(backends), _hidden_models(specs_of, backends), FrozenDict(shared.like))


def _hidden_models(
    specs_of: Mapping[str, Specs], backends: Mapping[str, InferenceBackend]
) -> Mapping[str, tuple[str, ...]]:
    """The models that a file knows and that are not served, each with the backends that know it."""
    served = {backend.name: backend.model_specs for backend in backends.values() if backend.enabled}
    hidden: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for name, specs in specs_of.items():
        for model in filterfalse(served.get(name, {}).__contains__, specs):
            hidden[model] += (name,)
    return FrozenDict(hidden)


def _find_switches(tables: Mapping[str, Table], config: InferenceConfig) -> dict[str, tuple[KeyPath, ...]]:
    """Every backend with the settings that keep it out of use; none where it is in use."""
    chosen = frozenset(tables if config.enabled_backends is None else config.enabled_backends)
    switches: dict[str, tuple[KeyPath, ...]] = {}
    for name, table in tables.items():
        holds = table.get("enabled") is False, name not in chosen
        switches[name] = tuple(compress(switches_of(name), holds))
    return switches


def _check_choice(tables: Mapping[str, Table], config: InferenceConfig, report: ProblemReport) -> None:
    """Every name of `enabled_backends` is a backend's, and no backend's own `enabled` says otherwise."""
    chosen = config.enabled_backends
    if chosen is None:
        return
    for index, name in enumerate(chosen):
        item: KeyPath = ("inference_config", "enabled_backends", index)
        if name not in tables:
            near = NearName(name, tables, lists_known=True)
            report.unknown_name(item, "backend", near, unless=[("backends", name)])
        elif tables[name].get("enabled") is False:
            _warn_of_flag(name, item, report)
    for name in filterfalse({*chosen}.__contains__, tables):
        if tables[name].get("enabled") is True:
            flag, choice = switches_of(name)
            hint = Elsewhere("name it in the list at ", choice, ", or take this line away")
            report.warning(flag, f"has no effect: enabled_backends does not name {name!r}", hint)


def _warn_of_flag(backend: str, item: KeyPath, report: ProblemReport) -> None:
    """A backend that the list names and its own `enabled` switches off is told at both lines."""
    flag, _choice = switches_of(backend)
    wins = Elsewhere("enabled = false at ", flag, " wins")
    report.warning(item, f"names backend {backend!r}, which is switched off", wins)
    hint = Elsewhere("take it out of the list at ", item, ", or take this line away")
    report.warning(flag, "switches off a backend that enabled_backends names", hint)


def _served(specs: Specs) -> ModelSpecs:
    """The specs that have no fault and are not switched off."""
    return FrozenDict({spec.name: spec for spec in filter(None, specs.values()) if spec.enabled})


class _BackendBuilder(NamedTuple):
    """The steps of building one backend, and what all of them need."""

    config: InferenceConfig
    credentials: Credentials
    report: ProblemReport
    shared: SharedModels
    in_use: Collection[str]
    switches: Mapping[str, tuple[KeyPath, ...]]

    def lacking(self, tree: Table, specs_of: Mapping[str, Specs]) -> Mapping[str, Lacking]:
        """The backends to load without for lack of a credential; where that is a fault, it is noted."""
        finder = NeedsFinder(self.config, self.credentials, self.report)
        needs: dict[str, Needs] = {}
        for name, table in tree.get("backends", {}).items():
            # What takes no reference is blanked, so that nobody looks there.
            stated = {**table, **dict.fromkeys(_PLAIN_KEYS)}
            settings = referenced_settings(name, stated, _served(specs_of[name]))
            needs[name] = finder.find(table, settings, is_in_use=name in self.in_use)
        given = (self.config, self.credentials, self.report)
        if self.config.missing_credentials is MissingCredentials.ERROR:
            refuse_missing(needs, *given)
        lacking = left_out(needs, tree, self.config, self.credentials)
        tell_left_out(lacking, *given)
        return lacking

    def backend(
        self, name: str, table: Table, specs: Specs, lacking: Lacking, misspelt: Mapping[str, str]
    ) -> InferenceBackend:
        """Build a backend; `lacking` holds what it was left out for, `misspelt` the backends that have models."""
        path, is_in_use = ("backends", name), name in self.in_use
        if name not in self.shared:
            self._tell_no_models(name, misspelt)
        own = {key: table[key] for key in table.keys() & _BACKEND_KEYS}
        further = without(table, own)
        self._check_further_keys(path, further)
        given = {"name": name, "extra_config": freeze(further), "missing_variables": tuple(map(str, lacking))}
        given["switched_off_by"] = self.switches[name]
        if isinstance(own.get("enabled", True), bool):
            # What is no boolean stays, for validation to refuse it.
            given["enabled"] = is_in_use and not lacking
        switched_off = FrozenDict(self._switched_off(name, specs))
        context = HandedOver(self.credentials, _served(specs), switched_off, FrozenDict(lacking))
        backend = build_sound(InferenceBackend, own, path, self.report, given, context)
        self._check_endpoint(name, own.get("endpoint"))
        return backend or InferenceBackend.model_validate(given, context=context)

    def _tell_no_models(self, backend: str, misspelt: Mapping[str, str]) -> None:
        """A backend that no file states models of; one out of use may be misspelt."""
        path, place = ("backends", backend), ("models", backend)
        if backend in self.in_use:
            hint = f"expected them in {display_path(self.config.model_specs_path(backend))}"
            self.report.unreadable(place, _NO_MODELS, path=path, hint=hint, unless=[place])
        elif backend in misspelt:
            self.report.warning(path, _NO_MODELS, f"did you mean {misspelt[backend]!r}?", unless=[place])

    def _check_endpoint(self, backend: str, stated: Any) -> None:
        """What an endpoint states itself, be it the default of a reference, is a base URL."""
        is_text = isinstance(stated, str | SecretStr)
        place = ("backends", backend, "endpoint")
        fault = _fault_of_endpoint(str(plain_text(stated)), place) if is_text else None
        if fault is not None:
            note = self.report.error if backend in self.in_use else self.report.warning
            note(place, fault.problem, fault.hint_for_source if isinstance(stated, SecretStr) else fault.hint)

    def _switched_off(self, backend: str, specs: Specs) -> Iterator[tuple[str, KeyPath]]:
        """The models that a backend's file switches off, each with the key path of the `enabled` that does."""
        for spec in filter(None, specs.values()):
            if not spec.enabled:
                yield spec.name, self.shared.place_of(backend, spec.name, "enabled")

    def _check_further_keys(self, path: KeyPath, further: Table) -> None:
        """A key that means a known one is none of its SDK's, and neither is what a model states."""
        file = self.config.model_specs_path(str(path[-1]))
        hints = {
            "extra_config": "write its keys in the backend's own table",
            "models": f"write them in {file}, one table per model",
        }
        for key in further:
            hint = hints.get(key) or _hint_of_models(key, f"{file.parent.name}/{file.name}") or _meant_key(key)
            if hint is not None:
                self.report.error((*path, key), "unknown key", hint)

    def specs(self, backend: str) -> Specs:
        """Build the specs of a backend's file."""
        defaults, tables = self.shared[backend]
        self._check_sharing(backend, tables, defaults)
        # A fault of `[defaults]` is told once, where it stands, rather than for every model that takes it.
        self._spec(backend, DEFAULTS_KEY, {**_ANY_MODEL, **defaults})
        specs: dict[str, InferenceModelSpec | None] = {}
        for name, table in tables.items():
            path = ("models", backend, name)
            if WILDCARD in name:
                others = [place for place in self.shared.places(backend, name) if place != path]
                hint = "only routes are patterns"
                self.report.error(path, f"a model's name holds no {WILDCARD}", hint, unless=others)
            elif isinstance(table, dict):
                merged = merge(defaults, settle_table(table, defaults)) if defaults else table
                fields = {"model_id": name, **merged, "name": name, "backend_name": backend}
                specs[name] = self._spec(backend, name, fields)
            else:
                # Whatever else stood here has been moved to `[defaults]`, or was refused for its shape.
                twice = f"also stated as {DEFAULTS_KEY}.{OLDER_SPELLINGS[name]}"
                self.report.error(path, twice, "keep one of the two")
        return specs

    def check_successors(self, specs_of: Mapping[str, Specs]) -> None:
        """The successor of a model is the name of one that some file knows."""
        known = dict.fromkeys(chain.from_iterable(specs_of.values()))
        for spec in filter(None, chain.from_iterable(specs.values() for specs in specs_of.values())):
            if spec.successor is not None and spec.successor not in known:
                path = self.shared.place_of(spec.backend_name, spec.name, "successor")
                unless = [path, model_place(spec.successor)]
                self.report.unknown_name(path, "model", NearName(spec.successor, known), unless=unless)

    def _check_sharing(self, backend: str, tables: Table, defaults: Table) -> None:
        """`[defaults]` is no model itself: it is for the models beside it."""
        place: KeyPath = ("models", backend, DEFAULTS_KEY)
        if defaults and not tables:
            hint = "a model needs a name of its own"
            self.report.warning(place, "[defaults] is no model, and none takes it", hint, unless=[place[:2]])
        elif "model_id" in defaults:
            hint = "each model needs its own"
            self.report.warning((*place, "model_id"), "[defaults] is no model: every model takes this", hint)
        if _lacks_sdk([defaults, *tables.values()]):
            unless = [place, ("backends", backend, MODELS_LIKE)]
            self.report.required([(*place, "sdk")], "state it for all models of the file", unless=unless)

    def _spec(self, backend: str, name: str, fields: Table) -> InferenceModelSpec | None:
        """Build a model from its fields; those that its own table does not state are told where they come from."""
        path: KeyPath = ("models", backend, name)
        table = self.shared.stated_at(path)
        note_given(InferenceModelSpec, table, path, self.report)
        context: ModelAnswers | None = None
        # An escaped `$${` is answered too: with `${`.
        if "${" in str(fields["model_id"]) or "headers" in fields or "extra_config" in fields:
            context = ModelAnswers(self.credentials, self._places(backend, name, fields))
            self._check_model_id(table.get("model_id"), path)
        try:
            return InferenceModelSpec.model_validate(fields, context=context)
        except ValidationError as error:
            _own, *others = self.shared.places(backend, name)
            # What should have come from another backend is missing where that could not be found.
            places = [*others, ("backends", backend, MODELS_LIKE)]
            inherited = Inherited(table, {place: self.shared.stated_at(place) for place in places})
            note_faults(error, InferenceModelSpec, path, self.report, inherited, table)
        return None

    def _places(self, backend: str, name: str, fields: Table) -> Mapping[KeyPath, KeyPath]:
        """Where the settings of a model are stated that may hold a reference, by their keys within its table."""
        tables = [(key, fields[key]) for key in ("headers", "extra_config") if isinstance(fields.get(key), dict)]
        keys = [("model_id",), *((key, item) for key, table in tables for item in table)]
        return {each: self.shared.place_of(backend, name, *each) for each in keys}

    def _check_model_id(self, model_id: Any, path: KeyPath) -> None:
        """Note a malformed reference in what a model's own table states."""
        try:
            references_in(model_id if isinstance(model_id, str) else "")
        except ReferenceSyntaxError as error:
            self.report.error((*path, "model_id"), str(error))


def _fault_of_endpoint(text: str, place: KeyPath) -> Fault | None:
    """Why a stated endpoint can never be a base URL, as far as its defaults tell."""
    return doubt_of(text, variable_for(place)) or fault_of_template(text, attrgetter("default"))


def _lacks_sdk(tables: Sequence[Any]) -> bool:
    """Whether the `[defaults]` and the several models of a file all leave `sdk` out: one line for all is missing."""
    is_of_several = len(tables) > len(("defaults", "model"))
    # A key that is none of a model's may be meant for it, or may be the rest of a name with a dot.
    return is_of_several and all(isinstance(table, dict) and table.keys() <= _WITHOUT_SDK for table in tables)


def _hint_of_models(key: str, file: str) -> str | None:
    """The line to write for a key of a backend that belongs to its models; None for any other key."""
    slips = filter(partial(is_one_slip, key), _MISTAKEN_KEYS)
    meant = [*_KEYS_OF_MODELS.intersection([key]), *slips, *meanings(key, _MISTAKEN_KEYS)]
    if not meant:
        return None
    written = OLDER_SPELLINGS.get(meant[0], meant[0])
    what = "it" if written == key else repr(written)
    place = f"[{DEFAULTS_KEY}] in" if written == DEFAULTS_KEY else f"{what} below [{DEFAULTS_KEY}] of"
    return f"it belongs to models: write {place} {file}"


def _meant_key(key: str) -> NearName | None:
    """The suggestion for a further key that is a misspelling of a known one, or what an SDK calls it."""
    # The known keys are far apart: no key is one slip away from two of them.
    known = one_slip_from(key, _BACKEND_KEYS) or sdk_meaning(key)
    return NearName(key, [known], is_key=True, otherwise=did_you_mean([known])) if known else None
