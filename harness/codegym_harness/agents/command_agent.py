"""A program as an agent: any program that speaks MCP, started anew for each episode.

The program receives the address of its episode and the text of the task, and connects by itself. It runs as
the user of the harness, in folders of its own, and finds only the files that it needs. Its record is what the
server received: its output is kept, and never counts. All its processes end with the episode.
"""

import json
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from codegym_harness.agent_enclosure.agent_process import AgentProcess
from codegym_harness.agent_enclosure.enclosure_options import Enclosure, EnclosureOptions, Network
from codegym_harness.agent_enclosure.episode_relay import EpisodeRelay, ServerAddress
from codegym_harness.agent_enclosure.program_dependencies import links_and_target, program_files, system_files
from codegym_harness.agent_enclosure.readable_paths import readable_paths
from codegym_harness.agent_enclosure.workspace import Workspace
from codegym_harness.agents.agent_context import AsyncAgentContext, EpisodeAddress
from codegym_harness.agents.command_template import CommandTemplate
from codegym_harness.processes.environment_variables import program_environment
from codegym_harness.records.trajectory import AgentInfo, Fault, ProgramRecord, RolloutError
from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.temporary_directory import temporary_directory

SERVER_NAME = "codegym"
"""Name of the episode in the program's MCP configuration."""

_EVENTS_SECONDS = 30.0
_OUTPUT_SHOWN = 500


class ProgramAgent:
    """Starts a command for each episode."""

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        options: EnclosureOptions | None = None,
        workspaces: Path | None = None,
        answers: Collection[Path] = (),
        _enclosures: Sequence[Enclosure] | None = None,
    ) -> None:
        """Prepares to run a command.

        Args:
            command: see `CommandTemplate`.
            options: how the program is enclosed.
            workspaces: a folder for the programs' own folders; that for temporary files if None.
            answers: see `conceal`.
            _enclosures: the enclosures to try, instead of those that the options allow; for tests.

        Raises:
            CodegymError: the command cannot be run, or a path of the options does not exist.
        """
        self.options = options or EnclosureOptions()
        self._enclosures = _enclosures or allowed_enclosures(self.options)
        self._workspaces = (workspaces or temporary_directory()).resolve()
        self._command = CommandTemplate(command)
        self._allow_read = [_existing(path) for path in self.options.allow_read]
        self._environ = program_environment(self.options.pass_env)
        self._answers: set[Path] = set()
        self._readable: list[Path] | None = None
        self._lock = anyio.Lock()
        self.info = AgentInfo(name=self._command.name, version="-", extra={"command": self._command.text})
        self.conceal(answers)

    def conceal(self, answers: Collection[Path]) -> None:
        """Conceals files and folders that hold answers, also within a folder that the program needs.

        Raises:
            CodegymError: the program itself lies in one of them.
        """
        self._answers.update(path.resolve() for path in answers)
        self._command.check_answers(self._answers)
        self._readable = None

    async def play(self, context: AsyncAgentContext) -> None:
        """Runs the program until it ends or the time is over; see `Agent.play`.

        Raises:
            RunHaltedError: it cannot be started, or not be enclosed as the options demand.
            CodegymError: the supervisor failed, or the episode has no address.
        """
        address = context.address
        if address is None:
            raise CodegymError(
                "An agent program cannot play this episode, which has no address.",
                hint="Evaluate it on environments instead of another MCP server.",
            )
        task = render_task(address)
        server = ServerAddress(address.mcp_url, address.socket_path)
        relay = EpisodeRelay(server, urlsplit(address.mcp_url).path)
        try:
            with Workspace.create(self._workspaces) as workspace:
                program = self._prepare(workspace, relay, task, await self._find_readable())
                try:
                    await program.run()
                finally:
                    # Also after the deadline. The program has ended.
                    with anyio.move_on_after(_EVENTS_SECONDS, shield=True):
                        context.program = self._record(program)
                        if await context.record_events(task) == 0:
                            context.error = _never_called(context.program)
        finally:
            relay.close()

    async def _find_readable(self) -> list[Path]:
        """Returns what the program may read; found once, since it takes a second."""
        async with self._lock:
            if self._readable is None:
                self._readable = await anyio.to_thread.run_sync(self._collect_readable)
            return self._readable

    def _collect_readable(self) -> list[Path]:
        search_path = self._environ.get("PATH", os.defpath)
        wanted = system_files() | program_files(self._command.fixed_words, search_path)
        wanted.update(hop for path in self._allow_read for hop in links_and_target(path))
        return readable_paths(wanted, self._answers)

    def _prepare(
        self, workspace: Workspace, relay: EpisodeRelay, task: str, readable: list[Path]
    ) -> AgentProcess:
        """Writes the program's files and describes its process."""
        config, task_file = workspace.directory / "mcp.json", workspace.directory / "task.txt"
        server = {"type": "http", "url": relay.url}
        config.write_text(json.dumps({"mcpServers": {SERVER_NAME: server}}, indent=2), encoding="utf-8")
        task_file.write_text(task, encoding="utf-8")
        self._fill_home(workspace.home)
        words = self._command.fill_in(
            {"mcp_config": str(config), "mcp_url": relay.url, "task": task, "task_file": str(task_file)}
        )
        own = {
            "HOME": str(workspace.home),
            "PWD": str(workspace.directory),
            "TMPDIR": str(workspace.temporary),
        }
        return AgentProcess(
            words,
            workspace=workspace,
            environ={**self._environ, **own},
            readable=readable,
            network=self.options.network,
            relay=relay,
            enclosures=self._enclosures,
        )

    def _fill_home(self, home: Path) -> None:
        """Puts what may be read in the user's home folder at the same place of the program's.

        Files are copied, so that the program can change them; folders are links.
        """
        for path in self._allow_read:
            if path.is_relative_to(Path.home()):
                place = home / path.relative_to(Path.home())
                place.parent.mkdir(parents=True, exist_ok=True)
                if path.is_file():
                    shutil.copy2(path, place)
                elif not place.exists():
                    place.symlink_to(path)

    def _record(self, program: AgentProcess) -> ProgramRecord:
        return ProgramRecord(
            exit_code=program.exit_code,
            stdout=program.stdout,
            stderr=program.stderr,
            enclosed=program.enclosure or Enclosure.NONE,
            network=_reachable_network(program.enclosure, self.options.network),
        )


def allowed_enclosures(options: EnclosureOptions) -> list[Enclosure]:
    """Returns the enclosures that a run may use, the strongest first."""
    return list(Enclosure) if options.allow_unenclosed else [Enclosure.NAMESPACES]


def _reachable_network(enclosure: Enclosure | None, network: Network) -> Network:
    """Returns the network that the program could reach: without an enclosure, that of the machine."""
    return network if enclosure in (Enclosure.NAMESPACES, Enclosure.LANDLOCK) else Network.HOST


def _existing(path: Path) -> Path:
    absolute = Path(os.path.abspath(path.expanduser()))
    if not absolute.exists():
        raise CodegymError(
            f"{path} is to be readable for the agent program, and it does not exist.",
            hint="Correct the path of --allow-read.",
        )
    return absolute


def render_task(address: EpisodeAddress) -> str:
    """Returns the task and the rules as a program receives them."""
    text = f"{address.instructions}\n\nThe tools are those of the MCP server `{SERVER_NAME}`."
    # Programs take an argument for an option (-), a command (/, !) or a file (@) by its first character.
    return text if text[:1].isalnum() else f"Task: {text}"


def _never_called(program: ProgramRecord) -> RolloutError:
    ended = "was ended" if program.exit_code is None else f"ended with exit code {program.exit_code}"
    output = (program.stderr.strip() or program.stdout.strip())[-_OUTPUT_SHOWN:]
    return RolloutError(
        fault=Fault.AGENT,
        kind="NeverCalled",
        message=f"The program {ended} and never called a tool. "
        + (f"The end of its output: {output}" if output else "It printed nothing."),
    )
