"""Writes a solution in the dialect of environments: public names, no annotations, imports first."""

import ast
import re

from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.source_reading.module_definitions import bound_names
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError

_MAX_INT = 2**63 - 1
_CACHES = re.compile(r"\b(lru_cache|cache|cached_property|overload|final|jit|njit)\b")


class SourceNormalizer(ast.NodeTransformer):
    """Hoists imports, removes annotations, docstrings and caches, and renames private names."""

    def __init__(self) -> None:
        self._hoisted: dict[str, ast.stmt] = {}
        self._depth = 0
        self._renamed: set[str] = set()

    def normalize(self, tree: ast.Module) -> ast.Module:
        own = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        self._renamed = {name for node in own for name in bound_names(node)} & FRAME_NAMES
        tree.body = [_named_lambda(node) for node in tree.body]
        module: ast.Module = self.visit(tree)
        module.body = [*self._hoisted.values(), *module.body]
        for node in ast.walk(module):
            body = getattr(node, "body", None)
            if isinstance(body, list) and not body and not isinstance(node, ast.Module):
                body.append(ast.Pass())
        return ast.fix_missing_locations(module)

    def _public_name(self, name: str) -> str:
        return f"{name}_" if name in self._renamed else public_name(name)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        is_sys = isinstance(node, ast.ImportFrom) and node.module == "sys"
        replaced = "maxsize" if is_sys else "sys" if isinstance(node, ast.Import) else ""
        node.names = [alias for alias in node.names if alias.name != replaced]
        if node.names:
            self._hoisted.setdefault(ast.unparse(node), node)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._public_name(node.name)
        node.returns = None
        node.decorator_list = [each for each in node.decorator_list if not _CACHES.search(ast.unparse(each))]
        node.body = _without_docstring(node.body)
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._public_name(node.name)
        node.body = _without_docstring(node.body)
        node.bases = [each for each in node.bases if not (isinstance(each, ast.Name) and each.id == "object")]
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._public_name(node.name) if node.name is not None else None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        node.arg = self._public_name(node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._public_name(node.id)
        return ast.Constant(_MAX_INT) if node.id == "maxsize" and isinstance(node.ctx, ast.Load) else node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        node.arg = self._public_name(node.arg) if node.arg is not None else None
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "sys":
            if node.attr in ("maxsize", "maxint"):
                return ast.Constant(_MAX_INT)
            raise RefusedProblemError(f"The solution uses sys.{node.attr}.", Stage.PROBLEM)
        node.attr = node.attr if node.attr.startswith("__") else self._public_name(node.attr)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Assign([node.target], node.value) if node.value is not None else ast.Pass()

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Writes `type(x) == T` as `isinstance(x, T)`."""
        self.generic_visit(node)
        match node:
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="type"), args=[value]),
                ops=[ast.Eq() | ast.Is()],
                comparators=[ast.Name() as kind],
            ):
                return ast.Call(ast.Name("isinstance", ast.Load()), [value, kind], [])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Writes `x[a:len(x)]` as `x[a:]`."""
        self.generic_visit(node)
        match node:
            case ast.Subscript(
                value=ast.Name(id=name),
                slice=ast.Slice(upper=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)])) as part,
            ) if name == counted:
                part.upper = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Writes `"{} {}".format(a, b)` as an f-string."""
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), keywords=[]
            ):
                parts = re.split(r"\{(\d?(?:[:!][^{}]*)?)\}", text)
                if "{" not in "".join(parts[::2]):
                    return _formatted(parts, node.args) or node
        return node


def _named_lambda(node: ast.stmt) -> ast.stmt:
    """Returns `name = lambda x: value` as a function, other statements as they are."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=arguments, body=body)):
            return ast.copy_location(ast.FunctionDef(name, arguments, [ast.Return(body)], [], None), node)
    return node


def _formatted(parts: list[str], values: list[ast.expr]) -> ast.expr | None:
    pieces: list[str] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            pieces.append(part)
            continue
        number = int(part[0]) if part[:1].isdigit() else place // 2
        if number >= len(values):
            return None
        pieces.append(f"{{{ast.unparse(values[number])}{part.lstrip('0123456789')}}}")
    try:
        return ast.parse(f"f{''.join(pieces)!r}", mode="eval").body
    except SyntaxError:
        return None


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


FRAME_NAMES = frozenset(
    "ANSWER CALLS EXCEEDING LiftedTools MOST_CALLS NOTED NOTED_COUNTS RECORDED RecordedTools STEPS TESTS"
    " as_json handle json note_value play_oracle record recorded_entry tag_value untag_value".split()
)
"""Names of the programs in which solutions run; a solution that defines them itself has others."""
_PARTS = frozenset({"Environment", "META", "accepts", "generate", "reference", "solve", "tools"})
"""Names that have a meaning in an environment file."""


def public_name(name: str) -> str:
    """Returns the name of a name of the solution in an environment file, where no name may be private."""
    if name in _PARTS:
        return f"{name}_"
    if not name.startswith("_") or name == "_" or (name.startswith("__") and name.endswith("__")):
        return name
    return f"{name.lstrip('_')}_"
