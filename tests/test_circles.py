"""Circles: every step that leads an alias back to itself is told once, and work grows with the aliases alone."""

from collections.abc import Callable, Iterator
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Severity
from pipelex_cogt.models.circles import Circle, Steps, find_circles, in_order
from tests.conftest import steps

Graph = dict[str, dict[str, None]]

NAMES = [f"a{index}" for index in range(7)]

graphs = st.permutations(NAMES).flatmap(
    lambda names: st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=3) for name in names})
)


def graph_of(members: dict[str, list[str]]) -> Graph:
    return {name: dict.fromkeys(named) for name, named in members.items()}


def one_circle(size: int) -> Graph:
    return {f"x{index}": {f"x{(index + 1) % size}": None} for index in range(size)}


def small_circles(size: int) -> Graph:
    return {f"{side}{index}": {f"{other}{index}": None} for index in range(size) for side, other in ("xy", "yx")}


def nested_circles(size: int) -> Graph:
    """Circles of every length, each of which holds the shorter ones, and none of them its first alias."""
    back = {f"x{index}": {f"x{(index + 1) % size}": None, "x0": None} for index in range(size)}
    return {"in": {"x0": None}, **back}


def levels(size: int) -> Graph:
    return {f"x{index}": ({f"x{index + 1}": None} if index < size - 1 else {}) for index in range(size)}


DIMENSIONS: dict[str, Callable[[int], Graph]] = {
    "one circle": one_circle,
    "small circles": small_circles,
    "nested circles": nested_circles,
    "levels": levels,
}


def is_sorted(order: list[str], graph: Steps) -> bool:
    places = {name: place for place, name in enumerate(order)}
    return all(places[member] < places[name] for name, members in graph.items() for member in members)


def has_circle(graph: Steps) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def all_steps(circle: Circle) -> Iterator[tuple[str, str]]:
    names = circle.aliases()
    return pairwise([*names, names[0]])


@given(graphs)
def test_each_circle_is_one_and_begins_where_it_is_declared_first(members: dict[str, list[str]]) -> None:
    graph = graph_of(members)
    for circle in find_circles(graph):
        names = circle.aliases()
        assert len({*names}) == len(names)
        assert all(after in graph[before] for before, after in all_steps(circle))
        assert circle.closing in all_steps(circle)
        assert circle.start == names[0] == next(name for name in graph if name in names)
        assert circle.shown == tuple(map(repr, [*names, names[0]]))


@given(graphs)
def test_circles_are_found_exactly_where_there_are_some(members: dict[str, list[str]]) -> None:
    graph = graph_of(members)
    closing = [circle.closing for circle in find_circles(graph)]
    assert len({*closing}) == len(closing)
    assert bool(closing) is has_circle(graph)
    for name, closed in closing:
        del graph[name][closed]
    assert not has_circle(graph)


@given(graphs)
def test_without_the_steps_that_close_circles_each_alias_comes_after_those_it_leads_to(
    members: dict[str, list[str]],
) -> None:
    graph, report = graph_of(members), ProblemReport()
    circles = len([*find_circles(graph)])
    order = in_order(graph, report)
    assert sorted(order) == sorted(members)
    assert is_sorted(order, graph)
    assert len(report.problems(Severity.ERROR)) == circles


def test_of_a_long_circle_the_ends_are_shown() -> None:
    (circle,) = find_circles(one_circle(20))
    assert circle.shown == ("'x0'", "'x1'", "'x2'", "'x3'", "'x4'", "'x5'", "13 more", "'x19'", "'x0'")
    (shown_whole,) = find_circles(one_circle(11))
    assert len(shown_whole.shown) == 12


@pytest.mark.parametrize("make", DIMENSIONS.values(), ids=DIMENSIONS)
def test_work_grows_with_the_aliases(make: Callable[[int], Graph]) -> None:
    one, four = (steps(partial(in_order, make(size), ProblemReport())) for size in (500, 2_000))
    assert four < 4.4 * one
