"""Shows run directories in the viewer's page."""

import asyncio
from contextlib import suppress
from functools import partial

import anyio

from codegym_harness.records.trajectory import Trajectory
from codegym_harness.run_viewer.episode_queries import (
    DEFAULT_SORT,
    StoredEpisode,
    attempts_at,
    count_facets,
    find_episode,
    list_episodes,
)
from codegym_harness.run_viewer.run_environments import find_environment, play_task_of
from codegym_harness.run_viewer.run_folders import RunFolder, RunFolders
from codegym_harness.run_viewer.trajectory_reading import read_trajectory
from codegym_harness.run_viewer.trajectory_views import episode_view, whole_text
from codegym_harness.runs.run_directory_reader import SUMMARY, read_configuration
from codegym_mcp.episode_viewer.episode_views import (
    EpisodeList,
    EpisodeListQuery,
    EpisodeQuery,
    EpisodeRow,
    EpisodeView,
    Excerpt,
    Facets,
    OtherAttempt,
    OtherAttempts,
    ReadProgress,
    RunView,
    TextPart,
    TextQuery,
    TextSlice,
)
from codegym_mcp.episode_viewer.oracle_solution import ORACLE, OraclePlays
from codegym_mcp.episode_viewer.viewer_data import ViewSource
from codegym_mcp.errors import CodegymError, NotFoundError, RunError
from codegym_mcp.storage.json_lines import MAX_LINE, read_line_at

_WAIT_SECONDS = 0.3
"""How long a request waits for an update of the index, before it is answered with what was read so far."""
_WAIT_FOR_EPISODE = 30.0
"""How long a request for an episode that was not read so far waits."""


class RunViewSource(ViewSource):
    """The episodes of run directories."""

    def __init__(self, folders: RunFolders) -> None:
        self._folders = folders
        self._plays = OraclePlays()

    async def runs(self) -> list[RunView]:
        found = await anyio.to_thread.run_sync(self._folders.search)
        return await anyio.to_thread.run_sync(lambda: [self._run_view(folder) for folder in found])

    def _run_view(self, folder: RunFolder) -> RunView:
        view = folder.view()
        if not (folder.path / SUMMARY).exists():
            self._folders.start_update(folder)
        return view

    async def episodes(self, query: EpisodeListQuery) -> EpisodeList:
        folder = await self._current(query.run)
        return await anyio.to_thread.run_sync(self._list, folder, query)

    async def facets(self, run: str) -> Facets:
        folder = await self._current(run)

        def read() -> Facets:
            with folder.index.reader() as connection:
                return count_facets(connection, searchable=folder.index.searchable)

        return await anyio.to_thread.run_sync(read)

    async def episode(self, query: EpisodeQuery) -> EpisodeView:
        if query.run == ORACLE:
            return self._plays.kept(query.episode).view(query)
        folder = await self._current(query.run)
        try:
            return await anyio.to_thread.run_sync(self._read_episode, folder, query)
        except NotFoundError:
            # The address of an episode may be opened before the run was read.
            await self._wait(folder, _WAIT_FOR_EPISODE)
            return await anyio.to_thread.run_sync(self._read_episode, folder, query)

    async def text(self, query: TextQuery) -> TextSlice:
        if query.run == ORACLE:
            text = self._plays.kept(query.episode).steps.text(query)
        else:
            folder = self._folders.find(query.run)
            text = await anyio.to_thread.run_sync(self._read_text, folder, query)
        if text is None:
            raise NotFoundError("text", query.part, hint="Reload the episode.")
        return TextSlice.of(text, query.offset)

    async def other_attempts(self, query: EpisodeQuery) -> OtherAttempts:
        if query.run == ORACLE:
            return OtherAttempts()
        folder = self._folders.find(query.run)
        row, _ = await anyio.to_thread.run_sync(self._find, folder, query.episode)
        attempts: list[OtherAttempt] = []
        reading = False
        for other in self._folders.known:
            if not await anyio.to_thread.run_sync(other.may_hold, row.environment, row.task):
                continue
            reading |= await anyio.to_thread.run_sync(self._folders.start_update, other) is not None
            attempts += await anyio.to_thread.run_sync(_attempts, other, row)
        unavailable = ""
        try:
            await anyio.to_thread.run_sync(find_environment, folder.path, row.environment)
        except CodegymError as error:
            unavailable = error.message
        same = (query.run, query.episode)
        return OtherAttempts(
            attempts=[each for each in attempts if (each.run, each.id) != same],
            reading=reading,
            oracle=unavailable,
        )

    async def oracle(self, query: EpisodeQuery) -> EpisodeView:
        folder = self._folders.find(query.run)
        row, trajectory = await anyio.to_thread.run_sync(self._find, folder, query.episode)
        if trajectory is None:
            raise CodegymError("The task of a damaged line is not known.")
        key, seed = f"{query.run}/{query.episode}", trajectory.extra.seed
        environment = await anyio.to_thread.run_sync(find_environment, folder.path, row.environment)
        play = await self._plays.get(key, lambda: play_task_of(environment, row, seed))
        return play.view(query.model_copy(update={"episode": key}))

    # --- the index

    async def _current(self, run: str) -> RunFolder:
        """Returns a run after its index was brought up to date, as far as that takes a moment."""
        folder = self._folders.find(run)
        await self._wait(folder, _WAIT_SECONDS)
        return folder

    async def _wait(self, folder: RunFolder, seconds: float) -> None:
        update = await anyio.to_thread.run_sync(self._folders.start_update, folder)
        if update is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(update)), seconds)

    def _list(self, folder: RunFolder, query: EpisodeListQuery) -> EpisodeList:
        with folder.index.reader() as connection:
            rows, total = list_episodes(connection, query)
        sort = query.sort or DEFAULT_SORT
        return EpisodeList(rows=rows, total=total, sort=sort, progress=_progress(folder), run=folder.view())

    # --- episodes

    def _find(self, folder: RunFolder, id: str) -> tuple[EpisodeRow, Trajectory | None]:
        with folder.index.reader() as connection:
            stored = find_episode(connection, id)
        return stored.row, read_trajectory(_line(folder, stored)).trajectory

    def _read_episode(self, folder: RunFolder, query: EpisodeQuery) -> EpisodeView:
        with folder.index.reader() as connection:
            stored = find_episode(connection, query.episode)
        line = _line(folder, stored)
        trajectory, problems = read_trajectory(line)
        name = folder.name
        if trajectory is None:
            text = line.decode(errors="replace")
            return EpisodeView(
                run=folder.id, run_name=name, row=stored.row, problems=list(problems), line=Excerpt.of(text)
            )
        if trajectory.extra.key and not stored.row.id.startswith(trajectory.extra.key):
            raise CodegymError("The files of the run have changed.", hint="Load the page again.")
        view = episode_view(
            trajectory, stored.row, run=folder.id, run_name=name, first=query.first, search=query.search
        )
        view.problems = list(problems)
        return view

    def _read_text(self, folder: RunFolder, query: TextQuery) -> str | None:
        with folder.index.reader() as connection:
            stored = find_episode(connection, query.episode)
        line = _line(folder, stored)
        if query.part is TextPart.LINE:
            return line.decode(errors="replace")
        trajectory = read_trajectory(line).trajectory
        return whole_text(trajectory, query) if trajectory is not None else None


def _line(folder: RunFolder, stored: StoredEpisode) -> bytes:
    return read_line_at(folder.path / stored.file, stored.offset, min(stored.length, MAX_LINE))


def _attempts(folder: RunFolder, row: EpisodeRow) -> list[OtherAttempt]:
    with folder.index.reader() as connection:
        find = partial(attempts_at, connection, row.environment, row.task)
        return find(run=folder.id, run_name=folder.name)


def _progress(folder: RunFolder) -> ReadProgress:
    state, live = folder.index.state, folder.live
    problems = [state.problem] if state.problem else []
    note = ""
    try:
        _, start = read_configuration(folder.path)
    except RunError as error:
        problems.append(str(error))
    else:
        note = f"{start.episodes} episodes were planned." if start.episodes else ""
    if state.incomplete and not live:
        problems.append(
            f"The last line is not complete ({state.incomplete} bytes): the process that wrote the run was "
            "killed. The episode is played again on resume."
        )
    return ReadProgress(
        read_bytes=state.read,
        total_bytes=state.total,
        live=live,
        version=state.read,
        problems=problems,
        note=note,
    )
