"""The command of an agent program, with placeholders for what differs between episodes."""

import os
import re
import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from codegym_mcp.errors import CodegymError, RunHaltedError

PLACES = ("mcp_config", "mcp_url", "task", "task_file", "here")
"""The placeholders, which are written in braces."""

_PLACES = re.compile(rf"\{{({'|'.join(PLACES)})\}}")
_HERE = "{here}"
_MAX_ARGUMENT = 128 * 1024 - 1
"""Largest argument that Linux passes to a program, in bytes."""


class CommandTemplate:
    """A command that is filled in for each episode.

    Attributes:
        text: the command as the user wrote it.
        name: the name of the program.
    """

    def __init__(self, command: str | Sequence[str]) -> None:
        """Reads a command. No shell runs it.

        Args:
            command: a program and its arguments, as words or as a text that is split into words as by a
                shell. Placeholders: `{mcp_config}` is the path of an `mcp.json`,
                `{mcp_url}` the episode's address, `{task}` the task and the rules, `{task_file}` the path of
                a file that contains them, `{here}` the working directory of this process.

        Raises:
            CodegymError: the command is empty, cannot be split, has no placeholder for the episode, or
                names a program that does not exist.
        """
        words = _split(command) if isinstance(command, str) else list(command)
        self.text = command if isinstance(command, str) else shlex.join(words)
        self._words = _check_words(words)
        self._check_relative_paths()
        self.name = Path(self._words[0]).name

    @property
    def fixed_words(self) -> list[str]:
        """The words without what differs between episodes; the first is the path of the executable."""
        return [_PLACES.sub("", word) for word in self._with_here()]

    def fill_in(self, values: Mapping[str, str]) -> list[str]:
        """Returns the words for an episode.

        Args:
            values: by placeholder, except `here`.

        Raises:
            RunHaltedError: a word is longer than the system lets an argument be.
        """
        filled = {**values, "here": os.getcwd()}
        return [_argument(_PLACES.sub(lambda place: filled[place[1]], word)) for word in self._words]

    def check_answers(self, answers: Collection[Path]) -> None:
        """Checks that no file of the program is or lies in one of the given paths.

        Raises:
            CodegymError: one does; the program could not read it.
        """
        for word in self._with_here():
            if not os.path.isfile(word):
                continue
            path = Path(word)
            folders = {path.resolve(), *path.parents, *path.resolve().parents}
            for answer in folders.intersection(answers):
                raise CodegymError(
                    f"{path} lies in {answer}, which holds answers: the program could not read it.",
                    hint="Move the program to another folder.",
                )

    def _with_here(self) -> list[str]:
        return [word.replace(_HERE, os.getcwd()) for word in self._words]

    def _check_relative_paths(self) -> None:
        for word in self._words:
            relative = not os.path.isabs(word) and not _PLACES.search(word)
            if relative and ("/" in word or "." in word) and os.path.isfile(word):
                raise CodegymError(
                    f"The program would not find {word}, since it runs in a folder of its own.",
                    hint=f"Write {_HERE}/{word}.",
                )


def _argument(word: str) -> str:
    """Returns a word as the system takes it: bounded, and without null characters."""
    argument = word.replace("\0", "\ufffd")
    size = len(os.fsencode(argument))
    if size > _MAX_ARGUMENT:
        raise RunHaltedError(
            f"With its task the command has an argument of {size:,} bytes; a program takes at most "
            f"{_MAX_ARGUMENT:,}.",
            hint="Put {task_file} into the command in place of {task}.",
        )
    return argument


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise CodegymError(
            f"The command {command!r} cannot be read: {error}.", hint="Quote it as for a shell."
        ) from None


def _check_words(words: list[str]) -> list[str]:
    """Returns the words with the path of the executable as the first."""
    if not words:
        raise CodegymError("The command is empty.", hint="Name a program and its arguments.")
    if not any(place in word for word in words for place in ("{mcp_config}", "{mcp_url}")):
        raise CodegymError(
            "The command does not tell the program the address of its episode.",
            hint="Put {mcp_config} or {mcp_url} into it.",
        )
    name = words[0].replace(_HERE, os.getcwd())
    found = shutil.which(name)
    if found is None:
        raise CodegymError(
            f"The program {name} cannot be started: there is no executable file of that name on the PATH.",
            hint="Install it, or write its path.",
        )
    return [os.path.abspath(found), *words[1:]]
