"""An OpenAI-compatible endpoint on loopback for a model that was trained here.

It renders the history with the chat template of training and changes nothing in it: the arguments of a call
are the text that the model wrote, so that the model reads the tokens that it was trained on. Calls of a
pretrained model are left in its text, where `codegym-mcp eval --tool-format` finds them.
"""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from examples.training_proof.chat_format import parse_turn

NAME = "trained"
"""The name under which the endpoint serves its model."""


class ServedModel:
    """A model that answers requests of chat completions, one after another."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer = tokenizer
        self._turn = threading.Lock()

    def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Returns the response to a request; greedy unless it has a temperature.

        Raises:
            ContextOverflowError: the conversation is too long for the model.
        """
        prompt = self._tokenizer.apply_chat_template(
            [{**message, "content": message.get("content") or ""} for message in request["messages"]],
            tools=request.get("tools"),
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self._model.device)
        length, context = prompt["input_ids"].shape[1], self._model.config.max_position_embeddings
        if length >= context:
            raise ContextOverflowError(f"{length} tokens are too many: the context length is {context}.")
        limit = request.get("max_completion_tokens") or request.get("max_tokens") or 256
        sampling: dict[str, Any] = {"do_sample": False}
        if temperature := request.get("temperature"):
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0}
        with self._turn, torch.inference_mode():
            output = self._model.generate(**prompt, max_new_tokens=min(limit, context - length), **sampling)
        written = output[0, length:].tolist()
        ended = bool(written) and written[-1] in self._end_tokens()
        message = self._message(self._tokenizer.decode(written[:-1] if ended else written))
        finish = "length" if not ended else "tool_calls" if "tool_calls" in message else "stop"
        return {
            "id": uuid.uuid4().hex,
            "object": "chat.completion",
            "model": NAME,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": length,
                "completion_tokens": len(written),
                "total_tokens": length + len(written),
            },
        }

    def _end_tokens(self) -> list[int]:
        end = self._model.generation_config.eos_token_id
        return end if isinstance(end, list) else [end]

    @staticmethod
    def _message(text: str) -> dict[str, Any]:
        content, calls = parse_turn(text)
        message: dict[str, Any] = {"role": "assistant", "content": content or None}
        if calls:
            message["tool_calls"] = [
                {
                    "id": f"call-{uuid.uuid4().hex[:12]}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in calls
            ]
        return message


class ContextOverflowError(Exception):
    """The conversation is too long for the model."""


def application(model: ServedModel) -> Starlette:
    """Returns the application that serves a model under `/v1`."""

    def complete(body: dict[str, Any]) -> JSONResponse:
        try:
            return JSONResponse(model.complete(body))
        except ContextOverflowError as error:
            fault = {"code": "context_length_exceeded", "message": str(error)}
            return JSONResponse({"error": fault}, status_code=400)

    async def post(request: Request) -> JSONResponse:
        return await run_in_threadpool(complete, await request.json())

    async def describe(request: Request) -> JSONResponse:
        return JSONResponse({"id": NAME, "object": "model"})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", post, methods=["POST"]),
            Route(f"/v1/models/{NAME}", describe),
        ]
    )


@contextmanager
def serving(model: ServedModel) -> Iterator[str]:
    """Serves a model in a thread of this process until the block ends; gives its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(model), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), name="endpoint")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
