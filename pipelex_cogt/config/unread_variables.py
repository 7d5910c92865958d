"""Variables that nearly are ours and are not read: `PIPELEX_COGT_ROUTING_ACTIVE`, `pipelex_env`, `COGT__DECK`.

Only names are looked at, never values. The right spelling is found by the letters and digits of a name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain
from operator import itemgetter
from typing import Any

from pipelex_cogt.config.directories import SECRETS_DIR_VARIABLE, SETTINGS_DIR_VARIABLE
from pipelex_cogt.config.environ import PREFIX, Environ
from pipelex_cogt.config.key_paths import ROOT
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.main_files import ENVIRONMENT_VARIABLE
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import ReferenceSyntaxError, references_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import Later, is_one_slip, near_names, one_slip_from
from pipelex_cogt.config.tables import Table, leaves
from pipelex_cogt.config.variable_names import VariableNames, letters_of

_PRODUCT = "PIPELEX"
# The first words of all that is ours, in small letters as slips are looked for.
_FIRST_WORDS = (_PRODUCT.lower(), f"{_PRODUCT.lower()}{ROOT}", ROOT)
_OURS_ALONE = (f"{_PRODUCT}_", f"{_PRODUCT}{ROOT}_".upper(), f"{ROOT}__".upper())
"""How variables begin that no other program has."""
OWN_VARIABLES = {"ENV": ENVIRONMENT_VARIABLE, "SETTINGSDIR": SETTINGS_DIR_VARIABLE, "SECRETSDIR": SECRETS_DIR_VARIABLE}
"""The variables of ours beside those that override a setting, by their letters without the first word."""
_RESERVED = {"PIPELEX_SETTINGS_REDIS_URL": "no version reads it yet"}
# The letters and digits up to an underscore, and what lies before the next. Classes of characters, one after another.
_FIRST_WORD = r"[\W_]*([^\W_]+)[\W_]*"


def warn_of_unread(environ: Environ, files: Iterable[str], tree: Table, schema: Any, report: ProblemReport) -> None:
    """Warn of variables that nearly are ours.

    Args:
        environ: The process's environment and `.env`.
        files: The names of the files in the secrets directory; one of them is a variable only where it is spelt so.
        tree: The merged settings.
        schema: What the tree looks like.
        report: Where warnings are noted.
    """
    spelling = _Spelling(tree, schema)
    variables = filter(_is_near, environ.names())
    unread = [name for name in variables if _is_ours_alone(name) or spelling.find(name)]
    unread += filter(spelling.find, filter(_is_near, files))
    # What a reference names is read, under its name or as the file that `_FILE` names.
    read = {*_referenced_names(tree)} if unread else set()
    for name in dict.fromkeys(unread):
        if read.isdisjoint((name, name.removesuffix("_FILE"))):
            report.warning((), "is not read", Later(partial(spelling.tell, name)), Place(name))


def _is_near(name: str) -> bool:
    """Whether a name is no variable of ours, and its first word is that of ours or one slip away."""
    if name.startswith(PREFIX) or name in OWN_VARIABLES.values():
        return False
    first = name.partition("_")[0]
    # Most names are of other programs, and their length alone tells.
    may_have_slip = abs(len(first) - len(_PRODUCT)) <= 1
    return _is_ours_alone(name) or (may_have_slip and is_one_slip(first, _PRODUCT.lower()))


def _is_ours_alone(name: str) -> bool:
    return name[: len(PREFIX)].upper().startswith(_OURS_ALONE)


def _referenced_names(tree: Table) -> Iterator[str]:
    """Every name that a reference of the settings names."""
    models = chain.from_iterable(file.values() for file in tree.get("models", {}).values())
    stated = (model.get("model_id") for model in models if isinstance(model, dict))
    texts = map(plain_text, chain(map(itemgetter(1), leaves(tree.get("backends", {}))), stated))
    for text in texts:
        with suppress(ReferenceSyntaxError):
            references = references_in(text) if isinstance(text, str) else ()
            yield from (name.name for reference in references for name in reference.names)


class _Spelling:
    """Finds the right spelling of a name among the variables that exist."""

    # A plain class, whose repr does not show the tree.
    def __init__(self, tree: Table, schema: Any) -> None:
        self._tree = tree
        self._schema = schema

    @cached_property
    def _names(self) -> VariableNames:
        return VariableNames(self._schema, self._tree)

    def find(self, name: str) -> list[str]:
        """The variables of ours that a name may be meant for, nearest first."""
        rest = _without_first_words(name.upper())
        letters = letters_of(rest)
        near = [*near_names(letters, OWN_VARIABLES), *filter(letters.startswith, OWN_VARIABLES)]
        return self._names.nearest(rest) or [*map(OWN_VARIABLES.__getitem__, near[:1])]

    def tell(self, name: str) -> str:
        """The right spelling as a suggestion in words."""
        found = self.find(name)
        if name in _RESERVED or not found:
            return _RESERVED.get(name, f"what overrides a setting begins with {PREFIX}")
        return f"did you mean {' or '.join(found)}?"


def _without_first_words(name: str) -> str:
    """A name without the words that all of ours begin with, in whichever spelling."""
    first_word, start = re.compile(_FIRST_WORD), 0
    while (word := first_word.match(name, start)) and one_slip_from(word[1], _FIRST_WORDS):
        start = word.end()
    return name[start:]
