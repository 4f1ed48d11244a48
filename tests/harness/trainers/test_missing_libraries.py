"""Every adapter can be imported without its library, and says then what is missing."""

import subprocess
import sys

ADAPTERS = {
    "gymnasium_env": ("gymnasium", "EpisodeEnv", "register"),
    "skyrl_env": ("skyrl_gym", "EpisodeTextEnv", "register"),
    "verl_agent_loop": ("verl", "EpisodeAgentLoop"),
}
PROGRAM = """
import sys
for library in {libraries!r}:
    sys.modules[library] = None
from codegym_mcp.errors import MissingExtraError
import codegym_mcp.inspect_ai_tasks
import codegym_harness.trainers.{module} as module
for name in {names!r}:
    try:
        getattr(module, name)()
    except MissingExtraError as error:
        print(error)
try:
    codegym_mcp.inspect_ai_tasks.episodes(names="parcel_hunt")
except MissingExtraError as error:
    print(error)
"""


def test_an_adapter_without_its_library_names_the_command_that_installs_it() -> None:
    for module, (library, *names) in ADAPTERS.items():
        program = PROGRAM.format(libraries=[library, "inspect_ai"], module=module, names=names)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
        told = done.stdout.splitlines()
        assert len(told) == len(names) + 1
        assert all("not installed. Run: pip install" in line for line in told)
        assert "codegym-mcp[inspect]" in told[-1]
