"""The process's environment, with a `.env` below it.

It answers whoever knows a name and lists names, but it is no mapping: nobody who walks over objects, as an error
reporter does, finds a value in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, overload

from pipelex_cogt.config.hiding import Hidden
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.regular_files import MAX_FILE_BYTES, UnfitFileError, read_file
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path, warn_if_others_read

if TYPE_CHECKING:
    from dotenv.parser import Binding

D = TypeVar("D")

PREFIX = "PIPELEX_COGT__"
"""What the name of a variable that overrides a setting begins with."""
# A whole binding whose value has no quotes, as python-dotenv reads it step by step: no step gives back what it took.
_UNQUOTED = (
    r"\s*+(?:export[^\S\r\n]++)?+(?:'([^']++)'|(?!')([^=#\s]++))[^\S\r\n]*+=[^\S\r\n]*+(?!['\"#])"
    r"([^\r\n]*+)(?:\r\n|\n|\r|\Z)"
)
_NAME_END = "[:}]"
_TOO_LONG = f"with what ${{NAME}} stands for, expected at most {MAX_FILE_BYTES >> 20} MiB in the file, got more"
# Up to the value of a binding: `export 'A B' = `. A name may be quoted; each part is one class of characters.
_BEFORE_VALUE = r"\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+)[^\S\r\n]*=[^\S\r\n]*"


def is_set(text: str) -> bool:
    """Whether a variable's text says anything: an empty one, or nothing but white space, counts as unset."""
    return bool(text.strip())


class Variables:
    """Variables by name, of which an empty one counts as unset."""

    __slots__ = ("_values",)

    # Without it Python would ask for the names 0, 1, 2 to go through what is here.
    __iter__ = None

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = Hidden(values)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | D) -> str | D: ...
    def get(self, name: str, default: str | D | None = None) -> str | D | None:
        """The variable of that name, or `default` where it is unset."""
        return self._find(name) or default

    def names(self) -> list[str]:
        """The names of the variables that are set."""
        return [*filter(self._find, self.all_names())]

    def all_names(self) -> list[str]:
        """The names of all variables, the empty ones too."""
        return [*self._values.open()]

    def are(self, values: object) -> bool:
        """Whether they are the very variables of a mapping, and no copy."""
        return self._values.open() is values

    def _find(self, name: str) -> str | None:
        """The variable of that name, or None where it is unset."""
        value = self._values.open().get(name)
        # The caller's mapping may hold None, as what python-dotenv returns does.
        return value if value and is_set(str(value)) else None

    def __getitem__(self, name: str) -> str:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.names())} variables)"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Environ(Variables):
    """The variables of the process over those of `.env`.

    Attributes:
        process: The variables of the process.
        dotenv: Those of `.env`.
    """

    __slots__ = ("dotenv", "process")

    def __init__(
        self, process: Variables | Mapping[str, str], dotenv: Variables | Mapping[str, str] | None = None
    ) -> None:
        self.process = _variables(process)
        self.dotenv = _variables(dotenv or {})

    @classmethod
    def of_process(cls, environ: Mapping[str, str] | None = None) -> Environ:
        """The variables of the process, or what stands for them, without a `.env`."""
        return cls(os.environ if environ is None else environ)

    @property
    def is_of_process(self) -> bool:
        """Whether the variables are those of the process itself, and not what stands for them."""
        return self.process.are(os.environ)

    def over(self, dotenv: Variables | Mapping[str, str]) -> Environ:
        """The same variables over those of a `.env`."""
        return Environ(self.process, dotenv)

    def all_names(self) -> list[str]:
        """The names of all variables, the empty ones too: those of `.env`, then those that the process adds."""
        return [*dict.fromkeys([*self.dotenv.all_names(), *self.process.all_names()])]

    def _find(self, name: str) -> str | None:
        return self.process.get(name) or self.dotenv.get(name)

    def __reduce__(self) -> tuple[Callable[[], Environ], tuple[()]]:
        """A pickle carries no variable: it becomes the environment of the process that reads it."""
        return Environ.of_process, ()


def _variables(values: Variables | Mapping[str, str]) -> Variables:
    return values if isinstance(values, Variables) else Variables(values)


def read_dotenv(path: Path | None, process: Variables, report: ProblemReport) -> Variables:
    """The variables of a `.env` file as python-dotenv reads them; `os.environ` stays as it is.

    Args:
        path: The file; None where there is none.
        process: The variables that lie over those of the file, also where `${NAME}` stands in it.
        report: Where faults are noted.
    """
    if path is None:
        return Variables({})
    try:
        warn_if_others_read(path, report)
        text = read_file(path).decode("utf-8-sig")
    except UnfitFileError as error:
        problem = f"expected a file of variables, found {error.found}"
    except UnicodeDecodeError:
        problem = "expected UTF-8 text"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    else:
        return Variables(_DotenvFile(path, process, report).parse(text))
    report.error((), problem, place=Place(display_path(path)))
    return Variables({})


class _DotenvFile(NamedTuple):
    """The steps of reading a `.env`, and what all of them need."""

    path: Path
    process: Variables
    report: ProblemReport

    def parse(self, text: str) -> dict[str, str]:
        values: dict[str, str] = {}
        grown = 0
        for binding in _bindings(text):
            if binding.error:
                self._warn(binding, "not read: expected NAME=value")
            elif binding.key and binding.value is not None:
                is_literal = "${" not in binding.value or _is_literal(binding)
                values[binding.key] = binding.value if is_literal else self._fill(binding, binding.value, values)
                # A few lines that each say the line above twice would fill any memory.
                grown += len(values[binding.key]) - len(binding.value)
                if grown > MAX_FILE_BYTES:
                    self.report.error((), f"{binding.key}: {_TOO_LONG}", place=self._place(binding))
                    return {}
        return values

    def _fill(self, binding: Binding, value: str, above: Mapping[str, str]) -> str:
        """A value with each `${NAME}` answered by the process, then by what stands above it in the file."""

        def answer(part: str | _Named) -> str:
            if isinstance(part, str):
                return part
            known = self.process.get(part.name) or above.get(part.name, part.default)
            return self._unset(binding, part.name) if known is None else known

        return _joined(map(answer, _parts(value)))

    def _unset(self, binding: Binding, name: str) -> str:
        """What stands for a variable that nothing sets: nothing, or in a setting the reference, for a secret may."""
        if str(binding.key).startswith(PREFIX):
            return f"${{{name}}}"
        problem = f"{binding.key}: nothing stands for ${{{name}}}, which neither the process nor a line above sets"
        self._warn(binding, problem, "single quotes keep such text as it is")
        return ""

    def _warn(self, binding: Binding, problem: str, hint: str | None = None) -> None:
        self.report.warning((), problem, hint, self._place(binding))

    def _place(self, binding: Binding) -> Place:
        """The line on which a binding begins."""
        written = binding.original.string
        blank_lines = written[: len(written) - len(written.lstrip())].count("\n")
        return Place(display_path(self.path), binding.original.line + blank_lines)


def _joined(parts: Iterable[str]) -> str:
    """The parts of a value as one; of a value that is longer than a file may be, no more than shows it."""
    taken, size = [], 0
    for part in parts:
        taken.append(part)
        size += len(part)
        if size > 2 * MAX_FILE_BYTES:
            break
    return "".join(taken)


def _is_literal(binding: Binding) -> bool:
    """Whether a value stands in single quotes, which keep it as it is."""
    before = re.match(_BEFORE_VALUE, binding.original.string)
    return before is not None and binding.original.string.startswith("'", before.end())


def _bindings(text: str) -> Iterator[Binding]:
    """What each line of a `.env` says.

    A value without quotes is read here, for python-dotenv takes its time for it, and hours for one with many blanks.
    """
    # Imported here because most processes have no .env, and it is slow.
    from dotenv.parser import Binding, Original, Reader, parse_binding

    reader = Reader(StringIO(text))
    pattern = re.compile(_UNQUOTED)
    while reader.has_next():
        found = pattern.match(reader.string, reader.position.chars)
        if found is None:
            yield parse_binding(reader)
        else:
            quoted, key, value = found.groups()
            yield Binding(quoted or key, _without_comment(value), Original(found[0], reader.position.line), error=False)
            reader.position.advance(found[0])


def _without_comment(value: str) -> str:
    """A value without the comment that begins with a blank and `#`."""
    end = value.find("#")
    while end > 0 and not value[end - 1].isspace():
        end = value.find("#", end + 1)
    return (value if end < 0 else value[:end]).rstrip()


class _Named(NamedTuple):
    """A variable in a value: `${NAME}`, or `${NAME:-default}`."""

    name: str
    default: str | None


def _parts(value: str) -> Iterator[str | _Named]:
    """The text of a value and the variables in it, in their order; each character is looked at once or twice."""
    told, start, stop = 0, value.find("${"), -1
    while start >= 0:
        name_start = start + len("${")
        # One place ends the names of all that open before it.
        stop = stop if stop >= name_start else _name_end(value, name_start)
        end = value.find("}", stop) if value[stop : stop + 2] == ":-" else stop
        if stop < 0 or end < 0:
            break
        if value[end] == "}":
            default = value[stop + len(":-") : end] if end > stop else None
            yield value[told:start]
            yield _Named(value[name_start:stop], default)
            told = end + 1
        start = value.find("${", max(told, name_start))
    yield value[told:]


def _name_end(value: str, start: int) -> int:
    """Where a name ends; -1 where nothing ends it."""
    found = re.compile(_NAME_END).search(value, start)
    return found.start() if found else -1
