"""What the agent must not see."""

from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from tests.conftest import Declare, OpenEpisode
from tests.episodes.episode_reading import everything
from tests.episodes.troubled_environment import SECRET, broken


async def test_no_reply_contains_the_reference_answer_or_the_verdict(
    trouble: Environment, open_episode: OpenEpisode
) -> None:
    config = {"label": "a", "secret": SECRET}
    limits = {"call_seconds": 0.3, "memory_bytes": 64 << 20, "result_bytes": 1000}
    arguments: dict[str, dict[str, Any]] = {
        "guess": {"word": "zq"},
        "chatter": {"length": 10_000},
        "complain": {"length": 3},
        "echo": {"value": 1},
        "kinds": {"members": [1, 2], "pair": [1, "a"], "names": {}},
        "nest": {"depth": 300},
    }
    said: list[str] = []
    for name in [tool.name for tool in trouble.tools]:
        episode = await open_episode(trouble, config, **limits)
        said += [episode.task.model_dump_json(), *(tool.model_dump_json() for tool in episode.tools)]
        for call, passed in [
            (name, arguments.get(name, {})),
            (name, {"wrong": 1}),
            ("secret", {}),
            ("reference", {}),
            ("submit_answer", {"answer": 3}),
            ("submit_answer", {"answer": "zq"}),
            ("submit_answer", {"answer": "zq"}),
            (name, arguments.get(name, {})),
        ]:
            said.append(everything(await episode.call(call, passed)))
    for reply in said:
        assert SECRET not in reply
        assert "correct" not in reply
        assert "reward" not in reply
        assert "verdict" not in reply


async def test_the_reason_of_a_failure_is_for_people_and_not_for_the_agent(
    declare: Declare, open_episode: OpenEpisode
) -> None:
    made = declare(broken(reference="return 'answer ' + str(x)"))
    episode = await open_episode(made, {"x": 9393})
    said = everything(await episode.submit(1)) + everything(await episode.call("look", {}))
    assert "9393" in episode.reason
    assert "9393" not in said
