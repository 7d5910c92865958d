"""The public names: what an application imports, and what it can rely on."""

import ast
import copy
import inspect
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from importlib import resources
from itertools import pairwise
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

import pipelex_cogt
from pipelex_cogt import (
    BackendDisabledError,
    CallFailedError,
    CallFailure,
    CallRefusedError,
    CatalogueSourceError,
    CogtError,
    Explanation,
    FallbackError,
    LayerKind,
    LiteralLeftBehindError,
    MissingCredentialError,
    MissingExtraError,
    ModelManager,
    ModelNotRoutedError,
    NameTypeError,
    NotAvailableError,
    Problem,
    ProblemError,
    SecretFileError,
    SecretSourceError,
    SettingsError,
    Severity,
    UnknownNameError,
    UnusableCredentialError,
    UsageError,
)

PUBLIC_NAMES = sorted(pipelex_cogt.__all__)
PUBLIC = {name: getattr(pipelex_cogt, name) for name in PUBLIC_NAMES}
PUBLIC_CLASSES = [name for name in PUBLIC_NAMES if isinstance(getattr(pipelex_cogt, name), type)]
PUBLIC_MODELS = [name for name in PUBLIC_CLASSES if issubclass(getattr(pipelex_cogt, name), BaseModel)]

PROMISED_NAMES = {
    "InferenceBackend",
    "InferenceBackendLibrary",
    "InferenceModelSpec",
    "LLMSetting",
    "ModelDeck",
    "ModelManager",
    "RoutingProfile",
    "RoutingProfileLibrary",
    "get_models_manager",
    "set_models_manager",
}

PROMISED_MANAGER_METHODS = {
    "get_inference_model",
    "get_llm_deck",
    "get_required_inference_backend",
    "load",
    "warnings",
}

PARENTS = {
    ProblemError: (CogtError,),
    SettingsError: (CogtError, ExceptionGroup),
    NotAvailableError: (CogtError, LookupError),
    UnknownNameError: (NotAvailableError,),
    BackendDisabledError: (NotAvailableError,),
    ModelNotRoutedError: (NotAvailableError,),
    MissingCredentialError: (NotAvailableError,),
    LiteralLeftBehindError: (MissingCredentialError,),
    UnusableCredentialError: (NotAvailableError,),
    NameTypeError: (CogtError, TypeError),
    UsageError: (CogtError, ValueError),
    SecretFileError: (CogtError,),
    SecretSourceError: (CogtError,),
    CallRefusedError: (CogtError,),
    CatalogueSourceError: (CogtError,),
    MissingExtraError: (CogtError, ImportError),
    CallFailedError: (CogtError,),
    FallbackError: (CogtError, ExceptionGroup),
}

FIRST = Problem("expected an integer, got a string", "cogt.models.a.m.max_tokens", "settings/backends/a.toml", 14)
SECOND = Problem("unknown key", "cogt.routing.activ", "settings/routing.toml", 1, "did you mean 'active'?")

FAILURE = CallFailure("m", "a", "RateLimitError", 429, "it is asked too often")

ERRORS = [
    CogtError("anything"),
    ProblemError(SECOND),
    SettingsError.from_problems("2 problems", [FIRST, SECOND]),
    UnknownNameError("gpt", "model or alias", ("gpt-4.1", "gpt-5")),
    NameTypeError("model or alias", "NoneType"),
    CallRefusedError("m", "a", "needs a region", "set AWS_REGION"),
    MissingExtraError("openai", "openai"),
    BackendDisabledError("m", ("a", "b")),
    ModelNotRoutedError("m", "all", "route 'm*'", (("b", "is disabled"),)),
    MissingCredentialError("a", ("A_KEY", "secret:a"), "cogt.backends.a.api_key", "settings/backends.toml:3"),
    MissingCredentialError("a", ("A", "B"), "cogt.backends.a.api_key", "backends.toml:3", "set it", is_left_out=True),
    LiteralLeftBehindError("a", "cogt.backends.a.api_key"),
    UnusableCredentialError("a", "A_KEY", "cogt.backends.a.api_key", "A_KEY", "A_KEY holds a tab at position 2"),
    UsageError("input: expected a number of tokens, got -1"),
    SecretFileError("/run/secrets/a", "expected UTF-8 text"),
    SecretSourceError("Vault", "a", "failed with RuntimeError"),
    CallRefusedError("m", "a", "has sdk 'x' at its own API, which openai cannot call", "call it with something else"),
    CatalogueSourceError("litellm 1.0", "cannot read its prices"),
    MissingExtraError("openai", "openai"),
    CallFailedError(FAILURE),
    FallbackError.from_failures("none has answered", [FAILURE], [TimeoutError()]),
]


def documented_fields(cls: type) -> set[str]:
    """The fields of a class that a string follows."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    return {
        field.target.id
        for field, after in pairwise(tree.body if isinstance(tree, ast.ClassDef) else [])
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }


def kind_of(error: BaseException) -> str:
    return type(error).__name__


def facts_of(error: BaseException) -> dict[str, Any]:
    # Of a group the arguments are other errors, which equal only themselves.
    args = error.args if not isinstance(error, ExceptionGroup | ProblemError) else len(error.args)
    return {"text": str(error), "args": args, **vars(error)}


def public_members(cls: type) -> Iterator[tuple[str, object]]:
    yield from ((name, member) for name, member in vars(cls).items() if not name.startswith("_"))


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_exists(name: str) -> None:
    assert hasattr(pipelex_cogt, name)


def test_public_names_are_sorted_and_unique() -> None:
    assert list(pipelex_cogt.__all__) == sorted(set(pipelex_cogt.__all__))


def test_the_promised_names_are_public() -> None:
    assert set(pipelex_cogt.__all__) >= PROMISED_NAMES


def test_nothing_public_is_left_out_of_all() -> None:
    stated = {
        name
        for name, value in vars(pipelex_cogt).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert stated <= set(pipelex_cogt.__all__)


def test_every_error_class_is_public() -> None:
    declared = {
        name
        for name, value in vars(pipelex_cogt.errors).items()
        if isinstance(value, type) and issubclass(value, CogtError)
    }
    assert declared <= set(pipelex_cogt.__all__)


def test_the_manager_has_the_promised_methods() -> None:
    assert set(dir(pipelex_cogt.ModelManager)) >= PROMISED_MANAGER_METHODS


def test_load_takes_the_promised_arguments_in_their_order() -> None:
    parameters = inspect.signature(pipelex_cogt.ModelManager.load).parameters
    assert list(parameters)[:4] == ["settings_dir", "env", "environ", "overrides"]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in parameters.values())


def test_type_checkers_see_the_annotations() -> None:
    assert resources.files("pipelex_cogt").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_has_a_docstring_of_its_own(name: str) -> None:
    value = getattr(pipelex_cogt, name)
    doc = vars(value).get("__doc__") if isinstance(value, type) else value.__doc__
    assert doc
    assert not doc.startswith(f"{name}(")


@pytest.mark.parametrize("name", PUBLIC_CLASSES)
def test_every_public_method_has_a_docstring(name: str) -> None:
    cls = getattr(pipelex_cogt, name)
    callables = [
        member
        for member in dict(public_members(cls)).values()
        if inspect.isfunction(member) or isinstance(member, property | classmethod | staticmethod)
    ]
    assert [member for member in callables if not inspect.getdoc(member)] == []


@pytest.mark.parametrize("name", PUBLIC_MODELS)
def test_every_field_of_a_model_has_a_docstring(name: str) -> None:
    cls = getattr(pipelex_cogt, name)
    bases = [base for base in cls.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]
    assert set(cls.model_fields) <= set().union(*map(documented_fields, bases))


NOT_EXPORTED = {
    "Behind": "what a builder asks a deck for its messages",
    "Candidate": "what a routing profile asks its own rules for; a decision names those that were turned down",
    "Chains": "a mapping from alias to models that puts each chain together when it is asked for",
    "Credentials": "what answers a backend's references; an application hands over a SecretSource instead",
    "HandedOver": "what a builder hands to a backend beside its fields",
    "LayeredDynaconf": "a settings object of Dynaconf, for people who ask it with Dynaconf's own functions",
    "ModelAnswers": "what a builder hands to a model beside its fields",
    "PatternIndex": "what a routing profile finds its own patterns with",
    "Pin": "what the library of backends reads in a handle such as `m1@a`; a deck takes the handle itself",
    "ProblemReport": "what `manager.warnings` is read from",
    "Service": "what a routing profile asks of the backends; `routing.decide` asks those of the library",
    "SettingsDirectory": "an item of `directories.sources`, a path with a flag",
    "SourceFile": "what an origin finds lines with; `origin.place` tells them",
    "Verdict": "what a builder asks about every model; `routing.decide` tells all that were asked",
}
"""Classes that public hints name and nobody needs to import, each with the reason."""


def hints_of(value: Any) -> Iterator[Any]:
    """The types of what a public function takes and returns, or of a class's fields, properties and methods."""
    members = [value]
    if isinstance(value, type):
        members += [member for name, member in vars(value).items() if not name.startswith("_") or name == "__init__"]
    for member in members:
        bare = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if member is value or inspect.isfunction(bare):
            hints = get_type_hints(bare, localns=PUBLIC)
            yield from (hint for name, hint in hints.items() if not name.startswith("_"))


def classes_in(hint: Any) -> Iterator[type]:
    """The classes of a type, and of what it is made of."""
    if isinstance(hint, list):
        inner = hint
    else:
        inner = [*get_args(hint)]
        found = get_origin(hint) or hint
        if isinstance(found, type):
            yield found
    for each in inner:
        yield from classes_in(each)


def test_every_class_that_public_calls_take_or_return_is_public() -> None:
    named = {each for value in PUBLIC.values() for hint in hints_of(value) for each in classes_in(hint)}
    ours = {each for each in named if each.__module__.startswith("pipelex_cogt.")}
    assert {ModelManager, Explanation, LayerKind, Problem} <= ours
    assert {each.__name__ for each in ours if each not in PUBLIC.values()} == NOT_EXPORTED.keys()


@pytest.mark.parametrize("error", PARENTS, ids=lambda error: error.__name__)
def test_the_exception_tree(error: type[Exception]) -> None:
    assert all(issubclass(error, parent) for parent in PARENTS[error])


def test_an_unknown_name_is_no_key_error() -> None:
    assert not issubclass(UnknownNameError, KeyError)


@pytest.mark.parametrize("error", ERRORS, ids=kind_of)
def test_an_error_survives_pickling(error: CogtError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert facts_of(arrived) == facts_of(error)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("error", ERRORS, ids=kind_of)
def test_an_error_survives_copying(error: CogtError, copied: Any) -> None:
    twin = copied(error)
    assert type(twin) is type(error)
    assert facts_of(twin) == facts_of(error)


def test_a_pickled_group_keeps_its_problems_as_data() -> None:
    arrived = pickle.loads(pickle.dumps(SettingsError.from_problems("heading", [FIRST, SECOND])))
    assert arrived.problems == (FIRST, SECOND)
    assert arrived.message == "heading"


def test_a_pickled_error_keeps_its_notes() -> None:
    error = SettingsError.from_problems("heading", [FIRST])
    error.add_note("while the worker started")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while the worker started"]


def test_except_star_catches_the_problems() -> None:
    caught: list[Problem] = []
    try:
        raise SettingsError.from_problems("heading", [FIRST, SECOND])
    except* ProblemError as group:
        caught += [error.problem for error in group.exceptions if isinstance(error, ProblemError)]
    assert caught == [FIRST, SECOND]


def test_except_star_hands_over_a_settings_error() -> None:
    caught: list[ExceptionGroup[ProblemError]] = []
    try:
        raise SettingsError.from_problems("heading", [FIRST, SECOND])
    except* ProblemError as group:
        caught.append(group)
    assert [type(group) for group in caught] == [SettingsError]
    assert str(caught[0]) == str(SettingsError.from_problems("heading", [FIRST, SECOND]))


def is_second(error: Exception) -> bool:
    return isinstance(error, ProblemError) and error.problem == SECOND


def test_split_keeps_class_heading_and_problems() -> None:
    matching, rest = SettingsError.from_problems("heading", [FIRST, SECOND]).split(is_second)
    assert isinstance(matching, SettingsError)
    assert isinstance(rest, SettingsError)
    assert (matching.message, matching.problems) == ("heading", (SECOND,))
    assert (rest.message, rest.problems) == ("heading", (FIRST,))


def test_subgroup_is_a_settings_error_or_nothing() -> None:
    error = SettingsError.from_problems("heading", [FIRST])
    assert error.subgroup(is_second) is None
    assert isinstance(error.subgroup(ProblemError), SettingsError)


def test_derive_keeps_the_heading() -> None:
    derived = SettingsError.from_problems("heading", [FIRST]).derive([ProblemError(SECOND)])
    assert isinstance(derived, SettingsError)
    assert (derived.message, derived.problems) == ("heading", (SECOND,))


def test_a_plain_traceback_tells_every_problem() -> None:
    text = "".join(traceback.format_exception(SettingsError.from_problems("2 problems", [FIRST, SECOND])))
    assert str(FIRST) in text
    assert str(SECOND) in text


def test_a_severity_reads_like_its_word() -> None:
    assert [f"{severity}" for severity in Severity] == ["error", "warning"]


def test_every_public_name_is_imported_from_where_a_checker_finds_it() -> None:
    (checked,) = [node for node in ast.parse(inspect.getsource(pipelex_cogt)).body if isinstance(node, ast.If)]
    imports = [node for node in checked.body if isinstance(node, ast.ImportFrom)]
    homes = {f"{node.module}": tuple(alias.name for alias in node.names) for node in imports}
    assert homes == {f"pipelex_cogt.{module}": names for module, names in pipelex_cogt._HOMES.items()}
    assert sorted(name for names in homes.values() for name in names) == PUBLIC_NAMES


def test_the_package_lists_its_names_and_has_no_others() -> None:
    assert {*PUBLIC_NAMES} <= {*dir(pipelex_cogt)}
    with pytest.raises(AttributeError, match=r"^module 'pipelex_cogt' has no attribute 'ModelManger'$"):
        pipelex_cogt.ModelManger  # noqa: B018


def test_an_exception_is_imported_without_what_a_load_needs() -> None:
    program = "import sys; from pipelex_cogt import SettingsError; print({'dynaconf', 'pydantic'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"
