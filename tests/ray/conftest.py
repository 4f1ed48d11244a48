"""A Ray cluster of three nodes on this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

NODES = 3


@pytest.fixture(scope="module")
def started_cluster() -> Iterator[Any]:
    """A cluster for all tests of a module: nodes start slowly."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PYTHONWARNINGS", "ignore")
        started = cluster_utils.Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        try:
            yield started
        finally:
            started.shutdown()


@pytest.fixture
def cluster(started_cluster: Any) -> Any:
    """The cluster with one processor on each of three nodes. `add_node` and `remove_node` change it."""
    while len(started_cluster.list_all_nodes()) < NODES:
        started_cluster.add_node(num_cpus=1)
    return started_cluster
