"""Suggestions: which known name comes near a wrong one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

_SHORTEST_TELLING = 3


class NearName(NamedTuple):
    """What to suggest for a wrong name; the near names are looked for when somebody reads the suggestion.

    Attributes:
        name: The wrong name.
        known: The names that exist.
        lists_known: Whether all of them are listed where none comes near.
        otherwise: What to suggest where none comes near and none is listed.
    """

    name: str
    known: Collection[str]
    lists_known: bool = False
    otherwise: str | None = None

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""
        near = did_you_mean(self.name, self.known)
        if near is None and self.lists_known and self.known:
            return f"expected one of {', '.join(self.known)}"
        return near or self.otherwise


def near_names(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known names that come near `name`, nearest first; capitals and punctuation hardly count."""
    from difflib import get_close_matches  # imported here because only a wrong name needs it

    wanted = name.casefold()
    by_shape: dict[str, str] = {}
    for candidate in known:
        # A plain string, also where the known names are members of an enumeration.
        by_shape.setdefault(candidate.casefold(), f"{candidate}")
    alike = get_close_matches(wanted, by_shape, n=limit, cutoff=0.7)
    if len(wanted) < _SHORTEST_TELLING:
        # One or two letters are one slip away from too many names.
        nearest = alike
    else:
        slips = [shape for shape in by_shape if is_one_slip(wanted, shape)]
        longer = [shape for shape in by_shape if shape.startswith(wanted)]
        nearest = [*slips, *alike, *longer]
    return tuple(by_shape[shape] for shape in [*dict.fromkeys(nearest)][:limit])


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str | None:
    """A suggestion for a wrong name, or None where nothing comes near; `prefix` is what each is written with."""
    near = [repr(f"{prefix}{each}") for each in near_names(name, known)]
    return f"did you mean {' or '.join(near)}?" if near else None


def is_one_slip(text: str, known: str) -> bool:
    """Whether one letter added, left out, exchanged or swapped, or other capitals, turn `known` into `text`."""
    left, right = text.casefold().replace("-", "_"), known
    start = _common_start(left, right)
    left, right = left[start:], right[start:]
    end = _common_start(left[::-1], right[::-1])
    left, right = left[: len(left) - end], right[: len(right) - end]
    if len(left) == len("ab"):
        return left == right[::-1]
    return len(left) <= 1 and len(right) <= 1


def _common_start(left: str, right: str) -> int:
    """How many characters two texts have in common at their start."""
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return length
