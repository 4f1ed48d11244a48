"""OpenAI's client without its look at every part of every request.

The client compares each message with the types that OpenAI documents, to translate what needs translating.
In chat completions nothing does, and the looking takes longer than all the rest of a request: half of the
processor time of an evaluation, growing with the conversation.
"""

from functools import cached_property
from typing import Any

from openai import AsyncOpenAI, Omit
from openai._types import RequestOptions
from openai.types.chat import ChatCompletion


class PlainAsyncOpenAI(AsyncOpenAI):
    """A client whose chat completions are sent as they are given, and never streamed."""

    @cached_property
    def chat(self) -> Any:
        return _Chat(self)


class _Chat:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.completions = _Completions(client)


class _Completions:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def create(
        self,
        *,
        extra_headers: Any = None,
        extra_body: Any = None,
        timeout: float,  # noqa: ASYNC109 - the SDK's
        **body: Any,
    ) -> ChatCompletion:
        """As the method of the SDK that this stands in for."""
        options: RequestOptions = {
            "headers": extra_headers or {},
            "extra_json": extra_body,
            "timeout": timeout,
            "security": {"bearer_auth": True},
        }
        given = {name: value for name, value in body.items() if not isinstance(value, Omit)}
        return await self._client.post(
            "/chat/completions", cast_to=ChatCompletion, body=given, options=options
        )
