"""Looking at a credential before it is trusted: what can never work, how it is told, and what may work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.credential_checks import (
    API_KEY,
    CHOSEN_SECRET,
    ENDPOINT,
    SECRET,
    TEXT,
    CredentialKind,
    character_fault,
    doubt_of,
    fault_of,
    kind_of,
    variable_for,
)
from pipelex_cogt.config.key_paths import KeyPath

KINDS = {
    ("backends", "a", "api_key"): API_KEY,
    ("backends", "a", "endpoint"): ENDPOINT,
    ("backends", "a", "headers", "x-region"): API_KEY._replace(is_generated=False),
    ("backends", "a", "client_secret"): SECRET,
    ("backends", "a", "auth", "session_token"): SECRET,
    ("backends", "a", "password"): CHOSEN_SECRET,
    ("backends", "a", "region"): TEXT,
    ("models", "a", "m1", "model_id"): TEXT,
}

FAULTS = [
    ("sk-abc\r-x", "holds a carriage return at position 7; set it again without it"),
    ("sk-\nabc", "holds a line end at position 4; set it again without it"),
    ("sk-\tabc", "holds a tab at position 4; set it again without it"),
    ("sk-\0abc", "holds a NUL character at position 4; set it again without it"),
    ("\x1b[31msk", "holds an escape character at position 1; set it again without it"),
    ("sk\ufeffabc", "holds a byte order mark at position 3; set it again without it"),
    ("“sk-abc”", "holds U+201C at position 1, which no header takes; set it again without it"),
    ("sk-abc\u200b", "holds U+200B at position 7, which no header takes; set it again without it"),
    ("clé", "holds U+00E9 at position 3, which no header takes; set it again without it"),
    ("sk\udce9", "holds U+DCE9 at position 3, which no header takes; set it again without it"),
    ('"sk-abc"', "has quotes around it that are part of its value; take them off"),
    ("'sk-abc'", "has quotes around it that are part of its value; take them off"),
    ("your-api-key", "looks like a placeholder; set its value"),
    ("sk-...", "looks like a placeholder; set its value"),
    ("<…>", "looks like a placeholder; set its value"),
    ("${OTHER_KEY}", "is a reference, and what it holds is not looked at again; set its value"),
    ("${OTHER KEY", "is a reference, and what it holds is not looked at again; set its value"),
    ("$OTHER_KEY", "looks like a reference of another tool; write ${OTHER_KEY}"),
    ("op://vault/item", "looks like a reference of another tool; write ${A_API_KEY}"),
    ("OTHER_KEY", "is the name of a variable instead of its value; write ${OTHER_KEY}"),
    ("home", "is the name of a variable instead of its value; write ${home}"),
]
"""What an API key can never be, and what is told of it."""

PASSWORDS = ["changeme", '"quoted"', "$DOLLAR", "pässwört", "OTHER_KEY", "home", "two\nlines", "a\r\nb", "a\tb"]


def told(text: str, kind: CredentialKind) -> str | None:
    fault = fault_of(text, kind, {"home"}.__contains__, "A_API_KEY")
    return fault and f"{fault.problem}; {fault.hint}"


@pytest.mark.parametrize(("path", "kind"), KINDS.items(), ids=map(str, KINDS))
def test_a_key_path_says_what_a_setting_is_looked_at_for(path: KeyPath, kind: CredentialKind) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_what_can_never_work_is_told_without_its_value(text: str, fault: str) -> None:
    assert told(text, API_KEY) == fault


@pytest.mark.parametrize(
    "text", ["sk-4f9d0c", "0", "a b", "Bearer abc", "a<b>", "{not json", "'half", "k$1", "~!@#%^&*()"]
)
def test_what_may_work_is_left_alone(text: str) -> None:
    assert told(text, API_KEY) is None


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_may_be_nearly_any_text(text: str) -> None:
    assert told(text, CHOSEN_SECRET) is None


@pytest.mark.parametrize("text", ["-----BEGIN KEY-----\nMII\n-----END KEY-----", '{"type": "service_account"}', "clé"])
def test_a_further_secret_may_have_several_lines(text: str) -> None:
    assert told(text, SECRET) is None


@pytest.mark.parametrize("kind", [SECRET, CHOSEN_SECRET, TEXT, ENDPOINT])
@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\ufeff", "\udce9", "\rx"])
def test_no_setting_holds_what_nobody_sees(kind: CredentialKind, character: str) -> None:
    fault = character_fault(f"ab{character}c", kind)
    assert fault is not None
    assert "at position 3" in fault.problem


def test_what_a_variable_holds_has_its_own_next_step() -> None:
    fault = fault_of("$OTHER_KEY", API_KEY, bool, "A_API_KEY")
    assert fault is not None
    assert fault.hint_for_source == "set its value, or write ${OTHER_KEY} in the settings"


@pytest.mark.parametrize("text", ["$A_API_KEY", "os.environ/A_API_KEY", "A_API_KEY", "op://vault/item"])
def test_a_variable_is_not_told_to_be_written_where_it_is(text: str) -> None:
    fault = fault_of(text, API_KEY, bool, "A_API_KEY")
    assert fault is not None
    assert fault.hint_for_source == "set its value"


@given(st.text(max_size=30))
def test_no_fault_holds_the_value(text: str) -> None:
    fault = character_fault(f"canary{text}", API_KEY)
    assert fault is None or "canary" not in fault.problem + fault.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://api.openai.com/v1", None),
        ("http://localhost:11434/v1", None),
        ("${AZURE_OPENAI_ENDPOINT}", None),
        ("https://Your-Key.openai.azure.com", "looks like a placeholder"),
        ("${HOST:-your-secret}", "looks like a placeholder"),
        ("op://vault/item/endpoint", "looks like a reference of another tool"),
        ("$AZURE_OPENAI_ENDPOINT", "looks like a reference of another tool"),
    ],
)
def test_an_address_of_the_web_is_an_example_only_where_it_says_so(text: str, problem: str | None) -> None:
    doubt = doubt_of(text, "A_ENDPOINT")
    assert (doubt and doubt.problem) == problem


def test_the_usual_variable_is_named_after_backend_and_key() -> None:
    assert variable_for(("backends", "my-proxy", "api_key")) == "MY_PROXY_API_KEY"
