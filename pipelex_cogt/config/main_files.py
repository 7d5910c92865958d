"""The main files: `settings.toml`, `settings.local.toml` and `.secrets.toml`, one table per environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipelex_cogt.config.directories import Directories, SettingsDirectory
from pipelex_cogt.config.inference_config import anchored
from pipelex_cogt.config.key_paths import ROOT, KeyPath, did_you_mean, is_one_slip, quote_key
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, Table
from pipelex_cogt.config.report import ProblemReport, toml_type
from pipelex_cogt.config.toml_files import display_path, read_toml_file, warn_if_others_read

ENVIRONMENT_VARIABLE = "PIPELEX_ENV"
DEFAULT_ENVIRONMENT = "development"
STANDARD_ENVIRONMENTS = (DEFAULT_ENVIRONMENT, "staging", "production")
EVERY_ENVIRONMENT = "default"


@dataclass(frozen=True, repr=False, eq=False)
class MainFile:
    """One main file.

    Attributes:
        path: The file.
        source: The settings directory it belongs to.
        kind: The layer of its `[default]` table.
        environment_kind: The layer of its environment tables.
        tables: The settings under `cogt`, by environment.
    """

    path: Path
    source: SettingsDirectory
    kind: LayerKind
    environment_kind: LayerKind
    tables: dict[str, Table]

    def __repr__(self) -> str:
        return f"MainFile({str(self.path)!r})"

    def layer(self, environment: str) -> Layer:
        """The layer of one environment's table."""
        is_default = environment == EVERY_ENVIRONMENT
        origin = Origin(
            kind=self.kind if is_default else self.environment_kind,
            name=display_path(self.path),
            path=self.path,
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
        declared = (name for file in self.files for name in file.tables if name != EVERY_ENVIRONMENT)
        return tuple(dict.fromkeys([*STANDARD_ENVIRONMENTS, *declared]))

    def layers(self, environment: str) -> list[Layer]:
        """The layers of `[default]` and of one environment, unsorted between kinds."""
        names = dict.fromkeys([EVERY_ENVIRONMENT, environment])
        return [file.layer(name) for file in self.files for name in names if name in file.tables]


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
    known = (*main.environments(), EVERY_ENVIRONMENT)
    if environment not in known:
        place = Place("the argument env" if named else ENVIRONMENT_VARIABLE)
        suggestion = did_you_mean(environment, known) or f"expected one of {', '.join(known[:-1])}"
        report.error((), f"no file declares the environment {environment!r}", suggestion, place)
        report.raise_errors("the choice of the environment")
    return environment


def _read_source(source: SettingsDirectory, report: ProblemReport) -> Iterator[MainFile]:
    base = LayerKind.PACKAGED if source.is_packaged else LayerKind.APPLICATION
    kinds = {"settings.toml": (base, LayerKind.ENVIRONMENT)}
    if not source.is_packaged:
        kinds["settings.local.toml"] = (LayerKind.LOCAL, LayerKind.LOCAL)
        kinds[".secrets.toml"] = (LayerKind.SECRETS_FILE, LayerKind.SECRETS_FILE)
    for name, (kind, environment_kind) in kinds.items():
        path = source.path / name
        if os.path.lexists(path):
            if kind is LayerKind.SECRETS_FILE and path.is_file():
                warn_if_others_read(path, report)
            document = read_toml_file(path, (), report) or {}
            tables = dict(_environment_tables(document, path, report))
            yield MainFile(path, source, kind, environment_kind, tables)


def _environment_tables(document: Table, path: Path, report: ProblemReport) -> Iterator[tuple[str, Table]]:
    """The tables under `cogt`, by environment; anything else in the file is a problem."""
    for environment, content in document.items():
        known = (*STANDARD_ENVIRONMENTS, EVERY_ENVIRONMENT)
        slipped = next((each for each in known if environment != each and is_one_slip(environment, each)), None)
        if slipped:
            origin = Origin(LayerKind.APPLICATION, display_path(path), path)
            text = f"{environment}: declares an environment of its own"
            report.warning((), text, f"did you mean {slipped!r}?", origin.place((environment,)))
        if not isinstance(content, dict):
            problem = f"expected an environment's table such as [default.{ROOT}], got {toml_type(content)}"
            _note(report, path, (environment,), problem)
            continue
        for key, table in content.items():
            if environment == ROOT:
                _note(report, path, (environment,), "expected an environment first", f"write [default.{ROOT}.{key}]")
                break
            if key != ROOT:
                hint = did_you_mean(key, [ROOT])
                _note(report, path, (environment, key), f"unknown key, expected {ROOT}", hint)
            elif not isinstance(table, dict):
                _note(report, path, (environment, key), f"expected a table, got {toml_type(table)}")
        table = content.get(ROOT, {})
        yield environment, table if isinstance(table, dict) else {}


def _note(report: ProblemReport, path: Path, keys: KeyPath, problem: str, suggestion: str | None = None) -> None:
    place = Origin(LayerKind.APPLICATION, display_path(path), path).place(keys)
    report.error((), f"{'.'.join(map(quote_key, keys))}: {problem}", suggestion, place)
