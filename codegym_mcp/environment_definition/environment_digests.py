"""Digests of an environment: of its source and its fixed tasks."""

import json
from collections.abc import Iterable
from hashlib import sha256

from pydantic import BaseModel
from pydantic_core import to_json, to_jsonable_python

from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram


def environment_digest(program: EnvironmentProgram, tasks: Iterable[BaseModel]) -> str:
    """Returns SHA-256 of the source and the fixed tasks, in hexadecimal; equal for equal environments."""
    # `model_dump` would copy each configuration, which takes time, and write infinity as null.
    content = [program.digest, program.entry, [dict(task) for task in tasks]]
    return sha256(json.dumps(content, default=to_jsonable_python).encode()).hexdigest()


def audited_content_digest(program: EnvironmentProgram, tasks: Iterable[BaseModel]) -> str:
    """Returns SHA-256 of the source, its dialect and the fixed tasks, in hexadecimal; stored in audits."""
    dumped = [task.model_dump(mode="json") for task in tasks]
    return sha256(to_json([program.digest, program.dialect, program.entry, dumped])).hexdigest()
