"""Splits environments, or the tasks of environments, into a training set and a validation set."""

from collections.abc import Collection
from enum import StrEnum
from hashlib import blake2b

from codegym_harness.records.episode_result import EpisodeResult
from codegym_mcp.errors import CodegymError

DEFAULT_SHARE = 0.1


class SplitBy(StrEnum):
    """What the training set and the validation set do not share."""

    ENVIRONMENT = "environment"
    TASK = "task"

    def name_of(self, result: EpisodeResult) -> str:
        """Returns the name of the part to which an episode belongs; a part is never divided."""
        return result.environment if self is SplitBy.ENVIRONMENT else f"{result.environment}/{result.task}"


def validation_names(
    names: Collection[str], share: float = DEFAULT_SHARE, by: SplitBy = SplitBy.ENVIRONMENT
) -> frozenset[str]:
    """Returns the names of the environments or tasks whose trajectories are for validation.

    The name alone decides, so that a part stays in its set when others are added: the digest of the name, as
    a number from 0 to 1, is below the share. Each set has at least one name.

    Args:
        names: the names of all parts; see `SplitBy.name_of`.
        share: the share of the parts that is for validation, between 0 and 1.
        by: what the names are of.

    Raises:
        CodegymError: there are fewer than two names.
    """
    if len(names) < 2:
        raise CodegymError(
            f"Nothing can be split by {by}: there is only {', '.join(names) or 'nothing'}.",
            hint=f"Export more {by}s, or do not split.",
        )
    first, *others = sorted(names, key=_place)
    return frozenset([first, *(name for name in others[:-1] if _place(name) < share)])


def _place(name: str) -> float:
    """Returns the digest of a name as a number from 0 to 1."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
