"""Older spellings: they mean today's keys in every layer, are found where they stand, and are warned of there."""

from pathlib import Path

import pytest

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, SourceFile
from pipelex_cogt.config.older_spellings import modernise_layer, path_in_defaults
from pipelex_cogt.config.report import ProblemReport
from tests.conftest import Load


def test_the_older_spelling_is_found_by_todays_key(tmp_path: Path) -> None:
    path = tmp_path / "openai.toml"
    path.write_text("\ndefault_sdk = 'x'\n", encoding="utf-8")
    file = SourceFile.of(path, path.name, path.read_bytes())
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    layer = modernise_layer(Layer(origin, {"models": {"openai": {"default_sdk": "x"}}}), ProblemReport())
    assert layer["models"]["openai"] == {"defaults": {"sdk": "x"}}
    assert str(layer.origin.place(("models", "openai", "defaults", "sdk"))) == "openai.toml:2"


def test_the_older_spelling_means_the_same_in_every_layer(load: Load) -> None:
    manager = load(
        {
            "backends/a.toml": """
                default_sdk = "old"
                default_prompting_target = "openai"
                [m1]
                [only-a]
                sdk = "own"
            """,
            "backends/a.local.toml": "[defaults]\nprompting_target = 'gemini'\n",
        }
    )
    specs = manager.backends["a"].model_specs
    assert (specs["m1"].sdk, specs["only-a"].sdk) == ("old", "own")
    assert specs["m1"].prompting_target == "gemini"
    assert len(manager.warnings) == 2


def test_an_upper_layer_wins_in_the_older_spelling_too(load: Load) -> None:
    files = {
        "backends/a.toml": "[defaults]\nsdk = 'new'\n[m1]\n[only-a]\n",
        "backends/a.local.toml": "default_sdk = 'old'\n",
    }
    assert load(files).backends["a"].model_specs["m1"].sdk == "old"


def test_an_older_spelling_is_told_even_where_a_higher_layer_replaces_its_value(load: Load) -> None:
    files = {
        "backends/b.toml": "default_sdk = 'old'\n[m1]\n[only-b]\n['dot.ted']\n",
        "backends/b.local.toml": "[defaults]\nsdk = 'mine'\n",
    }
    (warning,) = load(files).warnings
    assert warning.file is not None
    assert (Path(warning.file).name, warning.line) == ("b.toml", 1)
    assert warning.suggestion == "write sdk in [defaults]"


def test_every_older_spelling_is_told_where_it_stands(load: Load) -> None:
    files = {
        "backends/b.toml": "default_sdk = 'old'\n[m1]\n[only-b]\n['dot.ted']\n",
        "backends/b.local.toml": "# mine\ndefault_sdk = 'mine'\n",
    }
    told = [(Path(warning.file or "").name, warning.line) for warning in load(files).warnings]
    assert told == [("b.local.toml", 2), ("b.toml", 1)]


@pytest.mark.parametrize(
    ("path", "in_defaults"),
    [
        (("models", "a", "m1", "inputs"), ("models", "a", "defaults", "inputs")),
        (("models", "a", "m1", "costs", "input"), ("models", "a", "defaults", "costs", "input")),
        (("models", "a", "defaults", "inputs"), ()),
        (("models", "a", "m1"), ()),
        (("backends", "a", "headers", "x"), ()),
        ((), ()),
    ],
)
def test_what_a_model_states_stands_in_the_defaults_of_its_file_too(path: KeyPath, in_defaults: KeyPath) -> None:
    assert path_in_defaults(path) == in_defaults
