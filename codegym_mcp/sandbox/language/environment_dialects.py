"""The two forms in which an environment can be written."""

from enum import StrEnum


class Dialect(StrEnum):
    """The form of an environment's source; every difference between the forms is looked up by it."""

    NATIVE = "native"
    """The contract of docs/environments.md: a class `Environment` and functions beside it."""
    CODEGYM = "codegym"
    """A class in the CodeGym format (arXiv 2509.17325)."""
