"""A Gymnasium space of texts of any characters."""

import string
from typing import Any

from codegym_harness.trainers.missing_library import missing_class

try:
    from gymnasium.spaces import Text
except ImportError:
    Text = missing_class("Gymnasium", "pip install gymnasium")


class UnicodeText(Text):  # type: ignore[misc]
    """Texts of at most `max_length` characters. Samples have printable ASCII characters alone."""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=string.printable)

    def contains(self, x: Any) -> bool:
        """Checks whether a value is a text that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length
