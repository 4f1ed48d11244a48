"""The `observe` baseline: calls each tool without arguments once and submits a value that it has seen."""

from codegym_mcp.episode_protocol import EpisodeProtocol
from codegym_mcp.policies.tool_schemas import (
    answer_schema,
    is_valid,
    needs_no_argument,
    takes_answer,
    values_in,
)


class ObservePolicy:
    """Calls each tool that needs no argument once, then submits the last value that fits the answer's type.

    It submits nothing if no value fits, and an empty submission if no answer is taken.
    """

    async def play(self, episode: EpisodeProtocol) -> None:
        schema = answer_schema(episode.submission)
        fitting = []
        for tool in filter(needs_no_argument, episode.tools):
            result = await episode.call(tool.name, {})
            if result.over:
                return
            if not result.is_error:
                fitting += [value for value in values_in(result.value) if is_valid(schema, value)]
        if fitting or not takes_answer(episode.submission):
            await episode.submit(fitting[-1] if fitting else None)
