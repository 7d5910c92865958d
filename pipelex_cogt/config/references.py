"""References: strings that name a value instead of holding it.

    ${NAME}                 the environment (the process's, over `.env`), then the secrets directory
    ${env:NAME}             the environment alone
    ${secret:NAME}          the secrets directory, then the application's own sources; `a/b` is a file in a folder of it
    ${env:A|secret:B|C}     the first that is set; an empty value counts as unset
    ${NAME:-text}           the text where nothing is set
    $${                     a literal ${

Where the variable NAME is unset and NAME_FILE names a file, its text answers. A reference may stand inside longer text.
What it yields is text without white space around it, and is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.foreign_references import foreign_reference
from pipelex_cogt.config.suggestions import NearName

# An escaped opening, a whole reference, or all that follows an opening that nothing closes. A body stops at the first
# brace, and where there is none the rest is taken whole, so that no character is looked at more than twice.
_TOKEN = re.compile(r"(\$\$\{|\$\{[^}]*+\}|\$\{.*+)", re.DOTALL)
# What would lead out of the secrets directory, and what no file is called: an empty step, `.`, `..`, a backslash.
UNSAFE_NAME = re.compile(r"[\\\0]|(?:^|/)\.{0,2}(?:/|$)")
# What no variable can be called.
_NO_VARIABLE = re.compile(r"\W")
# What may be a key instead of a name: long, with digits. Two looks ahead of one class, repeated.
_PERHAPS_A_KEY = r"(?s)^(?=.{24})(?=\D*\d)|^sk-"
# Names that no variable can have, with what is meant by them: a default without its colon, a file in a folder. They
# are compiled when a name is refused.
_RIGHT_FORMS = {
    r"(\w+)-(\w*)": r"${\1:-\2} for a default, ${secret:\1-\2} for a secret's file",
    r"([^/\n]*+/.*+)": r"${secret:\1} for a secret's file",
}


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


def parse_as_written(text: str) -> Template:
    """Literal text and references as written; a text with nothing but an escape, or malformed, is one literal."""
    with suppress(ReferenceSyntaxError):
        # What holds no reference is not taken apart: what that yields is remembered, and this may be a secret.
        if holds_reference(text):
            return tuple("$${" if part == "${" else part for part in parse_template(text))
    return (text,)


def _parse_part(part: str) -> str | Reference:
    if not part.startswith("${"):
        # Between two tokens no text has an opening, and an escape is a token of its own.
        return part.replace("$${", "${")
    if "}" not in part:
        raise ReferenceSyntaxError("a reference opens with ${ and never closes; write $${ for a literal ${")
    return _parse_reference(part[2:-1])


def references_in(text: str) -> list[Reference]:
    """The references in a text, each once.

    Raises:
        ReferenceSyntaxError: One of them is malformed.
    """
    return [*dict.fromkeys(references_of(parse_template(text)))]


def references_of(template: Template) -> Iterator[Reference]:
    """The references of a string taken apart, in their order."""
    return (part for part in template if isinstance(part, Reference))


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
    source = _PREFIXES[prefix + colon]
    refused, thing, right_form = _OF_FILE if source is Prefix.SECRET else _OF_VARIABLE
    if refused.search(name):
        raise ReferenceSyntaxError(f"{_shown_name(name)} cannot name {thing}; write {right_form(name)}")
    return Name(source, name)


def _shown_name(name: str) -> str:
    """A name for a message, unless it may be a key that somebody put between the braces."""
    return "this text" if re.search(_PERHAPS_A_KEY, name) else repr(name)


def _right_form(name: str) -> str:
    """What to write instead of a name that no variable can have."""
    # Of `${{ secrets.X }}` the name ends before the first brace.
    if foreign := foreign_reference(f"{name}}}" if name.startswith("{") else name):
        return f"${{{foreign}}}"
    if re.search(_PERHAPS_A_KEY, name) or UNSAFE_NAME.search(name):
        return "the name of a variable, of letters, digits and _ alone"
    forms = ((re.fullmatch(form, name), wanted) for form, wanted in _RIGHT_FORMS.items())
    usual = f"${{{_NO_VARIABLE.sub('_', name)}}} for a variable, ${{secret:{name}}} for a secret's file"
    return next((found.expand(wanted) for found, wanted in forms if found), usual)


_Rule: TypeAlias = tuple[re.Pattern[str], str, Callable[[str], str]]
"""What a name cannot hold, what it names, and what to write instead."""
_OF_VARIABLE: _Rule = (_NO_VARIABLE, "a variable", _right_form)
_OF_FILE: _Rule = (UNSAFE_NAME, "a secret's file", lambda _name: "its path, without . and ..")


def render(template: Template, render_reference: Callable[[Reference], str]) -> str:
    """Put a template together again, each reference as `render_reference` says."""
    return "".join(part if isinstance(part, str) else render_reference(part) for part in template)
