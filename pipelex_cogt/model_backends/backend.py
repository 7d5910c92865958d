"""Inference backends: a provider of LLM services, with its endpoint and credentials.

[azure_openai]
endpoint = "${AZURE_OPENAI_ENDPOINT}"
api_key = "${AZURE_OPENAI_API_KEY}"
api_version = "2024-10-21"          # a further key: it lands in extra_config
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, SecretStr, SkipValidation, field_serializer
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.frozen import FrozenDict
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.references import holds_reference, references_in
from pipelex_cogt.config.report import toml_type
from pipelex_cogt.config.secrets import MASK, Credentials, SealedText, mask_setting, names_secret
from pipelex_cogt.errors import MissingCredentialError
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec


def _check_text(value: Any) -> Any:
    if value is None or isinstance(value, str | SecretStr):
        return value
    raise PydanticCustomError("text", "expected a string, got {found}", {"found": toml_type(value)})


_LEFT_BEHIND = "a reference instead of a literal secret: no pickle carries one"


class InferenceBackend(BaseModel):
    """A provider of LLM services. References in its settings are answered when they are asked for, and never shown."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        serialize_by_alias=True,
        arbitrary_types_allowed=True,
    )

    name: str
    """The backend's name: its table's key."""
    enabled: bool = True
    """Whether it is used."""
    display_name: str | None = None
    """What people call it."""
    stated_endpoint: Annotated[str | SecretStr | None, PlainValidator(_check_text), Field(alias="endpoint")] = None
    """The base URL as stated, which may be a reference."""
    stated_api_key: Annotated[str | SecretStr | None, PlainValidator(_check_text), Field(alias="api_key")] = None
    """The key as stated: a reference, or a sealed literal."""
    stated_extra_config: Annotated[SkipValidation[Mapping[str, Any]], Field(alias="extra_config")] = FrozenDict()
    """The further keys that its SDK needs, as stated."""
    missing_variables: tuple[str, ...] = ()
    """The variables whose absence left it out of this load (`missing_credentials = "skip"`)."""
    model_specs: Annotated[SkipValidation[Mapping[str, InferenceModelSpec]], Field(exclude=True, repr=False)] = (
        FrozenDict()
    )
    """The models it serves, by model name."""
    credentials: Annotated[SkipValidation[Credentials], Field(exclude=True, repr=False)]
    """What answers its references."""

    @property
    def endpoint(self) -> str | None:
        """The base URL of its API, or None where the SDK knows it.

        Raises:
            MissingCredentialError: It holds a reference that no source answers.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        value = self.answer(self.stated_endpoint, ("endpoint",))
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    @property
    def api_key(self) -> SecretStr | None:
        """The key of its API, or None where it needs none.

        Raises:
            MissingCredentialError: It holds a reference that no source answers.
            SecretFileError: A secret's file cannot be used.
            SecretSourceError: A source of the application's own fails.
        """
        key: SecretStr | None = self.answer(self.stated_api_key, ("api_key",))
        return key

    @property
    def extra_config(self) -> ExtraConfig:
        """The further keys that its SDK needs; references in them are answered when an item is read."""
        return ExtraConfig(self)

    def missing_credential(self) -> MissingCredentialError | None:
        """The error that says why it was left out of this load; None where it was not."""
        if not self.missing_variables:
            return None
        path = next((path for path, text in referenced_settings(self) if self._lacks(text)), ("backends", self.name))
        place = str(self.credentials.locate(path) or "settings")
        return MissingCredentialError(self.name, self.missing_variables, format_key_path(path), place)

    def _lacks(self, text: str) -> bool:
        return any(str(reference) in self.missing_variables for reference in references_in(text))

    def answer(self, value: Any, path: KeyPath, *, is_secret: bool = False) -> Any:
        """A setting with its references answered.

        Args:
            value: The setting as stated.
            path: Its key path within the backend's table.
            is_secret: Whether a key above it says that it is secret.

        Returns:
            Text; a `SecretStr` where a key's name or the layer says that it is secret; tables and lists of these.
        """
        is_secret = is_secret or names_secret(str(path[-1]))
        if isinstance(value, Mapping):
            return {key: self.answer(item, (*path, key), is_secret=is_secret) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.answer(item, (*path, index), is_secret=is_secret) for index, item in enumerate(value)]
        text = value.get_secret_value() if isinstance(value, SealedText) else value
        if not isinstance(text, str):
            return text
        if isinstance(value, SealedText) and value.is_lost:
            key_path = format_key_path(("backends", self.name, *path))
            raise MissingCredentialError(self.name, (_LEFT_BEHIND,), key_path, "a pickle")
        if isinstance(value, SealedText):
            if value.number is not None and not is_secret:
                return value.number
            is_secret = is_secret or value.shown == MASK
        answered = self.credentials.resolve(text, self.name, ("backends", self.name, *path))
        return SealedText(answered) if is_secret else answered

    @field_serializer("stated_endpoint", "stated_api_key", "stated_extra_config")
    def _mask(self, value: Any, info: Any) -> Any:
        return mask_setting(info.field_name, value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()

    def __str__(self) -> str:
        return repr(self)


class ExtraConfig(Mapping[str, Any]):
    """The further keys of a backend: text, or a `SecretStr` where the key's name says that it is secret."""

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend

    def __getitem__(self, key: str) -> Any:
        return self._backend.answer(self._backend.stated_extra_config[key], (key,))

    def __iter__(self) -> Iterator[str]:
        return iter(self._backend.stated_extra_config)

    def __len__(self) -> int:
        return len(self._backend.stated_extra_config)

    def __repr__(self) -> str:
        return repr(mask_setting("extra_config", self._backend.stated_extra_config))


def referenced_settings(backend: InferenceBackend) -> Iterator[tuple[KeyPath, str]]:
    """Every setting of a backend and its models that holds a reference, with its key path."""
    prefix: KeyPath = ("backends", backend.name)
    yield from _references(backend.stated_endpoint, (*prefix, "endpoint"))
    yield from _references(backend.stated_api_key, (*prefix, "api_key"))
    yield from _references(backend.stated_extra_config, prefix)
    for name, spec in backend.model_specs.items():
        if spec.credentials is not None:
            yield ("models", backend.name, name, "model_id"), spec.stated_model_id


def _references(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))
    text = value.get_secret_value() if isinstance(value, SealedText) else value
    if isinstance(text, str) and holds_reference(text):
        yield path, text
