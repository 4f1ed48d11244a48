"""What the generators of bundled environments promise about each task."""

from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeMistakes, GenerateConfig, JudgeAnswer
from tests.conftest import OpenEpisode


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


@pytest.mark.parametrize("seed", ["3/1", "4/1", "5/1"])
async def test_ticket_triage_each_rule_that_is_forgotten_is_judged_wrong(
    pool: SandboxPool, seed: str
) -> None:
    program = Catalog.load(["bundled"])["ticket_triage"].program
    config = await generated(pool, "ticket_triage", seed)
    mistakes = await pool.ask(program, ComputeMistakes(config), Limits())
    several_steps = {"looks only one step down for urgent tickets"}
    coming_back = {
        "reads new tickets before those that came back",
        "works on what waits for a ticket that came back",
    }
    assert mistakes.keys() >= several_steps | (coming_back if config["comebacks"] else set())
    for name, left in mistakes.items():
        judged = JudgeAnswer(config, [left["answer"], left["state"]])
        assert not await pool.ask(program, judged, Limits()), name


@pytest.mark.parametrize("seed", ["3/0", "4/0", "5/0"])
@pytest.mark.parametrize(
    ("name", "tool", "budget"),
    [("night_courier", "call_pickup", "pickups"), ("vault_protocol", "probe", "probes")],
)
async def test_the_budget_is_at_most_one_and_a_half_times_what_the_oracle_uses(
    pool: SandboxPool, open_episode: OpenEpisode, name: str, tool: str, budget: str, seed: str
) -> None:
    environment = Catalog.load(["bundled"])[name]
    config = await generated(pool, name, seed)
    episode = await open_episode(environment, config)
    await OraclePolicy(pool, environment, Limits()).play(episode)
    assert episode.reward == 1.0
    used = [event for event in await episode.events() if isinstance(event, CallEvent) and event.name == tool]
    assert len(used) < config[budget] <= 1.5 * len(used)


@pytest.mark.parametrize("seed", ["2/0", "3/0", "4/0", "5/0"])
@pytest.mark.parametrize("name", ["night_courier", "vault_protocol"])
async def test_each_rule_that_is_forgotten_leads_to_an_answer_without_reward(
    pool: SandboxPool, open_episode: OpenEpisode, name: str, seed: str
) -> None:
    environment = Catalog.load(["bundled"])[name]
    config = await generated(pool, name, seed)
    mistakes = await pool.ask(environment.program, ComputeMistakes(config), Limits())
    assert mistakes
    for answer in mistakes.values():
        episode = await open_episode(environment, config)
        await episode.submit(answer)
        assert episode.reward == 0.0


@pytest.mark.parametrize("seed", ["1/7", "3/7", "4/7", "5/7"])
async def test_parcel_hunt_parcels_land_in_another_aisle_and_in_crates_that_can_be_opened(
    pool: SandboxPool, seed: str
) -> None:
    config = await generated(pool, "parcel_hunt", seed)
    aisle_of = {crate: number for number, crates in enumerate(config["manifests"]) for crate in crates}
    emptied = {each["crate"]: each["into"] for each in config["emptyings"]}
    assert bool(emptied) == bool(config["quarantine"]) == (seed > "4")
    for stray in config["strays"]:
        assert aisle_of[stray["belongs"]] != aisle_of[stray["landed"]]
        assert stray["landed"] not in [*config["quarantine"], *emptied, *emptied.values()]
    for crate, into in emptied.items():
        assert aisle_of[crate] == aisle_of[into]


@pytest.mark.parametrize("seed", ["4/7", "5/7", "5/8"])
async def test_venue_bookings_every_letter_that_changes_a_request_comes_after_it(
    pool: SandboxPool, seed: str
) -> None:
    config = await generated(pool, "venue_bookings", seed)
    assert len(config["pile"]) == config["letters"]
    asked = []
    for letter in config["pile"]:
        if letter["kind"] == "request":
            assert letter["client"] not in asked
            asked.append(letter["client"])
        elif letter["kind"] == "closure":
            assert 1 <= letter["room"] <= config["rooms"]
        else:
            assert letter["client"] in asked
    assert {letter["kind"] for letter in config["pile"]} == {"request", "cancellation", "change", "closure"}
