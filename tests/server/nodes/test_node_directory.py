"""Where new episodes are opened, and which server holds an episode."""

from codegym_mcp.server.nodes import node_directory
from codegym_mcp.server.nodes.node_directory import NodeDirectory, NodeServer


def directory_of(*servers: NodeServer) -> NodeDirectory:
    directory = NodeDirectory("token", keeps_episodes=False)
    directory.servers = {server.name: server for server in servers}
    return directory


def test_the_running_server_with_the_fewest_open_episodes_is_chosen() -> None:
    full, free = (
        NodeServer("a-1", "http://a:1", open_episodes=2),
        NodeServer("b-1", "http://b:1", open_episodes=1),
    )
    stopped = NodeServer("c-1")
    directory = directory_of(full, stopped, free)
    assert directory.choose() is free
    assert directory.choose(without=[free]) is full
    assert directory.choose(without=[free, full]) is None


def test_the_servers_of_the_last_episodes_are_known(monkeypatch) -> None:
    monkeypatch.setattr(node_directory, "_MAX_KNOWN_EPISODES", 2)
    server = NodeServer("a-1", "http://a:1")
    directory = directory_of(server)
    for episode in ("one", "two", "one", "three"):
        directory.assign(episode, server)
    known = [episode for episode in ("one", "two", "three") if directory.server_of(episode) is server]
    assert known == ["one", "three"]
