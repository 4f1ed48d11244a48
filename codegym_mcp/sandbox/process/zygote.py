"""The process from which every confined process is forked.

It is started by exec, so that its memory contains nothing of the server's. It imports every module that
environments may use, confines itself, and then forks one child for each socket that it receives. Children
inherit nothing else.

Control protocol: frames of JSON on a socket. The zygote first sends the state of its layers. The server then
sends `{"fork": memory in bytes}` with one descriptor, the child's end of a channel, and receives, in order,
`{"pid": number}` with a pidfd, or `{"error": reason}`. If the system has no pidfds, the response comes
without one, and the server sends `{"kill": pid}` instead of killing the process itself.
"""

import errno
import gc
import json
import os
import random
import select
import signal
import socket
import sys
import warnings
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from codegym_mcp.sandbox.confinement import confine_process, linux_functions
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers, LayerState, attempt
from codegym_mcp.sandbox.language.allowed_modules import import_allowed
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.process.confined_process_main import serve
from codegym_mcp.sandbox.process.message_frames import FrameChannel, FrameReader, pack

_REAP_SECONDS = 1.0
_PROBE_MEMORY = 64 << 20
_PROBES = 3
"""Children that are forked before a layer is taken for the cause of their end."""


def main() -> None:
    """Serves the control socket whose descriptor is the first argument, until the server closes it.

    Further arguments name layers to leave out.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    # The server's process may have inheritable descriptors that are not meant for the zygote.
    linux_functions.close_descriptors(3, keep=control.fileno())
    disabled = frozenset(Layer(name) for name in sys.argv[2:])
    confine_process.ignore_group_signals()
    import_allowed()
    # Showing a warning would import modules.
    warnings.simplefilter("ignore")
    random.seed(0)
    # Each child finds its namespace ready; what a child changes in it, only that child sees.
    namespace = make_namespace()
    child = confine_process.ChildConfinement(confine_process.mapped_bytes())
    layers = confine_process.confine_zygote(disabled)
    layers |= attempt({Layer.PIDFD: _try_pidfd}, disabled)
    gc.collect()
    gc.freeze()
    layers |= _probe(child, disabled)
    # Until here, errors went to the server through stderr; children inherit /dev/null.
    os.dup2(0, 2)
    Zygote(control, child, layers, namespace).run()


def _try_pidfd() -> None:
    if not hasattr(os, "pidfd_open"):
        raise OSError(0, "this system has no pidfd")
    os.close(os.pidfd_open(os.getpid()))


def _probe(child: confine_process.ChildConfinement, disabled: Collection[Layer]) -> Layers:
    """Forks and confines a child, to find out which of a child's layers this system supports.

    A layer that kills the child does so every time. A child that was killed otherwise, as when memory
    ran out, is forked again.
    """
    for _ in range(_PROBES):
        layers = _probe_once(child, disabled)
        if layers is not None:
            return layers
    failed = LayerState(False, "the process that tried this layer was killed")
    return dict.fromkeys(child.steps(_PROBE_MEMORY, -1), failed)


def _probe_once(child: confine_process.ChildConfinement, disabled: Collection[Layer]) -> Layers | None:
    """Returns None if the child ended without an answer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        steps = child.steps(_PROBE_MEMORY, theirs.fileno())
        pid = os.fork()
        if pid == 0:
            try:
                states = attempt(steps, disabled)
                if states[Layer.SECCOMP].active and not confine_process.seccomp_refuses():
                    states[Layer.SECCOMP] = LayerState(False, "the filter was accepted but refuses nothing")
                FrameChannel(theirs).send_message({layer: asdict(state) for layer, state in states.items()})
            finally:
                os._exit(0)
        theirs.close()
        try:
            states_by_name = FrameChannel(ours).receive_message()
        except EOFError:
            return None
        finally:
            os.waitpid(pid, 0)
    return {Layer(name): LayerState(**state) for name, state in states_by_name.items()}


class Zygote:
    """Forks children on request.

    Args:
        control: the socket to the server.
        child: confines each child.
        layers: the active ones; a child in which one of them fails ends at once.
        namespace: the globals in which children run code.
    """

    def __init__(
        self,
        control: socket.socket,
        child: confine_process.ChildConfinement,
        layers: Layers,
        namespace: dict[str, Any],
    ) -> None:
        self._control = control
        self._child = child
        self._layers = layers
        self._namespace = namespace
        self._pids: set[int] = set()
        self._descriptors: deque[int] = deque()

    def run(self) -> None:
        """Handles requests until the server closes its end; then kills the remaining children."""
        self._control.sendall(_message({layer: asdict(state) for layer, state in self._layers.items()}))
        reader = FrameReader()
        while True:
            while not select.select([self._control], [], [], _REAP_SECONDS)[0]:
                self._reap()
            self._reap()
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
            if not data:
                break
            self._descriptors.extend(descriptors)
            for body in reader.feed(data):
                self._handle(json.loads(body))
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids:
            os.waitpid(pid, 0)

    def _handle(self, request: dict[str, int]) -> None:
        if "kill" in request:
            # The pid of a child that is not reaped yet belongs to no other process.
            if request["kill"] in self._pids:
                os.kill(request["kill"], signal.SIGKILL)
            return
        if not self._descriptors:
            # The kernel dropped the descriptor because this process has too many open files.
            self._control.sendall(_message({"error": os.strerror(errno.EMFILE)}))
            return
        descriptor = self._descriptors.popleft()
        try:
            pid = os.fork()
            if pid == 0:
                self._become_child(request["fork"], descriptor)
            self._pids.add(pid)
            self._respond(pid)
        except OSError as error:
            self._control.sendall(_message({"error": error.strerror or str(error)}))
        finally:
            os.close(descriptor)

    def _respond(self, pid: int) -> None:
        response = _message({"pid": pid})
        if not self._layers[Layer.PIDFD].active:
            self._control.sendall(response)
            return
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            raise
        try:
            socket.send_fds(self._control, [response], [pidfd])
        finally:
            os.close(pidfd)

    def _become_child(self, memory: int, descriptor: int) -> None:
        try:
            connection = socket.socket(fileno=descriptor)
            for layer, step in self._child.steps(memory, descriptor).items():
                if self._layers[layer].active:
                    step()
            serve(FrameChannel(connection), self._namespace)
        finally:
            # A child never returns into the zygote's own loop, whatever was raised above.
            os._exit(0)

    def _reap(self) -> None:
        """Reaps children that have ended; until then, their pids are not used again."""
        with suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._pids.discard(pid)


def _message(content: Any) -> bytes:
    return pack(json.dumps(content).encode())


if __name__ == "__main__":
    main()
