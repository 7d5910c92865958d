"""Credentials: where the values of references come from, how they are answered, and what is told where they are not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, filterfalse, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pydantic import SecretStr

from pipelex_cogt.config.credential_checks import Fault, character_fault, fault_of, kind_of, variable_for
from pipelex_cogt.config.endpoints import fault_of_endpoint
from pipelex_cogt.config.environ import Environ, read_dotenv
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Origin, Place
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import Name, Prefix, Reference, parse_template, references_in, render
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.secret_files import FILE_SUFFIX, NamedFiles, SecretsDirectory
from pipelex_cogt.config.secret_sources import (
    Found,
    Held,
    SecretSource,
    Source,
    ask,
    custom_source,
    directory_source,
    dotenv_source,
    file_source,
    process_source,
)
from pipelex_cogt.errors import (
    CogtError,
    MissingCredentialError,
    SecretFileError,
    SecretSourceError,
    Severity,
    UnusableCredentialError,
)

if TYPE_CHECKING:
    from pipelex_cogt.config.whereabouts import SetName, Whereabouts

_SWITCH = "cogt.inference_config.enabled_backends"
WAY_OUT = f'set it, or leave the backend out with {_SWITCH} or missing_credentials = "skip"'
"""The next step for whoever lacks a credential that is asked for."""
WAY_IN = f"set it, or name the backends in use in {_SWITCH}"
"""The next step for whoever reads that a backend was left out."""


class Searched(NamedTuple):
    """Where a load looked, for messages about what it did not find.

    Attributes:
        working: The working directory.
        settings: The application's settings directory, or None where there is none.
        dotenv: The `.env` file, or None.
        dotenv_fault: Why that file, which the load read, could not be read again; None where it could.
        left_behind: What answered references and stayed behind when a pickle was made, in words.
    """

    working: Path | None = None
    settings: Path | None = None
    dotenv: Path | None = None
    dotenv_fault: str | None = None
    left_behind: tuple[str, ...] = ()

    @property
    def dotenv_place(self) -> str:
        """The `.env` as people write it."""
        return self._shown(self.dotenv) if self.dotenv else ".env"

    @property
    def told_dotenv(self) -> str:
        """The `.env`, and why it is not what it was, in words; empty where there is none."""
        fault = f" ({self.dotenv_fault})" if self.dotenv_fault else ""
        return f"{self.dotenv_place}{fault}" if self.dotenv else ""

    @property
    def told_left_behind(self) -> str:
        """What a pickle left behind, in words; empty where there is nothing."""
        left = " and ".join(self.left_behind)
        return f"; a pickle carries no secret, so it left behind {left}" if left else ""

    @property
    def lacks_dotenv(self) -> str:
        """Where no `.env` was found, in words and brackets; empty where one was."""
        if self.dotenv or not self.working:
            return ""
        if self.settings is None:
            return f" (no .env in {self.working})"
        beside = f"no .env beside {self._shown(self.settings)}{os.sep}"
        return f" ({beside})" if self.settings.parent == self.working else f" ({beside} or in {self.working})"

    def _shown(self, path: Path) -> str:
        # Not relative to the directory of now, which may be gone when somebody reads a message.
        return str(path).removeprefix(os.path.join(str(self.working), ""))


_UNKNOWN = Searched()


class Unusable(NamedTuple):
    """A text that can never work as what it is for.

    Attributes:
        held: What holds it; None for a literal.
        fault: Why it cannot work.
    """

    held: Held | None
    fault: Fault

    @property
    def problem(self) -> str:
        """What is wrong, with the variable's name."""
        return " ".join(filter(None, (self.held and self.held.name, self.fault.problem)))

    @property
    def hint(self) -> str:
        """The next step."""
        return self.fault.hint if self.held is None else self.fault.hint_for_source


Obstacle: TypeAlias = Reference | SecretFileError | SecretSourceError | Unusable
"""Why a setting cannot be used: a reference that nothing answers, a source that fails, a text that cannot work."""


class Credentials:
    """Answers references: the environment, the secrets directories, then the application's own sources.

    `origin_of` says which layer states a key path, for messages.
    """

    def __init__(
        self,
        environ: Environ,
        directories: Iterable[SecretsDirectory] = (),
        sources: Iterable[SecretSource] = (),
        origin_of: Callable[[KeyPath], Origin | None] = lambda _path: None,
        searched: Searched = _UNKNOWN,
    ) -> None:
        self.environ = environ
        self.directories = tuple(directories)
        self.sources = tuple(sources)
        self.origin_of = origin_of
        self.searched = searched
        self._named_files = NamedFiles(environ, searched.working)
        variables = [
            process_source(environ),
            dotenv_source(environ, searched.dotenv_place),
            file_source(self._named_files),
        ]
        is_only_one = len(self.directories) == 1
        secrets = [directory_source(directory, is_only_one=is_only_one) for directory in self.directories]
        secrets += map(custom_source, self.sources)
        self._sources: Mapping[Prefix, Sequence[Source]] = {
            Prefix.ENV: variables,
            Prefix.SECRET: secrets,
            Prefix.ANY: [*variables, *secrets],
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.environ!r}, {self.directories!r}, {len(self.sources)} more sources)"

    def __reduce__(self) -> tuple[Callable[..., Credentials], tuple[Searched | Path | None, ...]]:
        """A pickle carries where values lie, and no value: whoever reads it looks there again."""
        searched = self.searched._replace(left_behind=(*self.searched.left_behind, *self._left_behind()))
        return _look_again, (searched, *(directory.directory for directory in self.directories))

    def __copy__(self) -> Credentials:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    @property
    def environment(self) -> Environ:
        """The variables that are asked first, under the name by which applications know them."""
        return self.environ

    def without_sources(self) -> Credentials:
        """The same without the application's own sources, for a look that shall cost no request."""
        return Credentials(self.environ, self.directories, (), self.origin_of, self.searched)

    def _left_behind(self) -> Iterator[str]:
        """What answers references and lies nowhere, so that nobody can look there again, in words."""
        if not self.environ.is_of_process and self.environ.process.names():
            yield "the variables given as environ"
        yield from (f"the source {type(source).__name__}" for source in self.sources)

    def locate(self, path: KeyPath) -> Place | None:
        """Where the settings state a key path, or the nearest table above it."""
        origin = self.origin_of(path)
        return origin and origin.place(path)

    def find(self, reference: Reference) -> Found:
        """What the first source holds that knows one of the names of a reference; a failure instead of raising it."""
        asked = (ask(source, name.name) for name in reference.names for source in self._sources[name.prefix])
        answers: Iterator[Found] = filter(None, asked)
        return next(answers, None)

    @leaves_no_locals
    def source_of(self, name: Name) -> str | None:
        """Which source holds a name, in words; None where none does, or where one fails."""
        found = self.find(Reference((name,)))
        return found.source if isinstance(found, Held) else None

    @leaves_no_locals
    def resolve(self, stated: str | SecretStr, backend: str, path: KeyPath) -> str:
        """The text of a setting with every reference in it answered; each is asked for once.

        Args:
            stated: The setting as stated.
            backend: The backend that needs it.
            path: Its key path, for the message.

        Raises:
            MissingCredentialError: No source answers a reference.
            UnusableCredentialError: What a source holds, or the text itself, can never work.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        filled = self._fill(stated, path, self.find)
        # A traceback that shows locals would show what stands beside the reference.
        del stated
        if isinstance(filled, str):
            return filled
        raise self._as_error(filled, backend, path)

    def obstacles(self, settings: Iterable[tuple[KeyPath, str | SecretStr]]) -> Iterator[tuple[KeyPath, Obstacle]]:
        """What keeps settings, each with its key path, from being used; each source is asked once."""
        find = cache(self.find)
        for path, stated in settings:
            filled = self._fill(stated, path, find)
            if not isinstance(filled, str):
                yield path, filled

    def missing(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The references in texts that cannot be answered now, in words, each once; sources are asked once for each."""
        references = dict.fromkeys(chain.from_iterable(map(references_in, texts)))
        unanswered = filterfalse(lambda reference: _is_answer(reference, self.find(reference)), references)
        return tuple(map(str, unanswered))

    def _fill(self, stated: str | SecretStr, path: KeyPath, find: Callable[[Reference], Found]) -> str | Obstacle:
        """A text with its references answered, or the first obstacle. It raises nothing, for its locals hold values."""
        template = parse_template(plain_text(stated))
        found = {reference: find(reference) for reference in references_in(plain_text(stated))}
        obstacles: Iterator[Obstacle] = filter(None, starmap(partial(self._obstacle, path), found.items()))
        obstacle = next(obstacles, None)
        if obstacle is not None:
            return obstacle
        text = render(template, lambda reference: _text_of(reference, found[reference]))
        return self._checked(text, path, [*found.values()], is_literal=not found and not template[1:])

    def _obstacle(self, path: KeyPath, reference: Reference, held: Found) -> Obstacle | None:
        """Why what the sources say of a reference is no answer; None where it is one."""
        if isinstance(held, Held):
            fault = self._fault_of(held.text.get_secret_value(), path, held.name)
            return fault and Unusable(held, fault)
        return None if _is_answer(reference, held) else held or reference

    def _checked(self, text: str, path: KeyPath, answers: Sequence[Found], *, is_literal: bool) -> str | Unusable:
        """A text whose references are answered, or why it can never work."""
        kind = kind_of(path)
        text = text.strip() if kind.is_trimmed else text
        # What references yield is sound: a fault is that of the text beside them.
        fault = self._fault_of(text, path, variable_for(path)) if is_literal else character_fault(text, kind)
        if fault is not None:
            return Unusable(None, fault)
        fault = fault_of_endpoint(text) if kind.is_url else None
        if fault is None:
            return text
        # A text that a reference is part of is not shown, for it may hold what nobody is to see.
        shown = fault if is_literal else fault._replace(hint=fault.hint_for_source)
        held = [answer for answer in answers if isinstance(answer, Held)]
        return Unusable(held[0] if len(answers) == len(held) == 1 else None, shown)

    def _fault_of(self, text: str, path: KeyPath, variable: str) -> Fault | None:
        return fault_of(text, kind_of(path), self._is_set, variable)

    def _is_set(self, name: str) -> bool:
        return self.environ.get(name) is not None

    def _as_error(self, obstacle: Obstacle, backend: str, path: KeyPath) -> CogtError:
        """The error for whoever uses a setting that meets an obstacle."""
        if isinstance(obstacle, CogtError):
            return obstacle
        key_path, stated_at = format_key_path(path), str(self.locate(path) or "settings")
        if isinstance(obstacle, Unusable):
            name, place = (obstacle.held.name, obstacle.held.place) if obstacle.held else (None, stated_at)
            return UnusableCredentialError(backend, name, key_path, place, f"{obstacle.problem}; {obstacle.hint}")
        advice = self.whereabouts([obstacle], WAY_OUT)
        return MissingCredentialError(backend, tuple(map(str, obstacle.names)), key_path, stated_at, advice)

    def whereabouts(self, missing: Sequence[Reference], way_out: str | None = None) -> Whereabouts:
        """What is told of missing references beside that they are missing.

        Args:
            missing: The references that nothing answers.
            way_out: The next step, told with the places where they were looked for; None where both are told elsewhere.
        """
        from pipelex_cogt.config.whereabouts import Whereabouts  # imported here because only what is missing needs it

        names = [*chain.from_iterable(reference.names for reference in missing)]
        looked_in = partial(self._tell_places, names) if way_out else str
        return Whereabouts([name.name for name in names], looked_in, self._set_names, way_out)

    def near_names(self, missing: Iterable[Reference]) -> list[SetName]:
        """The names that are set and come near one that is missing."""
        from pipelex_cogt.config.whereabouts import near_set_names

        return near_set_names((name.name for reference in missing for name in reference.names), self._set_names())

    def _tell_places(self, names: Sequence[Name]) -> str:
        """Which sources were asked, and whether there is a `.env`."""
        prefixes = {name.prefix for name in names}
        asked: list[str] = []
        lacking = ""
        if prefixes != {Prefix.SECRET}:
            asked += ["the environment", *filter(None, [self.searched.told_dotenv])]
            asked += self._empty_files(names)
            lacking = self.searched.lacks_dotenv
        if prefixes != {Prefix.ENV}:
            asked += [str(directory.directory) for directory in self.directories]
            asked += [type(source).__name__ for source in self.sources]
        places = " and ".join(filter(None, (", ".join(asked[:-1]), *asked[-1:])))
        where = f"looked in {places}" if places else "there is no secrets directory"
        return where + lacking + self.searched.told_left_behind

    def _empty_files(self, names: Iterable[Name]) -> Iterator[str]:
        """The files that variables name for what is missing: they are there, or the load would have said so."""
        variables = (name.name for name in names if name.prefix is not Prefix.SECRET)
        for variable in filter(self._named_files.path_of, variables):
            yield f"{self._named_files.path_of(variable)} ({variable}{FILE_SUFFIX}), which is empty"

    def _set_names(self) -> Iterator[SetName]:
        """Every name that a source holds, of sources that tell their names."""
        from pipelex_cogt.config.whereabouts import SetName

        variables = {"the environment": self.environ.process, self.searched.dotenv_place: self.environ.dotenv}
        for words, values in variables.items():
            yield from (SetName(name, words, is_empty=name not in values) for name in values.all_names())
        for directory in self.directories:
            names = [*directory.names(), *directory.names_below()]
            yield from (SetName(name, str(directory.directory)) for name in names)


def _is_answer(reference: Reference, found: Found) -> bool:
    """Whether a reference has an answer: what a source holds, or its default."""
    return isinstance(found, Held) or (found is None and reference.default is not None)


def _text_of(reference: Reference, found: Found) -> str:
    return found.text.get_secret_value() if isinstance(found, Held) else reference.default or ""


@leaves_no_locals
def _look_again(searched: Searched, *directories: Path | None) -> Credentials:
    """What a pickle of credentials becomes: it asks the process that reads it, and looks where the load looked."""
    process, report = Environ.of_process(), ProblemReport()
    environ = process.over(read_dotenv(searched.dotenv, process, report))
    faults = (fault.problem for fault in report.problems(Severity.ERROR))
    searched = searched._replace(dotenv_fault=next(faults, None))
    return Credentials(environ, map(SecretsDirectory, directories), searched=searched)
