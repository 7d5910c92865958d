"""The model deck: what an application asks for models, aliases and presets.

llm = deck.resolve("llm_to_reason")      # a preset, else a model name, else an alias
llm.model.model_id, llm.backend.endpoint, llm.setting.temperature
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from operator import attrgetter
from typing import NamedTuple

from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.config.tables import FrozenDict
from pipelex_cogt.errors import (
    BackendDisabledError,
    MissingCredentialError,
    ModelNotRoutedError,
    NotAvailableError,
    UnknownNameError,
    check_name,
)
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.backend_library import AT, InferenceBackendLibrary
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec, InputModality, ModelSpecs, OutputModality
from pipelex_cogt.model_routing.routing_profile_library import RoutingProfileLibrary
from pipelex_cogt.models.aliases import Alias, Chain, Chains, members_of
from pipelex_cogt.models.call_parameters import CallParameters
from pipelex_cogt.models.handles import what_is_no_handle
from pipelex_cogt.models.llm_setting import DISABLED, LLMChoice, LLMChoices, LLMSetting
from pipelex_cogt.models.offers import Offers
from pipelex_cogt.visible import visible

_HANDLE = "model or alias"
_NAME = "preset, model or alias"


@dataclass(frozen=True, slots=True)
class ResolvedLLM:
    """What to call, and how.

    Attributes:
        name: The preset, model or alias that was asked for.
        setting: The parameters as stated.
        model: The model's spec.
        backend: The backend that serves it.
        is_followed: Whether somebody falls back to another model when this one fails.
    """

    name: str
    setting: LLMSetting
    model: InferenceModelSpec
    backend: InferenceBackend
    is_followed: bool = False

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return visible(f"{type(self).__name__}({shown})")

    @property
    def parameters(self) -> CallParameters:
        """What to send besides the messages, as the model takes it; a timeout is the backend's unless it is stated."""
        parameters = self.setting.parameters_for(self.model)
        return replace(parameters, timeout=parameters.timeout or self.backend.timeout)

    @property
    def max_retries(self) -> int | None:
        """How often the SDK tries a failed request again; None leaves it to the SDK.

        It tries none again that another model follows, for what comes next is the other model.
        """
        return 0 if self.is_followed else self.backend.max_retries


class Behind(NamedTuple):
    """What a handle leads to, depth first: the keys of each are names, in order.

    Attributes:
        aliases: The aliases on the way.
        models: The names at the ends.
    """

    aliases: dict[str, None]
    models: dict[str, None]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelDeck:
    """Models, aliases, presets and choices of one environment, resolved.

    Attributes:
        inference_models: Model name to spec, as routed.
        aliases: Alias to the name, or the names, it stands for.
        llm_presets: Preset to setting.
        llm_choice_defaults: The presets, models or aliases used when the caller names none.
        llm_choice_overrides: Those that win over them; "disabled" stands for none.
        backends: Every backend.
        routing: Every routing profile.
        chains: Alias to its served models, in order, put together when asked for.
    """

    inference_models: ModelSpecs
    aliases: Mapping[str, Alias]
    llm_presets: Mapping[str, LLMSetting]
    llm_choice_defaults: LLMChoices
    llm_choice_overrides: LLMChoices
    backends: InferenceBackendLibrary
    routing: RoutingProfileLibrary
    chains: Chains
    _by_handle: ModelSpecs = field(init=False)
    _by_preset: Mapping[str, ResolvedLLM] = field(init=False)
    _offers: Offers = field(init=False)

    def __post_init__(self) -> None:
        first = {alias: model for alias, model in self.chains.first.items() if model}
        by_handle = {**first, **self.inference_models}
        by_preset = {
            name: self._combine(name, setting, model)
            for name, setting in self.llm_presets.items()
            if (model := by_handle.get(setting.llm_handle) or self.backends.pinned(setting.llm_handle))
        }
        # The way that a frozen dataclass sets what it works out of its own fields.
        object.__setattr__(self, "_by_handle", FrozenDict(by_handle))
        object.__setattr__(self, "_by_preset", FrozenDict(by_preset))
        object.__setattr__(self, "_offers", Offers(self.inference_models, self.backends))

    def __repr__(self) -> str:
        held = f"{len(self.inference_models)} models, {len(self.aliases)} aliases, {len(self.llm_presets)} presets"
        return visible(f"{type(self).__name__}({held}, routing profile {self.routing.active.name!r})")

    def get_inference_model(self, llm_handle: str) -> InferenceModelSpec:
        """The model that a model name or an alias leads to.

        Raises:
            UnknownNameError: Nothing is called so.
            NameTypeError: It is no text.
            BackendDisabledError: It is known, its backends are disabled.
            MissingCredentialError: Its backend was left out, for a credential is missing.
            ModelNotRoutedError: Its backend is enabled, no rule of the active profile leads to it.
        """
        model = self.model_in_force(llm_handle)
        if model is None:
            raise self._absence(llm_handle)
        return model

    def resolve(self, name: str) -> ResolvedLLM:
        """Model, backend and parameters for a preset, else a model name, else an alias.

        Raises:
            UnknownNameError: Nothing is called so.
            NameTypeError: It is no text.
            BackendDisabledError: What it leads to is known, its backends are disabled.
            MissingCredentialError: Its backend was left out, for a credential is missing.
            ModelNotRoutedError: The backend is enabled, no rule of the active profile leads to the model.
        """
        check_name(name, _NAME)
        resolved = self._by_preset.get(name)
        if resolved is not None:
            return resolved
        # A preset that is not resolved names a handle that leads nowhere.
        if name in self.llm_presets:
            raise self._absence(self.llm_presets[name].llm_handle)
        model = self.model_in_force(name)
        if model is None:
            raise self._absence(name, _NAME, self.llm_presets)
        return self._combine(name, LLMSetting.model_construct(llm_handle=name), model)

    def resolve_all(self, name: str, *, ready: bool = False) -> tuple[ResolvedLLM, ...]:
        """All that a preset, a model or an alias may lead to, first choice first, each with its own parameters.

        Args:
            name: A preset, else a model name, else an alias.
            ready: Whether backends that cannot be called now are left out.

        Raises:
            UnknownNameError: Nothing is called so.
            NameTypeError: It is no text.
            BackendDisabledError: What it leads to is known, its backends are disabled.
            MissingCredentialError: Its backend was left out, for a credential is missing; or none can be called now.
            UnusableCredentialError: None can be called now, for a credential can never work.
            ModelNotRoutedError: The backend is enabled, no rule of the active profile leads to the model.
        """
        first = self.resolve(name)
        members = tuple(
            replace(first, model=model, backend=self.backends[model.backend_name])
            for model in self.chain(first.setting.llm_handle)
        )
        if not ready:
            return members
        # A backend is asked once, however many members it serves.
        is_ready = cache(attrgetter("is_ready"))
        callable_now = tuple(member for member in members if is_ready(member.backend))
        if not callable_now:
            first.backend.raise_obstacle()
        return callable_now

    def model_in_force(self, handle: str) -> InferenceModelSpec | None:
        """The model that a model name or an alias leads to; None where it leads to none."""
        # What is no text may not even be looked up, and is refused as a pin.
        model = self._by_handle.get(handle) if isinstance(handle, str) else None
        return self.backends.pinned(handle) if model is None else model

    def is_served(self, handle: str) -> bool:
        """Whether a model name or an alias leads to a model here."""
        return self.model_in_force(handle) is not None

    def is_resolved(self, preset: str) -> bool:
        """Whether a preset leads to a model here."""
        check_name(preset, "preset")
        return preset in self._by_preset

    def why_absent(self, handle: str) -> str:
        """Why a model name or an alias leads to no model here, in words."""
        return tell_absence(self._absence(handle))

    def chain(self, handle: str) -> Chain:
        """The served models behind a model name or an alias, first choice first, for callers that fall back.

        Raises:
            UnknownNameError: Nothing is called so.
            NameTypeError: It is no text.
            BackendDisabledError: It is known, its backends are disabled.
            MissingCredentialError: Its backend was left out, for a credential is missing.
            ModelNotRoutedError: No rule of the active profile leads to it.
        """
        model = self.get_inference_model(handle)
        is_model = handle in self.inference_models or self.backends.pin(handle) is not None
        return (model,) if is_model else self.chains[handle]

    def choice(self, choice: LLMChoice | str) -> ResolvedLLM:
        """What is used when the caller names no preset: `"for_text"` or `"for_object"`.

        Raises:
            UnknownNameError: There is no such choice.
            NameTypeError: It is no text.
        """
        return self.resolve(self.chosen_name(choice))

    def chosen_name(self, choice: LLMChoice | str) -> str:
        """The preset, model or alias that a choice names: the override, else the default.

        Raises:
            UnknownNameError: There is no such choice.
            NameTypeError: It is no text.
        """
        check_name(choice, "choice")
        if choice not in tuple(LLMChoice):
            raise UnknownNameError(choice, "choice", partial(near_names, choice, [*LLMChoice]))
        override: str | None = getattr(self.llm_choice_overrides, choice)
        default: str = getattr(self.llm_choice_defaults, choice)
        return default if override in (None, DISABLED) else str(override)

    def handle_of(self, name: str) -> str:
        """The handle that a preset names; any other name is a handle itself."""
        check_name(name, _NAME)
        return self.llm_presets[name].llm_handle if name in self.llm_presets else name

    def address(self, model: InferenceModelSpec) -> str:
        """The handle of a served model: its name, or `name@backend` where the routing leads elsewhere."""
        is_routed = self.inference_models.get(model.name) is model
        return model.name if is_routed else f"{model.name}{AT}{model.backend_name}"

    def names(self) -> dict[str, str]:
        """Every preset, model and alias, served or not, each with which of them a caller gets by that name."""
        # The later wins: an alias hides a model that is not served, a served model an alias.
        kinds = (
            ("model", self.backends.known_models),
            ("alias", self.aliases),
            ("model", self.inference_models),
            ("preset", self.llm_presets),
        )
        return {name: kind for kind, names in kinds for name in names}

    def find(
        self,
        *,
        inputs: Iterable[InputModality | str] = (),
        outputs: Iterable[OutputModality | str] = (),
        backend: str | None = None,
    ) -> tuple[InferenceModelSpec, ...]:
        """The served models that read and write what is asked for, cheapest first, unknown prices last.

        The price is the flat one of input and output: `model.costs.rises_above` says for prompts of which length it
        holds, `model.costs.changes_on` until which day.

        Args:
            inputs: What a model must read, such as `["text", "images"]`.
            outputs: What a model must write, such as `["structured"]`.
            backend: The backend that must serve it; None for any.

        Raises:
            UnknownNameError: There is no such modality, or no such backend.
            NameTypeError: What is asked for is no text.
        """
        return self._offers.find(inputs=inputs, outputs=outputs, backend=backend)

    def _combine(self, name: str, setting: LLMSetting, model: InferenceModelSpec) -> ResolvedLLM:
        return ResolvedLLM(name, setting, model, self.backends[model.backend_name])

    def _absence(self, handle: str, kind: str = _HANDLE, more_names: Iterable[str] = ()) -> NotAvailableError:
        """Why a handle leads to no model; `more_names` come into question where nothing is called so."""
        check_name(handle, kind)
        behind = filter(self.backends.known_by, self.behind(handle).models)
        absences = [*map(self.routing.absence, behind)]
        if absences:
            return nearest(absences)
        what_is = partial(what_is_no_handle, self.llm_presets, self.aliases, self.backends, handle)
        return UnknownNameError(handle, kind, partial(self._near_names, handle, what_is, more_names), what_is)

    def _near_names(self, handle: str, what_is: Callable[[], str | None], more_names: Iterable[str]) -> tuple[str, ...]:
        """What may be meant by a handle that nothing is called by; of a `model_id` the models that have it."""
        if what_is() is not None:
            return self.backends.model_ids.get(handle, ())
        return near_names(handle, [*self.backends.known_models, *self.aliases, *more_names])

    def behind(self, handle: str) -> Behind:
        """The names that a handle leads to, served or not: the aliases on the way, and what stands at the ends."""
        behind = Behind({}, {})
        waiting = [handle]
        while waiting:
            name = waiting.pop()
            if name in self.aliases and name not in behind.aliases:
                behind.aliases[name] = None
                waiting += reversed(members_of(self.aliases[name]))
            else:
                behind.models[name] = None
        return behind


_NEAREST_FIRST = (MissingCredentialError, ModelNotRoutedError, BackendDisabledError)
"""Of several reasons why an alias leads nowhere, the one that takes least to mend is told."""


def nearest(absences: Iterable[NotAvailableError]) -> NotAvailableError:
    """Of several reasons why a handle leads to no model, the one that takes least to mend."""
    return min(absences, key=lambda absence: _NEAREST_FIRST.index(type(absence)))


def tell_absence(absence: NotAvailableError) -> str:
    """Why a handle leads to no model, in words for where it is named."""
    # The place and the advice of a missing credential are told once, where its backend was left out.
    return absence.reason if isinstance(absence, MissingCredentialError) else str(absence)
