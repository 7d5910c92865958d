"""Warnings about credentials that are stated and can never work; they are looked for when somebody asks.

The process, `.env` and secrets' files are looked at; the application's own sources, which may be slow, are not asked.
"""

from __future__ import annotations

from pipelex_cogt.config.credential_checks import CHOSEN_SECRET, doubt_of, kind_of, variable_for
from pipelex_cogt.config.credentials import Credentials, Obstacle, Unusable
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import LayerKind, Place
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import Reference, references_in
from pipelex_cogt.config.report import WHEREVER, ProblemReport
from pipelex_cogt.config.secret_sources import Held
from pipelex_cogt.errors import CogtError, SecretFileError
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary

_FILES_FOR_EVERYBODY = (LayerKind.PACKAGED, LayerKind.APPLICATION, LayerKind.ENVIRONMENT, LayerKind.LOCAL)
# What people write where an SDK wants a key and its server none.
_NO_KEY = (
    "", "any", "anything", "dummy", "empty", "fake", "key", "local", "lm-studio", "n/a", "na", "no-key",
    "no-key-required", "none", "not-needed", "not-required", "null", "ollama", "token", "unused", "vllm", "x",
)  # fmt: skip


def warn_of_credentials(backends: InferenceBackendLibrary, report: ProblemReport) -> None:
    """Note what the backends in use state of credentials and can never work.

    Args:
        backends: Every backend.
        report: Where warnings are noted.
    """
    for backend in backends.enabled.values():
        _warn_of_backend(backend, backend.credentials.without_sources(), report)


def _warn_of_backend(backend: InferenceBackend, credentials: Credentials, report: ProblemReport) -> None:
    obstacles = dict(credentials.obstacles(backend.stated_texts()))
    for path, obstacle in obstacles.items():
        _warn_of_obstacle(path, obstacle, report)
        # What nobody was asked for may be a name that the application's own sources know.
        if isinstance(obstacle, Reference) and not backend.credentials.sources:
            _warn_of_near_names(path, obstacle, backend, report)
    for path, stated in backend.stated_texts():
        # A password may be any text.
        if path not in obstacles and kind_of(path) is not CHOSEN_SECRET:
            _warn_of_doubts(path, plain_text(stated), credentials, report)


def _warn_of_obstacle(path: KeyPath, obstacle: Obstacle, report: ProblemReport) -> None:
    """A value that cannot work. One that is missing is told where the load looks for it, and by whoever uses it."""
    if isinstance(obstacle, SecretFileError):
        report.warning(path, obstacle.problem, place=Place(obstacle.path))
    elif isinstance(obstacle, CogtError):
        report.warning(path, str(obstacle))
    elif isinstance(obstacle, Unusable):
        report.warning(path, obstacle.problem, obstacle.hint, obstacle.held and Place(obstacle.held.place))


def _warn_of_near_names(path: KeyPath, missing: Reference, backend: InferenceBackend, report: ProblemReport) -> None:
    """A name that is set and comes near one that is missing: somebody means it, and it is not heard."""
    near = [each for each in backend.credentials.near_names([missing]) if not each.is_empty]
    if near:
        problem = f"backend {backend.name!r} needs {missing}, which is not set"
        hint = f"{', '.join(map(str, near))}; rename it, or refer to it in the settings"
        report.warning(path, problem, hint, WHEREVER)


def _warn_of_doubts(path: KeyPath, text: str, credentials: Credentials, report: ProblemReport) -> None:
    """What may work, and yet is hardly meant: an example or another tool's reference, a key that people can read."""
    references = references_in(text)
    for held in (found for found in map(credentials.find, references) if isinstance(found, Held)):
        fault = doubt_of(held.text.get_secret_value(), held.name)
        if fault is not None:
            _warn_of_obstacle(path, Unusable(held, fault), report)
    if not references:
        _warn_of_literal(path, text, credentials, report)


def _warn_of_literal(path: KeyPath, text: str, credentials: Credentials, report: ProblemReport) -> None:
    fault = doubt_of(text, variable_for(path))
    if fault is not None:
        report.warning(path, *fault[:2])
    elif _is_key(path, text) and _is_for_everybody(path, credentials):
        hint = f"put it into .env and write ${{{variable_for(path)}}}, or state it in .secrets.toml"
        report.warning(path, "a literal key in a file that is not for secrets", hint)


def _is_key(path: KeyPath, text: str) -> bool:
    # What is looked at as a credential is one, if it is not what a server without keys is given.
    return kind_of(path).is_generated and text.strip().lower() not in (*_NO_KEY, str(path[1]).lower())


def _is_for_everybody(path: KeyPath, credentials: Credentials) -> bool:
    origin = credentials.origin_of(path)
    return origin is not None and origin.kind in _FILES_FOR_EVERYBODY
