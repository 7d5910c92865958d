"""`pipelex-cogt explain NAME`: what a name leads to, why, and where every value on the way is stated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import filterfalse, groupby, takewhile
from typing import Any

from pipelex_cogt.cli.keys import SEE_CHECK, UNUSABLE, describe_key, describe_state, key_pieces, print_refusal
from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, doubtful, fact, good, listed, price_facts, text_of
from pipelex_cogt.config.key_paths import format_key_path, join_keys
from pipelex_cogt.config.masking import mask_setting
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingDecision, RoutingRule
from pipelex_cogt.models.call_parameters import CallParameters
from pipelex_cogt.models.explain import AliasStep, ExplainedValue, Explanation, StatedValue
from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM

_LABEL_WIDTH = len("parameters ")
# A place with a line, rather than a variable or a file that has changed since.
_HAS_LINE = re.compile(r":[0-9]+$")


# An explanation as data


def describe_explanation(explanation: Explanation, deck: ModelDeck) -> dict[str, Any]:
    """The explanation as data that JSON can hold; values that one line of a file states are one value."""
    decision = explanation.decision
    return {
        "name": explanation.name,
        "kind": explanation.kind,
        "answer": _describe_answer(explanation, deck),
        "handle": explanation.handle,
        "aliases": [*map(_describe_step, explanation.aliases)],
        "model": explanation.model,
        "decision": decision and {"profile": deck.routing.active.name, **_describe_decision(decision)},
        "backend": explanation.backend,
        "model_id": explanation.model_id,
        "absence": explanation.absence,
        "values": [*_describe_values(explanation.values)],
    }


def _describe_answer(explanation: Explanation, deck: ModelDeck) -> dict[str, Any]:
    """What the name is good for now: of a backend its state, else what a call gets."""
    if explanation.llm is not None:
        return _describe_call(explanation.llm)
    if explanation.kind == "backend" and explanation.backend is not None:
        return _describe_backend(deck.backends[explanation.backend])
    return {}


def _describe_call(llm: ResolvedLLM) -> dict[str, Any]:
    adapted = llm.parameters.adapted
    return {
        "model": llm.model.name,
        "backend": llm.backend.name,
        "model_id": llm.model.stated_model_id,
        "parameters": _describe_parameters(llm.parameters),
        **({"adapted": adapted} if adapted else {}),
        "prices": llm.model.costs.model_dump(mode="json", exclude_defaults=True),
        **describe_key(llm.backend),
    }


def _describe_parameters(parameters: CallParameters) -> dict[str, Any]:
    """What a request carries beside the messages; in its body may stand a secret."""
    sent = parameters.sent
    masked = {name: mask_setting(name, sent[name]) for name in ("extra_body",) if name in sent}
    return {**sent, **masked}


def _describe_backend(backend: InferenceBackend) -> dict[str, Any]:
    state, models = describe_state(backend), len(backend.model_specs)
    return {"backend": backend.name, "state": state, "models": models, **describe_key(backend)}


def _describe_step(step: AliasStep) -> dict[str, Any]:
    return {"alias": step.alias, "members": step.members, "served": step.served, "chosen": step.chosen}


def _describe_decision(decision: RoutingDecision) -> dict[str, Any]:
    rule = None if decision.rule is RoutingRule.NONE else decision.rule
    turned_down = [down._asdict() for down in decision.turned_down]
    return {**decision._asdict(), "rule": rule, "turned_down": turned_down}


def _describe_values(values: Iterable[ExplainedValue]) -> Iterator[dict[str, Any]]:
    """The values by the lines that state them: what an inline table states is one table."""
    for _, found in groupby(enumerate(values), key=_origins):
        group = [value for _, value in found]
        by_depth = zip(*(value.key_path for value in group), strict=False)
        above = tuple(key for key, *_ in takewhile(lambda keys: len({*keys}) == 1, by_depth))
        of_layers = zip(*((value.stated, *value.replaced) for value in group), strict=True)
        stated, *replaced = [_describe_stated(group, len(above), layer) for layer in of_layers]
        yield {"path": format_key_path(above), "stated": stated, "replaced": replaced}


def _origins(numbered: tuple[int, ExplainedValue]) -> tuple[Any, ...]:
    """Where a value and all that it replaced are stated; without lines it is the only one that is stated there."""
    number, value = numbered
    places = tuple((each.place, each.layer, each.environment) for each in (value.stated, *value.replaced))
    return places if all(_HAS_LINE.search(place) for place, *_ in places) else (number,)


def _describe_stated(group: list[ExplainedValue], above: int, stated: tuple[StatedValue, ...]) -> dict[str, Any]:
    """What a layer states of one value, or of several below a key path of so many keys."""
    first = stated[0]
    below = (join_keys(value.key_path[above:]) for value in group)
    table = dict(zip(below, (each.value for each in stated), strict=True))
    value = first.value if len(group) == 1 else table
    return {"value": value, "layer": first.layer, "environment": first.environment, "place": first.place}


# The same for people


def print_explanation(explanation: Mapping[str, Any], page: Page) -> None:
    """Print what `describe_explanation` found."""
    page.line("{kind} {name}".format_map(explanation))
    _print_answer(explanation["answer"], page)
    if explanation["absence"] is not None:
        page.line(*_NOT_SERVED.get(explanation["kind"], (bad("not served:"),)), explanation["absence"], indent=2)
    if explanation.get("is_refused"):
        print_refusal(page)
    if explanation["handle"] is not None:
        page.heading("why")
        _print_way(explanation, page)
    if explanation["values"]:
        page.heading("values, and where they are stated")
        _print_values(explanation["values"], page)


_NOT_SERVED: Mapping[str, tuple[Piece, ...]] = {"key path": (), "backend": (bad("not in use:"),)}
"""What stands before the reason of an absence, where that is not of a model."""


def _print_answer(answer: Mapping[str, Any], page: Page) -> None:
    # The key's line says what is missing.
    for name in filter("missing".__ne__, answer):
        pieces = _SPECIAL[name](answer) if name in _SPECIAL else [answer[name]]
        page.entry(name, pieces, indent=2, width=_LABEL_WIDTH)


def _parameter_pieces(answer: Mapping[str, Any]) -> list[Piece]:
    return _facts(answer["parameters"]) or [Piece("none: the provider decides")]


def _price_pieces(answer: Mapping[str, Any]) -> list[Piece]:
    prices = listed(price_facts(answer["prices"]))
    return [*prices, Piece("(US dollars per million tokens)")] if prices else [Piece("unknown")]


def _key_pieces(answer: Mapping[str, Any]) -> list[Piece]:
    pieces = key_pieces(answer["key"], answer.get("missing", ()))
    return [*pieces, Piece(f"({SEE_CHECK})")] if answer["key"] == UNUSABLE else pieces


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any]], list[Piece]]] = {
    "parameters": _parameter_pieces,
    "adapted": lambda answer: listed(map(doubtful, answer["adapted"]), ";"),
    "prices": _price_pieces,
    "key": _key_pieces,
}
"""What of an answer is more than one value."""


def _facts(table: Mapping[str, Any]) -> list[Piece]:
    return listed(fact(name, value) for name, value in table.items())


def _print_way(explanation: Mapping[str, Any], page: Page) -> None:
    """Print the steps from a name to its model: handle, aliases, routing."""
    if explanation["handle"] != explanation["name"]:
        page.line("{kind} {name} names {handle}".format_map(explanation), indent=2)
    for step in explanation["aliases"]:
        page.line("alias {alias}".format_map(step), indent=2)
        for member in step["members"]:
            _print_member(member, step, page)
    if explanation["decision"] is not None:
        _print_decision(explanation["decision"], page)


def _print_member(member: str, step: Mapping[str, Any], page: Page) -> None:
    if member == step["chosen"]:
        page.line(good(">"), good(member), "chosen", indent=4)
    elif member in step["served"]:
        page.line(member, indent=6)
    else:
        page.line(member, doubtful("not served"), indent=6)


def _print_decision(decision: Mapping[str, Any], page: Page) -> None:
    page.line("model {model_name}, in routing profile {profile}".format_map(decision), indent=2)
    for down in filterfalse(_is_not_asked, decision["turned_down"]):
        page.line(f"{_rule(down)} names {down['backend']}:", doubtful(down["reason"]), indent=4)
    if decision["backend"] is not None:
        page.line(good(">"), good(f"{_rule(decision)} leads to {decision['backend']}"), indent=4)
    elif decision["rule"] is not None:
        page.line(bad(f"{_rule(decision)} takes it"), "and leads to no backend that serves it", indent=4)
    else:
        page.line(bad("no rule leads to a backend that serves it"), indent=4)
    for rule, group in groupby(filter(_is_not_asked, decision["turned_down"]), key=_rule):
        backends = listed(down["backend"] for down in group)
        page.flow([f"not asked, {RouteRefusal.NOT_ASKED}: {rule}", *backends], indent=4, hang=2)


def _is_not_asked(turned_down: Mapping[str, Any]) -> bool:
    return bool(turned_down["reason"] == RouteRefusal.NOT_ASKED)


def _rule(decided: Mapping[str, Any]) -> str:
    """A rule by its kind, and a route by its key too."""
    return str(decided["rule"]) if decided["key"] is None else "{rule} route {key}".format_map(decided)


def _print_values(values: Iterable[Mapping[str, Any]], page: Page) -> None:
    for value in values:
        path, stated = value["path"], value["stated"]
        page.flow([*_value_pieces(f"{path} =", stated["value"]), *_origin(stated)], indent=2, hang=4)
        for replaced in value["replaced"]:
            page.flow([*_value_pieces("replaced", replaced["value"]), *_origin(replaced)], indent=4, hang=2)


def _value_pieces(name: str, value: Any) -> list[Piece]:
    """A value behind its name; a list may be broken between its items."""
    if not isinstance(value, list) or not value:
        return [Piece(f"{name} {text_of(value)}")]
    first, *more = map(text_of, value)
    return listed([f"{name} [{first}", *more], end="]")


def _origin(stated: Mapping[str, Any]) -> tuple[Piece, Piece]:
    environment = f" [{stated['environment']}]" if stated["environment"] else ""
    return Piece(f"<- {stated['place']}"), Piece(f"({stated['layer']}{environment})")
