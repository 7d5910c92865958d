"""What differs for a caller between two decks: two environments, or two routing profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipelex_cogt.config.inference_config import InferenceConfig
from pipelex_cogt.config.tables import leaves
from pipelex_cogt.models.call_parameters import PARAMETERS
from pipelex_cogt.models.llm_setting import LLMChoices
from pipelex_cogt.models.model_deck import ModelDeck

Things: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The things of one kind by name, each with the values that matter to a caller."""
LEADS_TO = "leads to"
"""The field of an alias, a preset or a choice that leads to another model."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes:
        kind: "setting", "backend", "model", "alias", "preset" or "choice".
        name: Its name.
        field: What about it differs, such as "costs.input"; None where it exists on one side alone.
        before: The value on the first side; None where there is none.
        after: The value on the second side; None where there is none.
    """

    kind: str
    name: str
    field: str | None
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class _Seen:
    """A value of a backend as it may be shown, and as it is stated: two secrets look the same and may differ."""

    shown: Any
    stated: Any


def find_differences(before: ModelDeck, after: ModelDeck) -> list[Difference]:
    """Everything that a caller would notice, in the order backends, models, aliases, presets, choices."""
    old, new = _view(before), _view(after)
    return [difference for kind in old for difference in _differences(kind, old[kind], new[kind])]


def find_config_differences(before: InferenceConfig, after: InferenceConfig) -> list[Difference]:
    """What a missing credential means, where it means something else."""
    sides = (before.missing_credentials, after.missing_credentials)
    return [Difference("setting", "inference_config", "missing_credentials", *sides)] if len({*sides}) > 1 else []


def _view(deck: ModelDeck) -> dict[str, Things]:
    """A deck as its callers see it: by kind and name, the values that matter to them."""
    views: dict[str, tuple[Callable[[str, ModelDeck], Mapping[str, Any]], Iterable[str]]] = {
        "backend": (_backend_view, deck.backends.enabled),
        "model": (_model_view, deck.inference_models),
        "alias": (_alias_view, deck.aliases),
        "preset": (_preset_view, deck.llm_presets),
        "choice": (_choice_view, LLMChoices.model_fields),
    }
    return {kind: {name: _flatten(view(name, deck)) for name in names} for kind, (view, names) in views.items()}


def _backend_view(name: str, deck: ModelDeck) -> dict[str, Any]:
    backend = deck.backends[name]
    fields = {"stated_endpoint", "stated_api_key", "stated_headers", "stated_extra_config", "timeout", "max_retries"}
    shown = _flatten(backend.model_dump(mode="json", include=fields))
    stated: dict[str, Any] = {
        "endpoint": backend.stated_endpoint,
        "api_key": backend.stated_api_key,
        "headers": backend.stated_headers,
    }
    numbers = {"timeout": backend.timeout, "max_retries": backend.max_retries}
    stated_at = _flatten({**stated, **numbers, "extra_config": backend.stated_extra_config})
    return {field: _Seen(value, stated_at[field]) for field, value in shown.items()}


def _model_view(name: str, deck: ModelDeck) -> dict[str, Any]:
    return deck.inference_models[name].model_dump(mode="json", exclude={"name", "enabled", "description"})


def _alias_view(name: str, deck: ModelDeck) -> dict[str, Any]:
    return {LEADS_TO: _target(name, deck)}


def _preset_view(name: str, deck: ModelDeck) -> dict[str, Any]:
    setting = deck.llm_presets[name]
    view = {LEADS_TO: _target(setting.llm_handle, deck), **setting.model_dump(mode="json", exclude={"description"})}
    if deck.is_served(setting.llm_handle):
        sent = deck.resolve(name).parameters.sent
        # What a request carries beside the parameters is masked where it is stated, and may be secret.
        view |= {name: sent.get(name) for name in PARAMETERS if name != "extra_body"}
    return view


def _choice_view(choice: str, deck: ModelDeck) -> dict[str, Any]:
    name = deck.chosen_name(choice)
    return {"name": name, LEADS_TO: _target(deck.handle_of(name), deck)}


def _target(handle: str, deck: ModelDeck) -> str | None:
    """The model that a handle leads to, by its name: what else changes about the model is told of the model."""
    model = deck.model_in_force(handle)
    return None if model is None else deck.address(model)


def _flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of nested tables by its keys, such as `costs.input`; a list is one value."""
    return {".".join(map(str, path)): value for path, value in leaves(table, opens_lists=False)}


def _differences(kind: str, before: Things, after: Things) -> Iterator[Difference]:
    for name in {**before, **after}:
        old, new = before.get(name, {}), after.get(name, {})
        # No thing is seen without a value: an empty view is that of nothing.
        if not (old and new):
            yield Difference(kind, name, None, _headline(old), _headline(new))
            continue
        for field in {**old, **new}:
            was, now = old.get(field), new.get(field)
            if was != now:
                yield Difference(kind, name, field, _shown(was), _shown(now))


def _headline(view: Mapping[str, Any]) -> Any:
    """What stands for a thing that exists on one side alone; None on the other side."""
    named = filter(None, map(_shown, map(view.get, (LEADS_TO, "backend_name", "endpoint"))))
    return next(named, "present") if view else None


def _shown(value: Any) -> Any:
    return value.shown if isinstance(value, _Seen) else value
