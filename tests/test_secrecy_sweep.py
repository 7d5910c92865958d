"""The sweep: 60 names and 20 shapes of values, in each layer, at depths 1 to 4, through every channel at once.

A secret name hides what stands under it, whatever that is; a value that looks like a key is hidden under any name.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from dynaconf import get_history, inspect_settings
from pydantic import SecretStr
from typer.testing import CliRunner

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.show import describe
from pipelex_cogt.config.tables import leaves
from tests.conftest import MINIMAL, WriteTree
from tests.test_secrecy import everything_told_by, refusal_of

pytestmark = pytest.mark.slow

MARK = "c4n4ry"
NAMES_OF_SECRETS = """
    my_api_key MyApiKey X-Api-Key my_token bearer jwt auth X-Auth Helicone-Auth Proxy-Authorization Cookie
    session csrf password passwords user_pwd passphrase passcode otp pin pat secret secrets client_secret
    webhook webhook_url dsn signature sas pem salt hmac kms mnemonic seed_phrase license_key private_key
    signing_key encryption_key connection_string connectionString AccountKey SharedAccessSignature
    x-functions-key X-Access-Code credentials_json service_account_json aws_secret_access_key aws_access_key_id
    aws_session_token refresh_token id_token vault_token htpasswd basic_auth userpass kubeconfig keystore netrc
    slack_webhook
"""
NAMES_OF_OTHERS = """
    region organisation note key_path token_url api_key_header secret_name proxy base
"""
SECRET_NAMES, PLAIN_NAMES = NAMES_OF_SECRETS.split(), NAMES_OF_OTHERS.split()
SHAPES: dict[str, str] = {
    "word": "{}",
    "words": "two words {}",
    "lines": "{}\\nand more",
    "quotes": "it's {}",
    "umlaut": "é{}é",
    "slash": "a/{}",
    "equals": "{}==",
    "percent": "%20{}",
    "braces": "{{{}}}",
    "brackets": "[red]{}[/red]",
}
KEY_SHAPES: dict[str, str] = {
    "sk-": "sk-{}",
    "anthropic": "sk-ant-api03-{}",
    "aws": "AKIA{}",
    "github": "ghp_{}",
    "bearer": "Bearer {}",
    "basic": "Basic {}",
    "url": "https://user:{}@host.example/v1",
    "user": "https://{}@host.example/v1",
    "parameter": "https://host.example/v1?a=b&api_key={}#top",
    "default": "https://user:${{NOBODY_SETS_THIS:-{}}}@host.example",
}
SHAPES_OF_BACKENDS = {f"p{number}": shape for number, shape in enumerate([*SHAPES.values(), *KEY_SHAPES.values()])}
DEPTHS = range(1, 5)
COUNT = len(DEPTHS) * (len(SECRET_NAMES) * len(SHAPES_OF_BACKENDS) + len(PLAIN_NAMES) * len(KEY_SHAPES))


def secrets_of(shape: str, depth: int) -> dict[str, Any]:
    """A backend's table: every name with a secret of one shape, so many tables deep."""
    names = [*SECRET_NAMES, *(PLAIN_NAMES if shape in KEY_SHAPES.values() else [])]
    table: dict[str, Any] = {name: shape.format(f"{MARK}{number}x{depth}") for number, name in enumerate(names)}
    for key in ("t", "u", "v")[: depth - 1]:
        table = {key: table}
    return table


TABLES = {
    f"{name}_{depth}": secrets_of(shape, depth) for (name, shape), depth in product(SHAPES_OF_BACKENDS.items(), DEPTHS)
}
"""A table for each backend, which holds every name in one shape at one depth."""


def inline(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {inline(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def as_file(head: str) -> str:
    return "\n".join(
        f"[{head}{name}]\n" + "\n".join(f"{json.dumps(key)} = {inline(value)}" for key, value in table.items())
        for name, table in TABLES.items()
    )


def as_variables() -> dict[str, str]:
    return {f"PIPELEX_COGT__BACKENDS__{name.upper()}": inline(table) for name, table in TABLES.items()}


def in_single_quotes(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


ENABLED = "\n".join(f"[{name}]\nenabled = false" for name in TABLES)


def of_file(name: str, head: str = "") -> Callable[[Path], dict[str, Any]]:
    def write(folder: Path) -> dict[str, Any]:
        with (folder / name).open("a") as file:
            file.write(as_file(head))
        return {}

    return write


def of_dotenv(folder: Path) -> dict[str, Any]:
    lines = [f"{name}={in_single_quotes(text)}\n" for name, text in as_variables().items()]
    (folder.parent / ".env").write_text("".join(lines))
    return {}


def of_secrets_directory(folder: Path) -> dict[str, Any]:
    directory = folder.parent / "secrets"
    directory.mkdir()
    for name, text in as_variables().items():
        (directory / name).write_text(text)
    return {"environ": {"PIPELEX_SECRETS_DIR": str(directory)}}


LAYERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "library file": of_file("backends.local.toml"),
    "main file": of_file("settings.toml", "default.cogt.backends."),
    "environment": of_file("settings.toml", "development.cogt.backends."),
    "local file": of_file("settings.local.toml", "default.cogt.backends."),
    ".secrets.toml": of_file(".secrets.toml", "default.cogt.backends."),
    "secrets directory": of_secrets_directory,
    ".env": of_dotenv,
    "process": lambda _folder: {"environ": as_variables()},
    "overrides": lambda _folder: {"overrides": {"backends": TABLES}},
}
CHANNELS: dict[str, Callable[[ModelManager], object]] = {
    "tree": lambda manager: manager.settings.tree,
    "layers": lambda manager: [dict(layer) for layer in manager.settings.layers],
    "backends": lambda manager: [*manager.backends.values()],
    "attributes": lambda manager: [vars(backend) for backend in manager.backends.values()],
    "further keys": lambda manager: [backend.extra_config for backend in manager.backends.values()],
    "model_dump": lambda manager: [backend.model_dump() for backend in manager.backends.values()],
    "model_dump_json": lambda manager: [backend.model_dump_json() for backend in manager.backends.values()],
    "explanations": lambda manager: [manager.explain(name) for name in TABLES],
    "description": lambda manager: json.dumps(describe(manager)),
    "history": lambda manager: get_history(manager.settings.dynaconf),
    "inspection": lambda manager: inspect_settings(manager.settings.dynaconf),
    "warnings": lambda manager: manager.warnings,
    "pickle": lambda manager: pickle.dumps([*manager.backends.values(), manager.settings.layers], 0),
}


def handed_over(manager: ModelManager) -> list[str]:
    """The text of everything that the backends hand over."""
    values = [value for name in TABLES for _, value in leaves(dict(manager.backends[name].extra_config))]
    return [value.get_secret_value() if isinstance(value, SecretStr) else str(value) for value in values]


def test_there_are_as_many_names_and_shapes_as_the_first_line_says() -> None:
    assert (len(SECRET_NAMES), len(SHAPES_OF_BACKENDS), len(TABLES)) == (60, 20, 80)


@pytest.fixture
def folder(write_tree: WriteTree) -> Path:
    return write_tree({**MINIMAL, "backends.toml": MINIMAL["backends.toml"] + ENABLED})


def arguments_of(layer: str, folder: Path) -> Mapping[str, Any]:
    return {"environ": {}, **LAYERS[layer](folder)}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_channel_tells_a_secret_of_any_name_shape_or_depth(folder: Path, layer: str) -> None:
    arguments = arguments_of(layer, folder)
    manager = ModelManager.load(folder, **arguments)
    assert len([text for text in handed_over(manager) if MARK in text]) == COUNT
    told = {name: str(channel(manager)) for name, channel in CHANNELS.items()}
    assert {name: text[max(text.find(MARK) - 200, 0) :][:300] for name, text in told.items() if MARK in text} == {}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_refused_load_tells_a_secret_of_any_name_shape_or_depth(folder: Path, layer: str) -> None:
    arguments = arguments_of(layer, folder)
    (folder / "routing.local.toml").write_text("activ = 'all'")
    error = refusal_of(lambda: ModelManager.load(folder, **arguments))
    told = everything_told_by(error)
    assert "did you mean 'active'?" in told
    assert MARK not in told


def test_no_command_tells_a_secret_of_any_name_or_shape(folder: Path) -> None:
    of_file("backends.local.toml")(folder)
    environ = {"PIPELEX_SETTINGS_DIR": str(folder), "COLUMNS": "500"}
    for command in [("show", "--json"), ("env", "--example"), *(("explain", name) for name in [*TABLES][::16])]:
        result = CliRunner().invoke(app, command, env=environ)
        assert (result.exit_code, MARK in result.output) == (0, False)


SHAPED = {
    f"{name}_{number}": shape.format(MARK)
    for (number, shape), name in product(enumerate(SHAPES_OF_BACKENDS.values()), SECRET_NAMES)
}
"""Variables, or names of a source, of every name in every shape."""


@pytest.mark.parametrize("where", ["process", ".env", "sources"])
def test_no_refused_load_or_use_tells_what_answers_references(folder: Path, where: str) -> None:
    environ = SHAPED if where == "process" else {}
    if where == ".env":
        lines = [f"{name}={in_single_quotes(text)}\n" for name, text in SHAPED.items()]
        (folder.parent / ".env").write_text("".join(lines))
    given: dict[str, Any] = {"environ": environ, "sources": [dict(SHAPED)] if where == "sources" else []}
    name = next(iter(SHAPED))
    (folder / "backends.local.toml").write_text(f"[a]\nendpoint = '${{{name}}}${{NOT_SET}}'\nregion = '${{{name}}}'")
    manager = ModelManager.load(folder, **given)
    backend = manager.backends["a"]
    errors = [
        refusal_of(lambda: backend.endpoint),
        refusal_of(lambda: backend.extra_config["nope"]),
        refusal_of(lambda: manager.get_llm_deck().resolve("nope")),
        refusal_of(lambda: ModelManager.load(folder, "nope", **given)),
        refusal_of(lambda: ModelManager.load(folder, overrides={"routing": {"activ": 1}}, **given)),
    ]
    assert MARK in backend.extra_config["region"]
    assert MARK not in "".join(map(everything_told_by, errors))
    shown = [manager, manager.settings.credentials, vars(manager.settings.credentials), backend]
    assert MARK not in repr(shown)
