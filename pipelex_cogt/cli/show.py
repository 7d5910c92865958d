"""`pipelex-cogt show`: the settings in force, as data and as tables of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.llm_setting import LLMChoice
from pipelex_cogt.models.model_deck import ModelDeck
from pipelex_cogt.models.model_manager import ModelManager

Description: TypeAlias = dict[str, Any]

_LETTERS = {"text": "T", "images": "I", "audio": "A", "video": "V", "pdf": "P", "structured": "S", "embeddings": "E"}
_LEGEND = "  ".join(f"{letter} {modality}" for modality, letter in _LETTERS.items())
_NAME_WIDTH = 30
_THOUSAND, _MILLION = 1_000, 1_000_000


def describe(manager: ModelManager) -> Description:
    """The settings in force as data that JSON can hold; nothing in it is secret."""
    deck, places = manager.deck, manager.settings.directories._asdict()
    del places["working"]
    if not manager.settings.inference_config.use_packaged_settings:
        places["packaged"] = None
    return {
        "environment": manager.environment,
        "profile": manager.routing.active.name,
        "directories": {name: path and str(path) for name, path in places.items()},
        "backends": [_describe_backend(backend) for backend in manager.backends.values()],
        "models": [_describe_model(model) for model in deck.inference_models.values()],
        "aliases": {name: _describe_alias(name, deck) for name in deck.aliases},
        "presets": {name: _describe_preset(name, deck) for name in deck.llm_presets},
        "choices": {choice.value: _describe_choice(choice, deck) for choice in LLMChoice},
        "warnings": [str(warning) for warning in manager.warnings],
    }


def print_description(description: Description, console: Console) -> None:
    """Print what `describe` found."""
    console.print(f"environment  {description['environment']}")
    console.print(f"profile      {description['profile']}")
    for name, directory in description["directories"].items():
        console.print(f"{name:<12} {directory or '-'}")
    backends = map(_backend_row, description["backends"])
    print_table(console, "Backends", ["backend", "state", "endpoint", "models"], backends)
    _print_models(description["models"], console)
    aliases = ((name, " > ".join(alias["chain"]), _target(alias)) for name, alias in description["aliases"].items())
    print_table(console, "Aliases", ["alias", "chain", "leads to"], aliases)
    presets = (_preset_row(name, preset) for name, preset in description["presets"].items())
    print_table(console, "Presets", ["preset", "handle", "temp.", "tokens", "leads to"], presets)
    choices = ((name, choice["preset"], _target(choice)) for name, choice in description["choices"].items())
    print_table(console, "Default choices", ["choice", "preset", "leads to"], choices)
    for warning in description["warnings"]:
        console.print(f"warning: {warning}")


def _describe_backend(backend: InferenceBackend) -> Description:
    state = "enabled" if backend.enabled else "disabled"
    if backend.missing_variables:
        state = f"left out: {', '.join(backend.missing_variables)} not set"
    return {**backend.model_dump(mode="json"), "state": state, "models": len(backend.model_specs)}


def _describe_model(model: InferenceModelSpec) -> Description:
    described = model.model_dump(mode="json", exclude={"enabled"})
    return {**described, "costs": {name: price for name, price in described["costs"].items() if price is not None}}


def _describe_alias(name: str, deck: ModelDeck) -> Description:
    served = [model.name for model in deck.chains[name]]
    return {"chain": [*members_of(deck.aliases[name])], "served": served, "model": _model_of(name, deck)}


def _describe_preset(name: str, deck: ModelDeck) -> Description:
    setting = deck.llm_presets[name]
    return {**setting.model_dump(mode="json"), "model": _model_of(setting.llm_handle, deck)}


def _describe_choice(choice: LLMChoice, deck: ModelDeck) -> Description:
    preset = deck.preset_for(choice)
    return {"preset": preset, "model": _model_of(deck.llm_presets[preset].llm_handle, deck)}


def _model_of(handle: str, deck: ModelDeck) -> Description | None:
    try:
        model = deck.get_inference_model(handle)
    except LookupError:
        return None
    return {"name": model.name, "backend": model.backend_name}


def print_table(console: Console, title: str, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a titled table without lines; names that are too long for it are folded."""
    headers = (Column(Text(column), overflow="fold") for column in columns)
    table = Table(*headers, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        cells = [Text(str(cell)) for cell in row]
        table.columns[0].min_width = max(table.columns[0].min_width or 0, min(len(cells[0]), _NAME_WIDTH))
        table.add_row(*cells)
    console.print(f"\n{title}")
    console.print(table if table.rows else "none")


def _print_models(models: list[Description], console: Console) -> None:
    columns = ["model", "model_id", "reads", "writes", "context", "output", "$ in", "$ out"]
    backend_of = itemgetter("backend_name")
    for backend in dict.fromkeys(map(backend_of, models)):
        served = (model for model in models if backend_of(model) == backend)
        print_table(console, f"Models served by {backend}", columns, map(_model_row, served))
    console.print(f"\n{_LEGEND}\ncontext and output in tokens, prices in US dollars per million tokens")


def _backend_row(backend: Mapping[str, Any]) -> list[Any]:
    return [backend["name"], backend["state"], backend["endpoint"] or "-", backend["models"]]


def _model_row(model: Mapping[str, Any]) -> list[str]:
    model_id = model["model_id"]
    return [
        model["name"],
        "=" if model_id == model["name"] else model_id,
        _letters(model["inputs"]),
        _letters(model["outputs"]),
        _count(model["context_window"]),
        _count(model["max_tokens"]),
        _price(model["costs"].get("input")),
        _price(model["costs"].get("output")),
    ]


def _preset_row(name: str, preset: Mapping[str, Any]) -> list[Any]:
    temperature = "-" if preset["temperature"] is None else preset["temperature"]
    return [name, preset["llm_handle"], temperature, preset["max_tokens"] or "-", _target(preset)]


def _target(entry: Mapping[str, Any]) -> str:
    model = entry["model"]
    return f"{model['name']} @ {model['backend']}" if model else "nothing served"


def _letters(modalities: Iterable[str]) -> str:
    return "".join(_LETTERS[modality] for modality in modalities) or "-"


def _count(tokens: int | None) -> str:
    if tokens is None:
        return "-"
    for unit, letter in ((_MILLION, "M"), (_THOUSAND, "k")):
        if tokens >= unit:
            return f"{tokens / unit:.3g}{letter}"
    return str(tokens)


def _price(price: float | None) -> str:
    return "-" if price is None else f"{price:g}"
