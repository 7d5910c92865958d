"""Models of tables: strict and frozen, with a JSON Schema described by the docstrings below their fields."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import pipelex_cogt
from pipelex_cogt.config.settings_model import SettingsModel

PUBLIC: list[Any] = [getattr(pipelex_cogt, name) for name in pipelex_cogt.__all__]
MODELS: list[type[BaseModel]] = [each for each in PUBLIC if isinstance(each, type) and issubclass(each, BaseModel)]
Mode = Literal["validation", "serialization"]
FIELD = r'^    (\w+): [^\n]*\n(?:        [^\n]*\n|    \)\n)*    """(.*?)"""$'


def docstrings_below(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field as it stands in the source, by the key that a table states."""
    bases = [base for base in reversed(model.__mro__) if issubclass(base, SettingsModel) and base is not SettingsModel]
    sources = map(inspect.getsource, bases)
    below = re.findall(FIELD, "".join(sources), re.MULTILINE | re.DOTALL)
    return {model.model_fields[name].alias or name: text for name, text in below}


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_schema_is_described_by_the_docstring_of_its_field(model: type[BaseModel], mode: Mode) -> None:
    schema = model.model_json_schema(mode=mode)
    described = {key: inner.get("description") for key, inner in schema["properties"].items()}
    assert described == docstrings_below(model)
    assert schema["description"] == model.__doc__
    assert schema["additionalProperties"] is False
    by_name = model.model_json_schema(mode=mode, by_alias=False)["properties"]
    assert [inner["description"] for inner in by_name.values()] == [*described.values()]


def test_a_model_within_a_model_is_described_too() -> None:
    within = pipelex_cogt.InferenceModelSpec.model_json_schema()["$defs"]["ModelCosts"]["properties"]
    assert {key: inner["description"] for key, inner in within.items()} == docstrings_below(pipelex_cogt.ModelCosts)


class Example(SettingsModel):
    """A table for these tests."""

    plain: int = 0
    """A text
    of two lines."""
    under_an_alias: Annotated[str, Field(alias="written")] = ""
    """Told under the key that a table states."""
    told_already: Annotated[int, Field(description="Of its own.")] = 0
    """Not told."""
    without: int = 0


def test_a_description_is_one_text_and_gives_way_to_one_of_the_field_s_own() -> None:
    properties = Example.model_json_schema()["properties"]
    assert {key: inner.get("description") for key, inner in properties.items()} == {
        "plain": "A text\nof two lines.",
        "written": "Told under the key that a table states.",
        "told_already": "Of its own.",
        "without": None,
    }


def test_a_model_of_a_table_is_strict_frozen_and_closed_and_hides_its_input() -> None:
    config = Example.model_config
    assert [config.get(key) for key in ("strict", "frozen", "hide_input_in_errors", "extra")] == [True] * 3 + ["forbid"]


LOAD_WITHOUT_SOURCE = """
import inspect


def refuse(*_args, **_options):
    raise AssertionError("the source of a class was read")


inspect.getsource = inspect.getsourcelines = inspect.findsource = refuse
from pipelex_cogt import InferenceBackend, ModelManager

manager = ModelManager.load(environ={})
manager.warnings, manager.explain("smart"), repr(manager.backends["openai"])
try:
    InferenceBackend.model_json_schema()
except AssertionError:
    print("read for a schema alone")
"""


@pytest.mark.slow
def test_neither_an_import_nor_a_load_reads_the_source_of_a_class(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD_WITHOUT_SOURCE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("read for a schema alone\n", "")
