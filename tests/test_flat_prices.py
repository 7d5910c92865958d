"""Flat prices: a layer that states one takes away the tiers and dates below it, and everything that is said agrees."""

from __future__ import annotations

from pathlib import Path

import pytest
from dynaconf import get_history

from pipelex_cogt import ModelManager, Usage
from pipelex_cogt.cli.explain import describe_explanation
from tests.conftest import Load

RISING = """
    [m1.costs]
    input = 1.0
    output = 2.0
    tiers = [{ above = 10, input = 3.0 }]
    from = [{ date = 2020-01-01, input = 9.0 }]
    [only-a]
"""
FILE = {"backends/a.toml": f"[defaults]\nsdk = 'sdk_a'\n{RISING}"}
OVER = "backends/a.local.toml"
VARIABLE = "PIPELEX_COGT__MODELS__A__M1__COSTS"


def rises(manager: ModelManager, model: str = "m1") -> tuple[int, int]:
    """How many tiers and dates are in force."""
    costs = manager.get_inference_model(model).costs
    return len(costs.tiers), len(costs.dated)


KEPT = {
    "nothing above": {},
    "another key of the model": {OVER: "[m1]\nmax_tokens = 5"},
    "a factor": {OVER: "[m1.costs]\nbatch = 0.5\nbatch_cached = 1.0"},
    "another model": {OVER: "[only-a.costs]\ninput = 5.0"},
    "another backend": {"backends/b.local.toml": "[m1.costs]\ninput = 5.0"},
}


@pytest.mark.parametrize("files", KEPT.values(), ids=KEPT)
def test_what_states_no_flat_price_of_the_model_leaves_it_as_it_is(load: Load, files: dict[str, str]) -> None:
    assert rises(load({**FILE, **files})) == (1, 1)


TAKEN = {
    "a flat price": ("input = 5.0", (0, 0)),
    "any flat price": ("output_audio = 5.0", (0, 0)),
    "with tiers": ("input = 5.0\ntiers = [{ above = 1, input = 2.0 }, { above = 2, input = 3.0 }]", (2, 0)),
    "with dates": ("input = 5.0\nfrom = [{ date = 2021-01-01 }, { date = 2022-01-01 }]", (0, 2)),
    "with the tiers below": ('input = 5.0\ntiers = ["...", { above = 20, input = 6.0 }]', (2, 0)),
    "tiers alone": ("tiers = [{ above = 1, input = 2.0 }, { above = 2, input = 3.0 }]", (2, 1)),
}


@pytest.mark.parametrize(("lines", "left"), TAKEN.values(), ids=TAKEN)
def test_a_flat_price_takes_away_what_is_below(load: Load, lines: str, left: tuple[int, int]) -> None:
    assert rises(load({**FILE, OVER: f"[m1.costs]\n{lines}"})) == left


def test_a_call_costs_what_the_upper_layer_says(load: Load) -> None:
    model = load({**FILE, OVER: "[m1.costs]\ninput = 5.0"}).get_inference_model("m1")
    assert model.cost(Usage(1_000_000)).total == 5


def test_every_layer_may_do_so(load: Load) -> None:
    assert rises(load(FILE, environ={f"{VARIABLE}__INPUT": "5"})) == (0, 0)
    assert rises(load(FILE, overrides={"models": {"a": {"m1": {"costs": {"input": 5.0}}}}})) == (0, 0)
    main = "[development.cogt.models.a.m1.costs]\ninput = 5.0"
    assert rises(load({**FILE, "settings.local.toml": main})) == (0, 0)


def test_a_layer_above_may_state_how_it_rises_again(load: Load) -> None:
    again = {f"{VARIABLE}__TIERS": "[{ above = 7, input = 8.0 }]"}
    assert rises(load({**FILE, OVER: "[m1.costs]\ninput = 5.0"}, environ=again)) == (1, 0)


def test_a_flat_price_over_nothing_that_rises_is_left_as_it_is(load: Load) -> None:
    manager = load({OVER: "[m1.costs]\ninput = 5.0"})
    assert manager.settings.value_at(("models", "a", "m1", "costs")) == {"input": 5.0, "output": 2.0}


# The defaults of a file

DEFAULTS = "[defaults]\nsdk = 's'\n[defaults.costs]\ntiers = [{ above = 10, input = 3.0 }]\n"


def test_a_flat_price_of_a_model_takes_away_what_the_defaults_say(load: Load) -> None:
    manager = load({"backends/a.toml": f"{DEFAULTS}[m1.costs]\ninput = 5.0\n[only-a]"})
    assert (rises(manager), rises(manager, "only-a")) == ((0, 0), (1, 0))


def test_a_model_of_a_layer_below_does_so_too(load: Load) -> None:
    manager = load({OVER: "[defaults.costs]\ntiers = [{ above = 10, input = 3.0 }]"})
    assert (rises(manager), rises(manager, "only-a")) == ((0, 0), (1, 0))


def test_a_flat_price_of_the_defaults_takes_away_what_those_below_say(load: Load) -> None:
    manager = load({"backends/a.toml": f"{DEFAULTS}[m1]\n[only-a]", OVER: "[defaults.costs]\ninput = 5.0"})
    assert (rises(manager), rises(manager, "only-a")) == ((0, 0), (0, 0))


def test_explain_leaves_out_what_a_model_takes_not_from_the_defaults(load: Load) -> None:
    manager = load({"backends/a.toml": f"{DEFAULTS}[m1.costs]\ninput = 5.0\n[only-a]"})
    paths = {name: [value.path for value in manager.explain(name).values] for name in ("m1", "only-a")}
    shared = "cogt.models.a.defaults.costs.tiers"
    assert (shared in paths["m1"], shared in paths["only-a"]) == (False, True)


# Backends that are like another


def test_a_flat_price_of_a_backend_takes_away_what_the_one_it_is_like_says(load: Load) -> None:
    like = {
        **FILE,
        "backends.local.toml": "[b]\nmodels_like = 'a'",
        "routing.toml": "active = 'x'\n[profiles.x]\ndefault = 'b'",
    }
    assert rises(load({**like, "backends/b.toml": "[only-b]"})) == (1, 1)
    assert rises(load({**like, "backends/b.toml": "[only-b]\n[m1.costs]\noutput = 5.0"})) == (0, 0)
    assert rises(load({**like, "backends/b.toml": "[only-b]\n[defaults.costs]\noutput = 5.0"})) == (1, 1)


def test_explain_leaves_out_what_a_backend_takes_not_from_the_one_it_is_like(load: Load) -> None:
    like = {
        **FILE,
        "backends.local.toml": "[b]\nmodels_like = 'a'",
        "routing.toml": "active = 'x'\n[profiles.x]\ndefault = 'b'",
    }
    kept, taken = (
        load({**like, "backends/b.toml": f"[only-b]\n[m1.costs]\n{line}"}) for line in ("batch = 0.5", "output = 5.0")
    )
    rising = "cogt.models.a.m1.costs.tiers"
    assert [rising in {value.path for value in manager.explain("m1").values} for manager in (kept, taken)] == [
        True,
        False,
    ]


# What is said of it


def test_explain_says_who_took_it_away(load: Load, folder: Path) -> None:
    assert folder.is_dir()
    manager = load({**FILE, OVER: "[m1]\n[m1.costs]\ninput = 5.0"})
    (tiers,) = manager.explain("models.a.m1.costs.tiers").values
    assert (tiers.stated.value, tiers.stated.place) == ([], "settings/backends/a.local.toml:2")
    assert [(each.value, each.place) for each in tiers.replaced] == [
        ([{"above": 10, "input": 3.0}], "settings/backends/a.toml:7")
    ]
    told = describe_explanation(manager.explain("m1"), manager.deck)
    assert told["answer"]["prices"] == {"input": 5.0, "output": 2.0}


def test_the_history_of_dynaconf_says_the_same(load: Load) -> None:
    manager = load({**FILE, OVER: "[m1.costs]\ninput = 5.0"})
    history = get_history(manager.settings.dynaconf, "cogt.models.a.m1.costs")
    assert [each["value"].get("tiers") for each in history] == [[{"above": 10, "input": 3.0}], []]
    assert manager.settings.dynaconf.get("cogt.models.a.m1.costs.tiers") == []
