"""Recognizes classes in the CodeGym format in a syntax tree."""

import ast

from codegym_mcp.environment_definition.codegym_format.task_texts import SUBMISSION


def is_codegym(tree: ast.Module) -> bool:
    """Checks whether a module contains a class in the CodeGym format."""
    return any(mapping_of(node) is not None for node in tree.body)


def mapping_of(node: ast.stmt) -> ast.Dict | None:
    """Returns the `func_mapping` of a class in the format, or None for any other statement."""
    if not isinstance(node, ast.ClassDef):
        return None
    methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    if not {"step", SUBMISSION} <= methods:
        return None
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[target], value=ast.Dict() as value):
                pass
            case ast.AnnAssign(target=target, value=ast.Dict() as value):
                pass
            case _:
                continue
        if getattr(target, "attr", getattr(target, "id", "")) == "func_mapping":
            return value
    return None
