"""The library of routing profiles: a read-only mapping, of which one is active and any may be asked."""

import copy
from typing import Any

import pytest

from pipelex_cogt import RoutingProfile, RoutingProfileLibrary, UnknownNameError
from tests.conftest import Load

TWO_PROFILES = """
    active = "ok"
    [profiles.ok]
    fallback_order = ["a", "b"]
    [profiles.x]
    default = "a"
"""


@pytest.fixture
def library(load: Load) -> RoutingProfileLibrary:
    return load({"routing.toml": TWO_PROFILES}).routing


def test_the_library_is_a_mapping(library: RoutingProfileLibrary) -> None:
    assert list(library) == ["ok", "x"]
    assert len(library) == 2
    assert "x" in library
    assert library["x"].default == "a"
    assert library.get("y") is None


def test_one_profile_is_active(library: RoutingProfileLibrary) -> None:
    assert library.active is library["ok"]


def test_a_required_profile_comes_with_near_names(load: Load) -> None:
    library = load().routing
    assert library.get_required("all").name == "all"
    with pytest.raises(UnknownNameError, match="no routing profile is called 'al'; did you mean 'all'"):
        library.get_required("al")


def test_a_decision_may_be_asked_of_any_profile(library: RoutingProfileLibrary) -> None:
    assert library.decide("only-b").backend == "b"
    decision = library.decide("only-b", profile="x")
    assert (decision.backend, decision.reason) == (None, "default names 'a': does not serve the model")
    with pytest.raises(UnknownNameError):
        library.decide("only-b", profile="y")


def test_a_decision_about_an_unknown_model_is_an_answer(library: RoutingProfileLibrary) -> None:
    assert library.decide("nobody-knows-it").backend is None


def test_the_library_is_read_only(library: RoutingProfileLibrary) -> None:
    for mapping in (library, library.profiles):
        writable: Any = mapping
        with pytest.raises(TypeError):
            writable["y"] = RoutingProfile(name="y")
    field = "active"
    with pytest.raises(AttributeError):
        setattr(library, field, library["x"])


def test_a_library_may_be_copied(library: RoutingProfileLibrary) -> None:
    assert copy.copy(library).active == library.active
