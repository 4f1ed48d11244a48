"""What is lost and changed on the way from a record to a row."""

from collections import Counter
from dataclasses import dataclass, field


class UnfitError(Exception):
    """A trajectory cannot be a row of a format. The message says why, the same for all of its kind."""


@dataclass(slots=True)
class LossCounts:
    """How often something was lost or changed.

    Attributes:
        lost: by its place in the record, as `steps.metrics`.
        changed: by what was done.
    """

    lost: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def add(self, other: "LossCounts") -> None:
        """Adds the counts of another."""
        self.lost.update(other.lost)
        self.changed.update(other.changed)
