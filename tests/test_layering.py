"""Random layers of every kind: they merge to what a plain definition says, and what is missing from it was told."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import ModelManager, Severity
from pipelex_cogt.cli.show import describe
from pipelex_cogt.config.environ import PREFIX, Environ
from pipelex_cogt.config.key_paths import KeyPath, format_key_path, quote_text
from pipelex_cogt.config.loading import read_settings
from pipelex_cogt.config.masking import seal_overrides, stated_value
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.settings import Settings
from pipelex_cogt.config.tables import Table, leaves, map_leaves
from pipelex_cogt.config.variable_names import variable_part
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from tests.conftest import MINIMAL, dedent

ENVIRONMENT, OTHER = "staging", "production"
MINIMAL_TREE: Table = {
    "backends": tomllib.loads(dedent(MINIMAL["backends.toml"])),
    "models": {name: tomllib.loads(dedent(MINIMAL[f"backends/{name}.toml"])) for name in ("a", "b", "off")},
    "routing": tomllib.loads(dedent(MINIMAL["routing.toml"])),
    "deck": tomllib.loads(dedent(MINIMAL["deck/base.toml"])),
}
"""What lies below every layer."""

# What layers state. It is sound by itself, so that a load judges nothing but what the layers make of it.

WORDS = st.sampled_from(["one", "Two", "drei 3", "", "...", "é", "@format {x}", "dynaconf_merge"])
KEYS = st.sampled_from(["x", "X", "dot.ted", "gpt-4.1", "a b", "a_b", "items", "get", "dynaconf_merge", "1"])
SCALARS = st.one_of(WORDS, st.integers(-5, 5), st.booleans(), st.sampled_from([0.5, 1.0, -2.25]))
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=6
)


def items(*names: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*names, "..."]), max_size=3, unique=True)


def tables(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Table]:
    return st.fixed_dictionaries({}, optional=parts)


TREES = tables(
    backends=tables(a=tables(own=VALUES, other=VALUES, display_name=WORDS), new=tables(own=VALUES)),
    models=tables(a=tables(m1=tables(description=WORDS, inputs=items("text", "images"), extra_body=tables(k=VALUES)))),
    routing=tables(
        active=st.sampled_from(["all", "mine"]),
        profiles=tables(all=tables(fallback_order=items("a", "b", "off")), mine=tables(description=WORDS)),
    ),
    deck=tables(
        aliases=tables(best=items("m1", "only-b") | st.just("only-a"), more=items("best", "m1")),
        llm_presets=tables(p=tables(description=WORDS, stop=items("x", "y"), temperature=st.sampled_from([0.1, 0.5]))),
    ),
)
VARIABLES: dict[KeyPath, st.SearchStrategy[Any]] = {
    ("backends", "a", "endpoint"): st.sampled_from(["https://one.example.com", "https://two.example.com"]),
    ("routing", "profiles", "all", "fallback_order"): items("a", "b"),
    ("deck", "aliases", "best"): items("m1", "only-a"),
    ("deck", "llm_presets", "p", "description"): st.sampled_from(["one", "Two"]),
}
"""What variables state: settings of the minimal tree, for a variable adds no key."""
CHANGES = st.fixed_dictionaries({}, optional=VARIABLES)


class Layers(NamedTuple):
    """What each layer states: files by their name and environment, and what is no file."""

    packaged: Table
    packaged_default: Table
    library: Table
    default: Table
    packaged_environment: Table
    environment: Table
    local_library: Table
    local_default: Table
    local_environment: Table
    secrets_default: Table
    secrets_environment: Table
    secrets_directory: dict[KeyPath, Any]
    dotenv: dict[KeyPath, Any]
    process: dict[KeyPath, Any]
    overrides: Table


CHANGED = ("secrets_directory", "dotenv", "process")
LAYERS = st.builds(Layers, **{name: CHANGES if name in CHANGED else TREES for name in Layers._fields})


# The plain definition


def plain_merge(lower: Any, upper: Any) -> Any:
    """Tables merge, anything else replaces; `"..."` in a list stands for what the list below says."""
    if isinstance(lower, dict) and isinstance(upper, dict):
        both = {key: plain_merge(lower[key], upper[key]) for key in lower.keys() & upper.keys()}
        return {**lower, **upper, **both}
    below = [lower] if isinstance(lower, str) else lower
    if not isinstance(upper, list) or "..." not in upper or not isinstance(below, list):
        return upper
    at = upper.index("...")
    texts = [item for item in upper if isinstance(item, str) and item != "..."]
    kept = [item for item in below if not isinstance(item, str) or item not in texts]
    return [*upper[:at], *kept, *upper[at + 1 :]]


def plain_tree(layers: Layers) -> Table:
    """What the layers say together, in the order of their names."""
    tree = dict(MINIMAL_TREE)
    for name, layer in layers._asdict().items():
        for table in [nest(path, value) for path, value in layer.items()] if name in CHANGED else [layer]:
            tree = plain_merge(tree, table)
    # What goes on with nothing is what it says itself. What lies in a list is part of one value.
    settled: Table = map_lists(tree)
    return settled


def nest(path: KeyPath, value: Any) -> Any:
    return value if not path else {path[0]: nest(path[1:], value)}


def map_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: map_lists(item) for key, item in value.items()}
    return [item for item in value if item != "..."] if isinstance(value, list) else value


# Writing layers


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote_text(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return quote_text(value) if isinstance(value, str) else str(value).lower()


def lines(table: Table) -> str:
    return "".join(f"{quote_text(key)} = {toml(value)}\n" for key, value in table.items())


def append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_library(directory: Path, table: Table, suffix: str = ".toml") -> None:
    parts = {"backends": "backends", "routing": "routing", "deck": "deck/z"}
    files = {name: table[section] for section, name in parts.items() if section in table}
    files |= {f"backends/{backend}": models for backend, models in table.get("models", {}).items()}
    for name, content in files.items():
        append(directory / f"{name}{suffix}", lines(content))


def write_main(path: Path, **environments: Table) -> None:
    for environment, table in environments.items():
        append(path, f"[{environment}.cogt]\n{lines(table)}")


def variables(changes: Mapping[KeyPath, Any]) -> dict[str, str]:
    return {
        PREFIX + "__".join(variable_part(str(key)) for key in path): value if isinstance(value, str) else toml(value)
        for path, value in changes.items()
    }


@contextmanager
def written(layers: Layers) -> Iterator[dict[str, Any]]:
    """The layers in files, and the arguments with which a load finds them."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        packaged, own, secrets = root / "packaged", root / "app" / "settings", root / "secrets"
        secrets.mkdir()
        append(own / "settings.toml", "# cogt\n")
        write_library(packaged, plain_merge(MINIMAL_TREE, layers.packaged))
        packaged_of = {
            "default": layers.packaged_default,
            ENVIRONMENT: layers.packaged_environment,
            OTHER: layers.library,
        }
        write_main(packaged / "settings.toml", **packaged_of)
        write_library(own, layers.library)
        write_library(own, layers.local_library, ".local.toml")
        write_main(
            own / "settings.toml", default=layers.default, **{ENVIRONMENT: layers.environment, OTHER: layers.default}
        )
        locals_of = {"default": layers.local_default, ENVIRONMENT: layers.local_environment, OTHER: layers.library}
        write_main(own / "settings.local.toml", **locals_of)
        secrets_of = {"default": layers.secrets_default, ENVIRONMENT: layers.secrets_environment, OTHER: layers.library}
        write_main(own / ".secrets.toml", **secrets_of)
        (own / ".secrets.toml").chmod(0o600)
        for name, text in variables(layers.secrets_directory).items():
            append(secrets / name, text)
        append(root / "app" / ".env", "".join(f"{name}='{text}'\n" for name, text in variables(layers.dotenv).items()))
        (root / "app" / ".env").chmod(0o600)
        patch.setattr("pipelex_cogt.config.directories.packaged_settings_dir", lambda: packaged)
        environ = {"PIPELEX_SECRETS_DIR": str(secrets), **variables(layers.process)}
        yield {"settings_dir": own, "env": ENVIRONMENT, "environ": environ, "overrides": layers.overrides}


def read(arguments: Mapping[str, Any], report: ProblemReport) -> Settings:
    environ, overrides = Environ(arguments["environ"]), seal_overrides(arguments["overrides"])
    assert overrides is not None
    return read_settings(
        SETTINGS_SCHEMA,
        report,
        settings_dir=arguments["settings_dir"],
        env=arguments["env"],
        environ=environ,
        overrides=overrides,
    )


def told_paths(report: ProblemReport) -> list[str]:
    return [problem.path for severity in Severity for problem in report.problems(severity)]


def is_told(path: KeyPath, told: list[str]) -> bool:
    """Whether a problem or a warning names a key path, one above it or one below it."""
    shown = format_key_path(path)
    return any(f"{shown}.".startswith(f"{other}.") or f"{other}.".startswith(f"{shown}.") for other in told if other)


@pytest.mark.slow
@settings(max_examples=150)
@given(LAYERS)
def test_layers_merge_to_what_a_plain_definition_says_and_what_is_missing_was_told(layers: Layers) -> None:
    with written(layers) as arguments:
        report = ProblemReport()
        found = map_leaves(read(arguments, report).tree, lambda _path, value: stated_value(value))
        expected = plain_tree(layers)
        values, wanted = dict(leaves(found, opens_lists=False)), dict(leaves(expected, opens_lists=False))
        differ = [path for path in {**values, **wanted} if values.get(path) != wanted.get(path)]
        # Only who finds a difference looks for the problems, which takes longer than the load.
        assert not differ or [path for path in differ if not is_told(path, told_paths(report))] == []


@pytest.mark.slow
@settings(max_examples=30)
@given(LAYERS)
def test_what_is_loaded_twice_is_the_same(layers: Layers) -> None:
    with written(layers) as arguments:
        reports = [ProblemReport(), ProblemReport()]
        first, second = (read(arguments, report).tree for report in reports)
        assert first == second
        assert reports[0].problems(Severity.ERROR) == reports[1].problems(Severity.ERROR)
        assert reports[0].problems(Severity.WARNING) == reports[1].problems(Severity.WARNING)


DECK_FILES = {
    "10.toml": "[aliases]\nbest = ['m1']\nmore = 'best'\n",
    "9.toml": "[aliases]\nbest = ['only-b', '...']\n",
    "a/b.toml": "[llm_presets.p]\nllm_handle = 'more'\ntemperature = 0.1\n",
    "a.toml": "[llm_presets.p]\ntemperature = 0.2\n",
    "B.toml": "[llm_presets.q]\nllm_handle = 'best'\n",
    "b.local.toml": "[llm_presets.q]\ndescription = 'mine'\n",
    "é.toml": "[llm_choice_defaults]\nfor_text = 'p'\nfor_object = 'q'\n",
}


def load_written(names: list[str]) -> dict[str, Any]:
    """What a load makes of deck files that were written in an order."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "settings"
        for name, text in MINIMAL.items():
            if not name.startswith("deck"):
                append(own / name, dedent(text))
        for name in names:
            append(own / "deck" / name, DECK_FILES[name])
        manager = ModelManager.load(own, environ={})
        return {name: describe(manager)[name] for name in ("backends", "presets", "choices", "models")}


@pytest.mark.slow
@settings(max_examples=20)
@given(st.permutations(sorted(DECK_FILES)))
def test_the_order_in_which_files_were_written_changes_nothing(names: list[str]) -> None:
    assert load_written(names) == load_written(sorted(DECK_FILES))
