"""Observes the progress of a run."""

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.models.model_messages import RequestRetried


class Observer:
    """Receives the events of a run. The methods of this class do nothing; override those that are needed."""

    def notice(self, message: str) -> None:
        """Receives a message for the user who started the run."""

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        """Is called before the first episode.

        Args:
            directory: holds the results of earlier episodes if the run is resumed.
            episodes: the number of episodes of the run, including earlier ones.
        """

    def episode_begins(self, assignment: Assignment) -> None:
        """Is called before an episode is opened."""

    def episode_ends(self, trajectory: Trajectory, result: EpisodeResult) -> None:
        """Is called after a trajectory is written."""

    def request_retried(self, event: RequestRetried) -> None:
        """Is called when a request to a model has failed and will be sent again."""
