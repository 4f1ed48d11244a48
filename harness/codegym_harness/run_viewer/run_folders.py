"""The runs that a viewer shows: run directories, and those in a directory of runs."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from codegym_harness.records.trajectory import Outcome
from codegym_harness.run_viewer.episode_index import EpisodeIndex
from codegym_harness.run_viewer.index_location import IndexLocation
from codegym_harness.runs.run_directory_reader import (
    BASELINES,
    CONFIGURATION,
    SUMMARY,
    RunStart,
    is_in_progress,
    read_configuration,
)
from codegym_harness.runs.run_index import RunState, is_run, recorded_agent
from codegym_harness.statistics.run_metrics import Summary
from codegym_mcp.episode_viewer.episode_views import RunView
from codegym_mcp.errors import NotFoundError, RunError

_UPDATES_AT_ONCE = 2


class RunFolder:
    """A run directory and its index.

    Attributes:
        path: the run directory.
        name: the path as the user sees it.
        id: identifies the run in addresses; the same in every viewer of this path.
        index: the index of the episodes.
    """

    def __init__(self, path: Path, index_file: Path) -> None:
        self.path = path
        self.name = str(path)
        self.id = sha256(str(path.resolve()).encode()).hexdigest()[:12]
        self.index = EpisodeIndex(path, index_file)
        self.update: Future[None] | None = None

    @property
    def live(self) -> bool:
        """Whether a process is writing the run."""
        return not (self.path / SUMMARY).exists() and is_in_progress(self.path)

    def may_hold(self, environment: str, task: str) -> bool:
        """Checks whether the run plays a task, as far as its configuration says; it reads no episodes."""
        try:
            _, start = read_configuration(self.path)
        except RunError:
            return False
        # Runs of earlier versions do not list their tasks.
        return not start.tasks or task in start.tasks.get(environment, ())

    def view(self) -> RunView:
        """Returns what the list of runs shows. A run that cannot be read is shown with the reason."""
        try:
            configuration, start = read_configuration(self.path)
        except RunError as error:
            return RunView(
                id=self.id,
                name=self.name,
                agent="",
                state=RunState.UNREADABLE,
                live=False,
                problem=str(error),
            )
        summary = self._summary()
        live = self.live
        view = RunView(
            id=self.id,
            name=self.name,
            agent=summary.agent if summary is not None else recorded_agent(configuration),
            state="",
            live=live,
            at=start.at,
            version=str(configuration.get("version") or ""),
        )
        if summary is not None:
            view.episodes, view.reward = summary.episodes, summary.reward
            view.expected = summary.episodes + summary.missing
            count = summary.verdicts.get
            view.solved, view.failed = count(Outcome.CORRECT, 0), count(Outcome.FAILED, 0)
            view.unsolved = count(Outcome.INCORRECT, 0) + count(Outcome.NO_SUBMISSION, 0)
        else:
            self._count(view, start)
        view.state = _state(view)
        return view

    def _summary(self) -> Summary | None:
        try:
            return Summary.model_validate_json((self.path / SUMMARY).read_bytes())
        except (OSError, ValidationError):
            # The run is in progress, was killed, or is of another version: the index counts its episodes.
            return None

    def _count(self, view: RunView, start: RunStart) -> None:
        with self.index.reader() as connection:
            view.episodes, view.reward, view.solved, view.unsolved, view.failed = connection.execute(
                "SELECT count(*), avg(reward), count(*) FILTER (WHERE outcome = ?), "
                "count(*) FILTER (WHERE outcome IN (?, ?)), count(*) FILTER (WHERE outcome = ?) "
                "FROM episodes WHERE NOT superseded",
                (Outcome.CORRECT, Outcome.INCORRECT, Outcome.NO_SUBMISSION, Outcome.FAILED),
            ).fetchone()
        view.expected = max(start.episodes, view.episodes)


class RunFolders:
    """All runs of a viewer. Directories of runs are searched again with every list.

    Args:
        paths: run directories, and directories that hold some.
        location: where the indexes are.

    Raises:
        RunError: a path is not a directory, or no run is in any of them.
    """

    def __init__(self, paths: Sequence[Path], location: IndexLocation) -> None:
        self._paths = paths
        self._location = location
        self._folders: dict[str, RunFolder] = {}
        self._updates = ThreadPoolExecutor(_UPDATES_AT_ONCE, "index")
        for path in paths:
            if not path.is_dir():
                raise RunError(
                    path, f"There is no directory {path}.", hint="`codegym-mcp eval` creates runs in runs/."
                )
        self.search()

    def search(self) -> list[RunFolder]:
        """Returns the runs that are there now, each followed by its baselines."""
        found = [folder for path in self._paths for folder in self._in(path)]
        return list({folder.id: folder for folder in found}.values())

    def find(self, id: str) -> RunFolder:
        """Returns a run by its id.

        Raises:
            NotFoundError: there is no such run.
        """
        if id not in self._folders:
            self.search()
        if id not in self._folders:
            raise NotFoundError("run", id, hint="It was moved or removed, or belongs to another viewer.")
        return self._folders[id]

    @property
    def known(self) -> list[RunFolder]:
        """The runs that were found so far."""
        return list(self._folders.values())

    def start_update(self, folder: RunFolder) -> "Future[None] | None":
        """Brings the index of a run up to date in the background, if the run has changed."""
        if folder.update is not None and not folder.update.done():
            return folder.update
        if folder.index.is_current:
            return None
        folder.update = self._updates.submit(folder.index.update)
        return folder.update

    def close(self) -> None:
        """Ends the updates; an index that is not complete is continued by the next viewer."""
        for folder in self._folders.values():
            folder.index.stop()
        self._updates.shutdown(cancel_futures=True)

    def _in(self, path: Path) -> list[RunFolder]:
        runs = [path] if is_run(path) else [file.parent for file in sorted(path.glob(f"*/{CONFIGURATION}"))]
        found = []
        for run in runs:
            found.append(self._folder(run))
            found += [
                self._folder(file.parent) for file in sorted((run / BASELINES).glob(f"*/{CONFIGURATION}"))
            ]
        return found

    def _folder(self, path: Path) -> RunFolder:
        folder = RunFolder(path, self._location.file(path))
        return self._folders.setdefault(folder.id, folder)


def _state(view: RunView) -> RunState:
    if view.live:
        return RunState.IN_PROGRESS
    if view.expected > view.episodes:
        return RunState.INTERRUPTED
    return RunState.FAILED if view.failed else RunState.FINISHED
