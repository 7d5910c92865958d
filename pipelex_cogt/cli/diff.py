"""`pipelex-cogt diff A B`: what differs for a caller between two environments, or two routing profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelex_cogt.models.difference import Difference, find_differences
from pipelex_cogt.models.model_manager import ModelManager


def diff_environments(before: str, after: str, settings_dir: Path | None) -> list[Difference]:
    """What differs between two environments; no credential is asked for."""
    decks = [ModelManager.load(settings_dir, env, checks_credentials=False).deck for env in (before, after)]
    return find_differences(decks[0], decks[1])


def diff_profiles(before: str, after: str, env: str | None, settings_dir: Path | None) -> list[Difference]:
    """What differs between two routing profiles in one environment."""
    decks = [
        ModelManager.load(settings_dir, env, overrides={"routing": {"active": profile}}, checks_credentials=False).deck
        for profile in (before, after)
    ]
    return find_differences(decks[0], decks[1])


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
    sign, value = ("-", difference["before"]) if difference["after"] is None else ("+", difference["after"])
    return f"{sign} {named}  {_shown(value)}"


def _shown(value: Any) -> str:
    return "-" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
