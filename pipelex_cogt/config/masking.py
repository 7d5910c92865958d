"""Masking: what is secret, and how it stays out of sight.

Text in the backends' tables that holds a secret is sealed as soon as a layer is read. From then on no tree, history,
message or traceback holds it plainly, and whatever is shown goes through `mask_setting`. What is sealed may yet be
handed over as the text or number that it is: see `is_sealed_path`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from functools import partial
from typing import Any, Self

from pydantic import SecretStr

from pipelex_cogt.config.hiding import Hidden
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin
from pipelex_cogt.config.references import Reference, parse_as_written, references_of, render
from pipelex_cogt.config.secret_names import names_headers, names_sealed, names_secret
from pipelex_cogt.config.secret_values import MASK, REFERENCE, SECRET_REFERENCE, hide, mask_text
from pipelex_cogt.config.tables import BELOW, map_leaves, thaw

_SECRET_LAYERS = (LayerKind.SECRETS_FILE, LayerKind.SECRETS_DIRECTORY)
# A backend's own keys that no secret stands under; deeper down they are names like any other.
_PLAIN_PATHS = (("enabled",), ("display_name",), ("timeout",), ("max_retries",), ("models_like",))
# A backend's own keys that must hold text: a number there stays one, so that validation refuses it.
_TEXT_PATHS = (("endpoint",), ("api_key",))
_FREE_TABLES = ("headers", "extra_body", "extra_config")
"""The tables of a model and of a preset whose keys people choose, so that any of them may hold a secret."""
_DEPTH_OF_THINGS = 2
"""How far below its section a model's table stands, and a preset's."""
_MARK = re.compile(f"[{REFERENCE}{SECRET_REFERENCE}]")

# What example files hold instead of a secret: `your-api-key`, `sk-...`, `<key>`, `changeme`; not a key that merely
# has such letters in it. It looks ahead from each `your`, so it is asked of short values alone.
_PLACEHOLDER = (
    r"your[-_ ].*|.*your[-_ ]?(?:\w+[-_ ])?(?:key|token|secret).*|(?:sk-)?(?:\.{2,}|x{3,}|<.*>)"
    r"|(?:change|replace|insert|enter|fill)[-_ ]?(?:me|in|with|this|your)\b.*|changeme|placeholder|todo"
)
_LONGEST_PLACEHOLDER = 200


def is_secret_path(path: KeyPath) -> bool:
    """Whether what stands at a key path is masked: a key says that it is secret or holds headers."""
    names = [*map(str, path)]
    return any(map(names_secret, names)) or any(map(names_headers, names))


def is_sealed_path(path: KeyPath) -> bool:
    """Whether what stands at a key path is handed over sealed; the nearest name that says anything decides."""
    answers = map(names_sealed, map(str, reversed(path)))
    return next((answer for answer in answers if answer is not None), False)


def is_in_free_table(path: KeyPath) -> bool:
    """Whether a key path leads into a table whose keys people choose, so that its value may be a secret."""
    return any(key in _FREE_TABLES for key in path[_DEPTH_OF_THINGS:])


def is_placeholder(value: str) -> bool:
    """Whether a value looks like what an example file holds instead of a secret."""
    text = value.strip()
    # Compiled when a value is first looked at: most processes that start up for a moment have none.
    is_short = 0 < len(text) <= _LONGEST_PLACEHOLDER
    return is_short and re.fullmatch(_PLACEHOLDER, text, re.IGNORECASE) is not None


class SealedText(SecretStr):
    """Text that holds a secret: shown masked, and left behind by a pickle.

    Attributes:
        shown: The text as it may be shown, such as `https://user:**********@host`.
        is_wrapped: Whether the code stated it as a `SecretStr`, so that it is handed over as one.
        is_lost: Whether it came out of a pickle, which left the text behind.
    """

    def __init__(self, stated: object, shown: str = MASK, *, is_wrapped: bool = False, is_lost: bool = False) -> None:
        # The text is no attribute, as it is of a `SecretStr`: whoever lists attributes would find it.
        self._stated = Hidden(stated)
        self.shown = shown
        self.is_wrapped = is_wrapped
        self.is_lost = is_lost

    def get_secret_value(self) -> str:
        """The text."""
        return str(self._stated.open())

    def stated(self) -> Any:
        """What the layer states: text, a number, a date or a time, or what only code can state."""
        return self._stated.open()

    def _display(self) -> str:
        return self.shown

    def __len__(self) -> int:
        return len(self.get_secret_value())

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


class ShownText(str):
    """Text that is handed over as it is, and of which a repr shows no more than may be shown.

    Whoever lists the properties of an object, as `rich.inspect` does, prints what they answer.
    """

    __slots__ = ("_shown",)

    _shown: str

    def __new__(cls, text: str, shown: str) -> Self:
        """The text that is handed over, with what is shown of it."""
        told = super().__new__(cls, text)
        told._shown = shown
        return told

    def __repr__(self) -> str:
        return repr(self._shown)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def plain_text(value: Any) -> Any:
    """What a sealed text holds; any other value as it is. For whoever answers or sends it, never for showing."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def stated_value(value: Any) -> Any:
    """What a layer states, of its own type: a sealed number is a number again; any other value as it is."""
    return value.stated() if isinstance(value, SealedText) else value


def date_in(value: Any) -> date | time | None:
    """The date or time that a value is, or that it was sealed as."""
    stated = stated_value(value)
    return stated if isinstance(stated, date | time) else None


def seal_layer(layer: Layer) -> Layer:
    """The layer with its secrets sealed: those of its backends, and of the tables whose keys people choose."""
    seal = partial(_seal, is_secret_layer=layer.origin.kind in _SECRET_LAYERS)
    sealed = dict(layer)
    if isinstance(layer.get("backends"), Mapping):
        sealed["backends"] = map_leaves(layer["backends"], seal)
    for section in filter(layer.__contains__, ("models", "deck")):
        sealed[section] = _seal_free_tables(layer[section], seal)
    return Layer(layer.origin, sealed)


def _seal_free_tables(value: Any, seal: Callable[[KeyPath, Any], Any], depth: int = _DEPTH_OF_THINGS) -> Any:
    """A section with what is secret in the free tables of its models or presets sealed."""
    if not isinstance(value, Mapping):
        return value
    if depth:
        below = {key: _seal_free_tables(item, seal, depth - 1) for key, item in value.items()}
    else:
        below = {key: map_leaves(value[key], seal, ("", key)) for key in _FREE_TABLES if key in value}
    # Most hold none, and a section that is passed on whole costs a load nothing.
    is_changed = any(below[key] is not value[key] for key in below)
    return {**value, **below} if is_changed else value


def _seal(path: KeyPath, value: Any, *, is_secret_layer: bool) -> Any:
    if isinstance(value, SealedText):
        return value
    if isinstance(value, SecretStr):
        return SealedText(value.get_secret_value(), is_wrapped=True)
    own_path = path[1:]
    if isinstance(value, str) and value == BELOW and isinstance(path[-1], int):
        # It says what a list goes on with, and the merge must see it.
        return value
    is_secret = own_path not in _PLAIN_PATHS and (is_secret_layer or is_secret_path(own_path))
    shown = _mask(value, is_secret=is_secret)
    is_sealable = isinstance(value, str) or own_path not in (*_TEXT_PATHS, *_PLAIN_PATHS)
    # An object of the code's own is always masked, and may refuse to be compared.
    is_masked = shown is MASK or shown != value
    return SealedText(value, shown) if is_sealable and is_masked else value


def seal_overrides(overrides: Mapping[str, Any] | None) -> Layer:
    """The layer of the overrides given in code, copied and sealed."""
    # A copy of tables and lists, whatever mappings and sequences the code may have given.
    table = thaw(overrides or {})
    return seal_layer(Layer(Origin(LayerKind.OVERRIDES, "overrides"), table))


def mask_setting(key: str, value: Any) -> Any:
    """A setting as it may be shown: references as written, literal secrets hidden.

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
    return MASK if is_secret or _is_foreign(value) else value


def _is_foreign(value: object) -> bool:
    """Whether only code can state a value, such as bytes, a set or an object: nobody knows what it shows of itself."""
    return not isinstance(value, str | int | float | date | time | None)


def _mask_text(text: str, *, is_secret: bool) -> str:
    parts = parse_as_written(text)
    conceal = hide if is_secret else mask_text
    masked = conceal(render(parts, lambda _reference: REFERENCE))
    return _MARK.sub(partial(_shown_reference, references_of(parts)), masked)


def _shown_reference(references: Iterator[Reference], mark: re.Match[str]) -> str:
    """The next reference as written, but for its default, which is hidden like any other text."""
    reference = next(references)
    names = "|".join(map(str, reference.names))
    conceal = hide if mark[0] == SECRET_REFERENCE else mask_text
    default = "" if reference.default is None else f":-{conceal(reference.default)}"
    return f"${{{names}{default}}}"
