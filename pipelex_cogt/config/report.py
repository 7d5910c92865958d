"""Collecting problems while a load goes on, so that all of them can be told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from typing import NamedTuple

from pydantic import SecretStr, ValidationError

from pipelex_cogt.config.key_paths import KeyPath, did_you_mean, format_key_path, near_names
from pipelex_cogt.config.layers import Origin, Place
from pipelex_cogt.errors import Problem, SettingsError, Severity

_TOML_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    ((str, SecretStr), "a string"),
    (Mapping, "a table"),
    ((list, tuple), "a list"),
    (date, "a date"),
    (time, "a time"),
)
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "enum": "one of {expected}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "an integer",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "model_type": "a table",
    "path_type": "a string",
    "string_too_short": "a string that is not empty",
    "string_type": "a string",
    "tuple_type": "a list",
}
_SHOWS_VALUE = {"enum", "finite_number", "greater_than", "greater_than_equal", "less_than_equal"}


def _plain(limit: object) -> object:
    """A limit as people write it: 2 rather than 2.0."""
    return f"{limit:g}" if isinstance(limit, float) else limit


def toml_type(value: object) -> str:
    """What TOML calls a value's type."""
    if value == "":
        return "an empty string"
    return next((name for kind, name in _TOML_TYPES if isinstance(value, kind)), f"a Python {type(value).__name__}")


def _is_meant(missing: KeyPath, misspelt: Iterable[KeyPath]) -> bool:
    """Whether a missing key stands in its table under a name that comes near."""
    return any(path[:-1] == missing[:-1] and near_names(str(path[-1]), [str(missing[-1])]) for path in misspelt)


class _Finding(NamedTuple):
    problem: str
    path: KeyPath
    suggestion: str | None
    severity: Severity
    place: Place | Origin | None


class ProblemReport:
    """The problems of one load.

    Key paths become files and lines only when somebody reads the report, so a load without problems pays nothing.
    `locate` answers where a key path is stated, and whether that is in the packaged settings.
    """

    def __init__(self, findings: Iterable[_Finding] = ()) -> None:
        self._findings = [*findings]
        self._unreadable: set[KeyPath] = set()
        self.locate: Callable[[KeyPath], tuple[Place | None, bool]] = lambda _path: (None, False)

    def __reduce__(self) -> tuple[type[ProblemReport], tuple[list[_Finding]]]:
        """A pickle holds the problems with their places, without the layers that they came from."""
        placed = ((finding, *self._place(finding)) for finding in self._findings)
        told = [finding._replace(place=place) for finding, place, is_packaged in placed if not is_packaged]
        return ProblemReport, (told,)

    def copy(self) -> ProblemReport:
        """A report of its own with the same problems, for adding what only a reader of warnings pays for."""
        report = ProblemReport(self._findings)
        report._unreadable = {*self._unreadable}
        report.locate = self.locate
        return report

    def error(self, path: KeyPath, problem: str, suggestion: str | None = None, place: Place | None = None) -> None:
        """Note a fault; `place` where it is known already, else it is looked up."""
        self._findings.append(_Finding(problem, path, suggestion, Severity.ERROR, place))

    def warning(
        self, path: KeyPath, problem: str, suggestion: str | None = None, place: Place | Origin | None = None
    ) -> None:
        """Note something that deserves attention and stops nothing; of an origin the place is looked up when told."""
        self._findings.append(_Finding(problem, path, suggestion, Severity.WARNING, place))

    def unreadable(
        self,
        prefix: KeyPath,
        problem: str,
        place: Place | None = None,
        path: KeyPath | None = None,
        suggestion: str | None = None,
    ) -> None:
        """Note what could not be read: what would lie below `prefix` is unknown from here on."""
        self._unreadable.add(prefix)
        self.error(prefix if path is None else path, problem, suggestion, place)

    def is_unknown(self, *prefix: str) -> bool:
        """Whether a file that could not be read might have stated something below or above `prefix`."""
        return any(broken[: len(prefix)] == prefix[: len(broken)] for broken in self._unreadable)

    def may_hide_model(self, name: str) -> bool:
        """Whether what could not be read might have stated a model of that name."""
        return any(path[0:1] in ((), ("models",)) and path[2:3] in ((), (name,)) for path in self._unreadable)

    def has_fault(self, *prefix: str) -> bool:
        """Whether an error was noted at or below a key path."""
        return any(
            finding.severity is Severity.ERROR and finding.path[: len(prefix)] == prefix for finding in self._findings
        )

    def invalid(
        self,
        error: ValidationError,
        prefix: KeyPath,
        known: Mapping[KeyPath, Iterable[str]] | None = None,
        skips: Callable[[KeyPath], bool] = lambda _loc: False,
    ) -> None:
        """Note everything that a Pydantic validation refused.

        Args:
            error: The validation's error.
            prefix: The key path of what was validated.
            known: The keys that exist, by the path of their table, for suggestions.
            skips: Says of which places below `prefix` the faults are told elsewhere.
        """
        faults = error.errors(include_url=False, include_input=True)
        misspelt = {fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"}
        for fault in faults:
            if skips(fault["loc"]) or (fault["type"] == "missing" and _is_meant(fault["loc"], misspelt)):
                continue
            path = (*prefix, *fault["loc"])
            kind, context, value = fault["type"], fault.get("ctx", {}), fault["input"]
            if kind == "extra_forbidden":
                keys = list((known or {}).get(fault["loc"][:-1], ()))
                self.unknown_key(path, keys)
            elif kind == "missing":
                self.error(path, "required, and nothing states it")
            elif kind in _EXPECTED:
                expected = _EXPECTED[kind].format_map({name: _plain(limit) for name, limit in context.items()})
                found = repr(value) if kind in _SHOWS_VALUE and not isinstance(value, Mapping) else toml_type(value)
                self.error(path, f"expected {expected}, got {found}")
            else:
                self.error(path, fault["msg"])

    def unknown_key(self, path: KeyPath, known: Iterable[str]) -> None:
        """Note a key that no schema knows."""
        keys = sorted(known)
        near = did_you_mean(str(path[-1]), keys)
        self.error(path, "unknown key", near or (f"expected one of {', '.join(keys)}" if keys else None))

    def demote(self, *prefixes: KeyPath) -> None:
        """Turn the errors below these key paths into warnings."""
        self._findings = [
            finding._replace(severity=Severity.WARNING)
            if any(finding.path[: len(prefix)] == prefix for prefix in prefixes)
            else finding
            for finding in self._findings
        ]

    def problems(self, severity: Severity) -> list[Problem]:
        """The problems of one severity, in file and line order, each once."""
        found = {
            problem: is_packaged
            for problem, is_packaged in map(self._located, self._findings)
            if problem.severity is severity and not (is_packaged and severity is Severity.WARNING)
        }
        return sorted(found, key=lambda problem: (problem.file or "", problem.line or 0))

    def raise_errors(self, heading: str) -> None:
        """Raise one `SettingsError` with every error, or return where there is none."""
        if errors := self.problems(Severity.ERROR):
            count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
            raise SettingsError.from_problems(f"{count} in {heading}", errors, self.problems(Severity.WARNING))

    def _located(self, finding: _Finding) -> tuple[Problem, bool]:
        place, is_packaged = self._place(finding)
        return Problem(
            problem=finding.problem,
            path=format_key_path(finding.path) if finding.path else "",
            file=place.name if place else None,
            line=place.line if place else None,
            suggestion=finding.suggestion,
            severity=finding.severity,
        ), is_packaged

    def _place(self, finding: _Finding) -> tuple[Place | None, bool]:
        """Where a finding stands, and whether that is a packaged file that nobody but its authors should hear of."""
        if isinstance(finding.place, Origin):
            return finding.place.place(finding.path), finding.place.is_packaged
        return (finding.place, False) if finding.place else self.locate(finding.path)
