"""What a tool is: its name, its words, and the types that its arguments and its result must have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, NotRequired, get_origin

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, from_json
from typing_extensions import TypedDict, is_typeddict

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import InvalidArgumentsError
from codegym_mcp.spec.annotations import make_record
from codegym_mcp.spec.json_types import encode_json


class Receipt(TypedDict):
    """The result of a submission."""

    received: bool


class RevealedReceipt(Receipt):
    """The result of a submission in an episode that was opened with `reveal`."""

    correct: NotRequired[bool]
    """Missing if the answer could not be judged."""
    reward: NotRequired[float]
    """From 0 to 1; missing if the answer could not be judged."""


type_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
NO_DEFAULT: Any = object()
_MESSAGES_SHOWN = 5
_WANTED = "Input should be "


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    annotation: Any
    description: str = ""
    default: Any = NO_DEFAULT


@dataclass(frozen=True)
class Tool:
    """A tool as it is declared; nothing in it can act.

    Attributes:
        name: what the agent calls it by.
        title: the same for people.
        description: what it does, for the agent.
        parameters: in the order of the source.
        returns: the type of the result.
        read_only: True only where the source plainly changes nothing.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    returns: Any
    read_only: bool = False

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the arguments: an object that takes nothing undeclared."""
        schema = json_schema(self._arguments)
        for parameter in self.parameters:
            if parameter.default is not NO_DEFAULT:
                schema["properties"][parameter.name]["default"] = parameter.default
        schema.setdefault("properties", {})
        return schema

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the structured result, which is always an object."""
        return json_schema(self._structured)

    def validate_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Checks arguments against the declared types, without any coercion.

        Raises:
            InvalidArgumentsError: they do not fit; the message tells the agent where and why.
        """
        _check(self._arguments, arguments, f"arguments for {self.name}", "parameter")

    def structure(self, result: Any) -> dict[str, Any]:
        """Gives a result the object form that MCP asks for; what is no object becomes `{"result": …}`.

        Raises:
            InvalidArgumentsError: the result does not fit the declared type.
        """
        structured: dict[str, Any] = result if is_object(self.returns) else {"result": result}
        _check(self._structured, structured, f"result of {self.name}", "field")
        return structured

    def unwrap(self, structured: Mapping[str, Any]) -> Any:
        """The inverse of `structure`."""
        return structured if is_object(self.returns) else structured["result"]

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
        if is_object(self.returns):
            return TypeAdapter(self.returns, config=type_config)
        return TypeAdapter(
            with_config(type_config)(make_record(f"{self.name}_result", {"result": self.returns}))
        )


def reveal_verdict(submission: Tool) -> Tool:
    """Returns a submission whose result contains the verdict."""
    return replace(submission, returns=RevealedReceipt)


def is_object(annotation: Any) -> bool:
    """Whether values of this type are JSON objects already."""
    return is_typeddict(annotation) or get_origin(annotation) is dict


def result_text(result: Any) -> str:
    """A result as the text that the agent reads: strings as they are, everything else as JSON."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def tool_view(tool: Tool) -> ToolView:
    """A tool as whoever plays sees it."""
    return ToolView(
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
    )


class _PlainSchema(GenerateJsonSchema):
    """JSON Schema without the titles that pydantic derives from names: they tell a model nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        generated = super().typed_dict_schema(schema)
        generated.pop("title", None)
        return generated


def json_schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of a type, without derived titles."""
    return adapter.json_schema(schema_generator=_PlainSchema)


def _check(adapter: TypeAdapter[Any], data: Any, what: str, member: str) -> None:
    try:
        adapter.validate_json(encode_json(data))
    except ValidationError as error:
        raise InvalidArgumentsError(f"Invalid {what}: {_explain(error, data, member)}.") from None
    except ValueError as error:
        raise InvalidArgumentsError(f"Invalid {what}: this is not JSON data: {error}.") from None


def _explain(error: ValidationError, data: Any, member: str) -> str:
    """What is wrong with the data, place by place; a union says all that it would take in one sentence."""
    faults: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        faults.setdefault(_place(detail, data), []).append(detail)
    sentences = [_explain_place(place, details, member) for place, details in faults.items()]
    more = [f"and {len(sentences) - _MESSAGES_SHOWN} more"] if len(sentences) > _MESSAGES_SHOWN else []
    return "; ".join(sentences[:_MESSAGES_SHOWN] + more)


def _place(detail: ErrorDetails, data: Any) -> tuple[str, ...]:
    """The path to what is wrong, without the branches of unions that pydantic puts into it."""
    path = []
    for part in detail["loc"]:
        inside: Any = dict(enumerate(data)) if isinstance(data, list | tuple) else data
        if isinstance(inside, dict) and part in inside:
            data = inside[part]
            path.append(str(part))
    if detail["type"] == "missing":
        path.append(str(detail["loc"][-1]))
    return tuple(path)


def _explain_place(place: tuple[str, ...], details: list[ErrorDetails], member: str) -> str:
    where = ".".join(place) or "it"
    match details[0]["type"]:
        case "missing":
            return f"{where} is required"
        case "extra_forbidden":
            return f"{where} is not a {member if len(place) == 1 else 'field'}"
        case "json_invalid":
            return details[0]["msg"]
    wanted = [detail["msg"].removeprefix(_WANTED) for detail in details if detail["msg"].startswith(_WANTED)]
    if not wanted:
        return f"{where}: {details[0]['msg']}"
    value = details[0]["input"]
    return f"{where} should be {' or '.join(wanted)}, not {_shorten(value)}{_encoding_hint(wanted, value)}"


def _encoding_hint(wanted: list[str], value: Any) -> str:
    """Returns how to send a value that was sent as text instead of its own type, or the other way round."""
    wants_text = any("string" in each for each in wanted)
    if wants_text and isinstance(value, int | float):
        return f" (send it as a text, in quotes: {_shorten(_shorten(value))})"
    if wants_text or not isinstance(value, str):
        return ""
    try:
        inner = from_json(value, allow_inf_nan=False)
    except ValueError:
        return ""
    return "" if isinstance(inner, str) else f" (send the value itself, without quotes: {_shorten(inner)})"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
