"""Harbor's own models and the scanner of its viewer read the jobs that are exported for it."""

import json

import pytest
from harbor.models.trajectories import Trajectory as HarborTrajectory
from harbor.viewer.scanner import JobScanner

from tests.conversations import exchanges

pytestmark = pytest.mark.viewers


def test_every_trial_is_read_with_its_trajectory_and_reward(exported, recorded, run):
    jobs = exported("harbor", "jobs")
    scanner = JobScanner(jobs)
    (job,) = scanner.list_jobs()
    assert job == run.name
    config, result = scanner.get_job_config(job), scanner.get_job_result(job)
    assert config is not None
    assert result is not None
    assert result.n_total_trials == result.stats.n_completed_trials == len(recorded)
    trials = scanner.list_trials(job)
    assert len(trials) == len(recorded)
    keys = set()
    for trial in trials:
        assert scanner.get_trial_config(job, trial) is not None
        found = scanner.get_trial_result(job, trial)
        written = json.loads((jobs / job / trial / "agent" / "trajectory.json").read_text(encoding="utf-8"))
        key = written["extra"]["key"]
        keys.add(key)
        record = recorded[key]
        assert HarborTrajectory.model_validate(written).to_json_dict() == written
        assert type(record).model_validate(written) == record
        assert exchanges(type(record).model_validate(written)) == exchanges(record)
        reward = found.verifier_result.rewards["reward"] if found.verifier_result is not None else None
        expected = record.extra.verdict.reward if record.extra.verdict is not None else None
        assert reward == (0.0 if record.extra.outcome == "no_submission" else expected)
        assert (found.exception_info is not None) == (record.extra.error is not None)
        assert found.task_name == f"{record.extra.environment}/{record.extra.task}"
    assert keys == recorded.keys()
    errors = sum(record.extra.error is not None for record in recorded.values())
    assert result.stats.n_errored_trials == errors
