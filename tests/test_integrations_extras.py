"""SDKs are imported when they are needed, and one that is missing is told with the extra that brings it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelex_cogt.errors import MissingExtraError
from pipelex_cogt.integrations.extras import import_sdk


@pytest.mark.parametrize("module", ["no_such_sdk", "no_such_sdk.part"])
def test_a_missing_sdk_is_told_with_the_way_to_install_it(module: str) -> None:
    with pytest.raises(MissingExtraError) as caught:
        import_sdk(module, "some")
    assert str(caught.value) == f'{module} is not installed; run pip install "pipelex-cogt[some]"'
    assert isinstance(caught.value, ImportError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_what_an_sdk_itself_lacks_is_its_own_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_sdk.py").write_text("import what_it_needs", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="what_it_needs") as caught:
        import_sdk("broken_sdk", "some")
    assert not isinstance(caught.value, MissingExtraError)


def test_an_sdk_that_is_there_is_imported() -> None:
    assert import_sdk("os.path", "some").sep
