"""Aliases: chains, shadowing, cycles of any length, compared with a naive recursive oracle."""

import re
import time
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import BackendDisabledError, ModelManager, NotAvailableError, SettingsError
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.model_backends.model_spec import ModelSpecs
from pipelex_cogt.models.aliases import resolve_chains
from tests.conftest import Load
from tests.conftest import steps as count_steps

Problems = Callable[..., list[str]]
Aliases = Mapping[str, list[str]]

SERVED = ["m0", "m1", "m2", "m3"]
UNSERVED = ["u0", "u1"]
ALIASES = [f"a{index}" for index in range(8)]

CIRCLE = "aliases lead in a circle: "
GOES_ON = '"..." stands for what the layer below says'

BAD_ALIASES = {
    "number": ("x = 3", "x: expected a name or a list of names, got an integer"),
    "table": ("x = { a = 'm1' }", 'x.a: a dot outside quotes makes a table in a table; write "x.a" = …'),
    "number in a list": ('x = ["m1", 4]', "x.1: expected a name, got an integer"),
    "list in a list": ('x = ["m1", ["only-b"]]', "x.1: expected a name, got a list"),
    "nobody": ('x = "zzz"', "x: no model or alias is called 'zzz'"),
    "near a model": ('x = "only-c"', "x: no model or alias is called 'only-c'; did you mean 'only-b' or 'only-a'?"),
    "near an alias": (
        'x = "y-alas"\ny-alias = "m1"',
        "x: no model or alias is called 'y-alas'; did you mean 'y-alias'?",
    ),
    "nobody in a chain": ('x = ["m1", "zzz"]', "x.1: no model or alias is called 'zzz'"),
    "nobody after a number": (
        'x = [4, "zzz"]',
        "x.0: expected a name, got an integer",
        "x.1: no model or alias is called 'zzz'",
    ),
    "a model_id": ('x = "b/m1"', "x: no model or alias is called 'b/m1'; it is the model_id of 'm1'"),
    "a preset": (
        'x = ["m1", "p"]',
        "x.1: no model or alias is called 'p'; it is a preset: name its llm_handle instead",
    ),
    "a backend": ('x = "off"', "x: no model or alias is called 'off'; it is a backend"),
    "empty name": ('x = ""', "x: no model or alias is called ''"),
}

CYCLES = {
    "itself": ({"x": "x"}, f"'x' -> 'x'; {GOES_ON}"),
    "itself in a list": ({"x": ["m1", "x"]}, f"'x' -> 'x'; {GOES_ON}"),
    "two": ({"x": "y", "y": "x"}, "'x' -> 'y' -> 'x'"),
    "three": ({"x": "y", "y": ["m1", "z"], "z": "x"}, "'x' -> 'y' -> 'z' -> 'x'"),
    "behind an alias": ({"w": "x", "x": "y", "y": "x"}, "'x' -> 'y' -> 'x'"),
}

TINY = {
    "settings.toml": "[default.cogt.inference_config]\nuse_packaged_settings = false\n",
    "backends.toml": "[a]\n[off]\nenabled = false\n",
    "backends/a.toml": "[defaults]\nsdk = 's'\n" + "".join(f"[{name}]\n" for name in SERVED),
    "backends/off.toml": "[defaults]\nsdk = 's'\n" + "".join(f"[{name}]\n" for name in UNSERVED),
    "routing.toml": "active = 'x'\n[profiles.x]\ndefault = 'a'\n",
    "deck/base.toml": "llm_presets.p.llm_handle = 'm0'\n[llm_choice_defaults]\nfor_text = 'p'\nfor_object = 'p'\n",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny")
    for name, text in TINY.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return directory


@pytest.fixture(scope="module")
def sound(tiny: Path) -> ModelManager:
    """The small settings, loaded once."""
    return ModelManager.load(tiny, environ={})


def load_aliases(directory: Path, aliases: Mapping[str, Any], handle: str = "m0") -> ModelManager:
    deck = {"aliases": aliases, "llm_presets": {"p": {"llm_handle": handle}}}
    return ModelManager.load(directory, environ={}, overrides={"deck": deck})


def chain_naively(name: str, aliases: Aliases) -> list[str]:
    if name in SERVED:
        return [name]
    found: list[str] = []
    for member in aliases.get(name, []):
        found += [model for model in chain_naively(member, aliases) if model not in found]
    return found


def steps(name: str, aliases: Aliases) -> list[str]:
    """Where an alias leads, one step further; a model that is served is an end."""
    members = aliases.get(name, [])
    return [member for member in members if member in aliases and member not in SERVED]


def has_cycle(aliases: Aliases) -> bool:
    remaining = set(aliases)
    while True:
        ends = {name for name in remaining if not any(member in remaining for member in steps(name, aliases))}
        if not ends:
            return bool(remaining)
        remaining -= ends


def chain_names(manager: ModelManager, handle: str) -> list[str]:
    return [model.name for model in manager.get_llm_deck().chain(handle)]


def one_alias(*lines: str) -> dict[str, str]:
    deck = "[llm_presets]\np = { llm_handle = 'm1' }\n[llm_choice_defaults]\nfor_text = 'p'\nfor_object = 'p'"
    return {"deck/base.toml": "\n".join(["[aliases]", *lines, deck])}


def test_an_alias_stands_for_a_name_or_for_names_in_order(load: Load) -> None:
    manager = load(one_alias('x = "only-b"', 'y = ["only-a", "x", "m1"]'))
    assert dict(manager.get_llm_deck().aliases) == {"x": "only-b", "y": ("only-a", "x", "m1")}
    assert chain_names(manager, "x") == ["only-b"]
    assert chain_names(manager, "y") == ["only-a", "only-b", "m1"]


def test_aliases_of_aliases_are_walked_depth_first(tiny: Path) -> None:
    manager = load_aliases(tiny, {"x": ["y", "m3"], "y": ["z", "m2"], "z": ["m0", "m1"]})
    assert chain_names(manager, "x") == ["m0", "m1", "m2", "m3"]


def test_a_model_stands_once_in_a_chain_at_its_first_place(tiny: Path) -> None:
    manager = load_aliases(tiny, {"x": ["m1", "y", "m1"], "y": ["m0", "m1"]})
    assert chain_names(manager, "x") == ["m1", "m0"]


def test_what_is_not_served_is_passed_over(tiny: Path) -> None:
    manager = load_aliases(tiny, {"x": ["u0", "y", "m1"], "y": ["u1"]})
    assert chain_names(manager, "x") == ["m1"]


def test_a_model_wins_over_an_alias_of_the_same_name(tiny: Path) -> None:
    manager = load_aliases(tiny, {"m1": "m2", "x": "m1"})
    assert manager.get_inference_model("m1").name == "m1"
    assert chain_names(manager, "m1") == ["m1"]
    assert chain_names(manager, "x") == ["m1"]


def test_an_alias_named_like_a_served_model_may_name_it(tiny: Path) -> None:
    assert chain_names(load_aliases(tiny, {"m1": ["m1", "m2"]}), "m1") == ["m1"]


def test_an_alias_named_like_an_unserved_model_may_name_it(tiny: Path) -> None:
    assert chain_names(load_aliases(tiny, {"u0": ["u0", "m2"]}), "u0") == ["m2"]


@pytest.mark.parametrize("alias", ["u0", ["u0"], ["u0", "u1"]])
def test_an_alias_of_only_its_own_unserved_name_says_why(tiny: Path, alias: Any) -> None:
    manager = load_aliases(tiny, {"u0": alias})
    with pytest.raises(BackendDisabledError) as caught:
        manager.get_inference_model("u0")
    assert caught.value.backends == ("off",)


def test_a_cycle_that_a_served_model_breaks_is_none(tiny: Path) -> None:
    manager = load_aliases(tiny, {"m1": "x", "x": "m1"})
    assert chain_names(manager, "x") == ["m1"]


@pytest.mark.parametrize("case", BAD_ALIASES.values(), ids=BAD_ALIASES)
def test_a_faulty_alias_says_what_is_wrong(problems: Problems, case: tuple[str, ...]) -> None:
    line, *messages = case
    assert problems(one_alias(line)) == [f"deck/base.toml:2  cogt.deck.aliases.{message}" for message in messages]


@pytest.mark.parametrize(("aliases", "circle"), CYCLES.values(), ids=CYCLES)
def test_a_cycle_is_shown(problems: Problems, aliases: Mapping[str, Any], circle: str) -> None:
    found = problems(overrides={"deck": {"aliases": aliases}})
    first = circle.split("'")[1]
    assert found == [f"overrides  cogt.deck.aliases.{first}: {CIRCLE}{circle}"]


def test_every_separate_cycle_is_shown(problems: Problems) -> None:
    found = problems(one_alias('x = "y"', 'y = "x"', 'ok = "m1"', 'v = "w"', 'w = "v"'))
    assert found == [
        f"deck/base.toml:2  cogt.deck.aliases.x: {CIRCLE}'x' -> 'y' -> 'x'",
        f"deck/base.toml:5  cogt.deck.aliases.v: {CIRCLE}'v' -> 'w' -> 'v'",
    ]


def test_a_cycle_does_not_hide_other_faults(problems: Problems) -> None:
    found = problems(one_alias('x = "y"', 'y = "x"', 'z = "zzz"'))
    assert found == [
        f"deck/base.toml:2  cogt.deck.aliases.x: {CIRCLE}'x' -> 'y' -> 'x'",
        "deck/base.toml:4  cogt.deck.aliases.z: no model or alias is called 'zzz'",
    ]


@pytest.mark.parametrize("aliases", [{"x": "y", "y": "x"}, {"x": "x"}, {"w": "x", "x": ["y"], "y": ["x"]}])
def test_a_default_choice_in_a_cycle_is_a_load_error(tiny: Path, aliases: Mapping[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_aliases(tiny, aliases, handle=next(iter(aliases)))
    assert CIRCLE in str(caught.value)


def test_a_cycle_of_thousands_is_found(tiny: Path) -> None:
    size = 3_000
    with pytest.raises(SettingsError) as caught:
        load_aliases(tiny, {f"x{index}": f"x{(index + 1) % size}" for index in range(size)})
    (problem,) = caught.value.problems
    assert problem.problem == (
        "aliases lead in a circle: 'x0' -> 'x1' -> 'x2' -> 'x3' -> 'x4' -> 'x5' -> 2993 more -> 'x2999' -> 'x0'"
    )


def test_thousands_of_cycles_are_found(tiny: Path) -> None:
    count = 1_000
    pairs = ({f"x{index}": f"y{index}", f"y{index}": f"x{index}"} for index in range(count))
    with pytest.raises(SettingsError) as caught:
        load_aliases(tiny, {name: alias for pair in pairs for name, alias in pair.items()})
    assert len(caught.value.problems) == count


def deep(length: int, end: str) -> dict[str, str]:
    return {f"x{index}": f"x{index + 1}" for index in range(length)} | {f"x{length}": end}


def test_a_chain_of_five_thousand_aliases_resolves(tiny: Path) -> None:
    manager = load_aliases(tiny, deep(5_000, "m2"), handle="x0")
    assert manager.get_inference_model("x0").name == "m2"
    assert manager.get_llm_deck().resolve("p").model.name == "m2"


def test_a_chain_of_five_thousand_aliases_to_nothing_says_why(tiny: Path) -> None:
    manager = load_aliases(tiny, deep(5_000, "u0"))
    with pytest.raises(BackendDisabledError):
        manager.get_inference_model("x0")


def test_a_chain_of_five_thousand_members_keeps_its_order(tiny: Path) -> None:
    names = [*(f"y{index}" for index in range(5_000)), "m3", "m1"]
    aliases = dict.fromkeys(names[:5_000], "u0")
    assert chain_names(load_aliases(tiny, {**aliases, "x": names}), "x") == ["m3", "m1"]


@pytest.mark.parametrize("end", ["m0", "u0"])
def test_aliases_that_meet_again_and_again_cost_little(tiny: Path, end: str) -> None:
    levels = 20
    aliases = {f"{side}{level}": [f"x{level + 1}", f"y{level + 1}"] for level in range(levels) for side in "xy"}
    manager = load_aliases(tiny, {**aliases, f"x{levels}": end, f"y{levels}": end})
    started = time.perf_counter()
    try:
        manager.get_inference_model("x0")
    except BackendDisabledError:
        assert end == "u0"
    assert time.perf_counter() - started < 1


acyclic = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from([*ALIASES[index + 1 :], *UNSERVED, *SERVED]), min_size=1, max_size=4)
        for index, name in enumerate(ALIASES)
    },
)
shadowing = st.dictionaries(
    st.sampled_from([*SERVED, *UNSERVED]), st.lists(st.sampled_from(SERVED), min_size=1, max_size=3), max_size=3
)
anything = st.dictionaries(
    st.sampled_from(ALIASES), st.lists(st.sampled_from([*ALIASES, *UNSERVED, *SERVED]), min_size=1, max_size=3)
)


def only_known(aliases: Aliases) -> dict[str, list[str]]:
    """The aliases without members that nothing knows; those that have none left stand for a model."""
    known = {*aliases, *SERVED, *UNSERVED}
    return {name: [member for member in members if member in known] or ["u1"] for name, members in aliases.items()}


def chains_naively(aliases: Aliases, served: ModelSpecs) -> dict[str, list[str]]:
    """Every alias with its chain, each made of the whole chains of those it leads to."""
    order = TopologicalSorter({name: [each for each in steps(name, aliases) if each != name] for name in aliases})
    chains: dict[str, list[str]] = {}
    for name in order.static_order():
        members = ([member] if member in served else chains.get(member, []) for member in aliases[name])
        chains[name] = [*dict.fromkeys(chain.from_iterable(members))]
    return chains


@given(aliases=st.builds(lambda left, right: only_known({**left, **right}), acyclic, shadowing))
def test_chains_equal_the_plain_definition(sound: ModelManager, aliases: Aliases) -> None:
    served, stated = sound.deck.inference_models, {name: tuple(members) for name, members in aliases.items()}
    chains = resolve_chains(stated, served, sound.backends, ProblemReport())
    plain = chains_naively(aliases, served)
    assert {name: [model.name for model in chain] for name, chain in chains.items()} == plain
    first = {name: model.name for name, model in chains.first.items() if model}
    assert first == {name: names[0] for name, names in plain.items() if names}


def staircase(size: int) -> dict[str, Any]:
    """Aliases of two members, each with a model and the next alias: the chain of each holds that of the next."""
    return {f"x{index}": ("m0", f"x{index + 1}") if index < size - 1 else "m1" for index in range(size)}


def test_chains_that_hold_each_other_cost_no_more_than_their_aliases(sound: ModelManager) -> None:
    def build(size: int) -> Callable[[], object]:
        aliases, served = staircase(size), sound.deck.inference_models
        return lambda: resolve_chains(aliases, served, sound.backends, ProblemReport())

    assert count_steps(build(4_000)) < 4.4 * count_steps(build(1_000))


def test_no_chain_of_that_name(sound: ModelManager) -> None:
    assert "m0" not in sound.deck.chains
    with pytest.raises(KeyError):
        sound.deck.chains["m0"]


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(aliases=st.builds(lambda left, right: only_known({**left, **right}), acyclic, shadowing))
def test_chains_agree_with_a_naive_oracle(tiny: Path, aliases: Aliases) -> None:
    manager = load_aliases(tiny, aliases)
    for name in [*aliases, *SERVED]:
        expected = chain_naively(name, aliases)
        if expected:
            assert chain_names(manager, name) == expected
            assert manager.get_inference_model(name).name == expected[0]
        else:
            with pytest.raises(NotAvailableError):
                manager.get_inference_model(name)


def reported_circles(directory: Path, aliases: Aliases) -> list[list[str]]:
    try:
        load_aliases(directory, aliases)
    except SettingsError as error:
        circles = (problem.problem.removeprefix(CIRCLE) for problem in error.problems)
        return [re.findall("'([^']+)'", circle) for circle in circles]
    return []


@settings(max_examples=80, deadline=None)
@given(aliases=st.builds(only_known, anything))
def test_cycles_are_reported_exactly_where_there_are_some(tiny: Path, aliases: Aliases) -> None:
    circles = reported_circles(tiny, aliases)
    assert bool(circles) is has_cycle(aliases)
    for circle in circles:
        assert circle[0] == circle[-1]
        assert all(after in aliases[before] for before, after in pairwise(circle))
    named = {name for circle in circles for name in circle}
    assert not has_cycle({name: members for name, members in aliases.items() if name not in named})


ENTERED_LATE = {
    "two": (['w = "y"', 'x = "y"', 'y = "x"'], 3, "'x' -> 'y' -> 'x'"),
    "three": (['in = "b"', 'c = "a"', 'b = "c"', 'a = "b"'], 3, "'c' -> 'a' -> 'b' -> 'c'"),
    "against the alphabet": (['z = "y"', 'y = "z"'], 2, "'z' -> 'y' -> 'z'"),
    "a later way in": (['ok = "m1"', 'x = ["m1", "y"]', 'in = "y"', 'y = "x"'], 3, "'x' -> 'y' -> 'x'"),
}


@pytest.mark.parametrize(("lines", "line", "circle"), ENTERED_LATE.values(), ids=ENTERED_LATE)
def test_a_circle_is_told_from_its_alias_that_is_declared_first(
    problems: Problems, lines: list[str], line: int, circle: str
) -> None:
    first = circle.split("'")[1]
    assert problems(one_alias(*lines)) == [f"deck/base.toml:{line}  cogt.deck.aliases.{first}: {CIRCLE}{circle}"]


def test_a_circle_through_two_files_is_told_from_the_file_that_is_read_first(problems: Problems) -> None:
    files = {**one_alias('in = "x"', 'z = "x"'), "deck/z.toml": '[aliases]\nx = "z"'}
    assert problems(files) == [f"deck/base.toml:3  cogt.deck.aliases.z: {CIRCLE}'z' -> 'x' -> 'z'"]
