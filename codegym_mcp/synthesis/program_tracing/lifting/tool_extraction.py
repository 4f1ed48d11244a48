"""Divides ("lifts") a solution: what it does with hidden values becomes tools, the rest the oracle."""

import ast
import copy
from collections.abc import Mapping, Sequence, Set

from codegym_mcp.synthesis.program_tracing.lifting.container_changes import changing_helpers
from codegym_mcp.synthesis.program_tracing.lifting.desugaring import desugar
from codegym_mcp.synthesis.program_tracing.lifting.hidden_expressions import ExpressionScope
from codegym_mcp.synthesis.program_tracing.lifting.hidden_slices import sliced_parameters
from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import HiddenKind, Register, View
from codegym_mcp.synthesis.program_tracing.lifting.length_parameters import count_lengths
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.oracle_expressions import OracleExpressions
from codegym_mcp.synthesis.program_tracing.lifting.oracle_statements import OracleStatements
from codegym_mcp.synthesis.program_tracing.lifting.tool_collection import ToolCollection
from codegym_mcp.synthesis.program_tracing.lifting.tool_naming import ToolNames
from codegym_mcp.synthesis.program_tracing.lifting.variable_placement import FunctionVariables
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import assigned_names
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape

_MAX_TOOLS = 16
_MAX_FUNCTIONS = 12


def lift(
    program: Program,
    hidden: Sequence[str],
    shapes: Mapping[tuple[str, str], Shape],
    parameters: Mapping[str, Shape],
    variation: Variation,
    *,
    lengths: Mapping[str, str] | None = None,
) -> LiftedProgram:
    """Lifts a solution in one way.

    Args:
        hidden: the parameters of the entry function whose values are hidden.
        shapes: the shapes of variables, by function and name.
        parameters: the shapes of the entry function's parameters.
        lengths: the parameters that are the lengths of hidden ones, with the names of those.

    Raises:
        RefusedProblemError: this way does not fit the solution.
    """
    return _SolutionLifter(program, shapes, variation).lift(hidden, parameters, lengths or {})


class _SolutionLifter:
    """Collects the tools and the functions of the oracle while functions are lifted."""

    def __init__(
        self, program: Program, shapes: Mapping[tuple[str, str], Shape], variation: Variation
    ) -> None:
        self.program = program
        self.variation = variation
        self.tools = ToolCollection(ToolNames(program))
        self.changing = changing_helpers(program.functions)
        self.registers: list[str] = []
        self.initial: dict[str, ast.expr] = {}
        self._shapes = shapes
        self._functions: dict[tuple[str, ...], ast.FunctionDef | None] = {}
        self._function_names: dict[tuple[str, ...], str] = {}
        self.sliced = {
            name: sliced_parameters(function) - _names_at(function, self.changing[name])
            for name, function in program.functions.items()
        }
        entry = program.entry.name
        self.helpers = {
            name
            for name, function in program.functions.items()
            if name != entry
            and not self.changing[name]
            and not _reaches(program, name, entry)
            and not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(function))
        }

    def lift(
        self, hidden: Sequence[str], parameters: Mapping[str, Shape], lengths: Mapping[str, str]
    ) -> LiftedProgram:
        entry = count_lengths(self.program.entry, lengths)
        kinds: dict[str, HiddenKind] = {name: Register(name, parameters[name]) for name in hidden}
        variables = self._variables(entry, kinds, parameters, counted=frozenset(lengths))
        self.tools.steady = {name for name in hidden if not variables.changes(name)}
        if self.sliced[entry.name]:
            variables = self._variables(_calling(entry), kinds, parameters)
        elif not any(_reaches(self.program, name, entry.name) for name in _called(entry)):
            self._take_initial_values(variables)
        body = self._rewrite(variables)
        functions = [each for each in self._functions.values() if each is not None]
        if not self.tools.tools:
            raise RefusedProblemError("No step of the solution depends on hidden values.")
        if len(self.tools.tools) > _MAX_TOOLS:
            raise RefusedProblemError(
                f"It would have {len(self.tools.tools)} tools; {_MAX_TOOLS} are allowed."
            )
        return LiftedProgram(
            hidden=list(hidden),
            public=[each for each in self.program.parameters if each not in {*hidden, *lengths}],
            registers=self.registers,
            initial=self.initial,
            tools=self.tools.tools,
            oracle=[*self.tools.first_statements, *functions, *body],
            variation=self.variation.name,
        )

    def _variables(
        self,
        function: ast.FunctionDef,
        kinds: Mapping[str, HiddenKind],
        parameters: Mapping[str, Shape],
        counted: frozenset[str] = frozenset(),
    ) -> FunctionVariables:
        shapes = {name: shape for (owner, name), shape in self._shapes.items() if owner == function.name}
        shapes.update(parameters)
        made = desugar(
            function,
            kinds,
            shapes,
            aggregates=self.variation.aggregates,
            containers=self.variation.scratch,
        )
        self.tools.names.reserve(made)
        for name, shape in list(shapes.items()):
            shapes.setdefault(f"{name}_prepared", shape)
        helpers = self.helpers if not self.variation.entered else set()
        scope = ExpressionScope({}, set(), shapes, helpers, self.program.imported)
        variables = FunctionVariables(made, kinds, shapes, scope, self.variation, self.changing, counted)
        variables.decide()
        return variables

    def enter(
        self, function: ast.FunctionDef, kinds: Mapping[str, HiddenKind], shapes: Mapping[str, Shape]
    ) -> str:
        """Returns the oracle's version of a function for hidden arguments of these kinds."""
        key = (function.name, *(f"{name}={kind.key}" for name, kind in sorted(kinds.items())))
        if key in self._function_names:
            return self._function_names[key]
        if len(self._function_names) >= _MAX_FUNCTIONS:
            raise RefusedProblemError("Its functions are called in too many ways.")
        name = self.tools.names.variable(f"{function.name}_step")
        self._function_names[key] = name
        self._functions[key] = None
        variables = self._variables(function, kinds, shapes)
        body = self._rewrite(variables)
        made = copy.deepcopy(variables.function)
        made.name = name
        parameters = [each.arg for each in function.args.args if each.arg not in kinds]
        coordinates = [each for kind in kinds.values() if isinstance(kind, View) for each in kind.coordinates]
        made.args = ast.arguments(
            [], [ast.arg(each) for each in [*parameters, *coordinates]], None, [], [], None, []
        )
        made.body = body
        self._functions[key] = made
        return name

    def _take_initial_values(self, variables: FunctionVariables) -> None:
        """Moves constants that the entry function assigns to attributes at first into the environment."""
        body: list[ast.stmt] = []
        bound: set[str] = set()
        for statement in variables.function.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if (
                    name not in bound
                    and name not in variables.fixed
                    and isinstance(variables.scope.hidden.get(name), Register)
                    and variables.scope.is_known(value)
                ):
                    self.initial[name] = value
                case _:
                    body.append(statement)
            bound |= set(assigned_names([statement]))
        variables.function.body = body or [ast.Pass()]

    def _rewrite(self, variables: FunctionVariables) -> list[ast.stmt]:
        for name, kind in variables.scope.hidden.items():
            is_new = isinstance(kind, Register) and name not in variables.fixed
            if is_new and name not in self.registers:
                self.registers.append(name)
        expressions = OracleExpressions(self.program, self.tools, variables, self.enter, self.sliced)
        return OracleStatements(self.tools, variables, expressions).block(variables.function.body)


def _names_at(function: ast.FunctionDef, places: Set[int]) -> set[str]:
    return {each.arg for place, each in enumerate(function.args.args) if place in places}


def _calling(function: ast.FunctionDef) -> ast.FunctionDef:
    """Returns a function that calls a function with its own parameters."""
    made = copy.deepcopy(function)
    arguments: list[ast.expr] = [ast.Name(each.arg, ast.Load()) for each in function.args.args]
    made.body = [ast.Return(ast.Call(ast.Name(function.name, ast.Load()), arguments, []))]
    return made


def _called(function: ast.FunctionDef) -> set[str]:
    """Returns the names that a function calls."""
    calls = (each for each in ast.walk(function) if isinstance(each, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def _reaches(program: Program, name: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in program.functions:
            continue
        seen.add(current)
        function = program.functions[current]
        called = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
        if goal in called:
            return True
        waiting += called
    return False
