"""One model at one backend, resolved: what tests of integrations call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelex_cogt import ModelManager
from pipelex_cogt.models.model_deck import ResolvedLLM


def one_model(
    backend: Mapping[str, Any],
    model: Mapping[str, Any],
    preset: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> ResolvedLLM:
    """The preset `p` of a model `m` at a backend `b`; the settings state nothing else."""
    tree = {
        "inference_config": {"use_packaged_settings": False, "missing_credentials": "defer"},
        "backends": {"b": backend},
        "models": {"b": {"m": model}},
        "routing": {"active": "all", "profiles": {"all": {"default": "b"}}},
        "deck": {
            "llm_presets": {"p": {"llm_handle": "m", **(preset or {})}},
            "llm_choice_defaults": {"for_text": "p", "for_object": "p"},
        },
    }
    manager = ModelManager.load(environ={} if environ is None else environ, overrides=tree)
    return manager.deck.resolve("p")
