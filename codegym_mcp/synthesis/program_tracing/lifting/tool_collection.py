"""The tools that a solution needs, collected while it is rewritten, and the oracle's calls of them."""

import ast
import copy
from collections.abc import Sequence

from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import HiddenValue, fill
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.lifting.tool_naming import ToolNames
from codegym_mcp.synthesis.program_tracing.syntax_nodes import attributes_of_self


class ToolCollection:
    """Creates a tool for each hidden value that the oracle needs, and for each change of the environment.

    Attributes:
        names: the names that are in use.
        steady: attributes of the environment that never change.
        tools: the tools so far.
        first_statements: the oracle's first statements: calls whose result never changes.
    """

    def __init__(self, names: ToolNames) -> None:
        self.names = names
        self.steady: set[str] = set()
        self._tools: dict[str, LiftedTool] = {}
        self._first: dict[str, ast.stmt] = {}
        self._first_names: dict[str, str] = {}

    @property
    def tools(self) -> list[LiftedTool]:
        return list(self._tools.values())

    @property
    def first_statements(self) -> list[ast.stmt]:
        return list(self._first.values())

    def call(self, hidden: HiddenValue, original: ast.expr) -> ast.expr:
        """Returns the oracle's expression that computes a hidden value with a tool."""
        key = f"get {hidden.template}"
        tool = self._tools.get(key)
        if tool is None:
            name, parameters = self.names.name_value(hidden, original)
            expression = fill(hidden.expression, _names(parameters))
            tool = LiftedTool(name, parameters, expression, None, hidden.raw, ast.unparse(original))
            self._tools[key] = tool
        call = _call_tool(tool, hidden.holes)
        if hidden.holes or hidden.raw or tool.changes or not self._is_steady(hidden.expression):
            return call
        return self._call_once(tool, call)

    def change(self, statement: ast.stmt, holes: Sequence[ast.expr]) -> ast.stmt:
        """Returns the oracle's statement that has a tool change the environment."""
        key = f"do {ast.unparse(ast.fix_missing_locations(statement))}"
        tool = self._tools.get(key)
        if tool is None:
            name, parameters = self.names.name_change(statement, holes)
            change = _fill_statement(statement, _names(parameters))
            tool = LiftedTool(name, parameters, None, change, False, ast.unparse(statement))
            self._tools[key] = tool
        return ast.Expr(_call_tool(tool, holes))

    def _is_steady(self, expression: ast.expr) -> bool:
        return attributes_of_self(expression) <= self.steady

    def _call_once(self, tool: LiftedTool, call: ast.expr) -> ast.expr:
        """Calls a tool whose result never changes at the beginning of the oracle."""
        if tool.name not in self._first:
            name = self.names.variable(tool.name)
            self._first_names[tool.name] = name
            self._first[tool.name] = ast.Assign([ast.Name(name, ast.Store())], call)
        return ast.Name(self._first_names[tool.name], ast.Load())


def _names(parameters: Sequence[str]) -> list[ast.expr]:
    return [ast.Name(each, ast.Load()) for each in parameters]


def _call_tool(tool: LiftedTool, holes: Sequence[ast.expr]) -> ast.Call:
    keywords = [
        ast.keyword(name, copy.deepcopy(hole)) for name, hole in zip(tool.parameters, holes, strict=True)
    ]
    return ast.Call(ast.Attribute(ast.Name("tools", ast.Load()), tool.name, ast.Load()), [], keywords)


def _fill_statement(statement: ast.stmt, values: list[ast.expr]) -> ast.stmt:
    made = copy.deepcopy(statement)
    for name, value in ast.iter_fields(made):
        if isinstance(value, ast.expr):
            setattr(made, name, fill(value, values))
        elif isinstance(value, list):
            setattr(
                made, name, [fill(each, values) if isinstance(each, ast.expr) else each for each in value]
            )
    return made
