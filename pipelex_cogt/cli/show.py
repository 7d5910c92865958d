"""`pipelex-cogt show`: the settings in force, as data and as tables of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Column, Table

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


def describe(manager: ModelManager) -> Description:
    """The settings in force as data that JSON can hold; nothing in it is secret."""
    deck, places = manager.deck, manager.settings.directories._asdict()
    del places["working"]
    if not manager.settings.inference_config.use_packaged_settings:
        places["packaged"] = None
    return {
        "environment": manager.environment,
        "profile": manager.routing.active.name,
        "directories": {name: place and str(place) for name, place in places.items()},
        "backends": [*map(_describe_backend, manager.backends.values())],
        "models": [*map(_describe_model, deck.inference_models.values())],
        "aliases": {name: _describe_alias(name, deck) for name in deck.aliases},
        "presets": {name: _describe_preset(name, deck) for name in deck.llm_presets},
        "choices": {choice.value: _describe_choice(choice, deck) for choice in LLMChoice},
        "warnings": [*map(str, manager.warnings)],
    }


def print_description(description: Description, console: Console) -> None:
    """Print what `describe` found."""
    loaded = {"environment": description["environment"], "profile": description["profile"]}
    for name, value in {**loaded, **description["directories"]}.items():
        console.print(f"{name:<12} {value or '-'}")
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


def print_table(console: Console, title: str, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a titled table without lines, with "-" for None; names that are too long for it are folded."""
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    headers = (Column(column, overflow="fold") for column in columns)
    table = Table(*headers, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # Names are what people look for: a long cell beside them takes no room from them.
    table.columns[0].min_width = min(_NAME_WIDTH, max((len(name) for name, *_ in cells), default=0))
    for row in cells:
        table.add_row(*row)
    console.print(f"\n{title}")
    console.print(table if cells else "none")


def _describe_backend(backend: InferenceBackend) -> Description:
    state = "enabled" if backend.enabled else "disabled"
    if backend.missing_variables:
        state = f"left out: {', '.join(backend.missing_variables)} not set"
    return {**backend.model_dump(mode="json"), "state": state, "models": len(backend.model_specs)}


def _describe_model(model: InferenceModelSpec) -> Description:
    described = model.model_dump(mode="json", exclude={"enabled"})
    return {**described, "costs": model.costs.model_dump(exclude_none=True)}


def _describe_alias(name: str, deck: ModelDeck) -> Description:
    served = [model.name for model in deck.chains[name]]
    return {"chain": members_of(deck.aliases[name]), "served": served, "model": _model_of(name, deck)}


def _describe_preset(name: str, deck: ModelDeck) -> Description:
    setting = deck.llm_presets[name]
    return {**setting.model_dump(mode="json"), "model": _model_of(setting.llm_handle, deck)}


def _describe_choice(choice: LLMChoice, deck: ModelDeck) -> Description:
    name = deck.chosen_name(choice)
    return {"preset": name, "model": _model_of(deck.handle_of(name), deck)}


def _model_of(handle: str, deck: ModelDeck) -> Description | None:
    if not deck.is_served(handle):
        return None
    model = deck.get_inference_model(handle)
    return {"name": model.name, "backend": model.backend_name}


def _print_models(models: list[Description], console: Console) -> None:
    columns = ["model", "model_id", "reads", "writes", "context", "output", "$ in", "$ out"]
    for backend in dict.fromkeys(model["backend_name"] for model in models):
        served = (model for model in models if model["backend_name"] == backend)
        print_table(console, f"Models served by {backend}", columns, map(_model_row, served))
    console.print(f"\n{_LEGEND}\ncontext and output in tokens, prices in US dollars per million tokens")


def _backend_row(backend: Mapping[str, Any]) -> list[Any]:
    return [backend["name"], backend["state"], backend["endpoint"] or None, backend["models"]]


def _model_row(model: Mapping[str, Any]) -> list[Any]:
    prices = {name: f"{price:g}" for name, price in model["costs"].items()}
    return [
        model["name"],
        "=" if model["model_id"] == model["name"] else model["model_id"],
        *map(_letters, (model["inputs"], model["outputs"])),
        *map(_count, (model["context_window"], model["max_tokens"])),
        *map(prices.get, ("input", "output")),
    ]


def _preset_row(name: str, preset: Mapping[str, Any]) -> list[Any]:
    return [name, preset["llm_handle"], preset["temperature"], preset["max_tokens"], _target(preset)]


def _target(entry: Mapping[str, Any]) -> str:
    return "{name} @ {backend}".format_map(entry["model"]) if entry["model"] else "nothing served"


def _letters(modalities: Iterable[str]) -> str | None:
    return "".join(map(_LETTERS.__getitem__, modalities)) or None


def _count(tokens: int | None) -> str | int | None:
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if tokens and tokens >= unit:
            return f"{tokens / unit:.3g}{letter}"
    return tokens
