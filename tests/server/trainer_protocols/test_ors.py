"""The Open Reward Standard, with requests as openreward 0.1.167 and TRL 1.16.0 send them."""

import json
from typing import Any

import anyio
import httpx2
import pytest

from codegym_mcp.environment_definition.task_splits import HELD_OUT_TASKS, TRAINING_TASKS
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.trainer_protocols import ors_sessions
from codegym_mcp.server.trainer_protocols.ors_sessions import IDLE_SECONDS
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED
from tests.server.serving import SAFE, WORDS, Server, http_server

BLUE = {"task_spec": {"environment": "safe", "task": "blue"}}


class StreamFailedError(Exception):
    """The stream ended with the event `error`."""


def read_events(text: str) -> tuple[str | None, Any]:
    """Reads a stream as openreward's client does; returns its id and its result."""
    task, chunks, event = None, [], ""
    for raw in text.split("\n"):
        line = raw.rstrip("\r")
        if line.startswith(":") or not line:
            continue
        field, _, value = line.partition(":")
        value = value.lstrip()
        if field == "event":
            event = value
        elif event == "task_id":
            task = value
        elif event == "error":
            raise StreamFailedError(value)
        else:
            chunks.append(value)
    content = "".join(chunks)
    return task, json.loads(content) if content else None


class Session:
    """A session of a client."""

    def __init__(self, server: Server, sid: str = "") -> None:
        self._server = server
        self.sid = sid

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        if self.sid:
            headers["x-session-id"] = self.sid
        async with self._server.client(**{"x-api-key": self._server.token}, **headers) as client:
            return await client.request(method, path, json=body)

    async def create(self, asked: dict[str, Any] = BLUE, **headers: str) -> httpx2.Response:
        created = await self.request("POST", "/create_session", {})
        assert created.headers["content-type"].startswith("text/event-stream")
        sid, nothing = read_events(created.text)
        assert (bool(sid), nothing) == (True, None)
        self.sid = sid or ""
        return await self.request("POST", "/create", asked, **headers)

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        asked = {"name": name, "input": arguments or {}, **more}
        response = await self.request("POST", "/call", asked)
        assert response.status_code == 200, response.text
        return dict(read_events(response.text)[1])

    @property
    def episode(self) -> Episode:
        return self._server.episodes.by_key(f"ors/{self.sid}")


@pytest.fixture
async def session(served: Server) -> Session:
    """A session that plays the task `blue`."""
    created = Session(served)
    response = await created.create()
    assert response.json() == {"sid": created.sid}
    return created


async def test_an_episode_is_played_and_paid_once(session: Session) -> None:
    prompt = (await session.request("GET", "/prompt")).json()
    assert [block["type"] for block in prompt] == ["text"]
    assert prompt[0]["text"].startswith("A safe stands before you, its dial at")
    assert "`submit_answer`" in prompt[0]["text"]
    looked = await session.call("look")
    assert looked["output"]["reward"] is None
    assert looked["output"]["finished"] is False
    assert json.loads(looked["output"]["blocks"][0]["text"])["turns"] == 0
    submitted = await session.call("submit_answer", {"answer": WORDS["blue"]})
    assert submitted == {
        "ok": True,
        "output": {
            "blocks": [
                {"text": "Your answer was received. The episode is over.", "detail": None, "type": "text"}
            ],
            "metadata": None,
            "reward": 1.0,
            "finished": True,
        },
    }
    again = await session.call("submit_answer", {"answer": WORDS["blue"]})
    assert (again["ok"], again["reason"]) == (False, "episode_finished")
    assert session.episode.calls == 1


async def test_every_event_of_a_result_is_one_line(session: Session) -> None:
    text = "one\u2028two\u2029three\u0085four" * 1000
    response = await session.request("POST", "/call", {"name": "write", "input": {"text": text}})
    lines = [line for line in response.text.splitlines() if line]
    assert all(line.startswith(("event: ", "data: ", ":")) for line in lines)
    blocks = read_events(response.text)[1]["output"]["blocks"]
    assert text in blocks[0]["text"]


async def test_a_wrong_answer_earns_nothing(session: Session) -> None:
    submitted = await session.call("submit_answer", {"answer": WORDS["red"]})
    assert (submitted["output"]["reward"], submitted["output"]["finished"]) == (0.0, True)


async def test_calls_that_are_not_made_say_why(session: Session) -> None:
    refused = await session.call("force")
    assert refused["ok"] is True, "the tool's own refusal is a result"
    assert refused["output"]["metadata"] == {"status": "refused"}
    assert refused["output"]["blocks"][0]["text"] == "the door does not give way"
    assert (await session.call("open"))["reason"] == "not_found"
    wrong = await session.call("turn", {"clicks": "x"})
    assert (wrong["reason"], "clicks" in wrong["error"]) == ("input_validation", True)
    assert (await session.call("submit_answer", {"word": "x"}))["reason"] == "input_validation"
    assert session.episode.state == "open"


async def test_a_call_whose_stream_was_lost_is_made_once(session: Session) -> None:
    response = await session.request("POST", "/call", {"name": "turn", "input": {"clicks": 3}})
    task, first = read_events(response.text)
    second = await session.call("turn", {"clicks": 3}, task_id=task)
    assert second == first
    assert session.episode.calls == 1
    submitted = await session.request("POST", "/call", {"name": "submit_answer", "input": {"answer": "x"}})
    task, first = read_events(submitted.text)
    assert await session.call("submit_answer", {"answer": "x"}, task_id=task) == first
    other = await session.call("submit_answer", {"answer": WORDS["blue"]}, task_id=task)
    assert other["ok"] is False
    assert session.episode.reward == 0.0


async def test_of_simultaneous_submissions_one_is_paid(session: Session) -> None:
    rewards: list[float | None] = []

    async def submit() -> None:
        result = await session.call("submit_answer", {"answer": WORDS["blue"]})
        rewards.append(result["output"]["reward"] if result["ok"] else None)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(submit)
    assert sorted(map(str, rewards)) == ["1.0", "None", "None"]


async def test_the_call_that_finds_none_left_ends_the_session_with_nothing(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = ors_sessions._SETTINGS.limits.model_copy(update={"calls": 1})
    settings = ors_sessions._SETTINGS.model_copy(update={"limits": limits})
    monkeypatch.setattr(ors_sessions, "_SETTINGS", settings)
    session = Session(served)
    await session.create()
    await session.call("look")
    last = await session.call("look")
    assert (last["output"]["reward"], last["output"]["finished"]) == (0.0, True)
    assert (await session.call("look"))["reason"] == "episode_finished"


async def test_an_episode_that_is_not_scored_ends_with_an_error_and_tells_no_cause(served: Server) -> None:
    session = Session(served)
    await session.create({"task_spec": {"environment": "fragile", "task": "unjudged"}})
    for _ in range(2):
        with pytest.raises(StreamFailedError) as caught:
            await session.call("submit_answer", {"answer": 0})
        assert str(caught.value) == "The environment failed. The episode has ended and is not scored."


async def test_an_environment_that_fails_at_its_opening_is_an_error_and_leaves_nothing(
    served: Server,
) -> None:
    before = served.episodes.open_count
    response = await Session(served).create({"task_spec": {"environment": "fragile", "task": "only"}})
    assert response.status_code == 500
    assert served.episodes.open_count == before


async def test_creating_twice_plays_one_episode(session: Session) -> None:
    await session.call("look")
    assert (await session.request("POST", "/create", BLUE)).json() == {"sid": session.sid}
    assert session.episode.calls == 1
    other = await session.request("POST", "/create", {"task_spec": {"environment": "safe", "task": "red"}})
    assert other.status_code == 400
    assert "with another task" in other.json()["detail"]


async def test_a_deleted_session_is_gone_and_not_scored(session: Session) -> None:
    for _ in range(2):
        deleted = await session.request("POST", "/delete")
        assert deleted.json() == {"sid": session.sid}
    assert (session.episode.state, session.episode.reward) == ("abandoned", None)
    for method, path, body in (
        ("GET", "/prompt", None),
        ("POST", "/ping", None),
        ("POST", "/call", {"name": "look", "input": {}}),
        ("POST", "/create", BLUE),
    ):
        response = await session.request(method, path, body)
        assert response.status_code == 410
        assert "Create a new one" in response.json()["detail"]


async def test_deleting_does_not_change_a_verdict(session: Session) -> None:
    await session.call("submit_answer", {"answer": WORDS["blue"]})
    assert (await session.request("POST", "/delete_session")).status_code == 200
    assert session.episode.reward == 1.0


async def test_a_session_lives_as_long_as_it_is_pinged(served: Server, session: Session) -> None:
    now = session.episode.last_active + IDLE_SECONDS + 1
    assert session.episode.is_idle(now)
    await session.request("POST", "/ping")
    assert not session.episode.is_idle(session.episode.last_active + IDLE_SECONDS - 1)
    await served.episodes.expire_idle(session.episode.last_active + IDLE_SECONDS + 1)
    assert session.episode.state == "expired"
    response = await session.request("POST", "/ping")
    assert response.status_code == 410
    assert "No call was made for 900 seconds" in response.json()["detail"]


async def test_a_session_of_another_server_is_unknown(served: Server) -> None:
    stranger = Session(served, sid="0" * 32)
    for method, path in (("GET", "/prompt"), ("POST", "/ping")):
        response = await stranger.request(method, path)
        assert response.status_code == 410
        assert "has no such session" in response.json()["detail"]
    assert (await stranger.request("POST", "/delete")).status_code == 200


async def test_requests_of_a_session_need_its_header(served: Server) -> None:
    nobody = Session(served)
    for method, path, body in (("GET", "/prompt", None), ("POST", "/ping", None), ("POST", "/create", BLUE)):
        response = await nobody.request(method, path, body)
        assert response.status_code == 400
        assert "X-Session-ID" in response.json()["detail"]


async def test_a_session_is_resumed_by_its_id_and_takes_no_variables(served: Server) -> None:
    client = Session(served)
    resumed = await client.request("POST", "/create_session", {"task_id": "abc-1"})
    assert read_events(resumed.text)[0] == "abc-1"
    for body in ({"task_id": "a b"}, {"task_id": ""}, {"task_id": "x" * 129}):
        assert (await client.request("POST", "/create_session", body)).status_code == 422
    refused = await client.request("POST", "/create_session", {"env": {"OPENAI_BASE_URL": "x"}})
    assert refused.status_code == 400


async def test_messages_and_tools_of_a_session(session: Session) -> None:
    (message,) = (await session.request("GET", "/messages")).json()
    assert message["role"] == "user"
    assert message["blocks"] == (await session.request("GET", "/prompt")).json()
    listed = (await session.request("GET", "/safe/task_tools")).json()
    assert [tool["name"] for tool in listed["tools"]][-2:] == ["polish", "submit_answer"]
    assert set(listed["tools"][0]) == {"name", "description", "input_schema"}
    assert (listed["terminal_tool"], listed["supports_score_group"]) == (None, False)
    assert (await session.request("GET", "/safe/tools")).json() == listed
    mistaken = await session.request("GET", "/fragile/prompt")
    assert mistaken.status_code == 400
    assert "The session plays safe, not fragile." in mistaken.json()["detail"]


async def test_environments_splits_and_tasks_are_listed(served: Server) -> None:
    client = Session(served)
    assert (await client.request("GET", "/list_environments")).json() == ["safe", "fragile", "clerk"]
    splits = {each["name"]: each["type"] for each in (await client.request("GET", "/safe/splits")).json()}
    assert (splits["train"], splits["train-3"], splits["test"], splits["fixed"]) == (
        "train",
        "train",
        "test",
        "validation",
    )
    train = (await client.request("POST", "/safe/tasks", {"split": "train"})).json()
    assert (len(train["tasks"]), train["env_name"]) == (TRAINING_TASKS, "safe")
    assert train["tasks"][6] == {"environment": "safe", "difficulty": 2, "seed": 1}
    counted = (await client.request("POST", "/safe/num_tasks", {"split": "test"})).json()
    assert counted == {"num_tasks": HELD_OUT_TASKS}
    some = (await client.request("POST", "/safe/task_range", {"split": "test-4", "start": -2})).json()
    last = FIRST_HELD_OUT_SEED + HELD_OUT_TASKS - 1
    assert [task["seed"] for task in some["tasks"]] == [last - 1, last]
    one = (await client.request("POST", "/safe/task", {"split": "fixed", "index": 1})).json()
    assert one == {"task": {"environment": "safe", "task": "red"}, "env_name": "safe"}


@pytest.mark.parametrize(
    ("asked", "headers", "played"),
    [
        ({"env_name": "safe", **BLUE}, {}, ("safe", "blue")),
        ({"split": "fixed", "index": 1}, {}, ("safe", "red")),
        ({"split": "train-2", "index": 5, "env_name": "clerk"}, {}, ("clerk", "d2-s5")),
        ({"split": "train-2", "index": 5}, {"x-deployment": "clerk"}, ("clerk", "d2-s5")),
        ({"split": "train-2", "index": 5}, {"x-deployment": "someone/clerk"}, ("clerk", "d2-s5")),
        ({"split": "fixed", "index": 0}, {"x-deployment": "http://127.0.0.1:8000"}, ("safe", "blue")),
        ({"task_spec": {"difficulty": 1, "seed": 3}}, {"x-deployment": "safe"}, ("safe", "d1-s3")),
    ],
)
async def test_a_session_plays_the_task_that_its_client_means(
    served: Server, asked: dict[str, Any], headers: dict[str, str], played: tuple[str, str]
) -> None:
    session = Session(served)
    response = await session.create(asked, **headers)
    assert response.status_code == 200, response.text
    assert (session.episode.environment.name, session.episode.full_task.id) == played


@pytest.mark.parametrize(
    ("asked", "headers", "status", "told"),
    [
        ({}, {}, 422, "give either task_spec, or both split and index"),
        ({**BLUE, "split": "train", "index": 0}, {}, 422, "give either"),
        ({"split": "train"}, {}, 422, "give either"),
        ({"split": "train", "index": "0"}, {}, 422, "valid integer"),
        ({"split": "night", "index": 0}, {}, 404, "There is no split named 'night'."),
        ({"split": "fixed", "index": 2}, {}, 400, "has 2 tasks, and no task 2"),
        ({"split": "fixed", "index": 10**30}, {}, 400, "and no task 1000"),
        ({**BLUE, "secrets": {}}, {}, 422, "secrets"),
        ({**BLUE, "toolset_name": "codex"}, {}, 400, "Toolsets cannot be added"),
        ({"env_name": "vault", **BLUE}, {}, 404, "There is no environment named 'vault'."),
        ({"env_name": "clerk", **BLUE}, {}, 400, "The task belongs to safe, not to clerk."),
        ({"split": "train", "index": 0}, {"x-deployment": "vault"}, 404, "named 'vault'"),
        ({"task_spec": {"environment": "vault"}}, {}, 404, "named 'vault'"),
        ({"task_spec": {"environment": "safe", "task": "blue", "difficulty": 1}}, {}, 422, "not both"),
        ({"task_spec": {"environment": "safe", "task": 7}}, {}, 422, "valid string"),
        ({"task_spec": []}, {}, 422, "task_spec"),
        ([], {}, 422, "the body"),
    ],
)
async def test_a_task_that_does_not_exist_is_an_error(
    served: Server, asked: Any, headers: dict[str, str], status: int, told: str
) -> None:
    before = served.episodes.open_count
    response = await Session(served).create(asked, **headers)
    assert (response.status_code, told in response.json()["detail"]) == (status, True), response.text
    assert served.episodes.open_count == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"name": "look", "input": []}'])
async def test_a_body_that_is_no_call_is_an_error(served: Server, session: Session, content: bytes) -> None:
    headers = {"x-api-key": served.token, "x-session-id": session.sid}
    async with served.client(**headers) as client:
        response = await client.post("/call", content=content)
        assert response.status_code == 422
        assert (await client.post("/call", content=b" " * (1 << 21))).status_code == 413
    assert session.episode.calls == 0


async def test_every_address_but_the_version_needs_the_token(served: Server, session: Session) -> None:
    for key in ("", "wrong", session.episode.token):
        async with served.client(**{"x-api-key": key, "x-session-id": session.sid}) as client:
            for method, path in (
                ("GET", "/list_environments"),
                ("GET", "/safe/splits"),
                ("GET", "/prompt"),
                ("POST", "/create_session"),
                ("POST", "/create"),
                ("POST", "/ping"),
                ("POST", "/delete"),
                ("POST", "/safe/call"),
            ):
                response = await client.request(method, path, json={} if method == "POST" else None)
                assert response.status_code == 401, path
                assert "X-API-Key" in response.json()["detail"]
            assert (await client.get("/version")).json()["version"]
    assert session.episode.state == "open"


async def test_the_control_plane_takes_the_token_as_a_bearer_token_alone(served: Server) -> None:
    async with served.client(**{"x-api-key": served.token}) as client:
        assert (await client.get("/environments")).status_code == 401


async def test_the_addresses_exist_only_where_the_protocol_is_spoken(pool: SandboxPool) -> None:
    async with http_server(pool, paths=(SAFE,), protocols=frozenset({TrainerProtocol.NEMO_GYM})) as server:
        assert (await Session(server).request("GET", "/list_environments")).status_code in (404, 405)
    async with http_server(pool, paths=(SAFE,)) as server:
        assert (await Session(server).request("GET", "/safe/splits")).status_code == 404
        assert (await Session(server).request("POST", "/create_session", {})).status_code == 404
