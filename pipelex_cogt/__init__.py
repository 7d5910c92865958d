"""Layered settings for applications with more than one LLM provider.

from pipelex_cogt import get_models_manager

deck = get_models_manager().get_llm_deck()
llm = deck.resolve("llm_to_reason")
llm.model.model_id, llm.backend.endpoint, llm.setting.temperature
"""

from pipelex_cogt.config.secrets import SecretSource
from pipelex_cogt.errors import (
    BackendDisabledError,
    CogtError,
    MissingCredentialError,
    ModelNotRoutedError,
    NotAvailableError,
    Problem,
    ProblemError,
    SecretFileError,
    SecretSourceError,
    SettingsError,
    Severity,
    UnknownNameError,
)
from pipelex_cogt.hub import get_models_manager, set_models_manager
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import (
    InferenceModelSpec,
    InputModality,
    ModelConstraint,
    ModelCosts,
    OutputModality,
    PromptingTarget,
)
from pipelex_cogt.model_routing.routing_profile import RoutingDecision, RoutingProfile, RoutingRule
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.llm_setting import LLMChoice, LLMChoices, LLMSetting
from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM
from pipelex_cogt.models.model_manager import ModelManager

__all__ = [
    "BackendDisabledError",
    "CogtError",
    "InferenceBackend",
    "InferenceBackendLibrary",
    "InferenceModelSpec",
    "InputModality",
    "LLMChoice",
    "LLMChoices",
    "LLMSetting",
    "MissingCredentialError",
    "ModelConstraint",
    "ModelCosts",
    "ModelDeck",
    "ModelManager",
    "ModelNotRoutedError",
    "NotAvailableError",
    "OutputModality",
    "Problem",
    "ProblemError",
    "PromptingTarget",
    "ResolvedLLM",
    "RoutingDecision",
    "RoutingProfile",
    "RoutingProfileLibrary",
    "RoutingRule",
    "SecretFileError",
    "SecretSource",
    "SecretSourceError",
    "SettingsError",
    "Severity",
    "UnknownNameError",
    "get_models_manager",
    "set_models_manager",
]
