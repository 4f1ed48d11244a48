"""Counts what is lost and changed when a trajectory is converted to a row."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from pydantic import BaseModel


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

    def add_fields(self, place: str, part: BaseModel, carried: Collection[str]) -> None:
        """Counts the fields of a part of a record that have a value and are not carried over.

        Args:
            place: the path of the part in the record, for example `steps.tool_calls`.
            carried: the names of the fields that the format holds.
        """
        for name in part.model_fields_set.difference(carried):
            value = getattr(part, name)
            if value is not None and value is not False:
                self.lost[f"{place}.{name}"] += 1
