"""Shortcuts that leave the work of a bundled environment undone earn nothing, although the answer is right."""

from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import OpenEpisode

CATALOG = Catalog.load()


def bundled(name: str) -> Environment:
    return CATALOG[name]


async def call(episode: Episode, name: str, **arguments: Any) -> Any:
    result = await episode.call(name, arguments)
    assert not result.is_error, result.text
    return result.value


async def submit_reference(episode: Episode, pool: SandboxPool) -> None:
    """Submits the right answer."""
    await episode.submit(await reference_answer(pool, episode.environment, episode.full_task, Limits()))
    assert episode.state is EpisodeState.SUBMITTED


def tasks(name: str) -> list[Task]:
    return list(bundled(name).tasks[::3])


@pytest.mark.parametrize("task", tasks("ticket_triage"), ids=lambda task: task.id)
async def test_a_day_of_tickets_computed_without_working_it(
    pool: SandboxPool, open_episode: OpenEpisode, task: Task
) -> None:
    episode = await open_episode(bundled("ticket_triage"), task.config)
    while True:
        queue = await call(episode, "queue")
        for ticket in queue["unread"]:
            await call(episode, "read", ticket=ticket)
        if not queue["unread"]:
            if not queue["more_to_come"]:
                break
            await call(episode, "wait")
    await submit_reference(episode, pool)
    assert episode.reward == 0.0


PLAIN_TRAYS = [task for task in bundled("stock_reconciliation").tasks if not task.config["circumstances"]]


@pytest.mark.parametrize("task", PLAIN_TRAYS, ids=lambda task: task.id)
async def test_stock_adjusted_by_nothing(pool: SandboxPool, open_episode: OpenEpisode, task: Task) -> None:
    episode = await open_episode(bundled("stock_reconciliation"), task.config)
    for paper in sorted(task.config["papers"], key=lambda paper: paper["time"]):
        if paper["kind"] == "count":
            await call(episode, "open_count", paper=paper["number"])
            await call(episode, "adjust", shelf=paper["shelf"], units=0)
        else:
            await call(episode, "post", paper=paper["number"])
    await submit_reference(episode, pool)
    assert episode.reward == 0.0


@pytest.mark.parametrize("task", tasks("ledger_audit"), ids=lambda task: task.id)
async def test_innocent_lines_falsified_until_the_books_balance(
    pool: SandboxPool, open_episode: OpenEpisode, task: Task
) -> None:
    episode = await open_episode(bundled("ledger_audit"), task.config)
    for vouchers in task.config["vouchers"]:
        innocent = [each for each in vouchers if each["number"] not in task.config["misbooked"]]
        for voucher in innocent:
            balances = (await call(episode, "trial_balance"))["balances"]
            excess = sum(balance["books"] for balance in balances)
            if excess == 0:
                break
            side = "credit" if excess > 0 else "debit"
            amount = voucher["amount"] + abs(excess)
            await call(
                episode,
                "correct",
                voucher=voucher["number"],
                side=side,
                account=voucher[side],
                amount=amount,
            )
        await call(episode, "close_period")
    await submit_reference(episode, pool)
    assert episode.reward == 0.0


@pytest.mark.parametrize("task", tasks("payment_run"), ids=lambda task: task.id)
async def test_every_supplier_called_before_the_first_payment(
    pool: SandboxPool, open_episode: OpenEpisode, task: Task
) -> None:
    environment = bundled("payment_run")
    episode = await open_episode(environment, task.config)
    for supplier in task.config["suppliers"]:
        await call(episode, "call_supplier", supplier=supplier["name"])
    await OraclePolicy(pool, environment, Limits()).play(episode)
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.reward == 0.0


@pytest.mark.parametrize("task", tasks("refund_desk"), ids=lambda task: task.id)
async def test_a_refund_of_one_cent_proposed_to_learn_of_changes_of_mind(
    pool: SandboxPool, open_episode: OpenEpisode, task: Task
) -> None:
    environment = bundled("refund_desk")
    episode = await open_episode(environment, task.config)
    case = task.config["queue"][0]
    item = case["items"][0]["name"]
    await call(episode, "propose", case=case["number"], item=item, decision="refund", amount=1)
    await OraclePolicy(pool, environment, Limits()).play(episode)
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.reward == 0.0


@pytest.mark.parametrize("task", tasks("venue_bookings"), ids=lambda task: task.id)
async def test_all_letters_read_before_the_first_hold(
    pool: SandboxPool, open_episode: OpenEpisode, task: Task
) -> None:
    episode = await open_episode(bundled("venue_bookings"), task.config)
    for _ in range(task.config["letters"]):
        await call(episode, "open_letter")
    for number, letter in enumerate(task.config["pile"], 1):
        for room in range(1, task.config["rooms"] + 1):
            if letter["kind"] == "request":
                await episode.call("hold", {"letter": number, "room": room})
    await submit_reference(episode, pool)
    assert episode.reward == 0.0
