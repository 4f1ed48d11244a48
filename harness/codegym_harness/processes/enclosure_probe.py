"""Determines which enclosure of agent programs this machine allows."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from codegym_harness.processes.agent_process import AgentProcess
from codegym_harness.processes.enclosure import Enclosure, EnclosureOptions
from codegym_harness.processes.program_files import system_files
from codegym_harness.processes.readable_paths import readable_paths
from codegym_harness.processes.workspace import Workspace
from codegym_mcp.errors import CodegymError, RunHaltedError

_PROGRAM = "/bin/true"


async def probe_enclosure() -> Enclosure:
    """Starts a small program as an agent program is started, and returns the enclosure that it had."""
    if sys.platform != "linux":
        return Enclosure.NONE
    with TemporaryDirectory(prefix="codegym-mcp-") as parent, Workspace.create(Path(parent)) as workspace:
        program = AgentProcess(
            [_PROGRAM],
            workspace=workspace,
            environ={},
            readable=readable_paths(system_files(), ()),
            enclosures=list(Enclosure),
        )
        await program.run()
        return program.enclosure or Enclosure.NONE


async def check_enclosure(options: EnclosureOptions) -> Enclosure:
    """Returns the enclosure that agent programs will have.

    Raises:
        RunHaltedError: it is weaker than namespaces, and the options do not allow that.
        CodegymError: no program can be started.
    """
    try:
        enclosure = await probe_enclosure()
    except RunHaltedError as error:
        raise CodegymError(f"No agent program can be started here. {error}") from error
    if enclosure is not Enclosure.NAMESPACES and not options.allow_unenclosed:
        raise CodegymError(
            f"This system refuses namespaces, so that agent programs would be enclosed by: {enclosure}.",
            hint="Give --allow-unenclosed to run them nevertheless; see `codegym-mcp doctor`.",
        )
    return enclosure
