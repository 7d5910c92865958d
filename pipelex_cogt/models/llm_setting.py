"""LLM settings: what a preset holds, and the check against the model it resolves to.

[llm_presets.llm_to_reason]
llm_handle = "best-claude"
temperature = 0.5
max_tokens = "auto"
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.settings_model import SettingsModel
from pipelex_cogt.config.tables import toml_type
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelConstraint, PromptingTarget, Text

AUTO = "auto"
DISABLED = "disabled"
MIN_HIGH_ENOUGH_TOKENS = 16
"""The least `max_tokens` under `max_tokens_must_be_high_enough`: OpenAI's Responses API refuses fewer."""


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
        yield from self._temperature_faults(model)
        if not isinstance(self.max_tokens, int):
            return
        if model.max_tokens is not None and self.max_tokens > model.max_tokens:
            yield "max_tokens", f"{self.max_tokens} is more than the {model.max_tokens} of {_of(model)}"
        needs_room = ModelConstraint.MAX_TOKENS_MUST_BE_HIGH_ENOUGH in model.constraints
        if needs_room and self.max_tokens < MIN_HIGH_ENOUGH_TOKENS:
            yield "max_tokens", f"{self.max_tokens} is less than the {MIN_HIGH_ENOUGH_TOKENS} that {_of(model)} needs"

    def _temperature_faults(self, model: InferenceModelSpec) -> Iterator[tuple[str, str]]:
        if self.temperature is None:
            return
        if ModelConstraint.TEMPERATURE_UNSUPPORTED in model.constraints:
            yield "temperature", f"{_of(model)} takes no temperature"
        if ModelConstraint.TEMPERATURE_MUST_BE_1 in model.constraints and self.temperature != 1:
            yield "temperature", f"{_of(model)} takes no temperature but 1, got {self.temperature}"
        doubled = ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2 in model.constraints
        if doubled and self.temperature > 1:
            yield "temperature", f"{_of(model)} doubles the temperature, so it may not pass 1, got {self.temperature}"


def _of(model: InferenceModelSpec) -> str:
    return f"model {model.name!r} on backend {model.backend_name!r}"


class LLMChoice(StrEnum):
    """What a caller who names no preset wants."""

    FOR_TEXT = "for_text"
    FOR_OBJECT = "for_object"


class LLMChoices(SettingsModel):
    """The presets used when the caller names none; None where nothing is chosen."""

    for_text: str | None = None
    """The preset that writes text."""
    for_object: str | None = None
    """The preset that writes objects."""
