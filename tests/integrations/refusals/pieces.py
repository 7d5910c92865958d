"""What the judges of several dialects share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from tests.integrations.exchange import Refusal

Rules = TypeVar("Rules")

AROUND_AN_ID = re.compile(r"^(?:(?:global|us|eu|apac|jp|au|in)\.)?(?:[a-z]+\.)?")
"""What Bedrock writes before a model's id: where it runs, who made it."""


def bare_id(model: str) -> str:
    """Return a model's id without what a platform writes before it."""
    return AROUND_AN_ID.sub("", model.rsplit("/", 1)[-1])


def rules_of(model: str, rules: Mapping[str, Rules]) -> Rules | None:
    """Return the rules of the longest name that the model's id begins with."""
    bare = bare_id(model)
    fitting = [name for name in rules if bare.startswith(name)]
    return rules[max(fitting, key=len)] if fitting else None


def outside(body: Mapping[str, Any], name: str, least: float, most: float) -> Iterator[Refusal]:
    """Refuse a number that is not between two others."""
    value = body.get(name)
    if value is not None and not least <= value <= most:
        yield Refusal(f"{name}: {value} is not between {least} and {most}.", param=name)


def words(text: str) -> frozenset[str]:
    """Return the words of a text, as a set of names."""
    return frozenset(text.split())
