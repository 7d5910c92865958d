"""The report: what follows from what, so that no consequence is told, and what is looked for only when it is read."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import LayerKind, Origin, Place, SettingsError, Severity
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Location
from pipelex_cogt.config.report import ProblemReport, model_place
from pipelex_cogt.config.suggestions import NearName

Note: TypeAlias = Callable[[ProblemReport], None]


def told(report: ProblemReport, severity: Severity = Severity.ERROR) -> list[str]:
    return [str(problem) for problem in report.problems(severity)]


def is_silent(report: ProblemReport, *places: KeyPath) -> bool:
    """Whether a judgement that rests on some places is taken for a consequence, as an error and as a warning."""
    silent = []
    for severity, note in ((Severity.ERROR, report.error), (Severity.WARNING, report.warning)):
        before = len(report.problems(severity))
        note(("elsewhere",), f"{severity} {places}", unless=places)
        silent.append(len(report.problems(severity)) == before)
    assert len({*silent}) == 1
    return silent[0]


def error_at(*path: str) -> Note:
    return lambda report: report.error(path, "is wrong")


def warning_at(*path: str) -> Note:
    return lambda report: report.warning(path, "is odd")


def unreadable_at(*path: str) -> Note:
    return lambda report: report.unreadable(path, "cannot be read")


# What explains a place


RELATIONS: dict[str, tuple[Note, KeyPath, bool]] = {
    "an error at it": (error_at("a", "b"), ("a", "b"), True),
    "an error below it": (error_at("a", "b", "c"), ("a",), True),
    "an error above it": (error_at("a"), ("a", "b"), False),
    "an error beside it": (error_at("a", "c"), ("a", "b"), False),
    "an error at a key that begins alike": (error_at("a", "bc"), ("a", "b"), False),
    "an error of no key": (error_at(), ("a",), False),
    "a warning at it": (warning_at("a", "b"), ("a", "b"), False),
    "what cannot be read at it": (unreadable_at("a", "b"), ("a", "b"), True),
    "what cannot be read below it": (unreadable_at("a", "b", "c"), ("a",), True),
    "what cannot be read above it": (unreadable_at("a"), ("a", "b", "c"), True),
    "a whole file that cannot be read": (unreadable_at(), ("a", "b"), True),
    "what cannot be read beside it": (unreadable_at("a", "c"), ("a", "b"), False),
}


@pytest.mark.parametrize(("note", "place", "explains"), RELATIONS.values(), ids=RELATIONS)
def test_a_judgement_is_silent_where_what_it_rests_on_is_at_fault(note: Note, place: KeyPath, explains: object) -> None:
    report = ProblemReport()
    note(report)
    assert is_silent(report, place) is explains


def test_one_place_at_fault_among_several_is_enough() -> None:
    report = ProblemReport()
    report.error(("a",), "is wrong")
    assert not is_silent(report, ("b",), ("c",))
    assert is_silent(report, ("b",), ("a",))


def test_what_rests_on_nothing_is_always_told() -> None:
    report = ProblemReport()
    report.unreadable((), "cannot be read")
    assert not is_silent(report)


def test_what_cannot_be_read_is_not_told_where_that_is_a_consequence() -> None:
    report = ProblemReport()
    report.unreadable(("deck",), "cannot be read")
    report.unreadable(("deck",), "expected, and missing", unless=[("deck",)])
    report.unreadable(("routing",), "expected, and missing", unless=[("routing",)])
    assert told(report) == ["cogt.deck: cannot be read", "cogt.routing: expected, and missing"]


def test_a_consequence_explains_nothing_itself() -> None:
    report = ProblemReport()
    report.error(("a",), "is wrong")
    report.error(("b",), "follows", unless=[("a",)])
    assert not is_silent(report, ("b",))
    assert told(report)[0] == "cogt.a: is wrong"


def test_what_cannot_be_read_may_be_told_at_another_key() -> None:
    report = ProblemReport()
    report.unreadable(
        ("models",), "expected a directory", Place("x.toml"), path=("inference_config", "model_specs_dir")
    )
    assert told(report) == ["x.toml  cogt.inference_config.model_specs_dir: expected a directory"]
    assert is_silent(report, ("models", "a", "m"))
    assert is_silent(report, ("inference_config",))


MODEL_PLACES: dict[str, tuple[Note, bool]] = {
    "any backend's file": (unreadable_at("models", "a"), True),
    "every file": (unreadable_at("models"), True),
    "its table in any file": (unreadable_at("models", "a", "m"), True),
    "a key of it": (unreadable_at("models", "a", "m", "costs"), True),
    "another model's table": (unreadable_at("models", "a", "n"), False),
    "a backend of the model's name": (unreadable_at("backends", "m"), False),
    "an error in it, which makes it known": (error_at("models", "a", "m", "sdk"), False),
}


@pytest.mark.parametrize(("note", "explains"), MODEL_PLACES.values(), ids=MODEL_PLACES)
def test_the_place_of_a_model_is_in_whichever_file_cannot_be_read(note: Note, explains: object) -> None:
    report = ProblemReport()
    note(report)
    assert is_silent(report, model_place("m")) is explains


# What is not in use


def test_errors_of_what_is_not_in_use_are_warnings_also_those_noted_later() -> None:
    report = ProblemReport()
    report.error(("a", "b"), "before")
    report.demote(("a",))
    report.error(("a", "c"), "after")
    report.error(("b",), "in use")
    assert told(report) == ["cogt.b: in use"]
    assert told(report, Severity.WARNING) == ["cogt.a.b: before", "cogt.a.c: after"]
    assert {problem.severity for problem in report.problems(Severity.WARNING)} == {Severity.WARNING}


@pytest.mark.parametrize("place", [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")])
def test_errors_of_what_is_not_in_use_explain_nothing(place: KeyPath) -> None:
    report = ProblemReport()
    report.error(("a", "b", "c", "d"), "before")
    report.demote(("a", "b"))
    report.error(("a", "b", "c", "d"), "after")
    assert not is_silent(report, place)


def test_above_what_is_not_in_use_the_other_errors_still_count() -> None:
    report = ProblemReport()
    for key in ("x", "y"):
        report.error(("a", "idle", key), "is wrong")
    report.error(("a", "used"), "is wrong")
    report.demote(("a", "idle"))
    assert is_silent(report, ("a",))
    report.demote(("a", "used"))
    assert not is_silent(report, ("a",))
    report.error(("a", "other"), "is wrong")
    assert is_silent(report, ("a",))


def test_what_is_said_twice_to_be_out_of_use_counts_once() -> None:
    report = ProblemReport()
    report.error(("a", "idle"), "is wrong")
    report.error(("a", "used"), "is wrong")
    report.demote(("a", "idle"))
    report.demote(("a", "idle"))
    assert is_silent(report, ("a",))


def test_whether_something_is_in_use_may_be_a_consequence_too() -> None:
    report = ProblemReport()
    report.error(("backends", "a", "enabled"), "expected true or false")
    report.error(("models", "a", "m"), "is wrong")
    report.demote(("models", "a"), unless=[("backends", "a", "enabled")])
    assert len(told(report)) == 2


PATHS = st.lists(st.sampled_from("ab"), max_size=4).map(tuple)
PLACES = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(tuple)
STEPS = st.one_of(
    st.tuples(st.just("error"), PATHS),
    st.tuples(st.just("warning"), PATHS),
    st.tuples(st.just("unreadable"), PLACES),
    st.tuples(st.just("demote"), PLACES),
)


def is_at_or_below(path: KeyPath, prefix: KeyPath) -> bool:
    return path[: len(prefix)] == prefix


def is_explained(place: KeyPath, steps: list[tuple[str, KeyPath]]) -> bool:
    """What explains a place, from the whole history instead of counts that are kept along the way."""
    idle = [path for kind, path in steps if kind == "demote"]
    unreadable = [path for kind, path in steps if kind == "unreadable"]
    errors = [path for kind, path in steps if kind in ("error", "unreadable")]
    in_use = [path for path in errors if not any(is_at_or_below(path, prefix) for prefix in idle)]
    return any(is_at_or_below(path, place) for path in [*unreadable, *in_use]) or any(
        is_at_or_below(place, path) for path in unreadable
    )


@given(st.lists(STEPS, max_size=12), PLACES)
def test_a_place_is_explained_as_the_plain_definition_says(steps: list[tuple[str, KeyPath]], place: KeyPath) -> None:
    report = ProblemReport()
    for number, (kind, path) in enumerate(steps):
        if kind == "demote":
            report.demote(path)
        else:
            getattr(report, kind)(path, f"step {number}")
    assert is_silent(report, place) is is_explained(place, steps)


# What is missing


def test_what_is_required_is_judged_together() -> None:
    report = ProblemReport()
    report.required([("a", "x"), ("a", "y")], "name one", unless=[("a",)])
    missing = "required, and nothing states it; name one"
    assert told(report) == [f"cogt.a.x: {missing}", f"cogt.a.y: {missing}"]
    report.required([("a", "z")], unless=[("a",)])
    assert len(told(report)) == 2


# What is looked for when somebody reads


class Names(Collection[str]):
    """Known names that remember whether they were looked through."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.was_read = False

    def __iter__(self) -> Iterator[str]:
        self.was_read = True
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return len(self.names)


def test_near_names_are_looked_for_when_somebody_reads_the_report() -> None:
    report, known = ProblemReport(), Names("openai", "other")
    report.unknown_name(("routing", "active"), "profile", NearName("opnai", known))
    assert not known.was_read
    assert told(report) == ["cogt.routing.active: no profile is called 'opnai'; did you mean 'openai'?"]
    assert known.was_read


def test_of_many_problems_the_first_hundreds_have_a_suggestion() -> None:
    report = ProblemReport()
    for number in range(1_000):
        report.unknown_name(("deck", f"a{number:04}"), "model", NearName("gpt", ["gpt-4"]))
    suggestions = [problem.suggestion for problem in report.problems(Severity.ERROR)]
    assert suggestions == ["did you mean 'gpt-4'?"] * 300 + [None] * 700
    # Each reading is one of its own, and a pickle holds the same.
    assert [problem.suggestion for problem in report.problems(Severity.ERROR)] == suggestions
    copied = pickle.loads(pickle.dumps(report))
    assert [problem.suggestion for problem in copied.problems(Severity.ERROR)] == suggestions


def test_near_names_of_a_consequence_are_never_looked_for() -> None:
    report, known = ProblemReport(), Names("openai")
    report.unreadable(("backends",), "cannot be read")
    report.unknown_name(("routing", "active"), "backend", NearName("opnai", known), unless=[("backends", "opnai")])
    assert told(report) == ["cogt.backends: cannot be read"]
    assert not known.was_read


def test_an_unknown_key_comes_with_the_key_that_is_near_or_with_all() -> None:
    report = ProblemReport()
    report.unknown_key(("a", "actve"), ["later", "active"])
    report.unknown_key(("a", "zzz"), ["later", "active"])
    assert told(report) == [
        "cogt.a.actve: unknown key; did you mean 'active'?",
        "cogt.a.zzz: unknown key; expected one of active, later",
    ]


class Locator:
    """Says where key paths are stated, and remembers which were asked for."""

    def __init__(self, *packaged: KeyPath) -> None:
        self.packaged = packaged
        self.asked: list[KeyPath] = []

    def __call__(self, path: KeyPath) -> Location:
        self.asked.append(path)
        return Location(Place("some.toml", len(path)), path in self.packaged, path)


def test_only_what_is_read_is_located() -> None:
    report = ProblemReport()
    report.locate = locator = Locator()
    report.error(("a",), "is wrong")
    report.warning(("b",), "is odd")
    assert locator.asked == []
    report.problems(Severity.ERROR)
    assert locator.asked == [("a",)]
    report.problems(Severity.WARNING)
    assert locator.asked == [("a",), ("b",)]


def test_a_report_without_errors_locates_nothing() -> None:
    report = ProblemReport()
    report.locate = locator = Locator()
    report.warning(("b",), "is odd")
    report.raise_errors("the test")
    assert locator.asked == []


def test_errors_are_raised_together_with_the_warnings_beside_them() -> None:
    report = ProblemReport()
    report.error(("b",), "second")
    report.error(("a",), "first", place=Place("a.toml", 1))
    report.warning(("c",), "is odd")
    with pytest.raises(SettingsError) as caught:
        report.raise_errors("the test")
    assert str(caught.value) == "2 problems in the test\n  cogt.b: second\n  a.toml:1  cogt.a: first"
    assert [str(warning) for warning in caught.value.warnings] == ["cogt.c: is odd"]


def test_of_the_packaged_settings_errors_are_told_and_warnings_are_not() -> None:
    report = ProblemReport()
    report.locate = Locator(("a",))
    report.error(("a",), "is wrong")
    report.warning(("a",), "is odd")
    report.warning(("b",), "shipped", place=Origin(LayerKind.PACKAGED, "x.toml", is_packaged=True))
    assert (told(report), told(report, Severity.WARNING)) == (["some.toml:1  cogt.a: is wrong"], [])


def test_a_problem_that_is_noted_twice_is_told_once() -> None:
    report = ProblemReport()
    report.error(("a",), "is wrong")
    report.error(("a",), "is wrong")
    assert told(report) == ["cogt.a: is wrong"]


# What the application's own line makes wrong in a packaged file

OWN, OTHER, SHIPPED, UNSTATED = ("own",), ("own", "other"), ("shipped",), ("nowhere", "x")


def locate_three(path: KeyPath) -> Location:
    """`shipped` stands in a packaged file, `own` and `own.other` in the application's, nothing else anywhere."""
    if path[:1] == SHIPPED:
        return Location(Place("packaged x.toml", 3), is_packaged=True, stated=path)
    if path in (OWN, OTHER):
        return Location(Place("mine.toml", len(path)), stated=path)
    # What lies below `own` is not stated itself: the table above it is.
    return Location(Place("mine.toml", 1), stated=OWN) if path[:1] == OWN else Location()


def report_of_three() -> ProblemReport:
    report = ProblemReport()
    report.locate = locate_three
    return report


FITS_NOT = "does not fit cogt.shipped.a (packaged x.toml:3): is wrong; mend it"
CAUSES: dict[str, tuple[KeyPath, list[KeyPath], str]] = {
    "the application's": (("shipped", "a"), [OWN], f"mine.toml:1  cogt.own: {FITS_NOT}"),
    "the nearest first": (("shipped", "a"), [OTHER, OWN], f"mine.toml:2  cogt.own.other: {FITS_NOT}"),
    "behind a packaged one": (("shipped", "a"), [("shipped", "b"), OWN], f"mine.toml:1  cogt.own: {FITS_NOT}"),
    "behind one that nothing states": (("shipped", "a"), [UNSTATED, OWN], f"mine.toml:1  cogt.own: {FITS_NOT}"),
    "in a table that states something else": (
        ("shipped", "a"),
        [("own", "more")],
        "packaged x.toml:3  cogt.shipped.a: is wrong; mend it",
    ),
    "none": (("shipped", "a"), [], "packaged x.toml:3  cogt.shipped.a: is wrong; mend it"),
    "of what is the application's itself": (OWN, [OTHER], "mine.toml:1  cogt.own: is wrong; mend it"),
    "of what nothing states": (UNSTATED, [OWN], "cogt.nowhere.x: is wrong; mend it"),
}


@pytest.mark.parametrize(("path", "causes", "message"), CAUSES.values(), ids=CAUSES)
def test_what_is_wrong_in_a_packaged_file_is_told_at_the_application_s_cause(
    path: KeyPath, causes: list[KeyPath], message: str
) -> None:
    report = report_of_three()
    report.error(path, "is wrong", "mend it", causes=causes)
    assert told(report) == [message]


def test_a_warning_of_a_packaged_file_is_told_where_the_application_causes_it() -> None:
    report = report_of_three()
    report.warning(("shipped", "a"), "is wrong", "mend it", causes=[OWN])
    report.warning(("shipped", "b"), "is odd", causes=[("shipped", "c")])
    assert told(report, Severity.WARNING) == [f"mine.toml:1  cogt.own: {FITS_NOT}"]


def test_what_is_not_in_use_has_no_cause() -> None:
    report = report_of_three()
    report.error(("shipped", "a"), "is wrong", causes=[OWN])
    report.demote(("shipped",))
    assert (told(report), told(report, Severity.WARNING)) == ([], [])


def test_a_name_that_the_application_took_away_is_told_there() -> None:
    report = report_of_three()
    report.unknown_name(("shipped", "a"), "alias", NearName("x", ()), causes=[OWN])
    assert told(report) == [
        "mine.toml:1  cogt.own: does not fit cogt.shipped.a (packaged x.toml:3): no alias is called 'x'"
    ]


def test_one_line_that_does_the_same_to_several_packaged_values_is_told_once() -> None:
    report = report_of_three()
    for key in ("a", "b", "a"):
        report.error(("shipped", key), "is wrong", causes=[OWN])
    report.error(("shipped", "c"), "is wrong otherwise", causes=[OWN])
    parties = ("cogt.shipped.a (packaged x.toml:3)", "cogt.shipped.b (packaged x.toml:3)")
    assert told(report) == [
        f"mine.toml:1  cogt.own: does not fit {' and '.join(parties)}: is wrong",
        "mine.toml:1  cogt.own: does not fit cogt.shipped.c (packaged x.toml:3): is wrong otherwise",
    ]


def test_what_rests_on_a_packaged_value_is_a_consequence_wherever_that_is_told() -> None:
    report = report_of_three()
    report.error(("shipped", "a"), "is wrong", causes=[OWN])
    assert is_silent(report, ("shipped",))
    assert not is_silent(report, OWN)


def test_causes_are_looked_for_when_somebody_reads() -> None:
    report = ProblemReport()
    report.locate = locator = Locator(SHIPPED)
    report.error(SHIPPED, "is wrong", causes=[OWN])
    assert locator.asked == []
    report.problems(Severity.ERROR)
    assert {*locator.asked} == {SHIPPED, OWN}


def test_causes_may_be_found_only_for_what_is_packaged() -> None:
    report, asked = report_of_three(), []

    def find_causes(of: str) -> list[KeyPath]:
        asked.append(of)
        return [OWN]

    report.error(OTHER, "is wrong", causes=partial(find_causes, "own"))
    report.error(("shipped", "a"), "is wrong", "mend it", causes=partial(find_causes, "shipped"))
    assert asked == []
    assert f"mine.toml:1  cogt.own: {FITS_NOT}" in told(report)
    assert asked == ["shipped"]


def test_a_pickled_report_keeps_causes_and_what_they_do_not_fit() -> None:
    report = report_of_three()
    report.error(("shipped", "a"), "is wrong", "mend it", causes=[OWN])
    arrived: ProblemReport = pickle.loads(pickle.dumps(report))
    assert told(arrived) == told(report) == [f"mine.toml:1  cogt.own: {FITS_NOT}"]


# Copies and pickles


def test_a_copy_is_added_to_alone() -> None:
    report = ProblemReport()
    report.warning(("a",), "first")
    copy = report.copy()
    copy.warning(("b",), "second")
    assert told(report, Severity.WARNING) == ["cogt.a: first"]
    assert told(copy, Severity.WARNING) == ["cogt.a: first", "cogt.b: second"]
    copy.error(("c",), "is wrong")
    assert not is_silent(report, ("c",))


def test_a_copy_knows_what_explains_what() -> None:
    report = ProblemReport()
    report.unreadable(("a",), "cannot be read")
    report.demote(("b",))
    copy = report.copy()
    copy.error(("b", "c"), "is wrong")
    assert is_silent(copy, ("a", "x"))
    assert told(copy, Severity.WARNING) == ["cogt.b.c: is wrong"]


def test_a_pickled_report_keeps_problems_places_and_hints() -> None:
    report = ProblemReport()
    report.locate = Locator(("shipped",))
    report.error(("a", "b"), "is wrong", "mend it")
    report.unknown_name(("c",), "backend", NearName("opnai", ("openai",)))
    report.warning(("d",), "is odd", place=Place("SOME_VARIABLE"))
    report.error(("idle", "x"), "is not in use")
    report.demote(("idle",))
    arrived: ProblemReport = pickle.loads(pickle.dumps(report))
    for severity in Severity:
        assert arrived.problems(severity) == report.problems(severity)
    assert told(arrived) == [
        "some.toml:1  cogt.c: no backend is called 'opnai'; did you mean 'openai'?",
        "some.toml:2  cogt.a.b: is wrong; mend it",
    ]
    assert told(arrived, Severity.WARNING) == [
        "SOME_VARIABLE  cogt.d: is odd",
        "some.toml:2  cogt.idle.x: is not in use",
    ]
