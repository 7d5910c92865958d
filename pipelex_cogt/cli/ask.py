"""`pipelex-cogt ask PRESET "text"`: one question to the model that a preset leads to, what it took and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, doubtful, fact, listed
from pipelex_cogt.config.masking import SealedText, mask_setting, plain_text
from pipelex_cogt.config.secret_values import mask_text
from pipelex_cogt.config.tables import leaves, map_leaves
from pipelex_cogt.errors import CogtError, NotAvailableError
from pipelex_cogt.integrations import asking
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.costs import Cost
from pipelex_cogt.model_backends.usage import COUNTS, Usage
from pipelex_cogt.models.model_deck import ResolvedLLM


def describe_request(llm: ResolvedLLM, text: str) -> dict[str, Any]:
    """The request that would be sent, without its key: where it goes, and what it carries."""
    backend = llm.backend
    return {
        "model": llm.model.name,
        "backend": backend.name,
        "module": asking.module_for(llm).__name__,
        "endpoint": _endpoint(backend),
        "key": mask_setting("api_key", backend.stated_api_key),
        "headers": mask_setting("headers", {**backend.stated_headers, **llm.model.stated_headers}),
        "adapted": llm.parameters.adapted,
        "arguments": map_leaves(asking.request(llm, text), _Mask(llm)),
    }


def _endpoint(backend: InferenceBackend) -> str | None:
    """Where a backend answers; as stated, where that is a reference that no source answers."""
    try:
        return backend.endpoint and mask_text(backend.endpoint)
    except NotAvailableError:
        shown: str | None = mask_setting("endpoint", backend.stated_endpoint)
        return shown


class _Mask:
    """Hides what a request carries of a secret: what looks like one, and what the settings have sealed."""

    def __init__(self, llm: ResolvedLLM) -> None:
        stated = [value for table in (llm.model.extra_body, llm.setting.extra_body) for _path, value in leaves(table)]
        self._shown = {str(plain_text(value)): value.shown for value in stated if isinstance(value, SealedText)}

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
    usages: list[Usage] = []
    for sentence in llm.parameters.adapted:
        notes.line(doubtful(sentence))
    try:
        page.text(_texts_of(asking.stream(llm, text), usages))
    except (CogtError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 -- because: each SDK has exceptions of its own
        notes.line(bad(_tell_failure(error)))
        return False
    notes.flow(_tell_usage(llm, usages[-1] if usages else None))
    return True


def _texts_of(answer: Iterable[str | Usage], usages: list[Usage]) -> Iterator[str]:
    """The text of an answer; the usages in it are kept."""
    for piece in answer:
        if isinstance(piece, Usage):
            usages.append(piece)
        else:
            yield piece


def _tell_failure(error: Exception) -> str:
    sdk = type(error).__module__.partition(".")[0]
    first, *_ = str(error).splitlines() or [""]
    return mask_text(f"{sdk}.{type(error).__name__}: {first}")


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
