"""Confines the zygote and its children before they run environment code: each step, in its order."""

import os
import signal
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress

from codegym_mcp.sandbox.confinement import kernel_namespaces, landlock, linux_functions
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers, LayerState, Step, attempt
from codegym_mcp.sandbox.confinement.seccomp_filter import Filter

if sys.platform != "win32":
    import resource

_NOBODY = 65534
_NICE = 10
_OOM_FIRST = "1000"
_RESOURCES_SET_TO_ZERO = ("NOFILE", "FSIZE", "CORE", "NPROC", "MEMLOCK")
"""Resource limits of a child that are 0. Descriptors that are open stay open."""


def ignore_group_signals() -> None:
    """Ignores the signals that terminals and service managers send to the group; the server handles them."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def mapped_bytes() -> int:
    """Returns the address space that this process uses, in bytes; 0 if the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


# --- the zygote


def confine_zygote(disabled: Collection[Layer]) -> Layers:
    """Puts the layers in place that children inherit. Afterwards no file can be opened.

    With a pid namespace, the caller continues as another process: the first one in the namespace.

    Args:
        disabled: layers to leave out; only tests do this.
    """
    states = attempt({Layer.OOM_FIRST: _oom_first}, disabled)
    states |= _enter_namespaces(disabled)
    parent_lives = kernel_namespaces.become_init() if states[Layer.PID_NAMESPACE].active else lambda: True
    steps: dict[Layer, Step] = {
        Layer.NOT_INSPECTABLE: linux_functions.forbid_inspection,
        Layer.NO_NEW_PRIVILEGES: linux_functions.forbid_new_privileges,
        Layer.LANDLOCK: landlock.restrict,
        Layer.ENVIRONMENT: os.environ.clear,
        Layer.UNPRIVILEGED: linux_functions.drop_capabilities,
    }
    root_dropped = states[Layer.UNPRIVILEGED]
    states |= attempt(steps, disabled)
    if not root_dropped.active:
        states[Layer.UNPRIVILEGED] = root_dropped
    # Last, because a change of user undoes it.
    states |= attempt({Layer.DIE_WITH_PARENT: linux_functions.die_with_parent}, disabled)
    if not parent_lives():
        os._exit(0)
    return states


def _enter_namespaces(disabled: Collection[Layer]) -> Layers:
    """Enters namespaces: root directly, then giving up root; the others after entering a user namespace."""
    states: Layers = {layer: LayerState(False) for layer in kernel_namespaces.STEPS}
    if os.geteuid() == 0:
        states |= attempt(kernel_namespaces.STEPS, disabled)
    states |= attempt({Layer.UNPRIVILEGED: _drop_root}, disabled)
    states |= attempt({Layer.USER_NAMESPACE: kernel_namespaces.enter_user}, disabled)
    missing = {layer: step for layer, step in kernel_namespaces.STEPS.items() if not states[layer].active}
    return states | attempt(missing, disabled)


def _drop_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _oom_first() -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write(_OOM_FIRST)


# --- its children


class ChildConfinement:
    """Confines a child; prepared once in the zygote, so that each child has little to do.

    Args:
        mapped: address space that the zygote uses, in bytes; the memory limit of a child is added to it.
    """

    def __init__(self, mapped: int) -> None:
        self._mapped = mapped
        self._filter: Filter | None = None
        with suppress(OSError):
            self._filter = Filter()

    def steps(self, memory: int, descriptor: int) -> Mapping[Layer, Step]:
        """Returns the steps in their order.

        Args:
            memory: address space that the child may use, in bytes.
            descriptor: the child's end of its channel, which stays open.
        """
        return {
            Layer.DIE_WITH_PARENT: linux_functions.die_with_parent,
            Layer.LOW_PRIORITY: _lower_priority,
            Layer.DESCRIPTORS: lambda: linux_functions.close_descriptors(3, keep=descriptor),
            Layer.RLIMITS: lambda: self._limit(memory),
            Layer.SECCOMP: self._install_filter,
        }

    def _limit(self, memory: int) -> None:
        _lower(resource.RLIMIT_AS, self._mapped + memory)
        for name in _RESOURCES_SET_TO_ZERO:
            _lower(getattr(resource, f"RLIMIT_{name}"), 0)

    def _install_filter(self) -> None:
        # If none could be prepared, building it again raises the reason.
        (self._filter or Filter()).install()


def _lower_priority() -> None:
    os.nice(_NICE)
    # In particular, waking a child must not interrupt the server.
    with suppress(OSError):
        linux_functions.use_batch_scheduling()


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def seccomp_refuses() -> bool:
    """Checks that the seccomp filter refuses a harmless system call that is not on its list."""
    try:
        os.umask(0o077)
    except OSError:
        return True
    return False
