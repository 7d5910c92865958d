"""What Google's `generateContent` refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.integrations.exchange import Refusal, Request
from tests.integrations.google_json import camel
from tests.integrations.refusals.pieces import outside, rules_of, words

PARAMETERS = words(
    """
    contents systemInstruction generationConfig safetySettings tools toolConfig labels cachedContent
    modelArmorConfig serviceTier store continuationToken
    """
)
GENERATION_CONFIG = words(
    """
    audioTimestamp audioTranscriptionConfig candidateCount enableAffectiveDialog enableEnhancedCivicAnswers
    frequencyPenalty imageConfig logprobs maxOutputTokens mediaResolution modelSelectionConfig presencePenalty
    responseFormat responseJsonSchema responseLogprobs responseMimeType responseModalities responseSchema
    routingConfig seed speechConfig stopSequences temperature thinkingConfig topK topP
    """
)
THINKING_CONFIG = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})


@dataclass(frozen=True)
class GeminiRules:
    """What one Gemini takes."""

    levels: frozenset[str] = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH"})
    """The levels of thinking it takes; none where it takes a budget only."""
    budget: tuple[int, int] = (0, 32_768)
    may_be_off: bool = True
    """Whether a budget of 0 turns thinking off."""
    samples: bool = True
    """Whether a temperature has any effect."""
    max_tokens: int = 65_536


WITHOUT_MINIMAL = frozenset({"LOW", "MEDIUM", "HIGH"})
NONE: frozenset[str] = frozenset()

MODELS: Mapping[str, GeminiRules] = {
    "gemini-4-argon": GeminiRules(WITHOUT_MINIMAL, may_be_off=False, max_tokens=1_048_576),
    "gemini-3.8-flash": GeminiRules(WITHOUT_MINIMAL, samples=False),
    "gemini-3.7-flash": GeminiRules(WITHOUT_MINIMAL, samples=False),
    "gemini-3.6-flash": GeminiRules(samples=False),
    "gemini-3.5-flash-lite": GeminiRules(samples=False),
    "gemini-3": GeminiRules(),
    "gemini-3.1-pro": GeminiRules(WITHOUT_MINIMAL, may_be_off=False),
    "gemini-2.5-pro": GeminiRules(NONE, (128, 32_768), may_be_off=False),
    "gemini-2.5-flash": GeminiRules(NONE, (0, 24_576)),
    "gemini-2.5-flash-lite": GeminiRules(NONE, (512, 24_576)),
}
"""By the beginning of the id; the longest that fits counts."""


def generate_content(request: Request) -> Iterator[Refusal]:
    """Yield what the API refuses of a request."""
    body = camel(request.body)
    config = body.get("generationConfig") or {}
    yield from unknown(body, PARAMETERS, "")
    yield from unknown(config, GENERATION_CONFIG, " at 'generation_config'")
    yield from unknown(config.get("thinkingConfig") or {}, THINKING_CONFIG, " at 'thinking_config'")
    if not body.get("contents"):
        yield Refusal("* GenerateContentRequest.contents: contents is not specified")
    yield from outside(config, "temperature", 0, 2)
    yield from outside(config, "topP", 0, 1)
    if len(config.get("stopSequences") or ()) > 5:
        yield Refusal("The number of stop sequences must not exceed 5.")
    rules = rules_of(request.model, MODELS)
    if rules is not None:
        yield from of_a_gemini(config, rules)


def unknown(table: Mapping[str, Any], known: frozenset[str], where: str) -> Iterator[Refusal]:
    for name in table:
        if name not in known:
            yield Refusal(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')


def of_a_gemini(config: Mapping[str, Any], rules: GeminiRules) -> Iterator[Refusal]:
    if (config.get("maxOutputTokens") or 0) > rules.max_tokens:
        yield Refusal(f"Unable to submit request because it has a maxOutputTokens value above {rules.max_tokens}.")
    thinking = config.get("thinkingConfig") or {}
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if level is not None and budget is not None:
        yield Refusal("You can only set one of thinking budget and thinking level.")
    if level is not None and not rules.levels:
        yield Refusal("Thinking level is not supported for this model.")
    if level is not None and level.upper() not in rules.levels:
        yield Refusal(f"Thinking level {level} is not supported for this model.")
    if budget is not None and not fits(budget, rules):
        yield Refusal(f"The thinking budget {budget} is invalid. Choose a value between {rules.budget} or -1.")


def fits(budget: int, rules: GeminiRules) -> bool:
    if budget == 0:
        return rules.may_be_off
    return budget == -1 or rules.budget[0] <= budget <= rules.budget[1]


def ignored(request: Request) -> tuple[str, ...]:
    """Return the parameters that this model takes without a word and without effect."""
    rules = rules_of(request.model, MODELS)
    config = camel(request.body).get("generationConfig") or {}
    if rules is None or rules.samples:
        return ()
    return tuple(name for name in ("temperature", "topP", "topK") if name in config)
