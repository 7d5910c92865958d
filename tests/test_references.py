"""References: the grammar of `${…}`, which forms there are and which are refused, and how texts are put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.references import (
    Name,
    Prefix,
    Reference,
    ReferenceSyntaxError,
    Template,
    holds_reference,
    parse_template,
    render,
)

NO_FILE = "cannot name a secret's file; write its path, without . and .."
NO_VARIABLE = "cannot name a variable; write"


def any_name(*names: str) -> tuple[Name, ...]:
    return tuple(Name(Prefix.ANY, name) for name in names)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("plain $HOME {x} }", ("plain $HOME {x} }",), id="no reference"),
        pytest.param("${A}", (Reference(any_name("A")),), id="name"),
        pytest.param("${env:A}", (Reference((Name(Prefix.ENV, "A"),)),), id="environment"),
        pytest.param("${secret:a/b-c/d}", (Reference((Name(Prefix.SECRET, "a/b-c/d"),)),), id="secret in a folder"),
        pytest.param("${secret:..data}", (Reference((Name(Prefix.SECRET, "..data"),)),), id="dots before a name"),
        pytest.param("${secret:a-b.c}", (Reference((Name(Prefix.SECRET, "a-b.c"),)),), id="secret"),
        pytest.param(
            "${env:A|secret:B|C}",
            (Reference((Name(Prefix.ENV, "A"), Name(Prefix.SECRET, "B"), Name(Prefix.ANY, "C"))),),
            id="first one set",
        ),
        pytest.param("${A:-text}", (Reference(any_name("A"), "text"),), id="default"),
        pytest.param("${A:-}", (Reference(any_name("A"), ""),), id="empty default"),
        pytest.param(
            "${A:-http://x:1/|y:-z}", (Reference(any_name("A"), "http://x:1/|y:-z"),), id="marks in a default"
        ),
        pytest.param("${A|B:-c}", (Reference(any_name("A", "B"), "c"),), id="names and a default"),
        pytest.param("${ A }", (Reference(any_name("A")),), id="spaces"),
        pytest.param(
            "https://${A}.x/${B}", ("https://", Reference(any_name("A")), ".x/", Reference(any_name("B"))), id="in text"
        ),
        pytest.param("${A}${B}", (Reference(any_name("A")), Reference(any_name("B"))), id="side by side"),
        pytest.param("$${A}", ("${", "A}"), id="literal"),
        pytest.param("$${", ("${",), id="literal alone"),
        pytest.param("$$${A}", ("$", "${", "A}"), id="dollar before a literal"),
        pytest.param("$${A}${B}", ("${", "A}", Reference(any_name("B"))), id="literal and reference"),
        pytest.param("${A:-$B}", (Reference(any_name("A"), "$B"),), id="dollar in a default"),
        pytest.param("a$b", ("a$b",), id="lone dollar"),
        pytest.param("${A}}", (Reference(any_name("A")), "}"), id="brace after"),
    ],
)
def test_a_string_is_taken_apart(text: str, template: Template) -> None:
    assert parse_template(text) == template


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${vault:A}", "unknown prefix 'vault' in a reference; expected env: or secret:"),
        ("${ENV:A}", "unknown prefix 'ENV' in a reference; did you mean 'env'?"),
        ("${secrets:A}", "unknown prefix 'secrets' in a reference; did you mean 'secret'?"),
        ("${env:a:b}", "unknown prefix 'env:a' in a reference; did you mean 'env'?"),
        ("${:A}", "unknown prefix '' in a reference; expected env: or secret:"),
        ("${A", "a reference opens with ${ and never closes; write $${ for a literal ${"),
        ("x ${A} ${", "a reference opens with ${ and never closes; write $${ for a literal ${"),
        ("${}", "a reference needs a name, and this one is empty"),
        ("${ }", "a reference needs a name, and this one is empty"),
        ("${env:}", "a reference needs a name, and this one is empty"),
        ("${A|}", "a reference needs a name, and this one is empty"),
        ("${:-x}", "a reference needs a name, and this one is empty"),
        ("${A:-${B}}", "a reference cannot stand inside another one"),
        ("${secret:../etc/passwd}", f"'../etc/passwd' {NO_FILE}"),
        ("${secret:/etc/passwd}", f"'/etc/passwd' {NO_FILE}"),
        ("${secret:a/../../b}", f"'a/../../b' {NO_FILE}"),
        ("${secret:a/./b}", f"'a/./b' {NO_FILE}"),
        ("${secret:a//b}", f"'a//b' {NO_FILE}"),
        ("${secret:a/}", f"'a/' {NO_FILE}"),
        ("${secret:..}", f"'..' {NO_FILE}"),
        ("${secret:.}", f"'.' {NO_FILE}"),
        ("${secret:a\\b}", f"'a\\\\b' {NO_FILE}"),
        ("${secret:a\0b}", f"'a\\x00b' {NO_FILE}"),
        ("${A B}", f"'A B' {NO_VARIABLE} ${{A_B}} for a variable, ${{secret:A B}} for a secret's file"),
        ("${env:A.B}", f"'A.B' {NO_VARIABLE} ${{A_B}} for a variable, ${{secret:A.B}} for a secret's file"),
        ("${a/b}", f"'a/b' {NO_VARIABLE} ${{secret:a/b}} for a secret's file"),
        ("${X-d}", f"'X-d' {NO_VARIABLE} ${{X:-d}} for a default, ${{secret:X-d}} for a secret's file"),
        ("${X-}", f"'X-' {NO_VARIABLE} ${{X:-}} for a default, ${{secret:X-}} for a secret's file"),
        ("${env.X}", f"'env.X' {NO_VARIABLE} ${{X}}"),
        ("${ secrets.X }", f"'secrets.X' {NO_VARIABLE} ${{X}}"),
        ("${{ secrets.X }}", f"'{{ secrets.X' {NO_VARIABLE} ${{X}}"),
        ("${{X}}", f"'{{X' {NO_VARIABLE} ${{X}}"),
        ("${process.env.X}", f"'process.env.X' {NO_VARIABLE} ${{X}}"),
        ("${a\\b}", f"'a\\\\b' {NO_VARIABLE} the name of a variable, of letters, digits and _ alone"),
        ("${a\0b}", f"'a\\x00b' {NO_VARIABLE} the name of a variable, of letters, digits and _ alone"),
        ("${sk-4f9d0c}", f"this text {NO_VARIABLE} the name of a variable, of letters, digits and _ alone"),
        (
            "${gsk.4f9d0c7b1e5a4f9d0c7b1e5a}",
            f"this text {NO_VARIABLE} the name of a variable, of letters, digits and _ alone",
        ),
    ],
)
def test_what_only_looks_like_a_reference_is_refused(text: str, message: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse_template(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "holds"),
    [("", False), ("x", False), ("$A", False), ("$${A}", False), ("${A}", True), ("x${", True), ("$${ ${B}", True)],
)
def test_a_reference_is_noticed(text: str, holds: bool) -> None:  # noqa: FBT001 -- because: a column of the table
    assert holds_reference(text) is holds


@given(st.text())
def test_text_without_a_reference_comes_back_as_it_was(text: str) -> None:
    escaped = text.replace("${", "$${")
    assert render(parse_template(escaped), lambda _reference: "never asked") == text
    assert not holds_reference(escaped)


@given(st.lists(st.text(st.characters(exclude_characters="$", codec="utf-8")) | st.integers(0, 9), max_size=6))
def test_references_are_replaced_where_they_stand(parts: list[str | int]) -> None:
    text = "".join(part if isinstance(part, str) else f"${{N{part}}}" for part in parts)
    expected = "".join(part if isinstance(part, str) else f"<N{part}>" for part in parts)
    assert render(parse_template(text), lambda reference: f"<{reference}>") == expected


def test_what_a_reference_yields_is_not_looked_at_again() -> None:
    assert render(parse_template("${A}"), lambda _reference: "${B}") == "${B}"


def test_a_reference_says_what_would_answer_it() -> None:
    (reference,) = parse_template("${env:A|secret:B|C:-secret text}")
    assert str(reference) == "env:A or secret:B or C"
