"""Endpoints: a base URL has a scheme and a host, wherever it comes from, and no message shows what may be a secret."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import InferenceBackend, UnusableCredentialError
from pipelex_cogt.config.endpoints import fault_of_endpoint, fault_of_template
from tests.conftest import Load

Problems = Callable[..., list[str]]

CANARY = "canary-value"
NO_SCHEME = "has no https:// or http:// in front"
BLIND = "begin it with https:// or http://"

SOUND = [
    "https://api.openai.com/v1",
    "http://localhost:11434/v1",
    "HTTPS://API.example.com",
    "http://10.0.0.7",
    "https://[::1]:8000/v1",
    "https://user:pass@host.example.com/v1?api-version=3#x",
    "https://häuser.example",
    "https://host_with_underscore/v1",
    "grpc://host:50051",
    "unix:///var/run/model.sock",
    "  https://padded.example.com\n",
    "",
    "   ",
]

FAULTS = {
    "no scheme": ("api.openai.com/v1", NO_SCHEME, "write https://api.openai.com/v1"),
    "a port": ("api.example.com:8443", NO_SCHEME, "write https://api.example.com:8443"),
    "this machine": ("localhost:11434/v1", NO_SCHEME, "write http://localhost:11434/v1"),
    "this machine, bare": ("localhost", NO_SCHEME, "write http://localhost"),
    "an address": ("127.0.0.1:8000", NO_SCHEME, "write http://127.0.0.1:8000"),
    "a machine of the network": ("ollama:11434", NO_SCHEME, "write http://ollama:11434"),
    "two slashes": ("//api.example.com", NO_SCHEME, "write https://api.example.com"),
    "no name of a scheme": ("://api.example.com", NO_SCHEME, "write https://api.example.com"),
    "one slash": ("http:/api.example.com", NO_SCHEME, "write http://api.example.com"),
    "no slash": ("https:api.example.com/v1", NO_SCHEME, "write https://api.example.com/v1"),
    "no colon": ("https//api.example.com", NO_SCHEME, "write https://api.example.com"),
    "a semicolon": ("http;//api.example.com", NO_SCHEME, "write http://api.example.com"),
    "a letter short": ("htps://api.example.com", NO_SCHEME, "write https://api.example.com"),
    "a letter more": ("httpss://api.example.com", NO_SCHEME, "write https://api.example.com"),
    "a letter exchanged": ("nttp://api.example.com", NO_SCHEME, "write http://api.example.com"),
    "any word": ("ollama", NO_SCHEME, BLIND),
    "a key": ("sk-proj-AbCdEf", NO_SCHEME, BLIND),
    "three parts of a token": ("eyJhbGci.eyJzdWIi.SflKxwRJ", NO_SCHEME, BLIND),
    "a password": ("user:pass@host.example.com", NO_SCHEME, BLIND),
    "a query": ("host.example.com?api_key=5", NO_SCHEME, BLIND),
    "a long path": (f"hooks.example.com/{'a' * 40}", NO_SCHEME, BLIND),
    "another tool's reference": ("{env:OPENAI_BASE}", NO_SCHEME, BLIND),
    "no host": ("https://", "names no host", "state it after the scheme"),
    "no host before the path": ("https:///v1", "names no host", "state it after the scheme"),
    "no host before the port": ("http://:8000", "names no host", "state it after the scheme"),
    "no host after the user": ("https://user:pass@/v1", "names no host", "state it after the scheme"),
    "two schemes": ("https://http://host", "has a scheme twice", "keep one of the two"),
    "a blank": ("https://host name/v1", "holds white space", "take it out"),
    "a line end": ("https://host\n/v1", "holds white space", "take it out"),
}


@pytest.mark.parametrize("text", SOUND)
def test_a_base_url_has_no_fault(text: str) -> None:
    assert fault_of_endpoint(text) is None


@pytest.mark.parametrize(("text", "problem", "hint"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_base_url_says_what_to_write(text: str, problem: str, hint: str) -> None:
    fault = fault_of_endpoint(text)
    assert fault is not None
    assert (fault.problem, fault.hint) == (problem, hint)
    assert not re.search(r"[a-z]\.[a-z]|sk-|pass", fault.hint_for_source)


@given(st.text(max_size=40))
def test_a_line_to_write_is_a_base_url_whatever_the_text(text: str) -> None:
    fault = fault_of_endpoint(text)
    if fault is not None and fault.hint.startswith("write "):
        assert fault_of_endpoint(fault.hint.removeprefix("write ")) is None


@given(st.text(max_size=40))
def test_what_begins_with_a_scheme_and_a_host_has_no_fault(text: str) -> None:
    path = "".join(character for character in text if not character.isspace())
    assert fault_of_endpoint(f"https://host/{path}") is None


TEMPLATES = {
    "a default without a scheme": ("${U:-localhost:80}", NO_SCHEME),
    "a default with one": ("${U:-http://localhost:80}", None),
    "an empty default": ("${U:-}", None),
    "nothing is known": ("${U}/v1", None),
    "it may come from the reference": ("${SCHEME}://host", None),
    "the end of it may": ("http${S}://host", None),
    "it cannot": ("api.${REGION}.example.com", NO_SCHEME),
    "a host is not known": ("https://${HOST}/v1", None),
    "twice": ("https://${U:-https://host}/v1", "has a scheme twice"),
    "an escape": ("$${HOST}/v1", NO_SCHEME),
    "malformed": ("${U", None),
}


@pytest.mark.parametrize(("text", "problem"), TEMPLATES.values(), ids=TEMPLATES)
def test_references_are_judged_by_what_is_known_of_them(text: str, problem: str | None) -> None:
    fault = fault_of_template(text, lambda reference: reference.default)
    assert (fault and fault.problem) == problem


STATED = {
    "a literal": ("localhost:80/v1", f"{NO_SCHEME}; write http://localhost:80/v1"),
    "a default": ("${U:-localhost:80/v1}", f"{NO_SCHEME}; write http://localhost:80/v1"),
    "a literal around a reference": ("api.${U}.example.com", f"{NO_SCHEME}; {BLIND}"),
    "a password": (f"user:{CANARY}@host.example.com", f"{NO_SCHEME}; {BLIND}"),
}


@pytest.mark.parametrize(("text", "told"), STATED.values(), ids=STATED)
def test_a_stated_endpoint_that_is_none_is_an_error_at_its_line(problems: Problems, text: str, told: str) -> None:
    found = problems({"backends.local.toml": f"[a]\nendpoint = '{text}'"})
    assert found == [f"backends.local.toml:2  cogt.backends.a.endpoint: {told}"]


def test_of_a_backend_that_is_not_in_use_it_is_a_warning(load: Load) -> None:
    (warning,) = load({"backends.local.toml": "[off]\nendpoint = 'localhost:80'"}).warnings
    assert (warning.path, warning.line) == ("cogt.backends.off.endpoint", 2)
    assert warning.message == f"{NO_SCHEME}; write http://localhost:80"


def test_nothing_of_an_endpoint_in_a_file_of_secrets_is_shown(problems: Problems) -> None:
    (told,) = problems({".secrets.toml": "[default.cogt.backends.a]\nendpoint = 'host.example.com'"})
    assert told.endswith(f"cogt.backends.a.endpoint: {NO_SCHEME}; {BLIND}")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_endpoint_is_none(load: Load, text: str) -> None:
    manager = load({"backends.local.toml": f"[a]\nendpoint = '{text}'"})
    assert manager.backends["a"].endpoint is None
    assert manager.warnings == ()


def test_white_space_around_an_endpoint_is_taken_off(load: Load) -> None:
    manager = load({"backends.local.toml": "[a]\nendpoint = '${U}'"}, environ={"U": " https://host/v1 \n"})
    assert manager.backends["a"].endpoint == "https://host/v1"
    assert manager.warnings == ()


VARIABLES = {
    "no scheme": ("${U}/v1", {"U": f"user:{CANARY}@host"}, NO_SCHEME),
    "a scheme twice": ("https://${U}", {"U": f"https://{CANARY}"}, "has a scheme twice"),
    "the first that is set": ("${env:NOPE|env:U}", {"U": CANARY}, NO_SCHEME),
    "over a sound default": ("${U:-http://localhost}", {"U": CANARY}, NO_SCHEME),
    "white space": ("${U}", {"U": f"https://host {CANARY}"}, "holds white space"),
}


@pytest.mark.parametrize(("text", "environ", "problem"), VARIABLES.values(), ids=VARIABLES)
def test_a_variable_that_makes_no_url_is_told_by_its_name_at_load_and_at_use(
    load: Load, text: str, environ: dict[str, str], problem: str
) -> None:
    manager = load({"backends.local.toml": f"[a]\nendpoint = '{text}'"}, environ=environ)
    (warning,) = manager.warnings
    assert (warning.file, warning.path) == ("U", "cogt.backends.a.endpoint")
    assert warning.problem == f"U {problem}"
    error = error_at_use(manager.backends["a"])
    assert str(error) == f"U  cogt.backends.a.endpoint: {warning.message}"
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert CANARY not in f"{manager.warnings}{error}{error!r}{shown}"


def error_at_use(backend: InferenceBackend) -> UnusableCredentialError:
    with pytest.raises(UnusableCredentialError) as caught:
        _ = backend.endpoint
    return caught.value


def test_what_only_a_secret_answers_is_not_asked_before_it_is_used(load: Load) -> None:
    class Source:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def get(self, name: str) -> str | None:
            self.asked.append(name)
            return "host.example.com"

    source = Source()
    manager = load({"backends.local.toml": "[a]\nendpoint = '${secret:U}'"}, sources=[source])
    assert manager.warnings == ()
    assert source.asked == []
    assert error_at_use(manager.backends["a"]).problem == f"U {NO_SCHEME}; {BLIND}"
