"""The configuration of LiteLLM's proxy: what a deck resolves, for applications that ask a server by the same names.

A preset is an alias of the proxy: its first member is what the alias stands for, the others are its fallbacks, each
with its own parameters. A key is written as `os.environ/NAME`, for the proxy reads variables, and a reference to
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from pipelex_cogt.config.answers import answer
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Place
from pipelex_cogt.config.masking import plain_text
from pipelex_cogt.config.references import Prefix, Reference, parse_template, references_of
from pipelex_cogt.config.secret_names import names_secret
from pipelex_cogt.config.secret_values import mask_text
from pipelex_cogt.config.tables import leaves, without_none
from pipelex_cogt.errors import Problem, SettingsError
from pipelex_cogt.integrations.fallback import as_chain
from pipelex_cogt.integrations.litellm_calls import build_call
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.costs import ModelCosts
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.models.model_deck import ModelDeck, ResolvedLLM

_PER_MILLION = 1_000_000
PRICES: Mapping[str, str] = {
    "input": "input_cost_per_token",
    "input_cached": "cache_read_input_token_cost",
    "input_cache_write": "cache_creation_input_token_cost",
    "input_audio": "input_cost_per_audio_token",
    "input_audio_cached": "cache_read_input_audio_token_cost",
    "output": "output_cost_per_token",
    "output_audio": "output_cost_per_audio_token",
    "output_reasoning": "output_cost_per_reasoning_token",
}
"""What LiteLLM calls our prices: https://docs.litellm.ai/docs/proxy/custom_pricing."""


@leaves_no_locals
def proxy_config(deck: ModelDeck, names: Iterable[str] | None = None) -> dict[str, Any]:
    """The configuration of a LiteLLM proxy that answers to names of this deck; `yaml.safe_dump` writes it.

    Args:
        deck: The deck.
        names: The presets, models and aliases that the proxy shall know; None for every preset that leads to a model.

    Returns:
        `model_list`: one group for each member of each name, called `<name>/<model>@<backend>`, with its prices in US
        dollars per token as of today; `router_settings`: the names as aliases, and their fallbacks. No key is in it.

    Raises:
        SettingsError: What a proxy cannot be told: a literal secret, a reference to a file, or within a longer text.
        CallRefusedError: LiteLLM cannot call a model.
        NotAvailableError: One of the names leads to no model.
    """
    write = _Writer()
    asked = _served_presets(deck) if names is None else names
    # A member that another follows is tried once, for the next is there to be tried.
    members = {name: as_chain(deck.resolve_all(name)) for name in asked}
    config = {
        "model_list": [_group(llm, write) for chain in members.values() for llm in chain],
        "router_settings": {
            "model_group_alias": {name: _group_name(chain[0]) for name, chain in members.items()},
            # Under the name of the group that the alias stands for, LiteLLM would not see them.
            "fallbacks": [{name: [*map(_group_name, chain[1:])]} for name, chain in members.items() if chain[1:]],
        },
    }
    write.raise_problems()
    return config


def _served_presets(deck: ModelDeck) -> Iterator[str]:
    """The presets that lead to a model."""
    return (name for name, setting in deck.llm_presets.items() if deck.is_served(setting.llm_handle))


def _group_name(llm: ResolvedLLM) -> str:
    return f"{llm.name}/{llm.model.name}@{llm.backend.name}"


def _group(llm: ResolvedLLM, write: _Writer) -> dict[str, Any]:
    """A member of a chain as a group of the proxy."""
    write.check_body(llm)
    return {
        "model_name": _group_name(llm),
        "litellm_params": build_call(llm, write),
        "model_info": {**_abilities(llm.model), **_prices(llm.model.costs)},
    }


def _abilities(model: InferenceModelSpec) -> dict[str, Any]:
    """Limits in tokens, and what else LiteLLM tells of a model; what is unknown is left to LiteLLM's own list."""
    known = {
        "max_tokens": model.max_tokens,
        "max_output_tokens": model.max_tokens,
        "max_input_tokens": model.max_input_tokens or model.context_window,
        "supports_vision": model.is_vision_supported,
        "supports_response_schema": model.is_gen_object_supported,
        "supports_function_calling": model.tools,
    }
    return without_none(known)


def _prices(costs: ModelCosts) -> dict[str, float]:
    """Prices of today in US dollars per token, by LiteLLM's names; those of long prompts only where they differ."""
    flat = costs.prices()
    named = {PRICES[name]: price for name, price in flat.items()}
    named |= {f"{PRICES[name]}_batches": price for name, price in costs.prices(batch=True).items()}
    below = flat
    for limit in _thresholds(costs):
        above = costs.prices(limit + 1)
        if above != below:
            named |= {f"{PRICES[name]}_above_{_counted(limit)}_tokens": price for name, price in above.items()}
        below = above
    return {name: float(price / _PER_MILLION) for name, price in named.items()}


def _thresholds(costs: ModelCosts) -> list[int]:
    """The lengths of prompts at which prices may change, of today's tiers and of those of other days."""
    tables = (costs.tiers, *(prices.tiers for prices in costs.dated))
    return sorted({tier.above for tiers in tables for tier in tiers})


def _counted(tokens: int) -> str:
    """A number of tokens as LiteLLM writes it in the name of a price."""
    thousands, rest = divmod(tokens, 1000)
    return str(tokens) if rest else f"{thousands}k"


class _Writer:
    """Writes settings as a proxy reads them, and notes what it cannot be told."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def __call__(
        self, backend: InferenceBackend, stated: Any, path: KeyPath, within: Callable[[str], str] | None = None
    ) -> Any:
        """A setting as a proxy reads it: a text, or `os.environ/` with the variable that holds it."""
        if not isinstance(plain_text(stated), str):
            return stated
        template = parse_template(plain_text(stated))
        references = [*references_of(template)]
        if references and len(template) > 1:
            problem = "LiteLLM's proxy takes no reference within a longer text"
            return self._refuse(backend, path, problem, "state all of it in one variable, such as ${NAME}")
        if references and (names_secret(str(path[-1])) or (references[0].default is None and within is None)):
            return self._variable(backend, references[0], path)
        # What is no secret may be written as it is today, where the proxy cannot put it together by itself.
        return self._text(backend, stated, path, within)

    def check_body(self, llm: ResolvedLLM) -> None:
        """Note each secret that a model or a preset states for the body of its requests."""
        tables = {
            (*llm.model.path, "extra_body"): llm.model.extra_body,
            ("deck", "llm_presets", llm.name, "extra_body"): llm.setting.extra_body,
        }
        for path, table in tables.items():
            for place, value in leaves(table, path):
                if isinstance(value, SecretStr):
                    self._refuse_literal(llm.backend, place)

    def raise_problems(self) -> None:
        """Raise all that was noted, or return where nothing was.

        Raises:
            SettingsError: Something was.
        """
        if self._problems:
            count = len(self._problems)
            heading = f"{count} {'problem' if count == 1 else 'problems'} in what LiteLLM's proxy is to be told"
            raise SettingsError.from_problems(heading, self._problems)

    def _text(self, backend: InferenceBackend, stated: Any, path: KeyPath, within: Callable[[str], str] | None) -> str:
        """A text with its reference answered, unless it holds a secret."""
        text: str = plain_text(answer(stated, backend.credentials, backend.name, path, ()))
        if text and (names_secret(str(path[-1])) or mask_text(text) != text):
            return self._refuse_literal(backend, path)
        return within(text) if text and within else text

    def _variable(self, backend: InferenceBackend, reference: Reference, path: KeyPath) -> str:
        """The variable that answers a reference today, else the first that may."""
        names = [name.name for name in reference.names if name.prefix is not Prefix.SECRET]
        if not names:
            hint = f"state ${{env:NAME|{reference}}}"
            return self._refuse(backend, path, "LiteLLM's proxy reads variables, and no secret's file", hint)
        set_now = [*filter(backend.credentials.environment.get, names)]
        if not set_now and reference.default is not None:
            return self._refuse_literal(backend, path) if reference.default else ""
        return f"os.environ/{[*set_now, *names][0]}"

    def _refuse_literal(self, backend: InferenceBackend, path: KeyPath) -> str:
        problem = "LiteLLM's proxy is told no secret that is stated literally"
        return self._refuse(backend, path, problem, "state a variable, such as ${NAME}")

    def _refuse(self, backend: InferenceBackend, path: KeyPath, problem: str, hint: str) -> str:
        """Note what cannot be told, and return what stands for it until that is raised."""
        place = backend.credentials.locate(path) or Place("settings")
        self._problems[Problem(problem, format_key_path(path), place.name, place.line, hint)] = None
        return "refused"
