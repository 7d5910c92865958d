"""The main files: `settings.toml`, `settings.local.toml` and `.secrets.toml`, one table per environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, product
from typing import Any, NamedTuple

from pipelex_cogt.config.directories import Directories, SettingsDirectory
from pipelex_cogt.config.dotted_names import DOT_OUTSIDE_QUOTES, parts_of_name
from pipelex_cogt.config.inference_config import CONFIG_KEY, LIBRARY_PATHS, InferenceConfig, anchored
from pipelex_cogt.config.key_paths import ROOT, KeyPath, join_keys, quote_key
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, SourceFile
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName, did_you_mean, is_one_slip, near_names, one_slip_from
from pipelex_cogt.config.tables import Table, toml_type
from pipelex_cogt.config.toml_files import TomlDocument, read_toml_file, warn_if_others_read

ENVIRONMENT_VARIABLE = "PIPELEX_ENV"
DEFAULT_ENVIRONMENT = "development"
STANDARD_ENVIRONMENTS = (DEFAULT_ENVIRONMENT, "staging", "production")
EVERY_ENVIRONMENT = "default"
_OF_DYNACONF = "dynaconf_"
_SECTIONS = (CONFIG_KEY, *(library.prefix for library in LIBRARY_PATHS.values()))
"""The tables of the tree under `cogt`."""
_MISPLACED = {*_SECTIONS, *InferenceConfig.model_fields}
"""What is no name of an application's own, where it stands beside `cogt`."""


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
        tables: The settings under `cogt`, by environment.
    """

    # A plain class: a dataclass costs every process that starts more than it saves here.
    def __init__(
        self, file: SourceFile, source: SettingsDirectory, kind: _FileKind, tables: Mapping[str, Table]
    ) -> None:
        self.file = file
        self.source = source
        self.kind = kind
        self.tables = tables

    def __repr__(self) -> str:
        return f"MainFile({self.file.name!r})"

    def layer(self, environment: str) -> Layer:
        """The layer of one environment's table."""
        origin = Origin(
            kind=self.kind.default if environment == EVERY_ENVIRONMENT else self.kind.environment,
            name=self.file.name,
            file=self.file,
            environment=environment,
            file_prefix=(environment, ROOT),
            is_packaged=self.source.is_packaged,
        )
        return Layer(origin, anchored(self.tables[environment], self.source.path))


class MainFiles(NamedTuple):
    """Every main file of a load, lowest layer first."""

    files: tuple[MainFile, ...]

    def environments(self) -> tuple[str, ...]:
        """Every environment that exists: the standard ones and what the files declare."""
        names = dict.fromkeys(chain(STANDARD_ENVIRONMENTS, *(file.tables for file in self.files)))
        names.pop(EVERY_ENVIRONMENT, None)
        return tuple(names)

    def layers(self, environment: str) -> list[Layer]:
        """The layers of `[default]` and of one environment, unsorted between kinds."""
        names = dict.fromkeys([EVERY_ENVIRONMENT, environment])
        return [file.layer(name) for file, name in product(self.files, names) if name in file.tables]


def read_main_files(directories: Directories, report: ProblemReport) -> MainFiles:
    """Read the main files that exist in the settings directories."""
    return MainFiles(tuple(file for source in directories.sources for file in _read_source(source, report)))


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


def _read_source(source: SettingsDirectory, report: ProblemReport) -> Iterator[MainFile]:
    for name, kind in (_PACKAGED_FILES if source.is_packaged else _APPLICATION_FILES).items():
        path = source.path / name
        # A link that leads nowhere exists: reading it says so.
        if not os.path.lexists(path):
            continue
        if kind.default is LayerKind.SECRETS_FILE and path.is_file():
            warn_if_others_read(path, report)
        document = read_toml_file(path, (), report, source.display)
        if document is not None:
            yield MainFile(document.file, source, kind, dict(_environment_tables(document, report)))


def _environment_tables(document: TomlDocument, report: ProblemReport) -> Iterator[tuple[str, Table]]:
    """The tables under `cogt`, by environment; what else stands at the top of the file is a problem."""
    for environment, content in document.table.items():
        # Dynaconf's own, such as `dynaconf_merge = true`: one file may serve the application's Dynaconf too.
        if environment.startswith(_OF_DYNACONF):
            continue
        _warn_of_slip(environment, document.file, report)
        keys = (environment,)
        if environment in _SECTIONS or _is_meant(environment, content):
            hint = f"write {_header(content, EVERY_ENVIRONMENT, *_below_root(environment))}"
            _note(report, document.file, keys, "expected an environment first", hint)
        elif isinstance(content, dict):
            yield environment, _table_of(environment, content, document.file, report)
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


def _table_of(environment: str, content: Table, file: SourceFile, report: ProblemReport) -> Table:
    """What one environment states under `cogt`, which is nothing where that is no table.

    Whatever else it holds is the application's own, unless it was meant for `cogt`.
    """
    for key, value in content.items():
        parts = [(environment, key, *rest) for rest in parts_of_name(value, ROOT) if key != ROOT]
        for name in parts:
            hint = f"write [{quote_key('.'.join(map(str, name)))}.{ROOT}]"
            _note(report, file, name, DOT_OUTSIDE_QUOTES, hint)
        if key != ROOT and not parts and (key in _MISPLACED or _is_meant(key, value)):
            hint = f"write {_header(value, environment, *_below_root(key))}"
            _note(report, file, (environment, key), f"unknown key, expected {ROOT}", hint)
    table = content.get(ROOT, {})
    if isinstance(table, dict):
        return table
    _note(report, file, (environment, ROOT), f"expected a table, got {toml_type(table)}")
    return {}


def _is_meant(key: str, content: Any) -> bool:
    """Whether a table is that of `cogt`, or misspells it; one without our sections is the application's, as `cost`."""
    if not isinstance(content, dict) or not is_one_slip(key, ROOT):
        return False
    return not content or any(map(partial(near_names, known=_SECTIONS), content))


def _below_root(key: str) -> KeyPath:
    """Where a key belongs that stands in the place of `cogt`."""
    if is_one_slip(key, ROOT):
        return (ROOT,)
    return (ROOT, key) if key in _SECTIONS else (ROOT, CONFIG_KEY)


def _header(content: Any, *keys: str | int) -> str:
    """The header of a table to write: at `cogt` itself with the first section of what stands there."""
    section = [*content][:1] if keys[-1] == ROOT and isinstance(content, dict) else []
    return f"[{join_keys((*keys, *section))}]"


def _note(report: ProblemReport, file: SourceFile, keys: KeyPath, problem: str, suggestion: str | None = None) -> None:
    report.error((), f"{join_keys(keys)}: {problem}", suggestion, file.place(keys))
