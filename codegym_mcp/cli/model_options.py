"""The options of commands that ask a language model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import ValidationError

from codegym_mcp.models.model_options import ModelOptions

if TYPE_CHECKING:
    from codegym_harness.agents.model_agent import ModelAgentOptions

Command = TypeVar("Command", bound=Callable[..., Any])
Options = TypeVar("Options", bound=ModelOptions)

_count = click.IntRange(1)
_amount = click.FloatRange(min=0, min_open=True)

_OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "name",
        "--model",
        {
            "metavar": "PROVIDER:NAME",
            "help": "The language model that is asked, such as openai:gpt-6-luna or "
            "anthropic:claude-sonnet-5-5.",
        },
    ),
    (
        "base_url",
        "--base-url",
        {
            "metavar": "URL",
            "help": "Where the model is served, if not by its provider: vLLM, SGLang, llama.cpp, Ollama.",
        },
    ),
    (
        "api_key_variable",
        "--api-key-env",
        {
            "metavar": "VARIABLE",
            "help": "The environment variable that holds the key; the provider's own without it. What is at "
            "a --base-url is given no key but this.",
        },
    ),
    (
        "system_prompt",
        "--system-prompt",
        {
            "metavar": "TEXT|@FILE",
            "help": "Instead of the built-in one; {submission} stands for the tool that submits the answer.",
        },
    ),
    ("temperature", "--temperature", {"type": click.FloatRange(min=0), "help": "Sampling temperature."}),
    (
        "top_p",
        "--top-p",
        {
            "type": click.FloatRange(0, 1, min_open=True),
            "help": "Sample from this share of the likeliest tokens.",
        },
    ),
    ("max_tokens", "--max-tokens", {"type": _count, "help": "Tokens that one reply may have."}),
    (
        "seed",
        "--sampling-seed",
        {"type": int, "help": "The model's seed; each further epoch, or sample, takes the next."},
    ),
    (
        "reasoning_effort",
        "--reasoning-effort",
        {
            "type": click.Choice(["minimal", "low", "medium", "high", "xhigh", "max"]),
            "help": "How hard a reasoning model thinks.",
        },
    ),
    (
        "tool_choice",
        "--tool-choice",
        {
            "type": click.Choice(["auto", "required"]),
            "help": "Whether a reply must call a tool.  [default: auto]",
        },
    ),
    ("logprobs", "--logprobs", {"is_flag": True, "default": None, "help": "Record log-probabilities."}),
    (
        "token_ids",
        "--token-ids",
        {"is_flag": True, "default": None, "help": "Record the ids of the tokens, as vLLM gives them."},
    ),
    (
        "extra_body",
        "--extra-body",
        {"metavar": "JSON", "help": "Further members of each request, for what only one server knows."},
    ),
    ("turns", "--turns", {"type": _count, "help": "Replies that an episode may have.  [default: 256]"}),
    (
        "concurrency",
        "--model-concurrency",
        {"type": _count, "help": "Requests to the model at once; no bound without it."},
    ),
    (
        "attempts",
        "--attempts",
        {"type": _count, "help": "How often a request is made where the provider fails.  [default: 8]"},
    ),
    (
        "request_seconds",
        "--request-seconds",
        {"type": _amount, "help": "How long one reply may take.  [default: 600]"},
    ),
    (
        "max_total_tokens",
        "--max-total-tokens",
        {"type": _count, "help": "Stop the run when it has used so many tokens."},
    ),
    (
        "max_cost",
        "--max-cost",
        {"type": _amount, "metavar": "USD", "help": "Stop the run when it has cost so much."},
    ),
)
"""The field of `ModelAgentOptions`, the option that sets it, and how click takes that."""

_PREFIX = "model_"
_FOR_PLAYING = frozenset({"system_prompt", "tool_choice", "logprobs", "token_ids", "turns"})
_ASKING = tuple(option for option in _OPTIONS if option[0] not in _FOR_PLAYING)


def model_options(command: Command) -> Command:
    """Adds the options to a command that lets a model play."""
    return _with_options(command, _OPTIONS)


def asking_options(command: Command) -> Command:
    """Adds the options to a command that asks a model for text."""
    return _with_options(command, _ASKING)


def _with_options(command: Command, added: tuple[tuple[str, str, dict[str, Any]], ...]) -> Command:
    for field, option, settings in reversed(added):
        command = click.option(option, f"{_PREFIX}{field}", **settings)(command)
    return command


def read_asking_options(options: dict[str, Any]) -> ModelOptions:
    """What the options of a command say of the model that is asked.

    Args:
        options: by the names of their parameters; those read here are taken out.

    Raises:
        click.UsageError: there is no model, they do not fit together, or one cannot be read.
    """
    taken = {field: options.pop(f"{_PREFIX}{field}") for field, _, _ in _ASKING}
    given = {field: value for field, value in taken.items() if value is not None}
    if "name" not in given:
        raise click.UsageError("A --model is needed.")
    return _validated(ModelOptions, given)


def read_model_options(options: dict[str, Any]) -> "ModelAgentOptions | None":
    """What the options of a command say of a model; None where they name none.

    Args:
        options: by the names of their parameters; those read here are taken out.

    Raises:
        click.UsageError: they do not fit together, or one cannot be read.
    """
    from codegym_harness.agents.model_agent import ModelAgentOptions

    taken = {field: options.pop(f"{_PREFIX}{field}") for field, _, _ in _OPTIONS}
    given = {field: value for field, value in taken.items() if value is not None}
    if not given:
        return None
    names = {field: option for field, option, _ in _OPTIONS}
    if "name" not in given:
        raise click.UsageError(f"{names[next(iter(given))]} is for a --model.")
    if given.get("system_prompt", "").startswith("@"):
        given["system_prompt"] = _read(given["system_prompt"][1:])
    return _validated(ModelAgentOptions, given)


def _validated(kind: type[Options], given: dict[str, Any]) -> Options:
    names = {field: option for field, option, _ in _OPTIONS}
    if "extra_body" in given:
        given["extra_body"] = _parse(given["extra_body"])
    try:
        return kind(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise click.UsageError(f"{names[str(first['loc'][0])]}: {first['msg']}.") from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"The system prompt {path} cannot be read: {error}.") from None


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--extra-body is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError("--extra-body must be a JSON object.")
    return value
