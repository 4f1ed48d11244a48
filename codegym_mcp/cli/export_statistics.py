"""`codegym-mcp export --stats`: how many tokens the episodes of runs have."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from codegym_mcp.cli.command_output import err, out, print_json

if TYPE_CHECKING:
    from codegym_harness.export.token_statistics import EnvironmentTokens, TokenStatistics
    from codegym_harness.export.trajectory_filters import Filters


def print_statistics(runs: tuple[Path, ...], tokenizer: str, filters: "Filters", *, as_json: bool) -> None:
    """Counts and prints the tokens of the episodes that pass the filters."""
    from codegym_harness.export.token_statistics import token_statistics

    with err.status("Counting tokens") as status:
        done = 0

        def show(environment: str) -> None:
            nonlocal done
            done += 1
            status.update(f"Counting tokens: {done} episodes, {environment}")

        statistics = token_statistics(runs, tokenizer, filters, on_episode=show)
    if as_json:
        print_json(statistics.model_dump(mode="json"))
    else:
        _print_table(statistics)


def _print_table(statistics: "TokenStatistics") -> None:
    limits = statistics.total.longer_than
    table = Table(
        "Environment",
        *("Episodes", "Prompt", "longest", "Episode", "90 %", "99 %", "longest"),
        *(f"> {limit // 1024}k" for limit in limits),
        box=None,
        pad_edge=False,
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for name, tokens in statistics.environments.items():
        table.add_row(name, *_cells(tokens))
    if len(statistics.environments) > 1:
        table.add_row("all", *_cells(statistics.total))
    total = statistics.total
    _print(
        f"{total.episodes} of {statistics.read} episodes, {total.tokens:,} tokens of {statistics.tokenizer}."
    )
    dropped = ", ".join(f"{name} {count}" for name, count in statistics.dropped.items() if count)
    if dropped:
        _print(f"Dropped by {dropped}.")
    _print(f"Counted by {statistics.rendering}. Prompt and Episode are medians.\n")
    out.print(table, markup=False, highlight=False)


def _cells(tokens: "EnvironmentTokens") -> list[str]:
    prompt, episode = tokens.prompt, tokens.conversation
    lengths = (prompt.median, prompt.max, episode.median, episode.p90, episode.p99, episode.max)
    shares = (f"{100 * share:.0f} %" for share in tokens.longer_than.values())
    return [str(tokens.episodes), *map(str, lengths), *shares]


def _print(text: str) -> None:
    out.print(text, highlight=False, markup=False, soft_wrap=True)
