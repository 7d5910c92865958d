"""The library of backends: a read-only mapping that knows which are in use, and why one is not."""

from typing import Any

import pytest

from pipelex_cogt import BackendDisabledError, InferenceBackendLibrary, UnknownNameError
from tests.conftest import Load


@pytest.fixture
def library(load: Load) -> InferenceBackendLibrary:
    return load().backends


def test_the_library_is_a_mapping_of_every_backend(library: InferenceBackendLibrary) -> None:
    assert list(library) == ["a", "b", "off"]
    assert len(library) == 3
    assert "off" in library
    assert library["a"].name == "a"
    assert library.get("nope") is None


def test_enabled_holds_the_backends_in_use(library: InferenceBackendLibrary) -> None:
    assert list(library.enabled) == ["a", "b"]


def test_known_models_are_those_of_every_file(library: InferenceBackendLibrary) -> None:
    assert dict(library.known_models) == {
        "m1": ("a", "b"),
        "only-a": ("a",),
        "only-b": ("b",),
        "dot.ted": ("b",),
        "m-off": ("off",),
    }


def test_the_library_is_read_only(library: InferenceBackendLibrary) -> None:
    for mapping in (library, library.backends, library.enabled, library.known_models, library.hidden_models):
        writable: Any = mapping
        with pytest.raises(TypeError):
            writable["x"] = None
    field = "backends"
    with pytest.raises(AttributeError):
        setattr(library, field, {})


def test_a_required_backend_is_in_use(load: Load) -> None:
    assert load().get_required_inference_backend("a").enabled


def test_an_unknown_backend_comes_with_near_names(load: Load) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load().get_required_inference_backend("of")
    assert (caught.value.name, caught.value.kind, caught.value.suggestions) == ("of", "backend", ("off",))
    assert str(caught.value) == "no backend is called 'of'; did you mean 'off'?"


def test_a_disabled_backend_is_another_answer(load: Load) -> None:
    with pytest.raises(BackendDisabledError) as caught:
        load().get_required_inference_backend("off")
    assert (caught.value.name, caught.value.backends) == ("off", ("off",))
