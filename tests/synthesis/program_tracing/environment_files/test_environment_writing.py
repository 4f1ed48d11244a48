"""The tools as they are written into the file."""

from typing import Any

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import write_class
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import ParameterUse, ToolTypes
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of

HALVES = "def f(n):\n    steps = []\n    while n % 2 == 0:\n        n /= 2\n        steps.append(n + 1)\n    return steps"


def test_a_tool_refuses_a_result_that_is_not_of_its_type() -> None:
    program = read_program(HALVES, (), "f")
    shapes = {"n": shape_of([12])}
    lifted = lift(program, ["n"], {("f", "n"): shapes["n"]}, shapes, Variation("test"))
    types = {
        tool.name: ToolTypes(dict.fromkeys(tool.parameters, ParameterUse("int")), "int")
        for tool in lifted.tools
    }
    scope: dict[str, Any] = {}
    exec(write_class("Tools", program, lifted, shapes, types), scope)
    tools = scope["Tools"](12)
    (reading,) = [tool.name for tool in lifted.tools if not tool.changes and "+" in tool.original]
    (halving,) = [tool.name for tool in lifted.tools if tool.changes]
    assert getattr(tools, reading)() == 13
    getattr(tools, halving)()
    with pytest.raises(ValueError, match="another call has to come first"):
        getattr(tools, reading)()
