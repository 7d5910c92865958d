"""Model files: what a backend's file states of its models, without what was meant for something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipelex_cogt.config.key_paths import quote_key
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName, is_one_slip
from pipelex_cogt.config.tables import Table, without
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_backends.shared_models import Stated

_MODEL_KEYS = known_keys(InferenceModelSpec)


class FileReader(NamedTuple):
    """Reads what a backend's file states of its models."""

    files: Mapping[str, Table]
    report: ProblemReport

    def read(self, backend: str) -> Stated:
        """What the file of a backend states, without what was meant for something else."""
        stated = dict(self.files.get(backend, {}))
        defaults = self._only_defaults(backend, stated.pop(DEFAULTS_KEY, {}))
        return Stated(defaults, self._only_models(backend, stated))

    def _only_models(self, backend: str, tables: Table) -> Table:
        """A file's tables without those that were meant for `[defaults]`, as the lack of a `model_id` tells."""
        near = filter(_comes_near_defaults, tables)
        slips = [name for name in near if isinstance(tables[name], dict) and "model_id" not in tables[name]]
        for name in slips:
            hint = f"write [{DEFAULTS_KEY}], or state model_id if a model is called {name!r}"
            path, unread = ("models", backend, name), ("models", backend, DEFAULTS_KEY)
            self.report.unreadable(unread, "taken for a model", path=path, hint=hint)
        return without(tables, slips)

    def _only_defaults(self, backend: str, defaults: Table) -> Table:
        """What a file's `[defaults]` states, without the tables that were meant for models."""
        models = [key for key, value in defaults.items() if isinstance(value, dict) and key not in _MODEL_KEYS]
        for key in models:
            hint = NearName(key, _MODEL_KEYS, otherwise=f"write [{quote_key(key)}] for a model of that name")
            path, unread = ("models", backend, DEFAULTS_KEY, key), ("models", backend, key)
            self.report.unreadable(unread, "unknown key", path=path, hint=hint)
        return without(defaults, models)


def _comes_near_defaults(name: str) -> bool:
    """Whether a table's name is one slip away from `[defaults]`."""
    # Most names are told by their length.
    return abs(len(name) - len(DEFAULTS_KEY)) <= 1 and is_one_slip(name, DEFAULTS_KEY)
