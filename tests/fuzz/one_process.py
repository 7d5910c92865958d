"""The process that fuzzes: atheris sees what is imported here."""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipelex_cogt", "tomllib", "dotenv"]):
    from tests.fuzz.inputs import KINDS, MINIMAL, check, dedent

MEGABYTES = 2048
LONGEST = 4096
WORDS = 400


def fuzz(kinds: list[str], folder: Path, seconds: int) -> None:
    """Fuzz until the time is over, and note what is found; atheris ends the process."""
    seen: set[tuple[str, str]] = set()
    directory = Path(tempfile.mkdtemp())

    def run(data: bytes) -> None:
        kind = kinds[data[0] % len(kinds)] if data else kinds[0]
        finding = check(kind, data[1:], directory)
        if finding is not None and finding.key not in seen:
            seen.add(finding.key)
            with (folder / "found").open("a") as file:
                file.write(json.dumps({**finding._asdict(), "data": finding.data.hex()}) + "\n")

    _seed(kinds, folder / "corpus")
    (folder / "words").write_text(_words())
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "rss_limit_mb": MEGABYTES,
        "timeout": 60,
        "verbosity": 0,
        "dict": folder / "words",
        "artifact_prefix": f"{folder}/",
    }
    atheris.Setup([sys.argv[0], str(folder / "corpus"), *(f"-{name}={value}" for name, value in options.items())], run)
    atheris.Fuzz()


def _seed(kinds: list[str], corpus: Path) -> None:
    """A first input for each kind: the file of the minimal tree, where there is one."""
    corpus.mkdir(exist_ok=True)
    for index, kind in enumerate(kinds):
        (corpus / f"seed-{index}").write_bytes(bytes([index]) + dedent(MINIMAL.get(kind, "a\nb")).encode())


def _words() -> str:
    """The words of the shipped settings and of the minimal tree, as a dictionary of libFuzzer."""
    settings = Path(__file__).parents[2] / "settings"
    texts = [path.read_text() for path in sorted(settings.glob("*.toml"))] + [*MINIMAL.values()]
    words = dict.fromkeys(re.findall(r"[\w.]+|\[\[?|\]\]?|\"\"\"|\$\{|:-|= ", " ".join(texts)))
    return "".join(f'"{word.replace(chr(34), chr(92) + chr(34))}"\n' for word in [*words][:WORDS])


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEGABYTES << 20, 4 * MEGABYTES << 20))
    fuzz(sys.argv[3:] or [*KINDS], Path(sys.argv[1]), int(sys.argv[2]))
