"""Dimensions: what settings may have ten thousand of, each as a sound tree and as one with a fault in each.

Whoever adds a dimension adds a line to `DIMENSIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any, TypeAlias

from pipelex_cogt import ModelManager
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.errors import UnknownNameError


@dataclass(frozen=True)
class Tree:
    """Settings of some size.

    Attributes:
        files: Text by its path in the settings directory.
        environ: The process's environment.
        overrides: What code lays over everything.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Write the files below a directory."""
        for name, text in {**BASE, **self.files}.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
            path.chmod(0o600)

    def load(self, directory: Path) -> ModelManager:
        """Load what was written."""
        environ = {"A_KEY": "key-of-a", "B_KEY": "key-of-b", **self.environ}
        return ModelManager.load(directory, environ=environ, overrides=self.overrides)


Build: TypeAlias = Callable[[int], Tree]
Ask: TypeAlias = Callable[[ModelManager], object]


@dataclass(frozen=True)
class Dimension:
    """Something that settings may have many of.

    Attributes:
        sound: Builds so many of them.
        faulty: Builds as many with a fault in each; None where there is no way to be wrong.
        ask: What is asked of the loaded settings, instead of loading them.
        most: How many there are at most.
        limit: The highest exponent; None for that of all.
    """

    sound: Build
    faulty: Build | None = None
    ask: Ask | None = None
    most: int = 10_000
    limit: float | None = None


SETTINGS = "[default.cogt.inference_config]\nuse_packaged_settings = false"
BACKENDS = '[a]\nendpoint = "https://a.example.com"\napi_key = "${A_KEY}"\n[b]\napi_key = "${B_KEY}"'
MODELS = '[defaults]\nsdk = "openai"\ncosts = { input = 1.0, output = 2.0 }\n[m]\nmax_tokens = 100'
ROUTING = 'active = "p"\n[profiles.p]\ndefault = "a"\nfallback_order = ["a", "b"]'
ONLY_B = 'active = "p"\n[profiles.p]\nfallback_order = ["b"]\nroutes = { m = "a" }'
BASE = {
    "settings.toml": SETTINGS,
    "backends.toml": BACKENDS,
    "backends/a.toml": MODELS,
    "backends/b.toml": '[in-b]\nsdk = "openai"',
    "routing.toml": ROUTING,
    "deck/choices.toml": '[llm_choice_defaults]\nfor_text = "m"\nfor_object = "m"',
}
CHAIN = 'a# = "a<"'
"""An alias that leads to the one before it; `a-1` leads to a model."""
END = '[aliases]\na-1 = "m"'


def each(size: int, text: str) -> str:
    """A text so many times: `#` stands for its number, `<` for the number before."""
    return "\n".join(text.replace("#", str(number)).replace("<", str(number - 1)) for number in range(size))


def names(size: int, prefix: str) -> list[str]:
    return [f"{prefix}{number}" for number in range(size)]


def settings(text: str) -> Tree:
    return Tree({"settings.toml": f"{SETTINGS}\n{text}"})


def models(size: int, keys: str = "", files: Mapping[str, str] = FrozenDict(), **more: Any) -> Tree:
    """So many models of one backend, each with the same keys, and other files."""
    tables = each(size, f'["m-#"]\n{keys}')
    return Tree({"backends/a.toml": f"{MODELS}\n{tables}", **files}, **more)


def local_models(size: int, keys: str) -> Tree:
    return models(size, files={"backends/a.local.toml": each(size, f'["m-#"]\n{keys}')})


def in_b(keys: str) -> Tree:
    """One model of the other backend."""
    return Tree({"backends/b.toml": f'[in-b]\nsdk = "openai"\n{keys}'})


def routes(size: int, line: str) -> Tree:
    """As many routes as models."""
    return models(size, files={"routing.toml": f"{ROUTING}\n[profiles.p.routes]\n{each(size, line)}"})


def matching_all(size: int) -> Tree:
    """Patterns that match every model: parts of a text that every name holds."""
    text = "".join(Random(1).choices(ascii_lowercase, k=200))
    parts = [text[start:end] for start, end in combinations(range(len(text)), 2) if end - start > 3]
    Random(1).shuffle(parts)
    lines = "\n".join(f'"*{part}*" = "a"' for part in parts[:size])
    files = {"routing.toml": f"{ROUTING}\n[profiles.p.routes]\n{lines}"}
    return Tree({"backends/a.toml": MODELS + each(size, f'\n["{text}-#"]'), **files})


def aliases(size: int, line: str, **more: str) -> Tree:
    """As many aliases as models; the first may lead to `a-1`."""
    return models(size, files={"deck/d.toml": f"{END}\n{each(size, line)}", **more})


def deck(text: str) -> Tree:
    return Tree({"deck/d.toml": text})


def presets(size: int, keys: str, handle: str = "m", **more: str) -> Tree:
    """Presets, and a chain of as many aliases that they may name."""
    tables = each(size, f'[llm_presets.p#]\nllm_handle = "{handle}"\n{keys}')
    return Tree({"deck/d.toml": f"{END}\n{each(size, CHAIN)}\n{tables}", **more})


def numbered_files(size: int, path: str, text: str) -> Tree:
    return Tree({path.replace("#", str(number)): text.replace("#", str(number)) for number in range(size)})


def backends(size: int, keys: str = "", asked: str = "b", scheme: str = "https://") -> Tree:
    """So many backends, each with a model of its own, and an order of all of them."""
    tables = each(size, f'[b#]\nendpoint = "{scheme}b#.example.com"\n{keys}')
    routing = f'active = "p"\n[profiles.p]\nfallback_order = {["a", "b", *names(size, asked)]}'
    files = {f"backends/b{number}.toml": f'[m{number}]\nsdk = "openai"' for number in range(size)}
    return Tree({"backends.toml": f"{BACKENDS}\n{tables}", "routing.toml": routing, **files})


def like(size: int, other: str) -> Tree:
    """Backends that have the models of another."""
    tables = each(size, f'[b#]\nendpoint = "https://b#.example.com"\nmodels_like = "{other}"')
    return Tree({"backends.toml": f'{BACKENDS}\n[b-1]\nmodels_like = "a"\n{tables}'})


def profiles(size: int, keys: str) -> Tree:
    return Tree({"routing.toml": f"{ROUTING}\n{each(size, f'[profiles.q#]{chr(10)}{keys}')}"})


def of_backend(text: str) -> Tree:
    """What stands in the table of the last backend."""
    return Tree({"backends.toml": f"{BACKENDS}\n{text}"})


def dotenv(size: int, line: str) -> Tree:
    return Tree({"../.env": each(size, line)})


def variables(size: int, key: str) -> Tree:
    """Variables that set a key of every model."""
    return models(size, environ={f"PIPELEX_COGT__MODELS__A__M_{number}__{key}": "7" for number in range(size)})


def overrides(size: int, key: str) -> Tree:
    return models(size, overrides={"models": {"a": {name: {key: 5} for name in names(size, "m-")}}})


def miss(manager: ModelManager) -> UnknownNameError | None:
    return _error_of(manager.get_inference_model)


def _error_of(look_up: Callable[[str], object]) -> UnknownNameError | None:
    try:
        look_up("nobody")
    except UnknownNameError as error:
        return error
    return None


DIMENSIONS: Mapping[str, Dimension] = {
    # Models
    "models": Dimension(models, lambda n: models(n, "max_token = 1")),
    "models of a wrong type": Dimension(
        lambda n: models(n, "max_tokens = 1"), lambda n: models(n, 'max_tokens = "many"')
    ),
    "models, a price per token in each": Dimension(
        lambda n: models(n, "costs = { input = 1.5 }"), lambda n: models(n, "costs = { input = 0.0000015 }")
    ),
    "models that retire": Dimension(
        lambda n: models(n, 'retires = 2099-01-01\nsuccessor = "m"'),
        lambda n: models(n, 'retires = 2020-01-01\nsuccessor = "nobody"'),
    ),
    "models that nothing serves": Dimension(models, lambda n: models(n, files={"routing.toml": ONLY_B})),
    "models of two layers": Dimension(
        lambda n: local_models(n, "max_tokens = 9"), lambda n: local_models(n, "max_tokens = -9")
    ),
    # Routes
    "exact routes": Dimension(lambda n: routes(n, '"m-#" = "a"'), lambda n: routes(n, '"m-#" = "b"')),
    "exact routes, unmatched": Dimension(lambda n: routes(n, '"m-#" = "a"'), lambda n: routes(n, '"n-#" = "a"')),
    "patterns": Dimension(lambda n: routes(n, '"m-#*" = "a"'), lambda n: routes(n, '"m-#*" = "c"')),
    "patterns to another backend": Dimension(lambda n: routes(n, '"m-#*" = "a"'), lambda n: routes(n, '"m-#*" = "b"')),
    "patterns, unmatched": Dimension(lambda n: routes(n, '"m-#*" = "a"'), lambda n: routes(n, '"x-#*" = "a"')),
    "patterns of ends, unmatched": Dimension(lambda n: routes(n, '"*-#" = "a"'), lambda n: routes(n, '"*x#" = "a"')),
    "patterns of middles, unmatched": Dimension(
        lambda n: routes(n, '"*-#*" = "a"'), lambda n: routes(n, '"*x#*" = "a"')
    ),
    "patterns that match all": Dimension(lambda n: routes(n, '"m-#*" = "a"'), matching_all),
    # Aliases
    "aliases, a chain": Dimension(lambda n: aliases(n, CHAIN), lambda n: aliases(n, 'a# = ["a<", "nobody-#"]')),
    "aliases, width": Dimension(
        lambda n: aliases(n, "", **{"deck/e.toml": f"[aliases]\nwide = {names(n, 'm-')}"}),
        lambda n: aliases(n, "", **{"deck/e.toml": f"[aliases]\nwide = {names(n, 'n-')}"}),
    ),
    "aliases, members that are not served": Dimension(
        lambda n: aliases(n, "", **{"deck/e.toml": f"[aliases]\nwide = {names(n, 'm-')}"}),
        lambda n: aliases(n, "", **{"deck/e.toml": f"[aliases]\nwide = {names(n, 'm-')}", "routing.toml": ONLY_B}),
    ),
    "aliases, a staircase": Dimension(
        lambda n: aliases(n, 'a# = ["a<", "m-#"]'), lambda n: aliases(n, 'a# = ["a<", "n-#"]')
    ),
    "aliases, a staircase, model first": Dimension(
        lambda n: aliases(n, 'a# = ["m-#", "a<"]'), lambda n: aliases(n, 'a# = ["n-#", "a<"]')
    ),
    "aliases, a staircase, not served": Dimension(
        lambda n: aliases(n, 'a# = ["a<", "m-#"]'),
        lambda n: aliases(n, 'a# = ["a<", "m-#"]', **{"routing.toml": ONLY_B}),
    ),
    "aliases, one circle": Dimension(
        lambda n: aliases(n, CHAIN), lambda n: deck(f'[aliases]\na-1 = "a{n - 1}"\n{each(n, CHAIN)}')
    ),
    "aliases, small circles": Dimension(
        lambda n: aliases(n, 'a# = "b#"\nb# = "m"'), lambda n: aliases(n, 'a# = "b#"\nb# = "a#"')
    ),
    "aliases with names of models": Dimension(lambda n: aliases(n, '"n-#" = "m"'), lambda n: aliases(n, '"m-#" = "m"')),
    "aliases that go on": Dimension(lambda n: aliases(n, 'a# = ["m"]'), lambda n: aliases(n, 'a# = ["m", "..."]')),
    "aliases that pin": Dimension(lambda n: aliases(n, 'a# = "m-#@a"'), lambda n: aliases(n, 'a# = "m-#@b"')),
    "unknown names": Dimension(lambda n: aliases(n, 'a# = "m-#"'), lambda n: aliases(n, 'a# = "m-#-mini"')),
    # Presets and choices
    "presets": Dimension(lambda n: presets(n, "temperature = 0.5"), lambda n: presets(n, "temperature = 5")),
    "presets with an unknown key": Dimension(lambda n: presets(n, ""), lambda n: presets(n, "temperatur = 1")),
    "presets on one chain": Dimension(
        lambda n: presets(n, "max_tokens = 50", "a#"), lambda n: presets(n, "max_tokens = 200", "a#")
    ),
    "presets on one chain, warned of": Dimension(
        lambda n: presets(n, "max_tokens = 50", "a#"),
        lambda n: presets(n, 'max_tokens = "auto"', "a#", **{"backends/a.toml": '[m]\nsdk = "openai"'}),
    ),
    "choices": Dimension(lambda n: presets(n, ""), lambda n: deck("[llm_choice_defaults]\n" + each(n, 'for_# = "m"'))),
    # Files
    "deck files": Dimension(
        lambda n: numbered_files(n, "deck/f#.toml", '[aliases]\na# = "m"'),
        lambda n: numbered_files(n, "deck/f#.toml", '[aliases]\na# = "n"'),
    ),
    "deck files that cannot be read": Dimension(
        lambda n: numbered_files(n, "deck/f#.toml", '[aliases]\na# = "m"'),
        lambda n: numbered_files(n, "deck/f#.toml", "[aliases]\na# = m"),
    ),
    "files that nothing reads": Dimension(
        lambda n: numbered_files(n, "deck/f#.toml", ""), lambda n: numbered_files(n, "backend#.toml", "")
    ),
    "lines of a file": Dimension(
        lambda n: deck("\n# a remark" * n),
        lambda n: deck("\n# a remark" * n + '\n[aliases]\na = "nobody"'),
        most=100_000,
    ),
    "lines of a file, the last no TOML": Dimension(
        lambda n: deck("\n# a remark" * n), lambda n: deck("\n# a remark" * n + "\na = b"), most=100_000
    ),
    "members of a list": Dimension(
        lambda n: in_b(f"extra_config = {{ k = [{'1, ' * n}] }}"), lambda n: in_b(f"inputs = [{'1, ' * n}]")
    ),
    # The process
    "variables": Dimension(lambda n: variables(n, "MAX_TOKENS"), lambda n: variables(n, "MAX_TOKEN")),
    "variables of a wrong type": Dimension(lambda n: variables(n, "MAX_TOKENS"), lambda n: variables(n, "TOOLS")),
    "variables that come near": Dimension(
        lambda n: Tree(environ=dict.fromkeys(names(n, "APP_"), "x")),
        lambda n: Tree(environ=dict.fromkeys(names(n, "PIPELEX_COGT_ROUTING_ACTIV"), "x")),
    ),
    "lines of .env": Dimension(
        lambda n: dotenv(n, "APP_#=some text"), lambda n: dotenv(n, "PIPELEX_#=x"), most=100_000
    ),
    "lines of .env, each of the one above": Dimension(
        lambda n: dotenv(n, "APP_#=${APP_<:-x}"), lambda n: dotenv(n, "APP # no line"), most=50_000
    ),
    "overrides": Dimension(lambda n: overrides(n, "max_tokens"), lambda n: overrides(n, "max_token")),
    # Environments
    "environments": Dimension(
        lambda n: settings(each(n, '[env#.cogt.routing]\nactive = "p"')),
        lambda n: settings(each(n, '[env#.routing]\nactive = "p"')),
    ),
    # Backends
    "backends": Dimension(backends, lambda n: backends(n, "base_url = 'https://x'")),
    "backends, an endpoint without scheme": Dimension(backends, lambda n: backends(n, scheme="")),
    "backends without keys": Dimension(
        lambda n: backends(n, 'api_key = "${A_KEY}"'), lambda n: backends(n, 'api_key = "${KEY_#}"')
    ),
    "backends, disabled": Dimension(backends, lambda n: backends(n, "enabled = false")),
    "backends in an order of unknown ones": Dimension(backends, lambda n: backends(n, asked="c")),
    "backends like others, in a line": Dimension(lambda n: like(n, "b<"), lambda n: like(n, "c<")),
    "backends like one": Dimension(lambda n: like(n, "a"), lambda n: like(n, "c")),
    # Profiles, and keys that people choose
    "profiles": Dimension(
        lambda n: profiles(n, 'fallback_order = ["a"]'), lambda n: profiles(n, 'fallback_order = ["c"]')
    ),
    "profiles with an unknown key": Dimension(
        lambda n: profiles(n, 'default = "a"'), lambda n: profiles(n, 'defaul = "a"')
    ),
    "further keys of a backend": Dimension(
        lambda n: of_backend(each(n, "key_# = 1")), lambda n: of_backend(each(n, "key_# = 2020-01-01"))
    ),
    "unknown keys of a model": Dimension(
        lambda n: in_b(f"[in-b.extra_config]\n{each(n, 'key_# = 1')}"), lambda n: in_b(each(n, "key_# = 1"))
    ),
    "headers": Dimension(
        lambda n: of_backend("[b.headers]\n" + each(n, 'key_# = "x"')),
        lambda n: of_backend(f"[b.headers]\n{each(n, 'key_# = 1')}"),
    ),
    # What is asked
    "explain, a chain": Dimension(
        lambda n: aliases(n, CHAIN), ask=lambda manager: manager.explain([*manager.deck.aliases][-1])
    ),
    "explain, a staircase": Dimension(
        lambda n: aliases(n, 'a# = ["a<", "m-#"]'), ask=lambda manager: manager.explain([*manager.deck.aliases][-1])
    ),
    "explain, a model": Dimension(models, ask=lambda manager: manager.explain("m-0")),
    "explain, nobody": Dimension(models, ask=lambda manager: str(_error_of(manager.explain))),
    "resolve_all, a staircase": Dimension(
        lambda n: aliases(n, 'a# = ["a<", "m-#"]'),
        ask=lambda manager: manager.deck.resolve_all([*manager.deck.aliases][-1]),
    ),
    "find": Dimension(models, ask=lambda manager: manager.deck.find(inputs=["video"]), limit=0.3),
    "a miss": Dimension(models, ask=miss, limit=0.3),
    "a miss that is told": Dimension(models, ask=lambda manager: str(miss(manager))),
}
