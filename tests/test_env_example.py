"""`.env.example` is what `pipelex-cogt env --example` writes for the shipped settings."""

from __future__ import annotations

from pathlib import Path

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.env import format_example
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import references_in

EXAMPLE = (Path(__file__).parents[1] / ".env.example").read_text(encoding="utf-8")


def test_the_shipped_file_is_what_the_command_writes() -> None:
    assert format_example(ModelManager.load(environ={}, checks_credentials=False)) == EXAMPLE


def test_it_lists_every_variable_that_the_shipped_settings_reference() -> None:
    backends = ModelManager.load(environ={}).backends.enabled.values()
    texts = [plain_text(stated) for backend in backends for _, stated in backend.referenced_settings()]
    names = {name.name for text in texts for reference in references_in(text) for name in reference.names}
    assert len(names) >= 12
    assert {name for name in names if f"\n{name}=" not in EXAMPLE and f"\n# {name}=" not in EXAMPLE} == set()
