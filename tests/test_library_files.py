"""The library files: which are read, in which order, and what they state."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pipelex_cogt import ModelManager, SettingsError
from pipelex_cogt.config.directories import packaged_settings_dir
from pipelex_cogt.config.toml_files import parse_once
from tests.conftest import MINIMAL, Load, WriteTree, dedent

Problems: TypeAlias = Callable[..., list[str]]


def deck_file(text: str) -> str:
    return f"[llm_presets.p]\ndescription = '{text}'\n"


def described(manager: ModelManager) -> str | None:
    return manager.deck.llm_presets["p"].description


def file_names(manager: ModelManager) -> list[str]:
    """The files of a load, lowest first, relative to the settings directory."""
    root = manager.settings.directories.application
    assert root is not None
    paths = [layer.origin.file.path for layer in manager.settings.layers if layer.origin.file is not None]
    return [path.relative_to(root).as_posix() for path in paths]


def test_every_file_has_its_part_of_the_tree(load: Load) -> None:
    tree = load().settings.tree
    assert set(tree["backends"]) == {"a", "b", "off"}
    assert set(tree["models"]["b"]) == {"defaults", "m1", "only-b", "dot.ted"}
    assert tree["routing"]["active"] == "all"
    assert tree["deck"]["aliases"] == {"best": ["m1", "only-b"]}


def test_the_deck_is_read_recursively_sorted_by_path(load: Load) -> None:
    names = ["deck/zz.toml", "deck/z/late.toml", "deck/z-x.toml", "deck/z/deep/er.toml", "deck/Z.toml", "deck/z.toml"]
    manager = load(dict.fromkeys(names, deck_file("x")))
    read = [name for name in file_names(manager) if name.startswith("deck/")]
    assert read == sorted(["deck/base.toml", *names])


@pytest.mark.parametrize(
    ("names", "last"),
    [
        (["deck/x.toml", "deck/y.toml"], "deck/y.toml"),
        (["deck/x/1.toml", "deck/x/2/1.toml"], "deck/x/2/1.toml"),
        (["deck/x/9.toml", "deck/y.toml"], "deck/y.toml"),
    ],
)
def test_the_last_file_of_the_deck_wins(load: Load, names: list[str], last: str) -> None:
    assert described(load({name: deck_file(name) for name in reversed(names)})) == last


@pytest.mark.parametrize("name", ["deck/base.toml.bak", "deck/notes.txt", "deck/x.TOML.swp", "backends/a.toml~"])
def test_other_files_are_not_read(load: Load, name: str) -> None:
    assert load({name: "this is not TOML"}).warnings == ()


def test_files_of_backends_are_not_read_recursively(load: Load) -> None:
    (warning,) = load({"backends/old/a.toml": "this is not TOML"}).warnings
    assert warning.problem == "not read"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("backends.toml", "[backends.c]", "cogt.backends: expected [c], found [backends.c]"),
        ("backends.toml", "[cogt.backends.c]", "cogt.backends: expected [c], found [cogt.backends.c]"),
        ("backends.toml", "[default.cogt.backends.c]", "cogt.backends: expected [c], found [default.cogt.backends.c]"),
        ("backends/a.toml", "[models.m]", "cogt.models.a: expected [m], found [models.m]"),
        (
            "backends/a.toml",
            '[cogt.models.a."m.1"]',
            'cogt.models.a: expected ["m.1"], found [cogt.models.a."m.1"]',
        ),
        (
            "routing.toml",
            "[cogt.routing]\nactive = 'x'",
            "cogt.routing: expected keys without a header, found [cogt.routing]",
        ),
        ("deck/x.toml", "[deck.aliases]\nx = 'm1'", "cogt.deck: expected [aliases], found [deck.aliases]"),
    ],
)
def test_a_table_does_not_repeat_what_its_file_stands_for(problems: Problems, name: str, text: str, found: str) -> None:
    path, _, _ = found.partition(":")
    assert problems({name: text}) == [f"{name}:1  {found}; the file stands for {path} already"]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("[production.cogt.backends.a]\nenabled = false", "[production.cogt.backends.a]"),
        ("[default.cogt.inference_config]\nenabled_backends = []", "[default.cogt.inference_config]"),
        ("[cogt]", "[cogt]"),
    ],
)
def test_a_table_of_the_main_file_is_told_in_a_library_file(problems: Problems, text: str, table: str) -> None:
    found = problems({"backends.local.toml": text})
    assert found == [f"backends.local.toml:1  cogt.backends: {table} is a table of settings.toml; move it there"]


def test_a_backend_or_a_model_may_be_called_like_a_section(load: Load) -> None:
    files = {
        "backends.toml": MINIMAL["backends.toml"] + '\n[backends]\ndisplay_name = "x"\n',
        "backends/backends.toml": "[models]\nsdk = 's'\n",
    }
    assert list(load(files).backends["backends"].model_specs) == ["models"]


def test_a_backends_name_is_its_files_name(load: Load) -> None:
    files = {"backends.toml": MINIMAL["backends.toml"] + '\n["x.y-Z"]\n', "backends/x.y-Z.toml": "[m]\nsdk = 's'\n"}
    assert list(load(files).backends["x.y-Z"].model_specs) == ["m"]


LOCAL_FILES = {
    "backends.local.toml": "[a]\ndisplay_name = 'mine'\n",
    "backends/a.local.toml": "[m1]\ndescription = 'mine'\n",
    "routing.local.toml": "[profiles.all]\ndescription = 'mine'\n",
    "deck/base.local.toml": deck_file("mine"),
    "deck/a/only.local.toml": "[llm_presets.q]\nllm_handle = 'm1'\n",
}


def test_local_files_lie_beside_any_file(load: Load) -> None:
    manager = load(LOCAL_FILES)
    assert manager.backends["a"].display_name == "mine"
    assert manager.backends["a"].model_specs["m1"].description == "mine"
    assert manager.routing.active.description == "mine"
    assert described(manager) == "mine"
    assert manager.deck.llm_presets["q"].llm_handle == "m1"


def test_local_files_state_only_what_differs(load: Load) -> None:
    spec = load(LOCAL_FILES).backends["a"].model_specs["m1"]
    assert (spec.max_tokens, spec.sdk) == (1000, "sdk_a")


def test_a_local_file_needs_no_file_beside_it(load: Load) -> None:
    files = {"backends.local.toml": "[c]\n", "backends/c.local.toml": "[m]\nsdk = 's'\n"}
    assert "m" in load(files).backends["c"].model_specs


def test_a_local_file_is_not_another_backend(load: Load) -> None:
    assert set(load(LOCAL_FILES).settings.tree["models"]) == {"a", "b", "off"}


def test_an_empty_file_states_nothing(load: Load) -> None:
    assert load({"deck/empty.toml": "", "backends.local.toml": ""}).deck.inference_models


def faults(load: Load, files: dict[str, str]) -> list[tuple[int | None, str, str]]:
    """The line, key path and problem of every fault, with paths relative to the settings directory."""
    with pytest.raises(SettingsError) as caught:
        load(files)
    found = [(problem.line, problem.path, problem.problem) for problem in caught.value.problems]
    return [(line, path, re.sub(r"/\S*/settings/", "", problem)) for line, path, problem in found]


OTHER_NAMES = {
    "backends_library_path": "providers/all.toml",
    "model_specs_dir": "providers/models",
    "routing_profile_library_path": "routing_profiles.toml",
    "llm_deck_dir": "../deck elsewhere",
}


def under_other_names() -> dict[str, str]:
    moved = {
        "backends.toml": "providers/all.toml",
        "backends/a.toml": "providers/models/a.toml",
        "backends/b.toml": "providers/models/b.toml",
        "backends/off.toml": "providers/models/off.toml",
        "routing.toml": "routing_profiles.toml",
        "deck/base.toml": "../deck elsewhere/x.toml",
    }
    return {new: MINIMAL[old] for old, new in moved.items()}


def stated(paths: dict[str, str]) -> str:
    return "[default.cogt.inference_config]\nuse_packaged_settings = false\n" + "".join(
        f"{key} = '{path}'\n" for key, path in paths.items()
    )


def test_files_may_have_other_names(write_tree: WriteTree) -> None:
    directory = write_tree({**under_other_names(), "settings.toml": stated(OTHER_NAMES)})
    manager = ModelManager.load(directory, environ={})
    assert set(manager.deck.inference_models) == {"m1", "only-a", "only-b", "dot.ted"}
    assert manager.settings.inference_config.model_specs_path("a") == directory / "providers/models/a.toml"
    assert [path.name for path in manager.settings.inference_config.get_llm_deck_paths()] == ["x.toml"]


def test_files_with_other_names_have_local_files(write_tree: WriteTree) -> None:
    local = {
        "providers/all.local.toml": "[a]\ndisplay_name = 'mine'\n",
        "routing_profiles.local.toml": "[profiles.all]\ndescription = 'mine'\n",
    }
    directory = write_tree({**under_other_names(), **local, "settings.toml": stated(OTHER_NAMES)})
    manager = ModelManager.load(directory, environ={})
    assert (manager.backends["a"].display_name, manager.routing.active.description) == ("mine", "mine")


def test_files_with_other_names_work_without_a_main_file(write_tree: WriteTree) -> None:
    directory = write_tree(under_other_names())
    config = {**OTHER_NAMES, "use_packaged_settings": False}
    manager = ModelManager.load(directory, environ={}, overrides={"inference_config": config})
    assert set(manager.deck.inference_models) == {"m1", "only-a", "only-b", "dot.ted"}


def test_variables_may_name_the_files(write_tree: WriteTree) -> None:
    directory = write_tree(under_other_names())
    prefix = "PIPELEX_COGT__INFERENCE_CONFIG__"
    environ = {f"{prefix}{key.upper()}": path for key, path in OTHER_NAMES.items()}
    manager = ModelManager.load(directory, environ={**environ, f"{prefix}USE_PACKAGED_SETTINGS": "false"})
    assert set(manager.deck.inference_models) == {"m1", "only-a", "only-b", "dot.ted"}


@pytest.mark.parametrize("name", ["settings.toml", "settings.local.toml", ".secrets.toml"])
def test_paths_are_relative_to_the_file_that_states_them(load: Load, name: str) -> None:
    manager = load(
        {"other.toml": MINIMAL["routing.toml"], name: stated({"routing_profile_library_path": "other.toml"})}
    )
    directory = manager.settings.directories.application
    assert directory is not None
    assert manager.settings.inference_config.routing_profile_library_path == directory / "other.toml"


def test_a_path_may_be_absolute(load: Load, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(dedent(MINIMAL["routing.toml"]), encoding="utf-8")
    manager = load({"routing.toml": "broken", "settings.toml": stated({"routing_profile_library_path": str(other)})})
    assert manager.routing.active.name == "all"


def test_an_environment_may_name_other_files(load: Load) -> None:
    production = "[production.cogt.inference_config]\nrouting_profile_library_path = 'production.toml'\n"
    files = {
        "settings.toml": stated({}) + production,
        "production.toml": "active = 'only_b'\n[profiles.only_b]\ndefault = 'b'\n",
    }
    assert load(files, env="production").routing.active.name == "only_b"
    assert load(files).routing.active.name == "all"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("backends_library_path", "file"),
        ("model_specs_dir", "directory"),
        ("routing_profile_library_path", "file"),
        ("llm_deck_dir", "directory"),
    ],
)
def test_what_is_named_must_exist(load: Load, key: str, kind: str) -> None:
    assert faults(load, {"settings.toml": stated({key: "gone"})}) == [
        (3, f"cogt.inference_config.{key}", f"expected a {kind} at gone, found nothing")
    ]


@pytest.mark.parametrize("key", ["model_specs_dir", "llm_deck_dir"])
def test_a_file_named_as_a_directory_is_an_error(load: Load, key: str) -> None:
    assert faults(load, {"settings.toml": stated({key: "routing.toml"})}) == [
        (3, f"cogt.inference_config.{key}", "expected a directory at routing.toml, found a file")
    ]


def test_a_directory_named_as_a_file_is_an_error(problems: Problems) -> None:
    found = problems({"settings.toml": stated({"routing_profile_library_path": "deck"})})
    assert found == ["deck  cogt.routing: expected a TOML file, found a directory"]


# What is missing where the application starts from nothing

STARTS_FROM_NOTHING = "use_packaged_settings = false starts from nothing"
MISSING = {
    "backends": f"backends  cogt.models: expected a directory of TOML files, found nothing here; {STARTS_FROM_NOTHING}",
    "backends.toml": f"backends.toml  cogt.backends: expected a TOML file, found nothing here; {STARTS_FROM_NOTHING}",
    "deck": f"deck  cogt.deck: expected a directory of TOML files, found nothing here; {STARTS_FROM_NOTHING}",
    "routing.toml": f"routing.toml  cogt.routing: expected a TOML file, found nothing here; {STARTS_FROM_NOTHING}",
}
Without: TypeAlias = Callable[..., list[str]]


@pytest.fixture
def without(write_tree: WriteTree, folder: Path) -> Without:
    """Load the minimal tree without some of its files, expect it to fail, and return the problems as text."""

    def load_without(*names: str, files: dict[str, str] | None = None, **arguments: Any) -> list[str]:
        kept = {name: text for name, text in MINIMAL.items() if not name.startswith(names)}
        write_tree({**kept, **(files or {})})
        assert folder.is_dir()
        with pytest.raises(SettingsError) as caught:
            ModelManager.load(environ={}, **arguments)
        return [str(problem).replace("settings/", "") for problem in caught.value.problems]

    return load_without


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["backends.toml"], ["backends.toml"]),
        (["backends/"], ["backends"]),
        (["routing"], ["routing.toml"]),
        (["deck"], ["deck"]),
        (["backends", "deck"], ["backends", "backends.toml", "deck"]),
        (["backends", "routing", "deck"], ["backends", "backends.toml", "deck", "routing.toml"]),
    ],
)
def test_a_missing_file_is_named_with_where_it_was_expected(
    without: Without, names: list[str], missing: list[str]
) -> None:
    assert without(*names) == [MISSING[name] for name in missing]


def test_a_missing_file_is_named_with_the_one_that_comes_near(without: Without) -> None:
    files = {"backend.toml": MINIMAL["backends.toml"]}
    assert without("backends.toml", files=files) == [
        "backends.toml  cogt.backends: expected a TOML file, found nothing here; did you mean 'backend.toml'?"
    ]


def test_a_directory_without_files_is_named(without: Without) -> None:
    Path("settings/deck").mkdir(parents=True)
    assert without("deck", files={"deck/notes.md": ""}) == [MISSING["deck"].replace("nothing here", "none in it")]


def test_a_file_of_models_that_is_missing_is_named(without: Without) -> None:
    assert without("backends/a.toml") == [
        "backends.toml:1  cogt.backends.a: no file states its models; expected them in backends/a.toml"
    ]


def test_without_any_directory_the_usual_one_is_named(folder: Path) -> None:
    assert folder.is_dir()
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ={"PIPELEX_COGT__INFERENCE_CONFIG__USE_PACKAGED_SETTINGS": "false"})
    assert [str(problem).replace("settings/", "") for problem in caught.value.problems] == [*MISSING.values()]


def test_a_part_that_another_layer_states_needs_no_file(write_tree: WriteTree, folder: Path) -> None:
    routing = {"active": "all", "profiles": {"all": {"fallback_order": ["a", "b"]}}}
    write_tree({name: text for name, text in MINIMAL.items() if name != "routing.toml"})
    assert folder.is_dir()
    assert ModelManager.load(environ={}, overrides={"routing": routing}).deck.inference_models
    main = MINIMAL["settings.toml"] + "[default.cogt.routing]\nactive = 'x'\nprofiles.x.default = 'a'\n"
    write_tree({"settings.toml": main})
    assert ModelManager.load(environ={}).routing.active.name == "x"


def test_what_a_broken_file_would_state_is_not_missed_again(problems: Problems) -> None:
    assert problems({"routing.toml": "active = "}) == [
        "routing.toml:1  cogt.routing: not valid TOML: expected a value behind =; write one, or leave the key out"
    ]


@pytest.mark.parametrize(
    "name", ["deck/._base.toml", "deck/.ipynb_checkpoints/base-checkpoint.toml", "deck/..2024/x.toml"]
)
def test_what_editors_and_file_systems_leave_is_not_read(load: Load, name: str) -> None:
    assert load({name: "this is not TOML"}).warnings == ()


def test_an_editors_lock_is_not_read(load: Load, write_tree: WriteTree) -> None:
    deck = write_tree({"deck/base.toml": ""}) / "deck"
    (deck / ".#base.toml").symlink_to("somebody@somewhere.1234")
    assert load().warnings == ()


def test_loads_share_what_packaged_files_state_and_leave_it_as_it_is(write_tree: WriteTree) -> None:
    shipped = [path.read_text(encoding="utf-8") for path in packaged_settings_dir().rglob("*.toml")]
    over_it = {
        "settings.toml": '[default.cogt.models.openai."gpt-4.1"]\nmax_tokens = 5\ncosts = { input = 1 }\n',
        "backends.toml": '[mine]\nmodels_like = "openai"\nendpoint = "https://mine.example.com"\n',
        "backends/openai.toml": "[defaults]\ntools = true\n",
        "deck/mine.toml": '[aliases]\ncode = ["...", "mine"]\nmine = "gpt-4.1"\n',
        ".secrets.toml": '[default.cogt.backends.openai]\napi_key = "sk-1"\nheaders = { x-a = "b" }\n',
    }
    assert ModelManager.load(write_tree(over_it), environ={}).deck.chain("mine")
    assert ModelManager.load(environ={}).explain("smart").values
    read = [text for text in shipped if parse_once(text) == tomllib.loads(text)]
    assert read == shipped
    assert parse_once(shipped[0]) is parse_once(shipped[0])
