"""A loopback server for each test, and a guard: a connection to anything else fails the test."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from tests.integrations.server import Provider

NAMES_OF_OTHERS = ("OPENAI_", "AZURE_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "VERTEX", "AWS_", "MISTRAL_", "LITELLM_")
"""Variables that SDKs read by themselves: none of the machine's may reach a test."""
QUIET = {
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_GCE_CHECK": "true",
}
"""What keeps SDKs from asking the network before anybody called them."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# LiteLLM reads it when it is imported, which may be while tests are collected.
os.environ.update(QUIET)


class LeftTheMachineError(ConnectionError):
    """A test wanted to talk to somebody who is not on this machine."""


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the machine's environment says to SDKs."""
    for name in list(os.environ):
        if name.startswith(NAMES_OF_OTHERS) or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuse connections that are not loopback, in whichever thread, and fail the test that wanted one."""
    wanted: list[str] = []

    def refuse(target: object) -> None:
        wanted.append(str(target))
        raise LeftTheMachineError(f"not on this machine: {target}")

    def watched(method: Any) -> Any:
        def call(self: socket.socket, address: Any, *rest: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
                refuse(address)
            return method(self, address, *rest)

        return call

    def look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        if host is not None and not is_loopback(host):
            refuse(host)
        return real_look_up(host, *arguments, **named)

    real_look_up = socket.getaddrinfo
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, watched(getattr(socket.socket, name)))
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield wanted
    assert not wanted, f"a test left the machine, or tried to: {wanted}"


def is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The loopback server, as every provider at once."""
    with Provider() as running:
        yield running
