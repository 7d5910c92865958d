"""What the live APIs refuse, as far as SDKs, their documentation and other people's tests tell: written without a look
at the catalogue of this package, which is tested against it.

Facts: openai 3.57.0, anthropic 2.14.0, google-genai 2.34.0, mistralai 3.7.0, botocore 1.44.8, litellm 1.110.2 (its map
of models among them) and the profiles of pydantic-ai-slim 2.68.0, many of which say when they were tried live;
read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from tests.integrations.exchange import DialectName, Refusal, Request
from tests.integrations.refusals import anthropic, bedrock, gemini, openai

JUDGES: Mapping[DialectName, Callable[[Request], Iterator[Refusal]]] = {
    "chat": openai.chat,
    "responses": openai.responses,
    "messages": anthropic.messages,
    "gemini": gemini.generate_content,
    "converse": bedrock.converse,
}
WITHOUT_A_KEY = {"ollama"}
TOKEN_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def refusal_of(
    request: Request,
    keys: Collection[str] | None,
    models: Collection[str] | None,
    limits: Mapping[str, int],
) -> Refusal | None:
    """Return why the live API would refuse a request, or None.

    Args:
        request: The request, of a known dialect.
        keys: The keys that exist; None where every key is good.
        models: The ids of the models that exist; None where every model does.
        limits: The most output tokens of a model, by its id, where a test knows better.
    """
    return next(all_refusals(request, keys, models, limits), None)


def all_refusals(
    request: Request,
    keys: Collection[str] | None,
    models: Collection[str] | None,
    limits: Mapping[str, int],
) -> Iterator[Refusal]:
    assert request.dialect is not None
    yield from without_a_good_key(request, keys)
    yield from of_an_unknown_model(request, models)
    yield from above_the_limit(request, limits)
    yield from JUDGES[request.dialect](request)


def without_a_good_key(request: Request, keys: Collection[str] | None) -> Iterator[Refusal]:
    key = key_of(request)
    if key is None and request.host not in WITHOUT_A_KEY:
        # Gemini's own words and statuses: 403 without a key, 400 with a bad one.
        yield Refusal("No credentials were given.", 403 if request.dialect == "gemini" else 401, code="invalid_api_key")
    elif keys is not None and key not in keys and not (key or "").startswith("AWS4-"):
        yield Refusal("The key is not valid.", 400 if request.dialect == "gemini" else 401, code="invalid_api_key")


def key_of(request: Request) -> str | None:
    """Return the key of a request, from where its API looks for it; a signature counts as one."""
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip() or None
    if request.host in ("bedrock", "vertexai"):
        return bearer or headers.get("x-goog-api-key")
    match request.dialect:
        case "messages":
            return headers.get("x-api-key") or bearer
        case "gemini":
            return headers.get("x-goog-api-key") or request.query.get("key")
        case _:
            return headers.get("api-key") or bearer if request.host == "azure_openai" else bearer


def of_an_unknown_model(request: Request, models: Collection[str] | None) -> Iterator[Refusal]:
    if not request.model:
        yield Refusal("you must provide a model parameter", param="model")
    elif models is not None and request.model not in models:
        yield Refusal(f"The model `{request.model}` does not exist.", 404, "model", "model_not_found")


def above_the_limit(request: Request, limits: Mapping[str, int]) -> Iterator[Refusal]:
    most = limits.get(request.model)
    for name, asked in token_limits(request):
        if most is not None and asked > most:
            yield Refusal(f"{name} is too large: {asked}. This model supports at most {most} tokens.", param=name)
        if asked < 1:
            yield Refusal(f"{name}: {asked} is less than the minimum of 1.", param=name)


def token_limits(request: Request) -> Iterator[tuple[str, int]]:
    """Yield the limits of output tokens that a request states, wherever its dialect writes them."""
    places = {
        **{name: request.body.get(name) for name in TOKEN_LIMITS},
        "maxOutputTokens": (request.body.get("generationConfig") or {}).get("maxOutputTokens"),
        "maxTokens": (request.body.get("inferenceConfig") or {}).get("maxTokens"),
    }
    yield from ((name, asked) for name, asked in places.items() if isinstance(asked, int))
