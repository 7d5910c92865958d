"""LLM settings: what a preset holds, and the check against the model it resolves to.

[llm_presets.llm_to_reason]
llm_handle = "best-claude"
temperature = 0.5
max_tokens = "auto"
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, field_serializer, field_validator
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.free_tables import FreeTable
from pipelex_cogt.config.masking import mask_setting
from pipelex_cogt.config.settings_model import SettingsModel, none_if_empty
from pipelex_cogt.config.tables import FrozenDict, toml_type
from pipelex_cogt.model_backends.model_spec import (
    Effort,
    InferenceModelSpec,
    PromptingTarget,
    Temperature,
    Text,
    Tokens,
)
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


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Stop: TypeAlias = Annotated[tuple[Text, ...], Field(strict=False), BeforeValidator(_as_list)]


class LLMSetting(SettingsModel):
    """A handle and the parameters to call it with."""

    is_named: ClassVar[bool] = True

    llm_handle: Text
    """A model name or an alias."""
    temperature: Temperature | None = None
    """0 to 2; None leaves it to the provider."""
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    """The share of the likeliest words that the answer is chosen from; None leaves it to the provider."""
    max_tokens: Annotated[int | Literal["auto"] | None, BeforeValidator(_check_max_tokens)] = None
    """The most tokens of the answer; "auto" for the model's own limit; None leaves it to the provider."""
    reasoning_effort: Annotated[Effort | None, BeforeValidator(none_if_empty)] = None
    """How long it reasons; `""` or None leaves it to the provider."""
    reasoning_budget: Annotated[Tokens | None, BeforeValidator(none_if_empty)] = None
    """The most tokens that it may reason with, where a model counts them; `""` or None leaves it to the provider."""
    seed: int | None = None
    """What makes answers repeat, as far as the provider can; None leaves them to chance."""
    stop: Stop | None = None
    """Texts that end the answer, one or a list; None leaves its end to the model."""
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """How long a call may take, in seconds; None for the backend's own."""
    extra_body: FreeTable = Field(default_factory=FrozenDict)
    """What the request carries in its body beside the parameters, over the model's own."""
    prompting_target: Annotated[PromptingTarget | None, Field(strict=False)] = None
    """The family of models whose habits the prompt is written for; None for the model's own."""
    description: str | None = None
    """A sentence for people."""

    @field_validator("reasoning_budget")
    @classmethod
    def _check_reasoning(cls, budget: int | None, info: ValidationInfo) -> int | None:
        if budget is not None and info.data.get("reasoning_effort") is not None:
            raise PydanticCustomError("both", "a reasoning_effort is stated too: keep one of the two")
        return budget

    @field_serializer("extra_body")
    def _mask(self, value: Any) -> Any:
        return mask_setting("extra_body", value)

    def faults_for(self, model: InferenceModelSpec) -> Iterator[tuple[str, str]]:
        """What the model would refuse: the field and why, for each."""
        return find_faults(self._parameters(model), model)

    def parameters_for(self, model: InferenceModelSpec) -> CallParameters:
        """What to send when the model answers: what it refuses is left out, a limit is lowered."""
        return CallParameters.for_model(self._parameters(model), model)

    def _parameters(self, model: InferenceModelSpec) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in PARAMETERS}
        return {**values, "max_tokens": model.max_tokens if self.max_tokens == AUTO else self.max_tokens}


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
