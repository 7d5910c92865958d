"""`pipelex-cogt diff A B`: what differs for a caller between two environments, or two routing profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelex_cogt.models.difference import Difference, find_differences
from pipelex_cogt.models.model_manager import ModelManager


def diff_decks(
    before: str, after: str, env: str | None, settings_dir: Path | None, *, is_profile: bool
) -> list[Difference]:
    """What differs between two environments, or two routing profiles in one; no credential is asked for."""
    decks = []
    for name in (before, after):
        chosen, overrides = (env, {"routing": {"active": name}}) if is_profile else (name, None)
        decks.append(ModelManager.load(settings_dir, chosen, overrides=overrides, checks_credentials=False).deck)
    return find_differences(*decks)


def describe_differences(differences: list[Difference]) -> list[dict[str, Any]]:
    """The differences as data that JSON can hold."""
    return [asdict(difference) for difference in differences]


def print_differences(differences: list[Mapping[str, Any]], console: Console) -> None:
    """Print what `describe_differences` found."""
    for difference in differences:
        console.print(_line(difference))
    if not differences:
        console.print("no differences")


def _line(difference: Mapping[str, Any]) -> str:
    named = f"{difference['kind']} {difference['name']}"
    if difference["field"] is not None:
        return f"~ {named}  {difference['field']}: {_shown(difference['before'])} -> {_shown(difference['after'])}"
    if difference["after"] is None:
        return f"- {named}  {_shown(difference['before'])}"
    return f"+ {named}  {_shown(difference['after'])}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "-" if value is None else str(value)
