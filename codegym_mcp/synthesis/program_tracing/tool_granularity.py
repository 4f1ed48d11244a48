"""Tries the ways to lift a solution, from coarse to fine, and takes the one that makes the best tasks."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.environment_writing import (
    ReferenceForm,
    ToolTypes,
    write_environment,
)
from codegym_mcp.synthesis.program_tracing.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import (
    Play,
    differ,
    differ_in_tools,
    repeated_share,
    repeated_tools,
)
from codegym_mcp.synthesis.program_tracing.oracle_player import MAX_CALLS, OraclePlayer
from codegym_mcp.synthesis.program_tracing.redrawn_values import redraw_leaves, shuffle_leaves
from codegym_mcp.synthesis.program_tracing.solution_runs import Evaluated, evaluate
from codegym_mcp.synthesis.program_tracing.tasks_from_plays import choose_tasks, quickest, use_every_tool
from codegym_mcp.synthesis.program_tracing.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.traced_program import Program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape, annotation, shape_of
from codegym_mcp.synthesis.program_tracing.variable_placement import Variation
from codegym_mcp.synthesis.synthesis_options import Tier, TracingFigures
from codegym_mcp.verification.audit.hidden_value_reading import ObservedCalls, hidden_leaves, read_out_ratio
from codegym_mcp.verification.audit.value_search import ObservedCall, SearchedPlay, measure_search_costs
from codegym_mcp.verification.verification_context import VerificationContext

LEAST_CALLS = 10
MOST_TASKS = 12
_FEW_CALLS = 128
"""Plays with at most so many calls become tasks, if there are enough of them."""
MOST_PEEKS = 0.5
"""Greatest share of calls that only read a hidden value."""
MOST_REPEATED = 0.3
"""Greatest share of calls that repeat an earlier one."""
MOST_CONSTANT = 0.5
"""The best constant answer solves a smaller share of the tasks."""
ENOUGH_TOOLS = 3
ENOUGH_ADAPTIVE = 0.5
_NEARLY_ENOUGH = 0.4
"""With such a `read_out`, tasks that take few calls are tried; they may cost less than reading everything."""
_FIRST_PLAYS = 14
_FIRST_CALLS = 3
_TWINS = 3
_TWIN_SEED = 7


VARIATIONS = (
    Variation("helpers are tools"),
    Variation("conditions are split", split=True),
    Variation("helpers are entered", entered=True),
    Variation("helpers are entered and conditions split", entered=True, split=True),
    Variation("state is hidden", entered=True, state=True),
    Variation("state and containers are hidden", entered=True, state=True, scratch=True),
    Variation("values are hidden", entered=True, state=True, counts=True),
    Variation("values and containers are hidden", entered=True, state=True, counts=True, scratch=True),
    Variation("aggregates are tools", aggregates=False),
    Variation("arithmetic is in the tools", agent_computes=False),
    Variation("numbers are hidden", public_scalars=False, state=True),
)


@dataclass(frozen=True)
class Granularity:
    """A lifted solution with the plays that become its tasks.

    Attributes:
        lifted: the lifted solution.
        plays: the chosen plays, of which no two have the same input.
        all_plays: all correct plays, from which types are learnt.
        tier: how good the tasks are.
        read_out: calls to read everything as a multiple of the oracle's calls, or None.
        adaptive: share of tasks with a twin whose calls differ, or None.
    """

    lifted: LiftedProgram
    plays: list[Play]
    all_plays: list[Play]
    tier: Tier
    read_out: float | None
    adaptive: float | None

    @property
    def figures(self) -> TracingFigures:
        """What was measured, for the provenance."""
        adaptive = round(self.adaptive, 4) if self.adaptive is not None else None
        return TracingFigures(
            tier=self.tier, variation=self.lifted.variation, adaptive=adaptive, read_out=self.read_out
        )


async def choose_granularity(
    context: VerificationContext,
    program: Program,
    *,
    variables: Mapping[tuple[str, str], Shape],
    parameters: dict[str, Shape],
    inputs: Sequence[Evaluated],
    least_tasks: int,
) -> Granularity:
    """Returns the best way to lift a solution; among equal ones the coarsest.

    Raises:
        RefusedProblemError: no way makes usable tasks; the reason is that of the way that came furthest.
    """
    best: Granularity | None = None
    reasons: list[tuple[int, str, Stage]] = []
    twins = _Twins(context, program, inputs)
    seen: set[bytes] = set()
    for variation in VARIATIONS:
        hidden = _hidden_parameters(program, parameters, variation)
        try:
            lifted = lift(program, hidden, variables, parameters, variation)
            digest = _digest(lifted)
            if digest in seen:
                continue
            seen.add(digest)
            chooser = _Chooser(context, program, parameters, least_tasks)
            made = await chooser.examine(lifted, inputs, twins)
        except RefusedProblemError as error:
            reasons.append((list(Stage).index(error.stage), error.reason, error.stage))
            continue
        if best is None or made.tier.rank > best.tier.rank:
            best = made
        if best.tier is Tier.NOT_BYPASSABLE:
            break
    if best is None:
        _, reason, stage = max(reasons, key=lambda each: each[0])
        raise RefusedProblemError(reason, stage)
    return best


def _hidden_parameters(program: Program, parameters: Mapping[str, Shape], variation: Variation) -> list[str]:
    """Returns the parameters to hide: the containers, or all if there are only numbers."""
    containers = [name for name in program.parameters if not parameters[name].is_scalar]
    if not containers or not variation.public_scalars:
        constant = {name for name in program.parameters if parameters[name].kinds <= {Kind.NONE}}
        return [name for name in program.parameters if name not in constant]
    return containers


def _digest(lifted: LiftedProgram) -> bytes:
    import ast

    text = [ast.unparse(ast.fix_missing_locations(ast.Module(lifted.oracle, [])))]
    text += [ast.unparse(ast.fix_missing_locations(tool.body)) for tool in lifted.tools]
    return to_json(text)


class _Twins:
    """Other inputs of the same structure, made when they are first asked for.

    They have the same values in another order, or other values in the same order.
    """

    def __init__(self, context: VerificationContext, program: Program, inputs: Sequence[Evaluated]) -> None:
        self._context = context
        self._program = program
        self._inputs = inputs
        self._found: dict[int, list[Evaluated]] | None = None

    async def by_place(self) -> Mapping[int, Sequence[Evaluated]]:
        """Returns the twins of inputs by the places of these inputs."""
        if self._found is None:
            self._found = await self._make()
        return self._found

    async def _make(self) -> dict[int, list[Evaluated]]:
        random = Random(_TWIN_SEED)  # noqa: S311 - repeatable, not secret
        inputs = self._inputs
        wanted: list[tuple[int, tuple[Any, ...]]] = []
        for place, each in enumerate(inputs):
            for _ in range(2):
                arguments = tuple(shuffle_leaves(value, random) for value in each.arguments)
                if repr(arguments) != repr(each.arguments):
                    wanted.append((place, arguments))
            redrawn = tuple(
                redraw_leaves(value, other, random)
                for value, other in zip(each.arguments, random.choice(inputs).arguments, strict=True)
            )
            if repr(redrawn) != repr(each.arguments):
                wanted.append((place, redrawn))
        if not wanted:
            return {}
        calls = [inputs[0].arguments, *(arguments for _, arguments in wanted)]
        accepted = {
            repr(each.arguments): each for each in await evaluate(self._context, self._program, calls, 1)
        }
        found: dict[int, list[Evaluated]] = defaultdict(list)
        for place, arguments in wanted:
            if repr(arguments) in accepted:
                found[place].append(accepted[repr(arguments)])
        return found


@dataclass(frozen=True)
class _Examined:
    """A lifted solution with its plays.

    Attributes:
        plays: all correct plays.
        fit: those that could become tasks.
        player: plays the oracle on further inputs.
    """

    lifted: LiftedProgram
    inputs: Sequence[Evaluated]
    plays: list[Play]
    fit: list[Play]
    player: OraclePlayer
    twins: _Twins


class _Chooser:
    """Examines one lifted solution."""

    def __init__(
        self, context: VerificationContext, program: Program, parameters: dict[str, Shape], least_tasks: int
    ) -> None:
        self._context = context
        self._program = program
        self._parameters = parameters
        self._least = least_tasks

    async def examine(self, lifted: LiftedProgram, inputs: Sequence[Evaluated], twins: _Twins) -> Granularity:
        player = self._player(lifted)
        first = await player.play(inputs[:: max(1, len(inputs) // _FIRST_PLAYS)])
        _refuse_wrong(first)
        lifted.remembered = repeated_tools(first, _changing(lifted))
        if lifted.remembered:
            player = self._player(lifted)
        plays = await player.play(inputs)
        _refuse_wrong(plays)
        plays = [play for play in plays if play.correct]
        fit = [
            play for play in plays if LEAST_CALLS <= len(play.calls) <= MAX_CALLS and not _shows_answer(play)
        ]
        if len(fit) < self._least:
            raise RefusedProblemError(_length_reason(plays, fit), Stage.LENGTH)
        used = {call.name for play in plays for call in play.calls}
        lifted.tools = [tool for tool in lifted.tools if tool.name in used]
        examined = _Examined(lifted, inputs, plays, fit, player, twins)
        short = [play for play in fit if len(play.calls) <= _FEW_CALLS]
        found = await self._choose(examined, short if len(short) >= MOST_TASKS else fit)
        if found.tier is Tier.STRICT and found.read_out is not None and found.read_out >= _NEARLY_ENOUGH:
            try:
                other = await self._choose(examined, quickest(fit, lifted.hidden, MOST_TASKS))
            except RefusedProblemError:
                return found
            return other if other.tier is Tier.NOT_BYPASSABLE else found
        return found

    async def _choose(self, examined: "_Examined", pool: Sequence[Play]) -> Granularity:
        """Chooses tasks from plays, and measures them."""
        lifted, plays = examined.lifted, examined.plays
        chosen = use_every_tool(choose_tasks(pool, MOST_TASKS), examined.fit)
        constant = max(Counter(to_json(play.answer) for play in chosen).values()) / len(chosen)
        is_bool = shape_of(play.answer for play in chosen).kinds <= {Kind.BOOL}
        if constant > MOST_CONSTANT or (constant == MOST_CONSTANT and not is_bool):
            reason = f"One answer is right for {constant:.0%} of the inputs."
            raise RefusedProblemError(reason, Stage.AUDIT)
        peeks = _share(chosen, {tool.name for tool in lifted.tools if tool.is_raw})
        if peeks > MOST_PEEKS:
            raise RefusedProblemError(f"{peeks:.0%} of the calls only read hidden values.", Stage.AUDIT)
        repeated = max(repeated_share(play, _changing(lifted)) for play in chosen)
        if repeated > MOST_REPEATED:
            reason = f"{repeated:.0%} of the calls of a task repeat an earlier one."
            raise RefusedProblemError(reason, Stage.AUDIT)
        unused = {tool.name for tool in lifted.tools} - {call.name for play in chosen for call in play.calls}
        if unused:
            reason = f"No task of a suitable length uses the tool {min(unused)}."
            raise RefusedProblemError(reason, Stage.LENGTH)
        adaptive = await self._adaptivity(examined, chosen)
        observed = [self._observed(lifted, play) for play in chosen]
        read_out = read_out_ratio(observed)
        tier = _tier(chosen, adaptive, read_out)
        if tier is Tier.NOT_BYPASSABLE:
            read_out = read_out_ratio(observed, await self._search_costs(lifted, chosen, plays, observed))
            tier = _tier(chosen, adaptive, read_out)
        return Granularity(lifted, chosen, examined.plays, tier, read_out, adaptive)

    def _player(self, lifted: LiftedProgram) -> OraclePlayer:
        return OraclePlayer(self._context.pool, self._program, lifted, self._parameters)

    def _observed(self, lifted: LiftedProgram, play: Play) -> ObservedCalls:
        hidden = [play.config[name] for name in lifted.hidden]
        return ObservedCalls(
            hidden, [ObservedCall(call.name, call.arguments, call.result) for call in play.calls]
        )

    async def _search_costs(
        self,
        lifted: LiftedProgram,
        chosen: Sequence[Play],
        plays: Sequence[Play],
        observed: Sequence[ObservedCalls],
    ) -> dict[str, int]:
        """Searches for hidden values with the tools, in a draft of the environment."""
        form = ReferenceForm(self._parameters, "int", is_iterator=False, is_pairs=False)
        source = write_environment(
            text="Draft.",
            meta={"title": "Draft", **({"public": lifted.public} if lifted.public else {})},
            program=self._program,
            lifted=lifted,
            form=form,
            types=tool_types(lifted, plays),
        )
        try:
            environment = read_environment_source(source, name="draft", path="draft")
        except SourceError as error:
            raise RefusedProblemError(f"The written file cannot be read: {error}.") from None
        searched = [
            SearchedPlay(play.config, list(hidden_leaves(each.hidden)), each.calls)
            for play, each in zip(chosen, observed, strict=True)
        ]
        return await measure_search_costs(self._context, environment, searched)

    async def _adaptivity(self, examined: "_Examined", chosen: Sequence[Play]) -> float | None:
        """Returns the share of tasks for which the same values in another order lead to other calls."""
        if not _has_container(chosen):
            return _numeric_adaptivity(chosen)
        twins = await examined.twins.by_place()
        places = {repr(each.arguments): place for place, each in enumerate(examined.inputs)}
        pairs = [
            (play, twin) for play in chosen for twin in twins.get(places[repr(play.arguments)], ())[:_TWINS]
        ]
        if not pairs:
            return None
        played = await examined.player.play([twin for _, twin in pairs])
        differing = [
            differ(play, other) for (play, _), other in zip(pairs, played, strict=True) if other.correct
        ]
        return sum(differing) / len(differing) if differing else None


def tool_types(lifted: LiftedProgram, plays: Sequence[Play]) -> dict[str, ToolTypes]:
    """Learns the types of the tools from the calls of the oracle.

    Raises:
        RefusedProblemError: a tool takes or returns values without a common JSON form.
    """
    arguments: dict[str, dict[str, list[Any]]] = {}
    results: dict[str, list[Any]] = {}
    for play in plays:
        for call in play.calls:
            results.setdefault(call.name, []).append(call.result)
            for name, value in call.arguments.items():
                arguments.setdefault(call.name, {}).setdefault(name, []).append(value)
    return {
        tool.name: ToolTypes(
            {each: annotation(shape_of(arguments[tool.name][each])) for each in tool.parameters},
            annotation(shape_of(results[tool.name])),
            frozenset(each for each in tool.parameters if _is_positive(arguments[tool.name][each])),
        )
        for tool in lifted.tools
    }


def _changing(lifted: LiftedProgram) -> set[str]:
    return {tool.name for tool in lifted.tools if tool.changes}


def _is_positive(values: Sequence[Any]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _tier(plays: Sequence[Play], adaptive: float | None, read_out: float | None) -> Tier:
    used = {call.name for play in plays for call in play.calls}
    strict = len(used) >= ENOUGH_TOOLS and adaptive is not None and adaptive >= ENOUGH_ADAPTIVE
    if not strict:
        return Tier.USABLE
    return Tier.NOT_BYPASSABLE if read_out is None or read_out >= 1 else Tier.STRICT


def _has_container(plays: Sequence[Play]) -> bool:
    return any(isinstance(value, str | list | dict) for play in plays for value in play.config.values())


def _numeric_adaptivity(plays: Sequence[Play]) -> float | None:
    """Returns the share of tasks that call other tools than the task with the next number of calls.

    Numbers cannot change places. Arguments and the number of calls may differ because the numbers do, so only
    the order of the tools counts, as far as both plays go.
    """
    ordered = sorted(plays, key=lambda play: len(play.calls))
    pairs = list(pairwise(ordered))
    if not pairs:
        return None
    return sum(differ_in_tools(one, other) for one, other in pairs) / len(pairs)


def _refuse_wrong(plays: Sequence[Play]) -> None:
    """Refuses an oracle that gives a wrong answer, and one that fails on many inputs."""
    wrong = next((play for play in plays if not play.correct and not play.error), None)
    if wrong is not None:
        raise RefusedProblemError("The oracle does not agree with the solution.", Stage.ORACLE)
    failed = [play for play in plays if play.error and play.error != "too many calls"]
    if failed:
        raise RefusedProblemError(f"The oracle fails: {failed[0].error[:120]}", Stage.ORACLE)


def _shows_answer(play: Play) -> bool:
    """Returns whether one of the first calls returns the answer."""
    if isinstance(play.answer, bool):
        return False
    return any(call.result == play.answer for call in play.calls[:_FIRST_CALLS])


def _length_reason(plays: Sequence[Play], fit: Sequence[Play]) -> str:
    counts = sorted(len(play.calls) for play in plays)
    middle = f"; the median is {counts[len(counts) // 2]}" if counts else ""
    return f"{len(fit)} of {len(plays)} inputs take {LEAST_CALLS} to {MAX_CALLS} calls{middle}."


def _share(plays: Sequence[Play], names: set[str]) -> float:
    calls = [call for play in plays for call in play.calls]
    return sum(call.name in names for call in calls) / len(calls)
