"""The `random` baseline: calls tools with random arguments and submits a random answer."""

from random import Random

from codegym_mcp.episode_protocol import EpisodeProtocol
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import answer_schema, values_in

DEFAULT_CALLS = 20


class RandomPolicy:
    """Calls tools with arguments drawn from their schemas, then submits an answer drawn from its schema.

    The same seed makes the same calls.
    """

    def __init__(self, seed: int | str = 0, *, calls: int = DEFAULT_CALLS) -> None:
        self._seed = seed
        self._calls = calls

    async def play(self, episode: EpisodeProtocol) -> None:
        random = Random(f"{self._seed} {episode.task.environment} {episode.task.id}")  # noqa: S311 - to be repeatable
        sampler = SchemaSampler(random)
        sampler.see(values_in(episode.task.public))
        for _ in range(self._calls if episode.tools else 0):
            tool = random.choice(episode.tools)
            result = await episode.call(tool.name, sampler.draw(tool.input_schema))
            if result.over:
                return
            if not result.is_error:
                sampler.see(values_in(result.value))
        await episode.submit(sampler.draw(answer_schema(episode.submission)))
