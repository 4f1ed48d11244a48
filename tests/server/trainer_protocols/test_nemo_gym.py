"""NeMo Gym's resources server, with requests as its 0.7.0 and verifiers 0.4.0 send them."""

from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.trainer_protocols.nemo_gym import MAX_ROLLOUT_BODY
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from tests.server.serving import SAFE, WORDS, Server, http_server

ROW = {
    "responses_create_params": {"input": [{"role": "user", "content": "Open the safe."}], "tools": []},
    "environment": "safe",
    "task": "blue",
}
RESPONSE = {"id": "resp_1", "object": "response", "output": [], "model": "m"}
EPISODE = {"rollout_id": "3-0", "attempt": 0}
MARKED = {"_ng_task_index": 3, "_ng_rollout_index": 0, "agent_ref": {"name": "simple_agent"}}


class Session:
    """A rollout's session, which sends the cookies of its last response."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.cookies: dict[str, str] = {}

    async def post(self, path: str, body: Any, *, token: bool = True) -> httpx2.Response:
        client = self._server.control() if token else self._server.client()
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookie} if cookie else {}
        async with client:
            response = await client.post(path, json=body, headers=headers)
        self.cookies.update(response.cookies)
        return response

    async def seed(self, **fields: Any) -> dict[str, Any]:
        response = await self.post("/seed_session", {**ROW, **fields})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def verify(self, **fields: Any) -> httpx2.Response:
        return await self.post("/verify", {**ROW, "response": RESPONSE, **fields})

    @property
    def episode(self) -> Episode:
        return self._server.episodes.by_token(self.cookies["codegym_session"])


def typed(session: str, **row: Any) -> dict[str, Any]:
    """A request of an Environment Server."""
    return {
        "resources_session_id": session,
        "episode_id": EPISODE,
        "task_id": {"taskset": "safes", "task_id": "0"},
        "task_data": {"environment": "safe", "task": "blue", **row},
    }


def closing(session: str) -> dict[str, Any]:
    return {"resources_session_id": session, "episode_id": EPISODE}


async def test_an_agent_plays_over_mcp_and_is_paid(served: Server) -> None:
    session = Session(served)
    mcp = (await session.seed())["mcp"]
    assert (mcp["server_name"], mcp["transport"]) == ("codegym", "http")
    async with served.client(**mcp["headers"]) as plain:
        streams = streamable_http_client(served.url + mcp["url_path"], http_client=plain)
        async with Client(streams, mode="legacy", read_timeout_seconds=30) as client:
            await client.call_tool("look", {})
            received = await client.call_tool("submit_answer", {"answer": WORDS["blue"]})
    assert "correct" not in str(received), "the agent is not told the verdict"
    verdict = (await session.verify()).json()
    assert verdict == {
        **ROW,
        "response": RESPONSE,
        "reward": 1.0,
        "mask_sample": False,
        "codegym_episode": session.episode.id,
        "codegym_outcome": "correct",
        "codegym_calls": 1,
    }


async def test_an_agent_without_mcp_calls_tools_with_the_cookie(served: Server) -> None:
    session = Session(served)
    await session.seed(task="red")
    looked = await session.post("/look", {})
    assert (looked.status_code, looked.json()) == (200, {"dial": 100, "turns": 0})
    assert looked.cookies["codegym_session"] == session.cookies["codegym_session"], "each response has it"
    refused = await session.post("/force", {})
    assert refused.status_code == 422
    assert refused.text == "the door does not give way"
    unknown = await session.post("/no_such_tool", {})
    assert unknown.status_code == 422
    assert "There is no tool named 'no_such_tool'" in unknown.text
    wrong_type = await session.post("/turn", {"clicks": "many"})
    assert wrong_type.status_code == 422
    received = await session.post("/submit_answer", {"answer": WORDS["red"]})
    assert received.text == "Your answer was received. The episode is over."
    after = await session.post("/look", {})
    assert (after.status_code, "The episode is over" in after.text) == (422, True)
    assert (await session.verify()).json()["reward"] == 1.0


async def test_a_difficulty_and_a_seed_name_a_generated_task(served: Server) -> None:
    session = Session(served)
    await session.seed(task=None, difficulty=3, seed=11)
    assert session.episode.full_task.id == "d3-s11"


async def test_verifying_again_gives_the_same_reward_and_ends_nothing_twice(served: Server) -> None:
    session = Session(served)
    await session.seed()
    await session.post("/submit_answer", {"answer": WORDS["blue"]})
    verdicts = [(await session.verify()).json() for _ in range(2)]
    assert verdicts[0] == verdicts[1]
    assert [event.kind for event in await session.episode.events()].count("ended") == 1


async def test_verifying_without_a_submission_ends_the_episode_and_earns_nothing(served: Server) -> None:
    session = Session(served)
    await session.seed()
    verdict = (await session.verify()).json()
    assert (verdict["reward"], verdict["mask_sample"]) == (0.0, False)
    assert verdict["codegym_outcome"] == "no_submission"
    late = await session.post("/submit_answer", {"answer": WORDS["blue"]})
    assert late.status_code == 422
    assert (await session.verify()).json()["reward"] == 0.0, "an answer after the end earns nothing"


async def test_a_wrong_answer_earns_nothing(served: Server) -> None:
    session = Session(served)
    await session.seed()
    await session.post("/submit_answer", {"answer": WORDS["red"]})
    verdict = (await session.verify()).json()
    assert (verdict["reward"], verdict["mask_sample"], verdict["codegym_outcome"]) == (
        0.0,
        False,
        "incorrect",
    )


@pytest.fixture
async def unscored(served: Server) -> Session:
    """The session of an environment that cannot judge."""
    session = Session(served)
    await session.seed(environment="fragile", task="unjudged")
    await session.post("/submit_answer", {"answer": 0})
    return session


async def test_an_episode_that_was_not_scored_is_masked_for_nemo_gym(unscored: Session) -> None:
    verdict = (await unscored.verify(**MARKED)).json()
    assert verdict["mask_sample"] is True
    assert verdict["failure_kind"] == "codegym:environment_failed"
    assert "KeyError" in verdict["failure_reason"]
    assert verdict["_ng_task_index"] == 3


async def test_an_episode_that_was_not_scored_is_an_error_for_clients_that_read_no_mask(
    unscored: Session,
) -> None:
    response = await unscored.verify()
    assert response.status_code == 409
    assert "The episode was not scored." in response.json()["detail"]


async def test_an_unknown_session_is_lost_not_wrong(served: Server) -> None:
    session = Session(served)
    session.cookies["codegym_session"] = "deadbeefdeadbeef-forged"
    masked = (await session.verify(**MARKED)).json()
    assert (masked["mask_sample"], masked["failure_kind"]) == (True, "session_lost")
    assert (await session.verify()).status_code == 409
    called = await session.post("/look", {})
    assert called.status_code == 404
    assert "Seed a new one" in called.json()["detail"]


async def test_the_cookie_needs_its_secret(served: Server) -> None:
    session, thief = Session(served), Session(served)
    await session.seed()
    thief.cookies["codegym_session"] = session.episode.id
    assert (await thief.post("/look", {})).status_code == 404
    assert session.episode.calls == 0


async def test_a_request_without_a_session_says_what_is_missing(served: Server) -> None:
    session = Session(served)
    for path, body in (("/verify", {**ROW, "response": RESPONSE}), ("/look", {}), ("/close_session", {})):
        response = await session.post(path, body)
        assert response.status_code == 400
        assert "codegym_session" in response.json()["detail"]


async def test_seeding_again_with_the_cookie_drops_the_first_episode(served: Server) -> None:
    session = Session(served)
    await session.seed()
    first = session.episode
    await session.seed(task="red")
    assert session.episode is not first
    assert first.state == "abandoned"
    assert first.reward is None


async def test_a_dropped_episode_is_not_scored(served: Server) -> None:
    session = Session(served)
    await session.seed()
    assert (await session.post("/close_session", {})).json() == {}
    assert (await session.post("/close_session", {})).status_code == 200
    verdict = (await session.verify(**MARKED)).json()
    assert (verdict["mask_sample"], verdict["failure_kind"]) == (True, "cancelled")


async def test_an_environment_server_seeds_verifies_and_closes(served: Server) -> None:
    session = Session(served)
    seeded = (await session.post("/seed_session", typed("s-1"))).json()
    assert seeded == {
        "resources_session_id": "s-1",
        "resources_tools": {
            "server_name": "codegym",
            "url_path": f"/episodes/{session.episode.token}/mcp",
            "transport": "http",
            "headers": {"X-NeMo-Gym-Session-Token": session.episode.token},
        },
        "sandbox_access": None,
    }
    await session.post("/submit_answer", {"answer": WORDS["blue"]})
    asked = {
        "episode_id": EPISODE,
        "task_id": {"taskset": "safes", "task_id": "0"},
        "verification_input": {"responses_create_params": {"input": "x"}, "response": RESPONSE},
    }
    verdict = (await session.post("/verify", asked)).json()
    assert (verdict["reward"], verdict["response"]) == (1.0, RESPONSE)
    assert verdict["responses_create_params"] == {"input": "x"}
    closed = await session.post("/close_session", closing("s-1"))
    assert closed.json() == {"resources_session_id": "s-1"}
    assert session.episode.state == "submitted"


async def test_the_session_contract_holds(served: Server) -> None:
    """The steps of `nemo_gym.testing.session_conformance.check_resources_session_contract`."""
    session = Session(served)
    for _ in range(2):
        seeded = await session.post("/seed_session", typed("contract"))
        assert (seeded.status_code, seeded.json()["resources_session_id"]) == (200, "contract")
    episode = session.episode
    for _ in range(2):
        closed = await session.post("/close_session", closing("contract"))
        assert (closed.status_code, closed.json()) == (200, {"resources_session_id": "contract"})
    assert episode.state == "abandoned"
    assert (await session.post("/close_session", closing("never"))).status_code == 200
    for late in ("contract", "never"):
        refused = await Session(served).post("/seed_session", typed(late))
        assert refused.status_code == 409
        assert "has ended" in refused.json()["detail"]


async def test_a_session_that_is_closed_while_it_is_seeded_is_not_left_open(served: Server) -> None:
    before = served.episodes.open_count
    seeding, closer = Session(served), Session(served)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(seeding.post, "/seed_session", typed("raced", task=None, difficulty=1))
        tasks.start_soon(closer.post, "/close_session", closing("raced"))
    await closer.post("/close_session", closing("raced"))
    assert served.episodes.open_count == before


async def test_the_same_session_id_with_another_row_is_refused(served: Server) -> None:
    session = Session(served)
    await session.post("/seed_session", typed("twice"))
    other = await session.post("/seed_session", typed("twice", task="red"))
    assert other.status_code == 422
    assert "Another episode was opened" in other.json()["detail"]


@pytest.mark.parametrize(
    ("row", "status", "told"),
    [
        ({"environment": "vault", "task": None}, 404, "There is no environment named 'vault'."),
        ({"environment": None}, 422, "environment: Field required"),
        ({"environment": 7}, 422, "environment: Input should be a valid string"),
        ({"difficulty": 2}, 422, "not both"),
        ({"task": None, "seed": 2}, 422, "a seed needs a difficulty"),
        ({"task": None, "difficulty": 9}, 422, "difficulty: Input should be less than or equal to 5"),
        ({"task": None, "difficulty": [2]}, 422, "difficulty: Input should be a valid integer"),
        ({"task": "green"}, 404, "There is no task named 'green'."),
        ({"environment": "fragile", "task": None, "difficulty": 1}, 422, "has no generator"),
        ({"environment": "clerk", "task": None, "difficulty": 1}, 422, "its tool verify has the name of"),
        ({"environment": "fragile", "task": "only"}, 500, "KeyError"),
    ],
)
async def test_a_row_that_opens_no_episode_is_an_error(
    served: Server, row: dict[str, Any], status: int, told: str
) -> None:
    before = served.episodes.open_count
    response = await Session(served).post("/seed_session", {**ROW, **row})
    assert (response.status_code, told in response.json()["detail"]) == (status, True), response.text
    assert served.episodes.open_count == before


@pytest.mark.parametrize(
    "path", ["/seed_session", "/verify", "/close_session", "/aggregate_metrics", "/look"]
)
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'"text"', b"\xff", b"[" * 10_000])
async def test_a_body_that_is_no_object_is_an_error(served: Server, path: str, content: bytes) -> None:
    session = Session(served)
    await session.seed()
    headers = {"cookie": f"codegym_session={session.cookies['codegym_session']}"}
    async with served.control() as control:
        response = await control.post(path, content=content, headers=headers)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("The request is wrong at")
    assert session.episode.state == "open"


async def test_a_rollout_may_be_large_but_not_without_bounds(served: Server) -> None:
    session = Session(served)
    await session.seed()
    async with served.control() as control:
        headers = {"cookie": f"codegym_session={session.cookies['codegym_session']}"}
        huge = b" " * (MAX_ROLLOUT_BODY + 1)
        # The connection may be closed before the client has sent all and reads the response.
        with suppress(httpx2.NetworkError):
            assert (await control.post("/verify", content=huge, headers=headers)).status_code == 413
    async with served.control() as control:
        seeded = await control.post("/seed_session", content=b" " * (1 << 21), headers=headers)
        assert seeded.status_code == 413
    assert session.episode.state == "open"
    token_ids = list(range(400_000))
    verdict = await session.verify(response={**RESPONSE, "generation_token_ids": token_ids})
    assert verdict.json()["response"]["generation_token_ids"] == token_ids


@pytest.mark.parametrize("missing", ["response", "responses_create_params"])
async def test_a_verdict_needs_what_it_gives_back_and_leaves_the_episode_open_without(
    served: Server, missing: str
) -> None:
    session = Session(served)
    await session.seed()
    body = {**ROW, "response": RESPONSE}
    del body[missing]
    response = await session.post("/verify", body)
    assert response.status_code == 422
    assert missing in response.json()["detail"]
    assert session.episode.state == "open"


@pytest.mark.parametrize(
    "path",
    ["/seed_session", "/verify", "/close_session", "/aggregate_metrics", "/look", "/ng-rollout/1-0/verify"],
)
async def test_every_address_needs_the_token(served: Server, path: str) -> None:
    session = Session(served)
    await session.seed()
    response = await session.post(path, {**ROW, "response": RESPONSE}, token=False)
    assert response.status_code == 401
    assert "control plane's token" in response.json()["detail"]
    async with served.client(authorization=f"Bearer {session.episode.token}") as agent:
        assert (await agent.get("/reverify_mode")).status_code == 401, "an agent's address is no token"
        assert (await agent.post(path, json={})).status_code == 401
    assert session.episode.state == "open"


async def test_an_observed_run_puts_the_rollout_before_the_path(served: Server) -> None:
    session = Session(served)
    seeded = await session.post("/ng-rollout/3-0/seed_session", ROW)
    assert seeded.status_code == 200
    assert (await session.post("/ng-rollout/3-0/look", {})).status_code == 200
    verdict = await session.post("/ng-rollout/3-0/verify", {**ROW, "response": RESPONSE})
    assert verdict.json()["codegym_calls"] == 1


async def test_what_was_verified_cannot_be_verified_from_its_text(served: Server) -> None:
    async with served.control() as control:
        assert (await control.get("/reverify_mode")).json() == "unsupported"


async def test_metrics_are_aggregated(served: Server) -> None:
    rollouts = [{"reward": reward, "_ng_task_index": 0} for reward in (0.0, 1.0)]
    metrics = (await Session(served).post("/aggregate_metrics", {"verify_responses": rollouts})).json()
    assert metrics["agent_metrics"]["mean/reward"] == 0.5


async def test_a_full_server_says_so(pool: SandboxPool) -> None:
    nemo_gym = frozenset({TrainerProtocol.NEMO_GYM})
    async with http_server(pool, paths=(SAFE,), open_limit=1, protocols=nemo_gym) as server:
        await Session(server).seed()
        response = await Session(server).post("/seed_session", ROW)
        assert response.status_code == 429
        assert "1 episodes are open" in response.json()["detail"]


async def test_the_addresses_exist_only_where_the_protocol_is_spoken(pool: SandboxPool) -> None:
    async with http_server(pool, paths=(SAFE,), protocols=frozenset({TrainerProtocol.ORS})) as server:
        assert (await Session(server).post("/seed_session", ROW)).status_code == 404
