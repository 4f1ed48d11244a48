"""Coding problems as tool-use environments, served over MCP, recorded and scored."""

__version__ = "0.1.0"
