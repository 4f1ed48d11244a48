"""Serves an environment with OpenEnv, over its WebSocket.

    python openenv_server.py counter|parcel_hunt SESSIONS [--threads]

With --threads an environment has only the blocking `step`, which OpenEnv runs in a thread of the session, as most
of its environments do; otherwise also `step_async`, which runs on the event loop. It prints its address as one JSON line on stderr.
"""

import json
import socket
import sys
from typing import Any

import uvicorn
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State
from plain_environments import ENVIRONMENTS

environment = ENVIRONMENTS[sys.argv[1]]()


class ToolCall(Action):
    tool: str
    arguments: dict[str, Any]


class ToolResult(Observation):
    result: Any = None


class ServedEnvironment(Environment[ToolCall, ToolResult, State]):
    """The plain environment behind OpenEnv's interface."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = State()
        self._environment = environment.make()

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> ToolResult:
        self._state = State(episode_id=episode_id)
        self._environment = environment.make()
        return ToolResult()

    def step(self, action: ToolCall, timeout_s: float | None = None, **_: Any) -> ToolResult:
        self._state.step_count += 1
        return ToolResult(result=getattr(self._environment, action.tool)(**action.arguments))

    @property
    def state(self) -> State:
        return self._state


class AsyncEnvironment(ServedEnvironment):
    """The same on the event loop."""

    async def reset_async(
        self, seed: int | None = None, episode_id: str | None = None, **_: Any
    ) -> ToolResult:
        return self.reset(seed, episode_id)

    async def step_async(self, action: ToolCall, timeout_s: float | None = None, **_: Any) -> ToolResult:
        return self.step(action, timeout_s)


if __name__ == "__main__":
    served = ServedEnvironment if "--threads" in sys.argv else AsyncEnvironment
    app = create_app(served, ToolCall, ToolResult, env_name="compared", max_concurrent_envs=int(sys.argv[2]))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}"}), file=sys.stderr, flush=True)
        config = uvicorn.Config(app, log_level="error", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
