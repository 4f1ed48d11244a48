"""Training and validation sets that share no environment."""

from collections.abc import Collection
from hashlib import blake2b

from codegym_mcp.errors import CodegymError

DEFAULT_SHARE = 0.1


def validation_environments(names: Collection[str], share: float = DEFAULT_SHARE) -> frozenset[str]:
    """The environments whose trajectories are for validation.

    A name alone decides, so that an environment stays on its side when others come: its digest, as a number
    from 0 to 1, is below the share. At least one environment is on each side.

    Args:
        names: of all environments.
        share: of the environments, between 0 and 1.

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
    """Where a name stands between 0 and 1."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
