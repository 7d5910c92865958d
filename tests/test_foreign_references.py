"""References of other tools: which texts are one, and which variable they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.foreign_references import foreign_reference, is_variable_name

NAMING = [
    "$X_KEY",
    "$env:X_KEY",
    "env:X_KEY",
    "env::X_KEY",
    "env.X_KEY",
    "secrets.X_KEY",
    "os.environ/X_KEY",
    "os.environ['X_KEY']",
    'os.environ.get("X_KEY")',
    "os.getenv('X_KEY')",
    "process.env.X_KEY",
    "localEnv:X_KEY",
    "{env:X_KEY}",
    "{ env:X_KEY }",
    "{X_KEY}",
    "{{X_KEY}}",
    "{{ env.X_KEY }}",
    "{{ secrets.X_KEY }}",
    "{{ .Env.X_KEY }}",
    "{{ env('X_KEY') }}",
    "%X_KEY%",
    "((X_KEY))",
    "__X_KEY__",
    "!ENV X_KEY",
    'ENV["X_KEY"]',
    '<%= ENV["X_KEY"] %>',
    "#{ENV['X_KEY']}",
    "@format {env[X_KEY]}",
    "@format {env.X_KEY}",
    "@jinja {{ env.X_KEY }}",
]
NAMING_NONE = [
    "op://vault/item/field",
    "vault:secret/data/x#key",
    "ref+vault://x/y",
    "arn:aws:secretsmanager:eu-west-1:1:secret:x",
    "$(cat key.txt)",
    "`cat key.txt`",
    "file:///run/key",
    "@Microsoft.KeyVault(SecretUri=https://x)",
    "{{resolve:secretsmanager:x}}",
]
NONE = [
    "",
    "sk-4f9d0c",
    "X_KEY",
    "$x",
    "$",
    "{}",
    "{x}",
    "%20x%20",
    "env.",
    "environment",
    "a$X_KEY",
    "$X_KEY/v1",
    "https://api.example.com/v1",
    "us.anthropic.claude-sonnet-4-v1:0",
    "2024-10-21",
]


@pytest.mark.parametrize("text", NAMING)
def test_a_reference_of_another_tool_names_its_variable(text: str) -> None:
    assert foreign_reference(text) == "X_KEY"


@pytest.mark.parametrize("text", NAMING_NONE)
def test_an_address_or_a_command_names_no_variable(text: str) -> None:
    assert foreign_reference(text) == ""


@pytest.mark.parametrize("text", NONE)
def test_other_text_is_no_reference(text: str) -> None:
    assert foreign_reference(text) is None


@given(st.text(alphabet="${}%()[]_.:/! envXKEY'\"", max_size=40))
def test_whatever_is_named_can_be_a_variable(text: str) -> None:
    name = foreign_reference(text)
    assert not name or name.isidentifier()


@pytest.mark.parametrize("text", ["OPENAI_API_KEY", "HF_TOKEN", "MY_CLIENT_SECRET"])
def test_the_name_of_a_variable_is_one(text: str) -> None:
    assert is_variable_name(text)


@pytest.mark.parametrize("text", ["KEY", "openai_api_key", "AKIA4F9D0C", "OPENAI-API-KEY", "X_" * 200 + "KEY", ""])
def test_other_text_is_no_name_of_a_variable(text: str) -> None:
    assert not is_variable_name(text)
