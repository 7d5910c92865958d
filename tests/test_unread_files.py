"""Unread files: whatever an application states in a file that nothing reads is told, with the name that comes near."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import Directories, ModelManager, SettingsError, Severity
from pipelex_cogt.config.directories import packaged_settings_dir
from pipelex_cogt.config.inference_config import InferenceConfig, default_paths
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.unread_files import warn_of_unread_files
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from tests.conftest import MINIMAL, Load, WriteTree

Told: TypeAlias = Callable[..., list[str]]
OURS = "[default.cogt]\n"
ONE_OF_OURS = "expected one of settings.toml, backends.toml, backends/, routing.toml, deck/"


@pytest.fixture
def told(load: Load, folder: Path) -> Told:
    """Load the minimal tree with other files beside its own, and return the warnings as text."""
    assert folder.is_dir()
    return lambda files, **arguments: unread(load(files, **arguments))


def unread(manager: ModelManager) -> list[str]:
    """The warnings of what is not read; a test's `.env` may have others, for its permissions."""
    return [text for text in map(str, manager.warnings) if "not read" in text]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("backend.toml", "did you mean 'backends.toml'?"),
        ("inference_backends.toml", "did you mean 'backends.toml'?"),
        ("backends.yaml", "did you mean 'backends.toml'?"),
        ("backends.locl.toml", "did you mean 'backends.local.toml'?"),
        ("routing_profiles.toml", "did you mean 'routing.toml'?"),
        ("settings.yaml", "did you mean 'settings.toml'?"),
        ("settings.yml", "did you mean 'settings.toml'?"),
        ("settings.json", "did you mean 'settings.toml'?"),
        ("settings.py", "did you mean 'settings.toml'?"),
        ("settings.toml.txt", "did you mean 'settings.toml'?"),
        ("settings.local.yaml", "did you mean 'settings.local.toml'?"),
        ("settings.production.toml", "write [production.cogt] in settings.toml"),
        ("settings.eu-west.toml", "write [eu-west.cogt] in settings.toml"),
        ("secrets.toml", "did you mean '.secrets.toml'?"),
        (".secret.toml", "did you mean '.secrets.toml'?"),
        (".secrets.local.toml", "did you mean '.secrets.toml'?"),
        ("backends.secrets.toml", "did you mean '.secrets.toml'?"),
        (".env", "variables are read from .env"),
        (".env.production", "variables are read from .env"),
        ("deck.toml", "did you mean 'deck/deck.toml'?"),
        ("aliases.toml", "did you mean 'deck/aliases.toml'?"),
        ("presets.toml", "did you mean 'deck/presets.toml'?"),
        ("choices.toml", "did you mean 'deck/choices.toml'?"),
        ("profiles.toml", "did you mean 'routing.toml'?"),
        ("local.toml", "did you mean 'settings.local.toml'?"),
        ("production.toml", "write [production.cogt] in settings.toml"),
        ("default.toml", "write [default.cogt] in settings.toml"),
        ("openai.toml", "did you mean 'backends/openai.toml'?"),
        ("settings.tml", "did you mean 'settings.toml'?"),
        ("backends.local.tom", "did you mean 'backends.local.toml'?"),
        (".secrets.yaml", "did you mean '.secrets.toml'?"),
        ("other.toml", ONE_OF_OURS),
        ("config.ini", ONE_OF_OURS),
        ("a b\u00e9.toml", ONE_OF_OURS),
    ],
)
def test_a_file_that_nothing_reads_is_told(told: Told, name: str, hint: str) -> None:
    assert told({name: "this is not read"}) == [f"settings/{name}: not read; {hint}"]


@pytest.mark.parametrize(
    ("name", "found", "hint"),
    [
        ("decks/x.toml", "decks", "did you mean 'deck'?"),
        ("llm_deck/deep/er/x.toml", "llm_deck", "did you mean 'deck'?"),
        ("model_specs/a.toml", "model_specs", "did you mean 'backends'?"),
        ("production/settings.toml", "production", ONE_OF_OURS),
        ("backends/sub/a.toml", "backends/sub", "move its files to settings/backends"),
        ("backends/a.yaml", "backends/a.yaml", "expected a TOML file, such as 'a.toml'"),
        ("backends/a.toml.txt", "backends/a.toml.txt", "expected a TOML file, such as 'a.toml'"),
        ("deck/deep/x.yml", "deck/deep/x.yml", "expected a TOML file, such as 'x.toml'"),
        ("deck/.local.toml", "deck/.local.toml", "expected a TOML file, such as 'mine.toml'"),
    ],
)
def test_what_lies_in_folders_is_told_where_it_belongs(told: Told, name: str, found: str, hint: str) -> None:
    assert told({name: "this is not read"}) == [f"settings/{found}: not read; {hint}"]


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "LICENSE", "notes.txt", ".gitignore", ".gitkeep", ".taplo.toml", "__init__.py", "load.py"),
        *(".DS_Store", "Thumbs.db", "settings.toml~", ".settings.toml.swp", "._settings.toml", "__pycache__/x.pyc"),
        *("settings.toml.bak", "settings.toml.orig", "settings.old.toml", ".env.example", "settings.example.toml"),
        *("docs/notes.md", "backends/notes.md", "backends/old/notes.md", "deck/notes.md", "deck/base.toml.bak"),
        *(
            "examples/a.toml",
            "Backup/settings.toml",
            "archive/x.toml",
            "samples/deck/x.toml",
            "backends/templates/a.toml",
        ),
        *(".pre-commit-config.yaml", ".yamllint.yml", ".markdownlint.json"),
        *(".idea/x.toml", "..2024/settings.toml", "deck/.ipynb_checkpoints/x.json", "backends/.git/config.ini"),
    ],
)
def test_what_states_nothing_is_left_in_peace(told: Told, name: str) -> None:
    assert told({name: "this is not read"}) == []


def test_an_editors_lock_is_left_in_peace(told: Told, write_tree: WriteTree) -> None:
    (write_tree({}) / "deck").mkdir(parents=True)
    (write_tree({}) / ".#settings.toml").symlink_to("somebody@somewhere.1234")
    assert told({}) == []


def test_every_file_that_is_read_is_not_told(told: Told) -> None:
    local = {f"{name}.local.toml": "" for name in ("settings", "backends", "routing", "backends/a", "deck/base")}
    assert told({**local, ".secrets.toml": OURS, "deck/.hidden.toml": "", "../.env": ""}) == []


def test_a_file_that_another_stands_in_for_is_told_with_the_key_that_says_so(told: Told) -> None:
    config = MINIMAL["settings.toml"] + "backends_library_path = 'b.toml'\nllm_deck_dir = 'presets/of/mine'\n"
    moved = {"b.toml": MINIMAL["backends.toml"], "presets/of/mine/x.toml": MINIMAL["deck/base.toml"]}
    found = told({"settings.toml": config, "backends.local.toml": "", **moved})
    assert found == [
        "settings/backends.local.toml: not read; cogt.inference_config.backends_library_path names settings/b.toml",
        "settings/backends.toml: not read; cogt.inference_config.backends_library_path names settings/b.toml",
        "settings/deck: not read; cogt.inference_config.llm_deck_dir names settings/presets/of/mine",
    ]


def test_what_lies_beside_a_file_that_is_named_is_told(told: Told) -> None:
    config = MINIMAL["settings.toml"] + "backends_library_path = 'providers/b.toml'\n"
    moved = {"providers/b.toml": MINIMAL["backends.toml"], "providers/c.toml": "", "providers/b.local.toml": ""}
    found = told({"settings.toml": config, **moved})
    assert [text.partition(":")[0] for text in found] == ["settings/backends.toml", "settings/providers/c.toml"]


def test_a_path_with_dots_names_the_same_file(told: Told) -> None:
    config = MINIMAL["settings.toml"] + "backends_library_path = '../settings/./backends.toml'\n"
    assert told({"settings.toml": config}) == []


@pytest.mark.parametrize("name", [".secrets.toml", "settings.toml", "settings.local.toml"])
def test_a_main_file_beside_the_settings_directory_is_told(told: Told, name: str) -> None:
    assert told({f"../{name}": OURS}) == [f"{name}: not read; did you mean 'settings/{name}'?"]


@pytest.mark.parametrize(
    ("name", "text"), [("backends.toml", "[a]\nenabled = false\n"), ("routing.toml", "active = 'all'\n")]
)
def test_a_library_file_beside_the_settings_directory_is_told(told: Told, name: str, text: str) -> None:
    assert told({f"../{name}": text}) == [f"{name}: not read; did you mean 'settings/{name}'?"]


@pytest.mark.parametrize("text", ["", "[servers.a]\nport = 80\n", "routes = [1]\n", "this is not TOML"])
def test_a_file_of_another_program_with_a_name_of_ours_is_not_told(told: Told, text: str) -> None:
    assert told({"../backends.toml": text, "../routing.toml": text}) == []


def test_a_library_file_beside_it_that_is_named_is_not_told(told: Told) -> None:
    config = MINIMAL["settings.toml"] + "routing_profile_library_path = '../routing.toml'\n"
    found = told({"settings.toml": config, "../routing.toml": MINIMAL["routing.toml"]})
    assert [text.partition(":")[0] for text in found] == ["settings/routing.toml"]


def test_a_main_file_of_another_program_beside_it_is_not_told(told: Told) -> None:
    assert told({"../settings.toml": "[default]\nDEBUG = true\n", "../.secrets.toml": "[default]\nx = 1\n"}) == []


def load_here() -> list[str]:
    return unread(ModelManager.load(environ={}))


def test_without_settings_of_its_own_misplaced_ones_are_told(write_tree: WriteTree, folder: Path) -> None:
    write_tree({"../settings.toml": OURS, "backend.toml": "", "decks/x.toml": ""})
    assert load_here() == [
        "settings.toml: not read; did you mean 'settings/settings.toml'?",
        "settings/backend.toml: not read; did you mean 'backends.toml'?",
        "settings/decks: not read; did you mean 'deck'?",
    ]
    write_tree({"../.git/HEAD": "", "../below/x": ""})
    os.chdir("below")
    assert [text.split(": ")[0] for text in load_here()] == [
        str(folder / name) for name in ("settings.toml", "settings/backend.toml", "settings/decks")
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "line", "header"),
    [
        ("[default.cgt.routing]\nactive = 'x'\n", 1, "[default.cogt.routing]"),
        ("[routing]\nactive = 'x'\n", 1, "[default.cogt.routing]"),
        ("[default]\nx = 1\n[staging.routing]\nactive = 'x'\n", 3, "[staging.cogt.routing]"),
        ("[deck.aliases]\nx = 'm1'\n", 1, "[default.cogt.deck]"),
        ("[llm_presets.q]\nllm_handle = 'm1'\n", 1, "[default.cogt.deck.llm_presets]"),
        ("[default.backends.openai]\napi_key = 'x'\n", 1, "[default.cogt.backends]"),
        ("[default]\nenabled_backends = ['openai']\n", 2, "[default.cogt.inference_config]"),
        ("missing_credentials = 'skip'\n", 1, "[default.cogt.inference_config]"),
    ],
)
@pytest.mark.parametrize("name", ["settings.toml", "settings.local.toml"])
def test_a_main_file_that_misses_cogt_alone_is_told_with_the_header_to_write(
    write_tree: WriteTree, folder: Path, name: str, text: str, line: int, header: str
) -> None:
    assert folder.is_dir()
    write_tree({name: text})
    assert load_here() == [f"settings/{name}:{line}: not read; write {header}"]


@pytest.mark.parametrize(
    "text",
    [
        "dynaconf_merge = true\n[default.routing]\nhost = 'x'\n[default.models]\nuser = 'a.b'\n",
        "[default.cost]\nper_hour = 3\n[backends]\ncache = 'redis'\n[deck]\n[profiles.me]\nname = 'x'\n",
        "[default]\naliases = ['x']\nactive = true\nname = 'recogtion'\n",
        "this is not TOML",
        "",
    ],
)
def test_a_main_file_of_another_program_is_left_in_peace(write_tree: WriteTree, folder: Path, text: str) -> None:
    assert folder.is_dir()
    write_tree({"settings.toml": text, ".secrets.toml": text})
    assert load_here() == []


@pytest.mark.parametrize("name", ["setting", "Settings", "settigns"])
def test_a_settings_directory_by_a_wrong_name_is_told(write_tree: WriteTree, folder: Path, name: str) -> None:
    write_tree({f"../{name}/settings.toml": OURS, "../.git/HEAD": "", "../below/x": ""})
    assert load_here() == [f"{name}: not read; did you mean 'settings'?"]
    os.chdir("below")
    assert load_here() == [f"{folder / name}: not read; did you mean '{folder / 'settings'}'?"]


def test_a_folder_by_nearly_the_same_name_outside_a_project_is_told_in_the_working_directory_alone(
    write_tree: WriteTree, folder: Path
) -> None:
    write_tree({"../settings0/settings.toml": OURS, "../below/x": ""})
    os.chdir(folder / "below")
    assert load_here() == []


def test_a_folder_by_nearly_the_same_name_that_holds_nothing_of_ours_is_not_told(
    write_tree: WriteTree, folder: Path
) -> None:
    assert folder.is_dir()
    write_tree({"../setting/base.py": "", "../Settings/settings.toml": "[default]\nx = 1\n"})
    assert load_here() == []


@pytest.mark.parametrize("marker", ["x", "notebooks/pyproject.toml"])
def test_the_nearest_settings_that_are_not_looked_for_are_told(
    write_tree: WriteTree, folder: Path, marker: str
) -> None:
    folder.chmod(0o777)
    write_tree({"backends.toml": "", "../notebooks/deep/x": "", f"../{marker}": "", "../../settings/routing.toml": ""})
    os.chdir(folder / "notebooks" / "deep")
    assert load_here() == [f"{folder / 'settings'}: not read; name it with PIPELEX_SETTINGS_DIR"]


def test_settings_of_another_program_are_left_in_peace(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    write_tree({"settings.toml": "[default]\nx = 1\n", "base.py": "", "other.toml": "", ".env": ""})
    assert load_here() == []


def test_in_the_root_of_a_project_only_what_comes_near_is_told(write_tree: WriteTree, folder: Path) -> None:
    others = ("pyproject.toml", "package.json", "tests/x.json", "docker-compose.yml", ".env.local", "uv.toml")
    write_tree({f"../{name}": "" for name in (*others, "routing.toml", "backend.toml", "settings/x.toml", ".env")})
    assert folder.is_dir()
    found = unread(ModelManager.load(".", environ={}))
    assert [text.partition(":")[0] for text in found] == ["backend.toml", "settings"]


def test_secrets_that_lie_in_the_settings_directory_are_read(told: Told) -> None:
    files = {"keys/A_KEY": "x", "keys/config.json": "{}"}
    assert told(files, environ={"PIPELEX_SECRETS_DIR": "settings/keys"}) == []


def test_packaged_settings_are_not_looked_through() -> None:
    assert load_here() == []


def test_the_packaged_settings_as_an_applications_own_hold_nothing_unread() -> None:
    manager = ModelManager.load(packaged_settings_dir(), environ={})
    assert unread(manager) == []


def test_a_failed_load_tells_what_was_not_read_too(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    write_tree({**MINIMAL, "backend.toml": "", "routing.toml": "active = 'gone'"})
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ={})
    warnings = [str(warning) for warning in caught.value.warnings]
    assert warnings == ["settings/backend.toml: not read; did you mean 'backends.toml'?"]


# Links, as Kubernetes mounts a ConfigMap


def test_settings_mounted_as_links_are_read_and_nothing_else_is_told(write_tree: WriteTree, folder: Path) -> None:
    write_tree({f"..2024/{name}": text for name, text in MINIMAL.items()})
    directory = folder / "settings"
    (directory / "..data").symlink_to("..2024")
    for name in {name.partition("/")[0] for name in MINIMAL}:
        (directory / name).symlink_to(Path("..data", name))
    assert load_here() == []
    assert ModelManager.load(environ={}).routing.active.name == "all"


def test_a_link_to_a_folder_in_the_deck_is_followed(write_tree: WriteTree, folder: Path) -> None:
    write_tree({**MINIMAL, "../shared/s.toml": "[aliases]\nshared = 'm1'\n", "../shared/x.yaml": ""})
    (folder / "settings" / "deck" / "team").symlink_to(folder / "shared")
    assert ModelManager.load(environ={}).deck.resolve("shared").model.name == "m1"
    assert load_here() == ["settings/deck/team/x.yaml: not read; expected a TOML file, such as 'x.toml'"]


@pytest.mark.parametrize("target", [".", "..", "../..", "deep"])
def test_a_link_that_leads_back_adds_nothing(write_tree: WriteTree, folder: Path, target: str) -> None:
    write_tree({**MINIMAL, "deck/deep/x.toml": "[aliases]\nx = 'm1'\n"})
    read = {layer.origin.name for layer in ModelManager.load(environ={}).settings.layers}
    (folder / "settings" / "deck" / "loop").symlink_to(target)
    assert {layer.origin.name for layer in ModelManager.load(environ={}).settings.layers} == read
    assert load_here() == []


def test_two_folders_that_lead_to_each_other_are_read_once(write_tree: WriteTree, folder: Path) -> None:
    write_tree({**MINIMAL, "../p/p.toml": "", "../q/q.toml": ""})
    (folder / "p" / "q").symlink_to(folder / "q")
    (folder / "q" / "p").symlink_to(folder / "p")
    (folder / "settings" / "deck" / "p").symlink_to(folder / "p")
    names = [layer.origin.name for layer in ModelManager.load(environ={}).settings.layers]
    assert [name for name in names if name.endswith(("/p.toml", "/q.toml"))] == [
        "settings/deck/p/p.toml",
        "settings/deck/p/q/q.toml",
    ]


NAMES = st.text(min_size=1, max_size=60).filter(lambda name: not {*name} & {"/", "\0"} and name not in (".", ".."))


@pytest.mark.slow
@given(
    stem=NAMES,
    suffix=st.sampled_from(["", ".toml", ".yaml", ".local.toml", ".toml.txt", ".md"]),
    is_folder=st.booleans(),
)
def test_whatever_something_is_called_it_is_told_once_at_most(stem: str, suffix: str, is_folder: bool) -> None:  # noqa: FBT001 -- because: hypothesis calls it by name
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, f"{stem}{suffix}", *(["x.toml"] if is_folder else []))
        path.parent.mkdir(exist_ok=True)
        path.touch()
        report = ProblemReport()
        directories = Directories(packaged_settings_dir(), Path(name), Path(name), None, ())
        config = InferenceConfig.model_validate(default_paths(Path(name)))
        warn_of_unread_files(directories, config, SETTINGS_SCHEMA, report)
        told = [problem for problem in report.problems(Severity.WARNING) if problem.file]
        assert len(told) <= 1
        assert all(str(problem).isprintable() for problem in told)


@pytest.mark.slow
def test_a_folder_of_many_other_files_is_left_in_peace(told: Told) -> None:
    images = {f"images/{number:04}.png": "" for number in range(1000)}
    assert told({**images, "images/0/x.toml": ""}) == []


@pytest.mark.slow
def test_a_thousand_files_are_each_told_once(write_tree: WriteTree, folder: Path) -> None:
    assert folder.is_dir()
    files = {f"deck/{number % 20}/{number}.yaml": "" for number in range(1000)}
    write_tree({**MINIMAL, **files, **{f"{number}.ini": "" for number in range(200)}})
    assert len(load_here()) == 1200
