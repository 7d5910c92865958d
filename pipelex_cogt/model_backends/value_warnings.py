"""Warnings about values that can be loaded and are hardly meant; they are looked for when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import chain

from pipelex_cogt.config.endpoints import fault_of_template
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import Prefix, Reference, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table, leaves
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary

_LEAST_PRICE = 0.001
"""US dollars per million tokens: no provider asks less."""
_LEAST_PER_THOUSAND = Decimal("0.0001")
"""US dollars per thousand tokens, below which a price is rather one per token."""


def warn_of_prices(models: Table, report: ProblemReport) -> None:
    """Note prices that are hardly per million tokens.

    Args:
        models: The tables of the models, by backend and model name.
        report: Where warnings are noted.
    """
    for path, price in _prices(models):
        if isinstance(price, float) and 0 < price < _LEAST_PRICE:
            report.warning(path, "prices are US dollars per million tokens", _tell_price(Decimal(repr(price))))


def _prices(models: Table) -> Iterator[tuple[KeyPath, object]]:
    """Every price as stated, that of `[defaults]` once, with its key path."""
    for backend, file in models.items():
        for model, table in file.items():
            costs = table.get("costs") if isinstance(table, dict) else None
            # What is no table is refused, or is told where its backend is not in use.
            yield from leaves(costs if isinstance(costs, dict) else {}, ("models", backend, model, "costs"))


def _tell_price(price: Decimal) -> str:
    """What a price looks like that is no price per million tokens, and what to write."""
    per_token = f"{(price * 1_000_000).normalize():f}"
    if price < _LEAST_PER_THOUSAND:
        return f"{price:f} looks like a price per token: write {per_token}"
    per_thousand = f"{(price * 1_000).normalize():f}"
    return f"{price:f} looks like a price per token or per thousand: write {per_token} or {per_thousand}"


def warn_of_endpoints(backends: InferenceBackendLibrary, report: ProblemReport) -> None:
    """Note variables that make no base URL of a backend in use; other sources are not asked before they are needed."""
    for backend in backends.enabled.values():
        names = _variables_of_endpoint(backend)
        fault = fault_of_template(_stated_endpoint(backend), partial(_of_environment, backend.credentials.environ))
        if names and fault is not None:
            problem = f"{' and '.join(names)} {fault.problem}"
            report.warning(("backends", backend.name, "endpoint"), problem, fault.blind_hint, Place(names[0]))


def _stated_endpoint(backend: InferenceBackend) -> str:
    return str(plain_text(backend.stated_endpoint) or "")


def _variables_of_endpoint(backend: InferenceBackend) -> list[str]:
    """The variables that are set and answer the references of an endpoint."""
    names = chain.from_iterable(reference.names for reference in references_in(_stated_endpoint(backend)))
    of_environment = (name for prefix, name in names if prefix is not Prefix.SECRET)
    return [*filter(backend.credentials.environ.get, of_environment)]


def _of_environment(environ: Environ, reference: Reference) -> str | None:
    """The answer of a reference as far as variables and its default tell it."""
    for prefix, name in reference.names:
        value = None if prefix is Prefix.SECRET else environ.get(name)
        # Where no variable answers a name that may be a secret's, a secret may.
        if value or prefix is not Prefix.ENV:
            return value or None
    return reference.default
