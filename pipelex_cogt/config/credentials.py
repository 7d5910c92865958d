"""Credentials: where the values of references come from, and how they are answered."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.references import (
    UNSAFE_NAME,
    Name,
    Prefix,
    Reference,
    Template,
    parse_template,
    references_in,
    render,
)
from pipelex_cogt.errors import CogtError, MissingCredentialError, SecretFileError, SecretSourceError

MAX_SECRET_BYTES = 64 * 1024


class SecretSource(Protocol):
    """Something that may know a secret by its name: a vault, a cloud store, a directory of files."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or None where this source has none."""


class SecretsDirectory:
    """A directory with one file per secret, as Docker and Kubernetes mount them."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory

    def get(self, name: str) -> str | None:
        """The text of the file of that name, without one trailing newline; None where there is no such file.

        Raises:
            SecretFileError: It leads out of the directory, is a directory, too large, unreadable or not UTF-8.
        """
        if self.directory is None or not name:
            return None
        if UNSAFE_NAME.search(name):
            raise SecretFileError(str(self.directory), f"{name!r} cannot name a secret's file")
        path = self.directory / name
        text, problem = _read_secret(path, self.directory)
        if problem is not None:
            raise SecretFileError(str(path), problem)
        return text

    def names(self) -> list[str]:
        """The names of the secrets that lie here, sorted."""
        if self.directory is None:
            return []
        return sorted(path.name for path in self.directory.iterdir() if path.is_file())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"


def _read_secret(path: Path, directory: Path) -> tuple[str | None, str | None]:
    """The text of a secret's file, or what is wrong with it. It raises nothing, so that no frame holds the text."""
    text = problem = None
    try:
        if not path.resolve().is_relative_to(directory.resolve()):
            problem = "leads out of the secrets directory, so it is not read"
        elif path.exists() and not path.is_file():
            problem = f"expected a secret's file, found {'a directory' if path.is_dir() else 'something else'}"
        else:
            text, problem = _decode_secret(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except RuntimeError:
        # A circle of links, as Python says it before 3.13.
        problem = f"cannot be read: {os.strerror(errno.ELOOP)}"
    return text, problem


def _decode_secret(path: Path) -> tuple[str | None, str | None]:
    with path.open("rb") as file:
        # One byte more than is allowed tells a file that is too large, without reading all of it.
        content = file.read(MAX_SECRET_BYTES + 1)
    if len(content) > MAX_SECRET_BYTES:
        return None, f"expected a secret, found more than {MAX_SECRET_BYTES // 1024} KiB"
    try:
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r"), None
    except UnicodeDecodeError:
        return None, "expected UTF-8 text"


class _Answered(NamedTuple):
    """A text with its references answered, or the first of them that no source answers."""

    text: str | None
    missing: Reference | None


class Credentials:
    """Answers references: the environment, the secrets directory, then the application's own sources.

    `locate` says where the settings state a key path, for messages.
    """

    def __init__(
        self,
        environ: Environ,
        directory: SecretsDirectory,
        sources: Iterable[SecretSource] = (),
        locate: Callable[[KeyPath], Place | None] = lambda _path: None,
    ) -> None:
        self.environ = environ
        self.directory = directory
        self.sources = tuple(sources)
        self.locate = locate

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.environ!r}, {self.directory!r}, {len(self.sources)} more sources)"

    def __reduce__(self) -> tuple[Callable[[Path | None], Credentials], tuple[Path | None]]:
        return _credentials_of_process, (self.directory.directory,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    def lookup(self, name: Name) -> str | None:
        """The value of one name, or None where it is unset or empty."""
        for store in self._stores(name):
            value = _ask(store, name.name)
            if value:
                return value
        return None

    def source_of(self, name: Name) -> str | None:
        """Which source holds a name, in words; None where none does."""
        store = next((store for store in self._stores(name) if _ask(store, name.name)), None)
        if isinstance(store, Environ):
            return "environment" if store.process.get(name.name) else ".env"
        if isinstance(store, SecretsDirectory):
            return "secrets directory"
        return None if store is None else type(store).__name__

    def _stores(self, name: Name) -> tuple[SecretSource, ...]:
        """The sources that a name is looked up in, in order."""
        secrets: tuple[SecretSource, ...] = (self.directory, *self.sources)
        stores = {Prefix.ENV: (self.environ,), Prefix.SECRET: secrets, Prefix.ANY: (self.environ, *secrets)}
        return stores[name.prefix]

    def answer(self, reference: Reference) -> str | None:
        """The value of a reference: the first of its names that is set, else its default."""
        for name in reference.names:
            value = self.lookup(name)
            if value is not None:
                return value
        return reference.default

    def missing(self, text: str) -> list[Reference]:
        """The references in a text that no source answers."""
        return [reference for reference in references_in(text) if self.answer(reference) is None]

    def resolve(self, text: str, backend: str, path: KeyPath) -> str:
        """The text with every reference in it answered; each is asked for once.

        Args:
            text: The setting as stated.
            backend: The backend that needs it.
            path: Its key path, for the message.

        Raises:
            MissingCredentialError: No source answers a reference.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        answered, missing = self._fill(parse_template(text))
        if missing is None:
            return answered or ""
        place = str(self.locate(path) or "settings")
        raise MissingCredentialError(backend, tuple(map(str, missing.names)), format_key_path(path), place)

    def _fill(self, template: Template) -> _Answered:
        """A template filled in, or what it lacks. No frame of an error that is raised then holds the answers."""
        answers: dict[Reference, str | None] = {}
        try:
            for part in template:
                if isinstance(part, Reference) and part not in answers:
                    answers[part] = self.answer(part)
        except CogtError:
            # A traceback that shows locals would show what was answered so far.
            answers.clear()
            raise
        for reference, answer in answers.items():
            if answer is None:
                return _Answered(None, reference)
        return _Answered(render(template, lambda reference: answers[reference] or ""), None)


def _ask(store: SecretSource, name: str) -> str | None:
    """What a source says of a name.

    Raises:
        SecretSourceError: It fails, or answers with something that is no text. What it said itself is left out, for
            it may hold anything.
    """
    try:
        value: object = store.get(name)
    except CogtError:
        raise
    except Exception as error:  # noqa: BLE001 -- because: a source is somebody else's code
        problem = f"failed with {type(error).__name__}"
    else:
        if value is None or isinstance(value, str):
            return value
        problem = f"answered with a Python {type(value).__name__} instead of text"
        # A traceback that shows locals would show it.
        del value
    raise SecretSourceError(type(store).__name__, name, problem)


def _credentials_of_process(directory: Path | None) -> Credentials:
    """What a pickle of credentials becomes: it carries no value, and asks the process that reads it."""
    return Credentials(Environ.of_process(), SecretsDirectory(directory))
