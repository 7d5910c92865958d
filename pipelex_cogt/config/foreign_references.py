"""References as other tools write them: they are told apart from credentials, with our spelling beside them.

foreign_reference("os.environ/OPENAI_API_KEY")   # "OPENAI_API_KEY": write ${OPENAI_API_KEY}
foreign_reference("op://vault/item/field")       # "": it names no variable
foreign_reference("sk-4f9d0c")                   # None: it is no reference
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain, product

_LONGEST = 300
# Each tool writes a name between an opening and a closing; white space and quotes are taken off before.
_FORMS = (
    ("$env:", ""),
    ("env:", ""),
    ("env::", ""),
    ("env.", ""),
    ("secrets.", ""),
    ("vars.", ""),
    ("os.environ/", ""),
    ("os.environ[", "]"),
    ("os.environ.get(", ")"),
    ("os.getenv(", ")"),
    ("getenv(", ")"),
    ("env(", ")"),
    ("process.env.", ""),
    ("process.env[", "]"),
    ("import.meta.env.", ""),
    ("localEnv:", ""),
    ("containerEnv:", ""),
    ("{env:", "}"),
    ("{env.", "}"),
    ("{{", "}}"),
    ("{{env.", "}}"),
    ("{{env:", "}}"),
    ("{{secrets.", "}}"),
    ("{{.Env.", "}}"),
    ("{{env(", ")}}"),
    ("{{getenv(", ")}}"),
    ("!ENV", ""),
    ("!env", ""),
    ("ENV[", "]"),
    ("<%=ENV[", "]%>"),
    ("#{ENV[", "]}"),
    ("@format{env[", "]}"),
    ("@format{env.", "}"),
    ("@jinja{{env.", "}}"),
    ("@jinja{{env[", "]}}"),
    ("{secrets.", "}"),
    ("{vars.", "}"),
)
# Openings so short that only a name in capitals is surely a name.
_SHORT_FORMS = (("$", ""), ("{", "}"), ("%", "%"), ("((", "))"), ("__", "__"))
_NAME = r"([A-Za-z_]\w*)"
_CAPITALS = r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"
# Where the value lies in a vault, or which command prints it.
_ADDRESSES = (
    "op://", "vault:", "vault://", "ref+", "sm://", "ssm://", "gcpsm://", "awssm://", "awsssm://", "akv://", "bws://",
    "arn:aws:secretsmanager:", "arn:aws:ssm:", "azurekeyvault://", "doppler://", "infisical://", "keyring:",
    "keychain:", "secretref:", "@microsoft.keyvault(", "{{resolve:", "{{op://", "file://", "cmd:", "exec:", "$(", "`",
)  # fmt: skip
_NOT_PART_OF_IT = r"[\s'\"]+"
_CREDENTIAL_VARIABLE = r"(?:[A-Z][A-Z0-9]*_)+(?:KEY|TOKEN|SECRET)"


def foreign_reference(text: str) -> str | None:
    """The name that another tool's reference asks for.

    Args:
        text: A setting as stated, or what a variable holds.

    Returns:
        The name; an empty text where it names no variable; None where the text is no such reference.
    """
    if len(text) > _LONGEST:
        return None
    found = _pattern().fullmatch(re.sub(_NOT_PART_OF_IT, "", text))
    if found:
        return found[found.lastindex or 0]
    return "" if text.lstrip().lower().startswith(_ADDRESSES) else None


def is_variable_name(text: str) -> bool:
    """Whether a text is the name of a variable that holds a credential, such as `OPENAI_API_KEY`."""
    return len(text) <= _LONGEST and re.fullmatch(_CREDENTIAL_VARIABLE, text) is not None


@cache
def _pattern() -> re.Pattern[str]:
    """Every form in one pattern, made when a text is first looked at."""
    forms = chain(product(_FORMS, [_NAME]), product(_SHORT_FORMS, [_CAPITALS]))
    return re.compile("|".join(re.escape(opening) + name + re.escape(closing) for (opening, closing), name in forms))
