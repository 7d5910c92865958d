"""The catalogue against LiteLLM's own data, as they are installed."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.app import app
from pipelex_cogt.integrations import catalogue
from pipelex_cogt.integrations.catalogue import LiteLLM
from pipelex_cogt.models.catalogue_words import CatalogueKind

ON = date(2026, 11, 30)
FACTS = [CatalogueKind.LIMITS, CatalogueKind.MODALITIES, CatalogueKind.RETIREMENTS]
EXPLAINED = {
    ("openai", "gpt-5.5-pro", "outputs"): "langchain-openai states that it writes objects",
    ("azure_openai", "gpt-5.5-pro", "outputs"): "langchain-openai states that it writes objects",
    ("bedrock", "qwen3-vl-235b-a22b", "outputs"): "langchain-aws states that it writes objects",
    ("fireworks", "glm-5.3-flash", "max_tokens"): "the comment above the model",
    ("fireworks", "glm-4.7", "max_tokens"): "the comment above the model",
}
"""What the shipped files state otherwise than LiteLLM, and why: (backend, model, field)."""
ASKED = """
import sys
from pipelex_cogt.integrations.catalogue import LiteLLM
assert LiteLLM.installed().find("openai", "gpt-4o").costs.input == 2.5
print("litellm" in sys.modules)
"""


def test_litellm_is_not_imported_for_that_would_ask_the_network() -> None:
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert asked.stdout == "False\n"


def test_it_knows_prices_limits_modalities_and_a_version() -> None:
    source = LiteLLM.installed()
    assert re.fullmatch(r"litellm \d[\w.]+", source.name)
    found = source.find("openai", "gpt-4o")
    assert found is not None
    assert (found.costs.input, found.costs.output, found.costs.input_cached) == (2.5, 10.0, 1.25)
    assert (found.max_input_tokens, found.max_tokens, found.tools) == (128_000, 16_384, True)
    assert (found.reads["images"], found.writes["structured"]) == (True, True)
    assert "gpt-4o-2024-08-06" not in source.others("openai", ["gpt-4o"], ON)


def test_the_shipped_files_state_what_litellm_does_or_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = ModelManager.load(environ={}, checks_credentials=False)
    report = catalogue.compare(shipped, "litellm", ON, FACTS)
    assert {(each.backend, each.model, each.field) for each in report.differences} == EXPLAINED.keys()


def test_the_prices_of_models_that_genai_prices_does_not_know_are_those_of_litellm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = ModelManager.load(environ={}, checks_credentials=False)
    unknown = catalogue.compare(shipped, "genai-prices", ON, [CatalogueKind.PRICES]).unknown
    assert unknown
    differing = catalogue.compare(shipped, "litellm", ON, [CatalogueKind.PRICES]).differences
    assert [each for each in differing if each.model in unknown.get(each.backend, ())] == []


def test_a_planted_limit_is_the_one_that_is_found(tmp_path: Path) -> None:
    file = tmp_path / "settings" / "backends" / "openai.toml"
    file.parent.mkdir(parents=True)
    clean = catalogue.compare(ModelManager.load(environ={}), "litellm", ON, [CatalogueKind.LIMITS])
    file.write_text("[gpt-4o]\nmax_tokens = 7\n", encoding="utf-8")
    planted = ModelManager.load(tmp_path / "settings", environ={})
    found = catalogue.compare(planted, "litellm", ON, [CatalogueKind.LIMITS])
    (new,) = {*found.differences} - {*clean.differences}
    assert (new.backend, new.model, new.field, new.stated, new.known) == ("openai", "gpt-4o", "max_tokens", 7, 16_384)
    assert new.place == f"{file}:2"


def test_the_command_tells_what_differs() -> None:
    result = CliRunner().invoke(app, ["catalogue", "--against", "litellm", "--only", "missing"])
    assert result.exit_code == 1
    assert "packaged backends/openai.toml openai does not state" in result.stdout
    assert result.stdout.startswith("litellm ")


@pytest.mark.parametrize("kind", ["prices", "limits", "modalities", "retirements"])
def test_each_kind_can_be_asked_for_alone(kind: str) -> None:
    result = CliRunner().invoke(app, ["catalogue", "--against", "litellm", "--only", kind])
    assert result.exit_code in (0, 1)
    assert "does not state" not in result.stdout
