"""What the backends in use need of credentials, and what it means at load that some are missing.

    "prefer"   a backend without its credentials is left out as long as some backend has its own; where none has,
               everything stays, and fails at the call
    "defer"    nothing is asked: whoever uses a backend hears of it
    "skip"     a backend without its credentials is left out
    "error"    every missing variable is a fault

A backend has credentials of its own where a source answers a reference of it, or its `api_key` is a literal, and
nothing that it needs is missing. One that needs none, as `ollama` does, is always ready and so says nothing of what a
person uses: under "prefer" and "skip" it stands back as if it lacked the variables that would set it as soon as some
backend has its own, unless one of them is set or the application names it. It does so with a table of its own, in
`enabled_backends`, or in a route, a `default` or a `fallback_order` in force.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import chain, filterfalse, repeat
from typing import Any, NamedTuple

from pydantic import SecretStr

from pipelex_cogt.config.credentials import WAY_IN, WAY_OUT, Credentials
from pipelex_cogt.config.inference_config import InferenceConfig, MissingCredentials
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import Reference, ReferenceSyntaxError, holds_reference, references_in
from pipelex_cogt.config.report import WHEREVER, ProblemReport
from pipelex_cogt.config.tables import Table, leaves, value_at
from pipelex_cogt.errors import CogtError, SecretFileError, abridge

Lacking = Mapping[Reference, KeyPath]
"""References that nothing answers, each with the key path of the first setting that needs it."""


class Needs(NamedTuple):
    """What the references of one backend come to.

    Attributes:
        missing: Those that nothing answers.
        defaulted: Those that only their default answers.
        is_set: Whether a source answers any of them, or its `api_key` is a literal.
    """

    missing: Lacking
    defaulted: Lacking
    is_set: bool

    @property
    def has_its_own(self) -> bool:
        """Whether it has credentials of its own, and all of them."""
        return self.is_set and not self.missing

    @property
    def may_stand_back(self) -> bool:
        """Whether it needs no credential and lacks those that would set it."""
        return bool(self.defaulted) and not (self.is_set or self.missing)


_NO_NEEDS = Needs({}, {}, is_set=False)


class NeedsFinder:
    """Finds what each backend needs; faults of references are noted on the way, and each source is asked once."""

    def __init__(self, config: InferenceConfig, credentials: Credentials, report: ProblemReport) -> None:
        self.mode = config.missing_credentials
        self.report = report
        self._find = cache(credentials.find)

    def find(self, table: Table, settings: Iterable[tuple[KeyPath, str | SecretStr]], *, is_in_use: bool) -> Needs:
        """What a backend needs.

        Args:
            table: The backend's table.
            settings: Its settings that hold references, with their key paths.
            is_in_use: Whether it is in use; of one that is not, the references are only read.
        """
        paths: dict[Reference, KeyPath] = {}
        for path, stated in settings:
            for reference in self._read(plain_text(stated), path):
                paths.setdefault(reference, path)
        # Under "defer" whoever uses the backend hears of it; a source is not asked before.
        if not is_in_use or self.mode is MissingCredentials.DEFER:
            return _NO_NEEDS
        unanswered = dict(filterfalse(self._is_held, paths.items()))
        missing, defaulted = filterfalse(_has_default, unanswered.items()), filter(_has_default, unanswered.items())
        is_set = _is_literal(table.get("api_key")) or len(unanswered) < len(paths)
        return Needs(dict(missing), dict(defaulted), is_set)

    def _read(self, text: str, path: KeyPath) -> list[Reference]:
        try:
            return references_in(text)
        except ReferenceSyntaxError as error:
            self.report.error(path, str(error))
        return []

    def _is_held(self, needed: tuple[Reference, KeyPath]) -> bool:
        """Whether a source answers a reference. One that fails is noted, and is no missing credential."""
        reference, path = needed
        found = self._find(reference)
        if isinstance(found, CogtError):
            # Who prefers what there is loads with what can be used.
            note = self.report.warning if self.mode is MissingCredentials.PREFER else self.report.error
            place = Place(found.path) if isinstance(found, SecretFileError) else None
            note(path, found.problem if place else str(found), place=place)
        return found is not None


def _has_default(needed: tuple[Reference, KeyPath]) -> bool:
    return needed[0].default is not None


def _is_literal(key: Any) -> bool:
    """Whether an `api_key` is stated as text of its own, rather than as a reference."""
    text = plain_text(key)
    return isinstance(text, str) and bool(text.strip()) and not holds_reference(text)


def left_out(
    needs: Mapping[str, Needs], tree: Table, config: InferenceConfig, credentials: Credentials
) -> Mapping[str, Lacking]:
    """The backends to load without, each with what it lacks.

    Args:
        needs: What each backend in use needs.
        tree: The merged settings.
        config: What a missing credential means, and which backends are chosen.
        credentials: Says who states what.
    """
    mode, some_have = config.missing_credentials, any(need.has_its_own for need in needs.values())
    is_preferring = mode is MissingCredentials.PREFER and some_have
    if not is_preferring and mode is not MissingCredentials.SKIP:
        return {}
    spare = [name for name, need in needs.items() if some_have and need.may_stand_back]
    standing_back = {*spare} - _named_of(spare, tree, config, credentials) if spare else ()
    lacking = {name: need.defaulted if name in standing_back else need.missing for name, need in needs.items()}
    return {name: references for name, references in lacking.items() if references}


def _named_of(names: Collection[str], tree: Table, config: InferenceConfig, credentials: Credentials) -> set[str]:
    """Those of some backends that the application names, rather than the packaged settings alone."""
    named = {*(config.enabled_backends or ())}
    # Looking for who states a backend takes its time, so it is done for those that it matters for.
    for section in ("backends", "models"):
        table = tree.get(section, {})
        named.update(name for name in names if name in table and _is_own((section, name), credentials))
    path: KeyPath = ("routing", "profiles", value_at(tree, ("routing", "active"), ""))
    rules = value_at(tree, path, {}) if isinstance(path[-1], str) else {}
    # A packaged order names every backend there is.
    decisive = ["routes", "optional_routes", "default"]
    decisive += ["fallback_order"] if _is_own((*path, "fallback_order"), credentials) else []
    stated = leaves({key: rules[key] for key in decisive if key in rules})
    return named.union(name for _path, name in stated if isinstance(name, str))


def _is_own(path: KeyPath, credentials: Credentials) -> bool:
    """Whether a layer of the application states a key path last."""
    origin = credentials.origin_of(path)
    return origin is None or not origin.is_packaged


def tell_left_out(
    lacking: Mapping[str, Lacking], config: InferenceConfig, credentials: Credentials, report: ProblemReport
) -> None:
    """Warn of what was left out: always where backends are skipped, else where the application speaks of them."""
    is_chosen = config.missing_credentials is MissingCredentials.SKIP or config.enabled_backends is not None
    places = ((name, *each) for name, references in lacking.items() for each in references.items())
    told = [each for each in places if is_chosen or _is_own(each[-1], credentials)]
    for (name, reference, path), way_out in zip(told, chain([WAY_IN], repeat(None)), strict=False):
        problem = f"backend {name!r} is left out: {reference} is not set"
        report.warning(path, problem, credentials.whereabouts([reference], way_out), place=WHEREVER)


def refuse_missing(
    needs: Mapping[str, Needs], config: InferenceConfig, credentials: Credentials, report: ProblemReport
) -> None:
    """Note every missing reference once, with all backends that need it; the first says where it was looked for."""
    lacking: dict[Reference, dict[str, KeyPath]] = {}
    for name, need in needs.items():
        for reference, path in need.missing.items():
            lacking.setdefault(reference, {})[name] = path
    searched = credentials.searched
    if lacking and searched.settings is None and config.enabled_backends is None:
        problem = f"no application settings were found: expected settings{os.sep} in {searched.working}"
        next_step = "name them with PIPELEX_SETTINGS_DIR; without them every packaged backend needs its credentials"
        report.error((), problem, next_step)
    for (reference, paths), way_out in zip(lacking.items(), chain([WAY_OUT], repeat(None)), strict=False):
        hint = credentials.whereabouts([reference], way_out)
        needing = " and ".join(abridge([*map(repr, paths)]))
        verb = "backend {} needs" if len(paths) == 1 else "backends {} need"
        report.error(next(iter(paths.values())), f"{verb.format(needing)} {reference}, which is not set", hint)
