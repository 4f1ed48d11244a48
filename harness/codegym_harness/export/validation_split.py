"""Splits environments into a training set and a validation set."""

from collections.abc import Collection
from hashlib import blake2b

from codegym_mcp.errors import CodegymError

DEFAULT_SHARE = 0.1


def validation_environments(names: Collection[str], share: float = DEFAULT_SHARE) -> frozenset[str]:
    """Returns the environments whose trajectories are for validation.

    The name alone decides, so that an environment stays in its set when others are added: the digest of the
    name, as a number from 0 to 1, is below the share. Each set has at least one environment.

    Args:
        names: the names of all environments.
        share: the share of environments for validation, between 0 and 1.

    Raises:
        CodegymError: there are fewer than two environments.
    """
    if len(names) < 2:
        raise CodegymError(
            f"Nothing can be split by environment: there is only {', '.join(names) or 'nothing'}.",
            hint="Export more environments, or leave --split out.",
        )
    first, *others = sorted(names, key=_place)
    return frozenset([first, *(name for name in others[:-1] if _place(name) < share)])


def _place(name: str) -> float:
    """Returns the digest of a name as a number from 0 to 1."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
