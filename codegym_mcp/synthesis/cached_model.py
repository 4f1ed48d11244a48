"""Asks a model, and never twice for the same."""

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
"""The options on which an answer depends."""

Talk = tuple[str, ...]
"""What was said in turns, beginning with us."""


class CachedModel:
    """A model whose answers are kept by their requests."""

    def __init__(self, model: Model, store: SynthesisStore) -> None:
        self._model = model
        self._store = store
        self._settings = sampling_settings(model.options)
        self._locks: dict[str, anyio.Lock] = defaultdict(anyio.Lock)

    def key(self, talk: Talk, sample: int) -> str:
        """Names a request."""
        return sha256(self._written(talk, sample)).hexdigest()

    async def ask(self, talk: Talk, sample: int) -> StoredResponse:
        """The answer to the last turn, from the store where it is known.

        Args:
            talk: the turns so far.
            sample: which of several answers to the same words.

        Raises:
            ModelError, RunHaltedError: as `Model.request`.
        """
        key = self.key(talk, sample)
        async with self._locks[key]:
            known = self._store.answer(key)
            if known is not None:
                return known
            answer = await self._request(talk, sample)
            self._store.put_answer(key, self._written(talk, sample).decode(), answer)
            return answer

    def known(self, talk: Talk, sample: int) -> str:
        """What was said to a request that has been asked."""
        answer = self._store.answer(self.key(talk, sample))
        assert answer is not None
        return answer.text

    async def _request(self, talk: Talk, sample: int) -> StoredResponse:
        conversation = self._model.conversation(prompt_rendering.system())
        for place, said in enumerate(talk):
            if place % 2 == 0:
                conversation.say(said)
            else:
                conversation.recall(said)
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

    def _written(self, talk: Sequence[str], sample: int) -> bytes:
        return to_json(
            {"model": self._settings, "system": prompt_rendering.system(), "talk": talk, "sample": sample},
        )


def sampling_settings(options: ModelOptions) -> dict[str, object]:
    """The options of a model on which its answers depend, as plain data."""
    return options.model_dump(mode="json", include=_SAMPLED)
