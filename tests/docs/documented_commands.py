"""The commands that the documents tell to be typed."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
AGENTS_DOCUMENT = ROOT / "docs" / "agents.md"


def blocks(document: Path, language: str) -> list[str]:
    """Returns the blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)


def typed(script: str) -> list[list[str]]:
    """Returns the words of each line of a script, as a shell has them."""
    script = re.sub(r"\s+# .*", "", script).replace("\\\n", " ")
    lexer = shlex.shlex(script, posix=True, punctuation_chars="\n")
    lexer.commenters = ""
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lines: list[list[str]] = [[]]
    for word in lexer:
        if word.strip("\n"):
            lines[-1].append(word)
        else:
            lines.append([])
    return [line for line in lines if line]


def command_of(arguments: list[str]) -> str | None:
    """Returns the agent program's command among the arguments of `eval`."""
    return arguments[arguments.index("--command") + 1] if "--command" in arguments else None
