"""Reads files in the CodeGym format."""

from pathlib import Path

from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym_source
from codegym_mcp.environment_definition.codegym_format.environment_names import environment_name
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import read_source


def read_codegym_file(path: Path) -> Environment:
    """Reads a file in the CodeGym format; the environment has the name of the file."""
    return read_codegym_source(read_source(path), name=environment_name(path.stem), path=str(path))
