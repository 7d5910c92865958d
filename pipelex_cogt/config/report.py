"""Collecting problems while a load goes on, so that all of them can be told at once.

The report knows what follows from what. Whoever judges something says with `unless` which places the judgement rests
on, and where one of them could not be read or has an error, the judgement is a consequence and is not recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath, format_key_path, prefixes
from pipelex_cogt.config.layers import Origin, Place
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.errors import Problem, SettingsError, Severity

Hint: TypeAlias = str | NearName | None
"""The next step, in words or still to be looked for."""
At: TypeAlias = Place | Origin | None
"""Where a problem stands; of an origin the line is looked for when the problem is told."""
Places: TypeAlias = Iterable[KeyPath]

_ANY_BACKEND = "*"


def model_place(name: str) -> KeyPath:
    """The place of a model of that name, whichever backend's file might state it."""
    return ("models", _ANY_BACKEND, name)


class _Finding(NamedTuple):
    """A problem before its key path has become a file and a line."""

    problem: str
    path: KeyPath
    hint: Hint
    severity: Severity
    place: At


class ProblemReport:
    """The problems of one load.

    Key paths become files and lines, and wrong names suggestions, only when somebody reads the report: a load without
    problems pays nothing. `locate` answers where a key path is stated, and whether that is in the packaged settings.
    """

    def __init__(self, findings: Iterable[_Finding] = ()) -> None:
        self._findings = [*findings]
        self._unreadable: set[KeyPath] = set()
        self._above_unreadable: set[KeyPath] = set()
        # How many errors there are at or below each key path.
        self._errors: Counter[KeyPath] = Counter()
        self._idle: set[KeyPath] = set()
        self.locate: Callable[[KeyPath], tuple[Place | None, bool]] = lambda _path: (None, False)

    def __reduce__(self) -> tuple[type[ProblemReport], tuple[list[_Finding]]]:
        """A pickle holds the problems with their places, without the layers that they came from."""
        told = []
        for finding in self._findings:
            place, is_packaged = self._place(finding)
            if not is_packaged:
                severity, hint = self._severity(finding), _in_words(finding.hint)
                told.append(finding._replace(place=place, severity=severity, hint=hint))
        return ProblemReport, (told,)

    def copy(self) -> ProblemReport:
        """A report of its own with the same problems, for adding what only a reader of warnings pays for."""
        report = ProblemReport()
        report.__dict__.update(self.__dict__, _findings=[*self._findings])
        return report

    def error(self, path: KeyPath, problem: str, hint: Hint = None, place: At = None, *, unless: Places = ()) -> None:
        """Note a fault.

        Args:
            path: Its key path; empty where it belongs to no key.
            problem: What was expected and what was found.
            hint: The next step.
            place: Where it stands, when that is known already; else it is looked up.
            unless: The places that the judgement rests on.
        """
        self._note(_Finding(problem, path, hint, Severity.ERROR, place), unless)

    def warning(self, path: KeyPath, problem: str, hint: Hint = None, place: At = None, *, unless: Places = ()) -> None:
        """Note something that deserves attention and stops nothing; the arguments are those of `error`."""
        self._note(_Finding(problem, path, hint, Severity.WARNING, place), unless)

    def unreadable(
        self, prefix: KeyPath, problem: str, place: At = None, *, path: KeyPath = (), hint: Hint = None
    ) -> None:
        """Note what could not be read: what would lie below `prefix` is unknown from here on.

        Args:
            prefix: The key path that it would have stated.
            problem: What was expected and what was found.
            place: Where it is.
            path: Where the problem is told, when that is not at `prefix`.
            hint: The next step.
        """
        for broken in _under_any_backend(prefix):
            self._unreadable.add(broken)
            self._above_unreadable.update(prefixes(broken))
        self.error(path or prefix, problem, hint, place)

    def unknown_name(self, path: KeyPath, kind: str, near: NearName, *, unless: Places = ()) -> None:
        """Note a name that nothing is called by.

        Args:
            path: The key path of the name.
            kind: What should be called so, such as "backend".
            near: The name, and what may be meant by it.
            unless: The places where something of that name might have been stated.
        """
        self.error(path, f"no {kind} is called {near.name!r}", near, unless=unless)

    def required(self, paths: Places, hint: Hint = None, *, unless: Places = ()) -> None:
        """Note keys that are needed and that nothing states; they are judged together."""
        if not any(map(self._explains, unless)):
            for path in paths:
                self.error(path, "required, and nothing states it", hint)

    def unknown_key(self, path: KeyPath, known: Iterable[str], *, unless: Places = ()) -> None:
        """Note a key that no schema knows; the keys that one knows are suggested."""
        self.error(path, "unknown key", NearName(str(path[-1]), sorted(known), lists_known=True), unless=unless)

    def demote(self, prefix: KeyPath, *, unless: Places = ()) -> None:
        """Say that what lies below a key path is not in use: its errors are warnings, and explain nothing else."""
        if any(map(self._explains, unless)):
            return
        self._idle.add(prefix)
        hidden = self._errors.pop(prefix, 0)
        for above in prefixes(prefix[:-1]):
            self._errors[above] -= hidden

    def problems(self, severity: Severity) -> list[Problem]:
        """The problems of one severity, in file and line order, each once."""
        found: dict[Problem, None] = {}
        for finding in self._findings:
            if self._severity(finding) is not severity:
                continue
            place, is_packaged = self._place(finding)
            # A warning of the packaged settings is for their authors alone.
            if severity is Severity.ERROR or not is_packaged:
                found[_as_problem(finding, place, severity)] = None
        return sorted(found, key=lambda problem: (problem.file or "", problem.line or 0))

    def raise_errors(self, heading: str) -> None:
        """Raise one `SettingsError` with every error, or return where there is none."""
        errors = self.problems(Severity.ERROR)
        if errors:
            count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
            raise SettingsError.from_problems(f"{count} in {heading}", errors, self.problems(Severity.WARNING))

    def _note(self, finding: _Finding, unless: Places) -> None:
        if any(map(self._explains, unless)):
            return
        self._findings.append(finding)
        if self._severity(finding) is Severity.ERROR:
            self._errors.update(prefixes(finding.path))

    def _explains(self, place: KeyPath) -> bool:
        """Whether a place could not be read or has an error, so that what rests on it is a consequence."""
        above = [(), *prefixes(place)]
        if place in self._above_unreadable or not self._unreadable.isdisjoint(above):
            return True
        return self._errors[place] > 0 and self._idle.isdisjoint(above)

    def _severity(self, finding: _Finding) -> Severity:
        if self._idle and not self._idle.isdisjoint(prefixes(finding.path)):
            return Severity.WARNING
        return finding.severity

    def _place(self, finding: _Finding) -> tuple[Place | None, bool]:
        """Where a finding stands, and whether that is a packaged file."""
        if isinstance(finding.place, Origin):
            return finding.place.place(finding.path), finding.place.is_packaged
        return (finding.place, False) if finding.place else self.locate(finding.path)


def _under_any_backend(path: KeyPath) -> Iterator[KeyPath]:
    """A key path, and for one below a backend's models the same below any backend's: see `model_place`."""
    yield path
    if path[:1] == ("models",):
        yield ("models", _ANY_BACKEND, *path[2:])


def _in_words(hint: Hint) -> str | None:
    return hint.tell() if isinstance(hint, NearName) else hint


def _as_problem(finding: _Finding, place: Place | None, severity: Severity) -> Problem:
    return Problem(
        problem=finding.problem,
        path=format_key_path(finding.path) if finding.path else "",
        file=place.name if place else None,
        line=place.line if place else None,
        suggestion=_in_words(finding.hint),
        severity=severity,
    )
