"""Opens an episode in the background, while the trainer goes on.

A trainer resets the environments of a batch one after another. The episodes of a group have one task: once
its text is known, no later one of them has to be waited for.
"""

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.task_reference import TaskReference

_THREADS = 4
"""How many episodes are opened at the same time."""
_KEPT = 1024
"""How many task texts are kept."""


class BackgroundOpening:
    """An episode that is being opened.

    Args:
        options: where it is opened.
        task: its task.
        calls: the tool calls that it allows, in place of the option.
    """

    def __init__(self, options: EpisodeOptions, task: TaskReference, calls: int | None) -> None:
        self._key = options, task
        self._future = _executor.submit(options.open, task, calls)

    def text(self) -> str:
        """Returns the text of the task; waits for the episode if no earlier one had this task.

        Raises:
            CodegymError: see `episode`.
        """
        if self._key not in _texts:
            _texts[self._key] = self.episode().task.text
            if len(_texts) > _KEPT:
                _texts.popitem(last=False)
        return _texts[self._key]

    def episode(self) -> Episode:
        """Waits until the episode is open, and returns it.

        Raises:
            CodegymError: it cannot be opened; see `EpisodeOptions.open`.
        """
        return self._future.result()


def _new_executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="codegym-mcp-opening")


def _forget() -> None:
    """Leaves to a forked child nothing of its parent's."""
    global _executor  # noqa: PLW0603 - its threads do not exist in the child
    _executor = _new_executor()


_executor = _new_executor()
_texts: OrderedDict[tuple[EpisodeOptions, TaskReference], str] = OrderedDict()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
