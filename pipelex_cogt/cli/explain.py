"""`pipelex-cogt explain NAME`: why a name leads to its model, as a tree of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.tree import Tree

from pipelex_cogt.model_routing.routing_profile import RouteRefusal, RoutingRule, describe_rule
from pipelex_cogt.models.explain import Explanation


def describe_explanation(explanation: Explanation) -> dict[str, Any]:
    """The explanation as data that JSON can hold."""
    described, decision = asdict(explanation), explanation.decision
    if decision is not None:
        turned_down = [down._asdict() for down in decision.turned_down]
        described["decision"] = {**decision._asdict(), "reason": decision.reason, "turned_down": turned_down}
    return described


def print_explanation(explanation: Mapping[str, Any], console: Console) -> None:
    """Print what `describe_explanation` found."""
    step = tree = Tree("{kind} {name}".format_map(explanation))
    if explanation["handle"] not in (None, explanation["name"]):
        step = step.add("handle {handle}".format_map(explanation))
    for alias in explanation["aliases"]:
        step = _next_step(tree, step, f"alias {alias['alias']}")
        for member in alias["members"]:
            step.add(member if member in alias["served"] else f"{member} (not served)")
    if explanation["decision"] is not None:
        step = _next_step(tree, step, "model {model}".format_map(explanation))
        _add_decision(step, explanation["decision"])
    if explanation["absence"] is not None:
        step.add("not served: {absence}".format_map(explanation))
    if explanation["model_id"] is not None:
        step.add("backend {backend}".format_map(explanation)).add("model_id {model_id}".format_map(explanation))
    console.print(tree)
    if explanation["values"]:
        console.print()
        console.print(_value_tree(explanation["values"]))


def _next_step(tree: Tree, step: Tree, text: str) -> Tree:
    """Hang a step on the one before it; what the root says already is no other step."""
    return step if text == str(tree.label) else step.add(text)


def _add_decision(step: Tree, decision: Mapping[str, Any]) -> None:
    is_decided = decision["rule"] is not RoutingRule.NONE
    routing = step.add(f"decided by {_rule(decision)}" if is_decided else "no rule leads to it")
    refused = [down for down in decision["turned_down"] if down["reason"] is not RouteRefusal.NOT_ASKED]
    not_asked = [down["backend"] for down in decision["turned_down"] if down["reason"] is RouteRefusal.NOT_ASKED]
    for down in refused:
        routing.add(f"turned down: {_rule(down)} {down['backend']}, {down['reason']}")
    if not_asked:
        routing.add(f"not asked any more: {', '.join(not_asked)}")


def _rule(decided: Mapping[str, Any]) -> str:
    return describe_rule(decided["rule"], decided["key"])


def _value_tree(values: Iterable[Mapping[str, Any]]) -> Tree:
    tree = Tree("values, and where they are stated")
    for value in values:
        branch = tree.add(f"{value['path']} = {_shown(value['stated']['value'])}")
        branch.add(_origin(value["stated"]))
        for replaced in value["replaced"]:
            branch.add(f"replaced {_shown(replaced['value'])}, {_origin(replaced)}")
    return tree


def _origin(stated: Mapping[str, Any]) -> str:
    environment = f" [{stated['environment']}]" if stated["environment"] else ""
    return f"{stated['place']}  ({stated['layer']}{environment})"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
