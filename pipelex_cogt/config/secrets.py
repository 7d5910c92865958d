"""Secrets: where referenced values come from, and how they stay out of sight."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.references import (
    UNSAFE_NAME,
    Name,
    Prefix,
    Reference,
    ReferenceSyntaxError,
    holds_reference,
    parse_template,
    references_in,
    render,
)
from pipelex_cogt.errors import CogtError, MissingCredentialError, SecretFileError, SecretSourceError

MASK = "**********"
MAX_SECRET_BYTES = 64 * 1024
_SECRET_NAME = re.compile(
    r"(?<![a-z])(?:(?:api|access|account|private|secret|shared|signing|subscription)_?keys?|(?:api|auth)?_?token"
    r"|(?:api|auth|access)_?tokens|secrets?|password|passwd|pwd|passphrase|credentials?|authorization|connection_string"
    r")(?![a-z])"
)
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")
_PLACEHOLDER = re.compile(
    r"your[-_ ].*|.*your[-_ ]?(?:\w+[-_ ])?(?:key|token|secret).*|(?:sk-)?(?:\.{2,}|x{3,}|<.*>)"
    r"|(?:change|replace|insert|enter|fill)[-_ ]?(?:me|in|with|this|your)\b.*|changeme|placeholder|todo",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):(?!\$\{[^}]*\}@|\d{1,5}/)\S+(?=@)")


def names_secret(key: str) -> bool:
    """Whether a key's name says that its value is secret."""
    return _SECRET_NAME.search(_WORD_ENDS.sub("_", key).lower()) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value looks like what an example file holds instead of a secret."""
    return _PLACEHOLDER.fullmatch(value.strip()) is not None


def mask_url_password(text: str) -> str:
    """Hide the password of a URL that holds one."""
    return _URL_PASSWORD.sub(rf"\1:{MASK}", text)


class SealedText(SecretStr):
    """Text that holds a secret: shown masked, and left behind by a pickle.

    Attributes:
        shown: The text as it may be shown, such as `https://user:**********@host`.
        number: The number that it stands for, of a layer that holds secrets.
        is_lost: Whether it came out of a pickle, which left the text behind.
    """

    def __init__(self, text: str, shown: str = MASK, *, number: float | None = None, is_lost: bool = False) -> None:
        super().__init__(text)
        self.shown = shown
        self.number = number
        self.is_lost = is_lost

    def _display(self) -> str:
        return self.shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self.get_secret_value() == other.get_secret_value()

    def __hash__(self) -> int:
        return hash(self.get_secret_value())

    def __reduce__(self) -> tuple[Callable[[str], SealedText], tuple[str]]:
        return _lost_text, (self.shown,)

    def __copy__(self) -> SealedText:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SealedText:
        return self


def _lost_text(shown: str) -> SealedText:
    return SealedText("", shown, is_lost=True)


class SecretSource(Protocol):
    """Something that may know a secret by its name: a vault, a cloud store, a directory of files."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or None where this source has none."""


class Environment(Mapping[str, str]):
    """The process's environment over the values of `.env`. Its repr shows no value."""

    def __init__(self, process: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> None:
        self.process = process
        self.dotenv = dotenv or {}

    @classmethod
    def of_process(cls, environ: Mapping[str, str] | None = None) -> Environment:
        """The process's environment, or what stands for it, without a `.env`."""
        return cls(os.environ if environ is None else environ)

    def over(self, dotenv: Mapping[str, str]) -> Environment:
        """The same environment over the values of a `.env`."""
        return Environment(self.process, dotenv)

    def __getitem__(self, name: str) -> str:
        value = self.process.get(name) or self.dotenv.get(name)
        if not value:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self.dotenv, **self.process} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} variables)"

    def __reduce__(self) -> tuple[Callable[[], Environment], tuple[()]]:
        return Environment.of_process, ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Environment:
        return self


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
            with path.open("rb") as file:
                content = file.read(MAX_SECRET_BYTES + 1)
            text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except RuntimeError:  # a circle of links, as Python says it before 3.13
        problem = f"cannot be read: {os.strerror(errno.ELOOP)}"
    except UnicodeDecodeError:
        problem = "expected UTF-8 text"
    if text is not None and len(content) > MAX_SECRET_BYTES:
        return None, f"expected a secret, found more than {MAX_SECRET_BYTES // 1024} KiB"
    return text, problem


class Credentials:
    """Answers references: the environment, the secrets directory, then the application's own sources.

    `locate` says where the settings state a key path, for messages.
    """

    def __init__(
        self,
        environment: Environment,
        directory: SecretsDirectory,
        sources: Iterable[SecretSource] = (),
        locate: Callable[[KeyPath], Place | None] = lambda _path: None,
    ) -> None:
        self.environment = environment
        self.directory = directory
        self.sources = tuple(sources)
        self.locate = locate

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.environment!r}, {self.directory!r}, {len(self.sources)} more sources)"

    def __reduce__(self) -> tuple[Callable[[Path | None], Credentials], tuple[Path | None]]:
        return _credentials_of_process, (self.directory.directory,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    def lookup(self, name: Name) -> str | None:
        """The value of one name, or None where it is unset or empty."""
        return next((value for store in self._stores(name) if (value := _ask(store, name.name))), None)

    def source_of(self, name: Name) -> str | None:
        """Which source holds a name, in words; None where none does."""
        store = next((store for store in self._stores(name) if _ask(store, name.name)), None)
        if isinstance(store, Environment):
            return "environment" if store.process.get(name.name) else ".env"
        if isinstance(store, SecretsDirectory):
            return "secrets directory"
        return None if store is None else type(store).__name__

    def _stores(self, name: Name) -> tuple[SecretSource, ...]:
        """The sources that a name is looked up in, in order."""
        secrets: tuple[SecretSource, ...] = (self.directory, *self.sources)
        stores = {Prefix.ENV: (self.environment,), Prefix.SECRET: secrets, Prefix.ANY: (self.environment, *secrets)}
        return stores[name.prefix]

    def answer(self, reference: Reference) -> str | None:
        """The value of a reference: the first of its names that is set, else its default."""
        found = (value for name in reference.names if (value := self.lookup(name)) is not None)
        return next(found, reference.default)

    def resolve(self, text: str, backend: str, path: KeyPath) -> str:
        """The text with every reference in it answered.

        Args:
            text: The setting as stated.
            backend: The backend that needs it.
            path: Its key path, for the message.

        Raises:
            MissingCredentialError: No source answers a reference.
            SecretFileError: A secret's file cannot be used.
        """
        missing = self.missing(text)
        if missing:
            names = tuple(map(str, missing[0].names))
            place = self.locate(path)
            raise MissingCredentialError(backend, names, format_key_path(path), str(place or "settings"))
        return render(parse_template(text), lambda reference: self.answer(reference) or "")

    def missing(self, text: str) -> list[Reference]:
        """The references in a text that no source answers."""
        return [reference for reference in references_in(text) if self.answer(reference) is None]


def _ask(store: SecretSource, name: str) -> str | None:
    """What a source says of a name.

    Raises:
        SecretSourceError: It fails, or answers with something that is no text. What it said itself is left out, for
            it may hold anything.
    """
    problem = ""
    try:
        value: object = store.get(name)
        if value is None or isinstance(value, str):
            return value
        problem = f"answered with a Python {type(value).__name__} instead of text"
        del value
    except CogtError:
        raise
    except Exception as error:  # noqa: BLE001 -- because: a source is somebody else's code
        problem = f"failed with {type(error).__name__}"
    raise SecretSourceError(type(store).__name__, name, problem)


def _credentials_of_process(directory: Path | None) -> Credentials:
    """What a pickle of credentials becomes: it carries no value, and asks the process that reads it."""
    return Credentials(Environment.of_process(), SecretsDirectory(directory))


def mask_setting(key: str, value: Any, *, is_secret: bool = False) -> Any:
    """A setting as it may be shown: references as written, literal secrets and URL passwords hidden.

    Args:
        key: The setting's key.
        value: Its value as stated.
        is_secret: Whether a key above it says that it is secret.
    """
    is_secret = is_secret or names_secret(key)
    if isinstance(value, Mapping):
        return {inner: mask_setting(inner, item, is_secret=is_secret) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_setting(key, item, is_secret=is_secret) for item in value]
    if isinstance(value, SealedText):
        return value.shown
    if isinstance(value, str) and holds_reference(value):
        return _mask_template(value, is_secret=is_secret)
    if isinstance(value, SecretStr) or (is_secret and not isinstance(value, bool | None)):
        return MASK
    return mask_url_password(value) if isinstance(value, str) else value


def _mask_template(text: str, *, is_secret: bool) -> str:
    try:
        template = parse_template(text)
    except ReferenceSyntaxError:
        return MASK if is_secret else mask_url_password(text)
    return mask_url_password("".join(_shown_part(part, is_secret=is_secret) for part in template))


def _shown_part(part: str | Reference, *, is_secret: bool) -> str:
    if isinstance(part, str):
        return MASK if is_secret else part
    names = "|".join(map(str, part.names))
    default = "" if part.default is None else f":-{MASK if is_secret else mask_url_password(part.default)}"
    return f"${{{names}{default}}}"
