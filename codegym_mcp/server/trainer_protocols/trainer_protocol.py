"""The protocols of trainers that the server can speak besides MCP and the control plane."""

from enum import StrEnum


class TrainerProtocol(StrEnum):
    """A protocol by which a trainer opens episodes and reads rewards."""

    NEMO_GYM = "nemo-gym"
    """NeMo Gym's resources server; NeMo RL and verifiers speak it too."""
    ORS = "ors"
    """The Open Reward Standard, spoken by openreward and by TRL's `OpenRewardSpec`."""


def parse_protocols(text: str) -> frozenset[TrainerProtocol]:
    """Reads names of protocols that are separated by commas.

    Raises:
        ValueError: a name is unknown; the error names those that exist.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in {*TrainerProtocol}]
    if unknown or not names:
        known = ", ".join(TrainerProtocol)
        raise ValueError(f"{(unknown or [text])[0]!r} is not a protocol of trainers; known: {known}.")
    return frozenset(map(TrainerProtocol, names))
