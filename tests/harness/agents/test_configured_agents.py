"""Agents as a caller of `evaluate` configures them."""

from pathlib import Path

import pytest

from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions, Network
from codegym_harness.agents.configured_agents import CommandAgent
from codegym_mcp.errors import CodegymError


def test_a_command_agent_is_enclosed_as_its_caller_says() -> None:
    agent = CommandAgent(["my agent", "{mcp_url}"], network="none", allow_read=["/data"])
    assert agent.command == "'my agent' '{mcp_url}'"
    assert agent.enclosure == EnclosureOptions(network=Network.NONE, allow_read=(Path("/data"),))


@pytest.mark.parametrize("options", [{"network": "wide"}, {"unknown": 1}])
def test_an_option_that_is_not_valid_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(CodegymError, match=r"The command agent true \{mcp_url\} cannot be used: "):
        CommandAgent("true {mcp_url}", **options)
