"""What the generators of bundled environments promise about each task."""

from typing import Any

import pytest

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import GenerateConfig
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment import Task


async def generated(pool: SandboxPool, name: str, seed: str) -> Any:
    program = Catalog.load(["bundled"])[name].program
    return await pool.ask(program, GenerateConfig(seed, int(seed[0])), Limits())


@pytest.mark.parametrize("seed", ["3/0", "5/4", "5/5", "5/7"])
async def test_front_office_whoever_asks_about_a_meeting_attends_one_of_that_title(
    pool: SandboxPool, seed: str
) -> None:
    config = await generated(pool, "front_office", seed)
    senders = {mail["mail"]: mail["sender"] for mail in config["mails"]}
    about_meetings = [
        (senders[request["mail"]], request["what"])
        for request in config["asked"]
        if request["kind"] in {"move", "note", "invite", "room"}
    ]
    assert about_meetings
    for person, title in about_meetings:
        attended = [e for e in config["events"] if e["title"] == title and person in e["attendees"]]
        assert len(attended) == 1


@pytest.mark.parametrize("seed", ["1/7", "3/7", "4/7", "5/7"])
async def test_tariff_office_copies_do_not_suffice_for_all_pages_but_the_headings(
    pool: SandboxPool, seed: str
) -> None:
    config = await generated(pool, "tariff_office", seed)
    assert sorted(config["order"]) == list(range(config["pages"]))
    assert config["order"] != sorted(config["order"])
    assert config["copies"] < config["pages"] - len(config["headings"])


@pytest.mark.parametrize("seed", ["1/12", "1/14", "2/4", "4/0"])
async def test_stock_reconciliation_counts_differ_from_the_books(pool: SandboxPool, seed: str) -> None:
    environment = Catalog.load(["bundled"])["stock_reconciliation"]
    task = Task(id="generated", config=await generated(pool, "stock_reconciliation", seed))
    differences = await reference_answer(pool, environment, task, Limits())
    assert any(differences.values())
