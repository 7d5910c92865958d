"""Where a missing name was looked for, and which names that are set come near it: the other half of a message.

Both are looked for when somebody reads the message. Names are told, and never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from pipelex_cogt.config.suggestions import is_one_slip

_MOST_NAMES = 3
_SHORTEST_TELLING = 3
# Of shorter names, such as `A` and `B`, one slip makes another.
_SHORTEST_WITH_A_SLIP = 5
# What names of credentials differ in, and nothing that says whose they are. Fixed words.
_FILLERS = r"[\W_]+|api|key|token|secret|auth|access|bearer|pat(?![a-z])"
# What providers, SDKs and people call the same thing, without the fillers above.
_SAME = (
    ("gemini", "google", "googlegemini", "googlegenerativeai", "genai", "googleai", "googleaistudio", "palm"),
    ("anthropic", "claude"),
    ("openai", "oai"),
    ("mistral", "mistralai", "codestral"),
    ("xai", "grok"),
    ("cohere", "co"),
    ("together", "togetherai"),
    ("fireworks", "fireworksai"),
    ("deepseek", "deepseekai"),
    ("azureopenai", "azure", "azureai", "aoai"),
    ("azureopenaiendpoint", "azureendpoint", "azurebase", "azureopenaibase", "azureopenaibaseurl"),
    ("azureopenaiversion", "azureversion", "openaiversion"),
    ("awsregion", "awsdefaultregion", "awsregionname", "bedrockregion"),
    (
        "googlecloudproject", "googlecloudprojectid", "googleproject", "googleprojectid", "gcpproject", "gcpprojectid",
        "gcloudproject", "vertexaiproject", "vertexproject",
    ),
    (
        "googlecloudlocation", "googlecloudregion", "gcplocation", "gcpregion", "vertexailocation", "vertexlocation",
    ),
    ("huggingface", "hf", "huggingfacehub"),
)  # fmt: skip
_GROUP_OF = {essence: names[0] for names in _SAME for essence in names}


class SetName(NamedTuple):
    """A name that a source holds.

    Attributes:
        name: The variable, or the secret's file.
        source: What people call the source, such as ".env".
        is_empty: Whether it holds nothing.
    """

    name: str
    source: str
    is_empty: bool = False

    def __str__(self) -> str:
        state = "is there and empty" if self.is_empty else "is set"
        return f"{self.name} {state} in {self.source}"


class Whereabouts:
    """What a message says of missing names beside that they are missing; a pickle of it holds the words.

    Attributes:
        names: The missing names.
        looked_in: The sources that were asked, and what there is none of, in words.
        set_names: Finds every name that a source holds.
        way_out: The next step.
    """

    def __init__(
        self,
        names: Sequence[str],
        looked_in: Callable[[], str],
        set_names: Callable[[], Iterable[SetName]],
        way_out: str | None,
    ) -> None:
        self.names = names
        self.looked_in = looked_in
        self.set_names = set_names
        self.way_out = way_out

    def tell(self) -> str | None:
        """The places, the near names and the next step in words; None where there is nothing to say."""
        near = ", ".join(map(str, near_set_names(self.names, self.set_names())))
        return "; ".join(filter(None, (self.looked_in(), near, self.way_out))) or None

    def __str__(self) -> str:
        return self.tell() or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.names)})"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def near_set_names(wanted: Iterable[str], known: Iterable[SetName]) -> list[SetName]:
    """The names that are set and come near one that is wanted: another spelling, a synonym, one slip.

    Args:
        wanted: The names that are missing.
        known: The names that sources hold.
    """
    groups = dict.fromkeys(map(_group_of, wanted))
    near = (each for each in known if _comes_near(each.name, groups))
    return [*islice(dict.fromkeys(near), _MOST_NAMES)]


def _comes_near(name: str, groups: Collection[str]) -> bool:
    group = _group_of(name)
    is_telling = len(_essence(name)) >= _SHORTEST_WITH_A_SLIP
    return group in groups or (is_telling and any(is_one_slip(group, each) for each in groups))


@lru_cache(maxsize=8192)
def _group_of(name: str) -> str:
    """Whose credential a name is of, so that names of the same one are equal."""
    essence = _essence(name)
    # Of `A_KEY` so little is left that it says nothing.
    return _GROUP_OF.get(essence, essence if len(essence) >= _SHORTEST_TELLING else name.casefold())


@lru_cache(maxsize=8192)
def _essence(name: str) -> str:
    """A name without what names of credentials have in common."""
    return re.sub(_FILLERS, "", name.casefold())
