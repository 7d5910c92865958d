"""Model specs: what one backend offers under one model name.

["gpt-4.1"]
inputs = ["text", "images"]
outputs = ["text", "structured"]
context_window = 1_047_576
max_tokens = 32_768
costs = { input = 2.0, output = 8.0 }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias, cast

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, field_serializer
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.answers import AnsweredTable, answer
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.free_tables import FreeTable, Headers
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import mask_setting
from pipelex_cogt.config.settings_model import GIVEN, REFERENCES, SettingsModel
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.model_backends.costs import Cost, ModelCosts

KNOWN_SDKS = ("anthropic", "bedrock", "google", "mistral", "openai", "openai_compatible")
"""The client libraries that this package knows; an application may name any other."""
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
    TEMPERATURE_UNSUPPORTED_WITH_REASONING = "temperature_unsupported_with_reasoning"
    STOP_UNSUPPORTED = "stop_unsupported"


class ModelApi(StrEnum):
    """What of an SDK serves a model: OpenAI's has two ways to ask."""

    CHAT = "chat"
    RESPONSES = "responses"


class ReasoningEffort(StrEnum):
    """How long a model reasons before it answers, from least to most."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


def _check_pair(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) != len(("least", "most")):
        text = "expected a list of two, [least, most], got one of {found}"
        raise PydanticCustomError("range", text, {"found": len(value)})
    return value


def _check_range(budget: tuple[int, int]) -> tuple[int, int]:
    least, most = budget
    if least > most:
        raise PydanticCustomError(
            "range", "expected [least, most], got {least} above {most}", {"least": least, "most": most}
        )
    return budget


Count: TypeAlias = Annotated[int, Field(ge=1)] | None
Inputs: TypeAlias = Annotated[tuple[Annotated[InputModality, Field(strict=False)], ...], Field(strict=False)]
Outputs: TypeAlias = Annotated[tuple[Annotated[OutputModality, Field(strict=False)], ...], Field(strict=False)]
Constraints: TypeAlias = Annotated[tuple[Annotated[ModelConstraint, Field(strict=False)], ...], Field(strict=False)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Effort: TypeAlias = Annotated[ReasoningEffort, Field(strict=False)]
Efforts: TypeAlias = Annotated[tuple[Effort, ...], Field(strict=False)]
Temperature: TypeAlias = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Tokens: TypeAlias = Annotated[int, Field(ge=0)]
Budget: TypeAlias = Annotated[
    tuple[Tokens, Tokens], Field(strict=False), BeforeValidator(_check_pair), AfterValidator(_check_range)
]


class ModelAnswers(NamedTuple):
    """What answers the references of a model.

    Attributes:
        credentials: The sources.
        places: Where `model_id` and the items of its `headers` and `extra_config` are stated, which may be the file of
            another backend or `[defaults]`: key paths by the keys within its table.
    """

    credentials: Credentials
    places: Mapping[KeyPath, KeyPath]


_FREE_TABLES = ("stated_headers", "extra_body", "stated_extra_config")
"""The fields whose keys people choose, so that any of them may hold a secret."""


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
    """The client library that calls it: `openai` for OpenAI's and Azure's own API, `openai_compatible` for others."""
    api: Annotated[ModelApi, Field(strict=False)] = ModelApi.CHAT
    """What of that library serves it."""
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
    max_input_tokens: Count = None
    """The most tokens of one prompt, where the window is not for it alone; None where unknown."""
    max_prompt_images: Count = None
    """The most images of one prompt; None where unknown."""
    prompting_target: Annotated[PromptingTarget | None, Field(strict=False)] = None
    """The family of models whose habits prompts are written for."""
    constraints: Constraints = ()
    """What its API refuses."""
    max_temperature: Temperature | None = None
    """The highest temperature it takes; None where nobody says."""
    reasoning_efforts: Efforts | None = None
    """The reasoning efforts it takes; empty where it does not reason, None where unknown."""
    reasoning_budget: Budget | None = None
    """The least and the most tokens that it may be given to reason; None where it takes no budget, or unknown."""
    tools: bool | None = None
    """Whether it calls tools; None where unknown."""
    stated_headers: Annotated[Headers, REFERENCES] = Field(alias="headers", default_factory=FrozenDict)
    """The headers that its requests carry beside those of the backend, as stated."""
    extra_body: FreeTable = Field(default_factory=FrozenDict)
    """What its requests carry in their body beside the parameters."""
    stated_extra_config: Annotated[FreeTable, REFERENCES] = Field(alias="extra_config", default_factory=FrozenDict)
    """What the application's own SDK needs to know of it, as stated."""
    retires: date | None = None
    """The day from which its provider does not serve it any more; None where none is announced."""
    successor: Text | None = None
    """The model name to use in its place."""
    enabled: bool = True
    """Whether it is served."""
    description: str | None = None
    """A sentence for people."""
    _answers: ModelAnswers | None = PrivateAttr(default=None)

    def model_post_init(self, context: ModelAnswers | None) -> None:
        """Keep what answers its references, where there are any."""
        # Most models state their string plainly, and to set a private attribute costs more than to look.
        if context is not None:
            self._answers = context

    @property
    def model_id(self) -> str:
        """The provider's own string for the model, such as `us.anthropic.claude-sonnet-4-20250514-v1:0`.

        Raises:
            MissingCredentialError: It is a reference that no source answers.
        """
        if self._answers is None:
            return self.stated_model_id
        place = self.place_of("model_id")
        return self._answers.credentials.resolve(self.stated_model_id, self.backend_name, place)

    @property
    def path(self) -> KeyPath:
        """The key path of its table."""
        return ("models", self.backend_name, self.name)

    def place_of(self, *keys: str) -> KeyPath:
        """The key path that states `model_id`, or an item of its headers or its `extra_config`."""
        own: KeyPath = (*self.path, *keys)
        return own if self._answers is None else self._answers.places.get(keys, own)

    @property
    def headers(self) -> AnsweredTable:
        """The headers of its requests; references in them are answered when an item is read."""
        return AnsweredTable(self.stated_headers, self._answer, ("headers",))

    @property
    def extra_config(self) -> AnsweredTable:
        """What the application's own SDK needs to know of it; references are answered when an item is read."""
        return AnsweredTable(self.stated_extra_config, self._answer, ("extra_config",))

    def _answer(self, value: Any, path: KeyPath) -> Any:
        # Whoever states such a table is given what answers it.
        credentials = cast("ModelAnswers", self._answers).credentials
        return answer(value, credentials, self.backend_name, path, self.place_of(*map(str, path))[: -len(path)])

    def cost(self, used: object, on: date | None = None, *, batch: bool = False) -> Cost:
        """What one call costs.

        Args:
            used: Its usage, or the answer that states it: whatever `Usage.of` reads.
            on: The day of the call (UTC); None for today.
            batch: Whether it is part of a batch.

        Raises:
            UsageError: The answer states no usage, or one that cannot be true.
        """
        return self.costs.cost(used, on, batch=batch)

    @property
    def is_vision_supported(self) -> bool:
        """Whether it reads images."""
        return InputModality.IMAGES in self.inputs

    @property
    def is_gen_object_supported(self) -> bool:
        """Whether it writes objects that follow a schema."""
        return OutputModality.STRUCTURED in self.outputs

    @field_serializer(*_FREE_TABLES)
    def _mask(self, value: Any, info: Any) -> Any:
        return mask_setting(info.field_name, value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        masked = self.model_dump(include={*_FREE_TABLES}, by_alias=False)
        return ((name, masked.get(str(name), value)) for name, value in super().__repr_args__())


ModelSpecs: TypeAlias = Mapping[str, InferenceModelSpec]
"""Model specs by model name."""
