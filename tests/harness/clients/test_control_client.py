import pytest

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.mcp_client import connect
from codegym_harness.processes.server_process import ServerProcess
from codegym_mcp.control_plane_messages import OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import ConnectionFailedError, LimitError, NotFoundError

from .test_lost_connection_retries import server as server_of_replies


async def test_environments_are_listed(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        (counter,) = await control.environments()
    assert counter.name == "counter"
    assert counter.tasks == ["bell-1", "bell-2", "bell-4"]
    assert counter.generates


async def test_an_episode_is_opened_played_and_judged(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        request = OpenRequest(environment="counter", task="bell-2", limits=Limits(calls=7))
        opened = await control.open_episode(request)
        assert opened.task.id == "bell-2"
        assert (await control.episode(opened.id)).state is EpisodeState.OPEN
        async with connect(opened.mcp_url) as connection:
            await connection.call("listen", {})
            await connection.submit(2)
        info = await control.episode(opened.id)
        assert info.state is EpisodeState.SUBMITTED
        assert info.calls == 1
        assert info.verdict is not None
        assert info.verdict.reward == 1.0


async def test_a_generated_task_is_requested_by_difficulty_and_seed(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        opened = await control.open_episode(OpenRequest(environment="counter", difficulty=3, seed=9))
    assert opened.task.id == "d3-s9"


async def test_limits_apply_to_the_episode(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        request = OpenRequest(environment="counter", task="bell-2", limits=Limits(calls=1))
        opened = await control.open_episode(request)
        async with connect(opened.mcp_url) as connection:
            await connection.call("listen", {})
            await connection.call("listen", {})
        assert (await control.episode(opened.id)).state is EpisodeState.OUT_OF_CALLS


async def test_a_closed_episode_is_over(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        opened = await control.open_episode(OpenRequest(environment="counter", task="bell-2"))
        assert (await control.close(opened.id)).state is EpisodeState.CLOSED


async def test_errors_name_what_does_not_exist(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        with pytest.raises(NotFoundError, match="countr"):
            await control.open_episode(OpenRequest(environment="countr", task="bell-2"))
        with pytest.raises(NotFoundError, match=r"counter/bell-3.*bell-2"):
            await control.open_episode(OpenRequest(environment="counter", task="bell-3"))
        with pytest.raises(NotFoundError, match="no episode named 'lost'"):
            await control.episode("lost")


async def test_too_many_open_episodes_are_a_limit(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        request = OpenRequest(environment="counter", task="bell-2")
        for _ in range(20):
            await control.open_episode(request)
        with pytest.raises(LimitError, match="20 episodes are open"):
            await control.open_episode(request)


async def test_a_wrong_token_is_refused_with_the_message_of_the_server(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, "wrong") as control:
        with pytest.raises(ConnectionFailedError, match="needs its token"):
            await control.environments()


async def test_a_server_that_does_not_run_is_a_failed_connection(unused_tcp_port: int) -> None:
    async with ControlClient.connect(f"http://127.0.0.1:{unused_tcp_port}", "t") as control:
        with pytest.raises(ConnectionFailedError, match="Check that the server is running"):
            await control.environments()


async def test_another_http_server_is_a_failed_connection(server: ServerProcess) -> None:
    async with ControlClient.connect(f"{server.url}/elsewhere", server.token) as control:
        with pytest.raises(ConnectionFailedError):
            await control.environments()


async def test_the_events_of_an_episode_are_listed(server: ServerProcess) -> None:
    async with ControlClient.connect(server.url, server.token) as control:
        opened = await control.open_episode(OpenRequest(environment="counter", task="bell-2"))
        assert await control.events(opened.id) == []
        async with connect(opened.mcp_url) as connection:
            heard = await connection.call("listen", {})
            answered = await connection.submit(2)
        listen, submit = await control.events(opened.id)
        assert (listen.name, listen.arguments, listen.result) == ("listen", {}, heard)
        assert (submit.name, submit.arguments, submit.result) == ("submit_answer", {"answer": 2}, answered)
        with pytest.raises(NotFoundError, match="no episode named 'lost'"):
            await control.events("lost")


async def test_a_connection_that_the_server_closes_when_it_is_used_costs_nothing() -> None:
    page = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]"
    async with server_of_replies(b"", page) as (url, sent), ControlClient.connect(url, "token") as control:
        assert await control.environments() == []
    assert len(sent) == 2
