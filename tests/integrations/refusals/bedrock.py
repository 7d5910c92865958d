"""What Bedrock's Converse API refuses."""

from __future__ import annotations

from collections.abc import Iterator

from tests.integrations.exchange import Refusal, Request
from tests.integrations.refusals.anthropic import MODELS, of_a_claude
from tests.integrations.refusals.pieces import outside, rules_of, words

PARAMETERS = words(
    """
    messages system inferenceConfig toolConfig guardrailConfig projectIdentifier additionalModelRequestFields
    promptVariables additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig
    """
)
INFERENCE_CONFIG = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "stopSequences": "stop"}
"""What may stand there, and what a Claude calls it."""


def converse(request: Request) -> Iterator[Refusal]:
    """Yield what the API refuses of a conversation."""
    config = request.body.get("inferenceConfig") or {}
    for name in (*(set(request.body) - PARAMETERS), *(set(config) - set(INFERENCE_CONFIG))):
        yield Refusal(f"Malformed input request: #: extraneous key [{name}] is not permitted")
    yield from outside(config, "temperature", 0, 1)
    yield from outside(config, "topP", 0, 1)
    rules = rules_of(request.model, MODELS)
    if rules is not None:
        handed_through = request.body.get("additionalModelRequestFields") or {}
        body = {**handed_through, **{INFERENCE_CONFIG[name]: value for name, value in config.items()}}
        yield from of_a_claude(body, rules, request.model)
