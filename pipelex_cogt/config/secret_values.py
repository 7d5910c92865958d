"""Secret values: text that looks like a key, or holds one, whatever its key is called.

    https://user:pw@host/v1?sig=abc     https://user:**********@host/v1?sig=**********
    Bearer sk-proj-abc                  **********

A reference is no literal. Whoever masks a text with references puts `REFERENCE` in the place of each and finds them
again in their order, as `SECRET_REFERENCE` where what stands for the reference would be a secret.

Every function here goes through a text once, however the text is made to mislead it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelex_cogt.config.secret_names import names_secret

MASK = "**********"
# UTF-8 has no such letters, so no file and no variable holds them.
REFERENCE = "\ud800"
SECRET_REFERENCE = "\ud801"  # noqa: S105 -- because: it is a mark, no password

_KEY_BEGINNINGS = (
    "sk- sk_ rk_live_ rk_test_ pk_live_ pk_test_ whsec_ AKIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt-"
    " glptt- glcbt- xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- AIza ya29. hf_ gsk_ xai- pplx- nvapi- r8_"
    " tgp_v1_ fw_ csk- dapi hvb. hvr. hvs. npm_ pypi- rubygems_ dop_v1_ doo_v1_ dckr_pat_ SG. shpat_ shpss_ shpca_"
    " lin_api_ ntn_ secret_ figd_ ATATT ATCTT ATBB sntrys_ sntryu_ lsv2_ phc_ phx_ sbp_ tvly- jina_ pcsk_ rpa_ esecret_"
    " PMAK- AGE-SECRET-KEY- sq0atp- sq0csp- pat-na1- ABSK bedrock-api-key- nfp_ vck_ e2b_ apify_api_ AQVN eyJ"
    " GOCSPX- glsa_ NRAK-"
)
"""How providers begin their keys: models, clouds, repositories, chats, payments, and JSON web tokens."""
_KEY_PREFIXES = tuple(_KEY_BEGINNINGS.split())
_SHORTEST_KEY = 6
_SCHEME = r"\s*(?:bearer|basic|digest|negotiate|token|api-?key|sharedkey|sharedaccesssignature|aws4-hmac-sha256)\s+"
# How a secret is sent. It is no secret itself, and stays where a reference follows.
_SCHEME_ALONE = rf"(?i)(?:[\w-]{{1,60}}\s*[:=])?{_SCHEME}"
# At its start, or after the name of a header. `token` is a word of plain text too.
_WITH_SCHEME = rf"(?i)(?:\A|[:=\"'])(?!\s*token){_SCHEME}\S"
_PEM = "-----BEGIN "
_LITERAL = re.compile(f"[^{REFERENCE}{SECRET_REFERENCE}]+")

# Where a key may begin and end inside of a word.
_PIECE = re.compile(r"""[^\s=:;,|&?#/@'"`<>(){}\[\]\\]+""")
# Long, and no UUID: one names something and opens nothing.
_LONG = r"(?![0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z)[\w+=~-]+"
_SHORTEST_LONG = 20
_LETTER_MEETS_DIGIT = r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
_FEWEST_MEETINGS = 4
# Capitals, small letters and digits without a sign between words, as in keys of AWS and Azure.
_SHORTEST_BASE64 = 32
_BASE64 = r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9+][A-Za-z0-9+/]+={0,2}"

# A URL ends where a word does. Each is one class of characters, repeated, or bounded.
_WORD = re.compile(r"\S+")
_NEXT_URL = r"(?<=[,;|])(?=[A-Za-z][A-Za-z0-9+.-]{0,30}://)"
_OPENS_USER = r"://[^/?#@:]*:(?!\d{1,5}(?:[/?#,;|]|\Z))"
# A password with a blank in it, of a URL that a text begins with.
_BEFORE_BLANK = r"\s*[A-Za-z][A-Za-z0-9+.-]{0,30}://(?=[^/?#@:\s]*:(?!\d{1,5}(?:[/?#,;|\s]|\Z))[^\s@]*\s)"
_HEAD = re.compile(r"[^/?#]*")
_HOST_AND_PORT = rf"(?s)[^:]*:(?:\d{{1,5}}|{REFERENCE})|\[.*"
# `user:password@host`, but no address of a mail and no port. The password goes on to the last at sign.
_LOGIN = r"(?s)((?!mailto:|acct:|xmpp:|sips?:)(?://)?[^\s/?#@:=]{0,200}:(?!\d{1,5}/))(.+)(@[^@]*)"
# The name of a parameter of a query, a fragment or a connection string, and all that may be its value.
_PARAMETER = r"(?:(?<=[?&;#,])|\A)([^=&;#?,]{1,100})="
_VALUE = re.compile(r"[^&;#]*")


def mask_text(text: str) -> str:
    """Hide what looks like a secret in a text: keys, passwords of URLs, parameters that are secret by their name."""
    if re.search(_WITH_SCHEME, text) or _PEM in text:
        return hide(text)
    opened = re.match(_BEFORE_BLANK, text) if "@" in text else None
    if opened:
        user, _at, host = text[opened.end() :].rpartition("@")
        return f"{opened[0]}{_mask_user(user)}@{_mask_words(host)}"
    return _mask_words(text)


def _mask_words(text: str) -> str:
    return _WORD.sub(lambda word: "".join(map(_mask_word, _urls_of(word[0]))), text)


def hide(text: str) -> str:
    """A text of which nothing is shown but its references."""
    return _LITERAL.sub(_hide_literal, text).replace(REFERENCE, SECRET_REFERENCE)


def _hide_literal(literal: re.Match[str]) -> str:
    is_before_reference = literal.end() < len(literal.string)
    return literal[0] if is_before_reference and re.fullmatch(_SCHEME_ALONE, literal[0]) else MASK


def looks_like_key(piece: str) -> bool:
    """Whether a text without white space begins as the keys of a provider do, or is long and random."""
    has_prefix = len(piece) >= _SHORTEST_KEY and piece.startswith(_KEY_PREFIXES)
    # What begins a key may end in a dot: `dp.st.…`.
    return has_prefix or any(map(_is_random, piece.split(".")))


def _is_random(piece: str) -> bool:
    """Whether letters and digits alternate as in no word."""
    is_long = len(piece) >= _SHORTEST_LONG and re.fullmatch(_LONG, piece) is not None
    return is_long and len(re.findall(_LETTER_MEETS_DIGIT, piece)) >= _FEWEST_MEETINGS


def _urls_of(word: str) -> Iterator[str]:
    """The parts of a word with a URL each; one that begins before an at sign has ended a password belongs to it."""
    waiting: list[str] = []
    is_open = False
    for part in re.split(_NEXT_URL, word):
        waiting.append(part)
        is_open = "@" not in part and (is_open or re.search(_OPENS_USER, part) is not None)
        if not is_open:
            yield "".join(waiting)
            waiting = []
    yield "".join(waiting)


def _mask_word(word: str) -> str:
    if "://" in word:
        without_users = "".join(_without_passwords(word)) if "@" in word else word
        without_parameters = "".join(_without_parameters(without_users))
        return _PIECE.sub(lambda piece: _hide_key(piece[0]), without_parameters)
    is_base64 = len(word) >= _SHORTEST_BASE64 and re.fullmatch(_BASE64, word) is not None
    if is_base64 or any(map(looks_like_key, _PIECE.findall(word))):
        return hide(word)
    login = re.fullmatch(_LOGIN, word) if "@" in word else None
    if login:
        before, password, host = login.groups()
        return before + hide(password) + host
    return "".join(_without_parameters(word))


def _without_parameters(word: str) -> Iterator[str]:
    """The parts of a word, with the values of the parameters masked that are secret.

    A secret may hold a comma, so it goes on to the next sign that surely ends a parameter.
    """
    told = looked = 0
    for parameter in re.finditer(_PARAMETER, word) if "=" in word else ():
        is_secret = _is_secret_parameter(parameter[1])
        # What several names share, with commas between, is looked at with the first of them.
        is_new = parameter.end() >= looked
        if parameter.start() >= told and (is_secret or is_new):
            value = _VALUE.match(word, parameter.end())
            assert value  # noqa: S101 -- because: it matches nothing as well
            looked = value.end()
            if value[0] and (is_secret or _holds_encoded_user(value[0])):
                yield word[told : value.start()]
                yield hide(value[0])
                told = value.end()
    yield word[told:]


def _is_secret_parameter(name: str) -> bool:
    return name.lower() == "code" or names_secret(_decoded(name))


def _holds_encoded_user(value: str) -> bool:
    """Whether a value holds a URL with a user, in the signs that stand for others in a URL."""
    folded = value.lower()
    start = folded.find("%3a%2f%2f")
    return 0 <= start < folded.rfind("%40")


def _decoded(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote  # imported here because most names have no such sign

    return unquote(name)


def _without_passwords(word: str) -> Iterator[str]:
    """The parts of a word of URLs, with what stands between `://` and `@` masked."""
    told, last_at = 0, word.rfind("@")
    for scheme in re.finditer("://", word):
        start = scheme.end()
        at = _end_of_user(word, start, last_at) if start > told else -1
        if at >= start:
            yield word[told:start]
            yield _mask_user(word[start:at])
            told = at
    yield word[told:]


def _end_of_user(word: str, start: int, last_at: int) -> int:
    """Where the user of a URL ends that begins at `start`; a negative number where it has none.

    A password may hold any sign. So where there is one, the last at sign of the word ends it.
    """
    head = _HEAD.match(word, start)
    assert head  # noqa: S101 -- because: it matches nothing as well
    user, at, _host = head[0].rpartition("@")
    if at:
        return last_at if ":" in user else start + len(user)
    return last_at if ":" in head[0] and not re.fullmatch(_HOST_AND_PORT, head[0]) else -1


def _mask_user(user: str) -> str:
    name, colon, password = user.partition(":")
    # A token is often sent as the user, with nothing or a fixed word for the password.
    conceal = _hide_key if password else hide
    return conceal(name) + colon + hide(password)


def _hide_key(piece: str) -> str:
    """A piece of a text, hidden where it looks like a key."""
    return hide(piece) if looks_like_key(piece) else piece
