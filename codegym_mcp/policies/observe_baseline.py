"""The `observe` baseline: how far looking once gets."""

from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.policies.tool_schemas import answer_schema, is_valid, needs_no_argument, values_in


class ObservePolicy:
    """Calls each tool that needs no argument once, then submits the last value seen that could be an answer.

    Where no value seen has the answer's type, it submits nothing.
    """

    async def play(self, playable: EpisodeProtocol) -> None:
        schema = answer_schema(playable.submission)
        fitting = []
        for tool in filter(needs_no_argument, playable.tools):
            result = await playable.call(tool.name, {})
            if result.over:
                return
            if not result.is_error:
                fitting += [value for value in values_in(result.value) if is_valid(schema, value)]
        if fitting:
            await playable.submit(fitting[-1])
