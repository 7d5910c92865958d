"""boto3: what answers only to Amazon Bedrock's own Converse API, such as Nova.

from pipelex_cogt.integrations import bedrock

client = bedrock.client(llm)
client.converse(messages=[{"role": "user", "content": [{"text": "Hello"}]}], **bedrock.arguments(llm))

Claude and gpt-oss on Bedrock have clients of their own: `integrations.anthropic` and `integrations.openai`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.tables import thaw, without_none
from pipelex_cogt.errors import CallRefusedError
from pipelex_cogt.integrations.clients import Clients, apart
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.headers import asked_headers, shown_headers
from pipelex_cogt.integrations.places import AWS_KEYS, further_text, has_key, variant_of
from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

_CLIENTS = Clients()


def arguments(llm: ResolvedLLM) -> dict[str, Any]:
    """What a call is sent besides its messages: `client.converse(messages=…, **arguments(llm))`; no key is in it.

    Raises:
        CallRefusedError: Converse does not serve this model here.
        MissingCredentialError: Its `model_id` is a reference that no source answers.
    """
    _check(llm)
    parameters = llm.parameters
    limits = {
        "maxTokens": parameters.max_tokens,
        "temperature": parameters.temperature,
        "topP": parameters.top_p,
        "stopSequences": [*parameters.stop] or None,
    }
    body = {**_thinking(llm), **thaw(parameters.extra_body)}
    further = {"inferenceConfig": without_none(limits), "additionalModelRequestFields": body}
    return {"modelId": llm.model.model_id, **{name: table for name, table in further.items() if table}}


def client(llm: ResolvedLLM) -> Any:
    """boto3's client for `bedrock-runtime`: one for each backend; boto3 has none for `await`.

    A key that the backend states is asked for at each request, so that a rotated one is used by itself. Where it states
    none, AWS's own chain is asked: environment, profile, role.

    Raises:
        CallRefusedError: Converse does not serve this model here, or nobody says in which region.
        MissingExtraError: boto3 is not installed.
        MissingCredentialError: The endpoint or the region is a reference that no source answers.
    """
    _check(llm)
    # What other SDKs are told with a call, boto3 is told with a client.
    of_call = llm.parameters.timeout, llm.model.name if llm.model.stated_headers else None
    return _CLIENTS.get(llm.backend, (*variant_of(llm), *of_call), partial(_build, apart(llm)))


def stream(llm: ResolvedLLM, prompt: str) -> Iterator[str | Usage]:
    """Call with one prompt: the pieces of the answer as they come, then what it took.

    Raises:
        CallRefusedError: Converse does not serve this model here, or nobody says in which region.
        MissingExtraError: boto3 is not installed.
        MissingCredentialError: A credential is missing.
    """
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    answer = client(llm).converse_stream(messages=messages, **arguments(llm))
    # The last event is not the end of the connection.
    with closing(answer["stream"]) as events:
        for event in events:
            text = event.get("contentBlockDelta", {}).get("delta", {}).get("text")
            if text:
                yield text
            if "metadata" in event:
                yield Usage.of(event["metadata"])


def _check(llm: ResolvedLLM) -> None:
    if llm.model.sdk != "bedrock" or platform_of(llm.backend) is not Platform.BEDROCK:
        raise refusal(llm, "bedrock")


def _thinking(llm: ResolvedLLM) -> dict[str, Any]:
    """A budget to reason with, as Claude takes it through Converse; no other model there counts tokens of its own."""
    budget = llm.parameters.reasoning_budget
    if not budget:
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _build(llm: ResolvedLLM) -> Any:
    boto3, botocore = import_sdk("boto3", "bedrock"), import_sdk("botocore", "bedrock")
    config = import_sdk("botocore.config", "bedrock").Config
    backend = llm.backend
    session = boto3.Session(
        botocore_session=_session(backend),
        region_name=further_text(backend, "aws_region"),
        profile_name=further_text(backend, "aws_profile"),
    )
    if session.region_name is None:
        problem = "states no aws_region, and AWS's own configuration has none"
        raise CallRefusedError(llm.model.name, backend.name, problem, "state aws_region, or set AWS_DEFAULT_REGION")
    timeout, retries = llm.parameters.timeout, llm.max_retries
    limits = {
        "read_timeout": timeout,
        "retries": None if retries is None else {"total_max_attempts": retries + 1},
        "signature_version": _signature(backend, botocore.UNSIGNED),
    }
    settings = config(**without_none(limits))
    built = session.client("bedrock-runtime", endpoint_url=backend.endpoint, config=settings)
    built.meta.events.register("before-sign.bedrock-runtime", partial(_add_headers, llm.model, backend))
    return built


def _signature(backend: InferenceBackend, unsigned: Any) -> Any:
    """How requests are signed; None leaves it to AWS's chain, which looks for a key of its own in the environment."""
    if has_key(backend) or "authorization" in map(str.lower, backend.stated_headers):
        # A header shows who calls, and nothing is signed.
        return unsigned
    return "v4" if AWS_KEYS[0] in backend.stated_extra_config else None


def _add_headers(model: InferenceModelSpec, backend: InferenceBackend, request: Any, **_: Any) -> None:
    key = plain_text(backend.api_key)
    shown = {} if key is None else {"Authorization": f"Bearer {key}"}
    for name, value in {**shown, **asked_headers(backend, model), **shown_headers(model)}.items():
        request.headers[name] = value


def _session(backend: InferenceBackend) -> Any:
    """A session of botocore, with the keys that the backend states, if it does: they are asked for at each request."""
    session = import_sdk("botocore.session", "bedrock").Session
    if AWS_KEYS[0] not in backend.stated_extra_config:
        return session()
    credentials = import_sdk("botocore.credentials", "bedrock")

    def frozen(_credentials: Any) -> Any:
        return credentials.ReadOnlyCredentials(*(further_text(backend, name) for name in AWS_KEYS))

    asked = type("Credentials", (credentials.Credentials,), {"get_frozen_credentials": frozen})
    later = "asked-for-at-each-request"
    return type("Session", (session,), {"get_credentials": lambda _session: asked(later, later)})()
