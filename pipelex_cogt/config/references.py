"""References: strings that name a value instead of holding it.

    ${NAME}                 the environment (the process's, over `.env`), then the secrets directory
    ${env:NAME}             the environment alone
    ${secret:NAME}          the secrets directory, then the application's own sources
    ${env:A|secret:B|C}     the first that is set; an empty value counts as unset
    ${NAME:-text}           the text where nothing is set
    $${                     a literal ${

A reference may stand inside longer text. What it yields is text and is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.suggestions import NearName

# An escaped opening, a whole reference, or all that follows an opening that nothing closes. A body stops at the first
# brace, and where there is none the rest is taken whole, so that no character is looked at more than twice.
_TOKEN = re.compile(r"(\$\$\{|\$\{[^}]*+\}|\$\{.*+)", re.DOTALL)
# What would lead out of the secrets directory. Single characters and one fixed text.
UNSAFE_NAME = re.compile(r"[/\\\0]|^\.\.?$")


class Prefix(StrEnum):
    """Which sources a name is looked up in."""

    ANY = ""
    ENV = "env"
    SECRET = "secret"  # noqa: S105 -- because: it is a prefix, no password


_PREFIXES = {"": Prefix.ANY, "env:": Prefix.ENV, "secret:": Prefix.SECRET}


class Name(NamedTuple):
    """One name of a reference, with the sources it is looked up in."""

    prefix: Prefix
    name: str

    def __str__(self) -> str:
        return ":".join(filter(None, (self.prefix, self.name)))


class Reference(NamedTuple):
    """What stands between `${` and `}`: names in the order in which they are tried, and a default."""

    names: tuple[Name, ...]
    default: str | None = None

    def __str__(self) -> str:
        return " or ".join(map(str, self.names))


Template: TypeAlias = tuple[str | Reference, ...]
"""A string taken apart: literal text and references in their order."""


class ReferenceSyntaxError(ValueError):
    """A string that looks like a reference and is none."""


def holds_reference(text: str) -> bool:
    """Whether a string holds a reference, or something that would like to be one."""
    # In the place of an escape stands another character, so that what is around it does not meet.
    return "${" in text.replace("$${", " ")


@lru_cache(maxsize=1024)
def parse_template(text: str) -> Template:
    """Take a string apart into literal text and references.

    Raises:
        ReferenceSyntaxError: An unknown prefix, an unclosed brace, an empty or an impossible name.
    """
    return tuple(filter(None, map(_parse_part, _TOKEN.split(text))))


def _parse_part(part: str) -> str | Reference:
    if part == "$${":
        return "${"
    if part.startswith("${") and "}" not in part:
        raise ReferenceSyntaxError("a reference opens with ${ and never closes; write $${ for a literal ${")
    # Between two tokens no text has an opening.
    return _parse_reference(part[2:-1]) if part.startswith("${") else part


def references_in(text: str) -> list[Reference]:
    """The references in a text, each once.

    Raises:
        ReferenceSyntaxError: One of them is malformed.
    """
    return [*dict.fromkeys(part for part in parse_template(text) if isinstance(part, Reference))]


def _parse_reference(body: str) -> Reference:
    if "${" in body:
        raise ReferenceSyntaxError("a reference cannot stand inside another one")
    names, *default = body.split(":-", 1)
    return Reference(tuple(map(_parse_name, names.split("|"))), *default)


def _parse_name(text: str) -> Name:
    prefix, colon, name = map(str.strip, text.rpartition(":"))
    if prefix + colon not in _PREFIXES:
        near = NearName(prefix, (Prefix.ENV, Prefix.SECRET), otherwise="expected env: or secret:").tell()
        raise ReferenceSyntaxError(f"unknown prefix {prefix!r} in a reference; {near}")
    if not name:
        raise ReferenceSyntaxError("a reference needs a name, and this one is empty")
    if UNSAFE_NAME.search(name):
        raise ReferenceSyntaxError(f"{name!r} cannot name a variable or a secret: no slashes, not . or ..")
    return Name(_PREFIXES[prefix + colon], name)


def render(template: Template, render_reference: Callable[[Reference], str]) -> str:
    """Put a template together again, each reference as `render_reference` says."""
    return "".join(part if isinstance(part, str) else render_reference(part) for part in template)
