"""The catalogue against a source: what differs, where it is stated, and how `pipelex-cogt catalogue` tells it."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest
from typer.testing import CliRunner

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.app import app
from pipelex_cogt.errors import CatalogueSourceError, MissingExtraError
from pipelex_cogt.integrations import catalogue
from pipelex_cogt.integrations.catalogue import GenaiPrices, LiteLLM
from pipelex_cogt.model_backends.costs import ModelCosts
from pipelex_cogt.models.catalogue import CatalogueReport, KnownModel, compare_catalogue
from pipelex_cogt.models.catalogue_words import CatalogueKind
from tests.conftest import WriteTree

ON = date(2026, 11, 30)
Load: TypeAlias = Callable[[Mapping[str, str]], ModelManager]
EVERY_KIND = frozenset(CatalogueKind)
EMPTY = {"routing.toml": "active = 'all_enabled'"}
"""An application that states nothing new."""


class Source:
    """A source that knows the models it is given, of backend `known` alone."""

    name: ClassVar[str] = "source 1.0"

    def __init__(self, **models: KnownModel) -> None:
        self.models = models

    def knows(self, backend: str) -> bool:
        return backend == "known"

    def find(self, _backend: str, model_id: str) -> KnownModel | None:
        return self.models.get(model_id)

    def others(self, _backend: str, model_ids: Collection[str], _on: date, /) -> list[str]:
        return [name for name in self.models if name not in model_ids]


def known(costs: Mapping[str, Any] | None = None, **facts: Any) -> KnownModel:
    return KnownModel(ModelCosts.model_validate(costs or {}), **facts)


def tree(models: str, **files: str) -> dict[str, str]:
    """A backend `known` with these models, and files of other backends."""
    others = {f"backends/{name}.toml": text for name, text in files.items()}
    return {
        "settings.toml": "[default.cogt.inference_config]\nuse_packaged_settings = false",
        "backends.toml": "[known]",
        "backends/known.toml": models,
        "routing.toml": "active = 'all'\n[profiles.all]\nfallback_order = ['known']",
        "deck/base.toml": "[llm_choice_defaults]\nfor_text = 'm'\nfor_object = 'm'",
        **others,
    }


@pytest.fixture
def load(folder: Path, write_tree: WriteTree) -> Load:  # noqa: ARG001 -- because: places are told from there
    """Load files of an application."""
    return lambda files: ModelManager.load(write_tree(files), environ={})


def compare(load: Load, models: str, *kinds: CatalogueKind, **facts: KnownModel) -> CatalogueReport:
    return compare_catalogue(load(tree(models)), Source(**facts), ON, frozenset(kinds) or EVERY_KIND)


def told(report: CatalogueReport) -> list[tuple[Any, ...]]:
    return [(each.model, each.field, each.stated, each.known, each.place) for each in report.differences]


MODEL = "[m]\nsdk = 'sdk'\n"
HERE = "settings/backends/known.toml"

DIFFERENCES: dict[str, tuple[str, KnownModel, list[tuple[Any, ...]]]] = {
    "nothing": ("costs = { input = 1.0 }", known({"input": 1.0}), []),
    "a price": ("costs = { input = 1.0 }", known({"input": 2.0}), [("m", "costs.input", 1.0, 2.0, f"{HERE}:3")]),
    "a price that nobody states": ("", known({"input": 2.0}), [("m", "costs.input", None, 2.0, f"{HERE}:1")]),
    "a price that the source doesn't know": ("costs = { input = 1.0 }", known(), []),
    "a tier that nobody states": (
        "costs = { input = 1.0 }",
        known({"input": 1.0, "tiers": [{"above": 200_000, "input": 2.0}]}),
        [("m", "costs.input above 200000", 1.0, 2.0, f"{HERE}:3")],
    ),
    "the edge of a tier": (
        "costs = { input = 1.0, tiers = [{ above = 199_999, input = 2.0 }] }",
        known({"input": 1.0, "tiers": [{"above": 200_000, "input": 2.0}]}),
        [],
    ),
    "reasoning as the answer, as it is when unset": (
        "costs = { output = 1.0 }",
        known({"output": 1.0, "output_reasoning": 1.0}),
        [],
    ),
    "reasoning apart": (
        "costs = { output = 1.0 }",
        known({"output": 1.0, "output_reasoning": 2.0}),
        [("m", "costs.output_reasoning", None, 2.0, f"{HERE}:3")],
    ),
    "a price from a date": (
        "costs = { input = 1.0 }",
        known({"input": 1.0, "from": [{"date": date(2027, 1, 1), "input": 2.0}]}),
        [("m", "costs.input from 2027-01-01", 1.0, 2.0, f"{HERE}:3")],
    ),
    "a date that the source doesn't know": (
        "costs = { input = 1.0, from = [{ date = 2027-01-01, input = 2.0 }] }",
        known({"input": 1.0}),
        [],
    ),
    "a batch": (
        "costs = { input = 1.0 }",
        known({"input": 1.0, "batch": 0.5}),
        [("m", "costs.batch", None, 0.5, f"{HERE}:3")],
    ),
    "an output limit": ("max_tokens = 10", known(max_tokens=20), [("m", "max_tokens", 10, 20, f"{HERE}:3")]),
    "a limit of the defaults": (
        "[defaults]\nmax_tokens = 10",
        known(max_tokens=20),
        [("m", "max_tokens", 10, 20, f"{HERE}:4")],
    ),
    "a prompt within the window": (
        "context_window = 100\nmax_input_tokens = 70",
        known(context_window=100, max_input_tokens=80),
        [("m", "max_input_tokens", 70, 80, f"{HERE}:4")],
    ),
    "a prompt as long as the window": (
        "context_window = 100",
        known(max_input_tokens=80),
        [("m", "context_window", 100, 80, f"{HERE}:3")],
    ),
    "modalities": (
        "inputs = ['text', 'pdf']",
        known(reads={"images": True, "pdf": False}, writes={"structured": False}),
        [("m", "inputs", ("text", "pdf"), ("text", "images"), f"{HERE}:3")],
    ),
    "tools": ("", known(tools=True), [("m", "tools", None, True, f"{HERE}:1")]),
    "a retirement": (
        "retires = 2027-01-01",
        known(retires=date(2027, 2, 1)),
        [("m", "retires", date(2027, 1, 1), date(2027, 2, 1), f"{HERE}:3")],
    ),
}


@pytest.mark.parametrize(("stated", "expected", "differences"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_what_differs_is_told_with_its_line(
    load: Load, stated: str, expected: KnownModel, differences: list[tuple[Any, ...]]
) -> None:
    assert told(compare(load, MODEL + stated, m=expected)) == differences


def test_a_model_that_nobody_states_is_missed_at_the_file_of_its_backend(load: Load) -> None:
    report = compare(load, MODEL, m=known(), newer=known())
    assert told(report) == [("newer", None, None, "newer", HERE)]


def test_a_model_that_is_switched_off_is_stated_and_not_missed(load: Load) -> None:
    off = "[off]\nsdk = 'sdk'\nmodel_id = 'off-1'\nenabled = false"
    assert told(compare(load, MODEL + off, m=known(), **{"off-1": known()})) == []


def test_what_the_source_does_not_know_is_told_apart(load: Load) -> None:
    report = compare(load, MODEL + "[n]\nsdk = 'sdk'\nmodel_id = 'n-1'", m=known())
    assert (report.differences, dict(report.unknown)) == ((), {"known": ("n",)})


def test_only_what_is_asked_for_is_compared(load: Load) -> None:
    facts = known({"input": 2.0}, max_tokens=20)
    assert [each.field for each in compare(load, MODEL, CatalogueKind.LIMITS, m=facts).differences] == ["max_tokens"]
    assert [each.field for each in compare(load, MODEL, CatalogueKind.PRICES, m=facts).differences] == ["costs.input"]
    assert compare(load, MODEL, CatalogueKind.RETIREMENTS, m=facts, newer=known()).differences == ()


def test_a_backend_that_the_source_does_not_know_is_named(load: Load) -> None:
    files = tree(MODEL, other="[o]\nsdk = 'sdk'") | {"backends.toml": "[known]\n[other]"}
    report = compare_catalogue(load(files), Source(m=known()), ON, EVERY_KIND)
    assert (report.not_compared, report.differences) == (("other",), ())


def test_a_backend_that_is_off_is_not_compared(load: Load) -> None:
    files = tree(MODEL, other="[o]\nsdk = 'sdk'") | {"backends.toml": "[known]\n[other]\nenabled = false"}
    assert compare_catalogue(load(files), Source(m=known()), ON, EVERY_KIND).not_compared == ()


# The sources as they are installed


ENTRIES: dict[str, dict[str, Any]] = {
    "gpt-a": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 2e-06,
        "input_cost_per_token_above_272k_tokens": 4e-06,
        "input_cost_per_token_batches": 1e-06,
        "output_cost_per_token": 1e-05,
        "output_cost_per_token_above_272k_tokens": 1.5e-05,
        "output_cost_per_token_batches": 5e-06,
        "output_cost_per_token_above_272k_tokens_priority": 9e-05,
        "cache_read_input_token_cost": 0.0,
        "max_input_tokens": 272_000,
        "max_output_tokens": 128_000,
        "deprecation_date": "2026-12-11",
        "supports_vision": True,
        "supports_pdf_input": False,
        "supported_modalities": ["text", "audio"],
        "supports_response_schema": True,
        "supports_function_calling": True,
    },
    "gpt-a-2026-08-07": {"litellm_provider": "openai", "mode": "chat"},
    "gpt-a-latest": {"litellm_provider": "openai", "mode": "chat"},
    "gpt-b": {"litellm_provider": "openai", "mode": "responses", "deprecation_date": "someday"},
    "gpt-old": {"litellm_provider": "openai", "mode": "chat", "deprecation_date": "2026-11-30"},
    "gpt-draws": {"litellm_provider": "openai", "mode": "image_generation"},
    "azure/gpt-a": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 3e-06},
    "us.maker.model-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat"},
    "maker.other-v1:0": {"litellm_provider": "bedrock", "mode": "chat"},
    "vertex_ai/model@default": {"litellm_provider": "vertex_ai-maker_models", "mode": "chat"},
}
"""What LiteLLM may know, in its own words."""


@pytest.fixture
def litellm() -> LiteLLM:
    return LiteLLM("litellm 1.0", ENTRIES)


@pytest.fixture(scope="module")
def genai_prices() -> GenaiPrices:
    return GenaiPrices.installed(ON)


@pytest.fixture
def shipped() -> ModelManager:
    return ModelManager.load(environ={})


def test_genai_prices_knows_prices_with_their_tiers(genai_prices: GenaiPrices) -> None:
    found = genai_prices.find("openai", "gpt-6.1-sol")
    assert found is not None
    assert (found.costs.input, found.costs.output, found.costs.batch) == (2.0, 10.0, 0.5)
    assert [(tier.above, tier.input, tier.output) for tier in found.costs.tiers] == [(272_000, 4.0, 15.0)]
    assert found.context_window == 1_050_000


def test_litellm_knows_prices_with_their_tiers(litellm: LiteLLM) -> None:
    found = litellm.find("openai", "gpt-a")
    assert found is not None
    # Where it knows no price it writes zero.
    assert found.costs == ModelCosts.model_validate(
        {"input": 2.0, "output": 10.0, "batch": 0.5, "tiers": [{"above": 272_000, "input": 4.0, "output": 15.0}]}
    )


def test_prices_of_a_later_day_are_known_as_such(genai_prices: GenaiPrices) -> None:
    found = genai_prices.find("google", "gemini-3.8-flash")
    assert found is not None
    assert [(each.date, each.input) for each in found.costs.dated] == [(date(2027, 1, 1), 1.5)]
    later = GenaiPrices.installed(date(2027, 1, 1)).find("google", "gemini-3.8-flash")
    assert later is not None
    assert (later.costs.input, later.costs.dated) == (1.5, ())


def test_a_price_that_depends_on_the_hour_is_the_highest(genai_prices: GenaiPrices) -> None:
    found = genai_prices.find("deepseek", "deepseek-v4-pro")
    assert found is not None
    assert found.costs.input == 1.32


def test_litellm_knows_limits_modalities_and_retirements(litellm: LiteLLM) -> None:
    found = litellm.find("openai", "gpt-a")
    assert found is not None
    assert (found.max_input_tokens, found.max_tokens, found.tools) == (272_000, 128_000, True)
    assert found.retires == date(2026, 12, 11)
    # Its keys say that it sees and reads no pdf; the list of what it reads says the rest.
    assert found.reads == {"images": True, "pdf": False, "audio": True, "video": False}
    assert found.writes == {"structured": True}


def test_a_model_is_found_as_its_backend_serves_it(litellm: LiteLLM) -> None:
    found = [litellm.find(backend, "gpt-a") for backend in ("openai", "azure_openai", "groq")]
    assert [model and model.costs.input for model in found] == [2.0, 3.0, None]


MISSED = [
    ("openai", [], ["gpt-a", "gpt-b"]),
    ("openai", ["gpt-a-2026-08-07"], ["gpt-b"]),
    ("bedrock", ["global.maker.model-v1:0"], ["maker.other-v1:0"]),
    ("vertexai", [], ["model@default"]),
    ("vertexai", ["model"], []),
    ("azure_openai", ["gpt-a"], []),
]


@pytest.mark.parametrize(("backend", "stated", "missed"), MISSED)
def test_a_retired_model_an_edition_and_a_region_are_not_missed(
    litellm: LiteLLM, backend: str, stated: list[str], missed: list[str]
) -> None:
    assert litellm.others(backend, stated, ON) == missed


def test_what_writes_no_text_and_what_is_served_elsewhere_is_not_missed(genai_prices: GenaiPrices) -> None:
    missed = genai_prices.others("google", ["gemini-3.8-flash"], ON)
    assert "gemini-4-argon" in missed
    assert [name for name in missed if "claude" in name or "embedding" in name] == []


def test_a_model_that_a_provider_does_not_have_is_unknown(litellm: LiteLLM, genai_prices: GenaiPrices) -> None:
    assert litellm.find("openai", "no-such-model") is None
    assert litellm.knows("openai")
    assert not litellm.knows("openrouter")
    assert genai_prices.find("groq", "no-such-model") is None
    assert not genai_prices.knows("ollama")
    assert not genai_prices.knows("no-such-backend")


def test_most_of_the_shipped_catalogue_is_compared_and_its_prices_are_those_of_genai_prices(
    shipped: ModelManager,
) -> None:
    report = catalogue.compare(shipped, "genai-prices", ON, [CatalogueKind.PRICES])
    unknown = sum(map(len, report.unknown.values()))
    entries = sum(len(backend.model_specs) for backend in shipped.backends.values())
    assert unknown < entries / 8
    assert report.differences == ()
    assert report.not_compared == ("ollama",)


def test_a_planted_error_is_the_one_that_is_found(load: Load) -> None:
    manager = load({"backends/openai.toml": '["gpt-5.4-mini".costs]\ninput = 0.7'})
    (found,) = catalogue.compare(manager, "genai-prices", ON, [CatalogueKind.PRICES]).differences
    assert (found.model, found.field, found.stated, found.known) == ("gpt-5.4-mini", "costs.input", 0.7, 0.75)
    assert found.place == "settings/backends/openai.toml:2"


def test_a_backend_that_is_like_another_is_compared_with_what_that_is_known_as(load: Load) -> None:
    files = {
        "backends.toml": "[mine]\nmodels_like = 'openai'\nendpoint = 'https://mine.example.com'",
        "backends/mine.toml": '["gpt-5.4-mini".costs]\ninput = 0.7',
    }
    (found,) = catalogue.compare(load(files), "genai-prices", ON, [CatalogueKind.PRICES]).differences
    assert (found.backend, found.model, found.field) == ("mine", "gpt-5.4-mini", "costs.input")
    assert found.place == "settings/backends/mine.toml:2"


@pytest.mark.parametrize(("enabled", "told"), [(["openai", "mine"], "openai"), (["mine"], "mine")])
def test_what_a_like_backend_takes_is_told_once_where_it_is_stated(load: Load, enabled: list[str], told: str) -> None:
    files = {
        "settings.toml": f"[default.cogt.inference_config]\nenabled_backends = {enabled}",
        "routing.toml": '[profiles.all_enabled]\nfallback_order = ["...", "mine"]',
        "backends.toml": "[mine]\nmodels_like = 'openai'\nendpoint = 'https://mine.example.com'",
        "backends/openai.toml": '["gpt-5.4-mini".costs]\ninput = 0.7',
    }
    kinds = [CatalogueKind.PRICES, CatalogueKind.MISSING]
    found = catalogue.compare(load(files), "genai-prices", ON, kinds).differences
    assert {(each.backend, each.place) for each in found if each.field} == {(told, "settings/backends/openai.toml:2")}
    missing = [each.model for each in found if not each.field]
    assert missing
    assert len(missing) == len({*missing})


PLACES = {
    "a flat price that takes the tiers away": ({"openai": "input = 2.0"}, {"openai.toml:1"}),
    "tiers": ({"openai": "tiers = [{ above = 272_000, input = 9.0 }]"}, {"openai.toml:2"}),
    "a flat price that takes away the tiers of the one it is like": (
        {"mine": "output = 10.0"},
        {"mine.toml:1", "mine.toml:2"},
    ),
}


@pytest.mark.parametrize(("files", "places"), PLACES.values(), ids=PLACES)
def test_the_price_of_long_prompts_is_told_at_the_line_that_decides_it(
    load: Load, files: dict[str, str], places: set[str]
) -> None:
    costs = {f"backends/{name}.toml": f'["gpt-6.1-sol".costs]\n{line}' for name, line in files.items()}
    mine = "[mine]\nmodels_like = 'openai'\nendpoint = 'https://mine.example.com'"
    report = catalogue.compare(load({"backends.toml": mine, **costs}), "genai-prices", ON, [CatalogueKind.PRICES])
    assert {str(each.field).partition(" ")[2] for each in report.differences} == {"above 272000"}
    assert {each.place for each in report.differences} == {f"settings/backends/{place}" for place in places}


def test_a_package_without_its_data_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "__init__.py").touch()
    (tmp_path / "litellm-1.0.dist-info").mkdir()
    (tmp_path / "litellm-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CatalogueSourceError, match=r"cannot read model_prices\S+: FileNotFoundError; install another"):
        LiteLLM.installed()
    error = pickle.loads(pickle.dumps(CatalogueSourceError("litellm 1", "cannot read it")))
    assert str(error) == "litellm 1: cannot read it; install another version of it"


@pytest.mark.parametrize(("name", "module"), [("litellm", "litellm"), ("genai-prices", "genai_prices")])
def test_a_source_that_is_not_installed_is_told_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    # A path without packages: nothing that is not imported yet can be found.
    monkeypatch.setattr(sys, "path", [each for each in sys.path if "site-packages" not in each])
    for loaded in [each for each in sys.modules if each.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    with pytest.raises(MissingExtraError, match=r'pip install "pipelex-cogt\[catalogue\]"'):
        catalogue.compare(ModelManager.load(environ={}), name)


# The command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["catalogue", *arguments])


@pytest.mark.usefixtures("folder")
def test_the_command_ends_with_status_1_where_something_differs_and_0_where_nothing_does(
    write_tree: WriteTree,
) -> None:
    same = run("--against", "genai-prices", "--only", "prices", "--settings-dir", str(write_tree(EMPTY)))
    assert (same.exit_code, same.stdout.splitlines()[0]) == (0, "genai-prices 0.2.3: no differences")
    planted = {"backends/openai.toml": '["gpt-5.4-mini".costs]\ninput = 0.7'}
    different = run("--against", "genai-prices", "--only", "prices", "--settings-dir", str(write_tree(planted)))
    assert different.exit_code == 1
    assert "settings/backends/openai.toml:2 openai gpt-5.4-mini costs.input: 0.7, known as 0.75" in different.stdout


@pytest.mark.usefixtures("folder")
def test_the_command_tells_the_same_as_data(write_tree: WriteTree) -> None:
    planted = {"backends/openai.toml": '["gpt-5.4-mini".costs]\ninput = 0.7'}
    result = run("--against", "genai-prices", "--settings-dir", str(write_tree(planted)), "--json")
    report = json.loads(result.stdout)
    prices = [each for each in report["differences"] if each["kind"] == "prices"]
    assert prices == [
        {
            "kind": "prices",
            "backend": "openai",
            "model": "gpt-5.4-mini",
            "field": "costs.input",
            "stated": 0.7,
            "known": 0.75,
            "place": "settings/backends/openai.toml:2",
        }
    ]
    assert any(each["kind"] == "missing" for each in report["differences"])
    assert report["not_compared"] == ["ollama"]


def test_the_command_asks_no_credential_and_names_what_it_did_not_compare(write_tree: WriteTree) -> None:
    files = {"settings.toml": "[default.cogt.inference_config]\nmissing_credentials = 'error'"}
    result = run("--against", "genai-prices", "--settings-dir", str(write_tree(files)), "--env", "production")
    assert "no data about ollama" in result.stdout
    assert "google does not state" in result.stdout


def test_a_source_of_another_name_is_refused() -> None:
    assert run("--against", "somebody").exit_code == 2
