from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.policies.random_baseline import RandomPolicy
from tests.policies.conftest import OpenEpisode, ScriptedEpisode

TURN = {"type": "object", "properties": {"way": {"type": "string"}}, "required": ["way"]}


def results(*names: str) -> dict[str, CallResult]:
    return {name: CallResult(text="x", structured={"result": "north"}) for name in names}


async def test_random_makes_a_limited_number_of_calls_and_submits(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 0, "bell": 5})
    await RandomPolicy(7, calls=12).play(episode)
    assert episode.calls == 12
    assert episode.state is EpisodeState.SUBMITTED


async def test_the_same_seed_makes_the_same_calls_and_another_seed_makes_others(
    table: type[ScriptedEpisode],
) -> None:
    games = []
    for seed in (1, 1, 2):
        game = table(results("turn", "wait"), answer={"type": "integer"}, arguments={"turn": TURN})
        await RandomPolicy(seed).play(game)
        games.append((game.calls, game.answers))
    assert games[0] == games[1]
    assert games[0] != games[2]


async def test_another_task_is_played_with_other_calls(table: type[ScriptedEpisode]) -> None:
    games = []
    for task in ("one", "two"):
        game = table(results("turn"), answer={"type": "integer"}, arguments={"turn": TURN}, id=task)
        await RandomPolicy(1).play(game)
        games.append(game.calls)
    assert games[0] != games[1]


async def test_values_from_results_are_used_as_arguments(table: type[ScriptedEpisode]) -> None:
    game = table(results("turn"), answer={"type": "integer"}, arguments={"turn": TURN})
    await RandomPolicy(1).play(game)
    assert any(arguments["way"] == "north" for _, arguments in game.calls[1:])


async def test_public_values_are_known_from_the_start(table: type[ScriptedEpisode]) -> None:
    game = table({}, answer={"type": "string"}, public={"doors": ["oak", "oak"]})
    for seed in range(10):
        await RandomPolicy(seed).play(game)
    assert "oak" in game.answers


async def test_random_stops_when_the_episode_is_over(counter: Environment, open_episode: OpenEpisode) -> None:
    episode = await open_episode(counter, {"start": 0, "bell": 5}, calls=4)
    await RandomPolicy(7).play(episode)
    assert episode.state is EpisodeState.OUT_OF_CALLS
