"""The language policy: which subset of Python an environment may be written in.

RestrictedPython refuses what no environment needs, with a line number, before anything runs. What can only be
checked at run time goes through the guards of `guarded_builtins`: assignments to attributes, attributes that
are withheld from some objects, and text of values. The policy is not what confines code: the process is (see
`zygote`). It keeps environments deterministic and reports problems to their authors early.
"""

import ast
import builtins
import warnings
from collections.abc import Iterable
from types import CodeType
from typing import NamedTuple

from RestrictedPython.transformer import (
    ALLOWED_FUNC_NAMES,
    INSPECT_ATTRIBUTES,
    RestrictingNodeTransformer,
)

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.language.guarded_builtins import BUILTINS, CHECKED_ATTRIBUTES, GUARDED
from codegym_mcp.source_parsing import is_main_block, nesting_error

STATE_NAMES = frozenset({"_done", "_reward"})
"""The two private attributes of the CodeGym format; no other underscore is allowed there, none elsewhere."""

_MODULES = f"Environments may import {', '.join(sorted(set(ALLOWED_MODULES) - {'gymnasium'}))}."
_SPECIAL = f"Allowed special methods: {', '.join(sorted(ALLOWED_FUNC_NAMES))}."
_PLAIN = "Use names without a leading underscore; helpers are functions of the module."
_STATEMENTS = "Use def, class, if, for, while, try with except, raise and assignments."
_COMPUTE = (
    "Environments only compute: they have no files, console or clock, and cannot inspect the interpreter."
)
_INSTEAD = {
    "BaseException": "Exception is enough.",
    "delattr": "Name the attribute in the code.",
    "eval": "Use ast.literal_eval.",
    "hash": "It differs from run to run.",
    "id": "It differs from run to run.",
    "object": "Leave the base class out.",
    "setattr": "Name the attribute in the code, or keep a dict.",
    "super": "Write a function of the module that both classes call.",
    "type": "Use isinstance.",
}

_UNAVAILABLE = {name for name in dir(builtins) if name[0] != "_"} - BUILTINS


class _Problem(NamedTuple):
    line: int
    text: str
    hint: str


def restrict(tree: ast.Module, path: str, dialect: Dialect = Dialect.NATIVE) -> ast.Module:
    """Checks a module against the policy and inserts the calls of guards.

    Args:
        tree: the module; it is changed.
        path: how error messages name the source.
        dialect: the dialect in which the module is written.

    Returns:
        The same module, for `compile_restricted`.

    Raises:
        SourceError: the policy refuses the source; the error explains the first line that it refuses and
            names the others.
    """
    try:
        policy = _POLICIES[dialect]()
        restricted: ast.Module = policy.visit(tree)
    except (RecursionError, MemoryError):
        raise nesting_error(tree, path) from None
    if policy.problems:
        raise _refusal(path, policy.problems)
    return restricted


def compile_restricted(tree: ast.Module, path: str) -> CodeType:
    """Compiles a module that `restrict` has returned, or a part of its statements.

    Returns:
        A code object that runs only in a namespace made by `guarded_builtins.make_namespace`.

    Raises:
        SourceError: the compiler refuses the module.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            return compile(tree, "<environment>", "exec", dont_inherit=True, optimize=0)
    except (RecursionError, MemoryError):
        raise nesting_error(tree, path) from None
    except SyntaxError as error:
        raise SourceError(path, error.lineno, f"not valid Python: {error.msg}") from None
    except ValueError as error:
        raise SourceError(path, None, f"cannot be compiled: {error}") from None


def _refusal(path: str, problems: list[_Problem]) -> SourceError:
    first, *others = sorted(problems, key=lambda problem: problem.line)
    lines = sorted({problem.line for problem in others} - {first.line})
    also = f"; refused as well: line {', '.join(map(str, lines[:20]))}" if lines else ""
    return SourceError(path, first.line, first.text + also, hint=first.hint)


class _Policy(RestrictingNodeTransformer):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[_Problem] = []
        self._given: set[str] = set()
        self._unavailable: list[ast.Name] = []

    def error(self, node: ast.AST, info: str, hint: str = _STATEMENTS) -> None:
        self.problems.append(_Problem(getattr(node, "lineno", 1), info.rstrip("."), hint))

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.node_contents_visit(node)
        for name in self._unavailable:
            # If the source assigns the name in any scope, it refers to that.
            if name.id not in self._given:
                self.error(name, f"{name.id} is not available", _INSTEAD.get(name.id, _COMPUTE))
        return node

    # --- names

    def check_name(self, node: ast.AST, name: str | None, allow_magic_methods: bool = False) -> None:
        if name is None:
            return
        self._given.add(name)
        if name[0] == "_" and name != "_" and not (allow_magic_methods and name in ALLOWED_FUNC_NAMES):
            self.error(node, f"the name {name} begins with an underscore", _underscore_hint(name))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in _UNAVAILABLE:
            self._unavailable.append(node)
        else:
            self.check_name(node, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Refuses attributes that are never available; guards those that are withheld from some objects."""
        if self._is_allowed_private(node):
            pass
        elif node.attr.startswith("_"):
            self.error(node, f"the name {node.attr} begins with an underscore", _underscore_hint(node.attr))
        elif node.attr in INSPECT_ATTRIBUTES:
            self.error(node, f"the attribute {node.attr} is not available", _COMPUTE)
        elif node.attr in GUARDED and isinstance(node.value, ast.Constant | ast.JoinedStr):
            self.error(node, f"{node.attr} is not available", f"{GUARDED[node.attr][1].capitalize()}.")
        self.node_contents_visit(node)
        if not isinstance(node.ctx, ast.Load):
            # `a.b = c`, `a.b += c` and `del a.b` become `_write_(a).b = c` and so on.
            node.value = _call("_write_", node.value, node.value)
        elif node.attr in CHECKED_ATTRIBUTES:
            return _call("_getattr_", node, node.value, ast.Constant(node.attr))
        return node

    # --- text of values, which must not contain addresses

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """Formats through a guard, unless the format is constant: types that show addresses refuse those."""
        self.node_contents_visit(node)
        match node:
            case ast.FormattedValue(conversion=-1, format_spec=ast.JoinedStr(values=[ast.Constant()])):
                pass
            case ast.FormattedValue(conversion=-1, format_spec=ast.JoinedStr() as specification):
                node.value = _call("_format_", node.value, node.value, specification)
                node.format_spec = None
            case _:
                node.value = _call("_formatted_", node.value, node.value, ast.Constant(node.conversion))
                node.conversion = -1
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.node_contents_visit(node)
        if isinstance(node.op, ast.Mod) and not _is_number(node.left):
            node.right = _guard_modulo(node.right)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.node_contents_visit(node)
        if isinstance(node.op, ast.Mod):
            node.value = _guard_modulo(node.value)
        return node

    # --- what RestrictedPython refuses or rewrites for guards that are not needed here: no shared object
    # --- allows item assignment, and iteration and arguments expose nothing

    def _visit_parts(self, node: ast.AST) -> ast.AST:
        return self.node_contents_visit(node)

    def _visit_leaf(self, node: ast.AST) -> ast.AST:
        return node

    visit_Assign = visit_For = visit_comprehension = visit_With = _visit_parts
    visit_Subscript = _visit_parts
    visit_Constant = visit_Load = visit_Store = visit_Del = visit_Global = visit_Nonlocal = _visit_leaf

    # --- imports: an allow-list

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if alias.name not in ALLOWED_MODULES:
                self.error(node, f"import of {alias.name} is not allowed", _MODULES)
            elif "." in alias.name:
                self.error(node, f"import {alias.name} is not allowed", f"Write: from {alias.name} import …")
        return self.check_import_names(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            return ast.copy_location(ast.Pass(), node)
        members = ALLOWED_MODULES.get(module)
        if members is None:
            self.error(node, f"import from {module} is not allowed", _MODULES)
        elif unknown := [alias.name for alias in node.names if alias.name not in members]:
            known = f"{module} has here: {', '.join(sorted(members))}."
            self.error(node, f"import of {', '.join(unknown)} from {module} is not allowed", known)
        return self.check_import_names(node)

    # --- annotations: the server reads them from the text; they are not evaluated

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        super().visit_FunctionDef(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        plain = ast.copy_location(ast.Assign([node.target], node.value), node)
        return self.node_contents_visit(plain)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.check_name(node, node.name)
        if any(keyword.arg != "total" for keyword in node.keywords):
            self.error(node, "a class takes no keywords", "Only a TypedDict takes total.")
        node.keywords = []
        return self.node_contents_visit(node)

    # --- exceptions: those that are no `Exception` belong to the process and must pass every handler

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Inserts `except _fatal_(): raise` as the first handler; the types of the others may raise too."""
        if node.finalbody:
            # It can discard any exception, and the compiler copies it for every exit of the block.
            self.error(node.finalbody[0], "finally is not allowed", "Use except, or continue after the try.")
        self.node_contents_visit(node)
        for first in node.handlers[:1]:
            types = ast.Call(ast.Name("_fatal_", ast.Load()), [], [])
            fatal = ast.copy_location(ast.ExceptHandler(types, None, [ast.Raise()]), first)
            node.handlers.insert(0, ast.fix_missing_locations(fatal))
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # Without the guard that RestrictedPython puts around calls with * and **.
        return self.node_contents_visit(node)

    def _is_allowed_private(self, _node: ast.Attribute) -> bool:
        """Checks whether an attribute may be used although its name begins with an underscore."""
        return False


class _CodegymPolicy(_Policy):
    """The policy with the additions that classes in the CodeGym format need."""

    def _is_allowed_private(self, node: ast.Attribute) -> bool:
        return node.attr in STATE_NAMES and isinstance(node.value, ast.Name) and node.value.id == "self"

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__init__"),
                args=[],
                keywords=[],
            ):
                # The base class is a placeholder without an initializer; super() itself is not available.
                return ast.copy_location(ast.Constant(None), node)
            case ast.Call(func=ast.Name(id="eval")):
                # The format uses eval only to read literals.
                node.func = ast.copy_location(ast.Name("literal_eval", ast.Load()), node.func)
        return self.node_contents_visit(node)


_POLICIES: dict[Dialect, type[_Policy]] = {Dialect.NATIVE: _Policy, Dialect.CODEGYM: _CodegymPolicy}


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _guard_modulo(operand: ast.expr) -> ast.expr:
    return operand if _is_number(operand) else _call("_modulo_operand_", operand, operand)


def _call(guard: str, at: ast.expr, *arguments: ast.expr) -> ast.Call:
    function = ast.Name(guard, ast.Load())
    call = ast.Call(function, list(arguments), [])
    for part in (function, call, *arguments):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, at)
    return call


def _underscore_hint(name: str) -> str:
    return _SPECIAL if name.startswith("__") else _PLAIN


def without(body: Iterable[ast.stmt], names: frozenset[str]) -> list[ast.stmt]:
    """Returns the statements without functions and classes of these names and without a `__main__` block."""
    return [
        node
        for node in body
        if not (isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names)
        and not is_main_block(node)
    ]
