import inspect

import pytest

from codegym_mcp import errors
from codegym_mcp.errors import CodegymError, EpisodeOverError, LimitError, NotFoundError, SourceError


def defined() -> list[type[CodegymError]]:
    return [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, CodegymError) and value is not CodegymError
    ]


def test_a_message_and_its_hint_read_as_two_sentences() -> None:
    assert str(CodegymError("It is broken.", hint="Mend it.")) == "It is broken. Mend it."
    assert str(CodegymError("It is broken.")) == "It is broken."


def test_a_source_error_names_file_and_line_and_ends_its_sentence() -> None:
    error = SourceError("lift.py", 7, "the tool move has no docstring", hint="Write one.")
    assert str(error) == "lift.py:7: the tool move has no docstring. Write one."
    assert (error.path, error.line, error.problem) == ("lift.py", 7, "the tool move has no docstring")


def test_a_source_error_of_a_whole_file_names_no_line() -> None:
    assert str(SourceError("lift.py", None, "there is no META.")) == "lift.py: there is no META."


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("liftt", ["lift", "vault"], "Did you mean lift?"),
        ("zzz", ["vault", "lift"], "Known: lift, vault."),
        ("zzz", [f"name_{n}" for n in range(31)], ""),
        ("zzz", [], ""),
    ],
)
def test_an_unknown_name_suggests_what_is_close_or_tells_the_few_there_are(
    name: str, known: list[str], hint: str
) -> None:
    error = NotFoundError("environment", name, known)
    assert error.hint == hint
    assert error.message == f"There is no environment named {name!r}."


def test_a_secret_name_is_not_repeated() -> None:
    assert str(NotFoundError("episode", "")) == "There is no such episode."


def test_an_endless_name_is_cut_in_the_message_and_kept_in_the_error() -> None:
    error = NotFoundError("tool", "x" * 100_000, ["move"])
    assert len(str(error)) < 200
    assert error.name == "x" * 100_000


def test_errors_carry_their_data() -> None:
    limit = LimitError("call_seconds", 5.0, "Too slow.")
    assert (limit.limit, limit.value) == ("call_seconds", 5.0)
    over = EpisodeOverError("out_of_calls")
    assert over.state == "out_of_calls"
    assert "out of calls" in str(over)


def test_the_tree_in_the_docstring_shows_every_error_under_its_parent() -> None:
    shown: dict[str, str] = {}
    parents: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        words = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        name = words.split()[0] if words.split() else ""
        if name.endswith("Error"):
            indent = len(words) - len(words.lstrip())
            parents[indent] = name
            above = [depth for depth in parents if depth < indent]
            shown[name] = parents[max(above)] if above else ""
    expected = {error.__name__: error.__bases__[0].__name__ for error in defined()}
    assert shown == {"CodegymError": "", **expected}
