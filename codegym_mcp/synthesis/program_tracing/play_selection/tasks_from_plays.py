"""Chooses the plays of an oracle that become the tasks of an environment."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pydantic_core import to_json

from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play
from codegym_mcp.verification.audit.hidden_value_readout import hidden_leaves


def choose_tasks(plays: Sequence[Play], count: int) -> list[Play]:
    """Chooses plays whose answers differ as much as possible; long plays come first among equal answers."""
    by_answer: dict[bytes, list[Play]] = defaultdict(list)
    for play in sorted(plays, key=lambda play: (len(play.calls), to_json(play.config))):
        by_answer[to_json(play.answer)].append(play)
    groups = sorted(by_answer.values(), key=lambda group: -len(group[-1].calls))
    chosen: list[Play] = []
    while len(chosen) < count and any(groups):
        for group in groups:
            if group and len(chosen) < count:
                chosen.append(group.pop())
        if len(chosen) >= count // 2 + 2 and _most_common(chosen) * 4 > len(chosen):
            break
    return _balanced(chosen)


def quickest(plays: Sequence[Play], hidden: Sequence[str], least: int) -> list[Play]:
    """Returns a third of the plays, at least `least`: those with few calls for their hidden values."""

    def values_per_call(play: Play) -> float:
        return sum(1 for _ in hidden_leaves(play.config[name] for name in hidden)) / len(play.calls)

    return sorted(plays, key=values_per_call, reverse=True)[: max(least, len(plays) // 3)]


def use_every_tool(chosen: list[Play], plays: Sequence[Play]) -> list[Play]:
    """Adds plays that use the tools that no chosen play uses."""
    used = {call.name for play in chosen for call in play.calls}
    made = list(chosen)
    for play in plays:
        names = {call.name for call in play.calls}
        if names - used:
            made.append(play)
            used |= names
    return made


def _most_common(plays: Iterable[Play]) -> int:
    return max(Counter(to_json(play.answer) for play in plays).values())


def _balanced(plays: list[Play]) -> list[Play]:
    """Drops tasks of the most common answer while eight are left."""
    while len(plays) > 8 and _most_common(plays) * 4 > len(plays):
        (answer, _), *_ = Counter(to_json(play.answer) for play in plays).most_common(1)
        last = max(place for place, play in enumerate(plays) if to_json(play.answer) == answer)
        plays = plays[:last] + plays[last + 1 :]
    return plays
