"""What Anthropic's Messages API refuses, on its own host, on Vertex AI and on Bedrock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.integrations.exchange import Refusal, Request
from tests.integrations.refusals.pieces import outside, rules_of, words

WITHOUT_SAMPLING = "2026-10-21"
"""The version whose requests know no temperature: every SDK from 2.0 on sends it, unless told otherwise."""
VERSIONS = {
    "anthropic": ("2023-06-01", WITHOUT_SAMPLING),
    "bedrock": ("bedrock-2023-05-31", WITHOUT_SAMPLING),
    "vertexai": ("vertex-2023-10-16", WITHOUT_SAMPLING),
}
OLD_ON_BEDROCK = ("claude-sonnet-4-5", "claude-opus-4-5")
"""Bedrock answers `Invalid API version` where these are asked in the newest version (pydantic-ai, tried live)."""

SAMPLING = ("temperature", "top_p", "top_k")
PARAMETERS = words(
    """
    cache_control container diagnostics inference_geo max_tokens messages metadata output_config prefill
    service_tier speed stop_sequences system thinking tool_choice tools user_profile_id workspace_id
    """
)
BETA_PARAMETERS = words(
    """
    billing_policy compaction context_management fallback_credit_token fallbacks mcp_servers output_format
    thread
    """
)
OF_THE_PLATFORM = {
    "anthropic": frozenset({"model", "stream"}),
    "vertexai": frozenset({"anthropic_version", "stream"}),
    "bedrock": frozenset({"anthropic_version", "anthropic_beta"}),
}
"""On Vertex AI and Bedrock the model stands in the path, on Bedrock whether to stream too."""


@dataclass(frozen=True)
class ClaudeRules:
    """What one Claude takes."""

    samples: bool = False
    """Whether it takes a temperature, top_p or top_k, in a version that knows them."""
    budgets: bool = False
    """Whether it takes a budget of thinking tokens."""
    adaptive: bool = True
    """Whether it takes adaptive thinking."""
    efforts: frozenset[str] = frozenset({"low", "medium", "high", "xhigh", "max"})
    off: str | None = "disabled"
    """The type of `thinking` that turns thinking off; None where nothing does."""
    thinks_unless_told: bool = False
    hard_only_while_thinking: bool = False
    """Whether xhigh and max are refused while thinking is off."""
    forced_tools: bool = True
    max_tokens: int = 128_000


OLDER = ClaudeRules(samples=True, budgets=True, adaptive=False, efforts=frozenset(), max_tokens=64_000)
OF_4_6 = ClaudeRules(samples=True, budgets=True, efforts=frozenset({"low", "medium", "high", "max"}))
OF_5 = ClaudeRules(thinks_unless_told=True)
FABLE = replace(OF_5, off=None)

MODELS: Mapping[str, ClaudeRules] = {
    "claude-opus-4-1": replace(OLDER, max_tokens=32_000),
    "claude-opus-4-5": replace(OLDER, efforts=frozenset({"low", "medium", "high"})),
    "claude-sonnet-4-5": OLDER,
    "claude-haiku-4-5": OLDER,
    "claude-opus-4-6": OF_4_6,
    "claude-sonnet-4-6": OF_4_6,
    "claude-opus-4-7": ClaudeRules(),
    "claude-opus-4-8": ClaudeRules(),
    "claude-opus-5": replace(OF_5, hard_only_while_thinking=True),
    "claude-opus-5-5": replace(OF_5, off=None, forced_tools=False),
    "claude-sonnet-5": OF_5,
    "claude-sonnet-5-5": replace(OF_5, off="between_tools", hard_only_while_thinking=True, forced_tools=False),
    "claude-haiku-5-5": replace(OF_5, hard_only_while_thinking=True),
    "claude-fable-5": FABLE,
    "claude-fable-5-1": replace(FABLE, forced_tools=False),
}
"""By the beginning of the id; the longest that fits counts."""


def messages(request: Request) -> Iterator[Refusal]:
    """Yield what the API refuses of a message."""
    version = request.body.get("anthropic_version") or request.headers.get("anthropic-version")
    yield from of_its_version(request, version)
    yield from unknown(request, version)
    yield from of_what_is_required(request.body)
    rules = rules_of(request.model, MODELS)
    if rules is not None:
        yield from of_a_claude(request.body, rules, request.model)


def of_its_version(request: Request, version: str | None) -> Iterator[Refusal]:
    known = VERSIONS.get(request.host, VERSIONS["anthropic"])
    if version is None:
        yield Refusal("anthropic-version: header is required")
    elif version not in known:
        yield Refusal(f'anthropic-version: "{version}" is not a valid version for this API')
    elif (
        request.host == "bedrock"
        and version == WITHOUT_SAMPLING
        and any(name in request.model for name in OLD_ON_BEDROCK)
    ):
        yield Refusal("Invalid API version")


def unknown(request: Request, version: str | None) -> Iterator[Refusal]:
    known = PARAMETERS | OF_THE_PLATFORM.get(request.host, OF_THE_PLATFORM["anthropic"])
    if version != WITHOUT_SAMPLING:
        known |= set(SAMPLING)
    if "anthropic-beta" in request.headers or "anthropic_beta" in request.body:
        known |= BETA_PARAMETERS
    for name in request.body:
        if name not in known:
            yield Refusal(f"{name}: Extra inputs are not permitted")


def of_what_is_required(body: Mapping[str, Any]) -> Iterator[Refusal]:
    for name in ("max_tokens", "messages"):
        if body.get(name) is None:
            yield Refusal(f"{name}: Field required")
    yield from outside(body, "temperature", 0, 1)
    yield from outside(body, "top_p", 0, 1)
    if any(not text.strip() for text in body.get("stop_sequences") or ()):
        yield Refusal("stop_sequences: each stop sequence must contain non-whitespace")


def of_a_claude(body: Mapping[str, Any], rules: ClaudeRules, model: str) -> Iterator[Refusal]:
    """Yield what one Claude refuses: of a message's body, or of what Converse hands through to it."""
    stated = [name for name in SAMPLING if body.get(name) is not None]
    if (body.get("max_tokens") or 0) > rules.max_tokens:
        yield Refusal(f"max_tokens: {body['max_tokens']} > {rules.max_tokens}, the most output tokens of {model}")
    if stated and not rules.samples:
        yield Refusal(f"`{stated[0]}` is deprecated for this model.")
    if {"temperature", "top_p"} <= set(stated):
        yield Refusal("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    yield from of_effort(body, rules)
    yield from of_thinking(body, rules)
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        if not rules.forced_tools:
            yield Refusal("tool_choice: this model does not support forcing tool use.")
        if (body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
            yield Refusal("Thinking may not be enabled when tool_choice forces tool use.")


def of_effort(body: Mapping[str, Any], rules: ClaudeRules) -> Iterator[Refusal]:
    effort = (body.get("output_config") or {}).get("effort")
    kind = (body.get("thinking") or {}).get("type")
    if effort is None:
        return
    if not rules.efforts:
        yield Refusal("This model does not support the effort parameter.")
    if effort not in rules.efforts:
        yield Refusal(f"output_config.effort: this model does not support '{effort}'.")
    if rules.hard_only_while_thinking and kind == rules.off and effort in ("xhigh", "max"):
        yield Refusal(f"output_config.effort: '{effort}' is not supported while thinking is off.")


def of_thinking(body: Mapping[str, Any], rules: ClaudeRules) -> Iterator[Refusal]:
    thinking = body.get("thinking") or {}
    match thinking.get("type"):
        case None:
            return
        case "enabled":
            yield from of_a_budget(thinking, body, rules)
            yield from of_sampling_while_thinking(body)
        case "adaptive":
            if not rules.adaptive:
                yield Refusal("adaptive thinking is not supported on this model")
            yield from of_sampling_while_thinking(body)
        case kind:
            if kind != rules.off:
                yield Refusal(f'"thinking.type.{kind}" is not supported for this model.')


def of_a_budget(thinking: Mapping[str, Any], body: Mapping[str, Any], rules: ClaudeRules) -> Iterator[Refusal]:
    budget = thinking.get("budget_tokens")
    if not rules.budgets:
        yield Refusal('"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".')
    if budget is None:
        yield Refusal("thinking.enabled.budget_tokens: Field required")
    elif budget < 1024:
        yield Refusal("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    elif budget >= (body.get("max_tokens") or 0):
        yield Refusal("`max_tokens` must be greater than `thinking.budget_tokens`.")


def of_sampling_while_thinking(body: Mapping[str, Any]) -> Iterator[Refusal]:
    if body.get("temperature") not in (None, 1):
        yield Refusal("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        yield Refusal("`top_k` must be unset when thinking is enabled.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        yield Refusal("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")


def reasons(request: Request) -> bool:
    """Return whether a Claude thinks before it answers this request."""
    rules = rules_of(request.model, MODELS)
    kind = (request.body.get("thinking") or {}).get("type")
    if kind is not None:
        return kind in ("enabled", "adaptive")
    return rules is not None and rules.thinks_unless_told
