import pytest
from mcp import StdioServerParameters
from pydantic import ValidationError

from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError

MODEL = ModelAgentOptions(name="openai:x", concurrency=2, request_seconds=100)


def test_the_command_of_an_mcp_server_is_split_as_by_a_shell() -> None:
    target = RunConfig(agent="random", mcp_command="serve 'my env.py' --task 1").target()
    assert target == StdioServerParameters(command="serve", args=["my env.py", "--task", "1"])


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "127.0.0.1:8000/mcp",
        "localhost/mcp",
        "http://",
        "https:///mcp",
        "http://[::1/mcp",
        "ftp://x/mcp",
    ],
)
def test_an_address_that_is_none_is_refused_before_the_run(url: str) -> None:
    with pytest.raises(
        CodegymError, match=r"is not the address of an MCP server.*http://127\.0\.0\.1:8000/mcp"
    ):
        RunConfig(agent="observe", mcp_url=url).target()


def test_a_command_with_an_open_quote_is_an_error() -> None:
    with pytest.raises(CodegymError, match="cannot be parsed"):
        RunConfig(agent="random", mcp_command="serve 'my env.py").target()


@pytest.mark.parametrize("agent", ["oracle", "model"])
def test_a_configuration_names_exactly_one_agent(agent: str) -> None:
    with pytest.raises(ValidationError):
        RunConfig(agent=agent, model=MODEL if agent == "oracle" else None)
    with pytest.raises(ValidationError):
        RunConfig(agent=agent, command="serve {mcp_url}")


def test_episodes_of_a_model_do_not_expire_while_it_is_waited_for() -> None:
    config = RunConfig(model=MODEL, limits=Limits(idle_seconds=1))
    assert config.episode_limits.idle_seconds > 2 * MODEL.request_seconds
    assert RunConfig(agent="oracle", limits=Limits(idle_seconds=1)).episode_limits.idle_seconds == 1


def test_open_episodes_are_at_most_two_for_each_concurrent_request() -> None:
    assert RunConfig(model=MODEL, concurrency=64).episode_concurrency == 4
    assert RunConfig(agent="oracle", concurrency=64).episode_concurrency == 64


def test_baselines_play_the_same_tasks() -> None:
    selection = Selection(difficulties=(1, 2), tasks=3)
    config = RunConfig(model=MODEL, selection=selection, allow_unconfined=True)
    assert [each.agent for each in config.baselines()] == ["constant", "observe", "random"]
    assert {each.selection for each in config.baselines()} == {selection}
    assert all(each.allow_unconfined for each in config.baselines())
