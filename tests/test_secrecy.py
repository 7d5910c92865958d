"""The canaries: one known string per secret, searched for in every channel that a secret could leave through.

A tree states one secret per backend, each from another source. Whatever the package shows, dumps, logs, raises or
pickles is searched for all of them; `get_secret_value()` is the one way out.
"""

from __future__ import annotations

import copy
import dataclasses
import gc
import json
import logging
import operator
import os
import pickle
import pprint
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, TypeAlias

import pytest
import sentry_sdk
from dynaconf import get_history, inspect_settings
from dynaconf.base import Settings as DynaconfSettings
from pydantic import BaseModel, SecretStr, TypeAdapter
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from sentry_sdk.utils import event_from_exception
from typer.testing import CliRunner

from pipelex_cogt import (
    CogtError,
    InferenceBackend,
    InferenceBackendLibrary,
    InferenceModelSpec,
    LiteralLeftBehindError,
    LLMSetting,
    ModelManager,
    ResolvedLLM,
    SettingsError,
    UnusableCredentialError,
)
from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.show import describe, describe_backends
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from tests.conftest import MINIMAL, Load, WriteTree, dedent, write_settings

TESTS = Path(__file__).parent
MARK = "5e1f7a"

SOURCES = (
    "process",  # an environment variable
    "dotenv",  # the .env beside the settings
    "directory",  # a file of the secrets directory
    "literal",  # a literal api_key of .secrets.toml
    "further",  # a literal further key of .secrets.toml
    "override",  # a literal in the overrides given in code
    "variable",  # PIPELEX_COGT__BACKENDS__VARIABLE__API_KEY
    "url",  # the password of a URL
    "vault",  # a custom source
    "default",  # the default of a reference in a key that is secret by its name
)
EDGES = (
    "plain_file",  # a literal api_key of backends.toml, where it should not be
    "url_beside",  # the password of a URL that holds a reference too
    "url_default",  # the password of a URL in a default
    "url_further",  # the password of a URL in a further key
    "beside",  # literal text beside a reference in an api_key of .secrets.toml
    "nested_literal",  # a literal below a table of .secrets.toml
    "nested_reference",  # what answers a reference in a secret key below a table
    "nested_default",  # a default below a table whose name is secret
    "listed_reference",  # what answers a reference in a list whose name is secret
    "listed_default",  # a default in a list whose name is secret
    "further_reference",  # what answers a reference in a secret further key
    "region",  # what answers a reference in a further key that is not secret by its name
    "secret_str",  # a SecretStr in the overrides
    "tupled",  # a tuple in the overrides
    "directory_variable",  # a file of the secrets directory that overrides a setting
    "model_id",  # what answers a reference in a model_id
    "host",  # what answers a reference in an endpoint
    "header",  # a literal header of a backend
    "header_secret",  # a literal header of a backend in .secrets.toml
    "model_header",  # a literal header of a model
    "model_header_reference",  # what answers a reference in a header of a model
    "model_body",  # a literal of a secret name in the extra_body of a model
    "model_body_secret",  # a literal in the extra_body of a model in .secrets.toml
    "model_body_deep",  # a literal below a table and a list in the extra_body of a model
    "model_config",  # a literal of a secret name in the extra_config of a model
    "model_config_secret",  # a literal in the extra_config of a model in .secrets.toml
    "model_config_reference",  # what answers a reference in the extra_config of a model
    "model_defaults",  # a literal of a secret name in the [defaults] of a file
    "model_override",  # a literal in the overrides given in code
    "preset_body",  # a literal of a secret name in the extra_body of a preset
    "preset_body_secret",  # a literal in the extra_body of a preset in .secrets.toml
)
CANARIES = {name: f"canary{MARK}{name.replace('_', 'x')}z" for name in (*SOURCES, *EDGES)}

CANARY = f"canary{MARK}"
"""What every canary begins with."""
NUMBER = 48151623421108
"""A secret that is a number."""

BACKENDS = f"""
[process]
api_key = "${{PROCESS_KEY}}"
[dotenv]
api_key = "${{DOTENV_KEY}}"
[directory]
api_key = "${{secret:directory_key}}"
[literal]
[further]
[override]
[variable]
api_key = "to be replaced"
[url]
endpoint = "https://user:{CANARIES["url"]}@url.example.com/v1"
[vault]
api_key = "${{secret:vault_key}}"
[default]
api_key = "${{NOBODY_SETS_THIS:-{CANARIES["default"]}}}"
[plain_file]
api_key = "{CANARIES["plain_file"]}"
[url_beside]
endpoint = "https://user:{CANARIES["url_beside"]}@${{URL_HOST}}/v1"
[url_default]
endpoint = "${{NOBODY_SETS_THIS:-https://user:{CANARIES["url_default"]}@url.example.com}}"
[url_further]
proxy = "http://user:{CANARIES["url_further"]}@proxy.example.com"
[beside]
[nested_literal]
[nested_reference]
default_headers = {{ token = "${{NESTED_TOKEN}}" }}
[nested_default]
credentials = {{ user = "${{NOBODY_SETS_THIS:-{CANARIES["nested_default"]}}}" }}
[listed_reference]
access_keys = ["${{LISTED_KEY}}"]
[listed_default]
access_keys = ["${{NOBODY_SETS_THIS:-{CANARIES["listed_default"]}}}"]
[further_reference]
access_token = "${{FURTHER_TOKEN}}"
[region]
region = "${{REGION_VALUE}}"
[secret_str]
[tupled]
[directory_variable]
api_key = "to be replaced"
[header]
headers = {{ x-tenant = "{CANARIES["header"]}" }}
[model_id]
[host]
endpoint = "https://${{HOST_VALUE}}/v1"
[plain]
"""

SECRETS_TOML = f"""
[default.cogt.backends.literal]
api_key = "{CANARIES["literal"]}"
[default.cogt.backends.further]
organisation = "{CANARIES["further"]}"
[development.cogt.backends.beside]
api_key = "{CANARIES["beside"]}${{NOBODY_SETS_THIS:-}}"
[development.cogt.backends.nested_literal.default_headers]
x-caller = ["{CANARIES["nested_literal"]}"]
"""

SECRETS_TOML += f"""
[development.cogt.backends.header_secret.headers]
x-tenant = "{CANARIES["header_secret"]}"
[development.cogt.models.model_body_secret.model-model_body_secret.extra_body]
tenant = "{CANARIES["model_body_secret"]}"
pin = {{ is_on = true, number = 4711 }}
[development.cogt.models.model_config_secret.model-model_config_secret.extra_config]
tenant = "{CANARIES["model_config_secret"]}"
[development.cogt.deck.llm_presets.secret_body.extra_body]
tenant = "{CANARIES["preset_body_secret"]}"
"""
BACKENDS += "".join(f"[{name}]\n" for name in EDGES[EDGES.index("header_secret") :])
TABLES_OF_MODELS = {
    "model_header": f'headers = {{ x-tenant = "{CANARIES["model_header"]}" }}',
    "model_header_reference": 'headers = { x-tenant = "${MODEL_HEADER}" }',
    "model_body": f'extra_body = {{ user_token = "{CANARIES["model_body"]}" }}',
    "model_body_deep": f'extra_body = {{ tools = [{{ authorization = "{CANARIES["model_body_deep"]}" }}] }}',
    "model_config": f'extra_config = {{ api_token = "{CANARIES["model_config"]}" }}',
    "model_config_reference": 'extra_config = { api_token = "${MODEL_TOKEN}" }',
    "model_defaults": f'[defaults]\nextra_config = {{ api_token = "{CANARIES["model_defaults"]}" }}',
    "model_id": "model_id = 'id-${MODEL_ID}'",
}
"""What the file of a backend says of its model beside its SDK."""

ENVIRON = {
    "PROCESS_KEY": CANARIES["process"],
    "URL_HOST": "url.example.com",
    "NESTED_TOKEN": CANARIES["nested_reference"],
    "LISTED_KEY": CANARIES["listed_reference"],
    "FURTHER_TOKEN": CANARIES["further_reference"],
    "REGION_VALUE": CANARIES["region"],
    "MODEL_ID": CANARIES["model_id"],
    "MODEL_HEADER": CANARIES["model_header_reference"],
    "MODEL_TOKEN": CANARIES["model_config_reference"],
    "HOST_VALUE": CANARIES["host"],
    "PIPELEX_COGT__BACKENDS__VARIABLE__API_KEY": CANARIES["variable"],
}

OVERRIDES: dict[str, Any] = {
    "backends": {
        "override": {"api_key": CANARIES["override"]},
        "secret_str": {"api_key": SecretStr(CANARIES["secret_str"])},
        "tupled": {"access_keys": (CANARIES["tupled"],)},
    },
    "models": {"model_override": {"model-model_override": {"extra_body": {"password": CANARIES["model_override"]}}}},
}

FILES = {
    "settings.toml": MINIMAL["settings.toml"],
    "backends.toml": BACKENDS,
    ".secrets.toml": SECRETS_TOML,
    **{
        f"backends/{name}.toml": f"[model-{name}]\nsdk = 'sdk'\n" + TABLES_OF_MODELS.get(name, "")
        for name in (*CANARIES, "plain")
    },
    "routing.toml": f"active = 'all'\n[profiles.all]\nfallback_order = {[*CANARIES, 'plain']}",
    "deck/base.toml": """
        [aliases]
        best = ["model-process", "model-literal"]
        [llm_presets]
        p = { llm_handle = "best", temperature = 0.5 }
        secret_body = { llm_handle = "model-process" }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
    "deck/body.toml": f"""
        [llm_presets.body]
        llm_handle = "model-process"
        extra_body = {{ session_token = "{CANARIES["preset_body"]}" }}
    """,
}

BACKEND_PLAIN = {"backends.local.toml": "[plain]", "backends/plain.toml": ""}
"""A backend without secrets of its own over the minimal tree."""

BODIES_OF_PRESETS = {"preset_body": ("body", "session_token"), "preset_body_secret": ("secret_body", "tenant")}
"""The secrets of presets: the preset, and the key of its `extra_body`."""


def only_model(backend: InferenceBackend) -> InferenceModelSpec:
    (model,) = backend.model_specs.values()
    return model


def body_of(backend: InferenceBackend) -> Mapping[str, Any]:
    """What a request to the backend's one model carries beside the parameters, as it is sent."""
    return LLMSetting(llm_handle="m").parameters_for(only_model(backend)).extra_body


WAYS_OUT: dict[str, Callable[[InferenceBackend], Any]] = {
    "further": lambda backend: backend.extra_config["organisation"],
    "url": lambda backend: backend.endpoint,
    "url_beside": lambda backend: backend.endpoint,
    "url_default": lambda backend: backend.endpoint,
    "url_further": lambda backend: backend.extra_config["proxy"],
    "nested_literal": lambda backend: backend.extra_config["default_headers"]["x-caller"][0],
    "nested_reference": lambda backend: backend.extra_config["default_headers"]["token"],
    "nested_default": lambda backend: backend.extra_config["credentials"]["user"],
    "listed_reference": lambda backend: backend.extra_config["access_keys"][0],
    "listed_default": lambda backend: backend.extra_config["access_keys"][0],
    "further_reference": lambda backend: backend.extra_config["access_token"],
    "region": lambda backend: backend.extra_config["region"],
    "tupled": lambda backend: backend.extra_config["access_keys"][0],
    "model_id": lambda backend: backend.model_specs["model-model_id"].model_id,
    "host": lambda backend: backend.endpoint,
    "header": lambda backend: backend.headers["x-tenant"],
    "header_secret": lambda backend: backend.headers["x-tenant"],
    "model_header": lambda backend: only_model(backend).headers["x-tenant"],
    "model_header_reference": lambda backend: only_model(backend).headers["x-tenant"],
    "model_body": lambda backend: body_of(backend)["user_token"],
    "model_body_secret": lambda backend: body_of(backend)["tenant"],
    "model_body_deep": lambda backend: body_of(backend)["tools"][0]["authorization"],
    "model_config": lambda backend: only_model(backend).extra_config["api_token"],
    "model_config_secret": lambda backend: only_model(backend).extra_config["tenant"],
    "model_config_reference": lambda backend: only_model(backend).extra_config["api_token"],
    "model_defaults": lambda backend: only_model(backend).extra_config["api_token"],
    "model_override": lambda backend: body_of(backend)["password"],
}
"""How each secret is read where it is no `api_key`."""
NOT_SECRET_BY_NAME = (
    *("url", "url_beside", "url_default", "url_further", "region", "model_id", "host", "further", "nested_literal"),
    *("header", "header_secret", "model_header", "model_header_reference", "model_config_secret"),
    # A body is sent as it is.
    *("model_body", "model_body_secret", "model_body_deep", "model_override", "preset_body", "preset_body_secret"),
)
"""What comes out as text, as the SDK needs it: its name ends in no secret word, and it may be sealed or not."""

Channel: TypeAlias = Callable[[ModelManager], object]


class Vault:
    """An application's own source."""

    def __init__(self) -> None:
        self._secrets = {"vault_key": CANARIES["vault"]}

    def get(self, name: str) -> str | None:
        return self._secrets.get(name)


def write_secrets(folder: Path) -> dict[str, str]:
    """Write the `.env` and the secrets directory, and return the environment of the process."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "directory_key").write_text(CANARIES["directory"] + "\n")
    (secrets / "PIPELEX_COGT__BACKENDS__DIRECTORY_VARIABLE__API_KEY").write_text(CANARIES["directory_variable"])
    dotenv = folder / "app" / ".env"
    dotenv.parent.mkdir(exist_ok=True)
    dotenv.write_text(f"DOTENV_KEY={CANARIES['dotenv']}\n")
    return {**ENVIRON, "PIPELEX_SECRETS_DIR": str(secrets)}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return write_secrets(tmp_path)


@pytest.fixture
def load_secrets(write_tree: WriteTree, environ: dict[str, str]) -> Load:
    """Load the tree with every secret in it; files, variables and overrides are laid over its own."""

    def load(files: Mapping[str, str] | None = None, **arguments: Any) -> ModelManager:
        variables = {**environ, **arguments.pop("environ", {})}
        return load_all(write_tree({**FILES, **(files or {})}), variables, **arguments)

    return load


def load_all(directory: Path, environ: Mapping[str, str], **arguments: Any) -> ModelManager:
    return ModelManager.load(directory, environ=environ, **{"overrides": OVERRIDES, "sources": [Vault()], **arguments})


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    """The tree with every secret in it, loaded once."""
    folder = tmp_path_factory.mktemp("every-secret")
    return load_all(write_settings(folder, FILES), write_secrets(folder))


def shown_in(text: object) -> list[str]:
    """The canaries in a text, or in bytes."""
    if isinstance(text, bytes):
        return [name for name, canary in CANARIES.items() if canary.encode() in text]
    return [name for name, canary in CANARIES.items() if canary in str(text)]


# The one way out


def api_key_of(backend: InferenceBackend) -> Any:
    return backend.api_key


def read(manager: ModelManager, name: str) -> Any:
    if name in BODIES_OF_PRESETS:
        preset, key = BODIES_OF_PRESETS[name]
        return manager.deck.resolve(preset).parameters.extra_body[key]
    return WAYS_OUT.get(name, api_key_of)(manager.get_required_inference_backend(name))


@pytest.mark.parametrize("name", CANARIES)
def test_every_secret_comes_out_when_asked_for(manager: ModelManager, name: str) -> None:
    value = read(manager, name)
    assert CANARIES[name] in str(value.get_secret_value() if isinstance(value, SecretStr) else value)


@pytest.mark.parametrize("name", [name for name in CANARIES if name not in NOT_SECRET_BY_NAME])
def test_what_is_secret_by_its_name_is_wrapped(manager: ModelManager, name: str) -> None:
    assert isinstance(read(manager, name), SecretStr)


# What objects show


def extra_configs(manager: ModelManager) -> list[Any]:
    return [backend.extra_config for backend in manager.backends.values()]


def opened_extra_configs(manager: ModelManager) -> list[dict[str, Any]]:
    """Further keys as an SDK client takes them, without those that are text."""
    return [dict(backend.extra_config) for name, backend in manager.backends.items() if name not in NOT_SECRET_BY_NAME]


def resolved(manager: ModelManager) -> list[ResolvedLLM]:
    return [
        manager.get_llm_deck().resolve(name)
        for name in ("p", "body", "secret_body", "best", *manager.deck.inference_models)
    ]


def things_with_headers(manager: ModelManager) -> list[InferenceBackend | InferenceModelSpec]:
    return [*manager.backends.values(), *manager.deck.inference_models.values()]


def models_of_pydantic(manager: ModelManager) -> list[BaseModel]:
    return [*things_with_headers(manager), *manager.deck.llm_presets.values(), manager.settings.inference_config]


OBJECTS: dict[str, Channel] = {
    "manager": lambda manager: manager,
    "settings": lambda manager: manager.settings,
    "layers": lambda manager: manager.settings.layers,
    "tree": lambda manager: manager.settings.tree,
    "tables of layers": lambda manager: [dict(layer) for layer in manager.settings.layers],
    "origins": lambda manager: [layer.origin for layer in manager.settings.layers],
    "credentials": lambda manager: manager.settings.credentials,
    "environment": lambda manager: manager.settings.credentials.environ,
    "secrets directory": lambda manager: manager.settings.credentials.directories,
    "directories": lambda manager: manager.settings.directories,
    "backends": lambda manager: manager.backends,
    "items of backends": lambda manager: dict(manager.backends),
    "each backend": lambda manager: list(manager.backends.values()),
    "extra_config": extra_configs,
    "extra_config, opened": opened_extra_configs,
    "api_key": lambda manager: [read(manager, name) for name in CANARIES if name not in NOT_SECRET_BY_NAME],
    "specs": lambda manager: manager.deck.inference_models,
    "headers": lambda manager: [each.headers for each in things_with_headers(manager)],
    "extra_config of models": lambda manager: [each.extra_config for each in manager.deck.inference_models.values()],
    "presets": lambda manager: manager.deck.llm_presets,
    "parameters": lambda manager: [llm.parameters for llm in resolved(manager)],
    "routing": lambda manager: manager.routing,
    "deck": lambda manager: manager.deck,
    "resolved": resolved,
    "chain": lambda manager: manager.deck.chain("best"),
    "warnings": lambda manager: manager.warnings,
    "report": lambda manager: manager.report,
    "inference_config": lambda manager: manager.settings.inference_config,
}


def fields_of(value: Any) -> object:
    """The attributes of an object one step down, where it is a dataclass; else the object."""
    if not dataclasses.is_dataclass(value):
        return value
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def copied_deeply(value: Any) -> object:
    """A deep copy, or the error of what refuses to be copied."""
    try:
        return copy.deepcopy(value)
    except (TypeError, AttributeError) as error:
        return f"{error!r} {error} {error.__context__!r}"


RENDERINGS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "f-string": lambda value: f"{value} {value!r} {value!s} {value!a}",
    "percent": lambda value: operator.mod("%s %r", (value, value)),
    "pprint": pprint.pformat,
    "rich": pretty_repr,
    "fields": lambda value: repr(fields_of(value)),
    "json with str": lambda value: json.dumps(value, default=str, skipkeys=True),
    "json with repr": lambda value: json.dumps(value, default=repr, skipkeys=True),
    "copy": lambda value: repr(copy.copy(value)),
    "deepcopy": lambda value: repr(copied_deeply(value)),
}


def leaks_of(values: Mapping[str, object]) -> dict[str, list[str]]:
    """The canaries in each of several texts, where there are any."""
    assert all(values.values())
    return {name: found for name, value in values.items() if (found := shown_in(value))}


@pytest.mark.parametrize("channel", OBJECTS.values(), ids=OBJECTS)
def test_no_object_shows_a_secret(manager: ModelManager, channel: Channel) -> None:
    value = channel(manager)
    assert leaks_of({name: render(value) for name, render in RENDERINGS.items()}) == {}


@pytest.mark.parametrize("what", ["manager", "settings", "backends", "deck"])
def test_what_is_immutable_can_be_copied(manager: ModelManager, what: str) -> None:
    value = OBJECTS[what](manager)
    assert type(copy.copy(value)) is type(value)
    assert type(copy.deepcopy(value)) is type(value)


DUMPS: dict[str, Callable[[BaseModel], object]] = {
    "model_dump": lambda model: model.model_dump(),
    "model_dump without aliases": lambda model: model.model_dump(by_alias=False),
    "model_dump of everything": lambda model: model.model_dump(exclude_defaults=True, round_trip=True),
    "model_dump for JSON": lambda model: model.model_dump(mode="json"),
    "model_dump_json": lambda model: model.model_dump_json(),
    "dict": dict,
    "iteration": list,
    "vars": vars,
    "copy": lambda model: model.model_copy(deep=True),
    "copied copy": lambda model: model.model_copy(update={"enabled": True}),
    "adapter": lambda model: TypeAdapter(type(model)).dump_json(model),
    "rich": pretty_repr,
}


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_no_dump_holds_a_secret(manager: ModelManager, dump: Callable[[BaseModel], object]) -> None:
    assert shown_in("\n".join(str(dump(model)) for model in models_of_pydantic(manager))) == []


NUMBERS = [
    (".secrets.toml", "token"),
    (".secrets.toml", "default_headers.token"),
    (".secrets.toml", "pin"),
    ("settings.toml", "token"),
    ("settings.toml", "default_headers.token"),
]


@pytest.mark.parametrize(("layer", "key"), NUMBERS, ids=map(" ".join, NUMBERS))
def test_a_number_under_a_secret_name_or_layer_is_hidden_or_refused(load_secrets: Load, layer: str, key: str) -> None:
    def tell() -> str:
        manager = load_secrets({layer: f"{FILES[layer]}\n[development.cogt.backends.plain]\n{key} = {NUMBER}"})
        backend = manager.backends["plain"]
        asked_for = dict(backend.extra_config) if "token" in key else backend.extra_config
        return f"{manager.settings.tree} {backend} {backend.model_dump_json()} {asked_for}"

    try:
        told = tell()
    except SettingsError as error:
        told = everything_told_by(error)
    assert str(NUMBER) not in told


def test_what_was_resolved_dumps_without_secrets(manager: ModelManager) -> None:
    for llm in resolved(manager):
        assert shown_in(dataclasses.asdict(llm)) == []
        assert shown_in(TypeAdapter(ResolvedLLM).dump_json(llm)) == []


# Names that are plain in a backend's own table, deeper down in a layer of secrets


PLAIN_AT_THE_TOP = ("enabled", "display_name")
NAMES = (*PLAIN_AT_THE_TOP, "endpoint", "api_key", "region", "name", "0")
"""Keys of a backend that mean something at its top, and keys that mean nothing anywhere."""
DEEP_KEYS = [
    "region",
    *(f"{'.'.join(('default_headers', 'b', 'c')[:depth])}.{name}" for depth in (1, 2, 3) for name in NAMES),
    *(f"lists.{name}" for name in NAMES),
]
DEEP_TEXTS = {key: f"{CANARY}deep{number}z" for number, key in enumerate(DEEP_KEYS)}
DEEP_NUMBERS = {key: NUMBER * 100 + number for number, key in enumerate(DEEP_KEYS)}


def deep_secrets(values: Mapping[str, Any]) -> dict[str, str]:
    """A `.secrets.toml` that states a value for each key path of a backend; `lists` holds lists."""
    written = {key: repr(value) for key, value in values.items()}
    stated = [f"{key} = {f'[{value}]' if key.startswith('lists.') else value}" for key, value in written.items()]
    head = ["[default.cogt.backends.plain]", "endpoint = 'https://plain.example.com'"]
    return {".secrets.toml": "\n".join([*head, *stated])}


DEEP = {"texts": deep_secrets(DEEP_TEXTS), "numbers": deep_secrets(DEEP_NUMBERS)}
DEEP_CHANNELS: dict[str, Channel] = {
    "tree": lambda manager: manager.settings.tree,
    "layers": lambda manager: [dict(layer) for layer in manager.settings.layers],
    "backend": lambda manager: manager.backends["plain"],
    "fields": lambda manager: vars(manager.backends["plain"]),
    "extra_config": lambda manager: manager.backends["plain"].extra_config,
    "explained": lambda manager: manager.explain("plain"),
    "explained table": lambda manager: manager.explain("backends.plain.default_headers"),
    "model_dump": lambda manager: manager.backends["plain"].model_dump(),
    "model_dump_json": lambda manager: manager.backends["plain"].model_dump_json(),
    "history": lambda manager: get_history(manager.settings.dynaconf),
    "pickled backend": lambda manager: pickle.dumps(manager.backends["plain"], 0),
    "pickled manager": lambda manager: pickle.dumps(manager, 0),
    "described": lambda manager: json.dumps([describe(manager), describe_backends(manager)]),
}


@pytest.mark.parametrize("channel", DEEP_CHANNELS.values(), ids=DEEP_CHANNELS)
@pytest.mark.parametrize("files", DEEP.values(), ids=DEEP)
def test_at_any_depth_everything_of_a_layer_of_secrets_is_hidden(
    load: Load, files: dict[str, str], channel: Channel
) -> None:
    told = repr(channel(load({**BACKEND_PLAIN, **files})))
    assert "plain" in told or "default_headers" in told
    hidden = (*DEEP_TEXTS.values(), *map(str, DEEP_NUMBERS.values()))
    assert [value for value in hidden if value in told] == []


@pytest.mark.parametrize(
    "command", [("show", "backends", "--json"), ("explain", "plain"), ("explain", "backends.plain", "--json")]
)
@pytest.mark.parametrize("files", DEEP.values(), ids=DEEP)
def test_no_command_prints_what_lies_deep_in_a_layer_of_secrets(
    write_tree: WriteTree, files: dict[str, str], command: tuple[str, ...]
) -> None:
    environ = {"PIPELEX_SETTINGS_DIR": str(write_tree({**MINIMAL, **BACKEND_PLAIN, **files})), "COLUMNS": "500"}
    result = CliRunner().invoke(app, command, env=environ)
    assert (result.exit_code, "default_headers" in result.stdout) == (0, True)
    assert CANARY not in result.output
    assert str(NUMBER) not in result.output
    assert "4711-" not in result.output


@pytest.mark.parametrize("values", [DEEP_TEXTS, DEEP_NUMBERS], ids=DEEP)
def test_what_lies_deep_in_a_layer_of_secrets_comes_out_when_asked_for(load: Load, values: Mapping[str, Any]) -> None:
    extra = load({**BACKEND_PLAIN, **deep_secrets(values)}).backends["plain"].extra_config
    for key, value in values.items():
        found: Any = extra
        for part in key.split("."):
            found = found[part]
        found = found[0] if isinstance(found, list) else found
        # A number stays one, but for a key that is secret by its name.
        assert str(found.get_secret_value() if isinstance(found, SecretStr) else found) == str(value)


def test_at_its_top_a_backend_is_named_and_switched_in_plain_words(load: Load) -> None:
    secret_file = {".secrets.toml": "[default.cogt.backends.plain]\ndisplay_name = 'Plain words'\nenabled = true"}
    manager = load({**BACKEND_PLAIN, **secret_file})
    shown = {value.path: value.stated.value for value in manager.explain("plain").values}
    assert shown["cogt.backends.plain.display_name"] == "Plain words"
    assert shown["cogt.backends.plain.enabled"] is True
    assert manager.settings.tree["backends"]["plain"] == {"display_name": "Plain words", "enabled": True}
    assert manager.backends["plain"].model_dump()["display_name"] == "Plain words"


# Pickles


PICKLED: dict[str, Channel] = {
    "backends": lambda manager: list(manager.backends.values()),
    "library": lambda manager: manager.backends,
    "extra_config": extra_configs,
    "extra_config, opened": opened_extra_configs,
    "api_key": OBJECTS["api_key"],
    "specs": lambda manager: dict(manager.deck.inference_models),
    "routing": lambda manager: manager.routing,
    "deck": lambda manager: manager.deck,
    "resolved": resolved,
    "credentials": lambda manager: manager.settings.credentials,
    "environment": lambda manager: manager.settings.credentials.environ,
    "tree": lambda manager: manager.settings.tree,
    "layers": lambda manager: manager.settings.layers,
    "directories": lambda manager: manager.settings.directories,
    "warnings": lambda manager: manager.warnings,
}


@pytest.mark.parametrize("channel", PICKLED.values(), ids=PICKLED)
def test_no_pickle_holds_a_secret(manager: ModelManager, channel: Channel) -> None:
    value = channel(manager)
    old, new = pickle.dumps(value, 0), pickle.dumps(value)
    assert leaks_of({"old": old, "new": new, "read again": repr(pickle.loads(new))}) == {}


@pytest.mark.parametrize("what", ["manager", "settings"])
def test_a_manager_pickles_without_secrets_or_not_at_all(manager: ModelManager, what: str) -> None:
    pickled: bytes | str
    try:
        pickled = pickle.dumps(OBJECTS[what](manager))
    except Exception as error:  # noqa: BLE001 -- because: whatever refuses is searched as well
        pickled = everything_told_by(error)
    assert shown_in(pickled) == []


def test_an_unpickled_backend_asks_the_process_that_reads_it(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickled = pickle.dumps(manager.backends["process"])
    monkeypatch.setenv("PROCESS_KEY", "of the reader")
    backend: InferenceBackend = pickle.loads(pickled)
    assert backend.api_key == SecretStr("of the reader")
    assert "of the reader" not in repr(backend)


def test_a_pickle_that_lost_a_secret_of_a_model_says_so(manager: ModelManager) -> None:
    told = "has lost its literal secret, which no pickle carries; state a reference such as ${NAME} instead"
    backends: InferenceBackendLibrary = pickle.loads(pickle.dumps(manager.backends))
    # Where no reference can stand none is asked for.
    sent = "has lost its literal secret, which no pickle carries; load the settings where the call is made"
    for name in ("model_header", "model_config", "model_config_secret", "model_body", "model_body_secret"):
        expected = sent if "body" in name else told
        with pytest.raises(LiteralLeftBehindError, match=re.escape(f"backend {name!r} {expected}")):
            WAYS_OUT[name](backends[name])
    preset: LLMSetting = pickle.loads(pickle.dumps(manager.deck.llm_presets["body"]))
    with pytest.raises(LiteralLeftBehindError, match=re.escape(f"extra_body.session_token: backend 'process' {sent}")):
        preset.parameters_for(only_model(manager.backends["process"]))


@pytest.mark.parametrize("name", ["model_body", "model_body_secret"])
def test_parameters_with_a_secret_make_no_pickle(manager: ModelManager, name: str) -> None:
    parameters = LLMSetting(llm_handle="m").parameters_for(only_model(manager.backends[name]))
    with pytest.raises(TypeError, match="with a secret in extra_body: pickle what"):
        pickle.dumps(parameters)
    assert copy.copy(parameters) == copy.deepcopy(parameters) == parameters
    plain = LLMSetting(llm_handle="m", extra_body={"user": "me"}).parameters_for(only_model(manager.backends["plain"]))
    assert pickle.loads(pickle.dumps(plain)).extra_body == {"user": "me"}


def test_what_is_sealed_in_a_body_is_sent_with_its_own_type(manager: ModelManager) -> None:
    assert body_of(manager.backends["model_body_secret"])["pin"] == {"is_on": True, "number": 4711}
    assert "4711" not in repr(manager.deck.inference_models)


# The command line


EXPLAINED = (
    "body",
    "secret_body",
    "model-model_header",
    "model-model_body_secret",
    "model-model_body_deep",
    "model-model_config",
    "models.model_body.model-model_body.extra_body",
    "models.model_body.model-model_body.extra_body.user_token",
    "models.model_defaults.defaults",
    "deck.llm_presets.body",
    "backends.header_secret",
)
"""What stands beside a secret of a model or a preset, and the secret's own key path."""
COMMANDS = [
    ("show",),
    ("show", "--json"),
    ("show", "backends"),
    ("show", "backends", "--json"),
    ("show", "models"),
    ("show", "models", "--json"),
    ("show", "presets", "--json"),
    ("env",),
    ("env", "--json"),
    ("env", "--missing"),
    ("env", "--missing", "--json"),
    ("env", "--example"),
    *(("explain", name, *form) for name in EXPLAINED for form in ((), ("--json",))),
]


@pytest.fixture
def command_environ(write_tree: WriteTree, environ: dict[str, str]) -> dict[str, str]:
    """The environment of a command on the tree with every secret."""
    return {**environ, "PIPELEX_SETTINGS_DIR": str(write_tree(FILES)), "COLUMNS": "500"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_a_secret(command_environ: dict[str, str], command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, command, env=command_environ)
    assert result.exit_code == 0
    assert result.stdout
    assert shown_in(result.output) == []


@pytest.mark.slow
def test_no_request_that_would_be_sent_is_printed_with_a_secret(
    write_tree: WriteTree, command_environ: dict[str, str]
) -> None:
    write_tree({name: text.replace("sdk = 'sdk'", "sdk = 'openai_compatible'") for name, text in FILES.items()})
    for name in [*(f"model-{backend}" for backend in (*CANARIES, "plain")), "p", "body", "secret_body"]:
        result = CliRunner().invoke(app, ["ask", name, "Why?", "--dry-run"], env=command_environ)
        assert '"content": "Why?"' in result.stdout
        assert (name, shown_in(result.output)) == (name, [])


TELLING = [
    ("check", "--credentials"),
    ("diff", "development", "production"),
    ("catalogue", "--against", "genai-prices"),
    ("catalogue", "--against", "genai-prices", "--json"),
]


@pytest.mark.parametrize("command", TELLING, ids=" ".join)
def test_what_is_found_or_differs_is_told_without_a_secret(
    command_environ: dict[str, str], command: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(app, command, env=command_environ)
    assert len(result.stdout.splitlines()) > 1
    assert shown_in(result.output) == []


def run(arguments: list[str], environ: Mapping[str, str]) -> str:
    """Everything that a process of its own prints."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIPELEX_", "COV_", "PYTEST"))
    }
    result = subprocess.run(
        [sys.executable, *arguments], env={**inherited, **environ}, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_process_prints_a_secret(command_environ: dict[str, str], command: tuple[str, ...]) -> None:
    printed = run(["-m", "pipelex_cogt", *command], {**command_environ, "DEBUG_LEVEL_FOR_DYNACONF": "DEBUG"})
    assert "missing" in printed or "process" in printed.lower()
    assert "Traceback" not in printed
    assert shown_in(printed) == []


@pytest.mark.slow
def test_a_command_that_fails_prints_no_secret(command_environ: dict[str, str], write_tree: WriteTree) -> None:
    write_tree({".secrets.toml": SECRETS_TOML + f"[default.cogt.backend.literal]\napi_key = '{CANARY}'"})
    for command in COMMANDS:
        result = CliRunner().invoke(app, command, env=command_environ)
        assert result.exit_code == 1
        assert "did you mean 'backends'?" in result.stderr
        assert CANARY not in result.output


# Logs and warnings


@pytest.fixture
def every_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger that exists, at every level."""
    loggers = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
        logger.propagate, logger.disabled = True, False
    with caplog.at_level(1):
        yield caplog
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


def use_everything(manager: ModelManager) -> None:
    for name in CANARIES:
        read(manager, name)
    for backend in manager.backends.values():
        dict(backend.extra_config)
    resolved(manager)


def test_no_log_holds_a_secret(load_secrets: Load, every_log: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tests.secrecy").debug("the capture works")
    manager = load_secrets()
    use_everything(manager)
    logging.getLogger("tests.secrecy").debug("%s %r", manager, resolved(manager))
    told = [f"{record.getMessage()} {record.args} {vars(record)}" for record in every_log.records]
    assert "the capture works" in told[0]
    assert shown_in("\n".join(told)) == []


def test_no_warning_holds_a_secret(load_secrets: Load) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        manager = load_secrets(environ={"DOTENV_KEY": "changeme"})
        with suppress(UnusableCredentialError):
            use_everything(manager)
    assert shown_in([str(warning) for warning in caught]) == []
    assert shown_in([f"{warning} {warning!r}" for warning in manager.warnings]) == []
    assert any("placeholder" in str(warning) for warning in manager.warnings)


def test_a_load_prints_nothing(load_secrets: Load, capfd: pytest.CaptureFixture[str]) -> None:
    use_everything(load_secrets())
    assert capfd.readouterr() == ("", "")


# Dynaconf


def held_by(value: object) -> list[Any]:
    """What an object holds; of a function what it closes over, and not the whole module."""
    if isinstance(value, type | ModuleType | FrameType):
        return []
    if isinstance(value, FunctionType):
        return [*(value.__closure__ or ()), *(value.__defaults__ or ())]
    return gc.get_referents(value)


def dynaconfs_reachable_from(root: object) -> list[DynaconfSettings]:
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen[id(value)] = value
            waiting += held_by(value)
    return [value for value in seen.values() if isinstance(value, DynaconfSettings)]


def test_dynaconfs_own_history_holds_no_secret(manager: ModelManager) -> None:
    again = LayeredDynaconf()
    for layer in manager.settings.layers:
        again.add(layer)
    for dynaconf in (again, *dynaconfs_reachable_from(manager)):
        told = [get_history(dynaconf), inspect_settings(dynaconf), vars(dynaconf), dynaconf]
        assert "literal" in str(told)
        assert shown_in([f"{part} {pprint.pformat(part)}" for part in told]) == []


# Exceptions


def chain_of(error: BaseException) -> list[BaseException]:
    """An exception with its members, causes and contexts."""
    found: dict[int, BaseException] = {}
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in found:
            found[id(one)] = one
            waiting += [one.__cause__, one.__context__]
            waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return list(found.values())


def frames_of(trace: TracebackType | None) -> Iterator[FrameType]:
    """The frames of a traceback that are not a test's own."""
    for frame, _line in traceback.walk_tb(trace):
        if not Path(frame.f_code.co_filename).is_relative_to(TESTS):
            yield frame


def shown_locals(frame: FrameType) -> Iterator[str]:
    """The local variables of a frame as the usual tools show them."""
    for name, value in frame.f_locals.items():
        for show in (repr, pprint.pformat, pretty_repr):
            with suppress(TypeError, AttributeError):  # the usual tools step over a repr that fails
                yield f"{frame.f_code.co_name}: {name} = {show(value)}"


def formatted_locals(error: BaseException) -> Iterator[str]:
    """The frames of a formatted traceback with locals, without a test's own."""
    waiting: list[traceback.TracebackException | None] = [
        traceback.TracebackException.from_exception(error, capture_locals=True)
    ]
    while waiting:
        formatted = waiting.pop()
        if formatted is not None:
            yield "".join(formatted.format_exception_only())
            frames = (frame for frame in formatted.stack if not Path(frame.filename).is_relative_to(TESTS))
            yield from traceback.StackSummary.from_list(list(frames)).format()
            waiting += [formatted.__cause__, formatted.__context__, *(formatted.exceptions or ())]


class KeptTransport(Transport):
    """What sentry-sdk would send, kept."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.sent: list[bytes] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize())


def sent_by_sentry(error: BaseException) -> str:
    """What sentry-sdk sends of an exception, its options being the defaults, without a test's own frames."""
    # What comes with it beside that patches the whole process.
    client = sentry_sdk.Client(dsn="http://key@127.0.0.1:9/1", transport=KeptTransport, default_integrations=False)
    event, hint = event_from_exception(error, client_options=client.options)
    for raised in event["exception"]["values"]:
        frames = (raised.get("stacktrace") or {}).get("frames", [])
        frames[:] = [frame for frame in frames if not Path(frame["abs_path"]).is_relative_to(TESTS)]
    assert client.capture_event(event, hint)
    transport = client.transport
    assert isinstance(transport, KeptTransport)
    client.close()
    return b"".join(transport.sent).decode()


def printed_by_rich(error: BaseException) -> str:
    """The traceback of rich with its locals, without a test's own frames."""
    shown = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=10**6, locals_max_string=10**6
    )
    for stack in shown.trace.stacks:
        stack.frames = [frame for frame in stack.frames if not Path(frame.filename).is_relative_to(TESTS)]
    console = Console(file=StringIO(), width=500)
    console.print(shown)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def everything_told_by(error: BaseException) -> str:
    """Message, arguments, notes, attributes, pickle and traceback with locals, of an exception and all behind it."""
    told: list[str] = [*formatted_locals(error), sent_by_sentry(error), printed_by_rich(error)]
    for one in chain_of(error):
        told += [str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", ()))]
        told += (text for frame in frames_of(one.__traceback__) for text in shown_locals(frame))
    if isinstance(error, CogtError):
        pickled = pickle.dumps(error, 0)
        told += [pickled.decode("latin-1"), repr(pickle.loads(pickled))]
    return "\n".join(told)


def secrets_toml(*lines: str) -> dict[str, Any]:
    return {"files": {".secrets.toml": dedent(SECRETS_TOML) + "\n".join(lines)}}


def secret_backend(*lines: str) -> dict[str, Any]:
    return secrets_toml("[default.cogt.backends.process]", *lines)


def variable(name: str, value: str) -> dict[str, Any]:
    return {"environ": {f"PIPELEX_COGT__{name}": value}}


def overrides(value: Any) -> dict[str, Any]:
    return {"overrides": value}


REFUSED_LOADS: dict[str, dict[str, Any]] = {
    # broken TOML in .secrets.toml
    "unclosed string": secret_backend(f'api_key = "{CANARY}'),
    "no quotes": secret_backend(f"api_key = {CANARY}"),
    "value alone": secret_backend(CANARY),
    "value alone in quotes": secret_backend(f'"{CANARY}"'),
    "stated twice": secret_backend(f"api_key = '{CANARY}'", f"api_key = '{CANARY}x'"),
    "table over value": secret_backend(f"api_key = '{CANARY}'", f"api_key.x = '{CANARY}'"),
    "escape": secret_backend(f'api_key = "\\{CANARY}"'),
    "text after a value": secret_backend(f"api_key = 'x' {CANARY}"),
    "value as a table": secret_backend(f"[{CANARY}"),
    # sound TOML of a wrong shape in .secrets.toml
    "api_key list": secret_backend(f"api_key = ['{CANARY}']"),
    "api_key table": secret_backend(f"api_key = {{ x = '{CANARY}' }}"),
    "api_key number": secret_backend(f"api_key = {NUMBER}"),
    "endpoint list": secret_backend(f"endpoint = ['{CANARY}']"),
    "enabled text": secret_backend(f"enabled = '{CANARY}'"),
    "misspelt api_key": secret_backend(f"api_kee = '{CANARY}'"),
    "misspelt api_key in capitals": secret_backend(f"API_KEY = '{CANARY}'"),
    "misspelt backends": secrets_toml("[default.cogt.backend.process]", f"api_key = '{CANARY}'"),
    "misspelt cogt": secrets_toml("[default.cog.backends.process]", f"api_key = '{CANARY}'"),
    "no environment": secrets_toml("[cogt.backends.process]", f"api_key = '{CANARY}'"),
    "text for an environment": {"files": {".secrets.toml": f"default = '{CANARY}'"}},
    "text for cogt": {"files": {".secrets.toml": f"[default]\ncogt = '{CANARY}'"}},
    "text for backends": {"files": {".secrets.toml": f"[default.cogt]\nbackends = '{CANARY}'"}},
    "text for a backend": {"files": {".secrets.toml": f"[default.cogt.backends]\nprocess = '{CANARY}'"}},
    "a key of a model": secrets_toml("[default.cogt.models.process.model-process]", f"api_key = '{CANARY}'"),
    "a key of a preset": secrets_toml("[default.cogt.deck.llm_presets.p]", f"token = '{CANARY}'"),
    "a key of the routing": secrets_toml("[default.cogt.routing]", f"password = '{CANARY}'"),
    "a key of inference_config": secrets_toml("[default.cogt.inference_config]", f"secret = '{CANARY}'"),
    "unclosed reference": secret_backend(f'api_key = "{CANARY}${{X"'),
    "unknown prefix beside": secret_backend(f'api_key = "{CANARY}${{vault:X}}"'),
    "reference in a description": secrets_toml(
        "[default.cogt.models.process.model-process]", f"description = '{CANARY}${{X}}'"
    ),
    # other files beside the secrets
    "unknown key beside a secret": {"files": {"backends.toml": BACKENDS.replace("[plain]", "[plain]\nenable = true")}},
    "unknown backend": {"files": {"routing.toml": "active = 'all'\n[profiles.all]\ndefault = 'nope'"}},
    "broken routing": {"files": {"routing.toml": "active = "}},
    "misspelt URL": {"files": {"backends.toml": f"{BACKENDS}\nendpont = 'https://user:{CANARY}@url.example.com'"}},
    # variables
    "no such variable": variable("BACKENDS__NOPE__API_KEY", CANARY),
    "variable of nothing": variable("API_KEY", CANARY),
    "variable of another type": variable("BACKENDS__PROCESS__ENABLED", CANARY),
    "variable with a bracket": variable("BACKENDS__PROCESS__API_KEY", f'{{"{CANARY}'),
    "variable with a list": variable("BACKENDS__PROCESS__API_KEY", f'["{CANARY}"]'),
    "variable for a table": variable("BACKENDS__PROCESS", CANARY),
    "variable with a table": variable("BACKENDS__PROCESS", f'{{ api_kee = "{CANARY}" }}'),
    "variable of a temperature": variable("DECK__LLM_PRESETS__P__TEMPERATURE", CANARY),
    # places and environments
    "unknown environment": {"env": "prodution"},
    "unknown environment in a variable": {"environ": {"PIPELEX_ENV": "prodution"}},
    "no secrets directory": {"environ": {"PIPELEX_SECRETS_DIR": "nowhere"}},
    # missing credentials
    "missing credential": {
        "files": {"backends.toml": BACKENDS.replace("[plain]", "[plain]\nendpoint = '${PROCESS_KEY}${NOT_SET}'")},
        "overrides": {"inference_config": {"missing_credentials": "error"}},
    },
    # overrides
    "override: misspelt backends": overrides({"backend": {"process": {"api_key": CANARY}}}),
    "override: misspelt api_key": overrides({"backends": {"process": {"api_kee": CANARY}}}),
    "override: api_key list": overrides({"backends": {"process": {"api_key": [CANARY]}}}),
    "override: api_key tuple": overrides({"backends": {"process": {"api_key": (CANARY,)}}}),
    "override: api_key bytes": overrides({"backends": {"process": {"api_key": CANARY.encode()}}}),
    "override: wrapped in a list": overrides({"backends": {"process": {"api_key": [SecretStr(CANARY)]}}}),
    "override: key of a model": overrides({"models": {"process": {"model-process": {"api_key": CANARY}}}}),
    "override: key of the tree": overrides({"api_key": CANARY}),
    "override: backends is a list": overrides({"backends": [{"api_key": CANARY}]}),
    "override: a backend is a list": overrides({"backends": {"process": [{"api_key": CANARY}]}}),
    "override: a key of a number": overrides({"backends": {"process": {5: CANARY}}}),
    "override: a backend of a number": overrides({"backends": {5: {"api_key": CANARY}}}),
    "override: a URL in a misspelt key": overrides({"backends": {"process": {"endpont": f"https://u:{CANARY}@x"}}}),
}
NO_OVERRIDES: dict[str, Any] = {"number": 5, "text": CANARY, "list": [CANARY], "pair": [("backends", CANARY)]}
"""What is given as overrides and is no mapping."""


def refusal_of(ask: Callable[[], object]) -> Exception:
    """The exception that something raises."""
    try:
        ask()
    except Exception as error:  # noqa: BLE001 -- because: whatever is raised is searched
        return error
    pytest.fail("nothing was refused")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", REFUSED_LOADS.values(), ids=REFUSED_LOADS)
def test_no_refused_load_tells_a_secret(load_secrets: Load, arguments: dict[str, Any]) -> None:
    error = refusal_of(lambda: load_secrets(**arguments))
    told = everything_told_by(error)
    assert isinstance(error, SettingsError)
    assert shown_in(told) == []
    assert [line for line in told.splitlines() if CANARY in line] == []


@pytest.mark.parametrize("given", NO_OVERRIDES.values(), ids=NO_OVERRIDES)
def test_overrides_that_are_no_mapping_are_refused_without_secrets(load_secrets: Load, given: Any) -> None:
    error = refusal_of(lambda: load_secrets(overrides=given))
    told = everything_told_by(error)
    assert isinstance(error, TypeError | CogtError)
    assert "overrides" in str(error)
    assert shown_in(told) == []
    assert CANARY not in told


BAD_CONTENTS = {
    "over 64 KiB": CANARY.encode() * 8000,
    "not UTF-8": CANARY.encode() + b"\xff",
    "not UTF-8 at its start": b"\xff" + CANARY.encode(),
}


@pytest.mark.parametrize("content", BAD_CONTENTS.values(), ids=BAD_CONTENTS)
@pytest.mark.parametrize("name", ["directory_key", "PIPELEX_COGT__BACKENDS__PROCESS__API_KEY"])
@pytest.mark.parametrize("means", ["defer", "error"])
def test_no_bad_secret_file_tells_its_content(
    load_secrets: Load, environ: dict[str, str], content: bytes, name: str, means: str
) -> None:
    (Path(environ["PIPELEX_SECRETS_DIR"]) / name).write_bytes(content)
    laid_over = {"inference_config": {"missing_credentials": means}}
    error = refusal_of(lambda: use_everything(load_secrets(overrides={**OVERRIDES, **laid_over})))
    assert isinstance(error, CogtError)
    assert CANARY not in everything_told_by(error)


@pytest.mark.parametrize("name", [".secrets.toml", "backends.toml", "../.env"])
def test_no_settings_file_that_is_not_utf8_tells_its_content(
    load_secrets: Load, write_tree: WriteTree, name: str
) -> None:
    load_secrets()
    text = {".secrets.toml": SECRETS_TOML, "backends.toml": BACKENDS, "../.env": f"DOTENV_KEY={CANARY}"}[name]
    (write_tree({}) / name).write_bytes(text.encode() + b"\n# \xff")
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(write_tree({}), environ=ENVIRON, overrides=OVERRIDES)
    told = everything_told_by(caught.value)
    assert shown_in(told) == []
    assert CANARY not in told


@pytest.mark.parametrize("text", [f"api_key = '{CANARY}", f"api_key = {CANARY}", f"'{CANARY}' = \n"])
def test_a_broken_file_of_secrets_shows_none_of_them(load: Load, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({".secrets.toml": f"[default.cogt.backends.a]\n{text}"})
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.problems[0].line in (2, 3)


class SealedVault:
    """A source that cannot answer for some names."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get(self, name: str) -> Any:
        if name == "vault_key":
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer
        return CANARY

    def __repr__(self) -> str:
        return "SealedVault()"


FAULTY_ANSWERS: dict[str, Any] = {
    "raises": RuntimeError("the vault is sealed"),
    "bytes": CANARY.encode(),
    "list": [CANARY],
}


@pytest.mark.parametrize("answer", FAULTY_ANSWERS.values(), ids=FAULTY_ANSWERS)
def test_no_faulty_source_tells_a_secret(load_secrets: Load, answer: Any) -> None:
    joined = BACKENDS.replace("${secret:vault_key}", "${PROCESS_KEY}:${secret:other}:${secret:vault_key}")
    manager = load_secrets({"backends.toml": joined}, sources=[SealedVault(answer)])
    error = refusal_of(lambda: read(manager, "vault"))
    told = everything_told_by(error)
    assert shown_in(told) == []
    assert CANARY not in told


@pytest.mark.parametrize("answer", FAULTY_ANSWERS.values(), ids=FAULTY_ANSWERS)
def test_a_faulty_source_is_an_error_of_this_package(load_secrets: Load, answer: Any) -> None:
    manager = load_secrets(sources=[SealedVault(answer)])
    error = refusal_of(lambda: read(manager, "vault"))
    assert isinstance(error, CogtError)
    assert "SealedVault" in str(error)
    assert "vault_key" in str(error)


def assign(target: Any, name: str, value: object) -> None:
    setattr(target, name, value)


def put(mapping: Any, key: str, value: object) -> None:
    mapping[key] = value


REFUSED_USES: dict[str, Callable[[ModelManager], object]] = {
    "unknown backend": lambda manager: manager.get_required_inference_backend("proces"),
    "unknown model": lambda manager: manager.get_inference_model("model-proces"),
    "unknown preset": lambda manager: manager.get_llm_deck().resolve("pp"),
    "unknown choice": lambda manager: manager.get_llm_deck().choice("for_texts"),
    "unknown profile": lambda manager: manager.routing.get_required("al"),
    "unknown further key": lambda manager: manager.backends["further"].extra_config["organization"],
    "a backend is frozen": lambda manager: assign(manager.backends["process"], "stated_api_key", "x"),
    "a backend takes no field": lambda manager: assign(manager.backends["literal"], "key", "x"),
    "a manager is frozen": lambda manager: assign(manager, "deck", None),
    "a deck is frozen": lambda manager: assign(manager.deck, "backends", None),
    "settings are frozen": lambda manager: assign(manager.settings, "tree", None),
    "a library is read-only": lambda manager: put(manager.backends.backends, "x", None),
    "further keys are read-only": lambda manager: put(manager.backends["further"].stated_extra_config, "x", 1),
    "a dump is no backend": lambda manager: InferenceBackend.model_validate(
        manager.backends["literal"].model_dump() | {"endpoint": 5}
    ),
    "a spec refuses": lambda manager: InferenceModelSpec.model_validate({"backend": manager.backends["literal"]}),
}


@pytest.mark.slow
@pytest.mark.parametrize("use", REFUSED_USES.values(), ids=REFUSED_USES)
def test_no_refused_use_tells_a_secret(manager: ModelManager, use: Callable[[ModelManager], object]) -> None:
    assert shown_in(everything_told_by(refusal_of(lambda: use(manager)))) == []


SAME_TEXT = {
    "missing beside set": "${PROCESS_KEY}:${NOT_SET}",
    "set beside missing": "${NOT_SET}:${PROCESS_KEY}",
    "set beside a bad file": "${PROCESS_KEY}:${secret:bad}",
    "alternatives before a bad file": "${env:NOT_SET|secret:bad|PROCESS_KEY}",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", SAME_TEXT.values(), ids=SAME_TEXT)
@pytest.mark.parametrize("key", ["endpoint", "api_key", "region", "default_headers.token"])
def test_no_reference_that_fails_tells_its_neighbour(
    load_secrets: Load, environ: dict[str, str], text: str, key: str
) -> None:
    (Path(environ["PIPELEX_SECRETS_DIR"]) / "bad").write_bytes(CANARY.encode() * 8000)
    manager = load_secrets({"backends.toml": BACKENDS.replace("[plain]", f"[plain]\n{key} = '{text}'")})
    backend = manager.backends["plain"]
    error = refusal_of(lambda: (backend.endpoint, backend.api_key, dict(backend.extra_config)))
    assert isinstance(error, CogtError)
    told = everything_told_by(error)
    assert shown_in(told) == []
    assert CANARY not in told


def test_a_model_id_that_fails_tells_nothing(load_secrets: Load) -> None:
    files = {"backends/model_id.toml": "[model-model_id]\nsdk = 'sdk'\nmodel_id = '${PROCESS_KEY}${NOT_SET}'"}
    spec = load_secrets(files).get_inference_model("model-model_id")
    error = refusal_of(lambda: spec.model_id)
    assert "needs NOT_SET" in str(error)
    assert shown_in(everything_told_by(error)) == []


def test_skip_says_what_it_left_out_without_secrets(load_secrets: Load) -> None:
    files = {"backends.toml": BACKENDS.replace("[plain]", "[plain]\nendpoint = '${PROCESS_KEY}${NOT_SET}'")}
    laid_over = {**OVERRIDES, "inference_config": {"missing_credentials": "skip"}}
    manager = load_secrets(files, overrides=laid_over)
    error = refusal_of(lambda: manager.get_required_inference_backend("plain"))
    assert "NOT_SET" in str(error)
    assert any("NOT_SET" in str(warning) for warning in manager.warnings)
    assert shown_in([*map(str, manager.warnings), everything_told_by(error)]) == []


# pytest --showlocals


SCRIPT = """
from pipelex_cogt import ModelManager, get_models_manager


def test_locals_of_an_application():
    manager = get_models_manager()
    settings, layers, tree = manager.settings, manager.settings.layers, manager.settings.tree
    credentials, environment = settings.credentials, settings.credentials.environ
    backends = list(manager.backends.values())
    keys = [backend.api_key for backend in backends if backend.name != "vault"]
    further = [backend.extra_config for backend in backends]
    deck, llm = manager.get_llm_deck(), manager.get_llm_deck().resolve("p")
    dumps = [backend.model_dump() for backend in backends]
    assert manager is None


def test_a_missing_credential():
    manager = ModelManager.load(overrides={"backends": {"process": {"endpoint": "${PROCESS_KEY}${NOT_SET}"}}})
    manager.backends["process"].endpoint


def test_a_refused_load():
    ModelManager.load(overrides={"backends": {"process": {"endpont": "x"}}})


def test_an_unknown_environment():
    ModelManager.load(env="prodution")


def test_an_unknown_name():
    get_models_manager().get_llm_deck().resolve("nope")
"""
SCRIPT_TESTS = 5


@pytest.mark.slow
@pytest.mark.parametrize("verbosity", ["-q", "-vv"])
def test_pytest_with_showlocals_prints_no_secret(
    tmp_path: Path, command_environ: dict[str, str], verbosity: str
) -> None:
    script = tmp_path / "test_script.py"
    script.write_text(SCRIPT)
    options = ["--showlocals", "--tb=long", verbosity, "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:cov"]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    printed = run(
        ["-m", "pytest", *options, "-c", str(tmp_path / "pytest.ini"), str(script)],
        {**command_environ, "PYTHONPATH": str(TESTS.parent)},
    )
    assert f"{SCRIPT_TESTS} failed" in printed
    assert "manager    = " in printed
    assert "keys       = [" in printed
    assert "needs NOT_SET" in printed
    assert "did you mean 'endpoint'?" in printed
    assert shown_in(printed) == []


@pytest.mark.slow
def test_an_uncaught_error_prints_no_secret(tmp_path: Path, command_environ: dict[str, str]) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from rich.traceback import install\n"
        "install(show_locals=True, width=500, locals_max_string=None, locals_max_length=None)\n"
        "from pipelex_cogt import ModelManager\n"
        "manager = ModelManager.load()\n"
        "keys = [backend.api_key for backend in manager.backends.values() if backend.name != 'vault']\n"
        "ModelManager.load(overrides={'backends': {'process': {'endpont': 'x'}}})\n"
    )
    printed = run([str(script)], {**command_environ, "PYTHONPATH": str(TESTS.parent)})
    assert "did you mean 'endpoint'?" in printed
    assert "SettingsError" in printed
    assert shown_in(printed) == []


# Error reporters

REPORTER = """
import os, sys
import sentry_sdk
from sentry_sdk.transport import Transport


class Printed(Transport):
    def capture_envelope(self, envelope):
        print(envelope.serialize().decode())


sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Printed)
from pipelex_cogt import ModelManager, SettingsError, get_models_manager


def report(call):
    try:
        call()
    except Exception as error:
        # The frame of this script is its own matter.
        error.__traceback__ = error.__traceback__.tb_next.tb_next
        sentry_sdk.capture_exception(error)
    else:
        raise AssertionError("nothing was refused")


SOURCES = [{"vault_key": os.environ["OF_SOURCE"]}]
LAID_OVER = {"backends": {"process": {"endpoint": os.environ["BESIDE"] + "${NOT_SET}"}}}
CALLS = [
    lambda: ModelManager.load(env="prodution", sources=SOURCES),
    lambda: ModelManager.load("nowhere", environ=dict(os.environ)),
    lambda: ModelManager.load(overrides={"routing": {"activ": "x"}, **LAID_OVER}, sources=SOURCES),
    lambda: ModelManager.load(overrides={"backends": {5: os.environ["BESIDE"]}}),
    lambda: ModelManager.load(overrides=[os.environ["BESIDE"]]),
    lambda: ModelManager.load(overrides=LAID_OVER, sources=SOURCES).backends["process"].endpoint,
    lambda: get_models_manager().get_llm_deck().resolve("nope"),
    lambda: get_models_manager().get_required_inference_backend("nope"),
    lambda: get_models_manager().backends["further"].extra_config["nope"],
    lambda: get_models_manager().backends["vault"].api_key,
]
for call in CALLS:
    report(call)
print("reported", len(CALLS))
"""


@pytest.mark.slow
def test_sentry_with_its_defaults_sends_no_secret(tmp_path: Path, command_environ: dict[str, str]) -> None:
    script = tmp_path / "reporter.py"
    script.write_text(REPORTER)
    beside = {"OF_SOURCE": f"{CANARY}source", "BESIDE": f"https://user:{CANARY}beside@"}
    many = {f"VARIABLE_{number}": f"{CANARY}{number}" for number in range(40)}
    environ = {
        **many,
        **command_environ,
        **beside,
        "PYTHONPATH": str(TESTS.parent),
        "OPENAI_API_KEY": f"{CANARY}openai",
    }
    printed = run([str(script)], environ)
    assert "reported 10" in printed
    assert printed.count('"stacktrace"') >= 10
    assert "needs NOT_SET" in printed
    assert CANARY not in printed


class LookingSource:
    """A source that looks at the frames that are running while it is asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def get(self, _name: str) -> str | None:
        frames = (frame for frame, _line in traceback.walk_stack(None))
        for frame in frames:
            if Path(frame.f_code.co_filename).is_relative_to(TESTS.parent / "pipelex_cogt"):
                self.seen += shown_locals(frame)
        return None


def test_no_frame_that_is_running_holds_a_variable_or_a_source(load_secrets: Load) -> None:
    source = LookingSource()
    secrets = {"other": CANARIES["vault"]}
    laid_over = {**OVERRIDES, "inference_config": {"missing_credentials": "skip"}}
    manager = load_secrets(sources=[secrets, source], overrides=laid_over)
    with suppress(CogtError):
        dict(manager.backends["vault"].extra_config)
        _ = manager.backends["vault"].api_key
    assert any("load" in text for text in source.seen)
    # What a reference stands beside is at hand while it is answered; no variable and no source is.
    beside = {name for name in CANARIES if name.endswith(("default", "beside"))}
    assert {*shown_in("\n".join(source.seen))} - beside == set()


class InterruptedMapping(dict[str, str]):
    """Variables, one of which makes whoever asks for it stop, as a key of the keyboard or a time limit does."""

    is_interrupting = False

    def get(self, name: str, default: Any = None) -> Any:
        if self.is_interrupting and name == "INTERRUPTS":
            raise KeyboardInterrupt
        return super().get(name, default)


INTERRUPTED: dict[str, Channel] = {
    "is_ready": lambda manager: manager.backends["plain"].is_ready,
    "missing": lambda manager: manager.backends["plain"].missing(),
    "endpoint": lambda manager: manager.backends["plain"].endpoint,
    "warnings": lambda manager: manager.warnings,
}


@pytest.mark.slow
@pytest.mark.parametrize("call", INTERRUPTED.values(), ids=INTERRUPTED)
def test_no_call_that_is_interrupted_tells_a_secret(
    write_tree: WriteTree, environ: dict[str, str], call: Channel
) -> None:
    line = f"[plain]\nendpoint = 'https://user:{CANARY}@${{PROCESS_KEY}}${{NO:-sk-{CANARY}}}${{INTERRUPTS}}'"
    variables = InterruptedMapping(environ)
    manager = ModelManager.load(
        write_tree({**FILES, "backends.toml": BACKENDS.replace("[plain]", line)}), environ=variables
    )
    variables.is_interrupting = True
    with pytest.raises(KeyboardInterrupt) as caught:
        call(manager)
    assert shown_in(everything_told_by(caught.value)) == []
    assert CANARY not in everything_told_by(caught.value)


def test_what_a_backend_references_is_told_with_its_secrets_sealed(manager: ModelManager) -> None:
    stated = {name: [*backend.referenced_settings()] for name, backend in manager.backends.items()}
    assert "${PROCESS_KEY}" in repr(stated["process"])
    assert "${URL_HOST}" in repr(stated["url_beside"])
    assert shown_in(repr(stated)) == []


UNEXPECTED: dict[str, Callable[[Path], object]] = {
    "tables too deep": lambda folder: ModelManager.load(folder, overrides={"backends": {"process": nested(5000)}}),
    "an environment that fails": lambda folder: ModelManager.load(folder, environ=FailingMapping(ENVIRON)),
    "overrides that fail": lambda folder: ModelManager.load(folder, overrides=FailingMapping(OVERRIDES)),
    "sources that are none": lambda folder: ModelManager.load(folder, sources=CANARY and 5),  # type: ignore[arg-type]  # because: a caller may be wrong
}


class FailingMapping(dict[str, Any]):
    """A mapping of the application's own with a fault in it."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def get(self, *_arguments: Any) -> Any:
        raise ZeroDivisionError

    def items(self) -> Any:
        raise ZeroDivisionError


def nested(depth: int) -> dict[str, Any]:
    table: dict[str, Any] = {"api_key": CANARY}
    for _ in range(depth):
        table = {"x": table, "api_key": CANARY}
    return table


@pytest.mark.slow
@pytest.mark.parametrize("call", UNEXPECTED.values(), ids=UNEXPECTED)
def test_what_nobody_expected_tells_no_secret_either(write_tree: WriteTree, call: Callable[[Path], object]) -> None:
    folder = write_tree(FILES)
    (folder.parent / ".env").write_text(f"DOTENV_KEY={CANARIES['dotenv']}\n")
    error = refusal_of(lambda: call(folder))
    told = everything_told_by(error)
    assert shown_in(told) == []
    assert CANARY not in told
