r"""A credential is looked at before it is trusted: what can never work is told, by its place and never by its value.

character_fault("sk-abc\r", API_KEY)   # holds a carriage return at position 7
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from pipelex_cogt.config.foreign_references import foreign_reference, is_variable_name
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import is_placeholder, is_sealed_path
from pipelex_cogt.config.references import ReferenceSyntaxError, parse_template, render

_CHARACTERS = {
    "\0": "a NUL character",
    "\t": "a tab",
    "\n": "a line end",
    "\r": "a carriage return",
    "\x1b": "an escape character",
    "\x7f": "a delete character",
    "\ufeff": "a byte order mark",
}
# Quotes that a shell would take off, and `docker run --env-file` leaves on. One character at each end.
_QUOTED = r"(?s)(?P<quote>[\"'`]).*(?P=quote)"
# A word of a key that says that a person chose the value: any text may be one.
_CHOSEN = r"(?i)pass|pwd|phrase|user|pin\b"


class CredentialKind(NamedTuple):
    """What a setting is looked at for.

    Attributes:
        refused: A pattern for one character that it can never hold.
        reason: Why not, for a character that can be seen.
        is_generated: Whether a provider made it, so that a quoted text, a placeholder or a reference can be none.
        is_trimmed: Whether white space around it can be no part of it.
        is_url: Whether it must be a base URL, once its references are answered.
    """

    refused: str
    reason: str
    is_generated: bool
    is_trimmed: bool = True
    is_url: bool = False


_INVISIBLE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff"
_OF_TEXT = rf"[{_INVISIBLE}]|\r(?!\n)"
API_KEY = CredentialKind(r"[^\x20-\x7e]", "which no header takes", is_generated=True)
"""A key that is sent in a header."""
SECRET = CredentialKind(_OF_TEXT, "which no secret holds", is_generated=True)
"""A further secret, which may have several lines."""
CHOSEN_SECRET = CredentialKind(_OF_TEXT, "which no secret holds", is_generated=False)
"""A password."""
TEXT = CredentialKind(_OF_TEXT, "which no setting holds", is_generated=False, is_trimmed=False)
"""Any other setting."""
ENDPOINT = TEXT._replace(is_trimmed=True, is_url=True)
"""A base URL."""
_ABOVE = {"backends": 2, "models": 3}
"""How many keys of a key path stand above those of a backend, and of a model."""
_KINDS: Mapping[KeyPath, CredentialKind] = {("api_key",): API_KEY, ("endpoint",): ENDPOINT}


class Fault(NamedTuple):
    """Why a credential can never work.

    Attributes:
        problem: What is wrong with it, without its value: "holds a carriage return at position 7".
        hint: The next step, for a text of the settings.
        held_hint: The next step for what a variable or a file holds, where that is another.
    """

    problem: str
    hint: str
    held_hint: str | None = None

    @property
    def hint_for_source(self) -> str:
        """The next step for what a variable or a file holds."""
        return self.held_hint or self.hint


def kind_of(path: KeyPath) -> CredentialKind:
    """What the setting at a key path, such as `("backends", "openai", "api_key")`, is looked at for."""
    own_path = path[_ABOVE[path[0]] :] if path and path[0] in _ABOVE else ()
    if own_path in _KINDS:
        return _KINDS[own_path]
    if own_path[:1] == ("headers",):
        return API_KEY._replace(is_generated=is_sealed_path(own_path))
    if not is_sealed_path(own_path):
        return TEXT
    return CHOSEN_SECRET if re.search(_CHOSEN, str(own_path[-1])) else SECRET


def variable_for(path: KeyPath) -> str:
    """What a variable would usually be called that holds the setting at a key path: `OPENAI_API_KEY`."""
    return re.sub(r"\W", "_", "_".join(map(str, path[1:]))).upper()


def fault_of(text: str, kind: CredentialKind, is_set: Callable[[str], bool], variable: str) -> Fault | None:
    """Why a text can never work as what it is for; None where it may.

    Args:
        text: The text, without the white space around it.
        kind: What it is for.
        is_set: Says whether a variable is set, for the text may be its name.
        variable: The variable or file that holds it; for a text of the settings what one would be called.
    """
    guess = _guess(text, is_set, variable) if kind.is_generated else None
    return guess or character_fault(text, kind)


def character_fault(text: str, kind: CredentialKind) -> Fault | None:
    """The first character that a text cannot hold."""
    found = re.search(kind.refused, text)
    if found is None:
        return None
    unnamed = (f"U+{ord(found[0]):04X}", f", {kind.reason}")
    what, reason = (_CHARACTERS[found[0]], "") if found[0] in _CHARACTERS else unnamed
    return Fault(f"holds {what} at position {found.start() + 1}{reason}", "set it again without it")


def _guess(text: str, is_set: Callable[[str], bool], variable: str) -> Fault | None:
    """What stands in a credential's place and is none."""
    doubt = doubt_of(text, variable)
    if doubt is not None:
        return doubt
    if re.fullmatch(_QUOTED, text):
        return Fault("has quotes around it that are part of its value", "take them off")
    if _is_reference(text):
        return Fault("is a reference, and what it holds is not looked at again", "set its value")
    if is_variable_name(text) or is_set(text):
        return _write_instead("is the name of a variable instead of its value", text, variable)
    return None


def doubt_of(text: str, variable: str) -> Fault | None:
    """What stands in the place of any value, as an example or for another tool; None where it does not look so.

    Args:
        text: The text, without the white space around it.
        variable: The variable or file that holds it; for a text of the settings what one would be called.
    """
    # Most endpoints begin so, and no other tool's reference: nothing else is made ready for them.
    if text.startswith(("https://", "http://", "${")) and "your" not in text.casefold():
        return None
    foreign = foreign_reference(text)
    if foreign is not None:
        return _write_instead("looks like a reference of another tool", foreign or variable, variable)
    if is_placeholder(text):
        return Fault("looks like a placeholder", "set its value")
    return None


def _write_instead(problem: str, name: str, variable: str) -> Fault:
    """A fault that a reference of ours mends: in its place, or where the settings state what holds it."""
    hint = f"write ${{{name}}}"
    # The settings refer to what holds it already.
    is_stated = name == variable
    return Fault(problem, hint, "set its value" if is_stated else f"set its value, or {hint} in the settings")


def _is_reference(text: str) -> bool:
    """Whether a text is one of our own references, and nothing else."""
    if not text.startswith("${"):
        return False
    with suppress(ReferenceSyntaxError):
        return not render(parse_template(text), lambda _reference: "")
    # What is malformed was meant as one.
    return True
