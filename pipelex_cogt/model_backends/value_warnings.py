"""Warnings about values that can be loaded and are hardly meant; they are looked for when somebody asks."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import TypeAlias

from pipelex_cogt.config.flat_prices import settle_table
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import did_you_mean, one_slip_from
from pipelex_cogt.config.tables import BELOW, Table, has_value, leaves, value_at
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.costs import PRICE_NAMES, ModelCosts, PriceTier
from pipelex_cogt.model_backends.model_spec import KNOWN_SDKS, InferenceModelSpec
from pipelex_cogt.model_backends.shared_models import StatedBy

Lineage: TypeAlias = tuple[str, ...]
"""A backend, and those whose models it takes, the nearest first."""
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
        if isinstance(price, float) and 0 < price < _LEAST_PRICE and path[-1] in PRICE_NAMES:
            report.warning(path, "prices are US dollars per million tokens", _tell_price(Decimal(repr(price))))


def warn_of_tiers(backends: InferenceBackendLibrary, models: Table, report: ProblemReport) -> None:
    """Note prices of prompts that are longer than any that the model takes.

    Args:
        backends: The backends, whose models are looked at.
        models: The tables of the models, by backend and model name.
        report: Where warnings are noted.
    """
    found: dict[KeyPath, tuple[str, str]] = {}
    stated_by = StatedBy(models, backends.like)
    for spec in _specs_of(backends):
        longest = min(filter(None, (spec.context_window, spec.max_input_tokens)), default=None)
        for place, tier in _tiers(spec.costs):
            if longest is not None and tier.above >= longest:
                path = _place_of(("costs", *place), spec, stated_by, models)
                text = f"has no effect: the longest prompt of {spec.name!r} has {longest} tokens"
                found.setdefault(path, (text, f"state an above that is less than that, got {tier.above}"))
    _tell(found, report)


def warn_of_forgotten_tiers(backends: InferenceBackendLibrary, models: Table, report: ProblemReport) -> None:
    """Note prices from a date on that leave open what long prompts cost then, where they cost more today.

    Args:
        backends: The backends, whose models are looked at.
        models: The tables of the models, by backend and model name.
        report: Where warnings are noted.
    """
    found: dict[KeyPath, tuple[str, str]] = {}
    stated_by = StatedBy(models, backends.like)
    for spec in _specs_of(backends):
        for index, dated in enumerate(spec.costs.dated if spec.costs.tiers else ()):
            if "tiers" not in dated.model_fields_set:
                path = _place_of(("costs", "from", index), spec, stated_by, models)
                text = f"says nothing of prompts above {spec.costs.rises_above} tokens, which cost more until then"
                found.setdefault(path, (text, "state its tiers, or tiers = [] where it has none"))
    _tell(found, report)


def _specs_of(backends: InferenceBackendLibrary) -> Iterator[InferenceModelSpec]:
    return chain.from_iterable(backend.model_specs.values() for backend in backends.values())


def _tell(found: Mapping[KeyPath, tuple[str, str]], report: ProblemReport) -> None:
    """Note what is wrong at each key path, and the next step: once, for all the models that take it from there."""
    for path, (text, hint) in found.items():
        report.warning(path, text, hint)


def _place_of(key: KeyPath, spec: InferenceModelSpec, stated_by: StatedBy, models: Table) -> KeyPath:
    """The key path that states an item of a list below `costs`: the model's own, or that which the model takes.

    Of a list that goes on with another one it is the list itself, for its items are counted otherwise.
    """
    list_key = key[:2]
    table = stated_by.table_of(spec.backend_name, spec.name, *map(str, list_key)) or spec.path
    goes_on = _goes_on(value_at(models, (*table[1:], *list_key)))
    return (*table, *(list_key if goes_on else key))


def _tiers(costs: ModelCosts) -> Iterator[tuple[KeyPath, PriceTier]]:
    """Every tier with its key path within the costs."""
    for index, tier in enumerate(costs.tiers):
        yield ("tiers", index), tier
    for number, dated in enumerate(costs.dated):
        for index, tier in enumerate(dated.tiers):
            yield ("from", number, "tiers", index), tier


def warn_of_defaults(backends: InferenceBackendLibrary, models: Table, report: ProblemReport) -> None:
    """Note what `[defaults]` states for no model, because every model that could take it states its own.

    Args:
        backends: The backends, of which one may take the models of another.
        models: The tables of the models, by backend and model name.
        report: Where warnings are noted.
    """
    heirs: defaultdict[str, list[str]] = defaultdict(list)
    for heir, other in backends.like.items():
        heirs[other].append(heir)
    for backend, file in models.items():
        shared = file.get(DEFAULTS_KEY, {})
        for path, _ in leaves(shared, opens_lists=False):
            lineages = _lineages(backends.lineage(backend), heirs, models)
            over = chain.from_iterable(_tables_over(backend, lineage, models) for lineage in lineages)
            are_replaced = (any(_replaces(settle_table(table, shared), path) for table in tables) for tables in over)
            # Where there is no model at all, nothing replaces them.
            if next(are_replaced, False) and all(are_replaced):
                text = "has no effect: every model of this backend states its own"
                report.warning(("models", backend, DEFAULTS_KEY, *path), text, "state it in the tables of the models")


def _lineages(lineage: Lineage, heirs: Mapping[str, Sequence[str]], models: Table) -> Iterator[Lineage]:
    """The lineage of a backend, and those of the backends that take its models, by way of others or not.

    What has no file of its own takes what the one before it does, and stands in no lineage but its own.
    """
    yield lineage
    waiting = deque([(lineage[0], lineage)])
    while waiting:
        name, found = waiting.popleft()
        for heir in heirs.get(name, ()):
            own = (heir, *found) if heir in models else found
            waiting.append((heir, own))
            if own is not found:
                yield own


def _tables_over(backend: str, lineage: Lineage, models: Table) -> Iterator[list[Table]]:
    """For each model that may take the `[defaults]` of a backend, the tables that come before them."""
    files = [models.get(name, {}) for name in lineage]
    nearer = [file.get(DEFAULTS_KEY, {}) for file in files[: lineage.index(backend)]]
    for model in {name: None for file in files for name in file if name != DEFAULTS_KEY}:
        stated = (file.get(model) for file in files)
        yield [*(table for table in stated if isinstance(table, dict)), *nearer]


def _replaces(table: Table, path: KeyPath) -> bool:
    """Whether a model's table states a value of its own there, and no list that goes on with the one below."""
    return has_value(table, path) and not _goes_on(value_at(table, path))


def _goes_on(value: object) -> bool:
    return isinstance(value, list) and BELOW in value


def warn_of_sdks(models: Table, report: ProblemReport) -> None:
    """Note an `sdk` that is one slip away from one that we know, for any text may name an application's own.

    Args:
        models: The tables of the models, by backend and model name.
        report: Where warnings are noted.
    """
    for backend, file in models.items():
        for model, table in file.items():
            sdk = table.get("sdk") if isinstance(table, dict) else None
            meant = one_slip_from(sdk, KNOWN_SDKS) if isinstance(sdk, str) and sdk not in KNOWN_SDKS else None
            if meant is not None:
                path = ("models", backend, model, "sdk")
                report.warning(path, f"no integration knows the sdk {sdk!r}", did_you_mean([meant]))


def _prices(models: Table) -> Iterator[tuple[KeyPath, object]]:
    """Every price as stated, that of `[defaults]` once, with its key path."""
    for backend, file in models.items():
        for model, table in file.items():
            costs = table.get("costs") if isinstance(table, dict) else None
            # What is no table is refused, or is told where its backend is not in use.
            if isinstance(costs, dict):
                yield from leaves(costs, ("models", backend, model, "costs"))


def _tell_price(price: Decimal) -> str:
    """What a price looks like that is no price per million tokens, and what to write."""
    per_token = f"{(price * 1_000_000).normalize():f}"
    if price < _LEAST_PER_THOUSAND:
        return f"{price:f} looks like a price per token: write {per_token}"
    per_thousand = f"{(price * 1_000).normalize():f}"
    return f"{price:f} looks like a price per token or per thousand: write {per_token} or {per_thousand}"
