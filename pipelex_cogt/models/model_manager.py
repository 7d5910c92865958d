"""The model manager: runs the loading steps in order and holds the result.

manager = ModelManager.load(env="production")
manager.get_llm_deck().resolve("llm_to_reason")
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelex_cogt.config import clock
from pipelex_cogt.config.arguments import check_arguments
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.hiding import hide_source, leaves_no_locals
from pipelex_cogt.config.inference_config import MissingCredentials
from pipelex_cogt.config.loading import read_settings
from pipelex_cogt.config.masking import seal_overrides
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.secret_sources import SecretSource
from pipelex_cogt.config.settings import Settings
from pipelex_cogt.errors import Problem
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_builder import build_backend_library
from pipelex_cogt.model_backends.backend_library import InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_builder import build_routing_profile_library
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models import forks
from pipelex_cogt.models.deck_builder import build_model_deck
from pipelex_cogt.models.model_deck import ModelDeck
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from pipelex_cogt.visible import visible

if TYPE_CHECKING:
    from pipelex_cogt.models.explain import Explanation

_log = logging.getLogger("pipelex_cogt")


@dataclass(frozen=True, eq=False, repr=False)
class ModelManager:
    """One load of the settings, complete and immutable.

    Attributes:
        settings: The layers and what they merge to.
        backends: Every inference backend, each with its model specs.
        routing: Every routing profile.
        deck: The model deck.
        report: The problems of the load; `warnings` reads it.
    """

    settings: Settings
    backends: InferenceBackendLibrary
    routing: RoutingProfileLibrary
    deck: ModelDeck
    report: ProblemReport

    @classmethod
    @leaves_no_locals
    def load(
        cls,
        settings_dir: Path | str | None = None,
        env: str | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        sources: Iterable[SecretSource] = (),
        checks_credentials: bool = True,
    ) -> ModelManager:
        """Read the settings and build everything from them: backends, model specs, routing profiles, the deck.

        Args:
            settings_dir: The application's settings directory; None for `PIPELEX_SETTINGS_DIR`, else `settings/` in
                the working directory when it is one of ours, else in the nearest folder above it, up to the first
                that holds a `.git` or `pyproject.toml`.
            env: The environment, such as "production"; None for `PIPELEX_ENV`, else "development".
            environ: What stands for the process's environment; None for the process's own. `.env` lies below it.
            overrides: Laid over everything, shaped like the tree under `cogt`: `{"routing": {"active": "all_azure"}}`.
            sources: The application's own secret sources, asked after the secrets directory.
            checks_credentials: False loads as with `missing_credentials = "defer"`, for tools that look at settings
                where no key is.

        Raises:
            SettingsError: Every fault of the settings, with file, line, key path and the next step.
        """
        sources = [*sources] if isinstance(sources, Iterable) else sources
        check_arguments(
            {
                "settings_dir": settings_dir,
                "env": env,
                "environ": environ,
                "overrides": overrides,
                "sources": sources,
                "checks_credentials": checks_credentials,
            }
        )
        process, override_layer = Environ.of_process(environ), seal_overrides(overrides)
        hidden_sources = [*map(hide_source, sources)]
        # Whoever looks at the frames that are running would see the secrets in them.
        del environ, overrides, sources
        settings = read_settings(
            SETTINGS_SCHEMA,
            report := ProblemReport(),
            settings_dir=settings_dir,
            env=env,
            environ=process,
            overrides=override_layer,
            sources=hidden_sources,
        )
        if _log.isEnabledFor(logging.INFO):
            _log.info("%s", visible(f"environment {settings.environment!r}, {settings.directories}"))
        return cls._build(settings, report, checks_credentials=checks_credentials)

    @classmethod
    def _build(cls, settings: Settings, report: ProblemReport, *, checks_credentials: bool) -> ModelManager:
        config = settings.inference_config
        if not checks_credentials:
            config = config.model_copy(update={"missing_credentials": MissingCredentials.DEFER})
        # No variable holds the tree: a traceback that shows locals would show what is in it.
        backends = build_backend_library(settings.unfrozen_tree, config, settings.credentials, report)
        routing = build_routing_profile_library(settings.unfrozen_tree, backends, report)
        deck = build_model_deck(settings.unfrozen_tree, routing, report)
        report.raise_errors(f"the settings of environment {settings.environment!r}{settings.directories.absence}")
        return cls(settings, backends, routing, deck, report)

    def __repr__(self) -> str:
        return visible(f"{type(self).__name__}(environment={self.environment!r}, {self.deck!r})")

    def __getstate__(self) -> dict[str, Any]:
        """A pickle carries the warnings, for what tells a packaged file and a consequence stays behind."""
        return {**self.__dict__, "warnings": self.warnings}

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelManager:
        return self

    @property
    def environment(self) -> str:
        """The environment in force."""
        return self.settings.environment

    @cached_property
    @leaves_no_locals
    def warnings(self) -> tuple[Problem, ...]:
        """What deserves attention and stopped nothing, in file and line order; looked for when first asked for."""
        from pipelex_cogt.models.deck_warnings import find_warnings

        models = self.settings.unfrozen_tree.get("models", {})
        return find_warnings(self.deck, models, self.report, clock.today())

    def explain(self, name: str) -> Explanation:
        """Why a name leads to its model, and where each value on the way was stated.

        Args:
            name: A preset, else a model name, an alias, a backend, or a key path such as `routing.active`.

        Raises:
            UnknownNameError: It is none of these.
        """
        from pipelex_cogt.models.explain import explain

        return explain(name, self.settings, self.deck)

    def get_llm_deck(self) -> ModelDeck:
        """The model deck."""
        return self.deck

    def get_inference_model(self, llm_handle: str) -> InferenceModelSpec:
        """The model that a model name or an alias leads to.

        Raises:
            UnknownNameError: Nothing is called so.
            BackendDisabledError: It is known, its backends are disabled.
            MissingCredentialError: Its backend was left out, for a credential is missing.
            ModelNotRoutedError: Its backend is enabled, no rule of the active profile leads to it.
        """
        return self.deck.get_inference_model(llm_handle)

    def get_required_inference_backend(self, backend_name: str) -> InferenceBackend:
        """The backend of that name, in use.

        Raises:
            UnknownNameError: No backend is called so.
            BackendDisabledError: It is disabled.
            MissingCredentialError: It was left out, for a credential is missing.
        """
        return self.backends.get_required(backend_name)


forks.wait_for(ModelManager.load)
