"""What OpenAI's and Azure's APIs refuse, and those that imitate them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.integrations.exchange import Refusal, Request
from tests.integrations.refusals.pieces import bare_id, outside, rules_of, words

OWN_HOSTS = ("openai", "azure_openai", "bedrock")
"""They serve OpenAI's models through OpenAI's own code: Bedrock enforces the same rules (litellm, measured)."""

CHAT_PARAMETERS = words(
    """
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
    messages metadata modalities model moderation n parallel_tool_calls prediction presence_penalty
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format
    safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
    top_logprobs top_p user verbosity web_search_options
    """
)
RESPONSES_PARAMETERS = words(
    """
    access_programs background background_options context_management conversation image include input
    instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls
    previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning
    safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs
    top_p truncation user
    """
)
MISTRAL_PARAMETERS = words(
    """
    frequency_penalty guardrails logprobs max_tokens messages metadata min_tokens model n parallel_tool_calls
    prediction presence_penalty prompt_cache_key prompt_logprobs prompt_mode random_seed reasoning_effort
    repetition_penalty response_format safe_prompt service_tier stop stream temperature tool_choice tools top_k
    top_logprobs top_p top_prompt_logprobs
    """
)
SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs")
RESPONSES_SINCE = "2025-03-01-preview"
"""The first of Azure's dated versions that has the Responses API."""


@dataclass(frozen=True)
class OpenAIRules:
    """What one of OpenAI's models takes."""

    efforts: frozenset[str]
    """The efforts it takes; none of them where it does not reason."""
    unless_told: str = "medium"
    """The effort where a request states none."""
    responses_only: bool = False
    tools_only_on_responses: bool = False
    """Whether chat refuses function tools while the model reasons (gpt-5.4 and later)."""
    max_tokens: int = 128_000


ALWAYS = OpenAIRules(frozenset({"low", "medium", "high"}))
WHEN_ASKED = OpenAIRules(frozenset({"none", "low", "medium", "high"}), unless_told="none")
WHEN_ASKED_HARD = replace(WHEN_ASKED, efforts=WHEN_ASKED.efforts | {"xhigh"})
PRO = OpenAIRules(frozenset({"medium", "high", "xhigh"}), responses_only=True)
NEWEST = OpenAIRules(frozenset({"none", "low", "medium", "high", "xhigh", "max"}), tools_only_on_responses=True)
NEVER_OFF = replace(NEWEST, efforts=NEWEST.efforts - {"none"})
WITHOUT_REASONING = OpenAIRules(frozenset(), unless_told="none", max_tokens=16_384)

MODELS: Mapping[str, OpenAIRules] = {
    "gpt-6-astra": NEVER_OFF,
    "gpt-6.1-sol": NEVER_OFF,
    "gpt-6.1-terra": NEWEST,
    "gpt-6-sol": NEWEST,
    "gpt-6-luna": NEWEST,
    "gpt-5.6": NEWEST,
    "gpt-5.5-pro": PRO,
    "gpt-5.5": replace(NEWEST, efforts=NEWEST.efforts - {"max"}),
    "gpt-5.4-pro": PRO,
    "gpt-5.4": replace(WHEN_ASKED_HARD, tools_only_on_responses=True),
    "gpt-5.3-codex": replace(WHEN_ASKED_HARD, unless_told="medium", responses_only=True),
    "gpt-5.2-pro": PRO,
    "gpt-5.2-codex": replace(ALWAYS, efforts=ALWAYS.efforts | {"xhigh"}, responses_only=True),
    "gpt-5.2": WHEN_ASKED_HARD,
    "gpt-5.1-codex-max": replace(ALWAYS, efforts=ALWAYS.efforts | {"xhigh"}, responses_only=True),
    "gpt-5.1-codex": replace(ALWAYS, responses_only=True),
    "gpt-5.1": WHEN_ASKED,
    "gpt-5-pro": OpenAIRules(frozenset({"high"}), "high", responses_only=True, max_tokens=272_000),
    "gpt-5-codex": replace(ALWAYS, responses_only=True),
    "gpt-5": replace(ALWAYS, efforts=ALWAYS.efforts | {"minimal"}),
    "o1": replace(ALWAYS, max_tokens=100_000),
    "o3": replace(ALWAYS, max_tokens=100_000),
    "o3-pro": replace(ALWAYS, max_tokens=100_000, responses_only=True),
    "o4": replace(ALWAYS, max_tokens=100_000),
    "gpt-4.1": replace(WITHOUT_REASONING, max_tokens=32_768),
    "gpt-4o": WITHOUT_REASONING,
}
"""By the beginning of the id; the longest that fits counts."""

EFFORTS_ELSEWHERE: Mapping[str, Mapping[str, frozenset[str]]] = {
    "xai": {
        "grok-4.7": frozenset({"low", "medium", "high", "xhigh"}),
        "grok-4.6": frozenset({"low", "medium", "high"}),
        "grok-4.5": frozenset({"low", "medium", "high"}),
        "grok-4.3": frozenset({"none", "low", "medium", "high"}),
        "grok-4.20": frozenset(),
        "grok-build": frozenset(),
    },
    "mistral": {
        "": frozenset({"none", "high"}),
        "glm-5.3": frozenset({"low", "high", "max"}),
        "zai-glm-5-3": frozenset({"low", "high", "max"}),
    },
    "groq": {
        "gpt-oss": frozenset({"low", "medium", "high"}),
        "qwen3": frozenset({"none", "default"}),
        "llama": frozenset(),
    },
    "cerebras": {"gpt-oss": frozenset({"low", "medium", "high"})},
}
"""The efforts that models of other hosts take, by host and by the beginning of the id."""

HOTTEST = {"mistral": 1.5, "cohere": 1.0}
"""The highest temperature, where it is not 2."""


def chat(request: Request) -> Iterator[Refusal]:
    """Yield what the host of a chat completion refuses of it."""
    yield from of_its_address(request)
    if "messages" not in request.body:
        yield Refusal("Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter")
    yield from outside(request.body, "temperature", 0, HOTTEST.get(request.host, 2))
    yield from outside(request.body, "top_p", 0, 1)
    rules = rules_of(request.model, MODELS)
    if request.host in OWN_HOSTS:
        yield from unknown(request, CHAT_PARAMETERS, "Unrecognized request argument supplied: {}")
        yield from of_a_strict_schema(request.body.get("response_format") or {})
    if request.host in OWN_HOSTS and rules is not None:
        yield from of_chat_with(request, rules)
    yield from elsewhere(request)


def of_its_address(request: Request) -> Iterator[Refusal]:
    dated = request.host == "azure_openai" and not request.path.startswith("/openai/v1/")
    version = request.query.get("api-version")
    if dated and version is None:
        yield Refusal("Resource not found", 404)
    elif dated and request.dialect == "responses" and version is not None and version < RESPONSES_SINCE:
        yield Refusal(f"The Responses API is enabled only for api-version {RESPONSES_SINCE} and later", 400)


def unknown(request: Request, known: frozenset[str], message: str) -> Iterator[Refusal]:
    for name in request.body:
        if name not in known:
            yield Refusal(message.format(name), param=name, code="unknown_parameter")


def of_chat_with(request: Request, rules: OpenAIRules) -> Iterator[Refusal]:
    """Yield what one of OpenAI's models refuses on chat."""
    body = request.body
    effort = body.get("reasoning_effort") or rules.unless_told
    if rules.responses_only:
        yield Refusal("This model is only supported in v1/responses and not in v1/chat/completions.", 404, "model")
    if rules.efforts and body.get("max_tokens") is not None:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        yield Refusal(message, param="max_tokens", code="unsupported_parameter")
    if rules.efforts and body.get("stop") is not None:
        yield unsupported("stop")
    # Chat refuses the effort "max" of every model (pydantic-ai), and function tools while the newer reason (litellm).
    yield from of_effort(body.get("reasoning_effort"), rules.efforts - {"max"}, "reasoning_effort")
    if rules.tools_only_on_responses and body.get("tools") and effort != "none":
        message = "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions. "
        yield Refusal(message + "Use /v1/responses, or set reasoning_effort to 'none'.", param="reasoning_effort")
    yield from of_sampling(body, effort)
    if request.host != "bedrock":  # its model cards state limits of their own
        yield from of_the_limit(body, ("max_tokens", "max_completion_tokens"), rules)


def of_effort(effort: str | None, known: frozenset[str], name: str) -> Iterator[Refusal]:
    if effort is None or effort in known:
        return
    if not known:
        yield unsupported(name)
    message = f"Unsupported value: '{name}' does not support '{effort}' with this model. Supported: {sorted(known)}."
    yield Refusal(message, param=name, code="unsupported_value")


def of_sampling(body: Mapping[str, Any], effort: str) -> Iterator[Refusal]:
    if effort != "none":
        yield from (unsupported(name) for name in SAMPLING if body.get(name) is not None)


def unsupported(name: str) -> Refusal:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return Refusal(message, param=name, code="unsupported_parameter")


def of_the_limit(body: Mapping[str, Any], names: tuple[str, ...], rules: OpenAIRules) -> Iterator[Refusal]:
    for name in names:
        if (body.get(name) or 0) > rules.max_tokens:
            message = f"{name} is too large: {body[name]}. This model supports at most {rules.max_tokens} tokens."
            yield Refusal(message, param=name, code="invalid_value")


def of_a_strict_schema(form: Mapping[str, Any]) -> Iterator[Refusal]:
    """Refuse an object of a strict schema that leaves a property optional, or takes others."""
    described = form.get("json_schema") or form
    if described.get("strict"):
        yield from of_strict_objects(described.get("schema") or {}, form.get("type", ""))


def of_strict_objects(schema: Any, name: str) -> Iterator[Refusal]:
    if isinstance(schema, list):
        for each in schema:
            yield from of_strict_objects(each, name)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if isinstance(properties, dict) and schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            message = "Invalid schema: a strict object needs additionalProperties false, and every property required."
            yield Refusal(message, param=name, code="invalid_json_schema")
    for value in schema.values():
        yield from of_strict_objects(value, name)


def elsewhere(request: Request) -> Iterator[Refusal]:
    """Yield what the imitators of OpenAI's API refuse."""
    body = request.body
    kind = (body.get("response_format") or {}).get("type")
    if request.host == "deepseek" and kind == "json_schema":
        yield Refusal("This response_format type is unavailable now", param="response_format")
    if request.host == "mistral":
        yield from (
            replace(each, status=422)
            for each in unknown(request, MISTRAL_PARAMETERS, "{}: Extra inputs are not permitted")
        )
    if request.host == "xai" and bare_id(request.model).startswith(("grok-4", "grok-code")):
        yield from (unsupported(name) for name in ("stop", "presence_penalty") if body.get(name) is not None)
    known = rules_of(request.model, EFFORTS_ELSEWHERE.get(request.host, {}))
    if known is not None:
        yield from of_effort(body.get("reasoning_effort"), known, "reasoning_effort")


def ignored(request: Request) -> tuple[str, ...]:
    """Return the parameters that the host takes without a word and without effect."""
    if request.host == "deepseek" and "max_completion_tokens" in request.body:
        return ("max_completion_tokens",)
    return ()


def responses(request: Request) -> Iterator[Refusal]:
    """Yield what the Responses API refuses."""
    body = request.body
    yield from of_its_address(request)
    yield from unknown(request, RESPONSES_PARAMETERS, "Unknown parameter: '{}'.")
    if not {"input", "prompt", "conversation", "previous_response_id"} & set(body):
        yield Refusal("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if (body.get("max_output_tokens") or 16) < 16:
        message = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
        yield Refusal(message, param="max_output_tokens", code="integer_below_min_value")
    yield from outside(body, "temperature", 0, 2)
    yield from outside(body, "top_p", 0, 1)
    yield from of_a_strict_schema((body.get("text") or {}).get("format") or {})
    rules = rules_of(request.model, MODELS)
    if rules is not None:
        asked = (body.get("reasoning") or {}).get("effort")
        yield from of_effort(asked, rules.efforts, "reasoning.effort")
        yield from of_sampling(body, asked or rules.unless_told)
        yield from of_the_limit(body, ("max_output_tokens",), rules)


def reasons(request: Request) -> bool:
    """Return whether a model of OpenAI's reasons before it answers this request."""
    rules = rules_of(request.model, MODELS)
    asked = request.body.get("reasoning_effort") or (request.body.get("reasoning") or {}).get("effort")
    return rules is not None and (asked or rules.unless_told) != "none"
