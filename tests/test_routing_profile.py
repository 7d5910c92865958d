"""One routing profile: which backend serves a model, compared with a slow oracle that was written apart from it."""

import copy
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelex_cogt import RoutingDecision, RoutingProfile, RoutingRule
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, TurnedDown
from tests.conftest import steps

World = Mapping[str, set[str] | None]
"""Backend to the models it serves, or to None where it is disabled."""

NAMES = ["m", "ma", "mab", "b-m", "a*b", "m\n", "[m]", "m?"]
BACKENDS = ["a", "b", "c"]

SPECIFICITY = {
    "prefix": ("claude-4-sonnet", ["claude-*", "*"], "claude-*"),
    "suffix": ("fast-sdxl", ["*", "*-sdxl"], "*-sdxl"),
    "contains": ("claude-4-sonnet", ["*onnet", "*sonnet*"], "*sonnet*"),
    "inner": ("gpt-5-mini", ["gpt-*", "gpt-*-mini"], "gpt-*-mini"),
    "two inner": ("gpt-5-x-mini", ["gpt-*-mini", "gpt-*-x-*i"], "gpt-*-mini"),
    "more literals win wherever they stand": ("gpt-5", ["gpt*", "*pt-5"], "*pt-5"),
    "stars are no literals": ("gpt-5", ["gpt-*****", "gpt-5*"], "gpt-5*"),
    "equals: the first declared": ("gpt-5", ["gp*", "*-5", "*pt*"], "gp*"),
    "equals: the first declared, the other way": ("gpt-5", ["*-5", "gp*"], "*-5"),
    "empty rest": ("gpt-", ["*", "gpt-*"], "gpt-*"),
    "star alone": ("anything", ["*"], "*"),
    "only stars": ("anything", ["**", "***"], "**"),
}

NO_MATCH = {
    "prefix": ("gpt-*", "my-gpt-5"),
    "suffix": ("*-mini", "gpt-5-mini-2"),
    "contains": ("*sonnet*", "sonet"),
    "inner": ("gpt-*-mini", "gpt-mini"),
    "overlapping ends": ("aba*aba", "aba"),
    "case": ("GPT-*", "gpt-5"),
    "dot is a dot": ("gpt.*", "gpt-5"),
    "question mark is itself": ("gpt-?*", "gpt-5"),
    "brackets are themselves": ("m[12]*", "m1"),
    "negated brackets": ("m[!2]*", "m1"),
    "trailing newline": ("*5", "gpt-5\n"),
}

MATCH = {
    "question mark": ("gpt-?*", "gpt-?5"),
    "brackets": ("m[12]*", "m[12]x"),
    "open bracket": ("m[*", "m[1"),
    "newline": ("a*b", "a\nb"),
    "backslash": ("a\\*", "a\\b"),
    "star in the name": ("a*", "a*b"),
    "empty name": ("*", ""),
    "colon and slash": ("*/llama*:free", "meta/llama-3:free"),
}


def profile(**rules: Any) -> RoutingProfile:
    return RoutingProfile.model_validate({"name": "x", **rules})


@dataclass
class Serving:
    """What routing asks of the backends of a world; its answers are in no order that a rule could rest on."""

    world: World

    def serving(self, model: str) -> list[str]:
        return [backend for backend in reversed([*self.world]) if self.refusal(backend, model) is None]

    def refusal(self, backend: str, model: str) -> RouteRefusal | None:
        models = self.world[backend]
        if models is None:
            return RouteRefusal.DISABLED
        return None if model in models else RouteRefusal.MODEL_NOT_SERVED


def decide(rules: RoutingProfile, model: str, **world: set[str] | None) -> RoutingDecision:
    return rules.decide(model, Serving(world))


def matches_naively(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return matches_naively(pattern[1:], name) or (bool(name) and matches_naively(pattern, name[1:]))
    return bool(name) and name[0] == pattern[0] and matches_naively(pattern[1:], name[1:])


@dataclass
class Answer:
    backend: str | None
    rule: RoutingRule
    key: str | None = None


def decide_naively(rules: RoutingProfile, model: str, world: World) -> Answer:
    counting = [*rules.routes.items(), *((k, b) for k, b in rules.optional_routes.items() if world[b] is not None)]
    for key, backend in counting:
        if key == model:
            return Answer(backend if model in (world[backend] or ()) else None, RoutingRule.EXACT, key)
    best: tuple[str, str] | None = None
    for key, backend in counting:
        literals = sum(character != "*" for character in key)
        if "*" in key and matches_naively(key, model):
            best_literals = -1 if best is None else sum(character != "*" for character in best[0])
            best = (key, backend) if literals > best_literals else best
    if best is not None:
        return Answer(best[1] if model in (world[best[1]] or ()) else None, RoutingRule.PATTERN, best[0])
    if rules.default is not None and model in (world[rules.default] or ()):
        return Answer(rules.default, RoutingRule.DEFAULT)
    for backend in rules.fallback_order:
        if model in (world[backend] or ()):
            return Answer(backend, RoutingRule.FALLBACK)
    return Answer(None, RoutingRule.NONE)


@pytest.mark.parametrize(("model", "patterns", "expected"), SPECIFICITY.values(), ids=SPECIFICITY)
def test_the_most_specific_pattern_decides(model: str, patterns: list[str], expected: str) -> None:
    decision = decide(profile(routes=dict.fromkeys(patterns, "a")), model, a={model})
    assert (decision.backend, decision.rule, decision.key) == ("a", RoutingRule.PATTERN, expected)


@pytest.mark.parametrize(("pattern", "name"), NO_MATCH.values(), ids=NO_MATCH)
def test_a_pattern_does_not_match(pattern: str, name: str) -> None:
    assert decide(profile(routes={pattern: "a"}), name, a={name}).rule is RoutingRule.NONE


@pytest.mark.parametrize(("pattern", "name"), MATCH.values(), ids=MATCH)
def test_a_pattern_matches(pattern: str, name: str) -> None:
    assert decide(profile(routes={pattern: "a"}), name, a={name}).key == pattern


def test_a_pattern_of_many_stars_does_not_take_for_ever() -> None:
    name = "a" * 2_000
    assert decide(profile(routes={"*a" * 200 + "*b": "a"}), name, a={name}).rule is RoutingRule.NONE


def test_a_reason_of_many_tells_the_first_and_how_many_more() -> None:
    order = [f"b{number}" for number in range(100)]
    decision = decide(profile(fallback_order=order), "m", **dict.fromkeys(order))
    assert len(decision.turned_down) == 100
    assert decision.reason.count("is disabled") == 12
    assert decision.reason.endswith("fallback names 'b11': is disabled; 88 more")


def test_an_exact_route_wins_over_every_pattern() -> None:
    rules = profile(routes={"gpt-5*": "a", "gpt-5": "b", "*gpt-5*": "c"})
    decision = decide(rules, "gpt-5", a={"gpt-5"}, b={"gpt-5"}, c={"gpt-5"})
    assert (decision.backend, decision.rule, decision.key) == ("b", RoutingRule.EXACT, "gpt-5")


def test_an_exact_route_may_name_a_model_with_a_star() -> None:
    decision = decide(profile(routes={"*": "a", "m*": "b"}), "m*", a={"m*"}, b={"m*"})
    assert (decision.backend, decision.rule) == ("b", RoutingRule.EXACT)


@pytest.mark.parametrize("key", ["m", "m*", "*"])
@pytest.mark.parametrize("world", [{"a": set[str](), "b": {"m"}}, {"a": None, "b": {"m"}}])
def test_a_rule_that_names_a_provider_is_never_bypassed(key: str, world: World) -> None:
    rules = profile(routes={key: "a"}, default="b", fallback_order=["b"])
    decision = rules.decide("m", Serving(world))
    assert decision.backend is None


def test_a_less_specific_route_does_not_step_in() -> None:
    decision = decide(profile(routes={"gpt-5*": "a", "gpt-*": "b"}), "gpt-5", a=set(), b={"gpt-5"})
    assert decision.backend is None
    assert decision.reason == "route 'gpt-5*' names 'a': does not serve the model"


def test_default_serves_what_no_route_matches() -> None:
    decision = decide(profile(routes={"x*": "a"}, default="b", fallback_order=["a"]), "m", a={"m"}, b={"m"})
    assert (decision.backend, decision.rule, decision.key) == ("b", RoutingRule.DEFAULT, None)


def test_fallback_order_serves_what_default_does_not() -> None:
    decision = decide(profile(default="b", fallback_order=["c", "a"]), "m", a={"m"}, b=set(), c=set())
    assert (decision.backend, decision.rule) == ("a", RoutingRule.FALLBACK)


def test_without_fallback_order_nothing_moves_to_another_provider() -> None:
    assert decide(profile(default="b"), "m", a={"m"}, b=set()).backend is None


def test_fallback_order_passes_over_the_disabled() -> None:
    decision = decide(profile(fallback_order=["a", "b", "c"]), "m", a=None, b={"m"}, c={"m"})
    assert decision.backend == "b"
    assert [(down.backend, down.reason) for down in decision.turned_down] == [("a", RouteRefusal.DISABLED)]


def test_fallback_order_may_repeat_the_default() -> None:
    decision = decide(profile(default="a", fallback_order=["a", "b"]), "m", a=set(), b={"m"})
    assert decision.backend == "b"


def test_an_optional_route_counts_while_its_backend_is_enabled() -> None:
    rules = profile(optional_routes={"m": "a"}, default="b")
    assert decide(rules, "m", a={"m"}, b={"m"}).backend == "a"
    assert decide(rules, "m", a=None, b={"m"}).backend == "b"
    assert decide(rules, "m", a=set(), b={"m"}).backend is None


def test_an_optional_pattern_competes_by_specificity() -> None:
    rules = profile(routes={"gpt-*": "a"}, optional_routes={"gpt-5*": "b", "*": "c"})
    assert decide(rules, "gpt-5", a={"gpt-5"}, b={"gpt-5"}, c={"gpt-5"}).backend == "b"
    assert decide(rules, "gpt-5", a={"gpt-5"}, b=None, c={"gpt-5"}).backend == "a"
    assert decide(rules, "gpt-4", a={"gpt-4"}, b={"gpt-4"}, c={"gpt-4"}).backend == "a"


def test_a_route_wins_over_an_optional_one_of_the_same_key() -> None:
    rules = profile(routes={"m": "a"}, optional_routes={"m": "b"})
    assert decide(rules, "m", a={"m"}, b={"m"}).backend == "a"


def test_an_empty_profile_serves_nothing() -> None:
    decision = decide(profile(), "m")
    assert (decision.backend, decision.rule, decision.turned_down) == (None, RoutingRule.NONE, ())
    assert decision.reason == "no rule matches"


def test_a_decision_tells_every_candidate_that_was_turned_down() -> None:
    rules = profile(default="a", fallback_order=["b", "c"])
    decision = decide(rules, "m", a=set(), b=None, c=set())
    assert [(down.backend, down.rule, down.reason) for down in decision.turned_down] == [
        ("a", RoutingRule.DEFAULT, RouteRefusal.MODEL_NOT_SERVED),
        ("b", RoutingRule.FALLBACK, RouteRefusal.DISABLED),
        ("c", RoutingRule.FALLBACK, RouteRefusal.MODEL_NOT_SERVED),
    ]
    assert decision.reason == (
        "default names 'a': does not serve the model; fallback names 'b': is disabled; "
        "fallback names 'c': does not serve the model"
    )


REASONS = {
    "exact": ({"routes": {"m": "a"}}, "route 'm' leads to 'a'"),
    "pattern": ({"routes": {"m*": "a"}}, "route 'm*' leads to 'a'"),
    "default": ({"default": "a"}, "default leads to 'a'"),
    "fallback": ({"fallback_order": ["a"]}, "fallback leads to 'a'"),
}


@pytest.mark.parametrize(("rules", "reason"), REASONS.values(), ids=REASONS)
def test_a_decision_says_why_in_words(rules: dict[str, Any], reason: str) -> None:
    assert decide(profile(**rules), "m", a={"m"}).reason == reason


def test_a_decision_is_a_value() -> None:
    decision = decide(profile(default="a"), "m", a={"m"})
    assert decision == decide(profile(default="a"), "m", a={"m"})
    assert pickle.loads(pickle.dumps(decision)) == decision
    field = "backend"
    with pytest.raises(AttributeError):
        setattr(decision, field, "b")


FULL = {
    "description": "everything",
    "default": "a",
    "routes": {"m": "a"},
    "optional_routes": {"x*": "b"},
    "fallback_order": ["b"],
}


def test_an_empty_default_is_none() -> None:
    assert profile(default="").default is None
    assert decide(profile(default="", fallback_order=["b"]), "m", b={"m"}).rule is RoutingRule.FALLBACK


def test_the_description_is_optional() -> None:
    assert profile().description is None
    assert profile(**FULL).description == "everything"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda rules: pickle.loads(pickle.dumps(rules))])
def test_a_profile_travels(copied: Callable[[RoutingProfile], RoutingProfile]) -> None:
    rules = profile(**FULL)
    decide(rules, "xy", a={"xy"}, b={"xy"})
    twin = copied(rules)
    assert twin == rules
    assert decide(twin, "xy", a={"xy"}, b={"xy"}) == decide(rules, "xy", a={"xy"}, b={"xy"})


@pytest.mark.parametrize("field", ["name", "default", "routes", "fallback_order"])
def test_a_profile_is_frozen(field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(profile(**FULL), field, None)


@pytest.mark.parametrize("field", ["routes", "optional_routes"])
@pytest.mark.parametrize("rules", [FULL, {}], ids=["stated", "default"])
def test_routes_are_read_only(rules: dict[str, Any], field: str) -> None:
    routes = getattr(profile(**rules), field)
    for change in (
        lambda: routes.__setitem__("m", "b"),
        lambda: routes.update(m="b"),
        lambda: routes.pop("m", None),
        lambda: routes.setdefault("z", "b"),
        routes.clear,
    ):
        with pytest.raises(TypeError, match="read-only"):
            change()


def test_a_profile_keeps_nothing_of_what_it_was_built_from() -> None:
    routes = {"m": "a"}
    rules = profile(routes=routes)
    routes["m"] = "b"
    assert rules.routes["m"] == "a"


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab*[]?!-.\n\\^$"), max_size=8), st.text(st.sampled_from("ab*[]?!-.\n\\^$"), max_size=8))
def test_patterns_agree_with_a_naive_matcher(pattern: str, name: str) -> None:
    decision = decide(profile(routes={f"{pattern}*": "a"}), name, a={name})
    expected = matches_naively(f"{pattern}*", name)
    assert (decision.backend == "a") is expected


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12), st.data())
def test_a_pattern_cut_out_of_any_name_matches_it(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name)))
    end = data.draw(st.integers(start, len(name)))
    pattern = f"{name[:start]}*{name[end:]}"
    assert decide(profile(routes={pattern: "a"}), name, a={name}).backend == "a"


keys = st.one_of(st.sampled_from(NAMES), st.text(st.sampled_from("mab-*"), min_size=1, max_size=5))
routes = st.dictionaries(keys, st.sampled_from(BACKENDS), max_size=6)
profiles = st.builds(
    profile,
    routes=routes,
    optional_routes=routes,
    default=st.none() | st.sampled_from(BACKENDS),
    fallback_order=st.lists(st.sampled_from(BACKENDS), max_size=4),
)
names = st.one_of(st.sampled_from(NAMES), st.text(st.sampled_from("mab-*"), max_size=6))
worlds = st.fixed_dictionaries(dict.fromkeys(BACKENDS, st.none() | st.sets(names, max_size=8)))


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(rules=profiles, model=names, stated=worlds, everywhere=st.booleans())
def test_decisions_agree_with_a_slow_oracle(
    rules: RoutingProfile, model: str, stated: dict[str, set[str] | None], *, everywhere: bool
) -> None:
    world = {name: models if models is None or not everywhere else models | {model} for name, models in stated.items()}
    decision = rules.decide(model, Serving(world))
    expected = decide_naively(rules, model, world)
    if expected.backend is None:
        assert decision.backend is None
    else:
        assert (decision.backend, decision.rule, decision.key) == (expected.backend, expected.rule, expected.key)


def decide_by_asking(rules: RoutingProfile, model: str, service: Serving) -> RoutingDecision:
    """The plain definition: every candidate is asked in turn, until one serves the model or is never bypassed."""
    turned_down: list[TurnedDown] = []
    for rule, key, backend in rules.candidates(model):
        refusal = service.refusal(backend, model)
        if refusal is None:
            return RoutingDecision(model, backend, rule, key, tuple(turned_down))
        turned_down.append(TurnedDown(backend, rule, key, refusal))
        if key is not None and (key in rules.routes or not refusal.is_of_backend):
            return RoutingDecision(model, None, rule, key, tuple(turned_down))
    return RoutingDecision(model, None, RoutingRule.NONE, None, tuple(turned_down))


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(profiles, names, worlds)
def test_a_decision_is_that_of_asking_every_candidate_in_turn(rules: RoutingProfile, model: str, world: World) -> None:
    decision = rules.decide(model, Serving(world))
    assert decision == decide_by_asking(rules, model, Serving(world))
    verdict = rules.judge(model, Serving(world))
    knowing = {backend for backend in BACKENDS if model in (world[backend] or ())}
    told = [each.backend for each in rules.turned_down(model, verdict, knowing) if each.backend in knowing]
    assert told == [*dict.fromkeys(down.backend for down in decision.turned_down if down.backend in knowing)]


def test_a_long_order_is_not_gone_through_for_each_model() -> None:
    order = [f"backend-{number}" for number in range(1_000)]
    rules, service = profile(fallback_order=order), Serving({order[-1]: {"m"}})
    assert rules.judge("m", service).serving == order[-1]
    assert steps(lambda: rules.judge("m", service)) < len(order) / 10


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(profiles, names, worlds)
def test_whoever_is_turned_down_has_a_true_reason(rules: RoutingProfile, model: str, world: World) -> None:
    for down in rules.decide(model, Serving(world)).turned_down:
        assert down.reason is Serving(world).refusal(down.backend, model)
        assert down.reason.value in str(down)


def test_a_default_that_fallback_order_repeats_is_turned_down_once() -> None:
    decision = decide(profile(default="a", fallback_order=["b", "a", "c"]), "m", a=set(), b=None, c={"m"})
    assert (decision.backend, decision.rule) == ("c", RoutingRule.FALLBACK)
    assert [(down.backend, down.rule) for down in decision.turned_down] == [
        ("a", RoutingRule.DEFAULT),
        ("b", RoutingRule.FALLBACK),
    ]


@pytest.mark.parametrize("key", ["m", "m*"])
@pytest.mark.parametrize("served", [{"m"}, set(), None], ids=["serves it", "does not", "is disabled"])
def test_a_route_decides_over_an_optional_one_of_the_same_key(key: str, served: set[str] | None) -> None:
    rules = profile(routes={key: "a"}, optional_routes={key: "b"}, default="c")
    decision = decide(rules, "m", a=served, b={"m"}, c={"m"})
    assert (decision.backend, decision.key) == ("a" if served else None, key)
    assert [down.backend for down in decision.turned_down] == ([] if served else ["a"])
