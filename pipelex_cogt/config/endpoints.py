"""Endpoints: what can never be the base URL of an API, and what to write instead.

fault_of_endpoint("localhost:11434/v1")    # has no https:// or http:// in front; write http://localhost:11434/v1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from pipelex_cogt.config.credential_checks import Fault
from pipelex_cogt.config.references import Reference, ReferenceSyntaxError, parse_template, references_of, render
from pipelex_cogt.config.suggestions import one_slip_from

_WEB_SCHEMES = ("https", "http")
# A scheme, and all that names the host. Classes of characters, each repeated once.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)")
# What follows is text until an endpoint has a fault.
# A scheme with a slip, or a slip in what follows one: `http:/x`, `https//x`, `https:x`, `//x`. Nothing of it is tried
# in a second way.
_BROKEN_SCHEME = r"(?>(?P<slip>[A-Za-z][A-Za-z0-9+.-]*)://|(?:(?P<scheme>(?i:https?))(?=[:/;]))?[:;]?/*)"
# A host with a port and a path, of short names as people write them: nothing that may be a key. All is bounded.
# It is rather a host than any word: it has a dot or a port, or is this machine.
_LABEL = r"[a-z0-9-]{1,63}"
_HOST = rf"(?P<host>{_LABEL}(?:\.{_LABEL}){{1,9}}|localhost(?![^:/])|{_LABEL}(?=:))"
_PORT_AND_PATH = r"(?::\d{1,5})?(?:/[a-z][a-z0-9._-]{0,19}){0,5}/?"
_BARE = rf"{_BROKEN_SCHEME}(?P<rest>{_HOST}{_PORT_AND_PATH})"
# A machine nearby has a plain name or an address.
_NEARBY = r"[^.]*|[\d.]+"
_NO_SCHEME = "has no https:// or http:// in front"
_ANY_SCHEME = "begin it with https:// or http://"


def fault_of_endpoint(text: str) -> Fault | None:
    """Why a text can never be a base URL; None where it may be one, or is empty and stands for none.

    The next step shows a text that is nothing but a host, a port and a path; that of a source shows none of it.
    """
    text = text.strip()
    if not text:
        return None
    if any(map(str.isspace, text)):
        return Fault("holds white space", "take it out")
    url = _URL.match(text)
    if url is None or _is_slip(url[1].lower()):
        return Fault(_NO_SCHEME, _with_scheme(text), _ANY_SCHEME)
    return _fault_of_host(url, text)


def fault_of_template(text: str, answer: Callable[[Reference], str | None]) -> Fault | None:
    """Why a text can never be a base URL once its references are answered; None where it may be one.

    Args:
        text: The endpoint as stated.
        answer: The answer of a reference as far as it is known; None where it is not.
    """
    parts: tuple[str | Reference, ...] = ()
    # What is malformed is told elsewhere.
    with suppress(ReferenceSyntaxError):
        parts = parse_template(text)
    answers = {reference: answer(reference) for reference in references_of(parts)}
    if None not in answers.values():
        return fault_of_endpoint(render(parts, lambda reference: str(answers[reference])))
    literal = render(parts, lambda _reference: "")
    # What begins with a reference may get its scheme from there.
    is_judged = isinstance(parts[0], str) and "://" not in literal
    return Fault(_NO_SCHEME, _ANY_SCHEME) if is_judged else None


def _fault_of_host(url: re.Match[str], text: str) -> Fault | None:
    scheme, host = url.groups()
    if host.endswith(":") and text[url.end() :].startswith("//"):
        return Fault("has a scheme twice", "keep one of the two")
    if scheme.lower() in _WEB_SCHEMES and host.rpartition("@")[2].partition(":")[0] == "":
        return Fault("names no host", "state it after the scheme")
    return None


def _is_slip(scheme: str) -> bool:
    """Whether a scheme is one slip away from those of the web."""
    return scheme not in _WEB_SCHEMES and one_slip_from(scheme, _WEB_SCHEMES) is not None


def _with_scheme(text: str) -> str:
    """The text with the scheme that it lacks, where it is nothing but a host, a port and a path."""
    found = re.fullmatch(_BARE, text)
    if found is None:
        return _ANY_SCHEME
    # The scheme that was meant; else that of a machine nearby, or the usual.
    meant = found["slip"] or found["scheme"]
    is_secure = "s" in meant.lower() if meant else re.fullmatch(_NEARBY, found["host"]) is None
    return f"write {'https' if is_secure else 'http'}://{found['rest']}"
