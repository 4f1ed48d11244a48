"""Which process serves a request."""

from typing import Any

import pytest
from pydantic_core import to_json

from codegym_mcp.episodes.episode_shards import id_of_key
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from codegym_mcp.server.workers.episode_owner import Owner, owner_by_body, owner_by_head

ID = "0123456789abcdef"
TOKEN = f"{ID}-secret"
BOTH = frozenset(TrainerProtocol)
NEMO_SESSION = {"resources_session_id": "s", "episode_id": {"rollout_id": "r", "attempt": 2}}
NEMO_KEY = 'nemo-gym/["s","r",2]'


def scope(method: str, path: str, **headers: str) -> dict[str, Any]:
    plain, _, query = path.partition("?")
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": plain,
        "query_string": query.encode(),
        "headers": fields,
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "owner"),
    [
        ("GET", "/health", {}, Owner.CONTROL_PROCESS),
        ("GET", "/metrics", {}, Owner.CONTROL_PROCESS),
        ("GET", "/episodes?state=open", {}, Owner.CONTROL_PROCESS),
        ("GET", "/view/api/runs", {}, Owner.CONTROL_PROCESS),
        ("GET", f"/episodes/{ID}", {}, ID),
        ("DELETE", f"/episodes/{ID}", {}, ID),
        ("GET", f"/episodes/{ID}/events", {}, ID),
        ("POST", f"/episodes/{TOKEN}/mcp", {}, ID),
        ("POST", "/episodes//mcp", {}, ""),
        ("GET", "/environments?limit=3", {}, Owner.ANY_WORKER),
        ("GET", "/curriculum", {}, Owner.ANY_WORKER),
        ("GET", "/nowhere", {}, Owner.ANY_WORKER),
        ("POST", "/episodes", {}, None),
        ("POST", "/mcp", {}, None),
        ("DELETE", "/mcp", {}, Owner.ANY_WORKER),
        ("GET", "/view", {}, Owner.ANY_WORKER),
        ("GET", "/view/api/episodes?run=worker-2", {}, 1),
        ("GET", "/view/api/episodes?run=worker-x", {}, Owner.ANY_WORKER),
        ("GET", f"/view/api/episode?run=worker-2&episode={ID}", {}, ID),
        ("POST", "/call", {"x_session_id": "s"}, id_of_key("ors/s")),
        ("POST", "/create", {"x_session_id": " s "}, id_of_key("ors/s")),
        ("POST", "/create_session", {}, Owner.ANY_WORKER),
        ("POST", "/look", {"cookie": f"other=1; codegym_session={TOKEN}"}, ID),
        ("POST", "/verify", {"cookie": f"codegym_session={TOKEN}"}, ID),
        ("POST", "/seed_session", {}, None),
        ("POST", "/ng-rollout/7/seed_session", {}, None),
    ],
)
def test_the_head_of_a_request_tells_its_owner(
    method: str, path: str, headers: dict[str, str], owner: str | int | Owner | None
) -> None:
    assert owner_by_head(scope(method, path, **headers), BOTH) == owner


@pytest.mark.parametrize(
    ("path", "body", "owner"),
    [
        ("/episodes", {"environment": "safe", "request_key": "k"}, id_of_key("k")),
        ("/episodes", {"environment": "safe"}, Owner.NEW_EPISODE),
        ("/episodes", {"request_key": 7}, Owner.NEW_EPISODE),
        ("/episodes", ["request_key"], Owner.ANY_WORKER),
        ("/mcp", {"method": "initialize", "params": {}}, Owner.ANY_WORKER),
        ("/mcp", {"method": "tools/call", "params": {"name": "start_episode"}}, Owner.NEW_EPISODE),
        (
            "/mcp",
            {"method": "tools/call", "params": {"name": "call_tool", "arguments": {"episode": TOKEN}}},
            ID,
        ),
        (
            "/mcp",
            {"method": "tools/call", "params": {"name": "submit_answer", "arguments": {"episode": 7}}},
            Owner.ANY_WORKER,
        ),
        ("/mcp", {"method": "tools/call", "params": ["call_tool"]}, Owner.ANY_WORKER),
        ("/mcp", {"method": "tools/call", "params": {"name": "list_environments"}}, Owner.ANY_WORKER),
        ("/seed_session", {"environment": "safe"}, Owner.NEW_EPISODE),
        ("/seed_session", {**NEMO_SESSION, "task_data": {}}, id_of_key(NEMO_KEY)),
        ("/close_session", NEMO_SESSION, id_of_key(NEMO_KEY)),
        ("/close_session", {"resources_session_id": 7}, Owner.ANY_WORKER),
    ],
)
def test_the_body_tells_the_owner_where_the_head_does_not(path: str, body: Any, owner: str | Owner) -> None:
    assert owner_by_body(scope("POST", path), to_json(body), BOTH) == owner


def test_a_body_that_is_not_json_is_for_any_worker_which_refuses_it() -> None:
    assert owner_by_body(scope("POST", "/mcp"), b"{", BOTH) is Owner.ANY_WORKER


def test_a_session_that_is_seeded_again_stays_where_the_one_before_is() -> None:
    seeded = scope("POST", "/seed_session", cookie=f"codegym_session={TOKEN}")
    assert owner_by_body(seeded, to_json({"environment": "safe"}), BOTH) == ID


def test_sessions_of_protocols_that_are_not_spoken_mean_nothing() -> None:
    of_ors = scope("POST", "/call", x_session_id="s")
    of_nemo_gym = scope("POST", "/seed_session", cookie=f"codegym_session={TOKEN}")
    assert owner_by_head(of_ors, frozenset()) is Owner.ANY_WORKER
    assert owner_by_head(of_nemo_gym, frozenset()) is Owner.ANY_WORKER
