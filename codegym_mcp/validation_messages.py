"""Puts pydantic's validation errors into messages for people."""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class ValidationFault:
    """One fault that validation found.

    Attributes:
        place: the path to the faulty value.
        kind: pydantic's type of the error, for example "missing".
        message: what is wrong there.
    """

    place: tuple[int | str, ...]
    kind: str
    message: str

    @property
    def path(self) -> str:
        """The place as text, for example "tasks.0.id"; empty for the whole value."""
        return ".".join(map(str, self.place))

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.place else self.message


def first_fault(error: ValidationError) -> ValidationFault:
    """Returns the first fault of a validation error."""
    detail = error.errors(include_url=False, include_context=False)[0]
    return ValidationFault(detail["loc"], detail["type"], fault_message(detail))


def fault_message(detail: ErrorDetails) -> str:
    """Returns the message of one fault, without the prefix that pydantic adds to a validator's message."""
    return detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
