"""Writes the environment file of a lifted solution."""

import ast
import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegym_mcp.synthesis.program_tracing.environment_files.description_writing import (
    describe_parameter,
    describe_tool,
)
from codegym_mcp.synthesis.program_tracing.environment_files.position_checks import check_positions
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import ToolTypes
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram, LiftedTool
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import free_name
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape, annotation, python_expression

_WIDTH = 100


@dataclass(frozen=True)
class ReferenceForm:
    """How the reference calls the solution.

    Attributes:
        shapes: the shapes of the parameters.
        answer: annotation of the answer.
        is_iterator: whether the solution returns an iterator, whose members are the answer.
        is_pairs: whether the solution returns a dict that JSON can only hold as pairs.
    """

    shapes: Mapping[str, Shape]
    answer: str
    is_iterator: bool
    is_pairs: bool


def write_program(program: Program) -> str:
    """Returns the solution as text."""
    return ast.unparse(ast.fix_missing_locations(program.tree))


def write_reference(program: Program, form: ReferenceForm) -> str:
    """Returns the reference: the solution itself, called with the hidden and public values."""
    parameters = ", ".join(f"{name}: {annotation(form.shapes[name])}" for name in program.parameters)
    arguments = ", ".join(python_expression(form.shapes[name], name) for name in program.parameters)
    call = f"{program.entry.name}({arguments})"
    if form.is_iterator:
        call = f"list({call})"
    if form.is_pairs:
        call = f"list({call}.items())"
    return f"def reference({parameters}) -> {form.answer}:\n    return {call}"


def write_class(
    name: str,
    program: Program,
    lifted: LiftedProgram,
    shapes: Mapping[str, Shape],
    types: Mapping[str, ToolTypes] | None = None,
) -> str:
    """Returns the class of the tools.

    Args:
        types: the annotations of the tools; none are written if it is None.
    """
    parameters = ", ".join(f"{each}: {annotation(shapes[each])}" for each in program.parameters)
    lines = [f"class {name}:", f"    def __init__(self, {parameters}):"]
    for each in lifted.hidden:
        lines.append(f"        self.{each} = {python_expression(shapes[each], each)}")
    for each in lifted.registers:
        if each not in lifted.hidden:
            value = ast.unparse(lifted.initial[each]) if each in lifted.initial else "None"
            lines.append(f"        self.{each} = {value}")
    for tool in lifted.tools:
        lines.append("")
        found = types.get(tool.name) if types is not None else None
        lines += _write_tool(tool, program, lifted, found, shapes)
    return "\n".join(lines)


def _write_tool(
    tool: LiftedTool,
    program: Program,
    lifted: LiftedProgram,
    types: ToolTypes | None,
    shapes: Mapping[str, Shape],
) -> list[str]:
    if types is None:
        parameters = ", ".join(["self", *tool.parameters])
        head = [f"    def {tool.name}({parameters}):"]
    else:
        named = [f"{each}: {types.parameters[each].annotation}" for each in tool.parameters]
        head = [f"    def {tool.name}({', '.join(['self', *named])}) -> {types.result}:"]
        head += _docstring(tool, program, types)
    for register in _read_registers(tool, lifted):
        head.append(f"        if self.{register} is None:")
        head.append(
            f'            raise ValueError("{register} has no value yet; another call has to set it first.")'
        )
    if types is not None:
        steady = {name: shape for name, shape in shapes.items() if name not in _assigned(lifted)}
        head += check_positions(tool, program, types.positive, steady)
    body = ast.unparse(ast.fix_missing_locations(tool.body)).splitlines()
    if not tool.parameters and not tool.changes and _never_fails(tool):
        return [*head, *(f"        {line}" for line in body)]
    refuse = f"            raise ValueError({json.dumps(_refusal(tool))})"
    checked = _checked_type(tool, lifted, types)
    found = free_name("found", tool.parameters)
    if checked and tool.expression is not None:
        body = ast.unparse(tool.expression).splitlines()
        body[0] = f"{found} = {body[0]}"
    lines = [
        *head,
        "        try:",
        *(f"            {line}" for line in body),
        "        except Exception:",
        refuse,
    ]
    if checked:
        lines += [f"        if not isinstance({found}, {checked}):", refuse, f"        return {found}"]
    return lines


def _checked_type(tool: LiftedTool, lifted: LiftedProgram, types: ToolTypes | None) -> str:
    """Returns the type that the result of a tool must have in every state, or the empty string.

    In states that no oracle reaches, an attribute that tools change may hold None or a fraction.
    """
    checked = {"int": "int", "float": "(int, float)", "str": "str"}.get(types.result, "") if types else ""
    if not checked or tool.expression is None:
        return ""
    changing = [each.body for each in lifted.tools if each.changes]
    changed = {node.attr for body in changing for node in ast.walk(body) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tool.expression):
        match node:
            case ast.Attribute(attr=name) if name in changed:
                return checked
            case ast.BinOp(op=ast.Pow()):
                return checked
    return ""


def _refusal(tool: LiftedTool) -> str:
    """Returns what a tool says if its expression cannot be evaluated."""
    if tool.parameters:
        listed = " and ".join(filter(None, [", ".join(tool.parameters[:-1]), tool.parameters[-1]]))
        return f"{tool.name} is not defined for this {listed}; choose other arguments."
    return f"{tool.name} is not possible in this state; another call has to come first."


def _assigned(lifted: LiftedProgram) -> set[str]:
    """Returns the attributes that tools give other values, which may have other types."""
    changes = [tool.change for tool in lifted.tools if tool.change is not None]
    targets = [target for change in changes if isinstance(change, ast.Assign) for target in change.targets]
    return {target.attr for target in targets if isinstance(target, ast.Attribute)}


def _read_registers(tool: LiftedTool, lifted: LiftedProgram) -> list[str]:
    """Returns the attributes that a tool reads and that have no value when an episode begins."""
    read = {
        each.attr
        for each in ast.walk(tool.body)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load)
    }
    match tool.change:
        case ast.AugAssign(target=ast.Attribute(attr=name)):
            read.add(name)
    known = {*lifted.hidden, *lifted.initial}
    return [each for each in lifted.registers if each in read and each not in known]


def _never_fails(tool: LiftedTool) -> bool:
    match tool.expression:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute()]):
            return True
    return False


def _docstring(tool: LiftedTool, program: Program, types: ToolTypes) -> list[str]:
    lines = [f'        """{_escape(describe_tool(tool, program))}']
    if tool.parameters:
        lines += ["", "        Args:"]
        lines += [
            f"            {each}: {_escape(describe_parameter(tool, each, program, types.parameters[each]))}"
            for each in tool.parameters
        ]
        lines.append('        """')
    else:
        lines[-1] += '"""'
    return lines


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def write_oracle(lifted: LiftedProgram, form: ReferenceForm | None = None) -> str:
    """Returns the oracle.

    Args:
        form: how the reference changes the result of the solution, for the oracle to do the same.
    """
    body = copy.deepcopy(lifted.oracle)
    if lifted.remembered:
        body = [*_remembering(lifted), *(_Remember(lifted.remembered).visit(each) for each in body)]
    module = ast.fix_missing_locations(ast.Module(body, []))
    text = ast.unparse(module)
    lines = [f"    {line}" if line else "" for line in text.splitlines()]
    if form is not None and (form.is_iterator or form.is_pairs):
        result = "list(find_answer().items())" if form.is_pairs else "list(find_answer())"
        lines = [
            f"    {line}" if line else "" for line in ["def find_answer():", *lines, "", f"return {result}"]
        ]
    return "\n".join([f"def solve({', '.join(['tools', *lifted.public])}):", *lines])


def _remembering(lifted: LiftedProgram) -> list[ast.stmt]:
    """Writes a function for each tool whose results are kept, so that no call is made twice."""
    made: list[ast.stmt] = []
    for tool in lifted.tools:
        if tool.name in lifted.remembered:
            parameters = ", ".join(tool.parameters)
            keywords = ", ".join(f"{each}={each}" for each in tool.parameters)
            key = f"({parameters},)" if len(tool.parameters) != 1 else parameters
            key = key if tool.parameters else "0"
            made += ast.parse(
                f"known_{tool.name} = {{}}\n"
                f"def ask_{tool.name}({parameters}):\n"
                f"    if {key} not in known_{tool.name}:\n"
                f"        known_{tool.name}[{key}] = tools.{tool.name}({keywords})\n"
                f"    return known_{tool.name}[{key}]\n"
            ).body
    return made


class _Remember(ast.NodeTransformer):
    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id="tools"), attr=name) if name in self._names:
                node.func = ast.Name(f"ask_{name}", ast.Load())
        return node


def write_environment(
    *,
    text: str,
    meta: Mapping[str, object],
    program: Program,
    lifted: LiftedProgram,
    form: ReferenceForm,
    types: Mapping[str, ToolTypes],
) -> str:
    """Returns the environment file.

    Args:
        text: the task for the agent.
        meta: the literal of META.
    """
    parts = [
        f'"""{_escape(text)}\n"""',
        "META = " + _literal(meta),
        write_program(program),
        write_class("Environment", program, lifted, form.shapes, types),
        write_reference(program, form),
        write_oracle(lifted, form),
    ]
    return "\n\n\n".join(part for part in parts if part.strip()) + "\n"


def _literal(meta: Mapping[str, object]) -> str:
    lines = [f"    {name!r}: {value!r}," for name, value in meta.items()]
    return "\n".join(["{", *lines, "}"])


def wrap_paragraphs(paragraphs: Sequence[str]) -> str:
    """Returns paragraphs as lines of at most a hundred characters."""
    import textwrap

    made = []
    for paragraph in paragraphs:
        clean = re.sub(r"[ \t]+", " ", paragraph.strip())
        made.append("\n".join(textwrap.fill(line, _WIDTH) for line in clean.split("\n")))
    return "\n\n".join(made)
