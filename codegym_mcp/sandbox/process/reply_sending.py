"""Runs an action in a confined process and sends its outcome as a reply. Runs inside the sandbox."""

import traceback
from collections.abc import Callable
from typing import Any

from codegym_mcp.sandbox.language.text_without_addresses import without_addresses
from codegym_mcp.sandbox.process.message_frames import FrameChannel, FrameTooLargeError
from codegym_mcp.sandbox.process.process_messages import Reply, ReplyStatus

_MAX_ERROR_TEXT = 500


class NoReply(Exception):  # noqa: N818 - not an error
    """Raised by an action that has sent its own messages and needs no reply."""


class EnvironmentFault(Exception):  # noqa: N818 - never leaves the process
    """Stands for a ValueError that no agent caused: it is reported as a fault, not as a refusal."""


def reply_with(channel: FrameChannel, number: int, action: Callable[[], Any]) -> None:
    """Runs an action and sends its result or its failure as the reply to request `number`.

    Raises:
        EOFError: the server has closed the channel.
    """
    try:
        try:
            reply = Reply(number, ReplyStatus.OK, action())
        except NoReply:
            return
        except ValueError as error:
            reply = Reply(number, ReplyStatus.REFUSED, str(error))
        except MemoryError:
            reply = Reply(number, ReplyStatus.MEMORY, "")
        except EOFError:
            raise
        except EnvironmentFault as error:
            reply = Reply(number, ReplyStatus.FAULT, str(error))
        except Exception as error:
            reply = Reply(number, ReplyStatus.FAULT, describe(error))
        channel.send_message(reply)
    except FrameTooLargeError as error:
        channel.send_message(Reply(number, ReplyStatus.TOO_LARGE, error.length))
    except MemoryError:
        channel.send_message(Reply(number, ReplyStatus.MEMORY, ""))
    except (TypeError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:_MAX_ERROR_TEXT]
        channel.send_message(Reply(number, ReplyStatus.NOT_JSON, reason))


def without_refusal(action: Callable[[], Any]) -> Any:
    """Runs an action whose ValueErrors are faults, because no agent sees them.

    Raises:
        EnvironmentFault: the action raised a ValueError.
    """
    try:
        return action()
    except ValueError as error:
        raise EnvironmentFault(describe(error)) from None


def describe(error: BaseException) -> str:
    """Returns an exception's type, message, and line in the environment's source."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == "<environment>"
    ]
    where = f" (line {lines[-1]})" if lines else ""
    try:
        text = str(error)
    except Exception:
        # The environment's own __str__ may raise anything.
        text = ""
    return f"{type(error).__name__}: {without_addresses(text)[:_MAX_ERROR_TEXT]}{where}"
