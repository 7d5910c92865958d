"""Parameter rules: everything that a model may refuse of what a call is sent, as rows of one table.

A preset is judged by them when the settings are loaded, and a call is adapted by them: see `call_parameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, ModelApi, ModelConstraint, ReasoningEffort

MIN_HIGH_ENOUGH_TOKENS = 16
"""The least `max_tokens` under `max_tokens_must_be_high_enough`: OpenAI's Responses API refuses fewer."""

Values: TypeAlias = Mapping[str, Any]
"""Parameters by name; None is left to the provider."""


class Asked(NamedTuple):
    """A value asked of a model.

    Attributes:
        value: The parameter's value.
        model: The model.
        values: All parameters that are sent with it.
    """

    value: Any
    model: InferenceModelSpec
    values: Values

    @property
    def is_reasoning(self) -> bool:
        """Whether the model is asked to reason."""
        effort = self.values["reasoning_effort"]
        return effort not in (None, ReasoningEffort.NONE) or bool(self.values["reasoning_budget"])


_EFFORTS = [*ReasoningEffort]
"""The efforts, from least to most."""
_UNKNOWN_TO_SDKS = {
    "anthropic": ("seed",),
    "bedrock": ("seed", "reasoning_effort"),
    "mistral": ("reasoning_budget",),
    "openai": ("reasoning_budget",),
    "openai_compatible": ("reasoning_budget",),
}
"""What no API has that an SDK calls, by the model's `sdk`."""
_EFFORTS_BESIDE = {
    "anthropic": {ReasoningEffort.MINIMAL: ReasoningEffort.LOW},
    "google": {ReasoningEffort.MAX: ReasoningEffort.XHIGH},
}
"""The efforts that no API has that an SDK calls, each with the one beside it, by the model's `sdk`."""
_UNKNOWN_TO_APIS = {"responses": ("seed", "stop")}
"""What an API does not have, by the model's `api`."""


def _leave_out(_asked: Asked) -> None:
    return None


def _hottest_allowed(asked: Asked) -> float | None:
    """The highest temperature; None where the model takes nothing but 1, which is above it."""
    is_fixed = ModelConstraint.TEMPERATURE_MUST_BE_1 in asked.model.constraints
    return None if is_fixed else asked.model.max_temperature


def _high_enough(asked: Asked) -> int | None:
    """The least limit that a model takes; None where its own limit is lower, so that it takes none at all."""
    most = asked.model.max_tokens
    is_writing_less = most is not None and most < MIN_HIGH_ENOUGH_TOKENS
    return None if is_writing_less else MIN_HIGH_ENOUGH_TOKENS


def _nearest_effort(asked: Asked) -> ReasoningEffort | None:
    """The next effort below one that a model does not know, else the least that it knows.

    None where it knows none but `none`: whoever asks for an effort is not to have reasoning turned off.
    """
    known = sorted(asked.model.reasoning_efforts or (), key=_EFFORTS.index)
    if asked.value is not ReasoningEffort.NONE:
        known = [effort for effort in known if effort is not ReasoningEffort.NONE]
    wanted = _EFFORTS.index(asked.value)
    below = [effort for effort in known if _EFFORTS.index(effort) < wanted]
    return next(iter([*below[-1:], *known]), None)


def _below_max(asked: Asked) -> ReasoningEffort | None:
    """The effort next to the highest, of those that a model knows."""
    known = asked.model.reasoning_efforts or _EFFORTS
    below = sorted({*known} - {ReasoningEffort.MAX, ReasoningEffort.NONE}, key=_EFFORTS.index)
    return next(reversed(below), None)


def _within_budget(asked: Asked) -> int | None:
    """The next budget that a model takes; None for none at all, which is not to have it reason for the least."""
    budget: int = asked.value
    least, most = asked.model.reasoning_budget or (budget, budget)
    return min(max(budget, least), most) if budget or not least else None


def _beside_answer(asked: Asked) -> int | None:
    """The most that leaves a token for the answer; None where the model takes no budget as small as that."""
    most = asked.values["max_tokens"] - 1
    least, _ = asked.model.reasoning_budget or (0, most)
    return most if most >= least else None


def _is_out_of_range(asked: Asked) -> bool:
    return bool(_within_budget(asked) != asked.value)


def _leaves_no_answer(asked: Asked) -> bool:
    limit = asked.values["max_tokens"]
    return limit is not None and bool(asked.value >= limit)


def _has_no_budget(model: InferenceModelSpec) -> bool:
    """Whether a model takes no budget: what is said of its reasoning names none."""
    return model.reasoning_budget is None and model.reasoning_efforts is not None


def _has_no_efforts(model: InferenceModelSpec) -> bool:
    return model.reasoning_efforts is None and model.reasoning_budget is not None


def _is_chat(model: InferenceModelSpec) -> bool:
    return model.api is ModelApi.CHAT


def _effort_beside(asked: Asked) -> ReasoningEffort | None:
    """The effort beside one that the model's SDK does not know; None where it knows it, or the model says its own."""
    beside = _EFFORTS_BESIDE.get(asked.model.sdk, {}) if asked.model.reasoning_efforts is None else {}
    return beside.get(asked.value)


def _is_beside_temperature(asked: Asked) -> bool:
    """Whether a model samples in two ways that exclude each other.

    Since Opus 4.1 a Claude refuses the two together: https://github.com/open-webui/pipelines/pull/546
    """
    takes_any = ModelConstraint.TEMPERATURE_UNSUPPORTED not in asked.model.constraints
    return takes_any and asked.model.sdk == "anthropic" and asked.values["temperature"] is not None


def _tell(value: Any) -> str:
    """A parameter's value as people write it."""
    return ", ".join(map(repr, value)) if isinstance(value, tuple) else str(value)


def _turned(value: Any, limit: Any) -> str:
    """What is done to a value on its way to a limit, in words."""
    rank = _EFFORTS.index if isinstance(value, ReasoningEffort) else float
    return "lowered" if rank(limit) < rank(value) else "raised"


class Rule(NamedTuple):
    """What a model may refuse of a parameter.

    Attributes:
        parameter: The parameter.
        key: The key of the model spec that says so.
        refuses: Whether the model refuses what is asked.
        refusal: What is refused, where the model, the value and the limit are filled in.
        reason: Why, said of the model.
        limit: The value that the model is sent instead; None leaves the parameter out.
    """

    parameter: str
    key: str
    refuses: Callable[[Asked], bool]
    refusal: str
    reason: str
    limit: Callable[[Asked], Any] = _leave_out

    def fault(self, asked: Asked) -> str:
        """The rule as a fault of a preset."""
        return self.refusal.format_map(self._facts(asked))

    def adaptation(self, asked: Asked) -> str:
        """What the model is sent instead of a value, in words."""
        limit = self.limit(asked)
        done = "left out" if limit is None else f"{_turned(asked.value, limit)} to {limit}"
        reason = self.reason.format_map(self._facts(asked))
        return f"{self.parameter} {_tell(asked.value)} {done}: {asked.model.name!r} {reason}"

    def _facts(self, asked: Asked) -> Mapping[str, Any]:
        model = asked.model
        return {
            "model": f"model {model.name!r} on backend {model.backend_name!r}",
            "value": _tell(asked.value),
            "limit": self.limit(asked),
            "sdk": model.sdk,
            "api": str(model.api),
            "max_tokens": asked.values["max_tokens"],
            "max_temperature": model.max_temperature,
            "efforts": ", ".join(model.reasoning_efforts or ()),
            "budget": " to ".join(map(str, model.reasoning_budget or ())),
        }


def _is_under(constraint: ModelConstraint, refuses: Callable[[Any], bool] = bool) -> Callable[[Asked], bool]:
    """A rule that holds for models of one constraint."""
    return lambda asked: constraint in asked.model.constraints and refuses(asked.value)


def _any(_value: object) -> bool:
    return True


def _is_reasoning_under(constraint: ModelConstraint) -> Callable[[Asked], bool]:
    """A rule that holds for models of one constraint while they reason."""
    return lambda asked: constraint in asked.model.constraints and asked.is_reasoning


def _unknown_to_sdk(parameter: str) -> Rule:
    """The rule for a parameter that no API of an SDK has."""
    return Rule(
        parameter,
        "sdk",
        lambda asked: parameter in _UNKNOWN_TO_SDKS.get(asked.model.sdk, ()),
        f"{{model}} takes no {parameter}: sdk {{sdk!r}} has none",
        "takes none, for sdk {sdk!r} has none",
    )


def _unknown_to_api(parameter: str) -> Rule:
    """The rule for a parameter that an API does not have."""
    return Rule(
        parameter,
        "api",
        lambda asked: parameter in _UNKNOWN_TO_APIS.get(asked.model.api, ()),
        f"{{model}} takes no {parameter}: api {{api!r}} has none",
        "takes none, for api {api!r} has none",
    )


_RULES = (
    _unknown_to_sdk("reasoning_effort"),
    Rule(
        "reasoning_effort",
        "reasoning_efforts",
        lambda asked: asked.model.reasoning_efforts == (),
        "{model} does not reason",
        "does not reason",
    ),
    Rule(
        "reasoning_effort",
        "reasoning_budget",
        lambda asked: _has_no_efforts(asked.model),
        "{model} takes a reasoning_budget of {budget} tokens and no effort",
        "takes a reasoning_budget and no effort",
    ),
    Rule(
        "reasoning_effort",
        "reasoning_efforts",
        lambda asked: bool(asked.model.reasoning_efforts) and asked.value not in (asked.model.reasoning_efforts or ()),
        "{model} takes {efforts}, got {value}",
        "takes {efforts}",
        _nearest_effort,
    ),
    Rule(
        "reasoning_effort",
        "api",
        # OpenAI's own chat refuses it of every model (pydantic-ai-slim 2.68.0, profiles/openai.py).
        lambda asked: asked.value is ReasoningEffort.MAX and asked.model.sdk == "openai" and _is_chat(asked.model),
        "{model} takes no effort above {limit} over api {api!r}, got {value}",
        "takes none above it over api {api!r}",
        _below_max,
    ),
    Rule(
        "reasoning_effort",
        "sdk",
        lambda asked: _effort_beside(asked) is not None,
        "{model} takes no effort {value}: sdk {sdk!r} has none",
        "takes no such, for sdk {sdk!r} has none",
        _effort_beside,
    ),
    _unknown_to_sdk("reasoning_budget"),
    Rule(
        "reasoning_budget",
        "reasoning_efforts",
        lambda asked: _has_no_budget(asked.model),
        "{model} takes no reasoning_budget",
        "takes none",
    ),
    Rule(
        "reasoning_budget",
        "reasoning_budget",
        _is_out_of_range,
        "{model} takes {budget} tokens, got {value}",
        "takes {budget}",
        _within_budget,
    ),
    Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_UNSUPPORTED, _any),
        "{model} takes no temperature",
        "takes none",
    ),
    Rule(
        "temperature",
        "constraints",
        _is_reasoning_under(ModelConstraint.TEMPERATURE_UNSUPPORTED_WITH_REASONING),
        "{model} takes no temperature while it reasons",
        "takes none while it reasons",
    ),
    Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_MUST_BE_1, lambda value: value != 1),
        "{model} takes no temperature but 1, got {value}",
        "takes none but 1",
    ),
    Rule(
        "temperature",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_MUST_BE_MULTIPLIED_BY_2, lambda value: value > 1),
        "{model} doubles the temperature, so it may not pass 1, got {value}",
        "doubles it, so it may not pass 1",
    ),
    Rule(
        "temperature",
        "max_temperature",
        lambda asked: asked.model.max_temperature is not None and asked.value > asked.model.max_temperature,
        "{model} takes no temperature above {max_temperature}, got {value}",
        "takes none above it",
        _hottest_allowed,
    ),
    Rule(
        "top_p",
        "constraints",
        _is_under(ModelConstraint.TEMPERATURE_UNSUPPORTED, _any),
        "{model} takes no top_p, as it takes no temperature",
        "takes none, as it takes no temperature",
    ),
    Rule(
        "top_p",
        "constraints",
        _is_reasoning_under(ModelConstraint.TEMPERATURE_UNSUPPORTED_WITH_REASONING),
        "{model} takes no top_p while it reasons",
        "takes none while it reasons",
    ),
    Rule(
        "top_p",
        "sdk",
        _is_beside_temperature,
        "{model} takes no top_p beside a temperature",
        "takes none beside a temperature",
    ),
    Rule(
        "max_tokens",
        "max_tokens",
        lambda asked: asked.model.max_tokens is not None and asked.value > asked.model.max_tokens,
        "{value} is more than the {limit} of {model}",
        "writes no more",
        lambda asked: asked.model.max_tokens,
    ),
    Rule(
        "max_tokens",
        "constraints",
        _is_under(ModelConstraint.MAX_TOKENS_MUST_BE_HIGH_ENOUGH, lambda value: value < MIN_HIGH_ENOUGH_TOKENS),
        f"{{value}} is less than the {MIN_HIGH_ENOUGH_TOKENS} that {{model}} needs",
        f"needs {MIN_HIGH_ENOUGH_TOKENS} or more",
        _high_enough,
    ),
    Rule(
        "reasoning_budget",
        "max_tokens",
        _leaves_no_answer,
        "{value} leaves nothing of the {max_tokens} tokens of max_tokens for the answer of {model}",
        "answers within the {max_tokens} tokens of max_tokens",
        _beside_answer,
    ),
    _unknown_to_sdk("seed"),
    _unknown_to_api("seed"),
    _unknown_to_api("stop"),
    Rule(
        "stop",
        "constraints",
        _is_under(ModelConstraint.STOP_UNSUPPORTED),
        "{model} takes no stop",
        "takes none",
    ),
)
"""Everything that a model may refuse, in the order in which it is told: what it reasons with comes first, for a
temperature may depend on it."""


def keep_rules(values: dict[str, Any], model: InferenceModelSpec) -> Iterator[tuple[Rule, Asked]]:
    """Each rule that the values break; they keep it before the next one looks at them."""
    for rule in _RULES:
        # A model refuses nothing that is left to the provider.
        if values[rule.parameter] not in (None, ()):
            asked = Asked(values[rule.parameter], model, values)
            if rule.refuses(asked):
                yield rule, asked
                values[rule.parameter] = rule.limit(asked)


def judged_by(parameter: str) -> tuple[str, ...]:
    """The keys of a model spec that say what the model takes of a parameter."""
    return tuple(dict.fromkeys(rule.key for rule in _RULES if rule.parameter == parameter))
