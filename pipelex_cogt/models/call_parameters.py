"""Call parameters: what a call is sent beside the messages, as the model that answers takes it.

llm = deck.resolve("llm_to_reason")
llm.parameters.temperature, llm.parameters.max_tokens      # None is left to the provider
llm.parameters.adapted                                     # ("temperature 0.3 left out: 'gpt-5.5' takes none",)

What a model refuses is a row of the table in `parameter_rules`, and stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath, join_keys
from pipelex_cogt.config.masking import SealedText, mask_setting, stated_value
from pipelex_cogt.config.tables import FrozenDict, Table, freeze, map_leaves, merge
from pipelex_cogt.errors import LiteralLeftBehindError
from pipelex_cogt.model_backends.model_spec import (
    InferenceModelSpec,
    ModelConstraint,
    PromptingTarget,
    ReasoningEffort,
)
from pipelex_cogt.models.parameter_rules import Values, keep_rules
from pipelex_cogt.visible import visible

_WITHOUT_PICKLE = "load the settings where the call is made"
"""What to do about a secret that a pickle has left behind where no reference can stand."""


@dataclass(frozen=True, slots=True)
class CallParameters:
    """What to send with a call: every constraint of the model is applied. None leaves a parameter to the provider.

    Attributes:
        temperature: As the model takes it.
        top_p: The share of the likeliest words that it chooses from, 0 to 1.
        max_tokens: The most tokens of the answer.
        reasoning_effort: How long it reasons.
        reasoning_budget: The most tokens that it may reason with.
        seed: What makes answers repeat, as far as the provider can.
        stop: Texts that end the answer; none where it is empty.
        timeout: How long the call may take, in seconds.
        extra_body: What the request carries in its body beside the parameters.
        prompting_target: The family of models whose habits the prompt is written for.
        adapted: What the model takes otherwise than it was stated, a sentence for each.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning_budget: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    timeout: float | None = None
    extra_body: Mapping[str, Any] = field(default=FrozenDict(), repr=False)
    prompting_target: PromptingTarget | None = None
    adapted: tuple[str, ...] = ()

    @classmethod
    def for_model(cls, stated: Values, model: InferenceModelSpec) -> CallParameters:
        """What is stated, as the model takes it: what it refuses is left out, a limit is lowered.

        Args:
            stated: The parameters by name.
            model: The model that answers.
        """
        values = dict(stated)
        adapted = [rule.adaptation(asked) for rule, asked in keep_rules(values, model)]
        temperature = _as_sent(values["temperature"], model)
        if temperature != values["temperature"]:
            scale = f"{model.name!r} takes twice what is meant"
            adapted.append(f"temperature {values['temperature']} doubled to {temperature}: {scale}")
        values["temperature"] = temperature
        values["prompting_target"] = values["prompting_target"] or model.prompting_target
        values["stop"] = tuple(values["stop"] or ())
        values["extra_body"] = freeze(_opened(merge({**model.extra_body}, {**values["extra_body"]}), model))
        return cls(**values, adapted=tuple(adapted))

    @property
    def sent(self) -> dict[str, Any]:
        """The parameters that a request carries, by name; what is left to the provider is left out."""
        values = {name: getattr(self, name) for name in PARAMETERS if name != "prompting_target"}
        return {name: value for name, value in values.items() if value not in (None, (), {})}

    def __getstate__(self) -> list[Any]:
        # What a request carries in its body is opened here, and no pickle carries a secret.
        if self._shown["extra_body"] != self.extra_body:
            raise TypeError(
                "cannot pickle parameters with a secret in extra_body: pickle what deck.resolve() gives, or "
                "load the settings where the call is made"
            )
        return [getattr(self, each.name) for each in fields(self)]

    def __copy__(self) -> CallParameters:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> CallParameters:
        return self

    @property
    def _shown(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "extra_body": mask_setting("extra_body", self.extra_body)}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._shown.items())
        return visible(f"{type(self).__name__}({shown})")


PARAMETERS = tuple(field.name for field in fields(CallParameters) if field.name != "adapted")
"""The names of the parameters."""


def find_faults(stated: Values, model: InferenceModelSpec) -> Iterator[tuple[str, str]]:
    """What a model refuses of the parameters as stated: the name and why, for each; nothing is told of twice."""
    told: set[str] = set()
    for rule, asked in keep_rules(dict(stated), model):
        if rule.parameter not in told:
            yield rule.parameter, rule.fault(asked)
        told.add(rule.parameter)


def _opened(extra_body: Table, model: InferenceModelSpec) -> Table:
    """What a request carries, of its own types: what was sealed is opened.

    Raises:
        LiteralLeftBehindError: A pickle has left a value behind.
    """

    def open_one(path: KeyPath, value: Any) -> Any:
        if isinstance(value, SealedText) and value.is_lost:
            raise LiteralLeftBehindError(model.backend_name, join_keys(("extra_body", *path)), _WITHOUT_PICKLE)
        return stated_value(value)

    opened: Table = map_leaves(extra_body, open_one)
    return opened


def _as_sent(temperature: float | None, model: InferenceModelSpec) -> float | None:
    """A temperature on the scale of the model's API."""
    is_doubled = ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2 in model.constraints
    # A model that takes nothing but 1 takes no 2 either.
    is_fixed = ModelConstraint.TEMPERATURE_MUST_BE_1 in model.constraints
    return temperature * 2 if is_doubled and not is_fixed and temperature is not None else temperature
