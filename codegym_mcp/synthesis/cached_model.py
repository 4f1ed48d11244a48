"""Sends requests to a model and stores the responses, so that no request is sent twice."""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import anyio
from pydantic_core import to_json

from codegym_mcp.models import Model, ModelOptions
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.synthesis_store import StoredResponse, SynthesisStore

_SAMPLED = {
    "name",
    "base_url",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "reasoning_effort",
    "extra_body",
}
"""The options on which a response depends."""

Turns = tuple[str, ...]
"""The messages of a dialogue in order; the first one is ours, the second one the model's."""


class CachedModel:
    """A model whose responses are stored by request."""

    def __init__(self, model: Model, store: SynthesisStore) -> None:
        self._model = model
        self._store = store
        self._settings = sampling_settings(model.options)
        self._locks: dict[str, anyio.Lock] = defaultdict(anyio.Lock)

    def key(self, turns: Turns, sample: int) -> str:
        """Returns the key of a request."""
        return sha256(self._serialize(turns, sample)).hexdigest()

    async def request(self, turns: Turns, sample: int) -> StoredResponse:
        """Returns the response to the last message, from the store if it is there.

        Args:
            turns: the messages so far.
            sample: number of the response, if several responses to the same messages are wanted.

        Raises:
            ModelError, RunHaltedError: as `Model.request`.
        """
        key = self.key(turns, sample)
        async with self._locks[key]:
            known = self._store.response(key)
            if known is not None:
                return known
            response = await self._send(turns, sample)
            self._store.put_response(key, self._serialize(turns, sample).decode(), response)
            return response

    def stored_text(self, turns: Turns, sample: int) -> str:
        """Returns the text of a response that is in the store."""
        response = self._store.response(self.key(turns, sample))
        assert response is not None
        return response.text

    async def _send(self, turns: Turns, sample: int) -> StoredResponse:
        conversation = self._model.conversation(prompt_rendering.render_system())
        for index, message in enumerate(turns):
            if index % 2 == 0:
                conversation.say(message)
            else:
                conversation.recall(message)
        seed = self._model.options.seed
        reply = await self._model.request(conversation, seed=None if seed is None else seed + sample)
        return StoredResponse(
            text=reply.text,
            reasoning=reply.reasoning,
            finish=reply.finish,
            refusal=reply.refusal,
            model=reply.model,
            prompt_tokens=reply.usage.prompt_tokens,
            completion_tokens=reply.usage.completion_tokens,
            cost=reply.usage.cost,
            seconds=reply.seconds,
        )

    def _serialize(self, turns: Sequence[str], sample: int) -> bytes:
        return to_json(
            {
                "model": self._settings,
                "system": prompt_rendering.render_system(),
                "turns": turns,
                "sample": sample,
            },
        )


def sampling_settings(options: ModelOptions) -> dict[str, object]:
    """Returns the options of a model on which its responses depend, as plain data."""
    return options.model_dump(mode="json", include=_SAMPLED)
