"""Messages: one shape for every problem, and facts as attributes."""

import copy
import dataclasses
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import partial

import pytest

from pipelex_cogt import (
    BackendDisabledError,
    CogtError,
    LiteralLeftBehindError,
    MissingCredentialError,
    ModelNotRoutedError,
    Problem,
    ProblemError,
    SecretFileError,
    SecretSourceError,
    SettingsError,
    Severity,
    UnknownNameError,
    UnusableCredentialError,
)

PATH = 'cogt.models.openai."gpt-4.1".max_tokens'

PROBLEM_TEXTS = {
    "file, line and path": (
        Problem("expected an integer, got a string", PATH, "settings/backends/openai.toml", 14),
        f"settings/backends/openai.toml:14  {PATH}: expected an integer, got a string",
    ),
    "a variable": (
        Problem("expected an integer, got other text", PATH, "PIPELEX_COGT__X"),
        f"PIPELEX_COGT__X  {PATH}: expected an integer, got other text",
    ),
    "a whole file": (
        Problem("expected UTF-8 text", file="settings/routing.toml"),
        "settings/routing.toml: expected UTF-8 text",
    ),
    "nothing states it": (
        Problem("required, and nothing states it", "cogt.routing.active"),
        "cogt.routing.active: required, and nothing states it",
    ),
    "no place at all": (Problem("something is wrong"), "something is wrong"),
    "a suggestion": (
        Problem("unknown key", "cogt.routing.activ", "routing.toml", 1, "did you mean 'active'?"),
        "routing.toml:1  cogt.routing.activ: unknown key; did you mean 'active'?",
    ),
}

ERROR_TEXTS = {
    "unknown": (UnknownNameError("nope", "backend"), "no backend is called 'nope'"),
    "unknown with one near name": (
        UnknownNameError("opnai", "backend", ("openai",)),
        "no backend is called 'opnai'; did you mean 'openai'?",
    ),
    "unknown with two near names": (
        UnknownNameError("gpt", "model or alias", ("gpt-4", "gpt-5")),
        "no model or alias is called 'gpt'; did you mean 'gpt-4' or 'gpt-5'?",
    ),
    "not routed": (
        ModelNotRoutedError("m", "all", None, ()),
        "'m' is not served in routing profile 'all': no rule leads to a backend that serves it",
    ),
    "not routed, with the line that would": (
        ModelNotRoutedError("m", "all", None, (), "'b' can: add routes = { m = \"b\" } to cogt.routing.profiles.all"),
        (
            "'m' is not served in routing profile 'all': no rule leads to a backend that serves it; "
            "'b' can: add routes = { m = \"b\" } to cogt.routing.profiles.all"
        ),
    ),
    "disabled backend": (
        BackendDisabledError("a", ("a",), ("cogt.backends.a.enabled", "cogt.inference_config.enabled_backends")),
        ("backend 'a' is disabled; enable it in cogt.backends.a.enabled and cogt.inference_config.enabled_backends"),
    ),
    "disabled backends of a model": (
        BackendDisabledError("m", ("a", "b"), ("cogt.backends.a.enabled", "cogt.inference_config.enabled_backends")),
        (
            "'m' is known only to what is disabled: a, b; "
            "enable one in cogt.backends.a.enabled or cogt.inference_config.enabled_backends"
        ),
    ),
    "disabled, nothing says by what": (
        BackendDisabledError("m", ("a",)),
        "'m' is known only to what is disabled: a; enable one in backends.toml",
    ),
    "not routed by a rule": (
        ModelNotRoutedError("m", "all", "route 'm*'", (("b", "does not serve the model"),)),
        "'m' is not served in routing profile 'all': route 'm*' takes it: 'b' does not serve the model",
    ),
    "not routed by any of several": (
        ModelNotRoutedError("m", "all", None, (("a", "is disabled"), ("b", "has the model disabled"))),
        (
            "'m' is not served in routing profile 'all': "
            "no rule leads to a backend that serves it: 'a' is disabled; 'b' has the model disabled"
        ),
    ),
    "missing credential": (
        MissingCredentialError("a", ("A_KEY",), "cogt.backends.a.api_key", "settings/backends.toml:3"),
        "settings/backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set",
    ),
    "missing alternatives": (
        MissingCredentialError("a", ("env:A", "secret:b"), "cogt.backends.a.api_key", "backends.toml:3"),
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' needs env:A or secret:b, which is not set",
    ),
    "missing with advice": (
        MissingCredentialError("a", ("A_KEY",), "cogt.backends.a.api_key", "backends.toml:3", "looked in .env; set it"),
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set; looked in .env; set it",
    ),
    "left out": (
        MissingCredentialError("a", ("A_KEY",), "cogt.backends.a.api_key", "backends.toml:3", is_left_out=True),
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' is left out: A_KEY is not set",
    ),
    "left out for two": (
        MissingCredentialError("a", ("A or B", "C"), "cogt.backends.a.api_key", "backends.toml:3", is_left_out=True),
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' is left out: A or B and C are not set",
    ),
    "unusable": (
        UnusableCredentialError("a", "A_KEY", "cogt.backends.a.api_key", ".env", "A_KEY holds a tab at position 2"),
        ".env  cogt.backends.a.api_key: A_KEY holds a tab at position 2",
    ),
    "literal left behind": (
        LiteralLeftBehindError("a", "cogt.backends.a.api_key"),
        (
            "cogt.backends.a.api_key: backend 'a' has lost its literal secret, which no pickle carries; "
            "state a reference such as ${NAME} instead"
        ),
    ),
    "secret file": (SecretFileError("/run/secrets/a", "expected UTF-8 text"), "/run/secrets/a: expected UTF-8 text"),
    "secret source": (
        SecretSourceError("Vault", "a", "failed with RuntimeError"),
        "the secret source Vault, asked for 'a', failed with RuntimeError",
    ),
}


@pytest.mark.parametrize(("problem", "text"), PROBLEM_TEXTS.values(), ids=PROBLEM_TEXTS)
def test_a_problem_has_one_shape(problem: Problem, text: str) -> None:
    assert str(problem) == text
    assert str(ProblemError(problem)) == text


@pytest.mark.parametrize(("error", "text"), ERROR_TEXTS.values(), ids=ERROR_TEXTS)
def test_an_error_says_what_is_wrong(error: CogtError, text: str) -> None:
    assert str(error) == text


def test_a_report_is_its_heading_and_one_line_per_problem() -> None:
    problems = [Problem("first", "cogt.a", "a.toml", 1), Problem("second", "cogt.b", "b.toml", 2)]
    assert str(SettingsError.from_problems("2 problems in the settings", problems)) == (
        "2 problems in the settings\n  a.toml:1  cogt.a: first\n  b.toml:2  cogt.b: second"
    )


MANY = SettingsError.from_problems(
    "40 problems in the settings",
    [Problem(f"expected {number} integers", f"cogt.p{number}", "a.toml", number + 1) for number in range(40)],
)
GROUPS: dict[str, Callable[[SettingsError], BaseException]] = {
    "raised": lambda error: error,
    "derived": lambda error: error.derive([ProblemError(problem) for problem in error.problems]),
    "split": lambda error: error.split(ProblemError)[0] or error,
    "pickled": lambda error: pickle.loads(pickle.dumps(error)),
    "in a group": lambda error: ExceptionGroup("workers", [error]),
}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_a_traceback_tells_each_of_many_problems_once(group: Callable[[SettingsError], BaseException]) -> None:
    printed = "".join(traceback.format_exception(group(MANY)))
    assert [problem for problem in MANY.problems if printed.count(str(problem)) != 1] == []
    assert [problem for problem in MANY.problems if printed.count(problem.problem) != 1] == []


def test_a_log_tells_each_problem_once(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise MANY
    except SettingsError:
        logging.getLogger("application").exception("the load failed")
    assert [problem for problem in MANY.problems if caplog.text.count(problem.problem) != 1] == []


@pytest.mark.slow
def test_a_process_that_ends_with_it_tells_each_problem_once() -> None:
    raises = "from pipelex_cogt import *; raise SettingsError.from_problems('2', [Problem('first'), Problem('second')])"
    ended = subprocess.run([sys.executable, "-c", raises], capture_output=True, text=True, check=False)
    shown = ended.stderr.partition("SettingsError: ")[2]
    assert (shown.count("first"), shown.count("second")) == (1, 1)


def test_an_error_of_a_group_says_where_it_stands_and_holds_the_rest() -> None:
    group = SettingsError.from_problems("2 problems", [Problem("x", "cogt.a", "a.toml", 3), Problem("y", "cogt.b")])
    assert [*map(str, group.exceptions)] == ["a.toml:3", "cogt.b"]
    assert [problem.problem for problem in group.problems] == ["x", "y"]


def test_a_group_without_problems_is_impossible() -> None:
    with pytest.raises(ValueError, match="non-empty"):
        SettingsError.from_problems("heading", [])


def test_a_problem_is_data() -> None:
    assert [field.name for field in dataclasses.fields(Problem)] == [
        "problem",
        "path",
        "file",
        "line",
        "suggestion",
        "severity",
    ]
    assert Problem("x").severity is Severity.ERROR
    assert Problem("x", line=1) == Problem("x", line=1)
    assert len({Problem("x"), Problem("x"), Problem("y")}) == 2


def test_a_problem_is_frozen() -> None:
    field = "line"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Problem("x"), field, 3)


def test_facts_are_attributes() -> None:
    unknown = UnknownNameError("gpt", "preset", ("gpt-5",))
    assert (unknown.name, unknown.kind, unknown.suggestions) == ("gpt", "preset", ("gpt-5",))
    disabled = BackendDisabledError("m", ("a",), ("cogt.backends.a.enabled",))
    assert (disabled.name, disabled.backends) == ("m", ("a",))
    assert disabled.switched_off_by == ("cogt.backends.a.enabled",)
    unrouted = ModelNotRoutedError("m", "all", "default", (("b", "is disabled"),), "'a' can")
    assert (unrouted.name, unrouted.profile, unrouted.next_step) == ("m", "all", "'a' can")
    assert unrouted.reason == "default takes it: 'b' is disabled"
    assert (unrouted.rule, unrouted.turned_down) == ("default", (("b", "is disabled"),))
    missing = MissingCredentialError("a", ("K",), "cogt.backends.a.api_key", "f:1")
    assert (missing.backend, missing.variables, missing.path, missing.place) == (
        "a",
        ("K",),
        "cogt.backends.a.api_key",
        "f:1",
    )
    lost = LiteralLeftBehindError("a", "cogt.backends.a.api_key")
    assert (lost.name, lost.backend, lost.variables, lost.path) == ("a", "a", (), "cogt.backends.a.api_key")
    assert (lost.place, lost.args) == ("a pickle", ("a", "cogt.backends.a.api_key", lost.advice))


def test_a_sentence_about_an_endless_list_tells_the_first_and_how_many_more() -> None:
    names = tuple(f"b{number}" for number in range(40))
    first = [*names[:12]]
    disabled = BackendDisabledError("m", names, names)
    assert str(disabled) == (
        f"'m' is known only to what is disabled: {', '.join(first)}, 28 more; "
        f"enable one in {' or '.join(first)} or 28 more"
    )
    unrouted = ModelNotRoutedError("m", "all", None, tuple((name, "is disabled") for name in names))
    assert unrouted.reason.endswith("; 'b11' is disabled; 28 more")
    assert len(unrouted.turned_down) == len(disabled.backends) == 40
    # Nobody is spared the last one alone.
    assert str(BackendDisabledError("m", names[:13])).count("b12") == 1


@pytest.mark.parametrize("name", ["a'b", "new\nline", "", "ünï"])
def test_any_name_stays_on_one_line(name: str) -> None:
    assert "\n" not in str(UnknownNameError(name, "model", (name,)))


def test_what_may_be_meant_is_looked_for_when_somebody_reads_it() -> None:
    asked: list[str] = []

    def find(canary: str = "canary-77c") -> tuple[str, ...]:
        asked.append(canary)
        return ("gpt-5",)

    def identify() -> str | None:
        asked.append("identity")
        return None

    error = UnknownNameError("gpt", "preset", partial(find), identify)
    assert "canary-77c" not in f"{error!r} {error.args} {vars(error)}"
    assert asked == []
    assert {str(error), str(error)} == {"no preset is called 'gpt'; did you mean 'gpt-5'?"}
    assert asked.count("canary-77c") == asked.count("identity") == 1


def test_a_pickle_holds_what_may_be_meant() -> None:
    error = UnknownNameError("gpt", "preset", lambda: ("gpt-5",), lambda: None)
    error.add_note("while the worker started")
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (twin.name, twin.kind, twin.suggestions, twin.identity) == ("gpt", "preset", ("gpt-5",), None)
        assert twin.__notes__ == ["while the worker started"]
        assert str(twin) == str(error)
