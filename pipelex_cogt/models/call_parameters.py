"""Call parameters: what a call is sent beside the messages, as the model that answers takes it.

llm = deck.resolve("llm_to_reason")
llm.parameters.temperature, llm.parameters.max_tokens      # None is left to the provider
llm.parameters.adapted                                     # ("temperature 0.3 left out: 'gpt-5.5' takes none",)

What a model refuses is a row of `_RULES`, and stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelConstraint, PromptingTarget

MIN_HIGH_ENOUGH_TOKENS = 16
"""The least `max_tokens` under `max_tokens_must_be_high_enough`: OpenAI's Responses API refuses fewer."""

Values: TypeAlias = Mapping[str, Any]
"""Parameters by name; None is left to the provider."""


@dataclass(frozen=True, slots=True)
class CallParameters:
    """What to send with a call: every constraint of the model is applied.

    Attributes:
        temperature: As the model takes it; None leaves it to the provider.
        max_tokens: The most tokens of the answer; None leaves it to the provider.
        prompting_target: The family of models whose habits the prompt is written for; None where unknown.
        adapted: What the model refuses of the parameters as stated and is sent otherwise, a sentence for each.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    prompting_target: PromptingTarget | None = None
    adapted: tuple[str, ...] = ()

    @classmethod
    def for_model(cls, stated: Values, model: InferenceModelSpec) -> CallParameters:
        """What is stated, as the model takes it: what it refuses is left out, a limit is lowered.

        Args:
            stated: The parameters by name.
            model: The model that answers.
        """
        values, adapted = dict(stated), []
        for rule in _RULES:
            value = values[rule.parameter]
            if rule.is_broken_by(value, model):
                values[rule.parameter] = rule.limit(model)
                adapted.append(rule.adaptation(value, model))
        values["temperature"] = _as_sent(values["temperature"], model)
        values["prompting_target"] = values["prompting_target"] or model.prompting_target
        return cls(**values, adapted=tuple(adapted))


PARAMETERS = tuple(field.name for field in fields(CallParameters) if field.name != "adapted")
"""The names of the parameters."""


def find_faults(stated: Values, model: InferenceModelSpec) -> Iterator[tuple[str, str]]:
    """What a model refuses of the parameters as stated: the name and why, for each."""
    for rule in _RULES:
        value = stated[rule.parameter]
        if rule.is_broken_by(value, model):
            yield rule.parameter, rule.fault(value, model)


def judged_by(parameter: str) -> tuple[str, ...]:
    """The keys of a model spec that say what the model takes of a parameter."""
    return tuple(dict.fromkeys(rule.key for rule in _RULES if rule.parameter == parameter))


def _as_sent(temperature: float | None, model: InferenceModelSpec) -> float | None:
    """A temperature on the scale of the model's API."""
    is_doubled = ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2 in model.constraints
    # A model that takes nothing but 1 takes no 2 either.
    is_fixed = ModelConstraint.TEMPERATURE_MUST_BE_1 in model.constraints
    return temperature * 2 if is_doubled and not is_fixed and temperature is not None else temperature


def _leave_out(_model: InferenceModelSpec) -> None:
    return None


def _high_enough(model: InferenceModelSpec) -> int | None:
    """The least limit that a model takes; None where its own limit is lower, so that it takes none at all."""
    is_writing_less = model.max_tokens is not None and model.max_tokens < MIN_HIGH_ENOUGH_TOKENS
    return None if is_writing_less else MIN_HIGH_ENOUGH_TOKENS


class _Rule(NamedTuple):
    """What a model may refuse of a parameter.

    Attributes:
        parameter: The parameter.
        key: The key of the model spec that says so.
        refuses: Whether the model refuses a value.
        refusal: What is refused, where the model, the value and the limit are filled in.
        reason: Why, said of the model.
        limit: The value that the model is sent instead; None leaves the parameter out.
    """

    parameter: str
    key: str
    refuses: Callable[[Any, InferenceModelSpec], bool]
    refusal: str
    reason: str
    limit: Callable[[InferenceModelSpec], int | None] = _leave_out

    def is_broken_by(self, value: Any, model: InferenceModelSpec) -> bool:
        """Whether the model refuses a value; it refuses nothing that is left to the provider."""
        return value is not None and self.refuses(value, model)

    def fault(self, value: Any, model: InferenceModelSpec) -> str:
        """The rule as a fault of a preset."""
        name = f"model {model.name!r} on backend {model.backend_name!r}"
        return self.refusal.format(model=name, value=value, limit=self.limit(model))

    def adaptation(self, value: Any, model: InferenceModelSpec) -> str:
        """What the model is sent instead of a value, in words."""
        limit = self.limit(model)
        done = "left out" if limit is None else f"{'lowered' if limit < value else 'raised'} to {limit}"
        return f"{self.parameter} {value} {done}: {model.name!r} {self.reason}"


def _is_under(constraint: ModelConstraint, refuses: Callable[[Any], bool]) -> Callable[[Any, InferenceModelSpec], bool]:
    """A rule that holds for models of one constraint."""
    return lambda value, model: constraint in model.constraints and refuses(value)


_RULES = (
    _Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_UNSUPPORTED, lambda _value: True),
        "{model} takes no temperature",
        "takes none",
    ),
    _Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_MUST_BE_1, lambda value: value != 1),
        "{model} takes no temperature but 1, got {value}",
        "takes none but 1",
    ),
    _Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2, lambda value: value > 1),
        "{model} doubles the temperature, so it may not pass 1, got {value}",
        "doubles it, so it may not pass 1",
    ),
    _Rule(
        "max_tokens",
        "max_tokens",
        lambda value, model: model.max_tokens is not None and value > model.max_tokens,
        "{value} is more than the {limit} of {model}",
        "writes no more",
        lambda model: model.max_tokens,
    ),
    _Rule(
        "max_tokens",
        "constraints",
        _is_under(ModelConstraint.MAX_TOKENS_MUST_BE_HIGH_ENOUGH, lambda value: value < MIN_HIGH_ENOUGH_TOKENS),
        f"{{value}} is less than the {MIN_HIGH_ENOUGH_TOKENS} that {{model}} needs",
        f"needs {MIN_HIGH_ENOUGH_TOKENS} or more",
        _high_enough,
    ),
)
"""Everything that a model may refuse, in the order in which it is told."""
