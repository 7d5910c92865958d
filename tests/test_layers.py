"""Layers: their order in words, and on which line of its own file or variable each states a value."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import prefixes
from pipelex_cogt.config.layers import Layer, LayerIndex, LayerKind, Origin, SourceFile
from pipelex_cogt.config.tables import has_value
from tests.conftest import steps

KEYS = st.sampled_from(["a", "b", "0", "1"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["ab", 1, True]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=8,
)


def test_a_layers_repr_holds_no_value() -> None:
    assert "canary" not in repr(Layer(Origin(LayerKind.DOTENV, "X"), {"a": "canary"}))


def test_every_layer_has_its_name_in_words() -> None:
    labels = [kind.label for kind in sorted(LayerKind)]
    assert len(set(labels)) == len(labels)
    assert labels[0] == "packaged settings"
    assert labels[-1] == "overrides given in code"


def test_a_variable_is_the_place_of_what_it_states() -> None:
    place = Origin(LayerKind.PROCESS_ENVIRONMENT, "PIPELEX_COGT__ROUTING__ACTIVE").place(("routing", "active"))
    assert str(place) == "PIPELEX_COGT__ROUTING__ACTIVE"


def write(path: Path, text: str) -> SourceFile:
    path.write_text(text, encoding="utf-8")
    return SourceFile.of(path, path.name, path.read_bytes())


def test_a_key_path_reads_otherwise_in_a_library_file(tmp_path: Path) -> None:
    file = write(tmp_path / "openai.toml", '["gpt-4.1"]\nmax_tokens = 1\n')
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    assert str(origin.place(("models", "openai", "gpt-4.1", "max_tokens"))) == "openai.toml:2"


def test_a_key_path_reads_otherwise_in_the_main_file(tmp_path: Path) -> None:
    file = write(tmp_path / "settings.toml", "\n[production.cogt.routing]\nactive = 'x'\n")
    origin = Origin(LayerKind.ENVIRONMENT, "settings.toml", file, "production", file_prefix=("production", "cogt"))
    assert str(origin.place(("routing", "active"))) == "settings.toml:3"


def test_what_a_file_does_not_state_is_placed_at_the_nearest_table(tmp_path: Path) -> None:
    file = write(tmp_path / "openai.toml", "\n[m]\nsdk = 'x'\n")
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    assert str(origin.place(("models", "openai", "m", "costs", "input"))) == "openai.toml:2"
    assert str(origin.place(("models", "openai", "other"))) == "openai.toml"


def test_a_file_that_changed_since_it_was_read_is_said_to_have(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    file = write(path, "active = 'x'\n")
    path.write_text("\n\nactive = 'x'\n", encoding="utf-8")
    # The size and the times of a file may stay as they were; what it says does not.
    place = Origin(LayerKind.APPLICATION, "routing.toml", file, tree_prefix=("routing",)).place(("routing", "active"))
    assert (str(place), place.line) == ("routing.toml (changed since it was read)", None)


def test_a_file_that_has_gone_is_still_named(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    file = write(path, "active = 'x'\n")
    path.unlink()
    place = Origin(LayerKind.APPLICATION, "routing.toml", file, tree_prefix=("routing",)).place(("routing", "active"))
    assert (str(place), place.name) == ("routing.toml (changed since it was read)", "routing.toml")


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=4), st.lists(KEYS | st.integers(0, 2), max_size=4))
def test_an_index_finds_the_layers_that_state_a_key_path(tables: list[Any], keys: list[str | int]) -> None:
    layers, path = [Layer(Origin(LayerKind.LOCAL, "some"), table) for table in tables], tuple(keys)
    index = LayerIndex(zip(layers, layers, strict=True))
    stating = [layer for layer in layers if has_value(layer, path)]
    assert [*map(id, index.stating(path))] == [*map(id, stating)]
    stated = [place for place in prefixes(path) if any(has_value(layer, place) for layer in layers)]
    assert index.nearest(path)[0] == (stated[-1] if stated else ())


def test_to_find_what_each_of_many_layers_states_takes_as_much_for_each() -> None:
    def look(count: int) -> None:
        layers = [Layer(Origin(LayerKind.LOCAL, "some"), {"deck": {f"a{number}": 1}}) for number in range(count)]
        index = LayerIndex(zip(layers, layers, strict=True))
        assert all(index.stating(("deck", f"a{number}")) == [layer] for number, layer in enumerate(layers))

    assert steps(lambda: look(400)) < 5 * steps(lambda: look(100))
