"""`pipelex-cogt env`: the variables that the settings in force reference, where, and whether they are set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, NamedTuple

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, good, text_of
from pipelex_cogt.config.inference_config import MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import is_secret_path, plain_text
from pipelex_cogt.config.references import Prefix, Reference, references_in
from pipelex_cogt.config.secret_values import mask_text
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_manager import ModelManager
from pipelex_cogt.visible import visible

_EXAMPLE_HEAD = """\
# Copy this file to .env beside your settings/ and fill in what you use. A variable of the process wins over it.
# `pipelex-cogt env` says which variables the settings in force reference, and which of them are set.

# The environment: development, staging, production, or any other that settings.toml declares.
# PIPELEX_ENV=development
"""
_SECRET = "secret"  # noqa: S105 -- because: it is a kind of name, no password


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


def print_variables(variables: Iterable[Mapping[str, Any]], page: Page) -> None:
    """Print what `find_variables` found, each variable as data."""
    rows = ((_shown_name(each), _state(each), each["backend"], [each["place"], each["path"]]) for each in variables)
    if variables:
        page.table(["variable", "set in", "backend", "referenced in"], rows)
    else:
        page.line("nothing is missing")


def format_example(manager: ModelManager) -> str:
    """The text of `.env.example` for the settings in force."""
    # Each line once, under the first backend that needs it.
    needed_by: dict[str, str] = {}
    for variable in find_variables(manager):
        needed_by.setdefault(_example_line(variable), variable.backend)
    blocks = [_EXAMPLE_HEAD]
    for backend, lines in groupby(needed_by, key=needed_by.__getitem__):
        title = f"# {manager.backends[backend].display_name or backend}"
        blocks.append("\n".join([*map(visible, (title, *lines)), ""]))
    return "\n".join(blocks)


def _variables_of(backend: InferenceBackend) -> Iterator[ReferencedVariable]:
    for path, stated in backend.referenced_settings():
        place = (str(backend.credentials.locate(path) or "settings"), format_key_path(path))
        for reference in references_in(plain_text(stated)):
            held_by = {name: backend.credentials.source_of(name) for name in reference.names}
            is_missing = reference.default is None and not any(held_by.values())
            default = _shown_default(reference, path)
            for name, source in held_by.items():
                kind = _SECRET if name.prefix is Prefix.SECRET else "variable"
                yield ReferencedVariable(
                    backend.name, name.name, kind, *place, source, default, is_missing, bool(source)
                )


def _shown_default(reference: Reference, path: KeyPath) -> str | None:
    if reference.default is None or is_secret_path(path[2:]):
        return None
    return mask_text(reference.default)


def _shown_name(variable: Mapping[str, Any]) -> str:
    return "{kind}:{name}".format_map(variable) if variable["kind"] == _SECRET else str(variable["name"])


def _state(variable: Mapping[str, Any]) -> Piece:
    """Where a variable is set, and what stands for it where it is not."""
    if variable["is_missing"]:
        return bad("missing")
    default = [] if variable["default"] is None else [f"default {text_of(variable['default'])}"]
    if variable["is_set"]:
        return good(", ".join([variable["source"], *default]))
    return Piece(*default or ["not set"])


def _example_line(variable: ReferencedVariable) -> str:
    if variable.kind == _SECRET:
        return f"# {variable.name} is a file in the secrets directory"
    return f"{variable.name}=" if variable.default is None else f"# {variable.name}={variable.default}"
