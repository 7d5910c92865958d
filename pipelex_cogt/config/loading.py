"""The load: the layers are read in two passes and merged.

1. Whatever may state `inference_config` is read: the main files, the variables of it, the overrides. Merged, it says
   where the other files are.
2. The files that it names are read.

Then Dynaconf lays all layers over each other, the lowest first. `LayerKind` alone says the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import chain, filterfalse
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from pipelex_cogt.config.continued_lists import settle_lists, warn_of_nothing_taken, without_mark
from pipelex_cogt.config.credentials import Credentials, Searched
from pipelex_cogt.config.directories import (
    SETTINGS_DIR_NAME,
    Directories,
    SettingsDirectory,
    expect_settings,
    find_directories,
)
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.environ import PREFIX, Environ, Variables
from pipelex_cogt.config.flat_prices import settle_layer
from pipelex_cogt.config.hidden_defaults import warn_of_hidden_defaults
from pipelex_cogt.config.inference_config import CONFIG_KEY, InferenceConfig, anchored, default_paths, stated_paths
from pipelex_cogt.config.layers import Layer, LayerKind, Place
from pipelex_cogt.config.library_files import expect_library, read_library
from pipelex_cogt.config.main_files import ENVIRONMENT_VARIABLE, choose_environment, read_main_files
from pipelex_cogt.config.masking import seal_layer
from pipelex_cogt.config.older_spellings import modernise_layer
from pipelex_cogt.config.override_variables import Variable, build_variable_layer, find_variables
from pipelex_cogt.config.reasoning import settle_reasoning
from pipelex_cogt.config.reference_places import refuse_references
from pipelex_cogt.config.regular_files import unfit_part
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import check_shape
from pipelex_cogt.config.secret_files import SecretsDirectory
from pipelex_cogt.config.secret_sources import SecretSource
from pipelex_cogt.config.settings import Settings
from pipelex_cogt.config.tables import Table, merge, odd_keys, toml_type
from pipelex_cogt.config.unread_files import warn_of_unread_files
from pipelex_cogt.config.unread_variables import warn_of_unread
from pipelex_cogt.config.validation import build_sound
from pipelex_cogt.config.variable_names import VariableNames
from pipelex_cogt.errors import SecretFileError

_is_packaged = attrgetter("origin.is_packaged")
_is_of_config = attrgetter("is_of_config")


def read_settings(
    schema: Mapping[str, Any],
    report: ProblemReport,
    *,
    settings_dir: Path | str | None,
    env: str | None,
    environ: Environ,
    overrides: Layer,
    sources: Iterable[SecretSource] = (),
) -> Settings:
    """Read every layer and merge them.

    Args:
        schema: What the tree under `cogt` looks like.
        report: Where problems are noted.
        settings_dir: The application's settings directory; None to look for it.
        env: The environment; None for what `PIPELEX_ENV` says.
        environ: The process's environment.
        overrides: The layer of what the code states, laid over everything.
        sources: The application's own secret sources.

    Raises:
        SettingsError: The directories or the environment are wrong, so that nothing else could be judged.
    """
    directories, environ = find_directories(settings_dir, environ, report)
    main = read_main_files(directories, schema, report)
    environment = choose_environment(env, environ.get(ENVIRONMENT_VARIABLE), main, report)
    _check_override_keys(overrides, report)
    secrets = [*map(SecretsDirectory, directories.secrets)]
    searched = Searched(directories.working, directories.application, directories.dotenv)

    load = _Load(schema, directories, report)
    variables = _find_variables(secrets, environ, report)
    stated = load.read_statements(main.layers(environment), variables, overrides)
    config, layers = load.read_named_files(stated)
    warn_of_unread_files(directories, config, schema, report)
    registry = load.lay(layers, variables)

    report.locate = registry.locate
    refuse_references(registry.tree(), schema, report)
    warn_of_hidden_defaults(registry, environment, report)
    settings = Settings(
        environment=environment,
        environments=main.environments(),
        directories=directories,
        inference_config=config,
        credentials=Credentials(environ, secrets, sources, registry.origin_of, searched),
        unfrozen_tree=check_shape(settle_lists(registry.tree(), registry.layers_stating, report), schema, report),
        _registry=registry,
    )
    warn_of_nothing_taken(settings.unfrozen_tree, registry.layers_stating, report)
    files = chain.from_iterable(directory.names() for directory in secrets)
    warn_of_unread(environ, files, settings.unfrozen_tree, schema, report)
    return settings


class _Load(NamedTuple):
    """The steps of one load, and what all of them need."""

    schema: Mapping[str, Any]
    directories: Directories
    report: ProblemReport

    def read_statements(self, main: list[Layer], variables: list[Variable], overrides: Layer) -> list[Layer]:
        """Pass one: the layers of whatever may state `inference_config`, in order."""
        directory = self.directories.application or self.directories.working
        names, of_config = VariableNames(self.schema), filter(_is_of_config, variables)
        layers = chain.from_iterable(build_variable_layer(variable, names, self.report) for variable in of_config)
        # What no file states is relative to the application's directory.
        unfiled = [Layer(layer.origin, anchored(layer, directory)) for layer in (*layers, overrides)]
        return _in_order([*main, *unfiled])

    def read_named_files(self, stated: list[Layer]) -> tuple[InferenceConfig, list[Layer]]:
        """Pass two: the `inference_config` in force, and what is stated in force with the files that it names."""
        shipped = _config_of(filter(_is_packaged, stated))
        own = _config_of(filterfalse(_is_packaged, stated))
        starts_from_nothing = own.get("use_packaged_settings") is False
        choices = own if starts_from_nothing else _config_of(stated)
        if not stated_paths(own):
            expect_settings(self.directories, self.report)
        # Paths are each directory's own: the application's files are not where the packaged ones are.
        usual = default_paths(self._usual_directory(starts_from_nothing=starts_from_nothing))
        config = self._build_config({**choices, **usual, **stated_paths(own)}, usual)
        layers: list[Layer] = []
        lowest = self.directories.sources[0]
        if config.use_packaged_settings and lowest.is_packaged:
            beside = default_paths(lowest.path)
            packaged = self._build_config({**beside, **shipped}, beside)
            layers += read_library(packaged, lowest, beside, shipped, self.report)
        # Without a directory of its own an application has the files that a variable or the code names.
        keys = usual if self.directories.application else own
        application = SettingsDirectory(self.directories.application or self.directories.working, is_packaged=False)
        layers += read_library(config, application, keys, own, self.report)
        layers += stated if config.use_packaged_settings else filterfalse(_is_packaged, stated)
        expect_library(config, {*chain.from_iterable(layers)}, self.report)
        return config, _in_order(layers)

    def _usual_directory(self, *, starts_from_nothing: bool) -> Path:
        """The directory whose library files are the application's where nobody says where they are."""
        nowhere = self.directories.working / SETTINGS_DIR_NAME if starts_from_nothing else self.directories.packaged
        return self.directories.application or nowhere

    def lay(self, layers: list[Layer], variables: list[Variable]) -> LayeredDynaconf:
        """Lay all layers over each other; a variable is matched with the keys of everything below and of the code."""
        *below, overrides = layers
        registry = LayeredDynaconf()
        for layer in below:
            self._add(layer, registry)
        # A variable of `inference_config` is among the layers already.
        others = [*filterfalse(_is_of_config, variables)]
        if others:
            self._add_variables(others, overrides, registry)
        self._add(overrides, registry)
        return registry

    def _add_variables(self, variables: list[Variable], overrides: Layer, registry: LayeredDynaconf) -> None:
        names = VariableNames(self.schema, registry.tree(), seal_layer(overrides))
        for variable in variables:
            for layer in build_variable_layer(variable, names, self.report):
                names.lay(self._add(layer, registry))

    def _add(self, layer: Layer, registry: LayeredDynaconf) -> Layer:
        """Lay a layer over the others: in today's spelling, what it states in force, its secrets sealed."""
        below = registry.tree()
        settled = settle_reasoning(settle_layer(modernise_layer(layer, self.report), below), below)
        sealed = seal_layer(settled)
        registry.add(sealed)
        return sealed

    def _build_config(self, table: Table, usual: Table) -> InferenceConfig:
        """The `inference_config` of a table; a fault in it is noted, and the usual paths stand in."""
        refuse_references({CONFIG_KEY: table}, self.schema, self.report)
        unfit = dict(_unfit_paths(table))
        for key, part in unfit.items():
            self.report.error((CONFIG_KEY, key), f"expected a path, got text with {part}")
        fit = {**table, **{key: usual[key] for key in unfit}}
        config = build_sound(InferenceConfig, fit, (CONFIG_KEY,), self.report)
        return config or InferenceConfig.model_validate(usual)


def _in_order(layers: Iterable[Layer]) -> list[Layer]:
    """Layers, lowest first; those of one kind stay in the order in which they were read."""
    return sorted(layers, key=lambda layer: layer.origin.kind)


def _config_of(layers: Iterable[Layer]) -> Table:
    """What layers state of `inference_config`, merged."""
    # What is no table is told when the shape of the whole is checked.
    tables = [table for layer in layers if isinstance(table := layer.get(CONFIG_KEY), dict)]
    merged: Table = reduce(merge, tables, {})
    # A `"..."` over nothing is told with those of the whole.
    return {key: without_mark(value) for key, value in merged.items()}


def _unfit_paths(table: Table) -> Iterator[tuple[str, str]]:
    """The keys whose text can be no path, each with what it holds that no path can."""
    for key, path in stated_paths(table).items():
        part = unfit_part(path) if isinstance(path, str) else None
        if part:
            yield key, part


def _check_override_keys(overrides: Layer, report: ProblemReport) -> None:
    """Note keys that no file could state.

    Raises:
        SettingsError: There are some, so that nothing can be said of what they hold.
    """
    odd = [*odd_keys(overrides)]
    for path in odd:
        problem = f"expected a key of text, got {toml_type(path[-1])}"
        report.error((*path[:-1], str(path[-1])), problem, place=Place(overrides.origin.name))
    if odd:
        report.raise_errors("the overrides")


def _find_variables(secrets: Iterable[SecretsDirectory], environ: Environ, report: ProblemReport) -> list[Variable]:
    """The variables that override settings, lowest layer first."""
    from_secrets: dict[str, str] = {}
    for directory in secrets:
        for name in directory.names():
            # The first directory that has a name answers.
            if name.startswith(PREFIX) and name not in from_secrets:
                from_secrets.update(_read_variable(directory, name, report))
    return [
        *find_variables(LayerKind.SECRETS_DIRECTORY, Variables(from_secrets)),
        *find_variables(LayerKind.DOTENV, environ.dotenv),
        *find_variables(LayerKind.PROCESS_ENVIRONMENT, environ.process),
    ]


def _read_variable(directory: SecretsDirectory, name: str, report: ProblemReport) -> dict[str, str]:
    """A secret's file that overrides a setting, by its name; one that cannot be used is noted."""
    try:
        return {name: directory.get(name) or ""}
    except SecretFileError as error:
        report.error((), error.problem, place=Place(error.path))
    return {}
