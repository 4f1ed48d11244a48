from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.policies.observe_baseline import ObservePolicy
from tests.policies.conftest import OpenEpisode, ScriptedEpisode

INTEGER = {"type": "integer"}
NEEDS = {"type": "object", "properties": {"floor": INTEGER}, "required": ["floor"]}


def structured(value: object) -> CallResult:
    return CallResult(text=str(value), structured={"result": value})


async def test_observe_submits_the_last_value_of_the_answers_type(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    # The lift stands where the bell is, and listening tells the floor.
    episode = await open_episode(counter, {"start": 3, "bell": 3})
    await ObservePolicy().play(episode)
    assert episode.calls == 1
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_observe_calls_each_tool_that_needs_no_argument_once_and_in_order(
    table: type[ScriptedEpisode],
) -> None:
    game = table(
        {name: structured(1) for name in ("b", "ask", "a")}, answer=INTEGER, arguments={"ask": NEEDS}
    )
    await ObservePolicy().play(game)
    assert game.calls == [("b", {}), ("a", {})]


async def test_values_inside_results_are_considered(table: type[ScriptedEpisode]) -> None:
    game = table({"look": structured({"deep": [{"n": 4}, True, 2.0, "x"]})}, answer=INTEGER)
    await ObservePolicy().play(game)
    assert game.answers == [4]


async def test_values_in_text_that_is_json_are_considered(table: type[ScriptedEpisode]) -> None:
    game = table({"look": CallResult(text="[3, 9]")}, answer={"type": "array", "items": INTEGER})
    await ObservePolicy().play(game)
    assert game.answers == [[3, 9]]


async def test_observe_submits_nothing_if_no_value_fits(table: type[ScriptedEpisode]) -> None:
    game = table(
        {"look": structured("north"), "peek": CallResult(text="5", status=CallStatus.REFUSED)}, answer=INTEGER
    )
    await ObservePolicy().play(game)
    assert game.answers == []


async def test_observe_stops_when_the_episode_is_over(table: type[ScriptedEpisode]) -> None:
    over = CallResult(text="5", status=CallStatus.OVER, over=True)
    game = table({"look": structured(1), "peek": over, "stare": structured(2)}, answer=INTEGER)
    await ObservePolicy().play(game)
    assert game.calls == [("look", {}), ("peek", {})]
    assert game.answers == []
