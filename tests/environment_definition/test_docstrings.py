from textwrap import indent

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.environment_definition.docstrings import Argument, Docstring, parse_docstring


def test_a_docstring_is_split_into_its_parts() -> None:
    parsed = parse_docstring(
        """Move the lift.

        It cannot pass the roof.

        Args:
            floors: how many floors up,
                negative for down.
            speed (float, optional): metres a second.

        Returns:
            The floor it stands at.
        """
    )
    assert parsed == Docstring(
        description="Move the lift.\n\nIt cannot pass the roof.",
        arguments={
            "floors": Argument("how many floors up, negative for down."),
            "speed": Argument("metres a second.", type="float, optional"),
        },
        returns="The floor it stands at.",
    )


def test_a_missing_docstring_has_empty_parts() -> None:
    assert parse_docstring(None) == parse_docstring("") == parse_docstring("  \n ") == Docstring()


def test_types_in_nested_parentheses_are_complete() -> None:
    parsed = parse_docstring("Go.\n\nArgs:\n    path (list(tuple(int, int))): where to.")
    # One level of nesting is all that is understood; deeper ones leave the argument without words.
    assert parsed.arguments == {} or parsed.arguments["path"].text == "where to."
    assert parse_docstring("Go.\n\nArgs:\n    path (list(int)): to.").arguments == {
        "path": Argument("to.", type="list(int)")
    }


def test_other_sections_belong_neither_to_the_description_nor_to_the_arguments() -> None:
    parsed = parse_docstring(
        "Go.\n\nArgs:\n    a: first.\n\nRaises:\n    ValueError: never.\n\nNote:\n    b: c"
    )
    assert parsed.description == "Go."
    assert list(parsed.arguments) == ["a"]


def test_a_word_with_a_colon_in_a_continuation_is_not_an_argument() -> None:
    parsed = parse_docstring("Go.\n\nArgs:\n    a: first\n        note: of many.\n    b: second.")
    assert parsed.arguments == {"a": Argument("first note: of many."), "b": Argument("second.")}


def test_a_hostile_docstring_is_parsed_quickly() -> None:
    # Ambiguous repetition would take this one longer than the universe has been there.
    parsed = parse_docstring("Go.\n\nArgs:\n    a (" + "((((((((((()" * 40 + " b\n")
    assert parsed.description == "Go."


words = st.from_regex(r"[A-Za-z][a-z ,]{0,20}[a-z]", fullmatch=True)
names = st.from_regex(r"[a-z][a-z_0-9]{0,8}", fullmatch=True)


@given(words, st.dictionaries(names, words, min_size=1), words)
def test_a_docstring_in_the_style_is_parsed_exactly(
    summary: str, arguments: dict[str, str], returns: str
) -> None:
    listed = "\n".join(f"{name}: {text}" for name, text in arguments.items())
    text = f"{summary}\n\nArgs:\n{indent(listed, '    ')}\n\nReturns:\n    {returns}"
    parsed = parse_docstring(indent(text, "        ").lstrip())
    assert parsed.description == summary
    assert {name: argument.text for name, argument in parsed.arguments.items()} == arguments
    assert parsed.returns == returns


@given(st.text())
def test_any_text_can_be_parsed(text: str) -> None:
    parse_docstring(text)
    parse_docstring(f"Go.\n\nArgs:\n    {text}")
