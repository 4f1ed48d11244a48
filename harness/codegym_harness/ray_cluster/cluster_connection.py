"""Connects to a Ray cluster and starts workers on its nodes."""

import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout
from typing import Any

from codegym_mcp.errors import CodegymError, ConnectionFailedError, MissingExtraError

RUNNING = "auto"
"""The address of the cluster that this machine belongs to."""
LOCAL = "local"
"""The address of a cluster that is started on this machine, and ends with the connection."""
_CONNECT_SECONDS = 10.0


@asynccontextmanager
async def connect_to_cluster(address: str) -> AsyncIterator[None]:
    """Connects this process to a cluster until the block is left.

    A connection that this process has already is used, and stays open.

    Args:
        address: `HOST:PORT` of the head node, `RUNNING` or `LOCAL`. This machine must be one of the cluster's
            nodes.

    Raises:
        MissingExtraError: Ray is not installed.
        ConnectionFailedError: there is no cluster, or it has another version of Ray or of Python.
    """
    ray = _import_ray()
    if ray.is_initialized():
        yield
        return
    if "://" in address:
        raise CodegymError(
            f"{address} is an address of the Ray client, which cannot hold the workers of a run.",
            hint="Run the command on a node of the cluster, with --ray or --ray HOST:PORT.",
        )
    if address not in (RUNNING, LOCAL):
        _check_reachable(address)
    try:
        ray.init(
            address=address,
            namespace="codegym-mcp",
            log_to_driver=False,
            configure_logging=False,
            logging_level=logging.ERROR,
            include_dashboard=False if address == LOCAL else None,
        )
    except ConnectionError:
        raise _no_cluster("on this machine" if address == RUNNING else f"at {address}") from None
    except (RuntimeError, ValueError) as error:
        raise ConnectionFailedError(
            f"The Ray cluster at {address} cannot be used: {_first_line(error)}",
            hint="This process needs the same versions of Ray and Python as the cluster's nodes.",
        ) from None
    # Ray prints what happened to nodes to stdout, where a program expects the result of the command. It also
    # does so while it shuts down.
    with redirect_stdout(sys.stderr):
        try:
            yield
        finally:
            ray.shutdown()


def processor_count() -> int:
    """Returns the number of processors that the nodes of the cluster offer. At least 1."""
    resources: dict[str, float] = _import_ray().cluster_resources()
    return max(1, int(resources.get("CPU", 0)))


def _check_reachable(address: str) -> None:
    """Checks that something listens at an address. Ray itself would try for minutes.

    Raises:
        CodegymError: this is not the address of a head node.
        ConnectionFailedError: nothing listens there.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise CodegymError(
            f"{address!r} is not the address of a Ray cluster.",
            hint="Write --ray HOST:PORT with the port of the head node, which is 6379 by default.",
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError):
        raise _no_cluster(f"at {address}") from None


def _no_cluster(where: str) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"There is no Ray cluster {where}.",
        hint="Start one with `ray start --head`, name its address (--ray HOST:PORT), or use --ray local.",
    )


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("A Ray cluster", "pip install 'codegym-mcp[ray]'") from None
    return ray


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:4]) or type(error).__name__
