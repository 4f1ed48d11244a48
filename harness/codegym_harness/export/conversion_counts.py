"""Counts what is lost and changed when a trajectory is converted to a row."""

from collections import Counter
from dataclasses import dataclass, field


class UnfitError(Exception):
    """A trajectory cannot be a row of a format. The message is the reason, equal for equal reasons."""


@dataclass(slots=True)
class LossCounts:
    """The numbers of losses and changes.

    Attributes:
        lost: by the path in the record, for example `steps.metrics`.
        changed: by the kind of the change.
    """

    lost: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def add(self, other: "LossCounts") -> None:
        """Adds the numbers of another count."""
        self.lost.update(other.lost)
        self.changed.update(other.changed)
