"""Sources that know models: the data of LiteLLM and of genai-prices as they are installed, without the network.

    from pipelex_cogt.integrations import catalogue

    report = catalogue.compare(manager, "genai-prices")
    for each in report.differences:
        print(each.place, each.model, each.field, each.stated, each.known)      # … costs.input 2.0 2.5

Each knows the shipped backends by names of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config import clock
from pipelex_cogt.errors import CatalogueSourceError, MissingExtraError
from pipelex_cogt.integrations.extras import import_sdk
from pipelex_cogt.integrations.litellm_proxy import PRICES
from pipelex_cogt.model_backends.costs import ModelCosts
from pipelex_cogt.models.catalogue import CatalogueReport, KnownModel, compare_catalogue
from pipelex_cogt.models.catalogue_words import CatalogueKind, SourceName
from pipelex_cogt.models.model_manager import ModelManager

EXTRA = "catalogue"
"""The extra of this package that brings both sources."""

Entry: TypeAlias = Mapping[str, Any]
"""What LiteLLM knows of one model."""


# LiteLLM


class _Provider(NamedTuple):
    """How LiteLLM knows a backend.

    Attributes:
        prefixes: What may stand before a model id in its keys.
        pattern: What its `litellm_provider` matches.
    """

    prefixes: tuple[str, ...]
    pattern: str

    @classmethod
    def of(cls, name: str) -> _Provider:
        """A provider whose name stands before each of its ids."""
        return cls((f"{name}/",), name)


_OF_LITELLM: Mapping[str, _Provider] = {
    "alibaba": _Provider.of("dashscope"),
    "anthropic": _Provider(("",), "anthropic"),
    "azure_openai": _Provider.of("azure"),
    "bedrock": _Provider(("",), "bedrock(_converse)?"),
    "cerebras": _Provider.of("cerebras"),
    "cohere": _Provider(("",), "cohere(_chat)?"),
    "deepseek": _Provider.of("deepseek"),
    "fireworks": _Provider.of("fireworks_ai"),
    "google": _Provider.of("gemini"),
    "groq": _Provider.of("groq"),
    "mistral": _Provider.of("mistral"),
    "moonshot": _Provider.of("moonshot"),
    "nvidia": _Provider.of("nvidia_nim"),
    "ollama": _Provider.of("ollama"),
    "openai": _Provider(("",), "openai"),
    "openrouter": _Provider.of("openrouter"),
    "perplexity": _Provider.of("perplexity"),
    "together_ai": _Provider.of("together_ai"),
    "vertexai": _Provider(("vertex_ai/", ""), "vertex_ai.*"),
    "xai": _Provider.of("xai"),
    "zai": _Provider.of("zai"),
}
_LITELLM_FILE = "model_prices_and_context_window_backup.json"
_LITELLM_INPUTS = {
    "images": "supports_vision",
    "audio": "supports_audio_input",
    "video": "supports_video_input",
    "pdf": "supports_pdf_input",
}
_LITELLM_LISTED_INPUTS = {"images": "image", "audio": "audio", "video": "video"}
"""Our modalities by LiteLLM's words for them, where it lists those that a model reads."""
_LITELLM_OUTPUTS = {"structured": "supports_response_schema"}
_ABOVE = re.compile(r"_above_(\d+)k_tokens")
_ANSWERS = ("chat", "responses")
"""The modes of models that answer in text."""
# The region, the editions of a day and the names for the newest one, which all stand for a model that has another id.
_EDITION = re.compile(r"^(?:[a-z-]{2,6}|global)\.|[-@:](?:\d{4}-?\d{2}-?\d{2}|\d{4}|latest|default|v\d)(?:[-:].*)?$")


@dataclass(frozen=True, slots=True)
class LiteLLM:
    """What LiteLLM bundles: its map of prices and context windows.

    Attributes:
        name: The package and its version.
        entries: What it knows, by key.
    """

    name: str
    entries: Mapping[str, Entry] = field(repr=False)

    @classmethod
    def installed(cls) -> LiteLLM:
        """The data of the installed package, which is not imported: that would ask the network for newer ones.

        Raises:
            MissingExtraError: It is not installed.
            CatalogueSourceError: It holds no such data.
        """
        package = find_spec("litellm")
        if package is None or package.origin is None:
            raise MissingExtraError("litellm", EXTRA)
        name = f"litellm {version('litellm')}"
        try:
            text = Path(package.origin).with_name(_LITELLM_FILE).read_text(encoding="utf-8")
            return cls(name, json.loads(text))
        except (OSError, ValueError) as error:
            raise CatalogueSourceError(name, f"cannot read {_LITELLM_FILE}: {type(error).__name__}") from None

    def knows(self, backend: str) -> bool:
        """Whether it has data about a shipped backend."""
        return backend in _OF_LITELLM and any(self._keys_of(backend))

    def find(self, backend: str, model_id: str) -> KnownModel | None:
        """What it knows of a model by the provider's own string; None where that is nothing."""
        keys = (prefix + model_id for prefix in _OF_LITELLM[backend].prefixes)
        return next((_known_to_litellm(self.entries[key]) for key in keys if key in self.entries), None)

    def others(self, backend: str, model_ids: Collection[str], on: date) -> list[str]:
        """The models that it knows of a backend beside those, without retired ones, regions and dated editions."""
        prefixes = _OF_LITELLM[backend].prefixes
        stated = {_family(model_id) for model_id in model_ids}
        found: dict[str, str] = {}
        for key in self._keys_of(backend):
            model_id = next(key.removeprefix(prefix) for prefix in prefixes if key.startswith(prefix))
            retires = _date_of(self.entries[key])
            if _family(model_id) not in stated and (retires is None or retires > on):
                found.setdefault(_family(model_id), model_id)
        return [*found.values()]

    def _keys_of(self, backend: str) -> Iterator[str]:
        prefixes, pattern = _OF_LITELLM[backend]
        for key, entry in self.entries.items():
            is_theirs = key.startswith(prefixes) and re.fullmatch(pattern, entry.get("litellm_provider", ""))
            if is_theirs and entry.get("mode") in _ANSWERS:
                yield key


def _family(model_id: str) -> str:
    """What all ids of a model have in common: no host's folders, no region, no day."""
    return _EDITION.sub("", model_id.lower().rsplit("/", 1)[-1])


def _known_to_litellm(entry: Entry) -> KnownModel:
    return KnownModel(
        costs=ModelCosts.model_validate(_litellm_costs(entry)),
        max_input_tokens=entry.get("max_input_tokens"),
        max_tokens=entry.get("max_output_tokens"),
        reads=_read_by(entry),
        writes={name: entry[key] for name, key in _LITELLM_OUTPUTS.items() if entry.get(key) is not None},
        tools=entry.get("supports_function_calling"),
        retires=_date_of(entry),
    )


def _read_by(entry: Entry) -> dict[str, bool]:
    """Whether a model reads each modality: where no key of its own says so, the list does."""
    listed = entry.get("supported_modalities") or ()
    by_list = {name: word in listed for name, word in _LITELLM_LISTED_INPUTS.items()} if listed else {}
    return by_list | {name: entry[key] for name, key in _LITELLM_INPUTS.items() if entry.get(key) is not None}


def _litellm_costs(entry: Entry) -> dict[str, Any]:
    tiers: dict[int, dict[str, Any]] = {}
    for name, key in PRICES.items():
        for suffixed, price in entry.items():
            above = _ABOVE.fullmatch(suffixed.removeprefix(key)) if suffixed.startswith(key) else None
            if above is not None:
                length = int(above[1]) * 1000
                tiers.setdefault(length, {"above": length})[name] = _per_million(price)
    stated = {name: _per_million(entry[key]) for name, key in PRICES.items() if entry.get(key)}
    return {**stated, **_litellm_batch(entry), "tiers": [tiers[length] for length in sorted(tiers)]}


def _litellm_batch(entry: Entry) -> dict[str, float]:
    """The factor of a batch, where input and output have the same."""
    keys = [PRICES[name] for name in ("input", "output")]
    factors = {entry[f"{key}_batches"] / entry[key] for key in keys if entry.get(key) and entry.get(f"{key}_batches")}
    return {"batch": round(factors.pop(), 6)} if len(factors) == 1 else {}


def _per_million(price: float) -> float:
    return float(Decimal(str(price)) * 1_000_000)


def _date_of(entry: Entry) -> date | None:
    with suppress(TypeError, ValueError):
        return date.fromisoformat(entry["deprecation_date"]) if "deprecation_date" in entry else None
    return None


# genai-prices

_OF_GENAI_PRICES = {
    "anthropic": "anthropic",
    "azure_openai": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertexai": "google",
    "xai": "x-ai",
    "zai": "zai",
}
"""Shipped backends by the name that genai-prices has for them."""
_GENAI_PRICES = {
    "input": "input_mtok",
    "input_cached": "cache_read_mtok",
    "input_cache_write": "cache_write_mtok",
    "input_audio": "input_audio_mtok",
    "input_audio_cached": "cache_audio_read_mtok",
    "output": "output_mtok",
    "output_audio": "output_audio_mtok",
    "output_reasoning": "output_reasoning_mtok",
}
"""Our prices by the fields of genai-prices."""
_SERVED_ELSEWHERE = {"google": ("claude",)}
"""What ids of a provider begin with that a backend does not serve: Vertex AI's models are Google's there."""
_BATCH = {"processing": "batch"}


@dataclass(frozen=True, slots=True)
class GenaiPrices:
    """What genai-prices bundles: prices with their tiers and dates, and context windows.

    Attributes:
        name: The package and its version.
        providers: Its providers by name.
        on: The day whose prices are known; later ones are known as such.
    """

    name: str
    providers: Mapping[str, Any] = field(repr=False)
    on: date

    @classmethod
    def installed(cls, on: date) -> GenaiPrices:
        """The data of the installed package; it asks the network for newer ones only where it is told to.

        Raises:
            MissingExtraError: It is not installed.
        """
        snapshot = import_sdk("genai_prices.data_snapshot", EXTRA).get_snapshot()
        return cls(f"genai-prices {version('genai-prices')}", {each.id: each for each in snapshot.providers}, on)

    def knows(self, backend: str) -> bool:
        """Whether it has data about a shipped backend."""
        return _OF_GENAI_PRICES.get(backend) in self.providers

    def find(self, backend: str, model_id: str) -> KnownModel | None:
        """What it knows of a model by the provider's own string; None where that is nothing."""
        # A provider may serve the models of others, and knows where their prices stand.
        found = self._provider(backend).find_model(model_id, all_providers=[*self.providers.values()])
        return found and KnownModel(ModelCosts.model_validate(self._costs(found)), context_window=found.context_window)

    def others(self, backend: str, model_ids: Collection[str], _on: date) -> list[str]:
        """The models that it knows of a backend beside those, without deprecated ones; it dates no retirement."""
        known = (model for model in self._provider(backend).models if _answers_in_text(model, self.on))
        served = (model for model in known if not model.id.startswith(_SERVED_ELSEWHERE.get(backend, ())))
        return [model.id for model in served if not any(map(model.is_match, model_ids))]

    def _provider(self, backend: str) -> Any:
        return self.providers[_OF_GENAI_PRICES[backend]]

    def _costs(self, model: Any) -> dict[str, Any]:
        later = sorted({day for day in _first_days(model) if day > self.on})
        dated = [{"date": day, **_genai_prices(_dearest(model, day))} for day in later]
        return {**_genai_prices(_dearest(model, self.on)), **self._batch(model), "from": dated}

    def _batch(self, model: Any) -> dict[str, float]:
        """The factor of a batch, where input and output have the same."""
        at = datetime.combine(self.on, time(), UTC)
        flat, reduced = (_genai_prices(model.get_prices(at, context)) for context in (None, _BATCH))
        factors = {reduced[name] / flat[name] for name in ("input", "output") if flat.get(name) and name in reduced}
        return {"batch": round(factors.pop(), 6)} if len(factors) == 1 and {1.0} != factors else {}


def _answers_in_text(model: Any, on: date) -> bool:
    """Whether a model is in use, and reads and writes tokens that have a price."""
    return not model.deprecated and {"input", "output"} <= _genai_prices(_dearest(model, on)).keys()


def _first_days(model: Any) -> Iterator[date]:
    """The days from which prices of a model hold."""
    for each in model.prices if isinstance(model.prices, list) else ():
        if hasattr(each.constraint, "start_date"):
            yield each.constraint.start_date


def _dearest(model: Any, day: date) -> Any:
    """The prices of a day; where they depend on the hour, the highest, as the catalogue states them."""
    by_hour = (model.get_prices(datetime.combine(day, time(hour), UTC)) for hour in range(24))
    return max(by_hour, key=lambda prices: _genai_prices(prices).get("input", 0))


def _genai_prices(prices: Any) -> dict[str, Any]:
    stated = {name: getattr(prices, key, None) for name, key in _GENAI_PRICES.items()}
    tiers: dict[int, dict[str, Any]] = {}
    for name, price in stated.items():
        for tier in getattr(price, "tiers", ()):
            tiers.setdefault(tier.start, {"above": tier.start})[name] = float(tier.price)
    flat = {name: float(getattr(price, "base", price)) for name, price in stated.items() if price is not None}
    return {**flat, "tiers": [tiers[start] for start in sorted(tiers)]}


EVERYTHING = frozenset(CatalogueKind)
"""All that can be compared."""


def compare(
    manager: ModelManager,
    source: SourceName | str,
    on: date | None = None,
    kinds: Collection[CatalogueKind] = EVERYTHING,
) -> CatalogueReport:
    """Compare the models of every enabled backend with what an installed source knows of them.

    Args:
        manager: A load.
        source: "litellm" or "genai-prices".
        on: The day (UTC) whose prices are compared; None for today.
        kinds: What to compare.

    Raises:
        MissingExtraError: The source is not installed.
        CatalogueSourceError: It holds no data that can be read.
    """
    day = on or clock.today()
    known = LiteLLM.installed() if SourceName(source) is SourceName.LITELLM else GenaiPrices.installed(day)
    return compare_catalogue(manager, known, day, kinds)
