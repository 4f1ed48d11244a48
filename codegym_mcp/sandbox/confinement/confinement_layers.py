"""The layers of confinement, what each is for, and whether each is active."""

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
    Layer.USER_NAMESPACE: "no user of the system exists, so no user's rights can be used",
    Layer.NETWORK_NAMESPACE: "no network, not even the loopback device",
    Layer.IPC_NAMESPACE: "no shared memory or message queues of other processes",
    Layer.UTS_NAMESPACE: "the host's name is hidden",
    Layer.MOUNT_NAMESPACE: "the file system is empty and read-only",
    Layer.PID_NAMESPACE: "other processes are invisible; all processes end with the zygote",
    Layer.LANDLOCK: "no files, no TCP; on newer kernels no signals or abstract sockets to other processes",
    Layer.UNPRIVILEGED: "neither root nor any capability",
    Layer.NO_NEW_PRIVILEGES: "no program that is executed gains rights",
    Layer.NOT_INSPECTABLE: "processes cannot read each other's memory or descriptors",
    Layer.ENVIRONMENT: "no environment variables",
    Layer.DESCRIPTORS: "no open file or socket except the process's own channel",
    Layer.RLIMITS: "bounded memory; no new processes, threads, descriptors or files",
    Layer.SECCOMP: "only system calls for computing and the channel, by argument; no new machine code",
    Layer.DIE_WITH_PARENT: "no process outlives the server",
    Layer.LOW_PRIORITY: "the server has priority when processors are busy",
    Layer.OOM_FIRST: "the kernel ends environments first when memory runs out",
    Layer.PIDFD: "the server itself ends a process whose time is over, whatever the state of the zygote",
}
"""The purpose of each layer."""

ESSENTIAL = frozenset({Layer.SECCOMP, Layer.RLIMITS})
"""Layers without which only bundled environments run, unless --allow-unconfined is given."""


@dataclass(frozen=True)
class LayerState:
    """Whether a layer is active.

    Attributes:
        active: it was put in place, and the kernel accepted it.
        detail: the reason why it is not active; details of an active layer.
    """

    active: bool
    detail: str = ""


Layers = dict[Layer, LayerState]
Step = Callable[[], object]
"""Puts one layer in place. A text that it returns is the detail. Raises OSError or ValueError."""


def attempt(steps: Mapping[Layer, Step], disabled: Collection[Layer]) -> Layers:
    """Takes steps in order and returns the state of each layer; a failed step does not stop the others."""
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
