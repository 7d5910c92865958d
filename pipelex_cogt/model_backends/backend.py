"""Inference backends: a provider of LLM services, with its endpoint and credentials.

[azure_openai]
endpoint = "${AZURE_OPENAI_ENDPOINT}"
api_key = "${AZURE_OPENAI_API_KEY}"
api_version = "2024-10-21"          # a further key: it lands in extra_config
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PlainValidator, PrivateAttr, SecretStr, SkipValidation, field_serializer
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.answers import AnsweredTable, answer
from pipelex_cogt.config.credentials import WAY_IN, Credentials
from pipelex_cogt.config.free_tables import Headers
from pipelex_cogt.config.hiding import leaves_no_locals
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import ShownText, mask_setting, plain_text, stated_value
from pipelex_cogt.config.references import Reference, holds_reference
from pipelex_cogt.config.settings_model import GIVEN, REFERENCES, SettingsModel
from pipelex_cogt.config.tables import FrozenDict, leaves, toml_type
from pipelex_cogt.errors import MissingCredentialError, tell_left_out
from pipelex_cogt.model_backends.model_spec import ModelSpecs


def _check_text(value: Any) -> Any:
    if isinstance(value, str | SecretStr | None):
        # An empty text means none: it takes away what a lower layer states.
        return value if plain_text(value) else None
    raise PydanticCustomError("text", "expected a string, got {found}", {"found": toml_type(value)})


_Text = PlainValidator(_check_text, json_schema_input_type=str | None)


class HandedOver(NamedTuple):
    """What a backend is handed beside its settings.

    Attributes:
        credentials: What answers its references.
        model_specs: The models it serves, by model name.
        switched_off_models: The models that its file switches off, each with the key path that does.
        lacking: The references whose absence left it out of this load, each with the key path that needs it.
    """

    credentials: Credentials
    model_specs: ModelSpecs
    switched_off_models: Mapping[str, KeyPath] = FrozenDict()
    lacking: Mapping[Reference, KeyPath] = FrozenDict()


class InferenceBackend(SettingsModel):
    """A provider of LLM services. References in its settings are answered when they are asked for, and never shown."""

    name: Annotated[str, GIVEN]
    """The backend's name: its table's key."""
    enabled: bool = True
    """Whether it is used."""
    display_name: str | None = None
    """What people call it."""
    stated_endpoint: Annotated[str | SecretStr | None, _Text, REFERENCES, Field(alias="endpoint")] = None
    """The base URL as stated, which may be a reference; `""` for none."""
    stated_api_key: Annotated[str | SecretStr | None, _Text, REFERENCES, Field(alias="api_key")] = None
    """The key as stated: a reference, or a sealed literal; `""` for none."""
    stated_headers: Annotated[Headers, REFERENCES] = Field(alias="headers", default_factory=FrozenDict)
    """The headers that its requests carry, as stated."""
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """How long a request may take, in seconds; None leaves it to the SDK."""
    max_retries: Annotated[int, Field(ge=0)] | None = None
    """How often the SDK tries a failed request again; None leaves it to the SDK."""
    models_like: Annotated[str, Field(min_length=1)] | None = None
    """The backend whose models it serves too, under the same names; its own file lies over them."""
    stated_extra_config: Annotated[SkipValidation[Mapping[str, Any]], GIVEN] = Field(
        alias="extra_config", default_factory=FrozenDict
    )
    """The further keys that its SDK needs, as stated."""
    switched_off_by: Annotated[tuple[KeyPath, ...], GIVEN] = ()
    """The settings that keep it out of use: its own `enabled`, a list of `enabled_backends` without it, or both."""
    missing_variables: Annotated[tuple[str, ...], GIVEN] = ()
    """The variables whose absence left it out of this load (`missing_credentials` is `"skip"` or `"prefer"`)."""
    _handed_over: HandedOver = PrivateAttr()

    def model_post_init(self, context: HandedOver) -> None:
        """Keep what the backend is handed beside its settings."""
        self._handed_over = context

    @property
    def model_specs(self) -> ModelSpecs:
        """The models it serves, by model name."""
        return self._handed_over.model_specs

    @property
    def switched_off_models(self) -> Mapping[str, KeyPath]:
        """The models that its file switches off, each with the key path of the `enabled` that does."""
        return self._handed_over.switched_off_models

    @property
    def why_unused(self) -> str | None:
        """Why it is not in use, in words; None where it is."""
        if self.missing_variables:
            return tell_left_out(self.missing_variables)
        settings = " and ".join(map(format_key_path, self.switched_off_by))
        return None if self.enabled else f"is disabled ({settings})"

    @property
    def credentials(self) -> Credentials:
        """What answers its references."""
        return self._handed_over.credentials

    @property
    def endpoint(self) -> str | None:
        """The base URL of its API, or None where the SDK knows it.

        Raises:
            MissingCredentialError: It holds a reference that no source answers.
            UnusableCredentialError: What answers it, or it itself, can never work.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        endpoint: str | None = plain_text(self.answer(self.stated_endpoint, ("endpoint",)))
        shown = mask_setting("endpoint", self.stated_endpoint)
        # An empty text is no endpoint.
        return ShownText(endpoint, shown) if endpoint and endpoint != shown else endpoint or None

    @property
    def api_key(self) -> SecretStr | None:
        """The key of its API, or None where it needs none.

        Raises:
            MissingCredentialError: It holds a reference that no source answers.
            UnusableCredentialError: What answers it, or it itself, can never work.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        key: SecretStr | None = self.answer(self.stated_api_key, ("api_key",))
        # An empty text is no key.
        return key or None

    @property
    def extra_config(self) -> AnsweredTable:
        """The further keys that its SDK needs; references in them are answered when an item is read."""
        return AnsweredTable(self.stated_extra_config, self.answer)

    @property
    def headers(self) -> AnsweredTable:
        """The headers that its requests carry; references in them are answered when an item is read."""
        return AnsweredTable(self.stated_headers, self.answer, ("headers",))

    @property
    def is_left_out(self) -> bool:
        """Whether a missing credential alone keeps it out of this load."""
        return bool(self.missing_variables)

    def referenced_settings(self) -> Iterator[tuple[KeyPath, str | SecretStr]]:
        """Every setting of it and of its models that holds a reference, sealed where it is secret, with key paths."""
        return referenced_settings(self.name, self._stated(), self.model_specs)

    @property
    @leaves_no_locals
    def is_ready(self) -> bool:
        """Whether it can be called now: every reference is answered, with what can work. It raises nothing."""
        return next(self.credentials.obstacles(self.stated_texts()), None) is None

    @leaves_no_locals
    def raise_obstacle(self) -> None:
        """Raise what keeps it from being called now; nothing where nothing does.

        Raises:
            MissingCredentialError: A reference is not answered.
            UnusableCredentialError: A credential can never work.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        for path, stated in self.stated_texts():
            self.credentials.resolve(stated, self.name, path)

    @leaves_no_locals
    def missing(self) -> tuple[str, ...]:
        """The references that cannot be answered now, such as `OPENAI_API_KEY`, each once. It raises nothing."""
        return self.credentials.missing(plain_text(stated) for _path, stated in self.referenced_settings())

    def stated_texts(self) -> Iterator[tuple[KeyPath, str | SecretStr]]:
        """Every text that it states, sealed where it is secret, and those that its models send, with key paths."""
        yield from _texts_in(self._stated(), ("backends", self.name))
        yield from _texts_of_models(self.model_specs)

    def _stated(self) -> Mapping[str, Any]:
        own = {"endpoint": self.stated_endpoint, "api_key": self.stated_api_key, "headers": self.stated_headers}
        return {**own, **self.stated_extra_config}

    def missing_credential(self) -> MissingCredentialError | None:
        """The error that says why it was left out of this load; None where it was not."""
        if not self.is_left_out:
            return None
        lacking = self._handed_over.lacking
        path = next(iter(lacking.values()), ("backends", self.name))
        place = str(self.credentials.locate(path) or "settings")
        advice = self.credentials.whereabouts([*lacking], WAY_IN)
        return MissingCredentialError(
            self.name, self.missing_variables, format_key_path(path), place, advice, is_left_out=True
        )

    def answer(self, value: Any, path: KeyPath) -> Any:
        """A setting with its references answered.

        Args:
            value: The setting as stated.
            path: Its key path within the backend's table.

        Returns:
            Text, or a `SecretStr` where a key's name ends in a secret word; numbers; tables and lists of these.
        """
        return answer(value, self.credentials, self.name, path, ("backends", self.name))

    @field_serializer("stated_endpoint", "stated_api_key", "stated_headers", "stated_extra_config")
    def _mask(self, value: Any, info: Any) -> Any:
        return mask_setting(info.field_name, value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()

    __str__ = SettingsModel.__repr__


def referenced_settings(
    backend: str, stated: Mapping[str, Any], specs: ModelSpecs
) -> Iterator[tuple[KeyPath, str | SecretStr]]:
    """Every setting of a backend and of its models that holds a reference, as stated, with its key path.

    Args:
        backend: The backend's name.
        stated: What its table states, but for the keys that take no reference.
        specs: The models it serves, by model name.
    """
    yield from references_of(stated, ("backends", backend))
    yield from filter(_is_reference, _texts_of_models(specs))


def references_of(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str | SecretStr]]:
    """Every text in a value that holds a reference, as stated, with its key path."""
    return filter(_is_reference, _texts_in(value, path))


def _is_reference(setting: tuple[KeyPath, str | SecretStr]) -> bool:
    _path, text = setting
    return holds_reference(plain_text(text))


def _texts_of_models(specs: ModelSpecs) -> Iterator[tuple[KeyPath, str | SecretStr]]:
    """Every text of a model's headers and `extra_config`, and a `model_id` that is a reference, where it is stated."""
    for spec in specs.values():
        if holds_reference(spec.stated_model_id):
            yield spec.place_of("model_id"), spec.stated_model_id
        for table, stated in (("headers", spec.stated_headers), ("extra_config", spec.stated_extra_config)):
            for key, value in stated.items():
                yield from _texts_in(value, spec.place_of(table, key))


def _texts_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str | SecretStr]]:
    """Every text in a value, as stated, with its key path."""
    return (each for each in leaves(value, path) if isinstance(stated_value(each[1]), str | SecretStr))
