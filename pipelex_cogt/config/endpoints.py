"""Endpoints: what can never be the base URL of an API, and what to write instead.

fault_of_endpoint("localhost:11434/v1")    # has no https:// or http:// in front; write http://localhost:11434/v1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from pipelex_cogt.config.credential_checks import Fault
from pipelex_cogt.config.references import Reference, ReferenceSyntaxError, Template, parse_template, render
from pipelex_cogt.config.suggestions import one_slip_from

_WEB_SCHEMES = ("https", "http")
# A scheme, and all that names the host. Classes of characters, each repeated once.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)")
# What follows is text until an endpoint has a fault.
# A slip in what follows the scheme: `http:/x`, `https//x`, `https:x`, `//x`; of what stays, slashes are taken off.
_BROKEN_SCHEME = r"(?i)(?:(https?)(?=[:/;]))?[:;]?/*"
# A host with a port and a path, of short names as people write them: nothing that may be a key. All is bounded.
_HOST = r"(?P<host>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,9})(?P<port>:\d{1,5})?(?:/[a-z][a-z0-9._-]{0,19}){0,5}/?"
_ADDRESS = r"[\d.]+"
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
        return Fault(_NO_SCHEME, _with_scheme(text, url), _ANY_SCHEME)
    return _fault_of_host(url, text)


def fault_of_template(text: str, answer: Callable[[Reference], str | None]) -> Fault | None:
    """Why a text can never be a base URL once its references are answered; None where it may be one.

    Args:
        text: The endpoint as stated.
        answer: The answer of a reference as far as it is known; None where it is not.
    """
    parts: Template = ()
    # What is malformed is told elsewhere.
    with suppress(ReferenceSyntaxError):
        parts = parse_template(text)
    references = [part for part in parts if isinstance(part, Reference)]
    answers = {each: answer(each) for each in references}
    if None not in answers.values():
        return fault_of_endpoint(render(parts, lambda reference: str(answers[reference])))
    literal = "".join(part for part in parts if isinstance(part, str))
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


def _with_scheme(text: str, url: re.Match[str] | None) -> str:
    """The text with the scheme that it lacks, where it is nothing but a host, a port and a path."""
    start = re.match(_BROKEN_SCHEME, text)
    rest = text[url.end(1) + len("://") :] if url else text[start.end() if start else 0 :]
    found = re.fullmatch(_HOST, rest)
    if found is None or not _looks_like_host(found):
        return _ANY_SCHEME
    meant = url[1] if url else start and start[1]
    return f"write {_scheme_for(found['host'], meant or '')}://{rest}"


def _looks_like_host(found: re.Match[str]) -> bool:
    """Whether a text is rather a host than any word: it has a dot or a port, or is this machine."""
    return "." in found["host"] or found["port"] is not None or found["host"] == "localhost"


def _scheme_for(host: str, meant: str) -> str:
    """The scheme that was meant; else that of a machine nearby, which has a plain name or an address, or the usual."""
    if meant:
        return "https" if "s" in meant.lower() else "http"
    is_nearby = "." not in host or re.fullmatch(_ADDRESS, host) is not None
    return "http" if is_nearby else "https"
