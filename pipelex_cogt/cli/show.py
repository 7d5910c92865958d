"""`pipelex-cogt show`: the settings in force on one screen, and the rest of them listing by listing."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from pipelex_cogt.cli.keys import DISABLED, ENABLED, SEE_CHECK, describe_key, describe_state, key_pieces, print_refusal
from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import (
    NOTHING,
    Piece,
    bad,
    counted,
    doubtful,
    in_order,
    listed,
    open_fact,
    price_facts,
    strong,
    text_of,
    together,
)
from pipelex_cogt.cli.words import Listing
from pipelex_cogt.config.key_paths import format_key_path
from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.config.tables import leaves, value_at
from pipelex_cogt.errors import NotAvailableError, SettingsError, UnknownNameError
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.aliases import members_of
from pipelex_cogt.models.llm_setting import LLMChoice
from pipelex_cogt.models.model_deck import ModelDeck
from pipelex_cogt.models.model_manager import ModelManager

Description: TypeAlias = dict[str, Any]

_LETTERS = {
    "text": "T",
    "images": "I",
    "audio": "A",
    "video": "V",
    "pdf": "P",
    "structured": "S",
    "embeddings": "E",
}
_LEGEND = (
    *(f"{letter} {modality}" for modality, letter in _LETTERS.items()),
    "= the model's own name;",
    "context and output in tokens,",
    "prices in US dollars per million tokens;",
    "^ price of short prompts;",
    "* price until a date",
)
_MARKS = {"tiers": "^", "from": "*"}
"""What stands behind a flat price, where the costs say when it holds no more."""
_HEAD_WIDTH = len("environment")
_SAID_OTHERWISE = {"enabled", "missing_variables", "switched_off_by"}
_IN_MODEL_COLUMNS = {"name", "backend_name", "model_id", "inputs", "outputs", "context_window", "max_tokens", "costs"}


# What is in force, as data


def describe(manager: ModelManager, backend: str | None = None, refusal: SettingsError | None = None) -> Description:
    """What is in force, as data that JSON can hold; nothing in it is secret.

    Args:
        manager: The load.
        backend: The one backend that is asked for; None for all of them.
        refusal: Why an application's load is refused, of which this is what it would be; None where it is not.
    """
    deck = manager.deck
    choices = ((choice.value, _describe_choice(choice, deck)) for choice in LLMChoice)
    brief = ("name", "state", "models", "key", "missing")
    stated = describe_backends(manager, backend)
    # Nobody needs the key of a backend that is switched off and has no models, unless it is the one asked for.
    spare = [each["name"] for each in stated if backend is None and _is_spare(each)]
    backends = [{key: each[key] for key in brief if key in each} for each in stated if each["name"] not in spare]
    presets = describe_presets(manager, backend)
    return {
        "environment": manager.environment,
        "profile": manager.routing.active.name,
        "directories": _describe_directories(manager),
        "backends": backends,
        **({"disabled_without_models": spare} if spare else {}),
        "choices": dict(_leading_to(backend, choices)),
        "presets": {name: {"model": preset["model"]} for name, preset in presets.items()},
        "models": len(describe_models(manager, backend)),
        "aliases": len(describe_aliases(manager, backend)),
        "is_refused": refusal is not None,
        "warnings": len(manager.warnings if refusal is None else refusal.warnings),
    }


def describe_models(manager: ModelManager, backend: str | None = None) -> list[Description]:
    """The models that are served, each with what is stated of it."""
    return [*map(_describe_model, _served_by(backend, manager.deck))]


def describe_backends(manager: ModelManager, backend: str | None = None) -> list[Description]:
    """The backends, each with its state and whether its key is there."""
    asked = manager.backends.values() if backend is None else [manager.backends[backend]]
    return [*map(_describe_backend, asked)]


def describe_aliases(manager: ModelManager, backend: str | None = None) -> dict[str, Description]:
    """The aliases, each with its chain, the models that are served, and the one that it leads to."""
    described = ((name, _describe_alias(name, manager.deck)) for name in manager.deck.aliases)
    return dict(_leading_to(backend, described))


def describe_presets(manager: ModelManager, backend: str | None = None) -> dict[str, Description]:
    """The presets, each with its parameters and the model that it leads to."""
    described = ((name, _describe_preset(name, manager.deck)) for name in manager.deck.llm_presets)
    return dict(_leading_to(backend, described))


def check_backend(name: str | None, manager: ModelManager) -> None:
    """Refuse a name that no backend has.

    Raises:
        UnknownNameError: No backend is called so.
    """
    if name is not None and name not in manager.backends:
        raise UnknownNameError(name, "backend", partial(near_names, name, manager.backends))


def _is_spare(backend: Description) -> bool:
    return backend["state"] == DISABLED and not backend["models"]


def _describe_directories(manager: ModelManager) -> Description:
    places = manager.settings.directories._asdict()
    if not manager.settings.inference_config.use_packaged_settings:
        places["packaged"] = None
    found = {name: places[name] for name in ("application", "packaged", "dotenv", "secrets") if places[name]}
    return {name: [*map(str, place)] if isinstance(place, tuple) else str(place) for name, place in found.items()}


def _describe_backend(backend: InferenceBackend) -> Description:
    stated = backend.model_dump(mode="json", exclude=_SAID_OTHERWISE, exclude_defaults=True)
    switches = [*map(format_key_path, backend.switched_off_by)]
    return {
        **stated,
        **({"switched_off_by": switches} if switches else {}),
        "state": describe_state(backend),
        "models": len(backend.model_specs),
        **describe_key(backend),
    }


def _describe_model(model: InferenceModelSpec) -> Description:
    # What it reads and writes is told, be it stated or not.
    modalities = model.model_dump(mode="json", include={"inputs", "outputs"})
    return {**model.model_dump(mode="json", exclude={"enabled"}, exclude_defaults=True), **modalities}


def _describe_alias(name: str, deck: ModelDeck) -> Description:
    served = [model.name for model in deck.chains[name]]
    model = _describe_target(deck.get_inference_model(name)) if deck.is_served(name) else None
    return {"chain": members_of(deck.aliases[name]), "served": served, "model": model}


def _describe_preset(name: str, deck: ModelDeck) -> Description:
    stated = deck.llm_presets[name].model_dump(mode="json", exclude_defaults=True)
    return {**stated, "model": _model_behind(name, deck)}


def _describe_choice(choice: LLMChoice, deck: ModelDeck) -> Description:
    name = deck.chosen_name(choice)
    return {"name": name, "model": _model_behind(name, deck)}


def _model_behind(name: str, deck: ModelDeck) -> Description | None:
    try:
        return _describe_target(deck.resolve(name).model)
    except NotAvailableError:
        return None


def _describe_target(model: InferenceModelSpec) -> Description:
    return {"name": model.name, "backend": model.backend_name}


def _served_by(backend: str | None, deck: ModelDeck) -> Iterator[InferenceModelSpec]:
    return (model for model in deck.inference_models.values() if backend in (None, model.backend_name))


def _leading_to(backend: str | None, described: Iterable[tuple[str, Description]]) -> Iterator[tuple[str, Description]]:
    for name, entry in described:
        if backend in (None, value_at(entry, ("model", "backend"))):
            yield name, entry


# The same for people


def print_description(description: Mapping[str, Any], page: Page) -> None:
    """Print what `describe` found."""
    for name, pieces in _head(description, description["directories"]).items():
        page.entry(name, pieces, width=_HEAD_WIDTH)
    page.line()
    _print_brief_backends(description["backends"], page)
    if spare := description.get("disabled_without_models"):
        page.flow([Piece("no models:"), *listed(spare)], hang=4)
    page.line()
    page.table(["choice, preset", "leads to"], _choices_and_presets(description))
    page.line()
    _print_counts(description, page)


def _head(description: Mapping[str, Any], directories: Mapping[str, Any]) -> dict[str, list[str]]:
    """What chose the settings, and where they come from."""
    return {
        "environment": [f"{description['environment']},", f"routing profile {description['profile']}"],
        "application": [directories.get("application", "no settings found")],
        "packaged": [directories.get("packaged", "not used")],
        ".env": [
            f"{directories.get('dotenv', 'not found')};",
            "secrets:",
            *listed(directories.get("secrets", ["none"])),
        ],
    }


def _choices_and_presets(description: Mapping[str, Any]) -> Iterator[tuple[str, list[Piece]]]:
    """The choices, then the presets that none of them has told."""
    told = set()
    for name, choice in description["choices"].items():
        told.add(choice["name"])
        yield name, [Piece(f"{choice['name']}:"), _target(choice)]
    for name, preset in description["presets"].items():
        if name not in told:
            yield name, [_target(preset)]


def _print_brief_backends(backends: Iterable[Mapping[str, Any]], page: Page) -> None:
    rows = ((each["name"], each["models"], _state(each), _key(each)) for each in backends)
    page.table(["backend", "models", "state", "key"], rows)


def _print_counts(description: Mapping[str, Any], page: Page) -> None:
    page.flow(
        [
            f"{counted(description['models'], 'model')}, {counted(description['aliases'], 'alias', 'aliases')};",
            *listed(map("`show {}`".format, Listing)),
            "list them all",
        ]
    )
    if description["is_refused"]:
        print_refusal(page)
    warnings = counted(description["warnings"], "warning")
    if description["warnings"]:
        page.line(doubtful(f"{warnings}:"), SEE_CHECK)
    else:
        page.line(warnings)


def _print_backends(backends: Iterable[Mapping[str, Any]], page: Page) -> None:
    told = {"name", "state", "models", "key", "missing"}
    rows = (
        (each["name"], each["models"], _state(each), together(_key(each)), in_order(_facts(each, told)))
        for each in backends
    )
    page.table(["backend", "models", "state", "key", "settings"], rows)


def _print_models(models: Iterable[Mapping[str, Any]], page: Page) -> None:
    served: dict[str, list[Mapping[str, Any]]] = {}
    for model in models:
        served.setdefault(model["backend_name"], []).append(model)
    for backend, group in served.items():
        _print_models_of(backend, group, page)
    if not served:
        page.line("none")
    page.flow(_LEGEND)


def _print_models_of(backend: str, models: list[Mapping[str, Any]], page: Page) -> None:
    """Print the models of a backend; what is the same for all of them stands once, above them."""
    facts = [_facts(model, _IN_MODEL_COLUMNS) for model in models]
    shared = set(facts[0]).intersection(*facts)
    page.flow([strong(f"Models served by {backend} "), *in_order(filter(shared.__contains__, facts[0]))], hang=4)
    columns = ["model", "model_id", "reads", "writes", "context", "output", "$ in", "$ out", "further"]
    page.table(columns, (_model_row(model, shared) for model in models))
    page.line()


def _print_aliases(aliases: Mapping[str, Mapping[str, Any]], page: Page) -> None:
    rows = ((name, _target(alias), _chain(alias)) for name, alias in aliases.items())
    page.table(["alias", "leads to", "chain"], rows)


def _print_presets(presets: Mapping[str, Mapping[str, Any]], page: Page) -> None:
    rows = (
        (name, preset["llm_handle"], _target(preset), in_order(_facts(preset, {"llm_handle", "model"})))
        for name, preset in presets.items()
    )
    page.table(["preset", "handle", "leads to", "parameters"], rows)


def _state(backend: Mapping[str, Any]) -> Piece:
    return Piece(backend["state"]) if backend["state"] == ENABLED else doubtful(backend["state"])


def _key(backend: Mapping[str, Any]) -> list[Piece]:
    return key_pieces(backend["key"], backend.get("missing", ()))


def _target(entry: Mapping[str, Any]) -> Piece:
    return Piece("{name} @ {backend}".format_map(entry["model"])) if entry["model"] else bad("nothing served")


def _chain(alias: Mapping[str, Any]) -> list[Piece]:
    """The members of an alias, and the models behind them where these are others."""
    if alias["served"] == alias["chain"]:
        return listed(alias["chain"], " >")
    served = listed(alias["served"], " >") or [Piece("none")]
    return [*listed(alias["chain"], " >", end=";"), Piece("served:"), *served]


def _facts(entry: Mapping[str, Any], shown: Iterable[str]) -> list[tuple[Piece, ...]]:
    """What stands in an entry beside what is shown already."""
    rest = {key: value for key, value in entry.items() if key not in shown}
    return [open_fact(".".join(map(str, path)), value) for path, value in leaves(rest, opens_lists=False)]


def _model_row(model: Mapping[str, Any], shared: Container[tuple[Piece, ...]]) -> list[Any]:
    costs = dict(model.get("costs", {}))
    marks = "".join(mark for key, mark in _MARKS.items() if key in costs)
    own = (each for each in _facts(model, _IN_MODEL_COLUMNS) if each not in shared)
    return [
        model["name"],
        "=" if model["model_id"] == model["name"] else model["model_id"],
        *(_letters(model.get(field, ())) for field in ("inputs", "outputs")),
        *map(model.get, ("context_window", "max_tokens")),
        *(_marked(costs.pop(price, None), marks) for price in ("input", "output")),
        in_order([*((price,) for price in price_facts(costs)), *own]),
    ]


def _marked(price: float | None, marks: str) -> Piece:
    return Piece(price) if price is None else Piece(f"{text_of(price)}{marks}")


def _letters(modalities: Iterable[str]) -> str:
    return "".join(map(_LETTERS.__getitem__, modalities)) or NOTHING


LISTINGS: Mapping[Listing, tuple[Callable[..., Any], Callable[[Any, Page], None]]] = {
    Listing.MODELS: (describe_models, _print_models),
    Listing.BACKENDS: (describe_backends, _print_backends),
    Listing.ALIASES: (describe_aliases, _print_aliases),
    Listing.PRESETS: (describe_presets, _print_presets),
}
"""For each listing, what describes it and what prints the description."""
