"""Layered settings for applications with more than one LLM provider.

from pipelex_cogt import get_models_manager

deck = get_models_manager().get_llm_deck()
llm = deck.resolve("llm_to_reason")
llm.model.model_id, llm.backend.endpoint, llm.setting.temperature
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from pipelex_cogt.config.answers import AnsweredTable
    from pipelex_cogt.config.directories import Directories
    from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
    from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
    from pipelex_cogt.config.secret_sources import SecretSource
    from pipelex_cogt.config.settings import Settings
    from pipelex_cogt.errors import (
        BackendDisabledError,
        CallFailedError,
        CallFailure,
        CallRefusedError,
        CatalogueSourceError,
        CogtError,
        FallbackError,
        LiteralLeftBehindError,
        MissingCredentialError,
        MissingExtraError,
        ModelNotRoutedError,
        NameTypeError,
        NotAvailableError,
        Problem,
        ProblemError,
        SecretFileError,
        SecretSourceError,
        SettingsError,
        Severity,
        UnknownNameError,
        UnusableCredentialError,
        UsageError,
    )
    from pipelex_cogt.hub import get_models_manager, set_models_manager
    from pipelex_cogt.model_backends.backend import InferenceBackend
    from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
    from pipelex_cogt.model_backends.costs import Cost, DatedPrices, ModelCosts, PriceTier
    from pipelex_cogt.model_backends.model_spec import (
        InferenceModelSpec,
        InputModality,
        ModelApi,
        ModelConstraint,
        OutputModality,
        PromptingTarget,
        ReasoningEffort,
    )
    from pipelex_cogt.model_backends.usage import Usage
    from pipelex_cogt.model_routing.routing_profile import (
        RouteRefusal,
        RoutingDecision,
        RoutingProfile,
        RoutingRule,
        TurnedDown,
    )
    from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
    from pipelex_cogt.models.call_parameters import CallParameters
    from pipelex_cogt.models.cost_log import CostLog, CostRow
    from pipelex_cogt.models.explain import AliasStep, ExplainedValue, Explanation, StatedValue
    from pipelex_cogt.models.llm_setting import LLMChoice, LLMChoices, LLMSetting
    from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM
    from pipelex_cogt.models.model_manager import ModelManager

# Many to a line, for they are read as one list.
# fmt: off
__all__ = [
    "AliasStep", "AnsweredTable", "BackendDisabledError", "CallFailedError", "CallFailure", "CallParameters",
    "CallRefusedError", "CatalogueSourceError", "CogtError", "Cost", "CostLog", "CostRow", "DatedPrices",
    "Directories", "ExplainedValue", "Explanation", "FallbackError", "InferenceBackend", "InferenceBackendLibrary",
    "InferenceConfig", "InferenceModelSpec", "InputModality", "LLMChoice", "LLMChoices", "LLMSetting", "Layer",
    "LayerKind", "LiteralLeftBehindError", "MissingCredentialError", "MissingCredentials", "MissingExtraError",
    "ModelApi", "ModelConstraint", "ModelCosts", "ModelDeck", "ModelManager", "ModelNotRoutedError",
    "NameTypeError", "NotAvailableError", "Origin", "OutputModality", "Place", "PriceTier", "Problem",
    "ProblemError", "PromptingTarget", "ReasoningEffort", "ResolvedLLM", "RouteRefusal", "RoutingDecision",
    "RoutingProfile", "RoutingProfileLibrary", "RoutingRule", "SecretFileError", "SecretSource",
    "SecretSourceError", "Settings", "SettingsError", "Severity", "StatedValue", "TurnedDown", "UnknownNameError",
    "UnusableCredentialError", "Usage", "UsageError", "get_models_manager", "set_models_manager",
]
_HOMES = {
    "config.answers": ("AnsweredTable",),
    "config.directories": ("Directories",),
    "config.inference_config": ("InferenceConfig", "MissingCredentials"),
    "config.layers": ("Layer", "LayerKind", "Origin", "Place"),
    "config.secret_sources": ("SecretSource",),
    "config.settings": ("Settings",),
    "errors": (
        "BackendDisabledError", "CallFailedError", "CallFailure", "CallRefusedError", "CatalogueSourceError",
        "CogtError", "FallbackError", "LiteralLeftBehindError", "MissingCredentialError", "MissingExtraError",
        "ModelNotRoutedError", "NameTypeError", "NotAvailableError", "Problem", "ProblemError",
        "SecretFileError", "SecretSourceError", "SettingsError", "Severity", "UnknownNameError",
        "UnusableCredentialError", "UsageError",
    ),
    "hub": ("get_models_manager", "set_models_manager"),
    "model_backends.backend": ("InferenceBackend",),
    "model_backends.backend_library": ("InferenceBackendLibrary",),
    "model_backends.costs": ("Cost", "DatedPrices", "ModelCosts", "PriceTier"),
    "model_backends.model_spec": (
        "InferenceModelSpec", "InputModality", "ModelApi", "ModelConstraint", "OutputModality", "PromptingTarget",
        "ReasoningEffort",
    ),
    "model_backends.usage": ("Usage",),
    "model_routing.routing_profile": ("RouteRefusal", "RoutingDecision", "RoutingProfile", "RoutingRule", "TurnedDown"),
    "model_routing.routing_profile_library": ("RoutingProfileLibrary",),
    "models.call_parameters": ("CallParameters",),
    "models.cost_log": ("CostLog", "CostRow"),
    "models.explain": ("AliasStep", "ExplainedValue", "Explanation", "StatedValue"),
    "models.llm_setting": ("LLMChoice", "LLMChoices", "LLMSetting"),
    "models.model_deck": ("ModelDeck", "ResolvedLLM"),
    "models.model_manager": ("ModelManager",),
}
# fmt: on
"""The modules of the package, each with the public names that it has."""


def __getattr__(name: str) -> object:
    """Import what somebody names: who asks for the command's help, or one exception, pays for no more."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
