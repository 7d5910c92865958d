"""LLM settings: what a preset holds, and the check against the model it resolves to.

[llm_presets.llm_to_reason]
llm_handle = "best-claude"
temperature = 0.5
max_tokens = "auto"
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.settings_model import SettingsModel
from pipelex_cogt.config.tables import toml_type
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, PromptingTarget, Text
from pipelex_cogt.models.call_parameters import PARAMETERS, CallParameters, find_faults

AUTO = "auto"
DISABLED = "disabled"


def _check_max_tokens(value: Any) -> Any:
    # The type itself, for a boolean is an integer to `isinstance`.
    is_integer = type(value) is int
    if value in (None, AUTO) or (is_integer and value >= 1):
        return value
    found = value if is_integer else toml_type(value)
    raise PydanticCustomError(
        "max_tokens", 'expected an integer of at least 1 or "auto", got {found}', {"found": found}
    )


class LLMSetting(SettingsModel):
    """A handle and the parameters to call it with."""

    is_named: ClassVar[bool] = True

    llm_handle: Text
    """A model name or an alias."""
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    """0 to 2; None leaves it to the provider."""
    max_tokens: Annotated[int | Literal["auto"] | None, BeforeValidator(_check_max_tokens)] = None
    """The most tokens of the answer; "auto" for the model's own limit; None leaves it to the provider."""
    prompting_target: Annotated[PromptingTarget | None, Field(strict=False)] = None
    """The family of models whose habits the prompt is written for; None for the model's own."""
    description: str | None = None
    """A sentence for people."""

    def for_model(self, model: InferenceModelSpec) -> LLMSetting:
        """The setting with everything that depends on the model filled in: `"auto"` becomes the model's limit."""
        if self.max_tokens != AUTO:
            return self
        return self.model_copy(update={"max_tokens": model.max_tokens})

    def faults_for(self, model: InferenceModelSpec) -> Iterator[tuple[str, str]]:
        """What the model would refuse: the field and why, for each."""
        return find_faults(self._parameters(model), model)

    def parameters_for(self, model: InferenceModelSpec) -> CallParameters:
        """What to send when the model answers: what it refuses is left out, a limit is lowered."""
        return CallParameters.for_model(self._parameters(model), model)

    def _parameters(self, model: InferenceModelSpec) -> dict[str, Any]:
        setting = self.for_model(model)
        return {name: getattr(setting, name) for name in PARAMETERS}


class LLMChoice(StrEnum):
    """What a caller who names no preset wants."""

    FOR_TEXT = "for_text"
    FOR_OBJECT = "for_object"


class LLMChoices(SettingsModel):
    """The presets, models or aliases used when the caller names none; None where nothing is chosen."""

    for_text: str | None = None
    """What writes text."""
    for_object: str | None = None
    """What writes objects."""
