"""Plays an episode by calls that a model or a program wrote as text, under the rules of evaluations.

A call that cannot be read is answered with the reason and counts as one of the calls that the episode allows.
Calls after the end are not executed.
"""

from codegym_harness.trainers.trainer_episodes import reward_of
from codegym_mcp.errors import ClosedError
from codegym_mcp.models.model_messages import ModelToolCall
from codegym_mcp.runtime.blocking_episode import Episode

_MALFORMED = "This call cannot be read and was not executed: {problem}. Call the tool again."
_OUT_OF_CALLS = "This call was not executed: all {calls} calls are used up, and the episode is over."
_OVER = "This call was not executed: the episode is over."


class TextPlay:
    """One episode and how far it is.

    Attributes:
        episode: the episode.
        over: whether the episode has ended.
        reward: the reward, 0.0 until the episode has ended.
    """

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.over = False
        self.reward = 0.0
        self._malformed = 0

    @property
    def calls(self) -> int:
        """Number of calls made, malformed ones included."""
        return self.episode.calls + self._malformed

    def make(self, call: ModelToolCall) -> str:
        """Makes a call and returns the text of its result.

        Raises:
            UnscoredError: the call ended the episode without a score.
            CodegymError: the episode was lost.
        """
        if self.over:
            return _OVER
        if self.calls >= self.episode.limits.calls and call.name != self.episode.submission.name:
            self.end()
            return _OUT_OF_CALLS.format(calls=self.episode.limits.calls)
        if call.arguments is None:
            self._malformed += 1
            return _MALFORMED.format(problem=call.problem)
        result = self.episode.call(call.name, call.arguments)
        if result.over:
            self.end()
        return result.text

    def end(self) -> None:
        """Ends the episode and reads its reward. An agent that has not submitted gave up.

        Raises:
            UnscoredError: the episode is not scored.
        """
        if not self.over:
            self.over = True
            self.episode.close()
            self.reward = reward_of(self.episode)

    def check_open(self) -> None:
        """Checks that the episode has not ended.

        Raises:
            ClosedError: it has.
        """
        if self.over:
            raise ClosedError(f"The episode {self.episode.id} is over.", hint="Begin another episode.")
