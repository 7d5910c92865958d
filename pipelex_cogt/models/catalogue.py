"""The catalogue against a source: what the settings in force state of models, and what somebody else knows of them.

    report = compare_catalogue(manager, source, date(2026, 11, 30), frozenset(CatalogueKind))

A source is whatever answers as `CatalogueSource`; `pipelex_cogt.integrations.catalogue` has two. What it doesn't state
doesn't differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, product, starmap
from typing import Any, NamedTuple, Protocol

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.tables import FrozenDict, has_value
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.costs import ModelCosts, PriceTable
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, InputModality, OutputModality
from pipelex_cogt.models.catalogue_words import CatalogueKind
from pipelex_cogt.models.model_manager import ModelManager


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What a source knows of a model as one provider serves it; None where it says nothing.

    Attributes:
        costs: Its prices in US dollars per million tokens.
        context_window: The most tokens of one request, prompt and answer.
        max_input_tokens: The most tokens of one prompt.
        max_tokens: The most tokens of one answer.
        reads: Whether it reads each of the modalities that the source speaks of.
        writes: Whether it writes each of them.
        tools: Whether it calls tools.
        retires: The day from which it is not served any more.
    """

    costs: ModelCosts
    context_window: int | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    reads: Mapping[str, bool] = FrozenDict()
    writes: Mapping[str, bool] = FrozenDict()
    tools: bool | None = None
    retires: date | None = None


class CatalogueSource(Protocol):
    """Somebody else's data about the models of the shipped backends."""

    @property
    def name(self) -> str:
        """The package and its version."""

    def knows(self, backend: str) -> bool:
        """Whether it has data about a shipped backend."""

    def find(self, backend: str, model_id: str) -> KnownModel | None:
        """What it knows of a model by the provider's own string; None where that is nothing."""

    def others(self, backend: str, model_ids: Collection[str], on: date, /) -> Sequence[str]:
        """The models that it knows of a backend beside those, by the provider's own strings, without retired ones."""


@dataclass(frozen=True, slots=True)
class CatalogueDifference:
    """One fact that the settings and the source state otherwise.

    Attributes:
        kind: What it is about.
        backend: The backend.
        model: The model name; of a model that no settings state, the provider's own string for it.
        field: The key of the model spec, such as "costs.input"; None where the settings don't state the model.
        stated: The value of the settings; None where they state none.
        known: The value of the source.
        place: Where the settings state it, or the table that it belongs to.
    """

    kind: CatalogueKind
    backend: str
    model: str
    field: str | None
    stated: Any
    known: Any
    place: str


@dataclass(frozen=True, slots=True)
class CatalogueReport:
    """What came of a comparison.

    Attributes:
        source: The source and its version.
        differences: What differs, in the order of the settings.
        unknown: The models that the source doesn't know, by backend.
        not_compared: The backends that the source has no data about.
    """

    source: str
    differences: tuple[CatalogueDifference, ...]
    unknown: Mapping[str, tuple[str, ...]]
    not_compared: tuple[str, ...]


class _Fact(NamedTuple):
    """A fact that the settings and the source state otherwise.

    Attributes:
        field: The key of the model spec, and of which calls it is, in words.
        stated: The value of the settings.
        known: The value of the source.
        keys: The keys that state it, the one that says most about it first; None for the field alone.
    """

    field: str
    stated: Any
    known: Any
    keys: tuple[str, ...] | None = None


def compare_catalogue(
    manager: ModelManager, source: CatalogueSource, on: date, kinds: Container[CatalogueKind]
) -> CatalogueReport:
    """Compare the models of every enabled backend with what a source knows of them.

    A backend of one's own is compared with the one that its `models_like` names; what both of them have from one place
    is told once.

    Args:
        manager: A load.
        source: What to compare it with.
        on: The day whose prices are compared, and on which a model must still be served to be missed.
        kinds: What to compare.
    """
    compared = _Comparison(manager, source, on, kinds)
    found: dict[tuple[str, str, str | None], CatalogueDifference] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    not_compared: list[str] = []
    for backend in manager.backends.enabled.values():
        known_as = next(filter(source.knows, manager.backends.lineage(backend.name)), None)
        if known_as is None:
            not_compared.append(backend.name)
            continue
        known = {name: source.find(known_as, spec.stated_model_id) for name, spec in backend.model_specs.items()}
        for difference in compared.of_backend(backend, known_as, known):
            found.setdefault((difference.place, difference.model, difference.field), difference)
        if strange := tuple(name for name, model in known.items() if model is None):
            unknown[backend.name] = strange
    return CatalogueReport(source.name, tuple(found.values()), FrozenDict(unknown), tuple(not_compared))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What comparing one backend needs."""

    manager: ModelManager
    source: CatalogueSource
    on: date
    kinds: Container[CatalogueKind]

    def of_backend(
        self, backend: InferenceBackend, known_as: str, known: Mapping[str, KnownModel | None]
    ) -> Iterator[CatalogueDifference]:
        for name, spec in backend.model_specs.items():
            if model := known[name]:
                yield from self.of_model(spec, model)
        if CatalogueKind.MISSING in self.kinds:
            source_of_all = self.manager.backends.lineage(backend.name)[-1]
            place = str(self.manager.settings.place_of(("models", source_of_all)) or "settings")
            for model_id in self.source.others(known_as, self.stated_ids(backend.name), self.on):
                kind = CatalogueKind.MISSING
                yield CatalogueDifference(kind, backend.name, model_id, None, None, model_id, place)

    def of_model(self, spec: InferenceModelSpec, known: KnownModel) -> Iterator[CatalogueDifference]:
        for kind, facts in _FACTS.items():
            if kind in self.kinds:
                for field, stated, value, keys in facts(spec, known, self.on):
                    place = self.place(spec, [tuple(key.split(".")) for key in keys or (field,)])
                    yield CatalogueDifference(kind, spec.backend_name, spec.name, field, stated, value, place)

    def stated_ids(self, backend: str) -> list[str]:
        """The provider's own strings for the models that the settings state, switched off or not."""
        files = (self.manager.settings.value_at(("models", name)) for name in self.manager.backends.lineage(backend))
        stated = chain.from_iterable((file or {}).items() for file in files)
        return [str(table.get("model_id", name)) for name, table in stated]

    def place(self, spec: InferenceModelSpec, keys: Sequence[KeyPath]) -> str:
        """Where the first of some values of a model is stated, or the table that the first key belongs to."""
        tables = self.manager.backends.tables_of(spec.backend_name, spec.name)
        places = [(*table, *key) for table in tables for key in keys]
        settings = self.manager.settings
        stated = (place for place in places if has_value(settings.tree, place))
        return str(settings.place_of(next(stated, places[0])) or "settings")


_BEYOND_EDGE = 1_000
"""How far past the edge of a tier prices are compared: sources disagree whether the edge itself belongs to it."""


def _differing_prices(spec: InferenceModelSpec, known: KnownModel, on: date) -> Iterator[_Fact]:
    """The prices that differ on that day and on each that the source knows of, of short prompts and in each tier."""
    told: set[tuple[str, Any, Any]] = set()
    for day, above in product([on, *_later_days(known.costs, on)], _edges(spec.costs, known.costs)):
        length = above and above + _BEYOND_EDGE
        stated, expected = (_told_apart(costs.prices(length, day)) for costs in (spec.costs, known.costs))
        for name in expected:
            fact = (name, _number(stated.get(name)), _number(expected[name]))
            if fact[1] != fact[2] and fact not in told:
                told.add(fact)
                field = f"costs.{name}{_when(day, on)}{_of_length(above)}"
                yield _Fact(field, *fact[1:], _keys_of(name, is_later=day != on, is_long=above > 0))
    if known.costs.batch not in (None, spec.costs.batch):
        yield _Fact("costs.batch", spec.costs.batch, known.costs.batch)


def _told_apart(prices: PriceTable) -> PriceTable:
    """Prices without that of reasoning where it is the price of the answer, as it is when nobody states it."""
    is_same = prices.get("output_reasoning") == prices.get("output")
    return {name: price for name, price in prices.items() if not (is_same and name == "output_reasoning")}


def _keys_of(price: str, *, is_later: bool, is_long: bool) -> tuple[str, ...]:
    """The keys that state a price: that of dates or of long prompts, the flat one, or the costs that state none."""
    special = [key for key, counts in (("costs.from", is_later), ("costs.tiers", is_long)) if counts]
    return (*special, f"costs.{price}", "costs") if special else (f"costs.{price}",)


def _later_days(costs: ModelCosts, on: date) -> list[date]:
    return sorted(prices.date for prices in costs.dated if prices.date > on)


def _edges(*every: ModelCosts) -> list[int]:
    """No edge, and those of all tiers."""
    tiers = chain.from_iterable(
        (*costs.tiers, *chain.from_iterable(each.tiers for each in costs.dated)) for costs in every
    )
    return sorted({0, *(tier.above for tier in tiers)})


def _when(day: date, on: date) -> str:
    return "" if day == on else f" from {day}"


def _of_length(above: int) -> str:
    return f" above {above}" if above else ""


def _number(price: Any) -> float | None:
    return None if price is None else float(price)


def _differing_limits(spec: InferenceModelSpec, known: KnownModel, _on: date) -> Iterator[_Fact]:
    # A prompt may have the whole window where nobody says otherwise.
    prompt = "max_input_tokens" if spec.max_input_tokens else "context_window"
    limits = (
        ("context_window", spec.context_window, known.context_window),
        (prompt, spec.max_input_tokens or spec.context_window, known.max_input_tokens),
        ("max_tokens", spec.max_tokens, known.max_tokens),
    )
    return (fact for fact in starmap(_Fact, limits) if fact.known not in (None, fact.stated))


def _differing_modalities(spec: InferenceModelSpec, known: KnownModel, _on: date) -> Iterator[_Fact]:
    read, written = ("inputs", spec.inputs, known.reads), ("outputs", spec.outputs, known.writes)
    for (field, stated, said), every in ((read, InputModality), (written, OutputModality)):
        expected = tuple(each for each in every if said.get(each, each in stated))
        if {*expected} != {*stated}:
            yield _Fact(field, stated, expected)
    if known.tools not in (None, spec.tools):
        yield _Fact("tools", spec.tools, known.tools)


def _differing_retirements(spec: InferenceModelSpec, known: KnownModel, _on: date) -> Iterator[_Fact]:
    if known.retires not in (None, spec.retires):
        yield _Fact("retires", spec.retires, known.retires)


_FACTS: Mapping[CatalogueKind, Callable[[InferenceModelSpec, KnownModel, date], Iterator[_Fact]]] = {
    CatalogueKind.PRICES: _differing_prices,
    CatalogueKind.LIMITS: _differing_limits,
    CatalogueKind.MODALITIES: _differing_modalities,
    CatalogueKind.RETIREMENTS: _differing_retirements,
}
