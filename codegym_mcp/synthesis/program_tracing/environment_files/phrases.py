"""Expressions in words."""

import ast

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "is less than",
    ast.Gt: "is greater than",
    ast.LtE: "is at most",
    ast.GtE: "is at least",
    ast.Eq: "equals",
    ast.NotEq: "differs from",
    ast.In: "is in",
    ast.NotIn: "is not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divided by",
    ast.FloorDiv: "divided (rounded down) by",
    ast.Mod: "modulo",
    ast.Pow: "to the power of",
    ast.BitXor: "XOR",
    ast.BitAnd: "AND (bit by bit)",
    ast.BitOr: "OR (bit by bit)",
    ast.LShift: "shifted left by",
    ast.RShift: "shifted right by",
}
_FUNCTIONS = {
    "len": "the length of",
    "sum": "the sum of",
    "int": "the whole number of",
    "abs": "the absolute value of",
    "ord": "the character code of",
    "chr": "the character with the code",
    "str": "the text of",
    "max": "the greatest of",
    "min": "the least of",
    "sorted": "the sorted",
    "set": "the different items of",
    "list": "",
    "tuple": "",
    "reversed": "the reversed",
    "bin": "the binary digits of",
}
_ADJECTIVES = ("sorted", "reversed")
_METHODS = {
    "isdigit": "is made of digits",
    "isalpha": "is made of letters",
    "isalnum": "is made of letters and digits",
    "isupper": "is in upper case",
    "islower": "is in lower case",
    "isspace": "is white space",
}
_FORMS = {
    "split": "the parts of",
    "lower": "the lower-case form of",
    "upper": "the upper-case form of",
    "strip": "the trimmed form of",
    "items": "the entries of",
    "keys": "the keys of",
    "values": "the values of",
}


def phrase(node: ast.expr) -> str:
    """Returns what an expression computes, in words; names and items of containers are code."""
    match node:
        case ast.Name() | ast.Attribute():
            return code(node)
        case ast.Constant(value=value):
            return repr(value)
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            first = phrase(lower) if lower is not None else "the beginning"
            last = f"before {phrase(upper)}" if upper is not None else "the end"
            return f"the part of {phrase(value)} from {first} to {last}"
        case ast.Subscript(value=value, slice=ast.UnaryOp(operand=ast.Constant(value=1))):
            return f"the last item of {phrase(value)}"
        case ast.Subscript():
            return code(node)
        case ast.Compare(left=left, ops=[operator], comparators=[other]):
            return f"{phrase(left)} {_COMPARISONS[type(operator)]} {phrase(other)}"
        case ast.BinOp() | ast.BoolOp() | ast.UnaryOp() if _is_ambiguous(node):
            return code(node)
        case ast.BinOp(left=left, op=operator, right=right):
            return f"{phrase(left)} {OPERATORS.get(type(operator), 'combined with')} {phrase(right)}"
        case ast.BoolOp(op=operator, values=values):
            return (" and " if isinstance(operator, ast.And) else " or ").join(map(phrase, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"it is not true that {phrase(operand)}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"minus {phrase(operand)}"
        case ast.Call(func=ast.Name(id="bool"), args=[ast.Subscript(slice=ast.Slice()) as part]):
            return f"{phrase(part)} is not empty"
        case ast.Call(func=ast.Name(id="bool"), args=[argument]):
            return f"{phrase(argument)} is not zero or empty"
        case ast.Call(func=ast.Name(id="isinstance"), args=[argument, kind]):
            return f"{phrase(argument)} is of the type {ast.unparse(kind)}"
        case ast.Call(keywords=[_, *_]):
            return code(node)
        case ast.Call(func=ast.Name(id=name), args=args) if name in _FUNCTIONS:
            what = " and ".join(map(phrase, args))
            if name in _ADJECTIVES:
                what = what.removeprefix("the ")
            return f"{_FUNCTIONS[name]} {what}".strip()
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args) if name in _METHODS:
            return f"{phrase(value)} {_METHODS[name]}"
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args) if name in _FORMS:
            return f"{_FORMS[name]} {phrase(value)}"
        case ast.Call(func=ast.Attribute(value=value, attr="count"), args=[argument]):
            return f"how often {phrase(argument)} occurs in {phrase(value)}"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"{phrase(body)} if {phrase(test)}, otherwise {phrase(orelse)}"
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return ", ".join(map(phrase, parts))
    return code(node)


def code(node: ast.expr) -> str:
    """Returns an expression as code, without the `self.` of hidden values."""
    return f"`{ast.unparse(ast.fix_missing_locations(node)).replace('self.', '')}`"


def _is_ambiguous(node: ast.expr) -> bool:
    """Returns whether words, which have no brackets, could be read in another order than the expression."""
    match node:
        case ast.UnaryOp(operand=operand):
            return isinstance(operand, ast.BinOp | ast.BoolOp)
        case ast.BoolOp(values=values):
            return any(isinstance(each, ast.BoolOp | ast.IfExp) for each in values)
        case ast.BinOp(left=left, right=right):
            return any(isinstance(each, ast.BinOp | ast.IfExp) for each in (left, right))
    return False
