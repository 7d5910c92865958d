"""What the tree under `cogt` looks like: the schema that names, types and messages are taken from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelex_cogt.config.inference_config import InferenceConfig
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY, OLDER_SPELLINGS
from pipelex_cogt.config.schema import ANY_KEY, model_schema
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_profile import RoutingProfile
from pipelex_cogt.models.aliases import Alias
from pipelex_cogt.models.llm_setting import LLMChoices, LLMSetting

SETTINGS_SCHEMA: Mapping[str, Any] = {
    "inference_config": InferenceConfig,
    "backends": {ANY_KEY: {**model_schema(InferenceBackend), ANY_KEY: str}},
    "models": {
        ANY_KEY: {**dict.fromkeys(OLDER_SPELLINGS, str), DEFAULTS_KEY: InferenceModelSpec, ANY_KEY: InferenceModelSpec}
    },
    "routing": {"active": str, "profiles": {ANY_KEY: RoutingProfile}},
    "deck": {
        "aliases": {ANY_KEY: Alias},
        "llm_presets": {ANY_KEY: LLMSetting},
        "llm_choice_defaults": LLMChoices,
        "llm_choice_overrides": LLMChoices,
    },
}
