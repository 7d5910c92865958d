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

from pipelex_cogt.config.suggestions import did_you_mean

# An escaped opening, a whole reference, or an opening that nothing closes. The body stops at the first brace.
_TOKEN = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*+)\}|\$\{")
# What would lead out of the secrets directory. Single characters and one fixed text.
UNSAFE_NAME = re.compile(r"[/\\\0]|^\.\.?$")


class Prefix(StrEnum):
    """Which sources a name is looked up in."""

    ANY = ""
    ENV = "env"
    SECRET = "secret"  # noqa: S105 -- because: it is a prefix, no password


class Name(NamedTuple):
    """One name of a reference, with the sources it is looked up in."""

    prefix: Prefix
    name: str

    def __str__(self) -> str:
        return self.name if self.prefix is Prefix.ANY else f"{self.prefix}:{self.name}"


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
    # Most texts hold none, and looking for two letters is quicker than matching.
    if "${" not in text:
        return False
    return any(token[0] != "$${" for token in _TOKEN.finditer(text))


@lru_cache(maxsize=1024)
def parse_template(text: str) -> Template:
    """Take a string apart into literal text and references.

    Raises:
        ReferenceSyntaxError: An unknown prefix, an unclosed brace, an empty or an impossible name.
    """
    parts: list[str | Reference] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        end = token.end()
        if token[0] == "$${":
            parts.append("${")
        elif token["body"] is None:
            raise ReferenceSyntaxError("a reference opens with ${ and never closes; write $${ for a literal ${")
        else:
            parts.append(_parse_reference(token["body"]))
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def references_in(text: str) -> list[Reference]:
    """The references in a text.

    Raises:
        ReferenceSyntaxError: One of them is malformed.
    """
    return [part for part in parse_template(text) if isinstance(part, Reference)]


def _parse_reference(body: str) -> Reference:
    names, marker, default = body.partition(":-")
    if "${" in body:
        raise ReferenceSyntaxError("a reference cannot stand inside another one")
    return Reference(tuple(map(_parse_name, names.split("|"))), default if marker else None)


def _parse_name(text: str) -> Name:
    prefix, colon, name = (part.strip() for part in text.rpartition(":"))
    if colon and prefix not in (Prefix.ENV, Prefix.SECRET):
        near = did_you_mean(prefix, ["env", "secret"]) or "expected env: or secret:"
        raise ReferenceSyntaxError(f"unknown prefix {prefix!r} in a reference; {near}")
    if not name:
        raise ReferenceSyntaxError("a reference needs a name, and this one is empty")
    if UNSAFE_NAME.search(name):
        raise ReferenceSyntaxError(f"{name!r} cannot name a variable or a secret: no slashes, not . or ..")
    return Name(Prefix(prefix), name)


def render(template: Template, render_reference: Callable[[Reference], str]) -> str:
    """Put a template together again, each reference as `render_reference` says."""
    return "".join(part if isinstance(part, str) else render_reference(part) for part in template)
