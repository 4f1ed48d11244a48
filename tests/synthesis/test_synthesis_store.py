"""What a synthesis keeps."""

import sqlite3
from contextlib import closing

import pytest

from codegym_mcp.errors import SynthesisError
from codegym_mcp.synthesis.problem_outcomes import Costs, ProblemOutcome, Stage
from codegym_mcp.synthesis.synthesis_store import StoredResponse, SynthesisStore


def test_what_was_put_is_there_when_it_is_opened_again(tmp_path) -> None:
    path = tmp_path / "deep" / "answers.sqlite"
    answer = StoredResponse(text="one \x00 \U0001f600", prompt_tokens=3, completion_tokens=4, cost=0.25)
    outcome = ProblemOutcome.rejected_unasked("p", Stage.PROBLEM, "no")
    with SynthesisStore.open(path) as store:
        assert store.response("a") is None
        store.put_response("a", "{}", answer)
        store.put_response("b", "{}", StoredResponse(text=""))
        store.put_outcome("p", outcome)
    with SynthesisStore.open(path) as store:
        assert store.response("a") == answer
        assert store.outcome("p") == outcome
        assert store.outcome("q") is None
        assert store.spent() == Costs(requests=2, tokens=7, cost=0.25)


def test_the_file_does_not_depend_on_the_order_in_which_it_was_filled(tmp_path) -> None:
    outcomes = {
        name: ProblemOutcome.rejected_unasked(name, Stage.PROBLEM, f"{name} " * 900) for name in "abcdef"
    }
    with SynthesisStore.open(tmp_path / "one.sqlite") as store:
        for name in "fbdace":
            store.put_outcome(name, outcomes[name])
    for name in "abcdef":
        with SynthesisStore.open(tmp_path / "other.sqlite") as store:
            store.put_outcome(name, outcomes[name])
    assert (tmp_path / "one.sqlite").read_bytes() == (tmp_path / "other.sqlite").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one.sqlite", "other.sqlite"]


def test_half_characters_are_replaced_where_they_have_no_other_half() -> None:
    answer = StoredResponse(text="\ud83d\ude00 \ud83d", reasoning="\udc00")
    assert (answer.text, answer.reasoning) == ("\U0001f600 \ufffd", "\ufffd")


def test_an_outcome_of_another_form_is_none(tmp_path) -> None:
    path = tmp_path / "answers.sqlite"
    with SynthesisStore.open(path):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO outcomes VALUES ('p', '{\"old\": 1}')")
    connection.close()
    with SynthesisStore.open(path) as store:
        assert store.outcome("p") is None


def test_a_file_that_is_not_a_store_is_an_error(tmp_path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_text("not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(SynthesisError, match="cannot be stored"), SynthesisStore.open(path):
        pass
