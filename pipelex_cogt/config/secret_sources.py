"""Sources of secrets: the process, `.env`, files, and what an application adds; each is asked in the same way.

A source that fails raises nothing here: what it held so far must not stand in a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.masking import SealedText
from pipelex_cogt.config.secret_files import FILE_SUFFIX, NamedFiles, SecretsDirectory
from pipelex_cogt.errors import SecretFileError, SecretSourceError


class SecretSource(Protocol):
    """Something that may know a secret by its name: a vault, a cloud store, a directory of files."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or None where this source has none."""


class Source(NamedTuple):
    """A source, and how it is told.

    Attributes:
        store: What is asked.
        words: What people call it, for a name that it holds.
        place: Where it holds a name: the variable, or the file.
    """

    store: SecretSource
    words: Callable[[str], str]
    place: Callable[[str], str]


class Held(NamedTuple):
    """What a source holds under a name.

    Attributes:
        name: The name.
        source: What people call the source.
        place: Where it holds the name: the variable, or the file.
        text: What it holds, without white space around it.
    """

    name: str
    source: str
    place: str
    text: SealedText


Found: TypeAlias = Held | SecretFileError | SecretSourceError | None
"""What the sources say of a reference."""


def process_source(environ: Environ) -> Source:
    """The variables of the process."""
    # An `Environ` of its own, which shows no value, and not the bare mapping of variables.
    return Source(Environ(environ.process), lambda _name: "environment", str)


def dotenv_source(environ: Environ, place: str) -> Source:
    """The variables of `.env`, which lies at a place."""
    return Source(Environ({}, environ.dotenv), lambda _name: ".env", lambda _name: place)


def file_source(files: NamedFiles) -> Source:
    """The files that variables name."""
    return Source(files, lambda name: f"{name}{FILE_SUFFIX} ({files.path_of(name)})", files.path_of)


def directory_source(directory: SecretsDirectory, *, is_only_one: bool) -> Source:
    """A secrets directory; of several it is told which."""
    words = "secrets directory" if is_only_one else f"secrets directory {directory.directory}"
    return Source(directory, lambda _name: words, directory.path_of)


def custom_source(source: SecretSource) -> Source:
    """A source of the application's own."""
    words = type(source).__name__
    return Source(source, lambda _name: words, lambda _name: words)


def ask(source: Source, name: str) -> Found:
    """What a source holds under a name; None where it holds nothing but white space.

    Where it fails, or answers with something that is no text, the error is returned. What the source said itself is
    left out, for it may hold anything.
    """
    try:
        value: object = source.store.get(name)
    except (SecretFileError, SecretSourceError) as error:
        return error.with_traceback(None)
    except Exception as error:  # noqa: BLE001 -- because: a source is somebody else's code
        return SecretSourceError(type(source.store).__name__, name, f"failed with {type(error).__name__}")
    if not isinstance(value, str | None):
        problem = f"answered with a Python {type(value).__name__} instead of text"
        return SecretSourceError(type(source.store).__name__, name, problem)
    text = (value or "").strip()
    return Held(name, source.words(name), source.place(name), SealedText(text)) if text else None
