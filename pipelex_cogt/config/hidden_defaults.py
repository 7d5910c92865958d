"""Hidden defaults: what an application states for all environments, and a packaged table of the one in force hides.

[default.cogt.inference_config]
missing_credentials = "error"       # packaged [development] says "prefer", and its layer lies higher
"""

from __future__ import annotations

from itertools import chain

from pipelex_cogt.config.dynaconf_merge import LayeredDynaconf
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Layer, LayerKind
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import leaves, value_at


def warn_of_hidden_defaults(registry: LayeredDynaconf, environment: str, report: ProblemReport) -> None:
    """Warn of each value of the application's that a packaged table of the environment in force hides.

    Args:
        registry: Every layer.
        environment: The environment in force.
        report: Where warnings are noted.
    """
    tables = filter(_is_packaged_environment, registry.layers())
    for path, _value in chain.from_iterable(map(leaves, tables)):
        _warn_if_hidden(path, registry.layers_stating(path), environment, report)


def _is_packaged_environment(layer: Layer) -> bool:
    return layer.origin.is_packaged and layer.origin.kind is LayerKind.ENVIRONMENT


def _warn_if_hidden(path: KeyPath, stating: list[Layer], environment: str, report: ProblemReport) -> None:
    winner = stating[-1]
    own = [layer for layer in stating if not layer.origin.is_packaged]
    if not own or not winner.origin.is_packaged or value_at(own[-1], path) == value_at(winner, path):
        return
    problem = f"has no effect in environment {environment!r}: {winner.origin.place(path)} states it for that one"
    hint = f"state it under [{environment}.{format_key_path(path[:-1])}]"
    report.warning(path, problem, hint, own[-1].origin.place(path))
