"""Plays a lifted solution on all inputs and chooses the plays that become its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    ReferenceForm,
    write_environment,
)
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import tool_types
from codegym_mcp.synthesis.program_tracing.input_generation.twin_inputs import TwinInputs
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play, differ, repeated_tools
from codegym_mcp.synthesis.program_tracing.play_selection.oracle_player import OraclePlayer
from codegym_mcp.synthesis.program_tracing.play_selection.task_quality import (
    fit_plays,
    numeric_adaptivity,
    refuse_poor_tasks,
    refuse_wrong_oracle,
    tier_of,
)
from codegym_mcp.synthesis.program_tracing.play_selection.tasks_from_plays import (
    choose_tasks,
    quickest,
    use_every_tool,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape
from codegym_mcp.synthesis.synthesis_options import Tier, TracingFigures
from codegym_mcp.verification.audit.hidden_value_bisection import (
    ObservedCall,
    SearchedPlay,
    measure_search_costs,
)
from codegym_mcp.verification.audit.hidden_value_readout import ObservedCalls, hidden_leaves, read_out_ratio
from codegym_mcp.verification.verification_context import VerificationContext

MOST_TASKS = 12
_FEW_CALLS = 128
"""Plays with at most so many calls become tasks, if there are enough of them."""
_NEARLY_ENOUGH = 0.4
"""With such a `read_out`, tasks that take few calls are tried; they may cost less than reading everything."""
_FIRST_PLAYS = 14
_TWINS = 3


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
    twins: TwinInputs


class GranularityExaminer:
    """Examines one lifted solution."""

    def __init__(
        self, context: VerificationContext, program: Program, parameters: dict[str, Shape], least_tasks: int
    ) -> None:
        self._context = context
        self._program = program
        self._parameters = parameters
        self._least = least_tasks

    async def examine(
        self, lifted: LiftedProgram, inputs: Sequence[Evaluated], twins: TwinInputs
    ) -> Granularity:
        player = self._player(lifted)
        first = await player.play(inputs[:: max(1, len(inputs) // _FIRST_PLAYS)])
        refuse_wrong_oracle(first)
        lifted.remembered = repeated_tools(first, lifted.changing_tools)
        if lifted.remembered:
            player = self._player(lifted)
        plays = await player.play(inputs)
        refuse_wrong_oracle(plays)
        plays = [play for play in plays if play.correct]
        fit = fit_plays(plays, self._least)
        used = {call.name for play in fit for call in play.calls}
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
        refuse_poor_tasks(lifted, chosen)
        adaptive = await self._adaptivity(examined, chosen)
        observed = [self._observed(lifted, play) for play in chosen]
        read_out = read_out_ratio(observed)
        tier = tier_of(chosen, adaptive, read_out)
        if tier is Tier.NOT_BYPASSABLE:
            read_out = read_out_ratio(observed, await self._search_costs(lifted, chosen, plays, observed))
            tier = tier_of(chosen, adaptive, read_out)
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
            return numeric_adaptivity(chosen)
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


def _has_container(plays: Sequence[Play]) -> bool:
    return any(isinstance(value, str | list | dict) for play in plays for value in play.config.values())
