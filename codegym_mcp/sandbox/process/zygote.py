"""The process from which every confined process is forked.

It is started by exec, so that it has never seen anything of the server's, imports all that environments
may use, gives up what it can, and then forks one child for each socket it is handed. Children inherit
nothing else.

Control protocol: frames of JSON on a socket. The zygote first sends its layers. The server then sends
`{"fork": memory in bytes}` with one descriptor, the child's end of a channel, and is answered in order with
`{"pid": number}` and a pidfd, or with `{"error": reason}`. Where the system has no pidfd, nothing comes with
the answer, and the server sends `{"kill": number}` instead of killing the process itself.
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
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from codegym_mcp.sandbox.confinement import confine_process, linux_calls
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers, LayerState, attempt
from codegym_mcp.sandbox.language.allowed_modules import import_allowed
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.process.frames import FrameChannel, FrameReader, pack
from codegym_mcp.sandbox.process.role_execution import serve

_REAP_SECONDS = 1.0
_PROBE_MEMORY = 64 << 20


def main() -> None:
    """Serves the descriptor named on the command line until it is closed.

    Further arguments name layers to leave out.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    # Whoever started this may have passed on more than was meant for it.
    linux_calls.close_descriptors(3, keep=control.fileno())
    disabled = frozenset(Layer(name) for name in sys.argv[2:])
    confine_process.quieten_signals()
    import_allowed()
    random.seed(0)
    # Each child finds its namespace ready, and has it to itself: what it changes, only it sees.
    namespace = make_namespace()
    child = confine_process.ChildConfinement(confine_process.mapped_bytes())
    layers = confine_process.confine_zygote(disabled)
    layers |= attempt({Layer.PIDFD: _try_pidfd}, disabled)
    gc.collect()
    gc.freeze()
    layers |= _probe(child, disabled)
    # Errors of the start went to whoever started this; children inherit /dev/null.
    os.dup2(0, 2)
    Zygote(control, child, layers, namespace).run()


def _try_pidfd() -> None:
    if not hasattr(os, "pidfd_open"):
        raise OSError(0, "this system has no pidfd")
    os.close(os.pidfd_open(os.getpid()))


def _probe(child: confine_process.ChildConfinement, disabled: Collection[Layer]) -> Layers:
    """Confines one child for a trial, to learn which of a child's layers stand on this system."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        steps = child.steps(_PROBE_MEMORY, theirs.fileno())
        pid = os.fork()
        if pid == 0:
            try:
                states = attempt(steps, disabled)
                if states[Layer.SECCOMP].active and not confine_process.filter_holds():
                    states[Layer.SECCOMP] = LayerState(False, "the filter was accepted but refuses nothing")
                FrameChannel(theirs).send_message({layer: asdict(state) for layer, state in states.items()})
            finally:
                os._exit(0)
        theirs.close()
        try:
            told = FrameChannel(ours).receive_message()
        except EOFError:
            died = LayerState(False, "a child that tried its layers died of it")
            return dict.fromkeys(steps, died)
        finally:
            os.waitpid(pid, 0)
    return {Layer(name): LayerState(**state) for name, state in told.items()}


class Zygote:
    """Forks children on request.

    Args:
        control: the socket to the server.
        child: what each child gives up.
        layers: those that stand; a child in which one of them does not stand ends at once.
        namespace: in which children run code.
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
        """Serves until the server closes its end; then kills what is left of the children."""
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
                self._obey(json.loads(body))
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids:
            os.waitpid(pid, 0)

    def _obey(self, request: dict[str, int]) -> None:
        if "kill" in request:
            # A pid that is not reaped yet is still that child's, so that nobody else is hit.
            if request["kill"] in self._pids:
                os.kill(request["kill"], signal.SIGKILL)
            return
        if not self._descriptors:
            # It was sent, but there was no room left for it here.
            self._control.sendall(_message({"error": os.strerror(errno.EMFILE)}))
            return
        descriptor = self._descriptors.popleft()
        try:
            pid = os.fork()
            if pid == 0:
                self._become_child(request["fork"], descriptor)
            self._pids.add(pid)
            self._announce(pid)
        except OSError as error:
            self._control.sendall(_message({"error": error.strerror or str(error)}))
        finally:
            os.close(descriptor)

    def _announce(self, pid: int) -> None:
        answer = _message({"pid": pid})
        if not self._layers[Layer.PIDFD].active:
            self._control.sendall(answer)
            return
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            raise
        try:
            socket.send_fds(self._control, [answer], [pidfd])
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
            # Never unwinds into the zygote's own loop, whatever happened above.
            os._exit(0)

    def _reap(self) -> None:
        """Takes the exit codes of children that ended; until here their pids stay theirs."""
        with suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._pids.discard(pid)


def _message(content: Any) -> bytes:
    return pack(json.dumps(content).encode())


if __name__ == "__main__":
    main()
