"""Generated settings trees: many models over twenty backends, with a second layer over the first."""

from __future__ import annotations

from pathlib import Path

BACKENDS = 20


def write_generated_tree(directory: Path, models: int) -> dict[str, str]:
    """Write a settings tree in which a local file lies over every model.

    Returns:
        Twenty variables, each of which changes one model.
    """
    names = [f"backend{number}" for number in range(BACKENDS)]
    (directory / "backends").mkdir(parents=True)
    (directory / "deck").mkdir()
    _write(directory / "settings.toml", "[default.cogt.inference_config]", "use_packaged_settings = false")
    _write(directory / "backends.toml", *(_backend(name) for name in names))
    for number, name in enumerate(names):
        keys = [f"model-{number}.{index}" for index in range(models // BACKENDS)]
        _write(directory / "backends" / f"{name}.toml", '[defaults]\nsdk = "openai"', *map(_model, keys))
        _write(directory / "backends" / f"{name}.local.toml", *map(_changes, keys))
    routes = (f'"model-{number}.*" = "backend{number}"' for number in range(0, BACKENDS, 2))
    _write(
        directory / "routing.toml",
        f'active = "p"\n[profiles.p]\nfallback_order = {names}\n[profiles.p.routes]',
        *routes,
    )
    _write(
        directory / "deck" / "deck.toml",
        '[aliases]\nbest = ["model-0.0", "model-1.1"]',
        '[llm_presets]\np = { llm_handle = "best" }',
        '[llm_choice_defaults]\nfor_text = "p"\nfor_object = "p"',
    )
    return {f"PIPELEX_COGT__MODELS__BACKEND{n}__MODEL_{n}_1__MAX_TOKENS": "77" for n in range(BACKENDS)}


def _write(path: Path, *parts: str) -> None:
    path.write_text("\n".join(parts) + "\n")


def _backend(name: str) -> str:
    return f'[{name}]\nendpoint = "https://{name}.example.com"\napi_key = "${{{name.upper()}_API_KEY}}"'


def _model(key: str) -> str:
    return f"""\
["{key}"]
model_id = "provider/{key}"
inputs = ["text", "images"]
outputs = ["text", "structured"]
context_window = 128_000
max_tokens = 8_192
costs = {{ input = 1.5, output = 6.0 }}
"""


def _changes(key: str) -> str:
    return f'["{key}"]\nmax_tokens = 9_000\ncosts = {{ input = 2.5 }}\n'
