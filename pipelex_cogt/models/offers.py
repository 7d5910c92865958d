"""Offers: which served models read and write what is asked for, cheapest first, answered from an index.

offers.find(inputs=["text", "images"], backend="openai")
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, TypeAlias

from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.errors import UnknownNameError, check_name
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, InputModality, ModelSpecs, OutputModality

Offer: TypeAlias = tuple[str, str]
"""What a model reads, what it writes, or the backend that serves it."""


class Offers:
    """What the models of a deck offer."""

    def __init__(self, models: ModelSpecs, backends: Collection[str]) -> None:
        """Take the models that are served, and every backend, in use or not; the index is made when first asked."""
        self._models, self._backends = models, backends

    def __reduce__(self) -> tuple[type[Offers], tuple[ModelSpecs, Collection[str]]]:
        """A pickle leaves the index behind."""
        return Offers, (self._models, self._backends)

    def find(
        self, *, inputs: Iterable[str], outputs: Iterable[str], backend: str | None
    ) -> tuple[InferenceModelSpec, ...]:
        """The models that offer all that is asked for, cheapest first, unknown prices last.

        Raises:
            UnknownNameError: There is no such modality, or no such backend.
            NameTypeError: What is asked for is no text.
        """
        asked = [
            *_offers("inputs", inputs, "modality", [*InputModality]),
            *_offers("outputs", outputs, "modality", [*OutputModality]),
            *_offers("backend", () if backend is None else [backend], "backend", self._backends),
        ]
        if not asked:
            return self._cheapest_first
        places = frozenset.intersection(*(self._places.get(offer, frozenset()) for offer in asked))
        return tuple(map(self._cheapest_first.__getitem__, sorted(places)))

    @cached_property
    def _cheapest_first(self) -> tuple[InferenceModelSpec, ...]:
        return tuple(sorted(self._models.values(), key=_price_order))

    @cached_property
    def _places(self) -> Mapping[Offer, frozenset[int]]:
        """Of each offer the models that make it, as their places among all, cheapest first."""
        places: defaultdict[Offer, list[int]] = defaultdict(list)
        for place, model in enumerate(self._cheapest_first):
            for offer in _offers_of(model):
                places[offer].append(place)
        return {offer: frozenset(those) for offer, those in places.items()}


def _offers_of(model: InferenceModelSpec) -> Iterator[Offer]:
    yield from (("inputs", modality) for modality in model.inputs)
    yield from (("outputs", modality) for modality in model.outputs)
    yield "backend", model.backend_name


def _offers(key: str, names: Any, kind: str, known: Collection[str]) -> Iterator[Offer]:
    """What is asked for by name, one or several, each of which has to be known."""
    for name in names if isinstance(names, Iterable) and not isinstance(names, str | bytes) else [names]:
        check_name(name, kind)
        if name not in known:
            raise UnknownNameError(name, kind, partial(near_names, name, known))
        yield key, name


def _price_order(model: InferenceModelSpec) -> tuple[bool, float]:
    total = model.costs.total
    return total is None, total or 0.0
