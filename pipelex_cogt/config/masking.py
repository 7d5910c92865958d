"""Masking: what is secret, and how it stays out of sight.

Text in the backends' tables that holds a secret is sealed as soon as a layer is read. From then on no tree, history,
message or traceback holds it plainly, and whatever is shown goes through `mask_setting`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, time
from functools import partial
from typing import Any

from pydantic import SecretStr

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin
from pipelex_cogt.config.references import Reference, ReferenceSyntaxError, Template, holds_reference, parse_template
from pipelex_cogt.config.tables import BELOW, map_leaves

MASK = "**********"
_SECRET_LAYERS = (LayerKind.SECRETS_FILE, LayerKind.SECRETS_DIRECTORY)
# A backend's own keys that no secret stands under; deeper down they are names like any other.
_PLAIN_PATHS = (("enabled",), ("display_name",))
# A backend's own keys that must hold text: a number there stays one, so that validation refuses it.
_TEXT_PATHS = (("endpoint",), ("api_key",))

# A word of a key that says its value is secret: `api_key`, `access_token`, `client_secret`, but not `max_tokens` or
# `key_path`. Fixed words between two looks at one letter: nothing repeats, so nothing can blow up.
_SECRET_NAME = re.compile(
    r"(?<![a-z])(?:(?:api|access|account|private|secret|shared|signing|subscription)_?keys?|(?:api|auth)?_?token"
    r"|(?:api|auth|access)_?tokens|secrets?|password|passwd|pwd|passphrase|credentials?|authorization|connection_string"
    r")(?![a-z])"
)
# Where one word of a key ends: `apiKey`, `api-key`, `api.key`. One class of characters, repeated.
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")
# What example files hold instead of a secret: `your-api-key`, `sk-...`, `<key>`, `changeme`; not a key that merely
# has such letters in it. It looks ahead from each `your`, so it is asked of short values alone.
_PLACEHOLDER = (
    r"your[-_ ].*|.*your[-_ ]?(?:\w+[-_ ])?(?:key|token|secret).*|(?:sk-)?(?:\.{2,}|x{3,}|<.*>)"
    r"|(?:change|replace|insert|enter|fill)[-_ ]?(?:me|in|with|this|your)\b.*|changeme|placeholder|todo"
)
_LONGEST_PLACEHOLDER = 200
# Text without white space: a URL ends where it does. One class of characters, repeated.
_WORD = re.compile(r"\S+")
# The user of a URL up to the first colon, and all that follows. A reference, which is shown as written, and a port are
# no password: what repeats in these is bounded, so that no place in a text costs more than that.
_URL_PASSWORD = re.compile(r"(://[^/@\s:]*:)(?!\$\{[^}]{0,200}\}(?:@|\Z)|\d{1,5}/).+")


def names_secret(key: str) -> bool:
    """Whether a key's name says that its value is secret."""
    return _SECRET_NAME.search(_WORD_ENDS.sub("_", key).lower()) is not None


def is_secret_path(path: KeyPath) -> bool:
    """Whether a key of the path, or one above it, says that the value is secret."""
    return any(map(names_secret, map(str, path)))


def is_placeholder(value: str) -> bool:
    """Whether a value looks like what an example file holds instead of a secret."""
    text = value.strip()
    # Compiled when a value is first looked at: most processes that start up for a moment have none.
    is_short = 0 < len(text) <= _LONGEST_PLACEHOLDER
    return is_short and re.fullmatch(_PLACEHOLDER, text, re.IGNORECASE) is not None


def mask_url_password(text: str) -> str:
    """Hide the password of a URL that holds one: from the colon after the user to the last at sign."""
    return _WORD.sub(_mask_word, text)


def _mask_word(word: re.Match[str]) -> str:
    head, at, host = word[0].rpartition("@")
    return _URL_PASSWORD.sub(rf"\1{MASK}", head) + at + host


class SealedText(SecretStr):
    """Text that holds a secret: shown masked, and left behind by a pickle.

    Attributes:
        shown: The text as it may be shown, such as `https://user:**********@host`.
        number: The number, date or time that it stands for, of a layer that holds secrets.
        is_lost: Whether it came out of a pickle, which left the text behind.
    """

    def __init__(
        self, text: str, shown: str = MASK, *, number: float | date | time | None = None, is_lost: bool = False
    ) -> None:
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

    def __reduce__(self) -> tuple[partial[SealedText], tuple[str]]:
        return partial(SealedText, "", is_lost=True), (self.shown,)

    def __copy__(self) -> SealedText:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SealedText:
        return self


def plain_text(value: Any) -> Any:
    """What a sealed text holds; any other value as it is. For whoever answers or sends it, never for showing."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def date_in(value: Any) -> date | time | None:
    """The date or time that a value is, or that it was sealed as."""
    stated = value.number if isinstance(value, SealedText) else value
    return stated if isinstance(stated, date | time) else None


def seal_layer(layer: Layer) -> Layer:
    """The layer with the secrets of its backends sealed."""
    backends = layer.get("backends")
    if not isinstance(backends, Mapping):
        return layer
    seal = partial(_seal, is_secret_layer=layer.origin.kind in _SECRET_LAYERS)
    return Layer(layer.origin, {**layer, "backends": map_leaves(backends, seal)})


def _seal(path: KeyPath, value: Any, *, is_secret_layer: bool) -> Any:
    own_path = path[1:]
    if value == BELOW and isinstance(path[-1], int):
        # It says what a list goes on with, and the merge must see it.
        return value
    is_secret = own_path not in _PLAIN_PATHS and (is_secret_layer or is_secret_path(own_path))
    if isinstance(value, SecretStr):
        return SealedText(value.get_secret_value())
    shown = _mask(value, is_secret=is_secret)
    if isinstance(value, str):
        return value if shown == value else SealedText(value, shown)
    if isinstance(value, int | float | date | time) and shown == MASK and own_path not in _TEXT_PATHS:
        return SealedText(str(value), number=value)
    return value


def seal_overrides(overrides: object) -> Layer | None:
    """The layer of the overrides given in code, copied and sealed; None where they are no mapping."""
    if not isinstance(overrides, Mapping | None):
        return None
    # A copy of tables and lists, whatever mappings and sequences the code may have given.
    table = map_leaves(overrides or {}, lambda _path, value: value)
    return seal_layer(Layer(Origin(LayerKind.OVERRIDES, "overrides"), table))


def mask_setting(key: str, value: Any) -> Any:
    """A setting as it may be shown: references as written, literal secrets and URL passwords hidden.

    Args:
        key: The setting's key.
        value: Its value as stated: a scalar, or tables and lists of them.
    """
    return map_leaves(value, lambda path, leaf: _mask(leaf, is_secret=is_secret_path(path)), (key,))


def _mask(value: Any, *, is_secret: bool) -> Any:
    if isinstance(value, SecretStr):
        return getattr(value, "shown", MASK)
    if isinstance(value, str):
        return _mask_text(value, is_secret=is_secret)
    # Whether something is switched on or absent tells nothing of a secret.
    if isinstance(value, bool | None):
        return value
    return MASK if is_secret else value


def _mask_text(text: str, *, is_secret: bool) -> str:
    parts: Template = (text,)
    if not text:
        # An empty text means none, which is no secret.
        return text
    # A text with nothing but an escape is shown as written, as is what is malformed.
    if holds_reference(text):
        with suppress(ReferenceSyntaxError):
            parts = parse_template(text)
    hide = (lambda _text: MASK) if is_secret else mask_url_password
    return mask_url_password("".join(map(partial(_shown_part, hide), parts)))


def _shown_part(hide: Callable[[str], str], part: str | Reference) -> str:
    """A reference as written, but for its default, which is hidden like any other text."""
    if isinstance(part, str):
        return hide(part)
    names = "|".join(map(str, part.names))
    default = "" if part.default is None else f":-{hide(part.default)}"
    return f"${{{names}{default}}}"
