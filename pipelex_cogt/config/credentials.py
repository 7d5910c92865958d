"""Credentials: where the values of references come from, and how they are answered."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.references import UNSAFE_NAME, Name, Prefix, Reference, parse_template, references_in, render
from pipelex_cogt.errors import CogtError, MissingCredentialError, SecretFileError, SecretSourceError

MAX_SECRET_BYTES = 64 * 1024


class SecretSource(Protocol):
    """Something that may know a secret by its name: a vault, a cloud store, a directory of files."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or None where this source has none."""


_NamedSource: TypeAlias = tuple[SecretSource, str]
"""A source, and what people call it."""


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
        elif not stat.S_ISREG(mode := path.stat().st_mode):
            # Looked at before it is opened: opening a pipe waits for somebody to write into it.
            problem = f"expected a secret's file, found {'a directory' if stat.S_ISDIR(mode) else 'something else'}"
        else:
            text, problem = _decode_secret(path)
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError) as error:
        # A circle of links is a RuntimeError before Python 3.13.
        problem = f"cannot be read: {getattr(error, 'strerror', os.strerror(errno.ELOOP))}"
    return text, problem


def _decode_secret(path: Path) -> tuple[str | None, str | None]:
    with path.open("rb") as file:
        # One byte more than is allowed tells a file that is too large, without reading all of it.
        content = file.read(MAX_SECRET_BYTES + 1)
    if len(content) > MAX_SECRET_BYTES:
        return None, f"expected a secret, found more than {MAX_SECRET_BYTES // 1024} KiB"
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r"), None
    return None, "expected UTF-8 text"


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
        # An `Environ` each, which shows no value, and not the bare mappings of variables.
        variables = [(Environ(environ.process), "environment"), (Environ({}, environ.dotenv), ".env")]
        secrets = [(directory, "secrets directory"), *((source, type(source).__name__) for source in self.sources)]
        self._sources: Mapping[Prefix, Sequence[_NamedSource]] = {
            Prefix.ENV: variables,
            Prefix.SECRET: secrets,
            Prefix.ANY: [*variables, *secrets],
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.environ!r}, {self.directory!r}, {len(self.sources)} more sources)"

    def __reduce__(self) -> tuple[Callable[[Path | None], Credentials], tuple[Path | None]]:
        return _credentials_of_process, (self.directory.directory,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    @property
    def environment(self) -> Environ:
        """The variables that are asked first, under the name by which applications know them."""
        return self.environ

    @leaves_no_locals
    def lookup(self, name: Name) -> str | None:
        """The value of one name, or None where it is unset or empty."""
        values = (_ask(source, name.name) for source, _ in self._sources[name.prefix])
        return next(filter(None, values), None)

    @leaves_no_locals
    def source_of(self, name: Name) -> str | None:
        """Which source holds a name, in words; None where none does."""
        return next((words for source, words in self._sources[name.prefix] if _ask(source, name.name)), None)

    def answer(self, reference: Reference) -> str | None:
        """The value of a reference: the first of its names that is set, else its default."""
        return next(filter(None, map(self.lookup, reference.names)), reference.default)

    def missing(self, text: str) -> list[Reference]:
        """The references in a text that no source answers."""
        return [reference for reference in references_in(text) if self.answer(reference) is None]

    @leaves_no_locals
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
        filled = self._fill(text)
        if isinstance(filled, str):
            return filled
        place = str(self.locate(path) or "settings")
        raise MissingCredentialError(backend, tuple(map(str, filled.names)), format_key_path(path), place)

    def _fill(self, text: str) -> str | Reference:
        """A text with its references answered, or the first of them that no source answers."""
        references = dict.fromkeys(references_in(text))
        # No loop collects the answers: a traceback that shows locals would show what was answered before an error.
        answers = dict(zip(references, map(self.answer, references), strict=True))
        missing = next((reference for reference, answer in answers.items() if answer is None), None)
        return missing or render(parse_template(text), lambda reference: str(answers[reference]))


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
        if isinstance(value, str | None):
            return value
        problem = f"answered with a Python {type(value).__name__} instead of text"
        # A traceback that shows locals would show it.
        del value
    raise SecretSourceError(type(store).__name__, name, problem)


def _credentials_of_process(directory: Path | None) -> Credentials:
    """What a pickle of credentials becomes: it carries no value, and asks the process that reads it."""
    return Credentials(Environ.of_process(), SecretsDirectory(directory))
