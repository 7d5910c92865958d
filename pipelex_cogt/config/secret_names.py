"""Secret names: what the name of a key says of its value.

Two questions are asked of a name, and each has its rule. `names_secret` is generous, for it decides what is masked
where settings are shown: one secret word is enough. `names_sealed` is strict, for it decides what an SDK is handed as a
`SecretStr`: the name has to end in what its value is.

    session_token       masked, and handed over as a SecretStr
    webhook_url         masked
    token_url           neither: it ends in something that is no secret
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, product
from typing import TypeAlias

# The words of a name however it is spelt: `apiKey`, `APIKey`, `api-key`, `API_KEY_2`. Runs of one class of letters.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


_Term: TypeAlias = str | tuple[str, str]
"""What rules look for in a name: one word, or two of which one follows the other."""


def _words(text: str) -> frozenset[_Term]:
    return frozenset(text.split())


def _pairs(*tables: str) -> frozenset[_Term]:
    """Every two words that a table such as `api access / key keys` combines."""
    sides = ([side.split() for side in table.split("/")] for table in tables)
    return frozenset(pair for first, second in sides for pair in product(first, second))


_SECRET_WORDS = _words(
    "secret secrets password passwords passwd pwd passphrase passphrases passcode passcodes passkey credential"
    " credentials cred creds token auth oauth authz authorization authentication bearer jwt jwts cookie cookies session"
    " sessions csrf xsrf dsn otp totp hotp mnemonic hmac signature signatures sig sas pem pfx keytab keystore"
    " webhook webhooks htpasswd netrc kubeconfig pgpass dockerconfigjson"
)
"""Words that make a name secret wherever they stand in it."""

_SECRET_ENDINGS = _words("key keys pass pin pat salt salts pepper kms sid pw ak sk")
"""Words that make a name secret as its last one, and say other things elsewhere."""

_SECRET_PAIRS = _pairs(
    "api access account admin app application auth client consumer crypto decryption encryption function functions"
    " host license master primary private root secondary secret service shared signing ssh storage subscription user"
    " / key keys",
    "ai / key",
    "access api auth bearer bot github id npm refresh session user vault / token tokens",
    "admin api app client consumer user / secret secrets",
    "admin api db key ldap mysql pg root smtp ssh store user / pass password passwd pwd",
    "connection conn / string strings str uri url",
    "access activation authorization backup device pairing recovery security verification / code codes",
    "pass recovery secret seed / phrase phrases",
    "account / json info base64",
    "access / signature",
    "id / rsa dsa ecdsa",
)
"""Two words, one after the other or written as one, that make a name secret wherever they stand in it."""

_MASKED_TERMS = (
    _SECRET_WORDS
    | _SECRET_PAIRS
    | _pairs(
        "auth mfa pass unlock / code codes",
        "code oauth / verifier",
        "dsa ecdsa gpg pgp rsa ssh ssl tls / private",
        "key / data material",
        "kube / config",
        "master wallet / seed",
        "sa / json",
        "sess session / id",
    )
)
"""All that is masked wherever it stands, with the pairs that are handed over as they are."""

_SECRET_ADDRESSES = _pairs("hook hooks webhook webhooks signed presigned sas dsn connection conn / url urls uri uris")
"""Two last words that name an address which is a secret, or holds one."""

_MASKED_ENDINGS = _SECRET_ENDINGS | _SECRET_ADDRESSES
"""What makes a name secret that ends in it."""

_PLAIN_ENDINGS = _words(
    "affinity age alg algorithm at audience backend budget charset class column cost count counts days default dir"
    " directory disabled domain duration enabled encoding endpoint env event events expiration expires expiry field"
    " fields file filename filenames files flow folder format header headers hint host hostname hours index interval"
    " issuer kind label length lifetime limit limits location locations manager max method methods min minutes mode"
    " module name names optional param parameter path paths period placeholder policy port position prefix price"
    " process provider providers rate ratio realm region required rotation scheme scope scopes seconds size sizes"
    " source strategy style suffix threshold timeout timeouts title ttl type types uri uris url urls usage var"
    " variable variables vars vault version versions window"
)
"""The last word of a name whose value is something about a secret: where it lies, what it is called, how long it is."""

_PLAIN_TERMS = _PLAIN_ENDINGS | _pairs(
    "blob bucket cache column dedup dictionary field foreign grouping hash hot idempotency index json label lookup map"
    " message object order partition public range row routing shard sort sorting translation / key keys",
    "audio bos cached cls completion cost end eos first image input last mask max min num output pad padding per price"
    " prompt reasoning sep special start stop thinking total unk / token tokens",
)
"""The same, with the last two words that say that the last one is something else."""

_SEALED_TERMS = _SECRET_PAIRS | _words(
    "key keys token password passwords passwd pwd pass passphrase passphrases passcode passcodes secret secrets"
    " credential credentials creds authorization bearer jwt"
)
"""The last word, or the last two, of a name whose value is a secret as a whole."""

_BARE_KEYS = (["key"], ["keys"])
"""Names that are masked, but that any table of keys and values has as well: `{ key = "team", value = "research" }`."""

_JOINED = (
    *map("".join, _SECRET_PAIRS),
    *["password", "passwords", "passwd", "passphrase", "secret", "secrets", "token", "credential", "credentials"],
)
"""What a name may end in that is written as one word: `openaiapikey`, `PGPASSWORD`."""

_MASKED_JOINED = (*_JOINED, *map("".join, _MASKED_TERMS - _SECRET_WORDS), "accesskeyid")
"""What one of its words may end in, for it to be masked: `apikey_2`, `PHPSESSID`."""


def names_secret(key: str) -> bool:
    """Whether a key's name says that its value may be a secret, so that it is masked where it is shown."""
    words = _words_of(key)
    ending = _ending_of(words)
    if not _PLAIN_TERMS.isdisjoint(ending):
        return not _SECRET_ADDRESSES.isdisjoint(ending)
    return (
        not _MASKED_ENDINGS.isdisjoint(ending)
        or not _MASKED_TERMS.isdisjoint((*words, *pairwise(words)))
        or any(word.endswith(_MASKED_JOINED) for word in words)
        or _ends_joined(words)
    )


def names_sealed(key: str) -> bool | None:
    """Whether a key's name ends in what is a secret as a whole; None where its end says neither."""
    words = _words_of(key)
    ending = _ending_of(words)
    if not _PLAIN_TERMS.isdisjoint(ending):
        return False
    if words in _BARE_KEYS:
        return None
    ends_secretly = not _SEALED_TERMS.isdisjoint(ending) or _ends_joined(words)
    return ends_secretly or None


def names_headers(key: str) -> bool:
    """Whether a key names a table of headers: `headers`, `default_headers`, `extraHeaders`."""
    return _words_of(key)[-1:] == ["headers"]


def _words_of(key: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(key)]


def _ending_of(words: Sequence[str]) -> Sequence[_Term]:
    """The last word of a name, and the last two."""
    return (*words[-1:], *pairwise(words[-2:]))


def _ends_joined(words: Sequence[str]) -> bool:
    # Of several words together, for capitals may part what belongs together: `APIkey`.
    return "".join(words[-3:]).endswith(_JOINED)
