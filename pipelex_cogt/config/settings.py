"""The settings of one load: eight layers read, merged, and able to say where each value came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from pipelex_cogt.config.building import build_noting
from pipelex_cogt.config.directories import Directories, find_directories
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.inference_config import CONFIG_KEY, LIBRARY_PATHS, InferenceConfig, anchored, default_paths
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Place, Table, merge, states
from pipelex_cogt.config.library_files import read_library
from pipelex_cogt.config.main_files import ENVIRONMENT_VARIABLE, choose_environment, read_main_files
from pipelex_cogt.config.older_spellings import modernise_layer
from pipelex_cogt.config.report import ProblemReport, toml_type
from pipelex_cogt.config.schema import check_shape
from pipelex_cogt.config.sealing import seal_layer
from pipelex_cogt.config.secrets import Credentials, Environment, SecretsDirectory, SecretSource
from pipelex_cogt.config.variables import PREFIX, Variable, build_variable_layers, find_variables
from pipelex_cogt.errors import SecretFileError


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Settings:
    """What one load read.

    Attributes:
        tree: The merged settings under `cogt`, of sound shape.
        layers: Every layer, lowest first.
        environment: The environment in force.
        environments: Every environment that exists.
        directories: Where the load looked.
        inference_config: The paths and choices in force.
        credentials: What answers references.
    """

    tree: Table
    layers: tuple[Layer, ...]
    environment: str
    environments: tuple[str, ...]
    directories: Directories
    inference_config: InferenceConfig
    credentials: Credentials

    def layers_stating(self, path: KeyPath) -> list[Layer]:
        """The layers that state something at a key path, lowest first."""
        return [layer for layer in self.layers if states(layer, path)]

    def __repr__(self) -> str:
        return f"Settings(environment={self.environment!r}, {len(self.layers)} layers)"


def read_settings(
    schema: Mapping[str, Any],
    report: ProblemReport,
    *,
    settings_dir: Path | str | None,
    env: str | None,
    environment: Environment,
    overrides: Layer,
    sources: Iterable[SecretSource] = (),
) -> Settings:
    """Read every layer and merge them.

    Args:
        schema: What the tree under `cogt` looks like.
        report: Where problems are noted.
        settings_dir: The application's settings directory; None to look for it.
        env: The environment; None for what `PIPELEX_ENV` says.
        environment: The process's environment.
        overrides: The layer of what the code states, laid over everything.
        sources: The application's own secret sources.

    Raises:
        SettingsError: The directories or the environment are wrong, so that nothing else could be judged.
    """
    directories, environment = find_directories(settings_dir, environment, report)
    main = read_main_files(directories, report)
    chosen = choose_environment(env, environment.get(ENVIRONMENT_VARIABLE), main, report)

    if _note_odd_keys(overrides, report):
        report.raise_errors("the overrides")
    secrets = SecretsDirectory(directories.secrets)
    config_variables, variables = _find_variables(secrets, environment, report)
    config_layers = _anchored([*build_variable_layers(config_variables, {}, schema, report)], directories)
    main_layers = main.layers(chosen)
    stated = [*main_layers, *config_layers, *_anchored([overrides], directories)]
    config, library_layers = _read_libraries(directories, stated, report)

    files = sorted([*library_layers, *main_layers], key=_rank)
    stack = _Stack(LayeredDynaconf(), [], report)
    stack.add(layer for layer in files if config.use_packaged_settings or not layer.origin.is_packaged)
    stack.add(config_layers)
    for variable in variables:
        stack.add(build_variable_layers([variable], merge(stack.dynaconf.tree(), overrides.table), schema, report))
    stack.add(_anchored([overrides], directories))
    report.locate = stack.locate
    return Settings(
        tree=check_shape(stack.dynaconf.tree(), schema, report),
        layers=tuple(stack.layers),
        environment=chosen,
        environments=main.environments(),
        directories=directories,
        inference_config=config,
        credentials=Credentials(environment, secrets, sources, lambda path: stack.locate(path)[0]),
    )


class _Stack(NamedTuple):
    """The layers laid over each other so far."""

    dynaconf: LayeredDynaconf
    layers: list[Layer]
    report: ProblemReport

    def add(self, layers: Iterable[Layer]) -> None:
        """Lay layers over what is there, in today's spelling and with their secrets sealed."""
        for layer in layers:
            prepared = seal_layer(modernise_layer(layer, self.report))
            self.dynaconf.add(prepared)
            self.layers.append(prepared)

    def locate(self, path: KeyPath) -> tuple[Place | None, bool]:
        """Where a key path, or the nearest table above it, is stated last, and whether that is a packaged file."""
        for end in range(len(path), 0, -1):
            for layer in reversed(self.layers):
                if states(layer, path[:end]):
                    return layer.origin.place(path), layer.origin.is_packaged
        return None, False


def _note_odd_keys(overrides: Layer, report: ProblemReport) -> bool:
    """Note keys that no file could state; whether there are some, so that nothing can be said of what they hold."""
    odd = [*_odd_keys(overrides.table, ())]
    for path, key in odd:
        report.error((*path, str(key)), f"expected a key of text, got {toml_type(key)}", place=Place("overrides"))
    return bool(odd)


def _odd_keys(table: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(table, dict):
        for key, value in table.items():
            if not isinstance(key, str):
                yield path, key
            yield from _odd_keys(value, (*path, str(key)))


def _rank(layer: Layer) -> LayerKind:
    return layer.origin.kind


def _find_variables(
    secrets: SecretsDirectory, environment: Environment, report: ProblemReport
) -> tuple[list[Variable], list[Variable]]:
    """The variables that override settings, lowest layer first: those of `inference_config`, and the others."""
    from_secrets: dict[str, str] = {}
    for name in (name for name in secrets.names() if name.startswith(PREFIX)):
        try:
            from_secrets[name] = secrets.get(name) or ""
        except SecretFileError as error:
            report.error((), error.problem, place=Place(error.path))
    found = [
        *find_variables(LayerKind.SECRETS_DIRECTORY, from_secrets),
        *find_variables(LayerKind.DOTENV, environment.dotenv),
        *find_variables(LayerKind.PROCESS_ENVIRONMENT, environment.process),
    ]
    prefix = f"{PREFIX}{CONFIG_KEY.upper()}__"
    config = [variable for variable in found if variable.name.upper().startswith(prefix)]
    return config, [variable for variable in found if variable not in config]


def _read_libraries(
    directories: Directories, layers: Iterable[Layer], report: ProblemReport
) -> tuple[InferenceConfig, list[Layer]]:
    """Read the library files of every settings directory.

    Returns:
        The `inference_config` in force, and the layers of the files.
    """
    stating = sorted(filter(_states_config, layers), key=_rank)
    tables = [(layer.origin.is_packaged, layer.table[CONFIG_KEY]) for layer in stating]
    shipped = _merged(table for is_packaged, table in tables if is_packaged)
    own = _merged(table for is_packaged, table in tables if not is_packaged)
    if own.get("use_packaged_settings") is False:
        shipped, tables = {}, [(False, own)]
    choices = {key: value for key, value in _merged(table for _, table in tables).items() if key not in LIBRARY_PATHS}
    paths = {key: value for key, value in own.items() if key in LIBRARY_PATHS}
    config = _build_config(choices | paths, directories.application or directories.packaged, report)
    libraries: list[Layer] = []
    if config.use_packaged_settings and directories.sources[0].is_packaged:
        packaged_config = _build_config(shipped, directories.packaged, report)
        libraries += read_library(packaged_config, LIBRARY_PATHS, shipped, report, is_packaged=True)
    keys = LIBRARY_PATHS if directories.application else own
    libraries += read_library(config, keys, own, report, is_packaged=False)
    return config, libraries


def _states_config(layer: Layer) -> bool:
    return isinstance(layer.table.get(CONFIG_KEY), dict)


def _merged(tables: Iterable[Table]) -> Table:
    return reduce(merge, tables, {})


def _build_config(stated: Table, directory: Path, report: ProblemReport) -> InferenceConfig:
    """Build the `inference_config` of a directory; a fault in it is noted, and the defaults stand in."""
    defaults = default_paths(directory)
    known: Mapping[KeyPath, tuple[str, ...]] = {(): tuple(InferenceConfig.model_fields)}
    config = build_noting(InferenceConfig, defaults | stated, (CONFIG_KEY,), report, known=known)
    return config or InferenceConfig.model_validate(defaults)


def _anchored(layers: Iterable[Layer], directories: Directories) -> list[Layer]:
    """The layers with their paths absolute: what no file states is relative to the application's directory."""
    directory = directories.application or directories.working
    return [Layer(layer.origin, anchored(layer.table, directory)) for layer in layers]
