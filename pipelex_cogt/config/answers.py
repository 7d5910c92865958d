"""Answers: settings whose references are answered when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Mapping
from typing import Any

from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import SealedText, is_sealed_path, mask_setting, stated_value
from pipelex_cogt.config.tables import map_leaves
from pipelex_cogt.errors import LiteralLeftBehindError
from pipelex_cogt.visible import visible


class AnsweredTable:
    """A table of settings: text and numbers, or a `SecretStr` where a key's name ends in a secret word.

    It reads like a mapping and is none: an error reporter that lists the mappings among local variables would ask for
    every secret and send it.
    """

    def __init__(self, stated: Mapping[str, Any], answer: Callable[[Any, KeyPath], Any], path: KeyPath = ()) -> None:
        """Keep what is stated at a key path, and what answers a value of it at its own key path."""
        self._stated = stated
        self._answer = answer
        self._path = path

    def __getitem__(self, key: str) -> Any:
        return self._answer(self._stated[key], (*self._path, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._stated)

    def __len__(self) -> int:
        return len(self._stated)

    def __contains__(self, key: object) -> bool:
        return key in self._stated

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping | AnsweredTable) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # because: what it answers may change

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default` where there is no such key."""
        stated = self._stated
        return self._answer(stated[key], (*self._path, key)) if key in stated else default

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._stated.keys()

    def values(self) -> list[Any]:
        """The values, answered."""
        return [*map(self.__getitem__, self)]

    def items(self) -> list[tuple[str, Any]]:
        """Each key with its value, answered."""
        return [*zip(self, self.values(), strict=True)]

    def __repr__(self) -> str:
        return visible(repr(mask_setting("".join(map(str, self._path[:1])), self._stated)))


@leaves_no_locals
def answer(value: Any, credentials: Credentials, backend: str, path: KeyPath, above: KeyPath) -> Any:
    """A setting with its references answered.

    Args:
        value: The setting as stated.
        credentials: What answers references.
        backend: The backend that needs it.
        path: Its key path within its table.
        above: The key path of the table.

    Returns:
        Text, or a `SecretStr` where a key's name ends in a secret word; numbers; tables and lists of these.

    Raises:
        LiteralLeftBehindError: A pickle has left the value behind.
        MissingCredentialError: No source answers a reference.
        UnusableCredentialError: What answers it, or the text itself, can never work.
        SecretFileError: A secret's file cannot be used.
        SecretSourceError: A source of the application's own fails.
    """

    def answer_one(own_path: KeyPath, stated: Any) -> Any:
        place = (*above, *own_path)
        if isinstance(stated, SealedText) and stated.is_lost:
            raise LiteralLeftBehindError(backend, format_key_path(place))
        is_text = isinstance(stated_value(stated), str)
        # It stays sealed on its way: a traceback that shows locals would show it.
        answered = credentials.resolve(stated, backend, place) if is_text else stated_value(stated)
        is_sealed = is_sealed_path(own_path) or (isinstance(stated, SealedText) and stated.is_wrapped)
        # Whether something is switched on or absent is no secret.
        return answered if not is_sealed or isinstance(answered, bool | None) else SealedText(answered)

    return map_leaves(value, answer_one, path)
