import pytest

from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym_source
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import BrokenContractError, EnvironmentFaultError, LimitError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.policies.conftest import OpenEpisode

CONFIG = {"start": 0, "bell": 5}

CODEGYM = '''
import ast
import json


class LanternEnv:
    def __init__(self, env_str=None):
        self.func_mapping = {"Look": self.Look, "Done": self.Done}
        self._reward = 0
        self._done = False
        self.reset()

    @staticmethod
    def from_env_str(env_str):
        return LanternEnv(env_str)

    def reset(self, options=None):
        self.lamps = (options or {}).get("lamps", [1])

    @property
    def finished(self):
        return self._done

    @property
    def reward(self):
        return self._reward

    def step(self, action):
        call = json.loads(action)
        return True, self.func_mapping[call["name"]](**call["parameters"])

    def Look(self, place: int):
        """
        Look at a lamp.

        Args:
            place (int): which lamp, from 0.

        Returns:
            str: 1 if it is lit, 0 if not, and "dark" past the last.
        """
        return str(self.lamps[place]) if place < len(self.lamps) else "dark"

    def Done(self, answer: int):
        """
        Submit how many lamps are lit.

        Args:
            answer (int): the number.

        Returns:
            str: the result.
        """
        self._done = True
        self._reward = 1 if answer == self.get_ref_answer() else 0
        return "done"

    def get_ref_answer(self):
        return sum(self.lamps)

    def solve(self):
        lit, place = 0, 0
        while True:
            seen = self.step(json.dumps({"name": "Look", "parameters": {"place": place}}))[1]
            if seen == "dark":
                break
            lit += int(seen)
            place += 1
        return self.step(json.dumps({"name": "Done", "parameters": {"answer": lit}}))


if __name__ == "__main__":
    env = LanternEnv.from_env_str("LanternEnv@{'lamps': [1, 0, 1, 1]}")
    print(env.solve())
'''


def with_solve(environment: Environment, solve: str) -> Environment:
    """The same environment with another oracle."""
    source = environment.program.source
    start, end = source.index("def solve("), source.index("def generate(")
    return read_environment_source(
        source[:start] + solve + "\n\n\n" + source[end:], name="counter", path="counter.py"
    )


async def test_the_oracle_is_rewarded(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, CONFIG)
    await OraclePolicy(pool, counter).play(episode)
    assert episode.verdict is not None
    assert episode.verdict.reward == 1.0
    # It listens on six floors and moves between them; the submission is no call.
    assert episode.calls == 11


async def test_a_codegym_oracle_submits_by_its_own_step(pool: SandboxPool, open_episode: OpenEpisode) -> None:
    environment = read_codegym_source(CODEGYM, name="lantern", path="lantern.py")
    (task,) = environment.tasks
    episode = await open_episode(environment, task.config)
    await OraclePolicy(pool, environment).play(episode)
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.verdict is not None
    assert episode.verdict.reward == 1.0
    assert episode.calls == 5


async def test_an_oracle_continues_after_a_refusal(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(
        counter,
        "def solve(tools, start):\n"
        "    try:\n"
        "        tools.move(floors=11)\n"
        "    except ValueError as refusal:\n"
        "        return len(str(refusal))\n",
    )
    episode = await open_episode(
        environment, CONFIG | {"bell": len("the lift moves at most 10 floors at a time")}
    )
    await OraclePolicy(pool, environment).play(episode)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_an_oracle_that_raises_is_a_fault_of_the_environment(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(counter, "def solve(tools, start):\n    return tools.move(floors=11)\n")
    episode = await open_episode(environment, CONFIG)
    with pytest.raises(EnvironmentFaultError, match="at most 10 floors") as caught:
        await OraclePolicy(pool, environment).play(episode)
    assert caught.value.role == "solve"
    assert episode.state is EpisodeState.OPEN


async def test_an_oracle_whose_answer_has_the_wrong_type_breaks_the_contract(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(counter, "def solve(tools, start):\n    return 'five'\n")
    episode = await open_episode(environment, CONFIG)
    with pytest.raises(BrokenContractError, match="answer"):
        await OraclePolicy(pool, environment).play(episode)


async def test_an_oracle_that_never_makes_a_call_exceeds_its_limit(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(counter, "def solve(tools, start):\n    while True:\n        pass\n")
    episode = await open_episode(environment, CONFIG)
    with pytest.raises(LimitError):
        await OraclePolicy(pool, environment, Limits(start_seconds=0.1)).play(episode)


async def test_an_oracle_that_ignores_refusals_ends_with_the_episode(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(
        counter,
        "def solve(tools, start):\n"
        "    while True:\n"
        "        try:\n"
        "            tools.move(floors=11)\n"
        "        except ValueError:\n"
        "            pass\n",
    )
    episode = await open_episode(environment, CONFIG, calls=3)
    await OraclePolicy(pool, environment).play(episode)
    assert episode.state is EpisodeState.OUT_OF_CALLS
    assert episode.verdict is None


async def test_the_process_of_the_oracle_has_neither_the_environment_nor_the_reference(
    pool: SandboxPool, counter: Environment, open_episode: OpenEpisode
) -> None:
    environment = with_solve(counter, "def solve(tools, start):\n    return reference(start, 5)\n")
    episode = await open_episode(environment, CONFIG)
    with pytest.raises(EnvironmentFaultError, match="NameError"):
        await OraclePolicy(pool, environment).play(episode)
