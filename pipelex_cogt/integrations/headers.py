"""Headers: what anybody may see stands in a call's arguments, what is secret is asked for each request.

A header of a model is secret where its name ends in a secret word (`x-api-key`), where its value looks like a key, and
where it holds a reference, for nobody knows what will answer that. Those, and all headers of a backend, are the
client's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelex_cogt.config.masking import SealedText, is_sealed_path, plain_text
from pipelex_cogt.config.references import holds_reference
from pipelex_cogt.config.secret_values import mask_text
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec


def shown_headers(model: InferenceModelSpec) -> dict[str, str]:
    """The headers of a model that anybody may see."""
    secret = set(secret_headers(model))
    return {name: model.headers[name] for name in model.stated_headers if name not in secret}


def secret_headers(model: InferenceModelSpec) -> tuple[str, ...]:
    """The names of a model's headers that are secret, or may be."""
    return tuple(name for name, stated in model.stated_headers.items() if _is_secret(name, stated))


def asked_headers(backend: InferenceBackend, model: InferenceModelSpec) -> dict[str, str]:
    """The headers that a client asks for: all of the backend, and over them the secret ones of the model.

    Raises:
        MissingCredentialError: One holds a reference that no source answers.
        UnusableCredentialError: What answers it can never work.
    """
    return merge_headers(
        {name: plain_text(value) for name, value in backend.headers.items()},
        {name: plain_text(model.headers[name]) for name in secret_headers(model)},
    )


def merge_headers(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Headers of several tables, of which a later one wins, whatever its capitals."""
    merged: dict[str, tuple[str, Any]] = {}
    for name, value in _items_of(tables):
        merged[name.lower()] = name, value
    return dict(merged.values())


def _items_of(tables: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[str, Any]]:
    for table in tables:
        yield from table.items()


def _is_secret(name: str, stated: Any) -> bool:
    text = plain_text(stated)
    is_wrapped = isinstance(stated, SealedText) and stated.is_wrapped
    return is_wrapped or is_sealed_path((name,)) or holds_reference(text) or mask_text(text) != text
