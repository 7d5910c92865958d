"""The main files: `settings.toml`, `settings.local.toml` and `.secrets.toml`, one table per environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.directories import Directories, SettingsDirectory
from pipelex_cogt.config.dotted_names import DOT_OUTSIDE_QUOTES, parts_of_name
from pipelex_cogt.config.inference_config import CONFIG_KEY, InferenceConfig, anchored
from pipelex_cogt.config.key_paths import ROOT, KeyPath, join_keys, quote_key
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, SourceFile
from pipelex_cogt.config.masking import seal_layer
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import fits, home_of, schema_at
from pipelex_cogt.config.suggestions import NearName, did_you_mean, is_one_slip, near_names, one_slip_from
from pipelex_cogt.config.tables import Table, toml_type
from pipelex_cogt.config.toml_files import TomlDocument, parse_once, read_toml_file, warn_if_others_read
from pipelex_cogt.config.toml_parser import parse_toml

ENVIRONMENT_VARIABLE = "PIPELEX_ENV"
DEFAULT_ENVIRONMENT = "development"
STANDARD_ENVIRONMENTS = (DEFAULT_ENVIRONMENT, "staging", "production")
EVERY_ENVIRONMENT = "default"
_OF_DYNACONF = "dynaconf_"
_OURS_ALONE = {CONFIG_KEY, *InferenceConfig.model_fields}
"""Names that no other program has."""
_Schema: TypeAlias = Mapping[str, Any]


class _FileKind(NamedTuple):
    """Which layers a main file states: with its `[default]` table, and with those of environments."""

    default: LayerKind
    environment: LayerKind


_PACKAGED_FILES = {"settings.toml": _FileKind(LayerKind.PACKAGED, LayerKind.ENVIRONMENT)}
_APPLICATION_FILES = {
    "settings.toml": _FileKind(LayerKind.APPLICATION, LayerKind.ENVIRONMENT),
    "settings.local.toml": _FileKind(LayerKind.LOCAL, LayerKind.LOCAL),
    ".secrets.toml": _FileKind(LayerKind.SECRETS_FILE, LayerKind.SECRETS_FILE),
}


class MainFile:
    """One main file.

    Attributes:
        file: The file.
        source: The settings directory it belongs to.
        kind: The layers that it states.
        layers: What it states under `cogt`, by environment; its secrets are sealed, for a load keeps it to its end.
    """

    # A plain class: a dataclass costs every process that starts more than it saves here.
    def __init__(
        self, file: SourceFile, source: SettingsDirectory, kind: _FileKind, tables: Mapping[str, Table]
    ) -> None:
        self.file = file
        self.source = source
        self.kind = kind
        self.layers = {environment: self._layer(environment, table) for environment, table in tables.items()}

    def __repr__(self) -> str:
        return f"MainFile({self.file.name!r})"

    def _layer(self, environment: str, table: Table) -> Layer:
        """The layer of one environment's table."""
        origin = Origin(
            kind=self.kind.default if environment == EVERY_ENVIRONMENT else self.kind.environment,
            name=self.file.name,
            file=self.file,
            environment=environment,
            file_prefix=(environment, ROOT),
            is_packaged=self.source.is_packaged,
        )
        return seal_layer(Layer(origin, anchored(table, self.source.path)))


class MainFiles(NamedTuple):
    """Every main file of a load, lowest layer first."""

    files: tuple[MainFile, ...]

    def environments(self) -> tuple[str, ...]:
        """Every environment that exists: the standard ones and what the files declare."""
        names = dict.fromkeys(chain(STANDARD_ENVIRONMENTS, *(file.layers for file in self.files)))
        names.pop(EVERY_ENVIRONMENT, None)
        return tuple(names)

    def layers(self, environment: str) -> list[Layer]:
        """The layers of `[default]` and of one environment, unsorted between kinds."""
        names = dict.fromkeys([EVERY_ENVIRONMENT, environment])
        return [file.layers[name] for file, name in product(self.files, names) if name in file.layers]


def read_main_files(directories: Directories, schema: _Schema, report: ProblemReport) -> MainFiles:
    """Read the main files that exist in the settings directories.

    Args:
        directories: Where they are.
        schema: What the tree under `cogt` looks like.
        report: Where faults are noted.
    """
    found = map(partial(_read_source, schema=schema, report=report), directories.sources)
    return MainFiles(tuple(chain.from_iterable(found)))


def warn_of_misplaced(path: Path, schema: _Schema, report: ProblemReport) -> None:
    """Warn of what a main file of another program, for which it is taken, states for `cogt` outside of it.

    Args:
        path: The file.
        schema: What the tree under `cogt` looks like.
        report: Where warnings are noted.
    """
    # What keeps it from being read is its own program's business.
    document = read_toml_file(path, (), ProblemReport())
    if document is not None:
        for keys, header in _ours_elsewhere(document.table, schema):
            report.warning((), "not read", f"write {header}", document.file.place(keys))


def choose_environment(named: str | None, stated: str | None, main: MainFiles, report: ProblemReport) -> str:
    """The environment in force: the argument, else the variable, else `development`.

    Args:
        named: The argument given in code.
        stated: What the variable says.
        main: The files that declare environments.
        report: Where a name that no file declares is noted.

    Raises:
        SettingsError: No file declares the environment, so that nothing else can be judged.
    """
    environment = named or stated or DEFAULT_ENVIRONMENT
    declared = main.environments()
    known = (*declared, EVERY_ENVIRONMENT)
    if environment not in known:
        place = Place("the argument env" if named else ENVIRONMENT_VARIABLE)
        suggestion = NearName(environment, known, otherwise=f"expected one of {', '.join(declared)}")
        report.error((), f"no file declares the environment {environment!r}", suggestion, place)
        report.raise_errors("the choice of the environment")
    return environment


def _read_source(source: SettingsDirectory, schema: _Schema, report: ProblemReport) -> Iterator[MainFile]:
    kinds = _PACKAGED_FILES if source.is_packaged else _APPLICATION_FILES
    # A link that leads nowhere exists: reading it says so.
    for path in filter(os.path.lexists, map(source.path.joinpath, kinds)):
        kind = kinds[path.name]
        if kind.default is LayerKind.SECRETS_FILE and path.is_file():
            warn_if_others_read(path, report)
        parse = parse_once if source.is_packaged else parse_toml
        document = read_toml_file(path, (), report, source.display, parse)
        if document is not None:
            yield MainFile(document.file, source, kind, dict(_environment_tables(document, schema, report)))


def _environment_tables(document: TomlDocument, schema: _Schema, report: ProblemReport) -> Iterator[tuple[str, Table]]:
    """The tables under `cogt`, by environment; what else stands at the top of the file is a problem."""
    for environment, content in document.table.items():
        # Dynaconf's own, such as `dynaconf_merge = true`: one file may serve the application's Dynaconf too.
        if environment.startswith(_OF_DYNACONF):
            continue
        _warn_of_slip(environment, document.file, report)
        keys = (environment,)
        if _is_ours(environment, content, schema):
            hint = f"write {_right_header(EVERY_ENVIRONMENT, environment, content, schema)}"
            _note(report, document.file, keys, "expected an environment first", hint)
        elif isinstance(content, dict):
            yield environment, _table_of(environment, content, document.file, schema, report)
        else:
            problem = f"expected an environment's table such as [{EVERY_ENVIRONMENT}.{ROOT}], got {toml_type(content)}"
            _note(report, document.file, keys, problem)


def _warn_of_slip(environment: str, file: SourceFile, report: ProblemReport) -> None:
    """An environment of one's own may be a misspelling of a standard one."""
    known = (*STANDARD_ENVIRONMENTS, EVERY_ENVIRONMENT)
    near = one_slip_from(environment, known)
    if near is not None and environment not in known:
        text = f"{environment}: declares an environment of its own"
        # Not a place yet: its line is looked for when somebody reads the warning.
        origin = Origin(LayerKind.ENVIRONMENT, file.name, file, environment, file_prefix=(environment,))
        report.warning((), text, did_you_mean([near]), origin)


def _table_of(environment: str, content: Table, file: SourceFile, schema: _Schema, report: ProblemReport) -> Table:
    """What one environment states under `cogt`, which is nothing where that is no table.

    Whatever else it holds is the application's own, unless it was meant for `cogt`.
    """
    for key in filter(ROOT.__ne__, content):
        value = content[key]
        parts = [(environment, key, *rest) for rest in parts_of_name(value, ROOT)]
        for name in parts:
            hint = f"write [{quote_key('.'.join(map(str, name)))}.{ROOT}]"
            _note(report, file, name, DOT_OUTSIDE_QUOTES, hint)
        if not parts and _is_ours(key, value, schema):
            hint = f"write {_right_header(environment, key, value, schema)}"
            _note(report, file, (environment, key), f"unknown key, expected {ROOT}", hint)
    table = content.get(ROOT, {})
    if isinstance(table, dict):
        return table
    _note(report, file, (environment, ROOT), f"expected a table, got {toml_type(table)}")
    return {}


def _ours_elsewhere(table: Table, schema: _Schema) -> Iterator[tuple[KeyPath, str]]:
    """What a main file states for `cogt` outside of it, each with the header to write."""
    for environment, content in table.items():
        if _is_ours_alone(environment, content, schema):
            yield (environment,), _right_header(EVERY_ENVIRONMENT, environment, content, schema)
        elif isinstance(content, dict):
            for key, value in content.items():
                if _is_ours_alone(key, value, schema):
                    yield (environment, key), _right_header(environment, key, value, schema)


def _is_ours(key: str, content: Any, schema: _Schema) -> bool:
    """Whether a key beside `cogt`, in a file of ours, was meant for it."""
    return key in schema or _is_ours_alone(key, content, schema)


def _is_ours_alone(key: str, content: Any, schema: _Schema) -> bool:
    """Whether a key beside `cogt` can be nothing of the application's own: its name says so, or what it holds."""
    return (
        key in _OURS_ALONE
        or _is_meant(key, content, schema)
        or fits(content, schema_at(schema, _place_of(key, schema)))
    )


def _is_meant(key: str, content: Any, schema: _Schema) -> bool:
    """Whether a table is that of `cogt`, or misspells it; one without our sections is the application's, as `cost`."""
    if not isinstance(content, dict) or not is_one_slip(key, ROOT):
        return False
    return not content or any(map(partial(near_names, known=schema), content))


def _place_of(key: str, schema: _Schema) -> KeyPath:
    """Where in the tree a key belongs that stands beside `cogt` or in its place; empty for the tree itself."""
    if is_one_slip(key, ROOT):
        return ()
    return (key,) if key in schema else (*home_of(schema, key), key)


def _right_header(environment: str, key: str, content: Any, schema: _Schema) -> str:
    """The header to write for what stands beside `cogt` or in its place: at `cogt` itself with its first section."""
    place = _place_of(key, schema)
    if not place:
        place = tuple(content)[:1] if isinstance(content, dict) else ()
    elif not isinstance(content, dict):
        # A single value stands below the header.
        place = place[:-1] or place
    return f"[{join_keys((environment, ROOT, *place))}]"


def _note(report: ProblemReport, file: SourceFile, keys: KeyPath, problem: str, suggestion: str | None = None) -> None:
    report.error((), f"{join_keys(keys)}: {problem}", suggestion, file.place(keys))
