"""The `random` baseline: what comes of pressing buttons."""

from random import Random

from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import answer_schema, values_in

DEFAULT_CALLS = 20


class RandomPolicy:
    """Calls tools with arguments drawn from their schemas, then submits an answer drawn from its schema.

    The same seed plays the same way.
    """

    def __init__(self, seed: int | str = 0, *, calls: int = DEFAULT_CALLS) -> None:
        self._seed = seed
        self._calls = calls

    async def play(self, playable: EpisodeProtocol) -> None:
        random = Random(f"{self._seed} {playable.task.environment} {playable.task.id}")  # noqa: S311 - to be repeatable
        drawer = SchemaSampler(random)
        drawer.see(values_in(playable.task.public))
        for _ in range(self._calls if playable.tools else 0):
            tool = random.choice(playable.tools)
            result = await playable.call(tool.name, drawer.draw(tool.input_schema))
            if result.over:
                return
            if not result.is_error:
                drawer.see(values_in(result.value))
        await playable.submit(drawer.draw(answer_schema(playable.submission)))
