"""Takes the place of a class of a library that is not installed."""

from typing import Any

from codegym_mcp.errors import MissingExtraError


def missing_class(library: str, command: str) -> type[Any]:
    """Returns a base class in place of one of a library, so that a module can be imported without it.

    Args:
        library: the name of the library.
        command: the command that installs it.

    Returns:
        A class of which no instance can be created: that raises `MissingExtraError`.
    """

    class Missing:
        def __new__(cls, *_: object, **__: object) -> Any:
            raise MissingExtraError(f"{cls.__name__} of {library}", command)

    return Missing
