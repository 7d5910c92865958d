"""Routes that decide nothing, or not what they seem to decide, and where that is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import (
    InferenceBackend,
    InferenceBackendLibrary,
    InferenceModelSpec,
    ModelManager,
    RoutingProfile,
    RoutingProfileLibrary,
    RoutingRule,
    Severity,
)
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.model_backends.backend import HandedOver
from pipelex_cogt.model_routing.route_warnings import warn_of_routes
from tests.conftest import Load, steps

TWINS = {f"backends/{name}.local.toml": "[gpt-4-x]\n[gpt-4-y]\n[gpt-4o]\n[x-4o]" for name in ("a", "b")}
"""Two backends that serve the same models, with a dash where a pattern may have one."""
FAMILY = ("gpt-4-x", "gpt-4-y", "gpt-4o", "m1")


def routed(lines: str) -> dict[str, str]:
    """A routing file whose active profile's lines begin on line 4."""
    return {"routing.toml": f"active = 'x'\n[profiles.x]\nfallback_order = ['a', 'b']\n{lines}\n"}


def paths(manager: ModelManager) -> list[str]:
    return [warning.path for warning in manager.warnings]


def told(manager: ModelManager) -> list[str]:
    """The warnings about routes, with paths relative to `settings/`."""
    warnings = (re.sub(r"[^ ]*/app/settings/", "", str(each)) for each in manager.warnings if "routes" in each.path)
    return [warning.replace("cogt.routing.profiles.x.", "") for warning in warnings]


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param("routes = { m1 = 'a', 'm1*' = 'b' }", 'routes."m1*"', id="shadowed by a name"),
        pytest.param("routes = { '*1' = 'b', 'm1*' = 'a' }", 'routes."*1"', id="shadowed by more letters"),
        pytest.param("routes = { 'm1*' = 'a', '*m1' = 'b' }", 'routes."*m1"', id="tied"),
        pytest.param(
            "routes = { 'm1*' = 'a' }\noptional_routes = { '*m1' = 'b' }", 'optional_routes."*m1"', id="optional"
        ),
        pytest.param("routes = { m1 = 'a' }\noptional_routes = { m1 = 'b' }", "optional_routes.m1", id="twice a name"),
        pytest.param(
            "routes = { 'm1*' = 'a' }\noptional_routes = { 'm1*' = 'b' }", 'optional_routes."m1*"', id="twice a pattern"
        ),
        pytest.param("routes = { 'm-off*' = 'a' }", 'routes."m-off*"', id="to a backend that serves none"),
        pytest.param("routes = { 'zzz*' = 'a' }", 'routes."zzz*"', id="matches nothing"),
        pytest.param("routes = { zzz = 'a' }", "routes.zzz", id="a name that nobody knows"),
    ],
)
def test_a_route_that_is_never_used_is_told_and_nothing_else(load: Load, lines: str, path: str) -> None:
    assert paths(load(routed(lines))) == [f"cogt.routing.profiles.x.{path}"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("routes = { 'm*' = 'a', 'only-*' = 'b' }\noptional_routes = { only-a = 'a' }", id="all used"),
        pytest.param("routes = { '*' = 'b', only-a = 'a' }", id="a wildcard for the rest"),
        pytest.param("optional_routes = { 'm1*' = 'off', m1 = 'off' }", id="optional and waiting"),
        pytest.param("routes = { 'm1*' = 'a' }\noptional_routes = { m1 = 'off' }", id="behind one that waits"),
        pytest.param("default = 'b'", id="a default over a fallback"),
    ],
)
def test_a_route_that_is_used_or_waits_for_its_backend_is_not_told(load: Load, lines: str) -> None:
    assert paths(load(routed(lines))) == []


def test_a_tied_route_is_told_by_the_order_of_declaration(load: Load) -> None:
    assert paths(load(routed("routes = { '*m1' = 'b', 'm1*' = 'a' }"))) == ['cogt.routing.profiles.x.routes."m1*"']


def test_routes_that_tie_and_each_decide_for_something_are_not_told(load: Load) -> None:
    files = {
        "backends/a.local.toml": "[m1-x]\n[x-m1]\n",
        **routed("routes = { 'm1-*' = 'a', '*-m1' = 'a', 'dot*' = 'b' }"),
    }
    assert paths(load(files)) == []


@pytest.mark.parametrize("backends", [("a", "b"), ("b", "a")])
def test_a_pattern_in_both_tables_is_told_where_it_is_never_used(load: Load, backends: tuple[str, str]) -> None:
    first, second = backends
    manager = load(routed(f"routes = {{ 'm1*' = '{first}' }}\noptional_routes = {{ 'm1*' = '{second}' }}"))
    (warning,) = manager.warnings
    assert (warning.path, warning.line) == ('cogt.routing.profiles.x.optional_routes."m1*"', 5)
    assert warning.problem == "never used: the route 'm1*' in routes decides first"
    assert warning.suggestion == "remove one of the two"
    assert manager.get_inference_model("m1").backend_name == first


LOST = {
    "only its dash": (
        "routes = { 'gpt-4-*' = 'a', 'gpt-4*' = 'b' }",
        [
            (
                "routing.toml:4  routes.\"gpt-4*\": loses 'gpt-4-x' and 1 more to 'gpt-4-*', "
                "which only has a separator more; an exact name decides before any pattern"
            )
        ],
    ),
    "only its dash, of patterns that are not alike": (
        "routes = { '*-x' = 'a', 'g*' = 'b' }",
        [
            (
                "routing.toml:4  routes.\"g*\": loses 'gpt-4-x' to '*-x', "
                "which only has a separator more; an exact name decides before any pattern"
            )
        ],
    ),
    "only its place": (
        "routes = { 'gp*' = 'a', '*4o' = 'b' }",
        [
            (
                "routing.toml:4  routes.\"*4o\": loses 'gpt-4o' to 'gp*', "
                "which is only declared first; an exact name decides before any pattern"
            )
        ],
    ),
    "a twin that only its dash hides": (
        "routes = { 'm*' = 'a', 'gpt-*' = 'a', 'gpt*' = 'b' }",
        [
            (
                "routing.toml:4  routes.\"gpt*\": never used: 'gpt-*' decides first for every model that this matches, "
                "such as 'gpt-4-x'; only a separator makes it more specific; write 'gpt-*' to take its place"
            )
        ],
    ),
}


@pytest.mark.parametrize(("lines", "warnings"), LOST.values(), ids=LOST)
def test_a_pattern_that_is_beaten_by_a_hair_is_told_at_its_own_line(
    load: Load, lines: str, warnings: list[str]
) -> None:
    assert sorted(told(load({**TWINS, **routed(lines)}))) == sorted(warnings)


NOT_LOST = {
    "more letters win": "routes = { 'gpt-4o*' = 'a', 'gpt*' = 'b' }",
    "the same backend": "routes = { 'gpt-4-*' = 'a', 'gpt-4*' = 'a' }",
    "an exact name decides": "routes = { 'gpt-4-x' = 'a', 'gpt-4-y' = 'a', 'gpt-4*' = 'b' }",
    "the winner waits for its backend": "routes = { 'gpt-4*' = 'a' }\noptional_routes = { 'gpt-4-*' = 'off' }",
    "the loser waits for its backend": "routes = { 'gpt-4-*' = 'a' }\noptional_routes = { 'gpt-4*' = 'off' }",
}


@pytest.mark.parametrize("lines", NOT_LOST.values(), ids=NOT_LOST)
def test_a_pattern_that_is_beaten_for_good_reason_is_not_told(load: Load, lines: str) -> None:
    assert told(load({**TWINS, **routed(lines)})) == []


def test_a_pattern_that_waits_for_its_backend_must_match_something(load: Load) -> None:
    assert told(load(routed("optional_routes = { 'm*' = 'off', 'mm*' = 'off' }"))) == [
        'routing.toml:4  optional_routes."mm*": this pattern matches no model; remove it, or mend its spelling'
    ]


def test_a_pattern_that_is_beaten_by_a_hair_stops_nothing(load: Load) -> None:
    manager = load({**TWINS, **routed("routes = { 'gpt-4-*' = 'a', 'gpt-4*' = 'b' }")})
    served = {name: manager.get_inference_model(name).backend_name for name in FAMILY}
    assert served == {"gpt-4-x": "a", "gpt-4-y": "a", "gpt-4o": "b", "m1": "a"}


PATTERNS = st.sampled_from(["*", "m*", "m-*", "*-x", "*x", "m*x", "m-1*", "*1*", "**-x", "y*", "m1", "m-1-x"])
ROUTES = st.dictionaries(PATTERNS, st.sampled_from(["a", "b", "c", "off"]), max_size=7)
SERVED = st.dictionaries(
    st.sampled_from(["a", "b", "c", "off"]), st.lists(st.sampled_from(["m1", "m-1-x", "m-2-x", "y", "mx"]), unique=True)
)


def routing_of(routes: dict[str, str], optional: dict[str, str], served: dict[str, list[str]]) -> RoutingProfileLibrary:
    """An active profile over backends, of which `off` is disabled."""
    backends: dict[str, InferenceBackend] = {}
    for name in ("a", "b", "c", "off"):
        fields = {"backend_name": name, "model_id": "x", "sdk": "s"}
        specs = {model: InferenceModelSpec.model_validate({"name": model, **fields}) for model in served.get(name, ())}
        context = HandedOver(Credentials(Environ({})), FrozenDict(specs))
        table = {"name": name, "enabled": name != "off"}
        backends[name] = InferenceBackend.model_validate(table, context=context)
    hidden = dict.fromkeys(served.get("off", ()), ("off",))
    profile = RoutingProfile(name="x", routes=routes, optional_routes=optional, fallback_order=("a", "b"))
    return RoutingProfileLibrary({"x": profile}, profile, InferenceBackendLibrary(backends, hidden))


def matches(pattern: str, model: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), model) is not None


def letters(pattern: str) -> int:
    return len(re.sub(r"[\W_]", "", pattern))


def unused_plainly(routing: RoutingProfileLibrary) -> Iterator[tuple[str, str]]:
    """The plain definition: each pattern is held against each model."""
    decisions = [routing.decide(model) for model in routing.backends.known_models]
    serving = {(decision.key, decision.backend) for decision in decisions}
    for field, key, backend in routing.active.all_routes():
        matched = [decision for decision in decisions if matches(key, decision.model_name)]
        is_in_use = backend in routing.backends.enabled
        if is_in_use and field == "optional_routes" and key in routing.active.routes:
            yield key, f"never used: the route {key!r} in routes decides first"
        elif "*" not in key or (key, backend) in serving:
            continue
        elif not matched:
            yield key, "this pattern matches no model"
        elif is_in_use and key in (decision.key for decision in matched):
            yield key, f"backend {backend!r} serves none of the models that this pattern matches"
        elif is_in_use:
            winners = sorted({repr(decision.key) for decision in matched})
            verb = "decides" if len(winners) == 1 else "decide"
            text = f"never used: {' and '.join(winners)} {verb} first for every model that this matches"
            yield key, f"{text}, such as {matched[0].model_name!r}"


def lost_plainly(routing: RoutingProfileLibrary) -> dict[tuple[str, str], list[str]]:
    """The plain definition: the pattern that decides is held against every other one."""
    told = {key for key, text in unused_plainly(routing) if text.startswith(("never used: '", "backend"))}
    lost: dict[tuple[str, str], list[str]] = {}
    for decision in map(routing.decide, routing.backends.known_models):
        if decision.rule is RoutingRule.PATTERN:
            winner, asked = str(decision.key), decision.backend or decision.turned_down[-1].backend
            for _, loser, backend in routing.active.patterns:
                is_rival = loser not in {winner, *told} and backend in routing.backends.enabled.keys() - {asked}
                is_near = letters(str(loser)) >= letters(winner)
                if is_rival and is_near and matches(str(loser), decision.model_name):
                    lost.setdefault((str(loser), winner), []).append(decision.model_name)
    return lost


@pytest.mark.slow
@settings(max_examples=300)
@given(ROUTES, ROUTES, SERVED)
def test_the_warnings_are_those_of_holding_each_pattern_against_each_model(
    routes: dict[str, str], optional: dict[str, str], served: dict[str, list[str]]
) -> None:
    routing, report = routing_of(routes, optional, served), ProblemReport()
    warn_of_routes(routing, report)
    found = Counter((warning.path, warning.problem) for warning in report.problems(Severity.WARNING))
    told = Counter(text for _, text in unused_plainly(routing))
    assert Counter(text for (_, text), count in found.items() if "loses" not in text for _ in range(count)) == told
    lost = lost_plainly(routing)
    heads = sorted(
        f"loses {models[0]!r}{f' and {len(models) - 1} more' if models[1:] else ''} to {winner!r}, which"
        for (_, winner), models in lost.items()
    )
    assert sorted(text.partition(" only ")[0].partition(" is")[0] for _, text in found if "loses" in text) == heads


SHAPES = {
    "each its own": ("m{0}-*", "m{0}-x"),
    "matches nothing": ("y{0}-*", "m{0}-x"),
    "anywhere": ("*-{0}-*", "m-{0}-x"),
    "behind a name": ("m{0}-x*", "m{0}-x"),
}


@pytest.mark.parametrize(("pattern", "model"), SHAPES.values(), ids=SHAPES)
def test_warnings_grow_as_patterns_do(pattern: str, model: str) -> None:
    def work(size: int) -> int:
        numbers = range(1_000, 1_000 + size)
        routes = dict.fromkeys(map(pattern.format, numbers), "b")
        routing = routing_of(routes, {}, {"a": [*map(model.format, numbers)]})
        return steps(lambda: warn_of_routes(routing, ProblemReport()))

    assert work(800) < 1.5 * 8 * work(100)
