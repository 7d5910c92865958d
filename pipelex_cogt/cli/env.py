"""`pipelex-cogt env`: the variables that the settings in force reference, where, and whether they are set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any, NamedTuple

from rich.console import Console

from pipelex_cogt.cli.show import print_table
from pipelex_cogt.config.inference_config import MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import is_secret_path
from pipelex_cogt.config.references import Prefix, Reference, references_in
from pipelex_cogt.config.secret_values import mask_text
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_manager import ModelManager

_EXAMPLE_HEAD = """\
# Copy this file to .env beside your settings/ and fill in what you use. A variable of the process wins over it.
# `pipelex-cogt env` says which variables the settings in force reference, and which of them are set.

# The environment: development, staging, production, or any other that settings.toml declares.
# PIPELEX_ENV=development
"""


class ReferencedVariable(NamedTuple):
    """One variable that a backend's settings reference; never its value.

    Attributes:
        backend: The backend.
        name: The variable or secret.
        kind: "variable", or "secret" for a name that only the secrets directory and custom sources are asked for.
        place: The file and line, or the variable, that holds the reference.
        path: The key path of the reference.
        source: Where it is set, or None.
        default: The reference's default, unless the key is secret.
        is_missing: Whether the reference as a whole is answered by nothing.
        is_set: Whether a source holds it.
    """

    backend: str
    name: str
    kind: str
    place: str
    path: str
    source: str | None
    default: str | None
    is_missing: bool
    is_set: bool


def find_variables(manager: ModelManager) -> list[ReferencedVariable]:
    """The variables that backends in use reference, in the order of the settings, each once a place."""
    found = map(_variables_of, manager.backends.enabled.values())
    return list(dict.fromkeys(chain.from_iterable(found)))


def is_refused(manager: ModelManager, variables: Iterable[ReferencedVariable]) -> bool:
    """Whether an application's load would refuse what is missing among these variables."""
    means = manager.settings.inference_config.missing_credentials
    return means is MissingCredentials.ERROR and any(variable.is_missing for variable in variables)


def print_variables(variables: list[dict[str, Any]], console: Console) -> None:
    """Print what `find_variables` found, each variable as data."""
    for backend, group in groupby(variables, key=lambda variable: variable["backend"]):
        rows = [(each["name"], _state(each), f"{each['place']}  {each['path']}") for each in group]
        print_table(console, backend, ["variable", "set in", "referenced in"], rows)
    if not variables:
        console.print("nothing is missing")


def format_example(manager: ModelManager) -> str:
    """The text of `.env.example` for the settings in force."""
    # Each line once, under the first backend that needs it.
    needed_by: dict[str, str] = {}
    for variable in find_variables(manager):
        needed_by.setdefault(_example_line(variable), variable.backend)
    blocks = [_EXAMPLE_HEAD]
    for backend, lines in groupby(needed_by, key=needed_by.__getitem__):
        blocks.append("\n".join([f"# {manager.backends[backend].display_name or backend}", *lines, ""]))
    return "\n".join(blocks)


def _variables_of(backend: InferenceBackend) -> Iterator[ReferencedVariable]:
    for path, text in backend.referenced_settings():
        place = (str(backend.credentials.locate(path) or "settings"), format_key_path(path))
        for reference in references_in(text):
            held_by = {name: backend.credentials.source_of(name) for name in reference.names}
            is_missing = reference.default is None and not any(held_by.values())
            default = _shown_default(reference, path)
            for name, source in held_by.items():
                kind = "secret" if name.prefix is Prefix.SECRET else "variable"
                yield ReferencedVariable(
                    backend.name, name.name, kind, *place, source, default, is_missing, bool(source)
                )


def _shown_default(reference: Reference, path: KeyPath) -> str | None:
    if reference.default is None or is_secret_path(path[2:]):
        return None
    return mask_text(reference.default)


def _state(variable: dict[str, Any]) -> str | None:
    if variable["is_missing"]:
        return "missing"
    stated_default = None if variable["default"] is None else f"default {variable['default']}"
    return variable["source"] or stated_default


def _example_line(variable: ReferencedVariable) -> str:
    if variable.kind == "secret":
        return f"# {variable.name} is a file in the secrets directory"
    return f"{variable.name}=" if variable.default is None else f"# {variable.name}={variable.default}"
