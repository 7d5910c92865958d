"""Extras: SDKs are imported when somebody needs them, and one that is missing is told with the way to install it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pipelex_cogt.errors import MissingExtraError


def import_sdk(module: str, extra: str) -> Any:
    """Import a module of an SDK.

    Args:
        module: Its name, such as `google.genai`.
        extra: The extra of this package that brings it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # What the SDK itself lacks is its own matter.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise MissingExtraError(module, extra) from None
