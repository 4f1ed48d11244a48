"""Opens an episode in the background, while the trainer goes on.

A trainer resets the environments of a batch one after another, and generates before the first call. It needs
the text of the task at once, which the episodes of a group share, and the episode later.
"""

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.errors import ForkedError
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.task_reference import TaskReference

_THREADS = 2
"""How many episodes are opened at the same time. More would keep the task of the next group waiting."""
_KEPT = 1024
"""How many task texts are kept."""


class BackgroundOpening:
    """An episode that is being opened.

    Args:
        options: where it is opened.
        task: its task.
        calls: the tool calls that it allows, in place of the option.

    Attributes:
        text: the text of the task. It was waited for if no earlier episode had this task: in this process
            until the task was generated, on a server until the episode was open.

    Raises:
        NotFoundError: the environment or the task does not exist.
        TaskError: the environment has no such task, or `calls` is no number of calls.
        CodegymError: the task cannot be generated; on a server, the episode cannot be opened.
    """

    def __init__(self, options: EpisodeOptions, task: TaskReference, calls: int | None) -> None:
        options.limits(calls)
        key = options, task
        # A task that is generated first is not generated again for the episode.
        text = _texts.get(key) or options.task_text(task)
        self._future = _executor.submit(options.open, task, calls)
        self._pid = os.getpid()
        self.text = text or self.episode().task.text
        _texts[key] = self.text
        if len(_texts) > _KEPT:
            _texts.popitem(last=False)

    def episode(self) -> Episode:
        """Waits until the episode is open, and returns it.

        Raises:
            ForkedError: it belongs to the parent of this process. Its thread does not exist here.
            CodegymError: it cannot be opened; see `EpisodeOptions.open`.
        """
        if os.getpid() != self._pid:
            raise ForkedError(
                f"This episode belongs to process {self._pid}, not to its fork, {os.getpid()}.",
                hint="Begin another episode here.",
            )
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
