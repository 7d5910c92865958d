"""One small way to come to a resolved preset: the tables of one backend, of one model and of one preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelex_cogt import ModelManager, ResolvedLLM


def resolved(
    backend: Mapping[str, Any],
    model: Mapping[str, Any] | None = None,
    preset: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> ResolvedLLM:
    """Load a tree of one backend `b`, one model `m` and one preset `p`, and resolve the preset.

    Args:
        backend: The backend's table.
        model: The model's table; an `openai` model called `m` unless it says otherwise.
        preset: The preset's table, without its handle.
        environ: The environment; it is asked again for each reference.
    """
    tree = {
        "inference_config": {"use_packaged_settings": False, "missing_credentials": "defer"},
        "backends": {"b": backend},
        "models": {"b": {"m": {"sdk": "openai", **(model or {})}}},
        "routing": {"active": "all", "profiles": {"all": {"default": "b"}}},
        "deck": {
            "llm_presets": {"p": {"llm_handle": "m", **(preset or {})}},
            "llm_choice_defaults": {"for_text": "p", "for_object": "p"},
        },
    }
    return ModelManager.load(environ={} if environ is None else environ, overrides=tree).deck.resolve("p")
