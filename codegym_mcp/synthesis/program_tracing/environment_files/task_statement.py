"""The task of an environment in words: the problem's statement, what is hidden, and what is public."""

import re

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    ReferenceForm,
    wrap_paragraphs,
)
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.source_reading.docstring_sections import read_sections
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program

_MAX_TITLE = 60
_OPENING = re.compile(
    r"^(please\s+)?(write|implement|create|develop|define)\s+(a|an|the)?\s*(\w+\s+)?(python\s+)?"
    r"(function|program|method|code|script)\s*((that|which)\s+|to\s+|for\s+)?",
    re.IGNORECASE,
)
_TYPES = {
    "bool": ("true or false", "truth values"),
    "int": ("a whole number", "whole numbers"),
    "float": ("a number", "numbers"),
    "str": ("a text", "texts"),
}
_RETURN = re.compile(r"(^|(?<=[.!?:])\s+)Returns? (\w+)")
_WORDS_ID = re.compile(r"[a-z]+(-[a-z]+)+")
_DOCTEST = re.compile(r"^\s*>>>.*?(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


def statement_in_words(statement: str) -> str:
    """Returns what is asked, without the demand to write a function and without code."""
    text = _docstring_of(statement)
    text = _DOCTEST.sub("", text).strip()
    text = re.sub(r"\n\s*(Examples?|Note)s?:?\s*\Z", "", text, flags=re.IGNORECASE).strip()
    without = _OPENING.sub("", text).strip()
    if not without:
        return text
    return f"{without[0].upper()}{without[1:]}"


def _docstring_of(statement: str) -> str:
    """Returns the docstring of the last function of a statement that is code, else the statement."""
    found = re.findall(r'("""|\'\'\')(.*?)\1', statement, flags=re.DOTALL)
    if re.search(r"^\s*def \w+\(", statement, flags=re.MULTILINE) and found:
        lines = [line.strip() for line in str(found[-1][1]).strip().splitlines()]
        return "\n".join(lines)
    return statement.strip()


def title_of(id: str, statement: str, name: str) -> str:
    """Returns a short title: the id of the problem if it is made of words, else the statement's first words.

    Args:
        name: name of the solution's function, for a statement without words.
    """
    if _WORDS_ID.fullmatch(id):
        return id.replace("-", " ").capitalize()
    first = re.split(r"(?<=[.!?])\s|\n", statement_in_words(statement))[0].rstrip(".!? ")
    first = re.sub(r"[`*_\"\[\]{}()]+", " ", first)
    words: list[str] = []
    for word in first.split():
        if len(" ".join([*words, word])) > _MAX_TITLE:
            break
        words.append(word)
    return " ".join(words) or name.replace("_", " ")


def task_text(statement: str, program: Program, lifted: LiftedProgram, form: ReferenceForm) -> str:
    """Returns the task for the agent."""
    sections = read_sections(statement_in_words(statement), program.parameters)
    asked = _RETURN.sub(_answer_with, sections.summary)
    paragraphs = [_braced(asked)]
    if sections.parameters:
        listed = (f"- `{name}`: {text}" for name, text in sections.parameters.items())
        paragraphs.append(_braced("\n".join(listed)))
    if len(lifted.hidden) == 1:
        hidden = f"You are not shown {lifted.hidden[0]}; ask the tools about it."
    else:
        names = f"{', '.join(lifted.hidden[:-1])} and {lifted.hidden[-1]}"
        hidden = f"You are not shown {names}; ask the tools about them."
    if lifted.public:
        known = ", ".join(f"{name} = {{{name}}}" for name in lifted.public)
        hidden += f" You know {known}."
    paragraphs.append(hidden)
    if sections.result and not form.is_pairs:
        paragraphs.append(_braced(f"Answer: {sections.result[0].upper()}{sections.result[1:]}"))
    elif asked == sections.summary or form.is_pairs:
        paragraphs.append(f"Answer with {_answer(form)}.")
    return wrap_paragraphs(paragraphs)


def _answer_with(match: re.Match[str]) -> str:
    """Returns `Answer with the sum` for `Return the sum`, and `Answer whether` for `Return whether`."""
    before, following = match.groups()
    return (
        f"{before}Answer {following}"
        if following in ("whether", "how")
        else f"{before}Answer with {following}"
    )


def _answer(form: ReferenceForm) -> str:
    if form.is_pairs:
        return "the result as a list of pairs of key and value, in the order in which the keys were added"
    words = _type_in_words(form.answer)
    return f"{words}, the result" if words else "the result"


def _type_in_words(text: str, *, plural: bool = False) -> str:
    """Returns a type in words, or the empty string for one that takes too many words."""
    if text in _TYPES:
        return _TYPES[text][plural]
    if text.startswith("list[") and text.endswith("]"):
        items = _type_in_words(text.removeprefix("list[").removesuffix("]"), plural=True)
        return f"{'lists' if plural else 'a list'} of {items}" if items else ""
    return ""


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
