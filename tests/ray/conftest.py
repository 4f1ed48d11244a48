"""A Ray cluster of three nodes on this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

NODES = 3
_ATTEMPTS = 5
"""How often a node is started: Ray gives one that is slow half a minute, which a busy machine may exceed."""


@pytest.fixture(scope="module")
def started_cluster() -> Iterator[Any]:
    """A cluster for all tests of a module: nodes start slowly."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PYTHONWARNINGS", "ignore")
        started = cluster_utils.Cluster()
        try:
            add_node(started, include_dashboard=False)
            yield started
        finally:
            started.shutdown()


@pytest.fixture
def cluster(started_cluster: Any) -> Any:
    """The cluster with one processor on each of three nodes. `add_node` and `remove_node` change it."""
    while len(started_cluster.list_all_nodes()) < NODES:
        add_node(started_cluster)
    return started_cluster


def add_node(cluster: Any, **options: Any) -> None:
    """Adds a node with one processor to a cluster; the first one is its head."""
    for attempt in range(_ATTEMPTS):
        try:
            cluster.add_node(num_cpus=1, **options)
        except Exception as error:
            # Ray has no class of its own for this.
            if "timed out during startup" not in str(error) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return
