"""Model specs: what one backend offers under one model name.

["gpt-4.1"]
inputs = ["text", "images"]
outputs = ["text", "structured"]
context_window = 1_047_576
max_tokens = 32_768
costs = { input = 2.0, output = 8.0 }
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field, PrivateAttr

from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.settings_model import GIVEN, REFERENCES, SettingsModel

WILDCARD = "*"
"""What makes a pattern of a route's key, and stands in no name."""


class PromptingTarget(StrEnum):
    """The family of models whose habits a prompt is written for."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    MISTRAL = "mistral"
    GEMINI = "gemini"


class InputModality(StrEnum):
    """What a model reads."""

    TEXT = "text"
    IMAGES = "images"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"


class OutputModality(StrEnum):
    """What a model writes; `structured` is an object that follows a schema."""

    TEXT = "text"
    STRUCTURED = "structured"
    IMAGES = "images"
    AUDIO = "audio"
    VIDEO = "video"
    EMBEDDINGS = "embeddings"


class ModelConstraint(StrEnum):
    """What a model's API refuses."""

    TEMPERATURE_MUST_BE_1 = "temperature_must_be_1"
    TEMPERATURE_MUST_BE_MULTIPLIED_BY_2 = "temperature_must_be_multiplied_by_2"
    MAX_TOKENS_MUST_BE_HIGH_ENOUGH = "max_tokens_must_be_high_enough"
    TEMPERATURE_UNSUPPORTED = "temperature_unsupported"


Price: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
Count: TypeAlias = Annotated[int, Field(ge=1)] | None
Inputs: TypeAlias = Annotated[tuple[Annotated[InputModality, Field(strict=False)], ...], Field(strict=False)]
Outputs: TypeAlias = Annotated[tuple[Annotated[OutputModality, Field(strict=False)], ...], Field(strict=False)]
Constraints: TypeAlias = Annotated[tuple[Annotated[ModelConstraint, Field(strict=False)], ...], Field(strict=False)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]


class ModelCosts(SettingsModel):
    """Prices in US dollars per million tokens. A price that nobody stated is unknown: `None`, never zero."""

    input: Price = None
    """Text read, not from a cache."""
    input_cached: Price = None
    """Text read from the provider's cache."""
    input_cache_write: Price = None
    """Text written to the provider's cache."""
    input_audio: Price = None
    """Audio read."""
    output: Price = None
    """Text written."""
    output_audio: Price = None
    """Audio written."""
    output_reasoning: Price = None
    """Reasoning written, where it is priced apart from the answer."""

    @property
    def total(self) -> float | None:
        """Input and output price together, for comparing; None where one is unknown."""
        return None if self.input is None or self.output is None else self.input + self.output


class InferenceModelSpec(SettingsModel):
    """One model as one backend serves it."""

    is_named: ClassVar[bool] = True

    name: Annotated[str, GIVEN]
    """The model name: the table's key, the same across backends."""
    backend_name: Annotated[str, GIVEN]
    """The backend that serves it."""
    stated_model_id: Annotated[Text, REFERENCES, Field(alias="model_id")]
    """The provider's own string for the model as stated, which may be a reference."""
    sdk: Text
    """The client library that calls it."""
    inputs: Inputs = (InputModality.TEXT,)
    """What it reads; text when unstated."""
    outputs: Outputs = (OutputModality.TEXT,)
    """What it writes; text when unstated."""
    costs: ModelCosts = ModelCosts()
    """Prices in US dollars per million tokens."""
    max_tokens: Count = None
    """The most tokens of one answer; None where unknown."""
    context_window: Count = None
    """The most tokens of one request, prompt and answer; None where unknown."""
    max_prompt_images: Count = None
    """The most images of one prompt; None where unknown."""
    prompting_target: Annotated[PromptingTarget | None, Field(strict=False)] = None
    """The family of models whose habits prompts are written for."""
    constraints: Constraints = ()
    """What its API refuses."""
    enabled: bool = True
    """Whether it is served."""
    description: str | None = None
    """A sentence for people."""
    _credentials: Credentials | None = PrivateAttr(default=None)

    def model_post_init(self, context: Credentials | None) -> None:
        """Keep what answers a reference in `model_id`, where there is one."""
        # Most models state their string plainly, and to set a private attribute costs more than to look.
        if context is not None:
            self._credentials = context

    @property
    def model_id(self) -> str:
        """The provider's own string for the model, such as `us.anthropic.claude-sonnet-4-20250514-v1:0`.

        Raises:
            MissingCredentialError: It is a reference that no source answers.
        """
        if self._credentials is None:
            return self.stated_model_id
        path = ("models", self.backend_name, self.name, "model_id")
        return self._credentials.resolve(self.stated_model_id, self.backend_name, path)

    @property
    def is_vision_supported(self) -> bool:
        """Whether it reads images."""
        return InputModality.IMAGES in self.inputs

    @property
    def is_gen_object_supported(self) -> bool:
        """Whether it writes objects that follow a schema."""
        return OutputModality.STRUCTURED in self.outputs


ModelSpecs: TypeAlias = Mapping[str, InferenceModelSpec]
"""Model specs by model name."""
