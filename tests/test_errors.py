import inspect
import pickle

import pytest

from codegym_mcp import errors
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFailedError,
    EnvironmentLimitError,
    InvalidArgumentsError,
    JournalError,
    LimitError,
    NotFoundError,
    SandboxError,
    SourceError,
)


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
def test_an_unknown_name_is_reported_with_similar_names_or_with_all_if_they_are_few(
    name: str, known: list[str], hint: str
) -> None:
    error = NotFoundError("environment", name, known)
    assert error.hint == hint
    assert error.message == f"There is no environment named {name!r}."


def test_a_secret_name_is_not_repeated() -> None:
    assert str(NotFoundError("episode", "")) == "There is no such episode."


def test_a_very_long_name_is_shortened_in_the_message_only() -> None:
    error = NotFoundError("tool", "x" * 100_000, ["move"])
    assert len(str(error)) < 200
    assert error.name == "x" * 100_000


def test_errors_carry_their_data() -> None:
    limit = LimitError("call_seconds", 5.0, "Too slow.")
    assert (limit.limit, limit.value) == ("call_seconds", 5.0)


def instance(kind: type[CodegymError]) -> CodegymError:
    """Constructs an error of a class with a value of its own for every parameter."""
    values: dict[str, object] = {"line": 7, "value": 5.0, "known": ["lift"], "status": 429, "path": "lift.py"}
    given: list[object] = []
    named: dict[str, object] = {}
    for parameter in inspect.signature(kind).parameters.values():
        value = values.get(parameter.name, f"the {parameter.name}")
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            given.append(value)
    return kind(*given, **named)


@pytest.mark.parametrize("kind", [CodegymError, *defined()])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_can_be_pickled(kind: type[CodegymError], protocol: int) -> None:
    error = instance(kind)
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert (str(again), again.args) == (str(error), error.args)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (NotFoundError, KeyError),
        (InvalidArgumentsError, ValueError),
        (errors.BlockingCallError, RuntimeError),
    ],
)
def test_errors_also_have_the_builtin_class_of_their_kind(
    kind: type[CodegymError], builtin: type[Exception]
) -> None:
    error = instance(kind)
    assert isinstance(error, builtin)
    # A KeyError would otherwise show its message in quotation marks.
    assert str(error) == f"{error.message} {error.hint}".strip()


def test_a_limit_of_an_environment_is_a_failure_of_it_and_a_limit_of_the_server_is_not() -> None:
    environment = EnvironmentLimitError("call_seconds", 5.0, "Too slow.")
    assert isinstance(environment, LimitError)
    assert isinstance(environment, EnvironmentFailedError)
    assert not isinstance(LimitError("open_episodes", 9, "Too many."), EnvironmentFailedError)


@pytest.mark.parametrize("kind", [SandboxError, JournalError])
def test_a_failure_of_the_machine_is_no_failure_of_the_environment(kind: type[CodegymError]) -> None:
    assert not issubclass(kind, EnvironmentFailedError)


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
