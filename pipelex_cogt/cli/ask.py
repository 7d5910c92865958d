"""`pipelex-cogt ask PRESET "text"`: one question to the model that a preset leads to, what it took and what it cost."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, doubtful, fact, listed
from pipelex_cogt.config.masking import SealedText, mask_setting, plain_text
from pipelex_cogt.config.secret_values import MASK, mask_text
from pipelex_cogt.config.tables import leaves, map_leaves
from pipelex_cogt.errors import CogtError
from pipelex_cogt.integrations import asking
from pipelex_cogt.integrations.headers import asked_headers
from pipelex_cogt.model_backends.costs import Cost
from pipelex_cogt.model_backends.usage import COUNTS, Usage
from pipelex_cogt.models.model_deck import ResolvedLLM

_LETTERS_OF_STAND_IN = 3


def read_question(text: str) -> str:
    """The question of a command line: its argument, or where that is `-`, what standard input says.

    Raises:
        CogtError: There is none, or it is not text.
    """
    try:
        question = sys.stdin.read() if text == "-" else text
        # Bytes that are no text come as halves of characters, which no request can hold.
        question.encode()
    except UnicodeError:
        raise CogtError("the question holds bytes that are no text") from None
    if not question.strip():
        raise CogtError("the question is empty; state it after the preset, or - to read it from standard input")
    return question


def describe_request(llm: ResolvedLLM, text: str) -> dict[str, Any]:
    """The request that would be sent, without its key: where it goes, and what it carries."""
    backend = llm.backend
    return {
        "model": llm.model.name,
        "backend": backend.name,
        "module": asking.module_for(llm).__name__,
        "endpoint": mask_setting("endpoint", backend.stated_endpoint),
        "key": mask_setting("api_key", backend.stated_api_key),
        "headers": mask_setting("headers", {**backend.stated_headers, **llm.model.stated_headers}),
        "adapted": llm.parameters.adapted,
        "arguments": map_leaves(asking.request(llm, text), _Mask(llm)),
    }


class _Mask:
    """Shows what a request carries as everything is shown: references as written, and secrets hidden."""

    def __init__(self, llm: ResolvedLLM) -> None:
        stated = [value for table in (llm.model.extra_body, llm.setting.extra_body) for _path, value in leaves(table)]
        self._shown = {str(plain_text(value)): value.shown for value in stated if isinstance(value, SealedText)}
        self._shown[llm.model.model_id] = mask_setting("model_id", llm.model.stated_model_id)

    def __call__(self, _path: object, value: Any) -> Any:
        if str(value) in self._shown:
            return self._shown[str(value)]
        return mask_text(value) if isinstance(value, str) else value


def print_answer(llm: ResolvedLLM, text: str, page: Page, notes: Page) -> bool:
    """Call a model, print its answer as it comes, and beside it what it took; tell whether it answered.

    Args:
        llm: What to call.
        text: The question.
        page: Where the answer is printed.
        notes: Where everything else is.

    Raises:
        CogtError: The call is refused before anything is sent, or an SDK is missing.
    """
    for sentence in llm.parameters.adapted:
        notes.line(doubtful(sentence))
    answer = _Answer(asking.stream(llm, text))
    page.text(answer)
    if answer.failure is not None:
        notes.line(bad(_tell_failure(llm, answer.failure)))
        return False
    if not answer.has_text:
        notes.line(doubtful("the answer has no text"))
    notes.flow(_tell_usage(llm, answer.usage))
    return True


class _Answer:
    """The pieces of an answer's text as they come, and what else came of it.

    Attributes:
        has_text: Whether a piece of text has come.
        usage: The tokens, where the provider has told them.
        failure: What the SDK has raised. It is kept, so that what came before is printed, and so that it is not taken
            for a failure to print.
    """

    def __init__(self, pieces: Iterable[str | Usage]) -> None:
        self._pieces = pieces
        self.has_text = False
        self.usage: Usage | None = None
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[str]:
        try:
            for piece in self._pieces:
                if isinstance(piece, Usage):
                    self.usage = piece
                else:
                    self.has_text = True
                    yield piece
        except CogtError:
            raise
        except Exception as error:  # noqa: BLE001 -- because: each SDK has exceptions of its own
            self.failure = error


def _tell_failure(llm: ResolvedLLM, error: Exception) -> str:
    sdk = type(error).__module__.partition(".")[0]
    first, *_ = str(error).splitlines() or [""]
    for secret in _secrets_of(llm):
        # Some providers repeat the key.
        first = first.replace(secret, MASK)
    return f"{llm.model.name} @ {llm.backend.name}: {mask_text(f'{sdk}.{type(error).__name__}: {first}')}"


def _secrets_of(llm: ResolvedLLM) -> Iterator[str]:
    """What a request shows to the provider of who calls."""
    shown = (plain_text(llm.backend.api_key), *asked_headers(llm.backend, llm.model).values())
    # A stand-in for a key may be one letter, which hides nothing.
    return (text for text in shown if text and len(text) > _LETTERS_OF_STAND_IN)


def _tell_usage(llm: ResolvedLLM, usage: Usage | None) -> Iterator[Piece]:
    yield Piece(f"{llm.model.name} @ {llm.backend.name}:")
    if usage is None:
        yield Piece("the provider tells no usage")
        return
    yield from listed([fact(name, count) for name, count in _counted(usage)], end=";")
    yield from _tell_cost(llm.model.cost(usage))


def _counted(usage: Usage) -> Iterator[tuple[str, int]]:
    """The counts of a usage that say something."""
    counts = ((name, getattr(usage, name)) for name in COUNTS)
    return ((name, count) for name, count in counts if count or name in ("input", "output"))


def _tell_cost(cost: Cost) -> Iterator[Piece]:
    if cost.total is not None:
        yield Piece(f"{cost.total.normalize():f} US dollars")
        return
    if cost.rated:
        yield Piece(f"at least {cost.rated.normalize():f} US dollars;")
    yield Piece(f"no price is known of {', '.join(cost.unrated)}")
