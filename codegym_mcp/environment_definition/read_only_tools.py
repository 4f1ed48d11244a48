"""Decides whether a tool is read-only, from the source of its method."""

import ast

_PURE_FUNCTIONS = frozenset(
    "abs all any bool dict divmod enumerate float int isinstance len list max min range reversed round set "
    "sorted str sum tuple zip ValueError".split()
)
_PURE_METHODS = frozenset(
    "bit_count bit_length casefold count difference endswith find format get index intersection isalnum "
    "isalpha isdecimal isdigit isdisjoint islower isnumeric isspace issubset issuperset istitle isupper "
    "items join keys ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase symmetric_difference title "
    "union upper values zfill".split()
)


def is_read_only(method: ast.FunctionDef) -> bool:
    """Checks whether a method certainly changes nothing; returns False in case of doubt."""
    return not any(_may_change(part) for part in ast.walk(method))


def _may_change(part: ast.AST) -> bool:
    match part:
        case ast.Attribute(ctx=context) | ast.Subscript(ctx=context):
            return not isinstance(context, ast.Load)
        case ast.AugAssign() | ast.Global() | ast.Nonlocal():
            # `names = self.names; names += […]` changes an attribute of self.
            return True
        case ast.keyword(arg="key", value=value):
            return not isinstance(value, ast.Lambda)
        case ast.Call(func=ast.Name(id=name)):
            return name not in _PURE_FUNCTIONS
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return name not in _PURE_METHODS or (isinstance(value, ast.Name) and value.id == "self")
        case ast.Call():
            return True
    return False
