"""The exception tree, and `Problem`: one fault in the settings, as data.

Everything this package raises is a `CogtError`:

    CogtError
        SettingsError            an ExceptionGroup: every fault a load found, each a ProblemError
        ProblemError             one Problem
        NotAvailableError        a name that cannot be used here; also a LookupError
            UnknownNameError         nothing knows the name
            BackendDisabledError     the model is known, its backends are disabled
            ModelNotRoutedError      the model is enabled, no rule of the active profile leads to it
            MissingCredentialError   a backend needs a value that no source holds
                LiteralLeftBehindError   the value was a literal, and a pickle carries none
            UnusableCredentialError  a backend has a value that can never work
        NameTypeError            a name that is no text; also a TypeError
        UsageError               a usage of tokens that cannot be true; also a ValueError
        SecretFileError          a secret's file that cannot be used
        SecretSourceError        a source of secrets that fails
        CallRefusedError         a call that is refused before anything is sent
        MissingExtraError        an SDK that is not installed; also an ImportError
        FallbackError            an ExceptionGroup: no model of a chain answered
        CallFailedError          one failure of a chain, out of a pickle
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypeVar

from pipelex_cogt.visible import visible, visible_line

T = TypeVar("T")
_MOST_TOLD = 12


def abridge(names: Sequence[str]) -> Sequence[str]:
    """What a sentence tells of a list: all, or of an endless one the first, and how many more there are."""
    more = len(names) - _MOST_TOLD
    return [*names[:_MOST_TOLD], f"{more} more"] if more > 1 else names


class CogtError(Exception):
    """Root of everything this package raises.

    Its attributes hold names, files and values exactly as they are. Its text shows them: no name in it begins a line of
    its own, and nothing in it is obeyed by a terminal or by a CI runner.
    """

    def __str__(self) -> str:
        return "\n  ".join(map(visible_line, (self._told(), *self._told_below())))

    def __repr__(self) -> str:
        return visible(super().__repr__())

    def _told(self) -> str:
        """What it says, with names as they are."""
        return super().__str__()

    def _told_below(self) -> Iterable[str]:
        """What it says in lines of their own."""
        return ()


class Severity(StrEnum):
    """How much a problem matters: an error stops the load, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in the settings.

    Attributes:
        problem: What was expected and what was found; never a secret value.
        path: The TOML key path, such as `cogt.models.openai."gpt-4.1".max_tokens`; empty for a whole file.
        file: The file or the variable that states the value; None where nothing states it.
        line: The line in that file, counted from 1; None where there is no file.
        suggestion: The known name that comes nearest, or the next step.
        severity: Error or warning.
    """

    problem: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    suggestion: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def message(self) -> str:
        """What is wrong and the next step, without the place."""
        return "; ".join(filter(None, (self.problem, self.suggestion)))

    @property
    def place(self) -> str | None:
        """The file and the line, or the variable, that states the value; None where nothing states it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        where = "  ".join(filter(None, (self.place, self.path)))
        return visible_line(": ".join(filter(None, (where, self.message))))


class ProblemError(CogtError):
    """One problem, as an exception.

    In a group it says no more than where it stands: the group's own text is the whole report, and a traceback, which
    prints a group and then each of its errors, would tell every problem twice.

    Attributes:
        problem: The problem as data.
        is_grouped: Whether a group tells it.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem
        self.is_grouped = False

    def _told(self) -> str:
        if self.is_grouped:
            return self.problem.place or self.problem.path
        return str(self.problem)


class SettingsError(CogtError, ExceptionGroup[ProblemError]):
    """Every fault that a load found, in file and line order.

    `str()` is the whole report, and so what a traceback prints; `problems` is the same as data.

    Attributes:
        warnings: What the load noted beside its faults.
    """

    warnings: tuple[Problem, ...] = ()

    def __init__(self, _heading: str, errors: Sequence[ProblemError], /) -> None:
        for error in errors:
            error.is_grouped = True

    @classmethod
    def from_problems(cls, heading: str, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> Self:
        """Build the group from problems in the order in which they are to be read."""
        error = cls(heading, [*map(ProblemError, problems)])
        error.warnings = tuple(warnings)
        return error

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The faults as data."""
        return tuple(error.problem for error in self.exceptions if isinstance(error, ProblemError))

    def derive(self, errors: Sequence[ProblemError], /) -> SettingsError:  # type: ignore[override]  # because: narrower
        """The same heading over other errors, as `except*` asks for."""
        return SettingsError(self.message, errors)

    def _told(self) -> str:
        return self.message

    def _told_below(self) -> Iterable[str]:
        return map(str, self.problems)


class NotAvailableError(CogtError, LookupError):
    """A name that cannot be used with these settings.

    Attributes:
        name: The name that was asked for.
    """

    def __init__(self, name: str, *facts: object) -> None:
        super().__init__(name, *facts)
        self.name = name


def _unseen(find: Callable[[], T]) -> Callable[[], T]:
    """What finds the same, and shows nobody who lists the attributes of an error what it is looked for in."""
    return lambda: find()  # noqa: PLW0108 -- because: as said


class UnknownNameError(NotAvailableError):
    """Nothing in the settings knows the name.

    Names that come near are looked for when somebody reads them: most of those who ask for a name that may be missing
    only catch the error.

    Attributes:
        kind: What was asked for, such as "model or alias".
    """

    def __init__(
        self,
        name: str,
        kind: str,
        suggestions: tuple[str, ...] | Callable[[], tuple[str, ...]] = (),
        identity: str | Callable[[], str | None] | None = None,
    ) -> None:
        super().__init__(name, kind)
        self.kind = kind
        self._suggestions = _unseen(suggestions) if callable(suggestions) else suggestions
        self._identity = _unseen(identity) if callable(identity) else identity

    @property
    def suggestions(self) -> tuple[str, ...]:
        """Known names that come near, nearest first."""
        found = self._suggestions
        if callable(found):
            found = self._suggestions = found()
        return found

    @property
    def identity(self) -> str | None:
        """What is called so instead, such as "the model_id of 'gpt-4.1'"; None where nothing is."""
        found = self._identity
        if callable(found):
            found = self._identity = found()
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds what was found, and not where it was looked for."""
        notes = {"__notes__": self.__notes__} if hasattr(self, "__notes__") else None
        return UnknownNameError, (self.name, self.kind, self.suggestions, self.identity), notes

    def _told(self) -> str:
        near = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else None
        hint = f"it is {self.identity}" if self.identity else near
        return "; ".join(filter(None, (f"no {self.kind} is called {self.name!r}", hint)))


class NameTypeError(CogtError, TypeError):
    """A name that is no text, and so can be nobody's.

    Attributes:
        kind: What was asked for, such as "model or alias".
        found: The type of what stands for the name.
    """

    def __init__(self, kind: str, found: str) -> None:
        super().__init__(kind, found)
        self.kind, self.found = kind, found

    def _told(self) -> str:
        return f"expected the name of a {self.kind} as text, got {self.found}"


def check_name(name: object, kind: str) -> None:
    """Refuse a name that is no text.

    Raises:
        NameTypeError: It is none.
    """
    if not isinstance(name, str):
        raise NameTypeError(kind, type(name).__name__)


class BackendDisabledError(NotAvailableError):
    """The model or backend is known, but switched off.

    Attributes:
        backends: The disabled backends that know the name.
        switched_off_by: The key paths of the settings that keep them out of use.
    """

    def __init__(self, name: str, backends: tuple[str, ...], switched_off_by: tuple[str, ...] = ()) -> None:
        super().__init__(name, backends, switched_off_by)
        self.backends, self.switched_off_by = backends, switched_off_by

    def _told(self) -> str:
        if self.backends == (self.name,):
            where = " and ".join(self.switched_off_by) or "backends.toml"
            return f"backend {self.name!r} is disabled; enable it in {where}"
        where = " or ".join(abridge(self.switched_off_by)) or "backends.toml"
        known = ", ".join(abridge(self.backends))
        return f"{self.name!r} is known only to what is disabled: {known}; enable one in {where}"


class ModelNotRoutedError(NotAvailableError):
    """The model is known and its backend enabled, but the active profile does not lead to it.

    Attributes:
        profile: The routing profile in force.
        rule: The rule that took the model, such as `route 'gpt-*'`; None where no rule matches it.
        turned_down: The backends that were asked, each with the reason why it does not serve the model; of several,
            those that know it.
        next_step: What would lead to it: the line to write, or what keeps the other backends that know it.
    """

    def __init__(
        self,
        name: str,
        profile: str,
        rule: str | None,
        turned_down: tuple[tuple[str, str], ...],
        next_step: str | None = None,
    ) -> None:
        super().__init__(name, profile, rule, turned_down, next_step)
        self.profile, self.rule, self.turned_down, self.next_step = profile, rule, turned_down, next_step

    @property
    def reason(self) -> str:
        """Why no rule leads to it, without the model's name and the next step."""
        taken = f"{self.rule} takes it" if self.rule else "no rule leads to a backend that serves it"
        asked = "; ".join(abridge([f"{backend!r} {reason}" for backend, reason in self.turned_down]))
        return ": ".join(filter(None, (taken, asked)))

    def _told(self) -> str:
        reason = f"{self.name!r} is not served in routing profile {self.profile!r}: {self.reason}"
        return "; ".join(filter(None, (reason, self.next_step)))


class MissingCredentialError(NotAvailableError):
    """A backend needs a value that no source holds.

    Attributes:
        backend: The backend's name.
        variables: The names that would answer, as written in the reference; of a backend that was left out, each
            reference that nothing answers.
        path: The TOML key path of the reference.
        place: The file and line, or the variable, that holds the reference.
        advice: Where the names were looked for, which that are set come near, and the next step. They are looked for
            when somebody reads the message.
        is_left_out: Whether the backend was left out of the load for it.
    """

    def __init__(
        self,
        backend: str,
        variables: tuple[str, ...],
        path: str,
        place: str,
        advice: object = None,
        *,
        is_left_out: bool = False,
    ) -> None:
        super().__init__(backend, variables, path, place, advice)
        self.backend, self.variables, self.path, self.place = backend, variables, path, place
        self.advice, self.is_left_out = advice, is_left_out

    @property
    def reason(self) -> str:
        """What is missing, without the place and the advice."""
        if not self.is_left_out:
            return f"backend {self.backend!r} needs {' or '.join(self.variables)}, which is not set"
        return f"backend {self.backend!r} {tell_left_out(self.variables)}"

    def _told(self) -> str:
        advice = str(self.advice or "")
        return f"{self.place}  {self.path}: {'; '.join(filter(None, (self.reason, advice)))}"


def tell_left_out(variables: Sequence[str]) -> str:
    """Why a backend is left out of a load, in words: the references that nothing answers."""
    verb = "is" if len(variables) == 1 else "are"
    return f"is left out: {' and '.join(variables)} {verb} not set"


class LiteralLeftBehindError(MissingCredentialError):
    """A backend out of a pickle has lost a literal secret: no pickle carries one."""

    def __init__(self, backend: str, path: str, advice: str = "state a reference such as ${NAME} instead") -> None:
        super().__init__(backend, (), path, "a pickle", advice)
        # What a pickle calls the class with.
        self.args = (backend, path, advice)

    def _told(self) -> str:
        lost = f"backend {self.backend!r} has lost its literal secret, which no pickle carries"
        return f"{self.path}: {lost}; {self.advice}"


class UnusableCredentialError(NotAvailableError):
    """A backend has a value that can never work: a control character in it, quotes, another tool's reference.

    Attributes:
        backend: The backend's name.
        variable: The variable or secret that holds the value; None where it is a literal.
        path: The TOML key path of the setting.
        place: The variable, or the file, that holds the value.
        problem: What is wrong with it and the next step, never the value.
    """

    def __init__(self, backend: str, variable: str | None, path: str, place: str, problem: str) -> None:
        super().__init__(backend, variable, path, place, problem)
        self.backend, self.variable, self.path = backend, variable, path
        self.place, self.problem = place, problem

    def _told(self) -> str:
        return f"{self.place}  {self.path}: {self.problem}"


class UsageError(CogtError, ValueError):
    """A usage of tokens that cannot be true, or an answer that states none.

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class SecretFileError(CogtError):
    """A secret's file that cannot be used.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def _told(self) -> str:
        return f"{self.path}: {self.problem}"


class SecretSourceError(CogtError):
    """A source of secrets that fails.

    Attributes:
        source: The source's class.
        name: The secret that was asked for.
        problem: What went wrong.
    """

    def __init__(self, source: str, name: str, problem: str) -> None:
        super().__init__(source, name, problem)
        self.source, self.name, self.problem = source, name, problem

    def _told(self) -> str:
        return f"the secret source {self.source}, asked for {self.name!r}, {self.problem}"


class CallRefusedError(CogtError):
    """A call that an SDK cannot make, or that a provider would refuse; nothing was sent.

    Attributes:
        model: The model's name.
        backend: The name of the backend that serves it.
        problem: Why the call is refused.
        next_step: What to do instead.
    """

    def __init__(self, model: str, backend: str, problem: str, next_step: str | None = None) -> None:
        super().__init__(model, backend, problem, next_step)
        self.model, self.backend, self.problem, self.next_step = model, backend, problem, next_step

    def _told(self) -> str:
        told = f"model {self.model!r} on backend {self.backend!r} {self.problem}"
        return "; ".join(filter(None, (told, self.next_step)))


class MissingExtraError(CogtError, ImportError):
    """An SDK that is not installed.

    Attributes:
        package: The package that is missing.
        extra: The extra of this package that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)
        self.package, self.extra = package, extra

    def _told(self) -> str:
        return f'{self.package} is not installed; run pip install "pipelex-cogt[{self.extra}]"'


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A call that failed and whose place another model took: what can be told of it, nothing that was sent.

    Attributes:
        model: The model's name.
        backend: The name of the backend that serves it.
        kind: The class of the exception, such as "RateLimitError".
        status: The HTTP status that was answered; None where nothing was answered.
        reason: Why another model may answer, in words.
    """

    model: str
    backend: str
    kind: str
    status: int | None
    reason: str

    def __str__(self) -> str:
        raised = self.kind if self.status is None else f"{self.kind} {self.status}"
        return visible_line(f"model {self.model!r} on backend {self.backend!r} failed with {raised}: {self.reason}")


class CallFailedError(CogtError):
    """A call that failed, out of a pickle: the exception of the SDK holds the request with its key and stays behind.

    Attributes:
        failure: What is told of it.
    """

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure)
        self.failure = failure

    def _told(self) -> str:
        return str(self.failure)


class FallbackError(CogtError, ExceptionGroup[Exception]):
    """No model of a chain answered: the exception of each, in the order in which they were called.

    Attributes:
        failures: What is told of each: its model and backend, and why another was called.
    """

    failures: tuple[CallFailure, ...] = ()

    def __init__(self, _heading: str, errors: Sequence[Exception], /) -> None:
        """Take what an exception group takes; `from_failures` says more."""

    @classmethod
    def from_failures(cls, heading: str, failures: Sequence[CallFailure], errors: Sequence[Exception]) -> FallbackError:
        """Build the group from what is told of each failure, and the exceptions."""
        error = cls(heading, errors)
        error.failures = tuple(failures)
        return error

    def derive(self, errors: Sequence[Exception], /) -> FallbackError:  # type: ignore[override]  # because: narrower
        """The same heading over other exceptions, as `except*` asks for."""
        told = {id(error): failure for error, failure in zip(self.exceptions, self.failures, strict=True)}
        return self.from_failures(self.message, [told[id(error)] for error in errors if id(error) in told], errors)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions of SDKs hold the request with its key, and many of them cannot be unpickled.
        errors = [
            error if isinstance(error, CogtError) else CallFailedError(failure)
            for error, failure in zip(self.exceptions, self.failures, strict=True)
        ]
        return self.from_failures, (self.message, self.failures, errors)

    def _told(self) -> str:
        return self.message

    def _told_below(self) -> Iterable[str]:
        return map(str, self.failures)


class CatalogueSourceError(CogtError):
    """A package whose data the catalogue is compared with, and which holds none that can be read.

    Attributes:
        source: The package and its version.
        problem: What is wrong with it.
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def _told(self) -> str:
        return f"{self.source}: {self.problem}; install another version of it"
