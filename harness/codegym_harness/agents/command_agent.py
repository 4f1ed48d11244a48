"""A program as an agent: whatever speaks MCP, started anew for each episode.

It is told where the episode is and what its task says, and connects by itself. It runs as the user who
evaluates it, in a directory of its own, with that user's environment but for the token of a control plane.
What it did is what the server saw; nothing that it says counts, and no process of it outlives the episode.
"""

import json
import os
import re
import shlex
import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.to_thread

from codegym_harness.processes.agent_process import AgentProcess
from codegym_harness.records.recorder import EpisodeAddress, Recorder
from codegym_harness.records.trajectory import AgentInfo, ProgramRecord, RolloutError
from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.errors import CodegymError

SERVER_NAME = "codegym"
"""What the episode is called in the program's MCP configuration."""

PLACES = ("mcp_config", "mcp_url", "task", "task_file", "here")
"""What stands in braces in a command, and is filled in."""

_PLACES = re.compile(rf"\{{({'|'.join(PLACES)})\}}")
_HERE = "{here}"
_TOKEN_VARIABLE = "CODEGYM_MCP_TOKEN"  # noqa: S105 - the variable's name
_LOOK_SECONDS = 30.0
_LAST_WORDS = 500


class CommandAgent:
    """Starts a command for each episode."""

    def __init__(
        self, command: str, *, workspaces: Path, hidden: Collection[Path] = (), namespaces: bool = True
    ) -> None:
        """An agent that runs a command.

        Args:
            command: a program and its arguments, quoted as for a shell, which there is none of. In them stand
                for: `{mcp_config}` the path of an `mcp.json`, `{mcp_url}` the episode's address, `{task}` the
                task and the rules, `{task_file}` the path of a file that holds them, `{here}` the directory
                that this process runs in.
            workspaces: a directory for the directories that the program runs in; it does not see those of
                other episodes, where there are namespaces.
            hidden: what the program is not to see besides, where there are namespaces.
            namespaces: whether to use them where the system has them.

        Raises:
            CodegymError: the command cannot be run.
        """
        self._words = _split(command)
        self._workspaces = workspaces.resolve()
        self._hidden = [path.resolve() for path in hidden]
        self._namespaces = namespaces
        self._check_paths()
        self.info = AgentInfo(name=Path(self._words[0]).name, version="-", extra={"command": command})

    def _check_paths(self) -> None:
        for word in self._words:
            path = word.replace(_HERE, str(Path.cwd()))
            if not _is_path(word) or not os.path.isfile(path):
                continue
            if not os.path.isabs(path):
                raise CodegymError(
                    f"The program would not find {word}: it runs in a directory of its own.",
                    hint=f"Write {_HERE}/{word}.",
                )
            places = {*Path(path).parents, *Path(path).resolve().parents}
            for hidden in self._hidden:
                if hidden in places or hidden == Path(path).resolve():
                    raise CodegymError(
                        f"{path} lies in {hidden}, which holds answers and is hidden from agent programs.",
                        hint="Keep the program elsewhere.",
                    )

    async def play(self, playable: EpisodeProtocol, epoch: int) -> None:
        """Runs the program until it ends, or is made to; see `Agent.play`.

        Raises:
            RunHaltedError: it cannot be started.
            CodegymError: it could not be kept, or what is played has no address.
        """
        recorder = playable if isinstance(playable, Recorder) else None
        if recorder is None or recorder.address is None:
            raise CodegymError("An agent program plays episodes of a server of ours, and no others.")
        task = _task(recorder.address)
        directory = TemporaryDirectory(dir=self._workspaces, ignore_cleanup_errors=True)
        program = self._prepare(Path(directory.name), recorder.address, task)
        try:
            await program.run()
        finally:
            # Also where its time is over.
            with anyio.move_on_after(_LOOK_SECONDS, shield=True):
                await anyio.to_thread.run_sync(directory.cleanup)
                recorder.program = _record(program)
                recorder.observe(task, await recorder.address.events())
                if len(recorder.steps) == 1:
                    recorder.error = _never_called(recorder.program)

    def _prepare(self, directory: Path, address: EpisodeAddress, task: str) -> AgentProcess:
        """Lays out what the program is told in its directory."""
        config, task_file = directory / "mcp.json", directory / "task.txt"
        server = {"type": "http", "url": address.mcp_url}
        config.write_text(json.dumps({"mcpServers": {SERVER_NAME: server}}, indent=2), encoding="utf-8")
        task_file.write_text(task, encoding="utf-8")
        values = {
            "mcp_config": str(config),
            "mcp_url": address.mcp_url,
            "task": task,
            "task_file": str(task_file),
            "here": str(Path.cwd()),
        }
        return AgentProcess(
            [_PLACES.sub(lambda place: values[place[1]], word) for word in self._words],
            directory=directory,
            environ=_environ(directory),
            hidden=[self._workspaces, *(path for path in self._hidden if path.exists())],
            namespaces=self._namespaces,
        )


def _split(command: str) -> list[str]:
    """The words of a command; the first is the program's own path.

    Raises:
        CodegymError: there is no such program, or it would not learn where its episode is.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise CodegymError(f"The command {command!r} cannot be read: {error}.") from None
    if not words:
        raise CodegymError("The command is empty.", hint="Name a program and its arguments.")
    if not any(place in word for word in words for place in ("{mcp_config}", "{mcp_url}")):
        raise CodegymError(
            "The command does not tell the program where its episode is.",
            hint="Put {mcp_config} or {mcp_url} into it.",
        )
    name = words[0].replace(_HERE, str(Path.cwd()))
    found = shutil.which(name)
    if found is None:
        raise CodegymError(
            f"There is no program {name} that could be started.",
            hint="Is it installed, executable, and on the PATH?",
        )
    return [os.path.abspath(found), *words[1:]]


def _is_path(word: str) -> bool:
    return ("/" in word or "." in word) and not _PLACES.search(word.replace(_HERE, ""))


def _environ(directory: Path) -> dict[str, str]:
    """This process's environment: the program needs its keys, and nothing of ours is in it but a token."""
    ours = {name: value for name, value in os.environ.items() if name != _TOKEN_VARIABLE}
    return {**ours, "PWD": str(directory)}


def _task(address: EpisodeAddress) -> str:
    return f"{address.instructions}\n\nThe tools are those of the MCP server `{SERVER_NAME}`."


def _record(program: AgentProcess) -> ProgramRecord:
    return ProgramRecord(
        exit_code=program.exit_code,
        stdout=program.stdout,
        stderr=program.stderr,
        enclosed=program.enclosed,
    )


def _never_called(program: ProgramRecord) -> RolloutError:
    ended = "was ended" if program.exit_code is None else f"ended with exit code {program.exit_code}"
    said = (program.stderr.strip() or program.stdout.strip())[-_LAST_WORDS:]
    return RolloutError(
        fault="agent",
        kind="NeverCalled",
        message=f"The program {ended} and never called a tool. "
        + (f"Its last words: {said}" if said else "It said nothing."),
    )
