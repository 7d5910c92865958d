"""The settings of one load: eight layers read, merged, and able to say where each value came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelex_cogt.config.directories import Directories, find_directories
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.inference_config import LIBRARY_PATHS, InferenceConfig, absolute_paths, default_paths
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, Table, merge, states
from pipelex_cogt.config.library_files import read_library
from pipelex_cogt.config.main_files import ENVIRONMENT_VARIABLE, choose_environment, read_main_files
from pipelex_cogt.config.older_spellings import modernise_layer
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import check_shape
from pipelex_cogt.config.sealing import seal_layer
from pipelex_cogt.config.secrets import Credentials, Environment, SecretsDirectory, SecretSource
from pipelex_cogt.config.variables import PREFIX, Variable, build_variable_layers, find_variables

_CONFIG = "inference_config"


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
    overrides: Table,
    sources: Iterable[SecretSource] = (),
) -> Settings:
    """Read every layer and merge them.

    Args:
        schema: What the tree under `cogt` looks like.
        report: Where problems are noted.
        settings_dir: The application's settings directory; None to look for it.
        env: The environment; None for what `PIPELEX_ENV` says.
        environment: The process's environment.
        overrides: A table shaped like the tree under `cogt`, laid over everything.
        sources: The application's own secret sources.

    Raises:
        SettingsError: The directories or the environment are wrong, so that nothing else could be judged.
    """
    directories, environment = find_directories(settings_dir, environment, report)
    report.raise_errors("the places where settings are looked for")
    main = read_main_files(directories, report)
    chosen = choose_environment(env, environment.get(ENVIRONMENT_VARIABLE), main, report)

    anchor = directories.application or directories.working
    secrets = SecretsDirectory(directories.secrets)
    config_variables, other_variables = _find_variables(secrets, environment)
    config_layers = [_anchored(layer, anchor) for layer in build_variable_layers(config_variables, {}, schema, report)]
    override_layer = _anchored(Layer(Origin(LayerKind.OVERRIDES, "overrides"), overrides), anchor)
    main_layers = main.layers(chosen)
    config, library_layers = _read_libraries(directories, [*main_layers, *config_layers, override_layer], report)

    files = [*library_layers, *main_layers]
    if not config.use_packaged_settings:
        files = [layer for layer in files if not layer.origin.is_packaged]
    dynaconf = LayeredDynaconf()
    layers = [dynaconf.add(_prepared(layer, report)) for layer in sorted(files, key=_rank)]
    keys = merge(dynaconf.tree(), overrides)
    variable_layers = [*config_layers, *build_variable_layers(other_variables, keys, schema, report)]
    layers += [
        dynaconf.add(_prepared(layer, report)) for layer in [*sorted(variable_layers, key=_rank), override_layer]
    ]
    report.locate = lambda path: _locate(layers, path)
    return Settings(
        tree=check_shape(dynaconf.tree(), schema, report),
        layers=tuple(layers),
        environment=chosen,
        environments=main.environments(),
        directories=directories,
        inference_config=config,
        credentials=Credentials(environment, secrets, sources, lambda path: _locate(layers, path)[0]),
    )


def _prepared(layer: Layer, report: ProblemReport) -> Layer:
    return seal_layer(modernise_layer(layer, report))


def _rank(layer: Layer) -> LayerKind:
    return layer.origin.kind


def _find_variables(secrets: SecretsDirectory, environment: Environment) -> tuple[list[Variable], list[Variable]]:
    """The variables that override settings, lowest layer first: those of `inference_config`, and the others."""
    from_secrets = {name: secrets.get(name) or "" for name in secrets.names() if name.startswith(PREFIX)}
    found = [
        *find_variables(LayerKind.SECRETS_DIRECTORY, from_secrets),
        *find_variables(LayerKind.DOTENV, environment.dotenv),
        *find_variables(LayerKind.PROCESS_ENVIRONMENT, environment.process),
    ]
    prefix = f"{PREFIX}{_CONFIG.upper()}__"
    config = [variable for variable in found if variable.name.upper().startswith(prefix)]
    return config, [variable for variable in found if variable not in config]


def _read_libraries(
    directories: Directories, layers: Iterable[Layer], report: ProblemReport
) -> tuple[InferenceConfig, list[Layer]]:
    """Read the library files of every settings directory.

    Returns:
        The `inference_config` in force, and the layers of the files.
    """
    stated: dict[bool, Table] = {True: {}, False: {}}
    for layer in layers:
        table = layer.table.get(_CONFIG)
        if isinstance(table, dict):
            stated[layer.origin.is_packaged] = merge(stated[layer.origin.is_packaged], table)
    shipped, own = stated[True], stated[False]
    if own.get("use_packaged_settings") is False:
        shipped = {}
    choices = {key: value for key, value in shipped.items() if key not in LIBRARY_PATHS}
    config = _build_config(choices | own, directories.application or directories.packaged, report)
    libraries: list[Layer] = []
    if config.use_packaged_settings and directories.sources[0].is_packaged:
        packaged_config = _build_config(shipped, directories.packaged, report)
        libraries += read_library(packaged_config, LIBRARY_PATHS, shipped, report, is_packaged=True)
    keys = LIBRARY_PATHS if directories.application else own
    libraries += read_library(config, keys, own, report, is_packaged=False)
    return config, libraries


def _build_config(stated: Table, directory: Path, report: ProblemReport) -> InferenceConfig:
    """Build the `inference_config` of a directory; a fault in it is noted, and the defaults stand in."""
    defaults = default_paths(directory)
    try:
        return InferenceConfig.model_validate(defaults | stated)
    except ValidationError as error:
        report.invalid(error, (_CONFIG,), {(): InferenceConfig.model_fields})
        return InferenceConfig.model_validate(defaults)


def _anchored(layer: Layer, directory: Path) -> Layer:
    """The layer with the paths that it states made absolute."""
    table = layer.table.get(_CONFIG)
    if not isinstance(table, dict):
        return layer
    return Layer(layer.origin, {**layer.table, _CONFIG: absolute_paths(table, directory)})


def _locate(layers: Sequence[Layer], path: KeyPath) -> tuple[Place | None, bool]:
    """Where a key path, or the nearest table above it, is stated last, and whether that is a packaged file."""
    for end in range(len(path), 0, -1):
        for layer in reversed(layers):
            if states(layer, path[:end]):
                return layer.origin.place(path), layer.origin.is_packaged
    return None, False
