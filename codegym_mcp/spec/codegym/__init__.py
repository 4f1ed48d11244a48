"""Reads classes in the CodeGym format (arXiv 2509.17325) as environments."""

from codegym_mcp.spec.codegym.class_reader import is_codegym, read_codegym_file, read_codegym_source
from codegym_mcp.spec.codegym.environment_names import environment_name
from codegym_mcp.spec.codegym.training_records import read_records

__all__ = ["environment_name", "is_codegym", "read_codegym_file", "read_codegym_source", "read_records"]
