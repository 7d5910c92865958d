"""What differs for a caller between two decks: two environments, or two routing profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelex_cogt.config.tables import leaves
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.llm_setting import LLMChoice
from pipelex_cogt.models.model_deck import ModelDeck


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes:
        kind: "backend", "model", "alias", "preset" or "choice".
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


def find_differences(before: ModelDeck, after: ModelDeck) -> list[Difference]:
    """Everything that a caller would notice, in the order backends, models, aliases, presets, choices."""
    views = (_view(before), _view(after))
    return [
        difference
        for kind in ("backend", "model", "alias", "preset", "choice")
        for difference in _differences(kind, *(view[kind] for view in views))
    ]


def _view(deck: ModelDeck) -> dict[str, dict[str, dict[str, Any]]]:
    """A deck as its callers see it: by kind and name, the values that matter to them."""
    return {
        "backend": {name: _backend_view(backend) for name, backend in deck.backends.enabled.items()},
        "model": {name: _model_view(model) for name, model in deck.inference_models.items()},
        "alias": {name: {"leads to": _target(name, deck)} for name in deck.aliases},
        "preset": {name: _preset_view(name, deck) for name in deck.llm_presets},
        "choice": {choice.value: _choice_view(choice, deck) for choice in LLMChoice},
    }


def _backend_view(backend: InferenceBackend) -> dict[str, Any]:
    dump = backend.model_dump(mode="json", include={"stated_endpoint", "stated_api_key", "stated_extra_config"})
    return _flatten(dump)


def _model_view(model: InferenceModelSpec) -> dict[str, Any]:
    dump = model.model_dump(mode="json", exclude={"name", "enabled", "description"})
    return _flatten(dump)


def _preset_view(name: str, deck: ModelDeck) -> dict[str, Any]:
    setting = deck.llm_presets[name]
    view: dict[str, Any] = {"leads to": _target(setting.llm_handle, deck)}
    if deck.is_served(setting.llm_handle):
        setting = deck.resolve(name).setting
    return view | setting.model_dump(mode="json", exclude={"description"})


def _choice_view(choice: LLMChoice, deck: ModelDeck) -> dict[str, Any]:
    preset = deck.preset_for(choice)
    return {"preset": preset, "leads to": _target(deck.llm_presets[preset].llm_handle, deck)}


def _target(handle: str, deck: ModelDeck) -> str | None:
    if not deck.is_served(handle):
        return None
    model = deck.get_inference_model(handle)
    return f"{model.name} @ {model.backend_name} ({model.stated_model_id})"


def _flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of nested tables by its keys, such as `costs.input`; a list is one value."""
    return {".".join(map(str, path)): value for path, value in leaves(table, opens_lists=False)}


def _differences(
    kind: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield Difference(kind, name, None, _headline(before[name]), None)
        elif name not in before:
            yield Difference(kind, name, None, None, _headline(after[name]))
        else:
            fields = dict.fromkeys([*before[name], *after[name]])
            pairs = ((field, before[name].get(field), after[name].get(field)) for field in fields)
            yield from (Difference(kind, name, field, old, new) for field, old, new in pairs if old != new)


def _headline(view: Mapping[str, Any]) -> Any:
    """What stands for a thing that exists on one side alone."""
    return view.get("leads to") or view.get("backend_name") or view.get("endpoint") or "present"
