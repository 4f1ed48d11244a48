"""The options of commands that use a language model."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from pydantic import ValidationError

from codegym_mcp.models.model_request_options import MaxTokensField, ModelOptions, ReasoningEffort
from codegym_mcp.models.text_calls.tool_formats import ToolFormat
from codegym_mcp.validation_messages import first_fault

if TYPE_CHECKING:
    from codegym_harness.agents.model_agent import ModelAgentOptions

Command = TypeVar("Command", bound=Callable[..., Any])
Options = TypeVar("Options", bound=ModelOptions)

_COUNT = click.IntRange(1)
_AMOUNT = click.FloatRange(min=0, min_open=True)


@dataclass(frozen=True)
class _Option:
    """A command-line option.

    Attributes:
        field: the field of `ModelAgentOptions` that it sets.
        name: its name on the command line.
        help: its help text.
        settings: further arguments for click.
        plays: whether it concerns only models that play.
    """

    field: str
    name: str
    help: str
    settings: dict[str, Any]
    plays: bool = False


_OPTIONS = (
    _Option(
        "name",
        "--model",
        "Language model, for example openai:gpt-6-luna or anthropic:claude-sonnet-5-5.",
        {"metavar": "PROVIDER:NAME"},
    ),
    _Option(
        "base_url",
        "--base-url",
        "Address of the model server, if it is not the provider's own: vLLM, SGLang, llama.cpp, Ollama.",
        {"metavar": "URL"},
    ),
    _Option(
        "api_key_variable",
        "--api-key-env",
        "Environment variable that contains the key. By default the provider's own, which is never sent to "
        "a --base-url.",
        {"metavar": "VARIABLE"},
    ),
    _Option(
        "system_prompt",
        "--system-prompt",
        "Replaces the built-in system prompt. {submission} stands for the tool that submits the answer, "
        "{calls} for the number of calls allowed.",
        {"metavar": "TEXT|@FILE"},
        plays=True,
    ),
    _Option("temperature", "--temperature", "Sampling temperature.", {"type": click.FloatRange(min=0)}),
    _Option(
        "top_p",
        "--top-p",
        "Sample from this share of the most likely tokens, 0 to 1.",
        {"type": click.FloatRange(0, 1, min_open=True)},
    ),
    _Option("max_tokens", "--max-tokens", "Maximum number of tokens in one reply.", {"type": _COUNT}),
    _Option(
        "max_tokens_field",
        "--max-tokens-field",
        "Member of the request that contains --max-tokens.  [default: the one that the server accepts]",
        {"type": click.Choice(get_args(MaxTokensField))},
    ),
    _Option(
        "seed",
        "--sampling-seed",
        "Seed for sampling; each further epoch or sample adds 1.",
        {"type": int},
    ),
    _Option(
        "reasoning_effort",
        "--reasoning-effort",
        "Effort that a reasoning model spends.",
        {"type": click.Choice(get_args(ReasoningEffort))},
    ),
    _Option(
        "tool_choice",
        "--tool-choice",
        "Whether a reply must call a tool.  [default: auto]",
        {"type": click.Choice(["auto", "required"])},
        plays=True,
    ),
    _Option(
        "tool_format",
        "--tool-format",
        "Parse calls that the model writes as text in this format, for a server that does not parse them.",
        {"type": click.Choice([form.value for form in ToolFormat])},
        plays=True,
    ),
    _Option(
        "logprobs",
        "--logprobs",
        "Record log-probabilities.",
        {"is_flag": True, "default": None},
        plays=True,
    ),
    _Option(
        "token_ids",
        "--token-ids",
        "Record token ids, as vLLM returns them.",
        {"is_flag": True, "default": None},
        plays=True,
    ),
    _Option(
        "extra_body",
        "--extra-body",
        "Further members of each request, for options of a particular server.",
        {"metavar": "JSON"},
    ),
    _Option(
        "turns",
        "--turns",
        "Maximum number of replies in an episode.  [default: 256]",
        {"type": _COUNT},
        plays=True,
    ),
    _Option(
        "concurrency",
        "--model-concurrency",
        "Maximum number of requests to the model at the same time.  [default: unlimited]",
        {"type": _COUNT},
    ),
    _Option(
        "attempts",
        "--attempts",
        "How often a request is made at most if the provider fails.  [default: 8]",
        {"type": _COUNT},
    ),
    _Option(
        "request_seconds",
        "--request-seconds",
        "Longest duration of one request in seconds.  [default: 600]",
        {"type": _AMOUNT},
    ),
    _Option(
        "max_total_tokens",
        "--max-total-tokens",
        "Stop the run when it has used this many tokens.",
        {"type": _COUNT},
    ),
    _Option(
        "max_cost",
        "--max-cost",
        "Stop the run when it has cost this many US dollars.",
        {"type": _AMOUNT, "metavar": "USD"},
    ),
)
_TEXT_OPTIONS = tuple(option for option in _OPTIONS if not option.plays)
_NAMES = {option.field: option.name for option in _OPTIONS}
_PREFIX = "model_"


def model_options(command: Command) -> Command:
    """Adds the options to a command in which a model plays."""
    return _add_options(command, _OPTIONS)


def text_model_options(command: Command) -> Command:
    """Adds the options to a command that requests text from a model."""
    return _add_options(command, _TEXT_OPTIONS)


def read_text_model_options(options: dict[str, Any]) -> ModelOptions:
    """Reads the options of a command that requests text from a model.

    Args:
        options: the values of the command's options; those of the model are removed.

    Raises:
        click.UsageError: --model is missing, or an option is invalid.
    """
    given = _take_given(options, _TEXT_OPTIONS)
    if "name" not in given:
        raise click.UsageError("The option --model is missing.")
    return _validate(ModelOptions, given)


def refuse_model_options(options: dict[str, Any]) -> None:
    """Removes the options of a command that requests text from a model, for a run without a model.

    Raises:
        click.UsageError: one of them is given.
    """
    given = _take_given(options, _TEXT_OPTIONS)
    if given:
        raise click.UsageError("--method trace uses no model; leave out the options of a model.")


def read_model_options(options: dict[str, Any]) -> "ModelAgentOptions | None":
    """Reads the options of a command in which a model plays; returns None if no model is given.

    Args:
        options: the values of the command's options; those of the model are removed.

    Raises:
        click.UsageError: an option needs --model, or is invalid.
    """
    from codegym_harness.agents.model_agent import ModelAgentOptions

    given = _take_given(options, _OPTIONS)
    if not given:
        return None
    if "name" not in given:
        raise click.UsageError(f"The option {_NAMES[next(iter(given))]} needs --model.")
    if given.get("system_prompt", "").startswith("@"):
        given["system_prompt"] = _read_file(given["system_prompt"][1:])
    return _validate(ModelAgentOptions, given)


def _add_options(command: Command, options: Sequence[_Option]) -> Command:
    for option in reversed(options):
        command = click.option(option.name, f"{_PREFIX}{option.field}", help=option.help, **option.settings)(
            command
        )
    return command


def _take_given(options: dict[str, Any], known: Sequence[_Option]) -> dict[str, Any]:
    """Removes the options of the model, and returns those that were given, by their fields."""
    taken = {option.field: options.pop(f"{_PREFIX}{option.field}") for option in known}
    return {field: value for field, value in taken.items() if value is not None}


def _validate(kind: type[Options], given: dict[str, Any]) -> Options:
    if "extra_body" in given:
        given["extra_body"] = _parse_object(given["extra_body"])
    try:
        return kind(**given)
    except ValidationError as error:
        fault = first_fault(error)
        raise click.UsageError(f"{_NAMES[str(fault.place[0])]}: {fault.message}.") from None


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"--system-prompt: the file {path} cannot be read: {error}.") from None


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--extra-body: the value is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError("--extra-body: the value is not a JSON object.")
    return value
