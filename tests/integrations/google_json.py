"""Google's JSON, which takes every name in two spellings: `topP`, as it prefers it, and `top_p`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FREE = {"args", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "responseSchema"}
"""What stands below these is somebody else's: schemas, arguments, results."""


def camel(value: Any) -> Any:
    """Return JSON with its names as Google prefers them, at every depth."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    named = {re.sub(r"_(\w)", lambda found: found[1].upper(), name): each for name, each in value.items()}
    return {name: each if name in FREE else camel(each) for name, each in named.items()}
