"""Values that can be loaded and are hardly meant: prices by the token, defaults that no model takes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pipelex_cogt import ModelManager
from tests.conftest import Load, WriteTree

PER_MILLION = "prices are US dollars per million tokens"


def told(manager: ModelManager) -> list[str]:
    return [re.sub(r"[^ ]*/app/settings/", "", str(each)) for each in manager.warnings]


PRICES = {
    "a dollar a million": ("0.000001", "0.000001 looks like a price per token: write 1"),
    "as people write it": ("2.5e-06", "0.0000025 looks like a price per token: write 2.5"),
    "with many digits": ("0.000000123", "0.000000123 looks like a price per token: write 0.123"),
    "tens of dollars": ("0.000075", "0.000075 looks like a price per token: write 75"),
    "by the token or the thousand": ("0.0005", "0.0005 looks like a price per token or per thousand: write 500 or 0.5"),
    "the edge of it": ("0.0001", "0.0001 looks like a price per token or per thousand: write 100 or 0.1"),
}


@pytest.mark.parametrize(("price", "hint"), PRICES.values(), ids=PRICES)
def test_a_price_by_the_token_is_told_with_what_to_write(load: Load, price: str, hint: str) -> None:
    manager = load({"backends/a.local.toml": f"[m1.costs]\noutput = {price}"})
    assert told(manager) == [f"backends/a.local.toml:2  cogt.models.a.m1.costs.output: {PER_MILLION}; {hint}"]
    assert manager.get_inference_model("m1").costs.output == float(price)


@pytest.mark.parametrize("price", ["0", "0.0", "0.001", "0.02", "150", "1e3"])
def test_a_price_by_the_million_is_not_told(load: Load, price: str) -> None:
    assert told(load({"backends/a.local.toml": f"[m1.costs]\noutput = {price}"})) == []


def test_a_price_of_the_defaults_is_told_once(load: Load) -> None:
    manager = load({"backends/b.local.toml": "[defaults.costs]\ninput = 1e-6"})
    assert manager.get_inference_model("only-b").costs.input == 1e-6
    assert told(manager) == [
        (
            f"backends/b.local.toml:2  cogt.models.b.defaults.costs.input: {PER_MILLION}; "
            "0.000001 looks like a price per token: write 1"
        )
    ]


def test_a_price_is_told_where_it_is_stated_last(load: Load) -> None:
    name = "PIPELEX_COGT__MODELS__A__M1__COSTS__INPUT"
    manager = load({"backends/a.local.toml": "[m1.costs]\ninput = 2.0"}, environ={name: "0.000002"})
    assert told(manager) == [
        f"{name}  cogt.models.a.m1.costs.input: {PER_MILLION}; 0.000002 looks like a price per token: write 2"
    ]


def test_the_prices_of_a_file_with_faults_that_is_not_in_use_are_looked_at_too(load: Load) -> None:
    manager = load({"backends/off.local.toml": "[m-off.costs]\ninput = 'x'\noutput = 1e-6\ninput_cached = true"})
    assert [warning.path for warning in manager.warnings if warning.problem == PER_MILLION] == [
        "cogt.models.off.m-off.costs.output"
    ]


def test_a_negative_price_stays_an_error(problems: Callable[..., list[str]]) -> None:
    found = problems({"backends/a.local.toml": "[m1.costs]\noutput = -0.5"})
    assert found == [
        "backends/a.local.toml:2  cogt.models.a.m1.costs.output: expected a number of at least 0, got -0.5"
    ]


DEFAULTS = {
    "a number": ("[defaults]\nmax_tokens = 5\n[only-a]\nmax_tokens = 7", ["max_tokens"]),
    "a price": ("[defaults.costs]\ninput = 3.0\n[only-a.costs]\ninput = 2.0", ["costs.input"]),
    "a price that one model takes": ("[defaults.costs]\noutput_audio = 3.0\n[only-a.costs]\ninput = 2.0", []),
    "a list": ("[defaults]\ninputs = ['text']\n[m1]\ninputs = ['pdf']\n[only-a]\ninputs = ['audio']", ["inputs"]),
    "a number that one model takes": ("[defaults]\nmax_tokens = 5", []),
    "a list, which may go on": (
        "[defaults]\ninputs = ['text']\n[m1]\ninputs = ['...', 'pdf']\n[only-a]\ninputs = ['...', 'audio']",
        [],
    ),
}


@pytest.mark.parametrize(("lines", "keys"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_that_no_model_takes_is_told(load: Load, lines: str, keys: list[str]) -> None:
    hint = "has no effect: every model of this backend states its own; state it in the tables of the models"
    assert told(load({"backends/a.local.toml": lines})) == [
        f"backends/a.local.toml:2  cogt.models.a.defaults.{key}: {hint}" for key in keys
    ]


LIKE = {
    "taken by a model of the like backend": ({"a": "[defaults]\nseen = 1", "b": "[new]\nsdk = 's'"}, []),
    "taken by a model of the other": ({"b": "[defaults]\nseen = 1\n[new]\nsdk = 's'\nseen = 2"}, []),
    "taken by none": (
        {
            "a": "[defaults]\nseen = 1\n[m1]\nseen = 3\n[only-a]\nseen = 4",
            "b": "[defaults]\nseen = 2\n[new]\nsdk = 's'",
        },
        ["cogt.models.a.defaults.max_tokens"],
    ),
    "taken away by the flat price of the like backend": (
        {"a": "[defaults.costs]\ntiers = [{ above = 9, input = 1 }]\n[m1.costs]\ninput = 1\n[only-a.costs]\ninput = 1"},
        ["cogt.models.a.defaults.costs.tiers"],
    ),
}


@pytest.mark.parametrize(("files", "keys"), LIKE.values(), ids=LIKE)
def test_a_default_is_judged_by_each_backend_that_takes_it(
    write_tree: WriteTree, files: dict[str, str], keys: list[str]
) -> None:
    lowest = {"a": "[m1]\nsdk = 's'\n[only-a]\nsdk = 's'", "b": ""}
    texts = {name: f"{files.get(name, '')}\n".replace("seen", "max_tokens") for name in lowest}
    tree = {
        "settings.toml": "[default.cogt.inference_config]\nuse_packaged_settings = false",
        "backends.toml": "[a]\n[b]\nmodels_like = 'a'",
        "routing.toml": "active = 'x'\n[profiles.x]\nfallback_order = ['b', 'a']",
        "deck/base.toml": "[llm_choice_defaults]\nfor_text = 'm1'\nfor_object = 'm1'",
        **{f"backends/{name}.toml": text for name, text in lowest.items()},
        **{f"backends/{name}.local.toml": text for name, text in texts.items()},
    }
    warnings = ModelManager.load(write_tree(tree), environ={}).warnings
    assert [each.path for each in warnings if "has no effect" in each.problem] == keys


def test_defaults_over_packaged_models_that_all_state_their_own_are_told(write_tree: WriteTree) -> None:
    files = {"backends/openai.toml": "[defaults]\nmax_tokens = 1000\nprompting_target = 'mistral'"}
    manager = ModelManager.load(write_tree(files), environ={})
    (warning,) = told(manager)
    assert warning.startswith("backends/openai.toml:2  cogt.models.openai.defaults.max_tokens: has no effect: ")


@pytest.mark.parametrize(
    ("sdk", "meant"),
    [
        ("opanai", "openai"),
        ("OpenAI", "openai"),
        ("openai-compatible", "openai_compatible"),
        ("openai_compatble", "openai_compatible"),
        ("antropic", "anthropic"),
        ("gogle", "google"),
        ("mistrall", "mistral"),
        ("bedrok", "bedrock"),
    ],
)
@pytest.mark.parametrize("table", ["defaults", "m1"])
def test_an_sdk_that_comes_near_one_we_know_is_told_once(load: Load, sdk: str, meant: str, table: str) -> None:
    manager = load({"backends/a.local.toml": f"[{table}]\nsdk = '{sdk}'"})
    problem = f"no integration knows the sdk {sdk!r}; did you mean {meant!r}?"
    assert told(manager) == [f"backends/a.local.toml:2  cogt.models.a.{table}.sdk: {problem}"]
    assert manager.get_inference_model("m1").sdk == sdk


@pytest.mark.parametrize("sdk", ["openai", "openai_compatible", "bedrock", "azure_openai", "litellm", "mine", "open"])
def test_an_sdk_of_an_application_is_its_own(load: Load, sdk: str) -> None:
    assert told(load({"backends/a.local.toml": f"[defaults]\nsdk = '{sdk}'"})) == []


TIERS = "tiers = [{ above = 100, input = 5.0 }, { above = 2000, input = 6.0 }]"
NO_EFFECT = "has no effect: the longest prompt of 'm1' has 2000 tokens; state an above that is less than that, got 2000"
FUTILE = {
    "the window": (
        ["[m1]", "context_window = 2000", "[m1.costs]", TIERS],
        f"backends/a.local.toml:4  cogt.models.a.m1.costs.tiers.1: {NO_EFFECT}",
    ),
    "the prompt alone": (
        ["[m1]", "context_window = 9000", "max_input_tokens = 2000", "[m1.costs]", TIERS],
        f"backends/a.local.toml:5  cogt.models.a.m1.costs.tiers.1: {NO_EFFECT}",
    ),
    "below a date": (
        ["[m1]", "context_window = 2000", "[m1.costs]", f"from = [{{ date = 2099-01-01, {TIERS} }}]"],
        f"backends/a.local.toml:4  cogt.models.a.m1.costs.from.0.tiers.1: {NO_EFFECT}",
    ),
}


@pytest.mark.parametrize(("lines", "warning"), FUTILE.values(), ids=FUTILE)
def test_a_tier_above_any_prompt_is_told(load: Load, lines: list[str], warning: str) -> None:
    assert told(load({"backends/a.local.toml": "\n".join(lines)})) == [warning]


def test_a_tier_of_the_defaults_above_any_prompt_is_told_once_and_there(load: Load) -> None:
    lines = ["[defaults]", "context_window = 2000", "[defaults.costs]", "tiers = [{ above = 3000, input = 5.0 }]"]
    files = {
        "backends/a.toml": "\n".join([*lines, "[only-a]", "sdk = 's'", "[m1]", "sdk = 's'"]),
        "backends.local.toml": "[b]\nmodels_like = 'a'",
    }
    assert [each.split(": has")[0] for each in told(load(files))] == [
        "backends/a.toml:4  cogt.models.a.defaults.costs.tiers.0"
    ]


def test_a_tier_of_a_list_that_goes_on_with_the_defaults_is_told_at_the_list(load: Load) -> None:
    lines = [
        "[defaults.costs]",
        "tiers = [{ above = 100, input = 5.0 }, { above = 200, input = 6.0 }]",
        "[m1]",
        "context_window = 2000",
        "costs.tiers = ['...', { above = 3000, input = 7.0 }]",
        "[only-a]",
        "costs.tiers = []",
    ]
    assert [each.split(": has")[0] for each in told(load({"backends/a.local.toml": "\n".join(lines)}))] == [
        "backends/a.local.toml:5  cogt.models.a.m1.costs.tiers"
    ]


def test_a_date_that_leaves_long_prompts_open_is_told(load: Load) -> None:
    entries = "{ date = 2099-01-01, input = 9.0 }, { date = 2099-02-01, tiers = [] }"
    assert told(load({"backends/a.local.toml": f"[m1.costs]\n{TIERS}\nfrom = [{entries}]"})) == [
        (
            "backends/a.local.toml:3  cogt.models.a.m1.costs.from.0: says nothing of prompts above 100 tokens, which"
            " cost more until then; state its tiers, or tiers = [] where it has none"
        )
    ]
    assert told(load({"backends/a.local.toml": f"[m1.costs]\nfrom = [{entries}]"})) == []


def test_a_date_that_a_like_backend_takes_is_told_once(load: Load) -> None:
    files = {
        "backends/a.local.toml": f"[m1.costs]\n{TIERS}\nfrom = [{{ date = 2099-01-01, input = 9.0 }}]",
        "backends/b.local.toml": "[m1.costs]\ntiers = [{ above = 50, input = 5.0 }]",
        "backends.local.toml": "[b]\nmodels_like = 'a'",
    }
    assert [each.split(": says")[0] for each in told(load(files))] == [
        "backends/a.local.toml:3  cogt.models.a.m1.costs.from.0"
    ]


def test_a_tier_is_not_told_where_the_window_is_unknown(load: Load) -> None:
    assert told(load({"backends/a.local.toml": f"[m1.costs]\n{TIERS}"})) == []


def test_a_price_by_the_token_is_told_in_a_tier_and_below_a_date(load: Load) -> None:
    lines = [
        "[m1.costs]",
        "tiers = [{ above = 100, output = 0.000001 }]",
        "from = [{ date = 2099-01-01, input = 0.000002, tiers = [] }]",
        "batch = 0.0005",
    ]
    assert told(load({"backends/a.local.toml": "\n".join(lines)})) == [
        (
            f"backends/a.local.toml:2  cogt.models.a.m1.costs.tiers.0.output: {PER_MILLION}; "
            "0.000001 looks like a price per token: write 1"
        ),
        (
            f"backends/a.local.toml:3  cogt.models.a.m1.costs.from.0.input: {PER_MILLION}; "
            "0.000002 looks like a price per token: write 2"
        ),
    ]


def test_tiers_of_the_defaults_are_told_where_every_flat_price_takes_them_away(load: Load) -> None:
    lines = "[defaults.costs]\ntiers = [{ above = 3000, input = 5.0 }]\n[only-a.costs]\ninput = 1.0"
    hint = "has no effect: every model of this backend states its own; state it in the tables of the models"
    assert told(load({"backends/a.local.toml": lines})) == [
        f"backends/a.local.toml:2  cogt.models.a.defaults.costs.tiers: {hint}"
    ]
