"""`pipelex-cogt diff A B`: what differs for a caller between two environments, or two routing profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelex_cogt.models.difference import Difference, find_differences
from pipelex_cogt.models.model_manager import ModelManager


def diff_decks(sides: Iterable[str], env: str | None, settings_dir: Path | None, is_profile: bool) -> list[Difference]:
    """What differs between two environments, or two routing profiles in one; no credential is asked for."""
    decks = []
    for name in sides:
        chosen, overrides = (env, {"routing": {"active": name}}) if is_profile else (name, None)
        decks.append(ModelManager.load(settings_dir, chosen, overrides=overrides, checks_credentials=False).deck)
    return find_differences(*decks)


def print_differences(differences: list[Mapping[str, Any]], console: Console) -> None:
    """Print what `diff_decks` found, each difference as data."""
    console.print("\n".join(map(_line, differences)) or "no differences")


def _line(difference: Mapping[str, Any]) -> str:
    shown = {fact: _shown(value) for fact, value in difference.items()}
    if difference["field"] is not None:
        return "~ {kind} {name}  {field}: {before} -> {after}".format_map(shown)
    if difference["after"] is None:
        return "- {kind} {name}  {before}".format_map(shown)
    return "+ {kind} {name}  {after}".format_map(shown)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
