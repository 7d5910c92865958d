"""The process's environment, with a `.env` below it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.toml_files import display_path, warn_if_others_read


def is_set(text: str) -> bool:
    """Whether a variable's text says anything: an empty one, or nothing but white space, counts as unset."""
    return bool(text.strip())


class Environ(Mapping[str, str]):
    """The variables of the process over those of `.env`; an empty one counts as unset. Its repr shows no value."""

    def __init__(self, process: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> None:
        self.process = process
        self.dotenv = dotenv or {}

    @classmethod
    def of_process(cls, environ: Mapping[str, str] | None = None) -> Environ:
        """The variables of the process, or what stands for them, without a `.env`."""
        return cls(os.environ if environ is None else environ)

    def over(self, dotenv: Mapping[str, str]) -> Environ:
        """The same variables over those of a `.env`."""
        return Environ(self.process, dotenv)

    def __getitem__(self, name: str) -> str:
        value = next(filter(is_set, (self.process.get(name, ""), self.dotenv.get(name, ""))), None)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return filter(self.__contains__, {**self.dotenv, **self.process})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} variables)"

    def __reduce__(self) -> tuple[Callable[[], Environ], tuple[()]]:
        """A pickle carries no variable: it becomes the environment of the process that reads it."""
        return Environ.of_process, ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Environ:
        return self


def read_dotenv(path: Path | None, report: ProblemReport) -> dict[str, str]:
    """The variables of a `.env` file; `os.environ` stays as it is."""
    if path is None:
        return {}
    from dotenv.parser import parse_stream  # imported here because most processes have no .env, and it takes its time

    try:
        warn_if_others_read(path, report)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = "expected UTF-8 text"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    else:
        bindings = [*parse_stream(StringIO(text))]
        for binding in filter(attrgetter("error"), bindings):
            place = Place(display_path(path), binding.original.line)
            report.warning((), "not read: expected NAME=value", place=place)
        return {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    report.error((), problem, place=Place(display_path(path)))
    return {}
