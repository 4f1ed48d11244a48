"""Reads how an environment is scored: `reference`, `accepts`, `final_state` and `mistakes`.

| final_state | first parameters of accepts | what is scored |
|---|---|---|
| absent | no accepts | the answer, by a comparison with the reference |
| absent | answer | the answer, by `accepts` |
| present | answer, state | the answer and the final state, by `accepts` |
| present | state | the final state alone; the submission takes no answer, and there is no reference |
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_origin

from codegym_mcp.answer_scoring.answer_comparison import NO_ANSWER, AnswerType
from codegym_mcp.environment_definition.annotations import read_annotation
from codegym_mcp.environment_definition.environment import Judge
from codegym_mcp.environment_definition.environment_metadata import JudgeErrors, Meta
from codegym_mcp.environment_definition.signatures import read_parameters
from codegym_mcp.environment_definition.source_definitions import SourceDefinitions
from codegym_mcp.environment_definition.tool_methods import FINAL_STATE, check_schemas, submission_tool
from codegym_mcp.environment_definition.tools import Tool

_ANSWER = "answer"
_STATE = "state"
_REQUIRED = "Define accepts(answer, state, …) or accepts(state, …): it judges the final state."


@dataclass(frozen=True)
class ScoringContract:
    """How an environment is scored.

    Attributes:
        answer: the type of the answer; `NO_ANSWER` if the final state alone is scored.
        submission: the tool that submits.
        judge: what decides whether a submission is correct.
        final_state: the method that returns the final state, or None if the state is not scored.
        names_mistakes: whether the source has `mistakes`.
    """

    answer: AnswerType
    submission: Tool
    judge: Judge
    final_state: Tool | None
    names_mistakes: bool

    @classmethod
    def read(
        cls,
        definitions: SourceDefinitions,
        meta: Meta,
        configuration: Sequence[str],
        final_state: ast.FunctionDef | None,
    ) -> "ScoringContract":
        """Reads the functions that score.

        Args:
            configuration: the names of the parameters by which functions take the configuration.
            final_state: the method of `Environment`, or None if it has none.

        Raises:
            SourceError: a function is missing, or its parameters break the contract.
            AnnotationError: a type is not supported.
        """
        state = _read_final_state(definitions, final_state) if final_state is not None else None
        accepts = definitions.functions.get("accepts")
        if state is not None and accepts is None:
            raise definitions.error(
                final_state, "Environment has final_state, but accepts is missing", _REQUIRED
            )
        submitted = _submitted(accepts, has_state=state is not None)
        if accepts is not None:
            _refuse_collisions(definitions, configuration, submitted)
            definitions.function("accepts", [*submitted, *configuration], by_position=len(submitted))
            if state is not None:
                _check_state_annotation(definitions, accepts, state)
        elif meta.judge_errors is not JudgeErrors.FAULT:
            raise definitions.error(
                None,
                "META has judge_errors, but accepts is missing",
                "Define accepts, or remove judge_errors.",
            )
        if "mistakes" in definitions.functions:
            definitions.function("mistakes", configuration)
        if _ANSWER in submitted:
            answer = _read_answer(definitions, meta, configuration)
            submission = submission_tool(answer)
            check_schemas(submission, definitions.functions["reference"], definitions.path)
        else:
            _refuse_reference(definitions)
            answer, submission = NO_ANSWER, submission_tool(None)
        return cls(
            answer=answer,
            submission=submission,
            judge=Judge.REFERENCE if accepts is None else Judge.ACCEPTS,
            final_state=state,
            names_mistakes="mistakes" in definitions.functions,
        )


def _submitted(accepts: ast.FunctionDef | None, *, has_state: bool) -> list[str]:
    """Returns the first parameters of `accepts`: what is submitted."""
    if not has_state:
        return [_ANSWER]
    taken = [argument.arg for argument in accepts.args.args] if accepts is not None else []
    return [_STATE] if _ANSWER not in taken else [_ANSWER, _STATE]


def _refuse_collisions(
    definitions: SourceDefinitions, configuration: Sequence[str], submitted: Sequence[str]
) -> None:
    for name in submitted:
        if name in configuration:
            raise definitions.error(
                definitions.classes["Environment"],
                f"the parameter {name} of __init__ has the name of a parameter of accepts",
                "Rename the parameter of __init__.",
            )


def _refuse_reference(definitions: SourceDefinitions) -> None:
    reference = definitions.functions.get("reference")
    if reference is not None:
        raise definitions.error(
            reference,
            "reference is defined, but accepts judges the state alone",
            "Remove reference, or write accepts(answer, state, …).",
        )


def _read_final_state(definitions: SourceDefinitions, method: ast.FunctionDef) -> Tool:
    if method.decorator_list:
        raise definitions.error(method, "final_state has a decorator", "Remove it.")
    if read_parameters(method, None, definitions.records, definitions.path):
        raise definitions.error(
            method, "final_state takes parameters", "It takes only self and returns the state."
        )
    if method.returns is None:
        raise definitions.error(
            method, "final_state has no return annotation", "Annotate the type of the state."
        )
    tool = Tool(
        name=FINAL_STATE,
        title="Final state",
        description="",
        parameters=(),
        returns=read_annotation(method.returns, definitions.records),
    )
    check_schemas(tool, method, definitions.path)
    return tool


def _check_state_annotation(definitions: SourceDefinitions, accepts: ast.FunctionDef, state: Tool) -> None:
    argument = next(each for each in accepts.args.args if each.arg == _STATE)
    if argument.annotation is None:
        return
    # Two equal annotations of a set give different types; their schemas are equal.
    declared = read_annotation(argument.annotation, definitions.records)
    as_tool = Tool(name=FINAL_STATE, title="", description="", parameters=(), returns=declared)
    if as_tool.output_schema != state.output_schema:
        raise definitions.error(
            argument,
            f"accepts takes the state as {ast.unparse(argument.annotation)}, "
            "which is not the type that final_state returns",
            "Use the return annotation of final_state.",
        )


def _read_answer(definitions: SourceDefinitions, meta: Meta, configuration: Sequence[str]) -> AnswerType:
    node = definitions.function("reference", configuration)
    if node.returns is None:
        raise definitions.error(
            node, "reference has no return annotation", "Annotate the type of the answer."
        )
    annotation = read_annotation(node.returns, definitions.records)
    if meta.answer.order == "any" and get_origin(annotation) is not list:
        raise definitions.error(
            node, "META sets the answer's order to 'any', but the answer is not a list", "Return a list[…]."
        )
    return AnswerType(annotation, any_order=meta.answer.order == "any", tolerance=meta.answer.tolerance)
