"""The layers together: their order, what they merge to, and where each value came from."""

import os
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import ModelManager
from pipelex_cogt.config.layers import Layer, LayerKind
from pipelex_cogt.config.tables import FrozenDict, FrozenList, value_at
from tests.conftest import MINIMAL, Load, dedent
from tests.frozen import assert_frozen, containers_in

PRESET = "deck.llm_presets.p"
VARIABLE = "PIPELEX_COGT__DECK__LLM_PRESETS__P__DESCRIPTION"


class Rung(NamedTuple):
    """One source of the same value: where it stands, and the layer it belongs to."""

    name: str
    place: str
    header: str
    kind: LayerKind


MAIN = f"{{}}.cogt.{PRESET}"
LADDER = [
    Rung("packaged library file", "packaged/deck/p.toml", "llm_presets.p", LayerKind.PACKAGED),
    Rung("packaged [default]", "packaged/settings.toml", MAIN.format("default"), LayerKind.PACKAGED),
    Rung("application library file", "app/deck/p.toml", "llm_presets.p", LayerKind.APPLICATION),
    Rung("application [default]", "app/settings.toml", MAIN.format("default"), LayerKind.APPLICATION),
    Rung("packaged [staging]", "packaged/settings.toml", MAIN.format("staging"), LayerKind.ENVIRONMENT),
    Rung("application [staging]", "app/settings.toml", MAIN.format("staging"), LayerKind.ENVIRONMENT),
    Rung("local library file", "app/deck/p.local.toml", "llm_presets.p", LayerKind.LOCAL),
    Rung("local [default]", "app/settings.local.toml", MAIN.format("default"), LayerKind.LOCAL),
    Rung("local [staging]", "app/settings.local.toml", MAIN.format("staging"), LayerKind.LOCAL),
    Rung("secrets [default]", "app/.secrets.toml", MAIN.format("default"), LayerKind.SECRETS_FILE),
    Rung("secrets [staging]", "app/.secrets.toml", MAIN.format("staging"), LayerKind.SECRETS_FILE),
    Rung("secrets directory", f"no-secrets/{VARIABLE}", "", LayerKind.SECRETS_DIRECTORY),
    Rung(".env", "work/.env", "", LayerKind.DOTENV),
    Rung("process environment", "environ", "", LayerKind.PROCESS_ENVIRONMENT),
    Rung("overrides", "overrides", "", LayerKind.OVERRIDES),
]
LayOut = Callable[..., ModelManager]


def append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The minimal tree in place of the settings that ship with the package."""
    directory = tmp_path / "packaged"
    for name, text in MINIMAL.items():
        if name != "settings.toml":
            append(directory / name, dedent(text))
    monkeypatch.setattr("pipelex_cogt.config.directories.packaged_settings_dir", lambda: directory)
    return directory


@pytest.fixture
def lay_out(tmp_path: Path, packaged: Path) -> LayOut:
    """Write rungs of the ladder, each with its own name as the value, and load."""

    def load_rungs(*rungs: Rung) -> ModelManager:
        assert packaged.is_dir()
        # The application's directory is named, so it holds something of ours.
        append(tmp_path / "app" / "routing.toml", "")
        arguments: dict[str, Any] = {"environ": {}}
        for rung in rungs:
            if rung.place == "overrides":
                arguments["overrides"] = {"deck": {"llm_presets": {"p": {"description": rung.name}}}}
            elif rung.place == "environ":
                arguments["environ"] = {VARIABLE: rung.name}
            elif rung.header:
                append(tmp_path / rung.place, f"[{rung.header}]\ndescription = '{rung.name}'\n")
            else:
                append(tmp_path / rung.place, f"{VARIABLE}={rung.name}\n" if rung.place == "work/.env" else rung.name)
        return ModelManager.load(tmp_path / "app", env="staging", **arguments)

    return load_rungs


def described(manager: ModelManager) -> str | None:
    return manager.deck.llm_presets["p"].description


def rung_name(value: object) -> str | None:
    return value.name if isinstance(value, Rung) else None


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(LADDER)), ids=rung_name)
def test_each_layer_wins_over_the_one_below_it(lay_out: LayOut, lower: Rung, upper: Rung) -> None:
    assert described(lay_out(upper, lower)) == upper.name


@pytest.mark.parametrize("top", range(1, len(LADDER) + 1), ids=lambda top: LADDER[top - 1].name)
def test_the_highest_layer_wins_over_all_below_it(lay_out: LayOut, top: int) -> None:
    manager = lay_out(*LADDER[:top])
    assert described(manager) == LADDER[top - 1].name


@pytest.mark.parametrize("rung", LADDER, ids=rung_name)
def test_each_layer_states_a_value_alone(lay_out: LayOut, rung: Rung) -> None:
    assert described(lay_out(rung)) == rung.name


def test_every_layer_is_kept_with_what_it_states(lay_out: LayOut) -> None:
    path = ("deck", "llm_presets", "p", "description")
    layers = lay_out(*LADDER).settings.layers
    stated = [(layer.origin.kind, value_at(layer, path)) for layer in layers]
    assert [each for each in stated if each[1] is not None] == [(rung.kind, rung.name) for rung in LADDER]
    assert [layer.origin.kind for layer in layers] == sorted(layer.origin.kind for layer in layers)


@pytest.mark.parametrize("name", ["settings.local.toml", ".secrets.toml", "deck/p.local.toml", "backends/a.local.toml"])
def test_local_and_secret_files_beside_the_packaged_settings_are_nobodys(packaged: Path, name: str) -> None:
    append(packaged / name, "this is not TOML")
    assert ModelManager.load(environ={}).routing.active.name == "all"


CONFIG = "[{}.cogt.inference_config]\nenabled_backends = ['{}']\n"
CONFIG_LADDER = [
    ("packaged/settings.toml", "default"),
    ("app/settings.toml", "default"),
    ("packaged/settings.toml", "staging"),
    ("app/settings.toml", "staging"),
    ("app/settings.local.toml", "default"),
    ("app/settings.local.toml", "staging"),
    ("app/.secrets.toml", "default"),
]


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(CONFIG_LADDER)), ids="/".join)
@pytest.mark.usefixtures("packaged")
def test_the_inference_config_follows_the_same_layers(
    tmp_path: Path, lower: tuple[str, str], upper: tuple[str, str]
) -> None:
    (tmp_path / "app").mkdir()
    for (place, environment), backend in ((lower, "a"), (upper, "b")):
        append(tmp_path / place, CONFIG.format(environment, backend))
    manager = ModelManager.load(tmp_path / "app", env="staging", environ={})
    assert manager.settings.inference_config.enabled_backends == ("b",)
    assert manager.settings.tree["inference_config"]["enabled_backends"] == ["b"]


def test_starting_from_nothing_leaves_the_packaged_choices_behind(load: Load, packaged: Path) -> None:
    append(packaged / "settings.toml", "[default.cogt.inference_config]\nmissing_credentials = 'error'\n")
    append(packaged / "deck/extra.toml", "[llm_presets.q]\nllm_handle = 'm1'\n")
    manager = load()
    assert manager.settings.inference_config.missing_credentials == "defer"
    assert "q" not in manager.deck.llm_presets


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"overrides": {"inference_config": {"use_packaged_settings": False}}}, id="overrides"),
        pytest.param({"environ": {"PIPELEX_COGT__INFERENCE_CONFIG__USE_PACKAGED_SETTINGS": "false"}}, id="variable"),
        pytest.param({"env": "bare"}, id="environment"),
    ],
)
def test_any_layer_may_start_from_nothing(load: Load, packaged: Path, arguments: dict[str, Any]) -> None:
    append(packaged / "deck/extra.toml", "[llm_presets.q]\nllm_handle = 'm1'\n")
    bare = "[bare.cogt.inference_config]\nuse_packaged_settings = false\n"
    assert "q" in load({"settings.toml": ""}).deck.llm_presets
    assert "q" not in load({"settings.toml": bare}, **arguments).deck.llm_presets


@pytest.mark.usefixtures("packaged")
def test_an_application_states_only_what_differs(tmp_path: Path) -> None:
    append(tmp_path / "app/settings.toml", f"[default.cogt.{PRESET}]\ntemperature = 0.125\n")
    preset = ModelManager.load(tmp_path / "app", environ={}).deck.llm_presets["p"]
    assert (preset.llm_handle, preset.temperature) == ("best", 0.125)


@pytest.mark.usefixtures("packaged")
def test_an_applications_library_files_lie_over_the_packaged_ones(tmp_path: Path) -> None:
    append(tmp_path / "app/backends/a.toml", "[m1]\nmax_tokens = 500\n[new]\n")
    append(tmp_path / "app/backends.toml", "[a]\ndisplay_name = 'A'\n")
    backend = ModelManager.load(tmp_path / "app", environ={}).backends["a"]
    assert (backend.endpoint, backend.display_name) == ("https://a.example.com", "A")
    assert backend.model_specs["m1"].max_tokens == 500
    assert backend.model_specs["m1"].costs.input == 1.0
    assert backend.model_specs["new"].sdk == "sdk_a"


def test_tables_merge_while_lists_and_scalars_replace(load: Load) -> None:
    upper = {
        "deck/z.toml": "[aliases]\nbest = ['only-a']\n[llm_presets.p]\ntemperature = 1\n",
        "backends.local.toml": "[a]\nendpoint = 'https://x'\nheaders = { one = '1' }\nregion = { one = '1' }\n",
        "settings.local.toml": "[default.cogt.backends.a]\nheaders.two = '2'\nregion.two = '2'\n",
    }
    manager = load(upper)
    assert manager.deck.aliases["best"] == ("only-a",)
    assert manager.deck.llm_presets["p"].llm_handle == "best"
    assert manager.deck.llm_presets["p"].temperature == 1
    assert manager.backends["a"].headers == {"one": "1", "two": "2"}
    assert manager.backends["a"].extra_config["region"] == {"one": "1", "two": "2"}
    assert manager.backends["a"].stated_api_key == "${A_KEY}"


PECULIAR_NAMES = [
    "gpt-4.1",
    "meta/llama-3:70b",
    "Qwen/X",
    "qwen/x",
    "items",
    "get",
    "@del",
    "dynaconf_merge",
    "a b",
    "é",
]


@pytest.mark.parametrize("name", PECULIAR_NAMES)
def test_peculiar_names_go_through_every_layer(load: Load, name: str) -> None:
    lower = "".join(f"['{each}']\nmax_tokens = 1\n" for each in PECULIAR_NAMES)
    manager = load(
        {
            "backends/a.toml": "[defaults]\nsdk = 's'\n[m1]\n[only-a]\n" + lower,
            "backends/a.local.toml": f"['{name}']\ndescription = 'local'\n",
            "settings.local.toml": f"[default.cogt.models.a.'{name}']\nmax_prompt_images = 3\n",
            "deck/z.toml": f"[aliases]\n'{name} alias' = '{name}'\n",
        },
        overrides={"models": {"a": {name: {"max_tokens": 2}}}},
    )
    specs = manager.backends["a"].model_specs
    assert set(specs) == {"m1", "only-a", *PECULIAR_NAMES}
    assert (specs[name].max_tokens, specs[name].description, specs[name].max_prompt_images) == (2, "local", 3)
    assert {specs[other].max_tokens for other in PECULIAR_NAMES if other != name} == {1}
    assert manager.deck.resolve(f"{name} alias").model.name == name


@pytest.mark.parametrize("text", ["@jinja {{ 1 }}", "@format {env[HOME]}", "@int 5", "@none", "@del", "dynaconf_merge"])
def test_text_stays_text_in_every_layer(load: Load, text: str) -> None:
    manager = load(
        {
            "backends.local.toml": f"[a]\ndisplay_name = '{text}'\nregion = ['{text}']\n",
            "settings.local.toml": f"[default.cogt.backends.b]\ndisplay_name = '{text}'\n",
            "../.env": f"PIPELEX_COGT__BACKENDS__OFF__DISPLAY_NAME={text}\n",
        },
        environ={"PIPELEX_COGT__MODELS__A__M1__DESCRIPTION": text},
        overrides={"models": {"b": {"m1": {"description": text}}}},
    )
    assert {backend.display_name for backend in manager.backends.values()} == {text}
    assert manager.backends["a"].extra_config["region"] == [text]
    assert {manager.backends[name].model_specs["m1"].description for name in "ab"} == {text}


# A model's name holds no `*`: only routes are patterns.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="*{"), min_size=1, max_size=8)
"""Without what makes a pattern of a name, or a reference."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("settings")
    for name, text in MINIMAL.items():
        append(directory / name, dedent(text))
    return directory


@settings(deadline=None, max_examples=40)
@given(names=st.lists(NAMES, unique=True, max_size=5))
def test_arbitrary_names_survive_a_load(shared: Path, names: list[str]) -> None:
    aliases = dict.fromkeys(names, "m1")
    manager = ModelManager.load(shared, environ={}, overrides={"deck": {"aliases": aliases}})
    assert dict(manager.deck.aliases) == {"best": ("m1", "only-b"), **aliases}


def test_overrides_are_shaped_like_the_tree(load: Load) -> None:
    overrides = {"routing": {"active": "new", "profiles": {"new": {"default": "b"}}}}
    assert load(overrides=overrides).routing.active.default == "b"


def test_overrides_are_not_changed_and_not_kept(load: Load) -> None:
    overrides: dict[str, Any] = {"deck": {"aliases": {"x": ["m1"]}}}
    manager = load(overrides=overrides)
    assert overrides == {"deck": {"aliases": {"x": ["m1"]}}}
    overrides["deck"]["aliases"]["x"].append("only-a")
    assert manager.deck.aliases["x"] == ("m1",)
    assert manager.settings.tree["deck"]["aliases"]["x"] == ["m1"]


def test_overrides_may_be_any_mappings(load: Load) -> None:
    active: Mapping[str, Any] = MappingProxyType({"active": "all"})
    assert load(overrides=MappingProxyType({"routing": active})).routing.active.name == "all"


@pytest.mark.parametrize("overrides", [None, {}, {"deck": {}}])
def test_overrides_may_state_nothing(load: Load, overrides: dict[str, Any] | None) -> None:
    assert load(overrides=overrides).routing.active.name == "all"


def test_a_load_changes_neither_the_process_nor_its_files(load: Load, tmp_path: Path) -> None:
    load({"../.env": "A_KEY=1\nPIPELEX_ENV=staging\nNEW=1\n"})
    environ, folder = dict(os.environ), Path.cwd()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    load(environ=None)
    assert (dict(os.environ), Path.cwd()) == (environ, folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_a_load_does_not_change_the_environment_it_is_given(load: Load) -> None:
    environ = {"PIPELEX_ENV": "staging", "A_KEY": "1"}
    load({"../.env": "B_KEY=1\n"}, environ=environ)
    assert environ == {"PIPELEX_ENV": "staging", "A_KEY": "1"}


def test_two_loads_share_nothing(load: Load) -> None:
    first, second = load(), load(overrides={"deck": {"aliases": {"x": "m1"}}})
    assert "x" in second.deck.aliases
    assert "x" not in first.deck.aliases
    assert "x" not in first.settings.tree["deck"]["aliases"]


EVERY_LAYER: dict[str, Any] = {
    "files": {
        "settings.toml": f"{MINIMAL['settings.toml']}\n[staging.cogt.deck.aliases]\ns = ['m1', 'only-a']\n",
        "settings.local.toml": "[default.cogt.routing.profiles.y]\nfallback_order = ['a']\n",
        "backends/a.local.toml": "default_sdk = 'older'\n[m1]\ninputs = ['text']\n",
        ".secrets.toml": "[default.cogt.backends.a]\ndefault_headers = { x = ['1', { y = '2' }] }\n",
        "../.env": "PIPELEX_COGT__DECK__ALIASES__BEST=['m1']\n",
    },
    "env": "staging",
    "environ": {"PIPELEX_COGT__BACKENDS__B__REGION": "[['eu']]"},
    "overrides": {"models": {"a": {"m1": {"outputs": ("text",), "costs": {}}}}},
}


def test_settings_are_frozen_all_the_way_down(load: Load) -> None:
    manager = load(**EVERY_LAYER)
    tree, layers = deepcopy(manager.settings.tree), deepcopy(manager.settings.layers)
    assert {layer.origin.kind for layer in layers} == {*LayerKind} - {LayerKind.PACKAGED, LayerKind.SECRETS_DIRECTORY}
    assert_frozen(manager.settings.tree)
    assert_frozen(manager.settings.layers)
    for layer in layers:
        assert_frozen(layer.origin.older)
    assert (manager.settings.tree, manager.settings.layers) == (tree, layers)


def test_the_shipped_settings_are_frozen_all_the_way_down() -> None:
    settings_ = ModelManager.load(environ={}).settings
    containers = [*containers_in([settings_.tree, settings_.layers])]
    assert len(containers) > 1000
    assert {type(container) for container in containers[1:]} == {FrozenDict, FrozenList, Layer, tuple}


FIELDS = ["tree", "environment", "environments", "directories", "inference_config", "credentials", "layers", "new"]


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_of_settings_is_set(load: Load, name: str) -> None:
    settings_ = load().settings
    with pytest.raises(AttributeError):
        setattr(settings_, name, None)


def test_loads_may_run_side_by_side(shared: Path) -> None:
    names: list[str] = []

    def run(active: str) -> None:
        overrides = {"routing": {"active": active, "profiles": {active: {"default": "a"}}}}
        names.append(ModelManager.load(shared, environ={}, overrides=overrides).routing.active.name)

    threads = [threading.Thread(target=run, args=(f"profile {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == [f"profile {number}" for number in range(8)]


def test_settings_show_no_value_in_their_repr(load: Load) -> None:
    assert repr(load().settings) == f"Settings(environment='development', {len(load().settings.layers)} layers)"
