"""Harbor's tree of jobs, which `harbor view DIRECTORY` opens: each run is a job, each episode a trial.

https://github.com/harbor-framework/harbor. The trajectory of a trial is the recorded one, complete. Harbor's
models need Python 3.12 and many packages, so the files are written without them; tests read them with Harbor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.output_directories import new_directory
from codegym_harness.export.whole_run_format import (
    ExportedRun,
    OpenRun,
    ViewerFormat,
    WriteEpisode,
    episode_name,
)
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import AgentInfo, Trajectory

_NAMESPACE = uuid5(NAMESPACE_URL, "codegym-mcp")


@contextmanager
def open_jobs(out: str) -> Iterator[OpenRun]:
    """Opens a new directory of jobs."""
    with new_directory(Path(out)) as directory:

        @contextmanager
        def open_run(run: ExportedRun) -> Iterator[WriteEpisode]:
            job = _Job(run, directory / run.name, Path(out))
            yield job.write_trial
            job.finish()

        yield open_run


class _Job:
    """A job in progress."""

    def __init__(self, run: ExportedRun, directory: Path, jobs: Path) -> None:
        self._run = run
        self._directory = directory
        self._jobs = jobs
        self._id = _uuid(str(run.path.resolve()))
        self._trials: list[dict[str, Any]] = []
        self._agents: dict[str, dict[str, Any]] = {}
        directory.mkdir()

    def write_trial(self, trajectory: Trajectory, result: EpisodeResult, _: LossCounts) -> None:
        """Writes the files of a trial."""
        name = episode_name(result.key)
        agent = _agent_config(trajectory.agent)
        self._agents[to_json(agent).decode()] = agent
        config = {
            "task": _task(result),
            "trial_name": name,
            "trials_dir": str(self._jobs / self._run.name),
            "agent": agent,
            "job_id": str(self._id),
        }
        trial = self._result(name, config, trajectory, result)
        directory = self._directory / name
        (directory / "agent").mkdir(parents=True)
        _write(directory / "config.json", config)
        _write(directory / "result.json", trial)
        (directory / "agent" / "trajectory.json").write_text(trajectory.to_json(), encoding="utf-8")
        if result.reward is not None:
            (directory / "verifier").mkdir()
            (directory / "verifier" / "reward.txt").write_text(f"{result.reward:g}", encoding="utf-8")
        self._trials.append(trial)

    def _result(
        self, name: str, config: dict[str, Any], trajectory: Trajectory, result: EpisodeResult
    ) -> dict[str, Any]:
        started = datetime.fromisoformat(trajectory.steps[0].timestamp)
        finished = started + timedelta(seconds=result.seconds)
        model = trajectory.agent.model_name
        provider, _, model_name = (model or "").rpartition(":")
        usage, error = result.usage, trajectory.extra.error
        return {
            "id": str(_uuid(f"{self._id}/{result.key}")),
            "task_name": f"{result.environment}/{result.task}",
            "trial_name": name,
            "trial_uri": (self._jobs.absolute() / self._run.name / name).as_uri(),
            "task_id": {"path": f"{result.environment}/{result.task}"},
            "source": result.environment,
            "task_checksum": self._run.environments.get(result.environment, ""),
            "config": config,
            "agent_info": {
                "name": trajectory.agent.name,
                "version": trajectory.agent.version,
                "model_info": {"name": model_name, "provider": provider or None} if model else None,
            },
            "agent_result": {
                "n_input_tokens": usage.prompt_tokens if usage is not None else None,
                "n_cache_tokens": usage.cached_tokens if usage is not None else None,
                "n_output_tokens": usage.completion_tokens if usage is not None else None,
                "cost_usd": usage.cost_usd if usage is not None else None,
                "metadata": result.model_dump(mode="json", exclude_none=True),
            },
            "verifier_result": {"rewards": {"reward": result.reward}} if result.reward is not None else None,
            "exception_info": {
                "exception_type": error.kind,
                "exception_message": error.message,
                "exception_traceback": error.traceback or "",
                "occurred_at": finished.isoformat(),
            }
            if error is not None
            else None,
            "started_at": started.isoformat(),
            "finished_at": finished.isoformat(),
            "agent_execution": {"started_at": started.isoformat(), "finished_at": finished.isoformat()},
        }

    def finish(self) -> None:
        """Writes the files of the job."""
        config = {
            "job_name": self._run.name,
            "jobs_dir": str(self._jobs),
            "n_attempts": max(trial["agent_result"]["metadata"]["epoch"] for trial in self._trials),
            "agents": list(self._agents.values()),
            "tasks": list({trial["task_name"]: trial["config"]["task"] for trial in self._trials}.values()),
        }
        _write(self._directory / "config.json", config)
        result = {
            "id": str(self._id),
            "started_at": self._run.started or min(trial["started_at"] for trial in self._trials),
            "finished_at": max(trial["finished_at"] for trial in self._trials),
            "n_total_trials": len(self._trials),
            "stats": _stats(self._trials),
        }
        _write(self._directory / "result.json", result)


def _stats(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the sums that lists of jobs show, as Harbor's `JobStats` computes them."""
    evals: dict[str, dict[str, Any]] = {}
    for trial in trials:
        agent, model = trial["agent_info"]["name"], trial["agent_info"]["model_info"]
        key = "__".join([agent, *([model["name"]] if model else []), trial["source"]])
        sums = evals.setdefault(
            key,
            {
                "n_trials": 0,
                "n_errors": 0,
                "reward_stats": {"reward": {}},
                "exception_stats": {},
                "metrics": [],
            },
        )
        if trial["verifier_result"] is not None:
            sums["n_trials"] += 1
            reward = str(trial["verifier_result"]["rewards"]["reward"])
            sums["reward_stats"]["reward"].setdefault(reward, []).append(trial["trial_name"])
        if trial["exception_info"] is not None:
            sums["n_errors"] += 1
            kind = trial["exception_info"]["exception_type"]
            sums["exception_stats"].setdefault(kind, []).append(trial["trial_name"])
    for sums in evals.values():
        rewards = [float(reward) for reward, names in sums["reward_stats"]["reward"].items() for _ in names]
        sums["metrics"] = [{"mean": sum(rewards) / len(rewards)}] if rewards else []
    contexts = [trial["agent_result"] for trial in trials]
    totals = ("n_input_tokens", "n_cache_tokens", "n_output_tokens", "cost_usd")
    known = {name: [each[name] for each in contexts if each[name] is not None] for name in totals}
    return {
        "n_completed_trials": len(trials),
        "n_errored_trials": sum(trial["exception_info"] is not None for trial in trials),
        "evals": evals,
        **{name: sum(values) if values else None for name, values in known.items()},
    }


def _task(result: EpisodeResult) -> dict[str, Any]:
    return {"path": f"{result.environment}/{result.task}", "source": result.environment}


def _agent_config(agent: AgentInfo) -> dict[str, Any]:
    return {"name": agent.name, "model_name": agent.model_name}


def _uuid(text: str) -> UUID:
    return uuid5(_NAMESPACE, text)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_bytes(to_json(content, indent=2))


FORMAT = ViewerFormat(open_jobs)
