"""Whose door a backend is, and who is named where a module cannot go through it."""

from __future__ import annotations

from typing import Any

import pytest

from pipelex_cogt.integrations.platforms import Platform, platform_of, refusal
from tests.resolved import resolved


@pytest.mark.parametrize(
    ("backend", "platform"),
    [
        ({"endpoint": "https://h.example.com"}, Platform.OWN),
        ({"api_version": "v1"}, Platform.AZURE),
        ({"api_version": ""}, Platform.AZURE),
        ({"aws_region": "${AWS_REGION:-}"}, Platform.BEDROCK),
        ({"gcp_project_id": "${PROJECT}"}, Platform.VERTEX),
        ({"gcp_location": "global"}, Platform.OWN),
    ],
)
def test_a_further_key_tells_the_platform_whatever_its_value(backend: dict[str, Any], platform: Platform) -> None:
    assert platform_of(resolved(backend).backend) is platform


def test_a_refusal_names_the_module_that_can_and_never_the_one_that_refuses() -> None:
    llm = resolved({"endpoint": "https://h.example.com"}, {"sdk": "anthropic"})
    assert refusal(llm, "google").next_step == "call it with pipelex_cogt.integrations.anthropic"
    assert str(refusal(llm, "anthropic").next_step).startswith("this package calls sdk 'anthropic', 'bedrock'")
