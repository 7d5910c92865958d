"""`pipelex-cogt explain NAME`: why a name leads to its model, as a tree of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingRule
from pipelex_cogt.models.explain import Explanation


def describe_explanation(explanation: Explanation) -> dict[str, Any]:
    """The explanation as data that JSON can hold."""
    described = asdict(explanation)
    if explanation.decision is not None:
        decision = explanation.decision
        turned_down = [down._asdict() for down in decision.turned_down]
        described["decision"] = {**decision._asdict(), "reason": decision.reason, "turned_down": turned_down}
    return described


def print_explanation(explanation: Mapping[str, Any], console: Console) -> None:
    """Print what `describe_explanation` found."""
    tree = Tree(Text(f"{explanation['kind']} {explanation['name']}"))
    step = tree
    if explanation["handle"] not in (None, explanation["name"]):
        step = step.add(Text(f"handle {explanation['handle']}"))
    for alias in explanation["aliases"]:
        if alias["alias"] != explanation["name"] or explanation["kind"] != "alias":
            step = step.add(Text(f"alias {alias['alias']}"))
        for member in alias["members"]:
            step.add(Text(member if member in alias["served"] else f"{member} (not served)"))
    if explanation["model"] is not None and explanation["kind"] != "model":
        step = step.add(Text(f"model {explanation['model']}"))
    if explanation["decision"] is not None:
        _add_decision(step, explanation["decision"])
    if explanation["absence"] is not None:
        step.add(Text(f"not served: {explanation['absence']}"))
    if explanation["model_id"] is not None:
        step.add(Text(f"backend {explanation['backend']}")).add(Text(f"model_id {explanation['model_id']}"))
    console.print(tree)
    if explanation["values"]:
        console.print()
        console.print(_value_tree(explanation["values"]))


def _add_decision(step: Tree, decision: Mapping[str, Any]) -> None:
    key = decision["key"]
    rule = f"route {key!r}" if key is not None else decision["rule"]
    routing = step.add(Text("no rule leads to it" if decision["rule"] == RoutingRule.NONE else f"decided by {rule}"))
    for down in decision["turned_down"]:
        if down["reason"] != RouteRefusal.NOT_ASKED:
            named = f"route {down['key']!r}" if down["key"] is not None else down["rule"]
            routing.add(Text(f"turned down: {named} {down['backend']}, {down['reason']}"))
    not_asked = [down["backend"] for down in decision["turned_down"] if down["reason"] == RouteRefusal.NOT_ASKED]
    if not_asked:
        routing.add(Text(f"not asked any more: {', '.join(not_asked)}"))


def _value_tree(values: Iterable[Mapping[str, Any]]) -> Tree:
    tree = Tree(Text("values, and where they are stated"))
    for value in values:
        branch = tree.add(Text(f"{value['path']} = {_shown(value['stated']['value'])}"))
        branch.add(Text(_origin(value["stated"])))
        for replaced in value["replaced"]:
            branch.add(Text(f"replaced {_shown(replaced['value'])}, {_origin(replaced)}"))
    return tree


def _origin(stated: Mapping[str, Any]) -> str:
    environment = f" [{stated['environment']}]" if stated["environment"] else ""
    return f"{stated['place']}  ({stated['layer']}{environment})"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
