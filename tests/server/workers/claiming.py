"""A worker that claims as many episodes as it can: `python -m tests.server.workers.claiming TABLE WORKER`."""

import sys

from codegym_mcp.errors import LimitError
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable, WorkerOpenEpisodes


def claim_all(descriptor: int, worker: int) -> int:
    """Returns the number of episodes that were claimed."""
    episodes = WorkerOpenEpisodes(OpenEpisodeTable(descriptor, 4, 500), worker)
    claimed = 0
    while True:
        try:
            episodes.claim()
        except LimitError:
            return claimed
        claimed += 1


if __name__ == "__main__":
    print(claim_all(int(sys.argv[1]), int(sys.argv[2])))
