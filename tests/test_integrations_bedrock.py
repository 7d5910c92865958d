"""What Bedrock's Converse is sent for a preset, and what it does not serve: all that is known without boto3."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pipelex_cogt.errors import CallRefusedError, MissingExtraError
from pipelex_cogt.integrations import bedrock
from tests.resolved import resolved

BACKEND = {"api_key": "${KEY}", "aws_region": "eu-west-1"}
NOVA = {"sdk": "bedrock", "model_id": "amazon.nova-pro-v1:0"}


@pytest.mark.parametrize(
    ("model", "preset", "sent"),
    [
        pytest.param({}, {}, {}, id="nothing stated"),
        pytest.param(
            {},
            {"temperature": 0.0, "top_p": 0.9, "max_tokens": 100, "stop": ["END"]},
            {"inferenceConfig": {"temperature": 0.0, "topP": 0.9, "maxTokens": 100, "stopSequences": ["END"]}},
            id="limits",
        ),
        pytest.param(
            {"reasoning_budget": [1024, 9000]},
            {"reasoning_budget": 2000, "extra_body": {"inferenceConfig": {"topK": 3}}},
            {
                "additionalModelRequestFields": {
                    "thinking": {"type": "enabled", "budget_tokens": 2000},
                    "inferenceConfig": {"topK": 3},
                }
            },
            id="further fields",
        ),
    ],
)
def test_the_arguments_of_a_preset(model: dict[str, Any], preset: dict[str, Any], sent: dict[str, Any]) -> None:
    llm = resolved(BACKEND, {**NOVA, **model}, preset)
    assert bedrock.arguments(llm) == {"modelId": "amazon.nova-pro-v1:0", **sent}


@pytest.mark.parametrize(
    ("backend", "sdk"), [({"endpoint": "https://b.example.com"}, "bedrock"), (BACKEND, "anthropic")]
)
def test_what_converse_does_not_serve_is_refused(backend: dict[str, Any], sdk: str) -> None:
    llm = resolved(backend, {"sdk": sdk})
    for refuse in (bedrock.arguments, bedrock.client):
        with pytest.raises(CallRefusedError, match="which bedrock cannot call"):
            refuse(llm)


def test_a_missing_boto3_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*pipelex-cogt\[bedrock\]"):
        bedrock.client(resolved(BACKEND, NOVA, {}, {"KEY": "k"}))
