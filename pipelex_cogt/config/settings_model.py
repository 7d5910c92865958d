"""The base of every model that a table of the settings becomes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from pipelex_cogt.visible import visible

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

GIVEN = "given"
"""Marks, in `Annotated`, a field that no table states: a name that is the table's key, what a builder finds out."""
REFERENCES = "references"
"""Marks, in `Annotated`, a field whose value may hold references."""


def none_if_empty(value: Any) -> Any:
    """None for an empty text, with which an upper layer takes away what a lower one states; else the value."""
    return None if value == "" else value


class SettingsModel(BaseModel):
    """A table of the settings, checked: strict types, no unknown keys, and nothing to change afterwards."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    is_named: ClassVar[bool] = False
    """Whether people choose the name of its table, such as a model's: a dot in it needs quotes."""

    def __repr__(self) -> str:
        return visible(super().__repr__())

    def __str__(self) -> str:
        return visible(super().__str__())

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler, /) -> dict[str, Any]:
        """The JSON Schema, each field described by the docstring below it in the source.

        Pydantic would read the source of every model at import to do the same; here only who asks for a schema pays.
        """
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        # What a table is made of describes its fields too; its own words win.
        models = [model for model in reversed(cls.__mro__) if issubclass(model, SettingsModel)]
        for name, text in dict(chain.from_iterable(map(_field_docstrings, models[1:]))).items():
            for key in {name, cls.model_fields[name].alias} & properties.keys():
                properties[key].setdefault("description", text)
        return schema


def _field_docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Every field with the docstring that follows it in the source."""
    # Imported here, for most processes ask for no schema.
    import ast
    import inspect
    from textwrap import dedent

    (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    for field, comment in pairwise(ast.iter_child_nodes(definition)):
        match field, comment:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
