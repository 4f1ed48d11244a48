import pytest
from hypothesis import given

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.evaluation_prompt import PROMPT_ADDED, with_system_prompt
from codegym_harness.records.trajectory import Trajectory
from tests.conversations import agent, asked, system, trajectories, trajectory, user


def of_the_oracle(*steps, **record):
    played = trajectory(*steps, **record)
    played.agent.model_name = None
    return played


def test_the_prompt_names_the_budget_of_calls_and_precedes_the_task() -> None:
    played = of_the_oracle(user("Go."), agent("", asked("look", {})), max_calls=40)
    counts = LossCounts()
    first, *rest = with_system_prompt(played, counts).steps
    assert (first.source, first.message) == (
        "system",
        render_system_prompt(DEFAULT_SYSTEM_PROMPT, "submit_answer", 40),
    )
    assert "at most 40 calls" in first.message
    assert [step.message for step in rest] == ["Go.", ""]
    assert counts.changed == {PROMPT_ADDED: 1}


def test_steps_are_numbered_anew_and_the_recorded_trajectory_is_unchanged() -> None:
    played = of_the_oracle(user("Go."), agent("", asked("look", {})))
    before = played.model_copy(deep=True)
    prompted = with_system_prompt(played, LossCounts())
    assert [step.step_id for step in prompted.steps] == [1, 2, 3]
    assert prompted.final_metrics.total_steps == 3
    assert Trajectory.model_validate_json(prompted.to_json()) == prompted
    assert played == before


@given(trajectories)
def test_trajectories_of_models_are_as_they_were(record) -> None:
    counts = LossCounts()
    assert with_system_prompt(record, counts) is record
    assert counts == LossCounts()


@pytest.mark.parametrize(
    "played",
    [
        of_the_oracle(system("Play."), user("Go."), agent("Done.")),
        of_the_oracle(user("Go."), agent("Done."), outcome="unscored"),
        of_the_oracle(user("Go."), agent("Done."), tools=None),
    ],
)
def test_no_prompt_is_added_where_a_model_would_have_received_none_or_one_exists(played) -> None:
    assert with_system_prompt(played, LossCounts()) is played
