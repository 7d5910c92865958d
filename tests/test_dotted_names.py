"""Names with dots outside quotes: each is told with the line to write, and what needs the name hears nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.dotted_names import is_dotted_name, note_dotted_texts
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import nest
from pipelex_cogt.errors import Severity
from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]

DOT = "a dot outside quotes makes a table in a table"

NAMES: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "a model": (
        {"backends/a.local.toml": "[gpt-4.9]\ninputs = ['text']\n"},
        [f'backends/a.local.toml:1  cogt.models.a.gpt-4.9: {DOT}; write ["gpt-4.9"]'],
    ),
    "a model of two dots, and one in an inline table": (
        {"backends/a.local.toml": "[us.anthropic.claude]\n[glm.4.5.costs]\ninput = 1.0\n"},
        [
            f'backends/a.local.toml:1  cogt.models.a.us.anthropic.claude: {DOT}; write ["us.anthropic.claude"]',
            f'backends/a.local.toml:2  cogt.models.a.glm.4.5: {DOT}; write ["glm.4.5"]',
        ],
    ),
    "a model beside one of its beginning": (
        {"backends/a.local.toml": "[m1]\nmax_tokens = 5\n[m1.9-mini]\nmax_tokens = 5\n"},
        [f'backends/a.local.toml:3  cogt.models.a.m1.9-mini: {DOT}; write ["m1.9-mini"]'],
    ),
    "a model in the main file": (
        {"settings.local.toml": "[default.cogt.models.a.gpt-4.1]\nmax_tokens = 5\n"},
        [(f'settings.local.toml:1  cogt.models.a.gpt-4.1: {DOT}; write [default.cogt.models.a."gpt-4.1"]')],
    ),
    "a misspelt table of a model": (
        {"backends/a.local.toml": "[m1.cost]\ninput = 1.0\n"},
        ["backends/a.local.toml:1  cogt.models.a.m1.cost: unknown key; did you mean 'costs'?"],
    ),
    "an alias": (
        {"deck/z.toml": "[aliases]\ngpt-4.1 = 'm1'\ngpt-4.2 = ['m1']\n"},
        [
            f'deck/z.toml:2  cogt.deck.aliases.gpt-4.1: {DOT}; write "gpt-4.1" = …',
            f'deck/z.toml:3  cogt.deck.aliases.gpt-4.2: {DOT}; write "gpt-4.2" = …',
        ],
    ),
    "an alias half in quotes": (
        {"deck/z.toml": "[aliases]\n'a b'.c = 'm1'\n"},
        [f'deck/z.toml:2  cogt.deck.aliases."a b".c: {DOT}; write "a b.c" = …'],
    ),
    "a preset": (
        {"deck/z.toml": "[llm_presets.fast.cheap]\nllm_handle = 'm1'\n"},
        [f'deck/z.toml:1  cogt.deck.llm_presets.fast.cheap: {DOT}; write [llm_presets."fast.cheap"]'],
    ),
    "a profile in force": (
        {"routing.local.toml": "active = 'eu.prod'\n[profiles.eu.prod]\ndefault = 'a'\n"},
        [f'routing.local.toml:2  cogt.routing.profiles.eu.prod: {DOT}; write [profiles."eu.prod"]'],
    ),
    "a route": (
        {"routing.local.toml": "[profiles.all.routes]\ngpt-4.1 = 'a'\n"},
        [f'routing.local.toml:2  cogt.routing.profiles.all.routes.gpt-4.1: {DOT}; write "gpt-4.1" = …'],
    ),
    "a backend": (
        {"backends.local.toml": "[my.proxy]\nendpoint = 'https://a.example.com'\n"},
        [f'backends.local.toml:1  cogt.backends.my.proxy: {DOT}; write ["my.proxy"]'],
    ),
    "an alias that is an empty table, and one that ends in one": (
        {"deck/z.toml": "[aliases]\nx = {}\ny.z = {}\n"},
        [
            "deck/z.toml:2  cogt.deck.aliases.x: expected a name or a list of names, got a table",
            f'deck/z.toml:3  cogt.deck.aliases.y.z: {DOT}; write "y.z" = …',
        ],
    ),
    "a route that is an empty table": (
        {"routing.local.toml": "[profiles.all.routes]\nx = {}\n"},
        ["routing.local.toml:2  cogt.routing.profiles.all.routes.x: expected a string, got a table"],
    ),
    "an environment": (
        {"settings.local.toml": "[eu.prod.cogt.routing]\nactive = 'all'\n"},
        [f'settings.local.toml:1: eu.prod: {DOT}; write ["eu.prod".cogt]'],
    ),
}
NEEDED = {
    "a model": (
        {
            "backends/a.local.toml": "[gpt-4.9]\n",
            "deck/z.toml": "[aliases]\nx = 'gpt-4.9'\n[llm_presets.q]\nllm_handle = 'gpt-4.9'\n",
            "routing.local.toml": "[profiles.all.routes]\n'gpt-4.9' = 'a'\n",
        }
    ),
    "an alias": {"deck/z.toml": "[aliases]\ngpt-4.1 = 'm1'\n[llm_presets.q]\nllm_handle = 'gpt-4.1'\n"},
    "a preset": {
        "deck/z.toml": "[llm_presets.fast.cheap]\nllm_handle = 'm1'\n[llm_choice_overrides]\nfor_text = 'fast.cheap'\n"
    },
    "a backend": {
        "backends.local.toml": "[my.proxy]\nenabled = true\n",
        "settings.local.toml": "[default.cogt.inference_config]\nenabled_backends = ['a', 'my.proxy']\n",
    },
}


@pytest.mark.parametrize(("files", "told"), NAMES.values(), ids=NAMES)
def test_a_name_with_a_dot_outside_quotes_is_told_with_the_line_to_write(
    problems: Problems, files: Mapping[str, str], told: list[str]
) -> None:
    assert problems(files) == told


@pytest.mark.parametrize("files", NEEDED.values(), ids=NEEDED)
def test_what_needs_such_a_name_hears_nothing_of_its_own(problems: Problems, files: Mapping[str, str]) -> None:
    (found,) = problems(files)
    assert DOT in found


def test_in_overrides_there_is_no_line_to_write_but_the_name(problems: Problems) -> None:
    found = problems(overrides={"models": {"a": {"gpt-4": {"1": {"max_tokens": 5}}}}})
    assert found == [f'overrides  cogt.models.a.gpt-4.1: {DOT}; write ["gpt-4.1"]']


def test_a_table_that_a_backend_takes_for_its_sdk_is_no_name(load: Load) -> None:
    backend = load({"backends.local.toml": "[b.default_headers]\nx = 'y'\n[off.client]\nregion = 'z'\n"}).backends["b"]
    assert backend.extra_config["default_headers"] == {"x": "y"}


@pytest.mark.parametrize(
    ("key", "value", "beside", "is_name"),
    [
        ("1", {}, ["max_tokens"], True),
        ("1", 5, [], False),
        ("turbo", {}, ["turbo"], True),
        ("turbo", {}, ["turbo", "max_tokens"], False),
        ("max_token", {}, ["max_token"], False),
    ],
)
def test_a_version_or_a_table_alone_is_the_rest_of_a_name(
    key: str, value: Any, beside: list[str], *, is_name: bool
) -> None:
    assert is_dotted_name(key, value, beside, ["max_tokens", "costs"]) is is_name


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), min_size=1, max_size=6))
def test_arbitrary_parts_are_put_together(parts: list[str]) -> None:
    report = ProblemReport()
    note_dotted_texts(("deck", "aliases", "x"), nest(tuple(parts), "m1"), report)
    (found,) = report.problems(Severity.ERROR)
    assert found.problem == DOT
    report.error(("deck", "aliases", "y"), "needs it", unless=[("deck", "aliases", ".".join(["x", *parts]))])
    assert len(report.problems(Severity.ERROR)) == 1


@pytest.mark.slow
def test_a_name_of_ten_thousand_parts_is_one_name() -> None:
    value: Any = "m1"
    for _ in range(10_000):
        value = {"a": value}
    report = ProblemReport()
    note_dotted_texts(("deck", "aliases", "x"), value, report)
    assert len(report.problems(Severity.ERROR)) == 1
