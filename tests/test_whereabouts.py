"""Whereabouts: which names that are set come near a missing one, and what is told of where it was looked for."""

from __future__ import annotations

import pickle

import pytest

from pipelex_cogt.config.whereabouts import SetName, Whereabouts, near_set_names

NEAR = [
    ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ("GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
    ("GOOGLE_CLOUD_PROJECT", "GCP_PROJECT_ID"),
    ("OPENAI_API_KEY", "openai_api_key"),
    ("OPENAI_API_KEY", "OPENAI_KEY"),
    ("OPENAI_API_KEY", "OPENAI_TOKEN"),
    ("OPENAI_API_KEY", "openai-api-key"),
    ("OPENAI_API_KEY", "OPENAI_APIKEY"),
    ("OPENAI_API_KEY", "OPNAI_API_KEY"),
    ("OPENAI_API_KEY", "OPENAI_API_KEYS"),
    ("ANTHROPIC_API_KEY", "CLAUDE_API_KEY"),
    ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    ("XAI_API_KEY", "GROK_API_KEY"),
    ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
    ("COHERE_API_KEY", "CO_API_KEY"),
    ("AWS_REGION", "AWS_DEFAULT_REGION"),
    ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
    ("A_KEY", "a_key"),
]
FAR = [
    ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"),
    ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"),
    ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ("XAI_API_KEY", "ZAI_API_KEY"),
    ("A_KEY", "B_KEY"),
    ("AWS_REGION", "AWS_SECRET_ACCESS_KEY"),
    ("API_KEY", "TOKEN"),
    ("K", "HOME"),
]


def whereabouts(*names: str, set_names: tuple[SetName, ...] = (), way_out: str | None = "set it") -> Whereabouts:
    return Whereabouts(names, lambda: "looked in the environment", lambda: set_names, way_out)


@pytest.mark.parametrize(("missing", "is_set"), NEAR)
def test_another_spelling_of_the_same_credential_comes_near(missing: str, is_set: str) -> None:
    known = SetName(is_set, ".env")
    assert near_set_names([missing], [SetName("PATH", "the environment"), known]) == [known]


@pytest.mark.parametrize(("missing", "is_set"), FAR)
def test_another_credential_does_not(missing: str, is_set: str) -> None:
    assert near_set_names([missing], [SetName(is_set, ".env")]) == []


def test_a_few_names_are_enough() -> None:
    known = [SetName(name, ".env") for name in ("OPENAI_KEY", "OPENAI_TOKEN", "openai", "OPENAI_SECRET")]
    assert near_set_names(["OPENAI_API_KEY"], known) == known[:3]


def test_places_near_names_and_the_next_step_are_told_in_turn() -> None:
    known = (SetName("OPENAI_KEY", ".env"), SetName("OPENAI_API_KEY", "the environment", is_empty=True))
    assert str(whereabouts("OPENAI_API_KEY", set_names=known)) == (
        "looked in the environment; OPENAI_KEY is set in .env, OPENAI_API_KEY is there and empty in the environment; "
        "set it"
    )


def test_nothing_is_looked_for_before_somebody_reads() -> None:
    asked: list[str] = []

    def look() -> str:
        asked.append("looked")
        return "looked in the environment"

    advice = Whereabouts(["K"], look, tuple, None)
    assert (repr(advice) != "", asked) == (True, [])
    assert (advice.tell(), asked) == ("looked in the environment", ["looked"])


def test_with_nothing_to_say_there_is_no_hint() -> None:
    assert Whereabouts(["K"], str, tuple, None).tell() is None


def test_a_pickle_holds_the_words() -> None:
    told = whereabouts("OPENAI_API_KEY", set_names=(SetName("OPENAI_KEY", ".env"),))
    assert pickle.loads(pickle.dumps(told)) == str(told)
