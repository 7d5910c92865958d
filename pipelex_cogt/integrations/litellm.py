"""LiteLLM: a resolved preset called with `completion` or a `Router`, and a deck as the configuration of its proxy.

from pipelex_cogt.integrations import litellm as cogt_litellm

litellm.completion(messages=[{"role": "user", "content": "Hello"}], **cogt_litellm.arguments(llm))
Router(model_list=[{"model_name": "smart", "litellm_params": cogt_litellm.arguments(llm)}])
yaml.safe_dump(cogt_litellm.proxy_config(deck))

It calls models of every `sdk` that this package knows. Grok on Vertex AI wants `google-cloud-aiplatform` beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from pipelex_cogt.config.answers import answer
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import is_secret_path, plain_text
from pipelex_cogt.config.secret_values import MASK
from pipelex_cogt.integrations.litellm_calls import build_call
from pipelex_cogt.integrations.litellm_proxy import proxy_config
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.models.model_deck import ResolvedLLM

__all__ = ["MaskedText", "arguments", "proxy_config"]


class MaskedText(str):
    """Text that LiteLLM needs plainly and that no repr shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


@leaves_no_locals
def arguments(llm: ResolvedLLM) -> dict[str, Any]:
    """What `litellm.completion`, `acompletion` and a `Router` are told beside the messages. It needs no LiteLLM.

    **The key is in it**, for LiteLLM takes nothing but text: `api_key`, secret headers and credentials of AWS. Their
    repr is masked, so that a dict that is printed or logged shows none; JSON, a pickle, `str()` of the value itself,
    LiteLLM's own log at DEBUG and error reporters that walk through dicts show them. What `extra_body` states is in it
    as it is, and in its repr. Ask for it anew for each call: the key is that of this moment.

    The timeout is in seconds. The backend's `max_retries` is LiteLLM's `num_retries`, 0 for a member of a chain that
    another one follows; at OpenAI and Azure `completion` (not the `Router`) has the SDK below it retry as often, too,
    but takes 0 for its own 2 where Azure is not awaited. Of `extra_body` LiteLLM drops what it does not know
    where `api` is "responses", and before it sends anything it refuses an effort such as "xhigh" to a model of which
    its own list does not tell it yet.

    What is stated wins over the environment but for two things: the SDK of OpenAI below LiteLLM adds the headers of
    OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS, and on Bedrock LiteLLM prefers AWS_BEARER_TOKEN_BEDROCK
    to keys of AWS.

    Raises:
        CallRefusedError: LiteLLM cannot call this model, or would send the prompt to another host.
        MissingCredentialError: A reference that no source answers.
        UnusableCredentialError: What answers one can never work.
        SecretFileError: A secret's file cannot be used.
        SecretSourceError: A source of the application's own fails.
    """
    return build_call(llm, _answered)


def _answered(backend: InferenceBackend, stated: Any, path: KeyPath, within: Callable[[str], str] | None = None) -> Any:
    """A setting with its references answered; one that is secret is shown by no repr."""
    answered = answer(stated, backend.credentials, backend.name, path, ())
    text = plain_text(answered)
    if text and within is not None:
        text = within(text)
    is_secret = isinstance(answered, SecretStr) or is_secret_path(path[-2:])
    return MaskedText(text) if text and is_secret else text
