"""Openings and calls of 64 episodes as TRL makes them, through `GymSpec` and through OpenEnv.

The environment is examples/training_proof/cable_trace.py. Through OpenEnv it is the same code in OpenEnv's own
server on loopback, without confinement, with the client that OpenEnv's TRL examples wrap. OpenEnv needs a
virtual environment of its own (`pip install openenv-core`), so each side is measured by its own Python.

Example:
  python benchmarks/openenv_calls.py --through gym-spec
  OPENENV/bin/python benchmarks/openenv_calls.py --through openenv
"""

import argparse
import importlib.util
import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SOURCE = Path(__file__).parents[1] / "examples/training_proof/cable_trace.py"
DIFFICULTY = 4
GROUP = 8
"""Episodes of one task."""

Tools = Callable[[str, dict[str, Any]], Any]
"""Makes a call of an episode, with the name of the tool; returns its result as data."""


def play(open_episode: Callable[[int], tuple[Tools, dict[str, Any]]], episodes: int) -> dict[str, float]:
    """Plays episodes in turns, one call of each after another; returns milliseconds.

    Args:
        open_episode: opens the episode of a seed; returns its tools and what the task text says.
    """
    begun = time.perf_counter()
    opened = [open_episode(number // GROUP) for number in range(episodes)]
    opening = time.perf_counter() - begun
    plans = [_steps(task, tools) for tools, task in opened]
    calls, begun = 0, time.perf_counter()
    while plans:
        plans = [plan for plan in plans if next(plan, None)]
        calls += len(plans)
    seconds = time.perf_counter() - begun
    return {"opening": 1000 * opening / episodes, "call": 1000 * seconds / calls}


def _steps(task: dict[str, Any], tools: Tools) -> Iterator[bool]:
    """Follows the cable; gives after each call."""
    panel = task["first"]
    while True:
        card = tools("read_card", {"panel": panel})
        yield True
        send = "send_tone" if card["cable"] == "copper" else "send_light"
        arrived = tools(send, {"panel": panel, "port": card["port"]})
        yield True
        if arrived["at"] == "socket":
            return
        panel = arrived["number"]


def through_gym_spec() -> Callable[[int], tuple[Tools, dict[str, Any]]]:
    """Returns what opens episodes through `GymSpec`, in this process, confined."""
    from codegym_mcp import GymSpec

    spec = GymSpec([SOURCE], difficulty=DIFFICULTY, tasks=64)

    def open_episode(seed: int) -> tuple[Tools, dict[str, Any]]:
        environment = spec.environment_factory()
        text = environment.reset(**spec.rows[seed])
        first = int(text.partition("begins at panel ")[2].split()[0])

        def call(tool: str, arguments: dict[str, Any]) -> Any:
            return json.loads(getattr(environment, tool)(**arguments))

        return call, {"first": first}

    return open_episode


def through_openenv() -> Callable[[int], tuple[Tools, dict[str, Any]]]:
    """Returns what opens episodes through OpenEnv: its server in a thread, its synchronous client."""
    import uvicorn
    from openenv.core.env_server.http_server import create_fastapi_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, Observation, State
    from openenv.core.generic_client import GenericEnvClient

    found = importlib.util.spec_from_file_location("cable_trace", SOURCE)
    assert found is not None
    assert found.loader is not None
    source = importlib.util.module_from_spec(found)
    found.loader.exec_module(source)

    class Call(Action):
        tool: str
        arguments: dict[str, Any]

    class Result(Observation):
        value: Any = None

    class Cable(Environment):
        SUPPORTS_CONCURRENT_SESSIONS = True

        def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> Result:
            config = source.generate(random.Random(seed), DIFFICULTY)  # noqa: S311 - a task, no secret
            self._tools = source.Environment(config)
            return Result(value={"first": config["first"]})

        def step(self, action: Call, timeout_s: float | None = None, **_: Any) -> Result:
            return Result(value=getattr(self._tools, action.tool)(**action.arguments))

        @property
        def state(self) -> State:
            return State()

    listener = socket.create_server(("127.0.0.1", 0))
    app = create_fastapi_app(Cable, Call, Result, max_concurrent_envs=1000)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while not server.started:
        time.sleep(0.01)

    def open_episode(seed: int) -> tuple[Tools, dict[str, Any]]:
        client = GenericEnvClient(base_url=url).sync()
        client.connect()
        task = client.reset(seed=seed).observation["value"]

        def call(tool: str, arguments: dict[str, Any]) -> Any:
            return client.step({"tool": tool, "arguments": arguments}).observation["value"]

        return call, task

    return open_episode


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = SimpleNamespace(**{"gym-spec": through_gym_spec, "openenv": through_openenv})
    parser.add_argument("--through", choices=[*vars(ways)], default="gym-spec")
    parser.add_argument("--episodes", type=int, default=64, help="episodes in flight (default 64)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    opener = vars(ways)[options.through]()
    play(opener, GROUP)
    found = play(opener, options.episodes)
    if options.json:
        print(json.dumps({"through": options.through, "episodes": options.episodes, **found}))
    else:
        print(f"{options.through}: opening {found['opening']:.2f} ms, call {found['call']:.2f} ms")
    sys.exit(0)


if __name__ == "__main__":
    main()
