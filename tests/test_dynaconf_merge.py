"""The seam to Dynaconf: it merges and is the registry of layers, and nothing else of it is in force."""

import operator
import os
import pickle
import pprint
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import copy, deepcopy
from functools import reduce
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from dynaconf import Dynaconf, get_history, inspect_settings
from dynaconf.base import Settings as DynaconfSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipelex_cogt import ModelManager
from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.layers import Layer, LayerKind, Origin
from pipelex_cogt.config.tables import Table, map_leaves, merge, nest
from tests.conftest import Load, WriteTree

Problems: TypeAlias = Callable[..., list[str]]

PECULIAR_KEYS = [
    "gpt-4.1",
    "meta/llama-3:70b",
    "Qwen/X",
    "qwen/x",
    "with space",
    "with_space",
    "items",
    "get",
    "keys",
    "update",
    "to_dict",
    "@del",
    "@merge",
    "dynaconf_merge",
    "dynaconf_include",
    "dynaconf_merge_unique",
    "a__b",
    "A",
    "",
    "é",
    "*",
]
LIVE_TEXT = [
    "@jinja {{ 1 }}",
    "@format {env[HOME]}",
    "@format {this.COGT}",
    "@read_file /etc/hostname",
    "@int 5",
    "@json [1]",
    "@del",
    "@merge a,b",
    "@merge_unique a",
    "@none",
    "@empty",
    "@reset x",
    "@insert 0 x",
    "@get OTHER",
    "@bool true",
    "true",
    "1e3",
    "dynaconf_merge",
]
HOSTILE_VARIABLES = {
    "AUTO_CAST_FOR_DYNACONF": "true",
    "CORE_LOADERS_FOR_DYNACONF": "['TOML']",
    "DOTTED_LOOKUP_FOR_DYNACONF": "true",
    "DYNACONF_COGT": '@json {"routing": {"active": "hostile"}}',
    "DYNACONF_COGT__routing__active": "hostile",
    "DYNACONF_MERGE_ENABLED": "false",
    "ENVVAR_PREFIX_FOR_DYNACONF": "PIPELEX",
    "ENV_FOR_DYNACONF": "hostile",
    "FORCE_ENV_FOR_DYNACONF": "hostile",
    "FRESH_VARS_FOR_DYNACONF": '["COGT"]',
    "INCLUDES_FOR_DYNACONF": '["hostile.toml"]',
    "INSTANCE_FOR_DYNACONF": "os.environ",
    "LOADERS_FOR_DYNACONF": "[]",
    "LOAD_DOTENV_FOR_DYNACONF": "true",
    "LOWERCASE_READ_FOR_DYNACONF": "false",
    "MERGE_ENABLED_FOR_DYNACONF": "false",
    "PRELOAD_FOR_DYNACONF": '["hostile.toml"]',
    "ROOT_PATH_FOR_DYNACONF": "/nonexistent",
    "SETTINGS_FILE_FOR_DYNACONF": "hostile.toml",
    "SILENT_ERRORS_FOR_DYNACONF": "false",
    "SKIP_LOADERS_FOR_DYNACONF": "false",
    "SYSENV_FALLBACK_FOR_DYNACONF": "true",
    "VALIDATE_ON_UPDATE_FOR_DYNACONF": "all",
}

KEYS = st.text(max_size=6) | st.sampled_from(PECULIAR_KEYS)
SCALARS = st.text(max_size=6) | st.sampled_from(LIVE_TEXT) | st.integers() | st.lists(st.integers(), max_size=2)


def tables_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Table]:
    return st.dictionaries(KEYS, values, max_size=4)


TABLES = tables_of(st.recursive(SCALARS, tables_of, max_leaves=8))


def layer(table: Table, name: str = "some", kind: LayerKind = LayerKind.APPLICATION) -> Layer:
    return Layer(Origin(kind, name), table)


def merged(*tables: Table) -> Table:
    dynaconf = LayeredDynaconf()
    for position, table in enumerate(tables):
        dynaconf.add(layer(table, str(position)))
    return dynaconf.tree()


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(TABLES, min_size=1, max_size=4))
def test_dynaconf_merges_exactly_as_our_rule_says(tables: list[Table]) -> None:
    before = deepcopy(tables)
    assert merged(*tables) == reduce(merge, tables)
    assert tables == before


def test_a_table_is_copied_once_however_many_layers_are_laid_over_it() -> None:
    dynaconf, tables = LayeredDynaconf(), list[Table]()
    for number in range(5):
        dynaconf.add(layer({"deck": {"aliases": {f"a{number}": "m"}}}, str(number)))
        tables.append(dynaconf.tree()["deck"]["aliases"])
    assert [table is tables[-1] for table in tables] == [False, True, True, True, True]
    assert dynaconf.layers()[0] == {"deck": {"aliases": {"a0": "m"}}}


def test_a_table_over_a_value_over_a_table_is_no_layers_own() -> None:
    tables: list[Table] = [{"a": {"b": 1}}, {"a": {"c": 2}}, {"a": 3}, {"a": {"d": 4}}, {"a": {"e": 5}}]
    before = deepcopy(tables)
    assert merged(*tables) == {"a": {"d": 4, "e": 5}}
    assert tables == before


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=4), SCALARS, KEYS)
def test_every_key_survives_below_another_layer(path: list[str], value: object, other: str) -> None:
    lower, upper = nest(("models", *path), value), nest(("models", f"{other} of the upper layer"), 1)
    assert merged(lower, upper) == {"models": {**lower["models"], **upper["models"]}}


def test_keys_that_differ_in_capitals_stay_apart_across_layers() -> None:
    tree = merged({"models": {"a": {"Qwen/X": {"sdk": "1"}}}}, {"models": {"a": {"qwen/x": {"sdk": "2"}}}})
    assert tree == {"models": {"a": {"Qwen/X": {"sdk": "1"}, "qwen/x": {"sdk": "2"}}}}


@pytest.mark.parametrize("key", PECULIAR_KEYS)
def test_a_peculiar_key_merges_with_itself(key: str) -> None:
    assert merged({key: {key: 1}}, {key: {"x": 2}}) == {key: {key: 1, "x": 2}}


@pytest.mark.parametrize("text", LIVE_TEXT)
def test_text_that_dynaconf_would_evaluate_stays_text(text: str) -> None:
    assert merged({"a": text, "b": [text]}, {"c": {"d": text}}) == {"a": text, "b": [text], "c": {"d": text}}


def test_a_tree_without_layers_is_empty() -> None:
    assert LayeredDynaconf().tree() == {}


def test_an_empty_layer_states_nothing() -> None:
    assert merged({}, {"a": 1}, {}) == {"a": 1}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What Dynaconf hands to the seam, call by call."""
    calls: list[tuple[Any, Any]] = []
    seam = LayeredDynaconf._merge_before_set

    def watch(self: LayeredDynaconf, existing: Any, value: Any, *args: Any, **options: Any) -> Any:
        calls.append((deepcopy(existing), value))
        return seam(self, existing, value, *args, **options)

    monkeypatch.setattr(LayeredDynaconf, "_merge_before_set", watch)
    return calls


def test_dynaconf_still_has_the_private_method_that_merges() -> None:
    assert callable(DynaconfSettings._merge_before_set)


def test_dynaconf_still_merges_through_our_rule(seen: list[tuple[Any, Any]]) -> None:
    first, second, third = {"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"d": 3}}
    merged(first, second, third)
    laid = [(existing, wrapped.layer) for existing, wrapped in seen]
    assert laid == [({}, first), ({"a": {"b": 1}}, second), ({"a": {"b": 1, "c": 2}}, third)]


@pytest.mark.usefixtures("seen")
def test_dynaconf_still_passes_a_wrapped_layer_on_whole() -> None:
    dynaconf = LayeredDynaconf()
    models = layer({"models": {"Qwen/X": {"sdk": "@format {env[HOME]}"}}})
    dynaconf.add(models)
    dynaconf.add(layer({"deck": {}}, "other"))
    assert dynaconf.tree()["models"]["Qwen/X"] is models["models"]["Qwen/X"]


def test_dynaconf_still_keeps_the_history_layer_by_layer() -> None:
    dynaconf = LayeredDynaconf()
    origins = [
        Origin(LayerKind.PACKAGED, "routing.toml"),
        Origin(LayerKind.ENVIRONMENT, "settings.toml", environment="production"),
        Origin(LayerKind.PROCESS_ENVIRONMENT, "PIPELEX_COGT__ROUTING__ACTIVE"),
        Origin(LayerKind.OVERRIDES, "overrides"),
    ]
    for origin in origins:
        dynaconf.add(Layer(origin, {"routing": {"active": origin.name}}))
    sources = [source for source in dynaconf.loaded_by_loaders if source.identifier in {o.name for o in origins}]
    assert [(source.loader, source.identifier, source.env) for source in sources] == [
        ("packaged settings", "routing.toml", "global"),
        ("environment table", "settings.toml", "production"),
        ("environment variable", "PIPELEX_COGT__ROUTING__ACTIVE", "global"),
        ("overrides given in code", "overrides", "global"),
    ]


@pytest.fixture
def hostile_process(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("hostile.toml").write_text("[default.cogt.routing]\nactive = 'hostile'\n", encoding="utf-8")
    for name, value in HOSTILE_VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_process")
def test_no_variable_of_dynaconf_changes_a_load(load: Load) -> None:
    calm = load(environ={}).settings
    hostile = load(environ=None).settings
    assert hostile.tree == calm.tree
    assert [each.origin for each in hostile.layers] == [each.origin for each in calm.layers]


@pytest.mark.parametrize("name", HOSTILE_VARIABLES)
def test_no_variable_of_dynaconf_changes_the_merge(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[Table] = [{"a": {"B": [1]}}, {"a": {"b": [2], "c": "@int 1"}}, {"a": {"B": [3]}}]
    monkeypatch.setenv(name, HOSTILE_VARIABLES[name])
    assert merged(*tables) == {"a": {"B": [3], "b": [2], "c": "@int 1"}}


LOAD_IN_A_NEW_PROCESS = """
import sys
from pipelex_cogt import ModelManager
manager = ModelManager.load(sys.argv[1])
print(manager.environment, manager.routing.active.name, sorted(manager.deck.inference_models))
"""


@pytest.mark.slow
def test_no_variable_of_dynaconf_changes_a_new_process(load: Load, write_tree: WriteTree) -> None:
    load({"settings/dynaconf_hooks.py": "raise SystemExit('executed')"})
    environ = {**os.environ, **HOSTILE_VARIABLES, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", LOAD_IN_A_NEW_PROCESS, str(write_tree({}))],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    assert (done.stdout, done.stderr) == ("development all ['dot.ted', 'm1', 'only-a', 'only-b']\n", "")


def test_hooks_beside_settings_are_not_executed(load: Load) -> None:
    hook = "from pathlib import Path\nPath('executed').touch()\nraise RuntimeError('executed')\n"
    places = ["dynaconf_hooks.py", "../dynaconf_hooks.py", "deck/dynaconf_hooks.py"]
    load(dict.fromkeys(places, hook))
    Path("dynaconf_hooks.py").write_text(hook, encoding="utf-8")
    load()
    assert not Path("executed").exists()


def test_dynaconfs_includes_are_unknown_keys(problems: Problems) -> None:
    include = "dynaconf_include = ['evil.py']\n"
    files = {"deck/evil.py": "open('executed', 'w')\n", "deck/extra.toml": include, "backends/a.toml": include}
    found = problems(files)
    assert "deck/extra.toml:1  cogt.deck.dynaconf_include: unknown key" in "\n".join(found)
    assert not Path("executed").exists()


def test_stray_files_that_dynaconf_looks_for_are_not_read(load: Load) -> None:
    before = load().settings.tree
    Path("config").mkdir()
    for name in ["settings.toml", "settings.json", ".secrets.toml", "config/settings.toml", "settings.yaml"]:
        Path(name).write_text("cogt = 1\n", encoding="utf-8")
    assert load().settings.tree == before


def test_an_applications_own_dynaconf_is_left_alone(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text("[default]\na.b = [1]\n[production]\na.b = [2]\n", encoding="utf-8")
    monkeypatch.setenv("OWN_A__C", "3")

    def own() -> Dynaconf:
        files = [str(Path("own.toml").resolve())]
        return Dynaconf(settings_files=files, environments=True, env="production", envvar_prefix="OWN")

    existing, environ = own(), dict(os.environ)
    before = existing.as_dict()
    load({"../.env": "OWN_A__C=4\nENV_FOR_DYNACONF=other\n"}, environ=None)
    existing.reload()
    assert existing.as_dict() == own().as_dict() == before
    assert before["A"] == {"b": [2], "C": 3}
    assert dict(os.environ) == environ


# The registry of layers, for people who know Dynaconf


CANARY = "canary-4711"
ACTIVE = "cogt.routing.active"
STATED_BY_MANY = {
    "settings.toml": """
        [default.cogt.inference_config]
        use_packaged_settings = false
        [default.cogt.routing]
        active = "all"
        [production.cogt.routing]
        active = "x"
        [production.cogt.deck.aliases]
        best = ["m1"]
    """,
    "routing.local.toml": "active = 'all'\n[profiles.x]\ndefault = 'b'\nfallback_order = ['a']\n",
    ".secrets.toml": f"[default.cogt.backends.a]\napi_key = '{CANARY}'\nheaders = {{ x = '{CANARY}' }}",
    "../.env": f"PIPELEX_COGT__BACKENDS__B__API_KEY={CANARY}",
}
FROM_FILES = [
    ("application settings", "settings/routing.toml", "global", "all"),
    ("application settings", "settings/settings.toml", "default", "all"),
    ("environment table", "settings/settings.toml", "production", "x"),
    ("local file", "settings/routing.local.toml", "global", "all"),
]
FROM_ABOVE = [
    ("environment variable", "PIPELEX_COGT__ROUTING__ACTIVE", "global", "x"),
    ("overrides given in code", "overrides", "global", "all"),
]


@pytest.fixture
def stated_by_many(load: Load, folder: Path) -> ModelManager:
    assert folder.is_dir()
    return load(
        STATED_BY_MANY,
        env="production",
        environ={"PIPELEX_COGT__ROUTING__ACTIVE": "x", "PIPELEX_COGT__BACKENDS__A__TOKEN": CANARY},
        overrides={"routing": {"active": "all"}, "backends": {"b": {"password": CANARY}}},
    )


def told(history: list[dict[str, Any]]) -> list[tuple[str, str, str, Any]]:
    assert all(entry["merged"] for entry in history)
    return [(entry["loader"], entry["identifier"], entry["env"], entry["value"]) for entry in history]


def shown(layer: Layer) -> Any:
    """What a layer states, with what is sealed as it is shown."""
    return map_leaves(layer, lambda _path, value: str(value) if isinstance(value, SecretStr) else value)


def test_dynaconfs_history_is_every_layer_in_order(stated_by_many: ModelManager) -> None:
    assert told(get_history(stated_by_many.settings.dynaconf)) == [
        (layer.origin.kind.label, layer.origin.name, layer.origin.environment or "global", {"COGT": shown(layer)})
        for layer in stated_by_many.settings.layers
    ]


def test_dynaconfs_history_tells_what_each_layer_says_of_a_key(stated_by_many: ModelManager) -> None:
    assert told(get_history(stated_by_many.settings.dynaconf, ACTIVE)) == [*FROM_FILES, *FROM_ABOVE]


def test_one_file_that_is_named_for_two_parts_of_the_tree_is_two_layers() -> None:
    parts = [Origin(LayerKind.APPLICATION, "one.toml", tree_prefix=(part,)) for part in ("routing", "deck")]
    layers = [Layer(origin, nest(origin.tree_prefix, {"x": 1})) for origin in parts]
    dynaconf = LayeredDynaconf(layers)
    assert dynaconf.layers() == tuple(layers)
    assert [entry["identifier"] for entry in get_history(dynaconf)] == ["one.toml", "one.toml as deck"]


def test_dynaconfs_inspection_tells_what_is_in_force_and_each_layer(stated_by_many: ModelManager) -> None:
    inspected = inspect_settings(stated_by_many.settings.dynaconf, ACTIVE)
    assert (inspected["current"], told(inspected["history"])) == ("all", [*FROM_ABOVE[::-1], *FROM_FILES[::-1]])
    inspected = inspect_settings(stated_by_many.settings.dynaconf, ACTIVE, new_first=False, history_limit=1)
    assert told(inspected["history"]) == FROM_FILES[:1]


def test_dynaconfs_inspection_of_one_environment_tells_its_tables_and_what_is_in_force(
    stated_by_many: ModelManager,
) -> None:
    inspected = inspect_settings(stated_by_many.settings.dynaconf, ACTIVE, env="production")
    assert (inspected["current"], told(inspected["history"])) == ("all", FROM_FILES[2:3])


def test_lists_come_as_lists_from_dynaconf(stated_by_many: ModelManager) -> None:
    dynaconf = stated_by_many.settings.dynaconf
    history = get_history(dynaconf, "cogt.deck.aliases.best")
    assert [entry["value"] for entry in history] == [["m1", "only-b"], ["m1"]]
    assert {type(entry["value"]) for entry in history} == {list}
    assert inspect_settings(dynaconf, "cogt.deck.aliases.best")["current"] == ["m1"]
    assert isinstance(dynaconf.get("cogt.deck.aliases.best"), list)
    assert dynaconf.cogt.deck.aliases.best == ["m1"]


SECRET_KEYS = [None, "cogt.backends", "cogt.backends.a.api_key", "cogt.backends.a.headers", "cogt.backends.b"]


@pytest.mark.parametrize("env", [None, "production", "default"])
@pytest.mark.parametrize("key", SECRET_KEYS)
def test_nothing_secret_is_in_what_dynaconf_tells(
    stated_by_many: ModelManager, capsys: pytest.CaptureFixture[str], key: str | None, env: str | None
) -> None:
    dynaconf = stated_by_many.settings.dynaconf
    told = [get_history(dynaconf, key), inspect_settings(dynaconf, key, env=env, print_report=True, dumper="json")]
    for seen in (dynaconf, dynaconf.from_env(env or "development")):
        told += [seen, vars(seen), seen.as_dict(), seen.get(key or "cogt")]
    printed = capsys.readouterr().out
    assert "history" in printed
    assert CANARY not in f"{told} {printed} {pprint.pformat(told)}"


def change(value: Any) -> None:
    """Change every table and list of a value that lets itself be changed."""
    for item in [*value.values()] if isinstance(value, dict) else [*value] if isinstance(value, list) else []:
        change(item)
    with suppress(TypeError):
        if isinstance(value, dict):
            value["changed"] = True
        elif isinstance(value, list):
            value.append("changed")


CHANGES: dict[str, Callable[[Any], object]] = {
    "set": lambda dynaconf: dynaconf.set(ACTIVE, "x"),
    "update": lambda dynaconf: dynaconf.update({"cogt": {"routing": {"active": "x"}}}, merge=True),
    "attribute": lambda dynaconf: setattr(dynaconf.cogt.routing, "active", "x"),
    "item": lambda dynaconf: operator.setitem(dynaconf.cogt, "routing", {}),
    "boxes": lambda dynaconf: change(dynaconf.get("cogt")),
    "history": lambda dynaconf: change(get_history(dynaconf)),
    "registry": lambda dynaconf: change([*dynaconf.loaded_by_loaders.values()]),
    "registry cleared": lambda dynaconf: dynaconf.loaded_by_loaders.clear(),
    "unset": lambda dynaconf: dynaconf.unset("COGT"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_done_to_it_the_manager_stays_as_it_was(
    stated_by_many: ModelManager, change: Callable[[Any], object]
) -> None:
    settings_ = stated_by_many.settings
    history, tree, layers = get_history(settings_.dynaconf), deepcopy(settings_.tree), settings_.layers
    change(settings_.dynaconf)
    assert settings_.tree == tree
    assert settings_.layers == layers
    assert get_history(settings_.dynaconf) == history
    assert settings_.dynaconf.get(ACTIVE) == "all"


@pytest.mark.parametrize("twin", [copy, deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_what_dynaconf_tells_survives_a_copy_and_a_pickle(
    stated_by_many: ModelManager, twin: Callable[[Any], Any]
) -> None:
    dynaconf = stated_by_many.settings.dynaconf
    arrived = twin(dynaconf)
    assert get_history(arrived) == get_history(dynaconf)
    assert inspect_settings(arrived, ACTIVE) == inspect_settings(dynaconf, ACTIVE)
    assert arrived.cogt.routing.active == arrived.get(ACTIVE) == "all"
    assert CANARY.encode() not in pickle.dumps(arrived)


def test_settings_out_of_a_pickle_answer_dynaconf_too(stated_by_many: ModelManager) -> None:
    arrived = pickle.loads(pickle.dumps(stated_by_many.settings))
    for ask in (get_history, inspect_settings):
        assert ask(arrived.dynaconf, ACTIVE) == ask(stated_by_many.settings.dynaconf, ACTIVE)
    assert [layer.origin for layer in arrived.layers] == [layer.origin for layer in stated_by_many.settings.layers]
