"""A lifted solution: the tools of the environment and the oracle that calls them."""

import ast
from dataclasses import dataclass, field


@dataclass(eq=False)
class LiftedTool:
    """A tool of the environment.

    Attributes:
        name: name of the tool.
        parameters: its parameters; each fills a hole of the expression.
        expression: what it returns, over `self` and the parameters; None if it returns nothing.
        change: what it does to the environment, or None.
        is_raw: whether it reveals a hidden value as it is.
        original: the expression of the solution, for descriptions.
    """

    name: str
    parameters: list[str]
    expression: ast.expr | None
    change: ast.stmt | None
    is_raw: bool
    original: str

    @property
    def body(self) -> ast.stmt:
        """The statement that the tool consists of."""
        if self.change is not None:
            return self.change
        return ast.Return(self.expression)

    @property
    def changes(self) -> bool:
        """Whether a call changes the environment."""
        return self.change is not None or _has_effect(self.expression)


def _has_effect(node: ast.expr | None) -> bool:
    from codegym_mcp.synthesis.program_tracing.pure_functions import MUTATING_FUNCTIONS, MUTATING_METHODS

    for each in ast.walk(node) if node is not None else ():
        match each:
            case ast.Attribute(attr=name) if name in MUTATING_METHODS | MUTATING_FUNCTIONS:
                return True
            case ast.Name(id=name) if name in MUTATING_FUNCTIONS:
                return True
    return False


@dataclass
class LiftedProgram:
    """A lifted solution.

    Attributes:
        hidden: the parameters whose values are hidden.
        public: the parameters whose values the agent knows.
        registers: further attributes of the environment.
        initial: what such attributes are at the beginning; the others have no value until a tool sets them.
        tools: the tools.
        oracle: the statements of the oracle.
        variation: name of the way in which it was lifted.
    """

    hidden: list[str]
    public: list[str]
    registers: list[str]
    tools: list[LiftedTool]
    oracle: list[ast.stmt]
    variation: str
    initial: dict[str, ast.expr] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)
    """The tools whose results the oracle remembers instead of calling them again."""

    @property
    def changing_tools(self) -> set[str]:
        """The names of the tools whose calls change the environment."""
        return {tool.name for tool in self.tools if tool.changes}
