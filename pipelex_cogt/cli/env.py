"""`pipelex-cogt env`: the variables that the settings in force reference, where, and whether they are set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Console

from pipelex_cogt.cli.show import print_table
from pipelex_cogt.config.inference_config import MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import is_secret_path, mask_url_password
from pipelex_cogt.config.references import Prefix, Reference, references_in
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_manager import ModelManager

_EXAMPLE_HEAD = """\
# Copy this file to .env beside your settings/ and fill in what you use. A variable of the process wins over it.
# `pipelex-cogt env` says which variables the settings in force reference, and which of them are set.

# The environment: development, staging, production, or any other that settings.toml declares.
# PIPELEX_ENV=development
"""


@dataclass(frozen=True, slots=True)
class ReferencedVariable:
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
    """

    backend: str
    name: str
    kind: str
    place: str
    path: str
    source: str | None
    default: str | None
    is_missing: bool


def find_variables(backends: Iterable[InferenceBackend]) -> list[ReferencedVariable]:
    """The variables that backends in use reference, in the order of the settings, each once a place."""
    found = (variable for backend in backends if backend.enabled for variable in _variables_of(backend))
    return list(dict.fromkeys(found))


def is_refused(manager: ModelManager, variables: Iterable[ReferencedVariable]) -> bool:
    """Whether an application's load would refuse what is missing among these variables."""
    means = manager.settings.inference_config.missing_credentials
    return means is MissingCredentials.ERROR and any(variable.is_missing for variable in variables)


def describe_variables(variables: Iterable[ReferencedVariable]) -> list[dict[str, Any]]:
    """The variables as data that JSON can hold."""
    return [{**asdict(variable), "is_set": variable.source is not None} for variable in variables]


def print_variables(variables: list[dict[str, Any]], console: Console) -> None:
    """Print what `describe_variables` found."""
    for backend, group in groupby(variables, key=itemgetter("backend")):
        rows = [(each["name"], _state(each), f"{each['place']}  {each['path']}") for each in group]
        print_table(console, backend, ["variable", "set in", "referenced in"], rows)
    if not variables:
        console.print("nothing is missing")


def format_example(manager: ModelManager) -> str:
    """The text of `.env.example` for the settings in force."""
    blocks = [_EXAMPLE_HEAD]
    # Each line once, under the first backend that needs it.
    told: dict[str, None] = {}
    for backend in manager.backends.enabled.values():
        before = len(told)
        told.update(dict.fromkeys(map(_example_line, _variables_of(backend))))
        new = [*told][before:]
        if new:
            blocks.append("\n".join([f"# {backend.display_name or backend.name}", *new, ""]))
    return "\n".join(blocks)


def _variables_of(backend: InferenceBackend) -> Iterator[ReferencedVariable]:
    for path, text in backend.referenced_settings():
        place = str(backend.credentials.locate(path) or "settings")
        for reference in references_in(text):
            held_by = {name: backend.credentials.source_of(name) for name in reference.names}
            is_missing = reference.default is None and not any(held_by.values())
            for name, source in held_by.items():
                yield ReferencedVariable(
                    backend=backend.name,
                    name=name.name,
                    kind="secret" if name.prefix is Prefix.SECRET else "variable",
                    place=place,
                    path=format_key_path(path),
                    source=source,
                    default=_shown_default(reference, path),
                    is_missing=is_missing,
                )


def _shown_default(reference: Reference, path: KeyPath) -> str | None:
    if reference.default is None or is_secret_path(path[2:]):
        return None
    return mask_url_password(reference.default)


def _state(variable: dict[str, Any]) -> str:
    if variable["source"]:
        return str(variable["source"])
    if variable["is_missing"]:
        return "missing"
    default = variable["default"]
    return "-" if default is None else f"default {default}"


def _example_line(variable: ReferencedVariable) -> str:
    if variable.kind == "secret":
        return f"# {variable.name} is a file in the secrets directory"
    return f"{variable.name}=" if variable.default is None else f"# {variable.name}={variable.default}"
