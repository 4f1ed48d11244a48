"""Determines which enclosure of agent programs this machine allows."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from codegym_harness.agent_enclosure.agent_process import AgentProcess
from codegym_harness.agent_enclosure.enclosure_options import Enclosure, EnclosureOptions
from codegym_harness.agent_enclosure.program_dependencies import system_files
from codegym_harness.agent_enclosure.readable_paths import readable_paths
from codegym_harness.agent_enclosure.workspace import Workspace
from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.temporary_directory import temporary_directory

_PROGRAM = "/bin/true"


class EnclosureReport(BaseModel):
    """The enclosure that agent programs would have."""

    enclosure: Enclosure
    refused: dict[str, str]
    """By stronger enclosure, the reason why the system refuses it."""

    @property
    def text(self) -> str:
        """The report as a sentence for a terminal."""
        reasons = "".join(f" Without {name}: {reason}." for name, reason in self.refused.items())
        if self.enclosure is Enclosure.NAMESPACES:
            return f"Agent programs are enclosed here, by {self.enclosure}."
        return (
            f"Agent programs would be enclosed here by: {self.enclosure}.{reasons} "
            "`eval --agent command` starts only with --allow-unenclosed."
        )


async def examine_enclosure() -> EnclosureReport:
    """Starts a small program as an agent program is started, and reports the enclosure that it had."""
    if sys.platform != "linux":
        reason = f"agent programs run on Linux only, and this is {sys.platform}"
        return EnclosureReport(enclosure=Enclosure.NONE, refused={Enclosure.NAMESPACES: reason})
    with (
        TemporaryDirectory(prefix="codegym-mcp-", dir=temporary_directory()) as parent,
        Workspace.create(Path(parent)) as workspace,
    ):
        program = AgentProcess(
            [_PROGRAM],
            workspace=workspace,
            environ={},
            readable=readable_paths(system_files(), ()),
            enclosures=list(Enclosure),
        )
        try:
            await program.run()
        except (OSError, CodegymError) as error:
            refused = {Enclosure.NAMESPACES.value: f"no program can be started: {error}"}
            return EnclosureReport(enclosure=Enclosure.NONE, refused=refused)
        return EnclosureReport(enclosure=program.enclosure or Enclosure.NONE, refused=program.refused)


async def check_enclosure(options: EnclosureOptions) -> Enclosure:
    """Returns the enclosure that agent programs will have.

    Raises:
        CodegymError: it is weaker than namespaces, and the options do not allow that.
    """
    report = await examine_enclosure()
    if report.enclosure is not Enclosure.NAMESPACES and not options.allow_unenclosed:
        raise CodegymError(
            f"This system refuses namespaces: agent programs would be enclosed by: {report.enclosure}.",
            hint="Give --allow-unenclosed to run them nevertheless; see `codegym-mcp doctor`.",
        )
    return report.enclosure
