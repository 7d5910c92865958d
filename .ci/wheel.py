"""A hook of the build: a wheel carries the settings parsed, beside the TOML files that they are parsed from."""  # noqa: INP001 -- because: nothing imports it, the build reads it from its path

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "pipelex_cogt/config/parsed_texts.py"


class ParsedSettings(BuildHookInterface[Any]):
    """Writes the file while a wheel is built; an editable install has none, for its TOML files are edited."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Parse every TOML file that the wheel carries."""
        if version == "editable":
            return
        module = runpy.run_path(str(Path(self.root, MODULE)))
        carried = self.build_config.builder.recurse_included_files()
        texts = [Path(file.path).read_bytes().decode("utf-8-sig") for file in carried if file.path.endswith(".toml")]
        self.folder = TemporaryDirectory()
        written = Path(self.folder.name, module["FILE"])
        written.write_text(module["write_parsed"](texts, tomllib.loads), "utf-8")
        build_data["force_include"][str(written)] = f"pipelex_cogt/{written.name}"

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Take away what the wheel holds now."""
        if version != "editable":
            self.folder.cleanup()
