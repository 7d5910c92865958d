"""A header of a model that may be secret is the client's; any other stands in a call's arguments."""

from __future__ import annotations

import pytest

from pipelex_cogt import MissingCredentialError
from pipelex_cogt.integrations.headers import asked_headers, merge_headers, secret_headers, shown_headers
from tests.resolved import resolved

CANARY = "canary-7f3a9c1e5b"
MODEL = {
    "sdk": "any",
    "headers": {"anthropic-beta": "context-1m", "x-api-key": CANARY, "x-team": "${TEAM}", "x-note": f"sk-{CANARY}"},
}


def test_a_header_that_nobody_needs_to_hide_is_shown() -> None:
    assert shown_headers(resolved({}, MODEL).model) == {"anthropic-beta": "context-1m"}


def test_a_secret_name_a_reference_and_what_looks_like_a_key_are_secret() -> None:
    assert secret_headers(resolved({}, MODEL).model) == ("x-api-key", "x-team", "x-note")


def test_a_client_asks_for_the_headers_of_the_backend_and_the_secret_ones_of_the_model() -> None:
    llm = resolved(
        {"headers": {"X-Team": "of the backend", "x-org": "${ORG}"}}, MODEL, environ={"TEAM": "t", "ORG": "o"}
    )
    expected = {"x-team": "t", "x-org": "o", "x-api-key": CANARY, "x-note": f"sk-{CANARY}"}
    assert asked_headers(llm.backend, llm.model) == expected


def test_a_reference_that_nothing_answers_is_told() -> None:
    llm = resolved({}, MODEL)
    with pytest.raises(MissingCredentialError, match="TEAM"):
        asked_headers(llm.backend, llm.model)


def test_of_two_headers_of_one_name_the_later_wins_whatever_its_capitals() -> None:
    assert merge_headers({"X-A": "1", "x-b": "2"}, {}, {"x-a": "3"}) == {"x-a": "3", "x-b": "2"}
