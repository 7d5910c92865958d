"""Collecting problems while a load goes on, so that all of them can be told at once.

The report knows what follows from what. Whoever judges something says with `unless` which places the judgement rests
on, and where one of them could not be read or has an error, the judgement is a consequence and is not recorded.

Nobody can mend a packaged file. Whoever judges one value by others names these as `causes`, and where the value is
packaged, the problem is told at the first of them that the application states.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, starmap
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath, format_key_path, prefixes
from pipelex_cogt.config.layers import Location, Origin, Place
from pipelex_cogt.config.suggestions import NearName, Suggestion
from pipelex_cogt.errors import Problem, SettingsError, Severity


class Elsewhere(NamedTuple):
    """A next step that names another place of the settings; its line is looked for when somebody reads the step.

    Attributes:
        before: The words before the place.
        path: The key path that stands there.
        after: The words after the place.
    """

    before: str
    path: KeyPath
    after: str = ""


Hint: TypeAlias = str | Suggestion | Elsewhere | None
"""The next step, in words or still to be looked for."""
At: TypeAlias = Place | Origin | None
"""Where a problem stands; of an origin the line is looked for when the problem is told."""
Places: TypeAlias = Iterable[KeyPath]
Causes: TypeAlias = Sequence[KeyPath] | Callable[[], Places]
"""The values that another is judged by, or what finds them when the problem is told."""
WHEREVER = Place("")
"""Stands for the place of the key path, packaged or not; its line is looked for when the problem is told."""

UNSTATED = "required, and nothing states it"
"""The problem of a key that is needed."""
_ANY_BACKEND = "*"
_MOST_SUGGESTIONS = 300
"""Whoever reads more problems than that mends them by a rule, and to look for each near name would take minutes."""
_NOWHERE = (None, None, False)


def model_place(name: str) -> KeyPath:
    """The place of a model of that name, whichever backend's file might state it."""
    return ("models", _ANY_BACKEND, name)


class _Finding(NamedTuple):
    """A problem before its key path has become a file and a line."""

    problem: str
    path: KeyPath
    hint: Hint
    place: At
    severity: Severity = Severity.ERROR
    causes: Causes = ()
    other_party: str = ""
    """The packaged value that a cause of the application's does not fit."""


class ProblemReport:
    """The problems of one load.

    Key paths become files and lines, and wrong names suggestions, only when somebody reads the report: a load without
    problems pays nothing. `locate` answers where a key path is stated.
    """

    def __init__(self, findings: Iterable[_Finding] = ()) -> None:
        self._findings = [*findings]
        self._unreadable: set[KeyPath] = set()
        self._above_unreadable: set[KeyPath] = set()
        # How many errors there are at or below each key path.
        self._errors: Counter[KeyPath] = Counter()
        self._idle: set[KeyPath] = set()
        self.locate: Callable[[KeyPath], Location] = lambda _path: Location()

    def __reduce__(self) -> tuple[type[ProblemReport], tuple[list[_Finding]]]:
        """A pickle holds the problems with their places, without the layers that they came from."""
        told, looked_for = chain.from_iterable(map(self._told, Severity)), count()
        findings = [
            finding._replace(place=place, hint=self._in_words(finding.hint, looked_for), causes=())
            for finding, place in told
        ]
        return ProblemReport, (findings,)

    def copy(self) -> ProblemReport:
        """A report of its own with the same problems, for adding what only a reader of warnings pays for."""
        report = ProblemReport()
        report.__dict__.update(self.__dict__, _findings=[*self._findings], _errors=self._errors.copy())
        return report

    def error(
        self,
        path: KeyPath,
        problem: str,
        hint: Hint = None,
        place: At = None,
        *,
        unless: Places = (),
        causes: Causes = (),
    ) -> None:
        """Note a fault.

        Args:
            path: Its key path; empty where it belongs to no key.
            problem: What was expected and what was found.
            hint: The next step.
            place: Where it stands, when that is known already; else it is looked up.
            unless: The places that the judgement rests on.
            causes: The values that it was judged by, the nearest first, or what finds them. Where its own value is
                packaged, it is told at the first of these that the application states.
        """
        self._note([_Finding(problem, path, hint, place, causes=causes)], unless)

    def warning(
        self,
        path: KeyPath,
        problem: str,
        hint: Hint = None,
        place: At = None,
        *,
        unless: Places = (),
        causes: Causes = (),
    ) -> None:
        """Note something that deserves attention and stops nothing; the arguments are those of `error`."""
        self._note([_Finding(problem, path, hint, place, Severity.WARNING, causes)], unless)

    def unreadable(
        self,
        prefix: KeyPath,
        problem: str,
        place: At = None,
        *,
        path: KeyPath = (),
        hint: Hint = None,
        unless: Places = (),
    ) -> None:
        """Note what could not be read: what would lie below `prefix` is unknown from here on.

        Args:
            prefix: The key path that it would have stated.
            problem: What was expected and what was found.
            place: Where it is.
            path: Where the problem is told, when that is not at `prefix`.
            hint: The next step.
            unless: The places that the judgement rests on.
        """
        if any(map(self._explains, unless)):
            return
        # Of models, the same place below any backend too: see `model_place`.
        anywhere = ("models", _ANY_BACKEND, *prefix[2:]) if prefix[:1] == ("models",) else prefix
        self._unreadable.update((prefix, anywhere))
        self._above_unreadable.update(prefixes(prefix), prefixes(anywhere))
        # Where the value that names it was refused, it is not looked for.
        if not (path and self.is_refused(path)):
            self.error(path or prefix, problem, hint, place)

    def unknown_name(
        self, path: KeyPath, kind: str, near: NearName, *, unless: Places = (), causes: Causes = ()
    ) -> None:
        """Note a name that nothing is called by.

        Args:
            path: The key path of the name.
            kind: What should be called so, such as "backend".
            near: The name, and what may be meant by it.
            unless: The places where something of that name might have been stated.
            causes: The places where something of that name may have been taken away.
        """
        # Where the name was refused for what it is, nothing needs to be called by it.
        if not self.is_refused(path):
            self.error(path, f"no {kind} is called {near.name!r}", near, unless=unless, causes=causes)

    def required(self, paths: Places, hint: Hint = None, *, unless: Places = ()) -> None:
        """Note keys that are needed and that nothing states; they are judged together."""
        self._note([_Finding(UNSTATED, path, hint, None) for path in paths], unless)

    def unknown_key(self, path: KeyPath, known: Iterable[str], hint: str | None = None, *, unless: Places = ()) -> None:
        """Note a key that no schema knows; without a hint, the keys that one knows are suggested."""
        near = hint or NearName(str(path[-1]), sorted(known), lists_known=True, is_key=True)
        self.error(path, "unknown key", near, unless=unless)

    def is_refused(self, path: KeyPath) -> bool:
        """Whether a key path, or one below it, has an error already."""
        return self._errors[path] > 0

    def demote(self, prefix: KeyPath, *, unless: Places = ()) -> None:
        """Say that what lies below a key path is not in use: its errors are warnings, and explain nothing else."""
        # The errors of what is idle already count nowhere any more.
        if self._is_idle(prefix) or any(map(self._explains, unless)):
            return
        self._idle.add(prefix)
        hidden = self._errors.pop(prefix, 0)
        self._errors.subtract(dict.fromkeys(prefixes(prefix[:-1]), hidden))

    def problems(self, severity: Severity) -> list[Problem]:
        """The problems of one severity, in file and line order, each once."""
        parties: defaultdict[Problem, list[str]] = defaultdict(list)
        looked_for = count()
        for finding, place in self._told(severity):
            parties[self._as_problem(finding, place, looked_for)].append(finding.other_party)
        found = starmap(_with_parties, parties.items())
        return sorted(found, key=lambda problem: (problem.file or "", problem.line or 0))

    def raise_errors(self, heading: str) -> None:
        """Raise one `SettingsError` with every error, or return where there is none."""
        errors = self.problems(Severity.ERROR)
        if errors:
            number = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
            raise SettingsError.from_problems(f"{number} in {heading}", errors, self.problems(Severity.WARNING))

    def _note(self, findings: Iterable[_Finding], unless: Places) -> None:
        if any(map(self._explains, unless)):
            return
        for finding in findings:
            self._findings.append(finding)
            if self._severity(finding) is Severity.ERROR:
                self._errors.update(prefixes(finding.path))

    def _explains(self, place: KeyPath) -> bool:
        """Whether a place could not be read or has an error, so that what rests on it is a consequence."""
        above = [(), *prefixes(place)]
        is_unread = place in self._above_unreadable or not self._unreadable.isdisjoint(above)
        is_wrong = self._errors[place] > 0 and not self._is_idle(place)
        return is_unread or is_wrong

    def _is_idle(self, place: KeyPath) -> bool:
        return not self._idle.isdisjoint(prefixes(place))

    def _severity(self, finding: _Finding) -> Severity:
        return Severity.WARNING if self._is_idle(finding.path) else finding.severity

    def _told(self, severity: Severity) -> Iterator[tuple[_Finding, Place | None]]:
        """The findings of one severity that are for the reader, each with where it stands."""
        for finding in self._findings:
            if self._severity(finding) is severity:
                told, place, is_packaged = self._where_told(finding)
                # A warning of the packaged settings is for their authors alone.
                if severity is Severity.ERROR or not is_packaged:
                    yield told._replace(severity=severity), place

    def _where_told(self, finding: _Finding) -> tuple[_Finding, Place | None, bool]:
        """A finding with its place: a packaged one is told at the application's cause, where it has one."""
        place, is_packaged = self._place(finding)
        cause = self._own_cause(finding) if is_packaged else None
        if cause is None:
            return finding, place, is_packaged
        party = f"{format_key_path(finding.path)} ({place})"
        return finding._replace(path=cause, other_party=party), self.locate(cause).place, False

    def _own_cause(self, finding: _Finding) -> KeyPath | None:
        """The first cause of a finding that the application states; what is not in use troubles nobody."""
        if self._is_idle(finding.path):
            return None
        causes = finding.causes() if callable(finding.causes) else finding.causes
        return next(filter(self.is_own, causes), None)

    def is_own(self, path: KeyPath) -> bool:
        """Whether the application states a key path itself."""
        found = self.locate(path)
        return found.stated == path and not found.is_packaged

    def _place(self, finding: _Finding) -> tuple[Place | None, bool]:
        """Where a finding stands, and whether that is a packaged file."""
        if finding.place is WHEREVER:
            return self.locate(finding.path).place, False
        if isinstance(finding.place, Origin):
            return finding.place.place(finding.path), finding.place.is_packaged
        if finding.place is not None:
            return finding.place, False
        found = self.locate(finding.path)
        return found.place, found.is_packaged

    def _in_words(self, hint: Hint, looked_for: Iterator[int]) -> str | None:
        """The next step in words; of suggestions the first hundreds are looked for, which takes its time."""
        if isinstance(hint, Elsewhere):
            place = self.locate(hint.path).place
            return f"{hint.before}{place or format_key_path(hint.path)}{hint.after}"
        if isinstance(hint, str | None):
            return hint
        return hint.tell() if next(looked_for) < _MOST_SUGGESTIONS else None

    def _as_problem(self, finding: _Finding, place: Place | None, looked_for: Iterator[int]) -> Problem:
        path = format_key_path(finding.path) if finding.path else ""
        file, line, _ = place or _NOWHERE
        return Problem(finding.problem, path, file, line, self._in_words(finding.hint, looked_for), finding.severity)


def _with_parties(problem: Problem, parties: Sequence[str]) -> Problem:
    """A problem of an application's value with the packaged values that it does not fit."""
    named = [*dict.fromkeys(filter(None, parties))]
    if not named:
        return problem
    return replace(problem, problem=f"does not fit {' and '.join(named)}: {problem.problem}")
