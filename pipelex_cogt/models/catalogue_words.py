"""The words for comparing settings with what somebody else knows of models: what is compared, and with whose data.

They stand alone, so that the command line can name them without what a load needs.
"""

from __future__ import annotations

from enum import StrEnum


class CatalogueKind(StrEnum):
    """What a difference is about."""

    PRICES = "prices"
    LIMITS = "limits"
    MODALITIES = "modalities"
    RETIREMENTS = "retirements"
    MISSING = "missing"


class SourceName(StrEnum):
    """The sources, by the name of their package."""

    LITELLM = "litellm"
    GENAI_PRICES = "genai-prices"
