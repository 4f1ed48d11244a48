"""The layers of the wall by name, and whether each stands."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """One independent measure of confinement."""

    USER_NAMESPACE = "user_namespace"
    NETWORK_NAMESPACE = "network_namespace"
    IPC_NAMESPACE = "ipc_namespace"
    UTS_NAMESPACE = "uts_namespace"
    MOUNT_NAMESPACE = "mount_namespace"
    PID_NAMESPACE = "pid_namespace"
    LANDLOCK = "landlock"
    UNPRIVILEGED = "unprivileged"
    NO_NEW_PRIVILEGES = "no_new_privileges"
    NOT_INSPECTABLE = "not_inspectable"
    ENVIRONMENT = "environment"
    DESCRIPTORS = "descriptors"
    RLIMITS = "rlimits"
    SECCOMP = "seccomp"
    DIE_WITH_PARENT = "die_with_parent"
    LOW_PRIORITY = "low_priority"
    OOM_FIRST = "oom_first"
    PIDFD = "pidfd"


PURPOSE: dict[Layer, str] = {
    Layer.USER_NAMESPACE: "no user of the system is known, so no right of one can be used",
    Layer.NETWORK_NAMESPACE: "no network, not even the loopback device",
    Layer.IPC_NAMESPACE: "no shared memory and no message queues of others",
    Layer.UTS_NAMESPACE: "the host's name is hidden",
    Layer.MOUNT_NAMESPACE: "the file system is empty and read-only",
    Layer.PID_NAMESPACE: "other processes are out of sight; all end with the zygote",
    Layer.LANDLOCK: "no file, no TCP; no signal or abstract socket outward on newer kernels",
    Layer.UNPRIVILEGED: "neither root nor any capability",
    Layer.NO_NEW_PRIVILEGES: "nothing executed gains rights",
    Layer.NOT_INSPECTABLE: "processes cannot read each other's memory or descriptors",
    Layer.ENVIRONMENT: "no environment variables",
    Layer.DESCRIPTORS: "no open file or socket but the process's own channel",
    Layer.RLIMITS: "bounded memory; no new processes, threads, descriptors or files",
    Layer.SECCOMP: "no system call but those of computing and of the channel; no new machine code",
    Layer.DIE_WITH_PARENT: "no process outlives the server",
    Layer.LOW_PRIORITY: "the server goes first when processors are short",
    Layer.OOM_FIRST: "environments go first when the machine's memory is short",
    Layer.PIDFD: "the server itself kills a process that is late, whatever state the zygote is in",
}
"""What each layer is for."""

ESSENTIAL = frozenset({Layer.SECCOMP, Layer.RLIMITS})
"""Without these nothing is served, unless the user insists."""


@dataclass(frozen=True)
class LayerState:
    """Whether a layer stands.

    Attributes:
        active: it was put in place, and the kernel accepted it.
        detail: why it is not active; of an active one, what more is to be said.
    """

    active: bool
    detail: str = ""


Layers = dict[Layer, LayerState]
Step = Callable[[], object]
"""Puts one layer in place; a text that it returns is the detail. Raises OSError or ValueError."""


def attempt(steps: Mapping[Layer, Step], disabled: Collection[Layer]) -> Layers:
    """Takes steps in order and notes what came of each; one that fails does not keep the next from it."""
    states: Layers = {}
    for layer, step in steps.items():
        if layer in disabled:
            states[layer] = LayerState(False, "switched off for a test")
            continue
        try:
            detail = step()
            states[layer] = LayerState(True, detail if isinstance(detail, str) else "")
        except OSError as error:
            states[layer] = LayerState(False, error.strerror or str(error))
        except ValueError as error:
            states[layer] = LayerState(False, str(error))
    return states
