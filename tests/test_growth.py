"""Nothing grows faster than n log n: what a load does is counted in calls, for some of anything and for twice as many.

Calls are the same on every machine; `python -m tests.benchmarks.exponents` takes the time of ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelex_cogt import SettingsError
from tests.benchmarks.dimensions import DIMENSIONS, Dimension, Tree
from tests.conftest import steps

SIZE = 64
MOST = 2.45
"""How much more twice as many may take: n log n has 2.33 here, and a tenth of it is what small sizes round."""
VARIANTS = [
    (name, variant)
    for name, dimension in DIMENSIONS.items()
    for variant in ("sound", "faulty")
    if variant == "sound" or dimension.faulty
]

# Of patterns that no model takes although all match all, each is told with every route that decides before it.
STEEP = ("patterns that match all", "faulty")
FAILS = pytest.mark.xfail(reason="grows with the square of the patterns", strict=True)
GROWING = [pytest.param(*each, marks=FAILS if each == STEEP else ()) for each in VARIANTS]


def built(dimension: Dimension, variant: str, size: int) -> Tree:
    build = (dimension.faulty or dimension.sound) if variant == "faulty" else dimension.sound
    return build(size)


def tell(tree: Tree, directory: Path) -> list[str]:
    """What a load has to say."""
    try:
        return [*map(str, tree.load(directory).warnings)]
    except SettingsError as error:
        return [*map(str, error.problems)]


@pytest.fixture
def counted(tmp_path: Path) -> Callable[[Dimension, str, int], int]:
    def count(dimension: Dimension, variant: str, size: int) -> int:
        tree, directory = built(dimension, variant, size), tmp_path / str(size) / "settings"
        tree.write(directory)
        if dimension.ask is None:
            return steps(lambda: tell(tree, directory))
        ask, manager = dimension.ask, tree.load(directory)
        return steps(lambda: ask(manager))

    return count


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), GROWING)
def test_twice_as_many_take_twice_the_work(
    counted: Callable[[Dimension, str, int], int], name: str, variant: str
) -> None:
    dimension = DIMENSIONS[name]
    # The first one imports what it needs, and its work is no part of the growth.
    counted(dimension, variant, 1)
    least, some, twice = (counted(dimension, variant, size) for size in (2, SIZE, 2 * SIZE))
    # What hardly grows is left alone: a few calls more or less are no growth.
    assert twice - least <= max(MOST * (some - least), SIZE)


TELLS = {"backends like others, in a line", "backends like one"}
"""Where sound settings have warnings too: of backends to which nothing leads."""
SILENT = {"backends without keys", "backends, disabled"}
"""Where what may be wrong is none of a person's faults."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_only_what_is_faulty_has_faults(tmp_path: Path, name: str, variant: str) -> None:
    tree = built(DIMENSIONS[name], variant, 6)
    tree.write(tmp_path / "settings")
    told = tell(tree, tmp_path / "settings")
    assert bool(told) == ((variant == "faulty" and name not in SILENT) or name in TELLS), told
