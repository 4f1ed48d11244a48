"""Tools: their names and descriptions, and the types of their arguments and results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, NotRequired, get_origin

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from typing_extensions import TypedDict, is_typeddict

from codegym_mcp.environment_definition.annotations import make_record
from codegym_mcp.environment_definition.type_checks import check_data
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.json_schema import inline_references


class Receipt(TypedDict):
    """The result of a submission."""

    received: bool


class RevealedReceipt(Receipt):
    """The result of a submission in an episode that was opened with `reveal`."""

    correct: NotRequired[bool]
    """Missing if the answer could not be judged."""
    reward: NotRequired[float]
    """From 0 to 1; missing if the answer could not be judged."""
    overlap: NotRequired[float]
    """From 0 to 1; missing if the answer is no collection."""


type_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
NO_DEFAULT: Any = object()


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    annotation: Any
    description: str = ""
    default: Any = NO_DEFAULT


@dataclass(frozen=True)
class Tool:
    """The declaration of a tool, without its implementation.

    Attributes:
        name: the name by which agents call it.
        title: the name for people.
        description: what the tool does, for the agent.
        parameters: in the order of the source.
        returns: the type of the result.
        read_only: whether the tool certainly changes nothing.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    returns: Any
    read_only: bool = False

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the arguments: an object without undeclared members; no `$ref`."""
        schema = plain_schema(self._arguments)
        for parameter in self.parameters:
            if parameter.default is not NO_DEFAULT:
                schema["properties"][parameter.name]["default"] = parameter.default
        schema.setdefault("properties", {})
        return schema

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the structured result: always an object; no `$ref`."""
        return plain_schema(self._structured)

    def validate_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Checks arguments against the declared types, without any conversion.

        Raises:
            InvalidArgumentsError: they are not valid; the message tells the agent where and why.
        """
        check_data(self._arguments, arguments, f"arguments for {self.name}", "parameter")

    def structure(self, result: Any) -> dict[str, Any]:
        """Returns a result as the object that MCP requires; other values become `{"result": …}`.

        Raises:
            InvalidArgumentsError: the result does not have the declared type.
        """
        structured: dict[str, Any] = result if self._returns_object else {"result": result}
        check_data(self._structured, structured, f"result of {self.name}", "field")
        return structured

    def unwrap(self, structured: Mapping[str, Any]) -> Any:
        """Returns the result that `structure` has put into an object."""
        return structured if self._returns_object else structured["result"]

    @cached_property
    def _returns_object(self) -> bool:
        return is_object(self.returns)

    @cached_property
    def _arguments(self) -> TypeAdapter[Any]:
        fields: dict[str, Any] = {}
        for parameter in self.parameters:
            kind: Any = Annotated[parameter.annotation, Field(description=parameter.description or None)]
            fields[parameter.name] = kind if parameter.default is NO_DEFAULT else NotRequired[kind]
        return TypeAdapter(with_config(type_config)(make_record(f"{self.name}_arguments", fields)))

    @cached_property
    def _structured(self) -> TypeAdapter[Any]:
        if is_typeddict(self.returns):
            return TypeAdapter(with_config(type_config)(self.returns))
        if self._returns_object:
            return TypeAdapter(self.returns, config=type_config)
        return TypeAdapter(
            with_config(type_config)(make_record(f"{self.name}_result", {"result": self.returns}))
        )


def reveal_verdict(submission: Tool) -> Tool:
    """Returns a submission whose result contains the verdict."""
    return replace(submission, returns=RevealedReceipt)


def is_object(annotation: Any) -> bool:
    """Checks whether values of a type are JSON objects."""
    return is_typeddict(annotation) or get_origin(annotation) is dict


def result_text(result: Any) -> str:
    """Returns a result as text for the agent: a string unchanged, everything else as JSON."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def tool_view(tool: Tool) -> ToolView:
    """Returns a tool as policies and agents see it."""
    return ToolView(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
    )


class _PlainSchema(GenerateJsonSchema):
    """JSON Schema without the titles that pydantic derives from names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        generated = super().typed_dict_schema(schema)
        generated.pop("title", None)
        return generated


def plain_schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """Returns the JSON Schema of a type, without derived titles and without references.

    Raises:
        SchemaTooLargeError: the schema is too large without references.
    """
    return inline_references(adapter.json_schema(schema_generator=_PlainSchema))
