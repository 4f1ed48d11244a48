"""Reads the source of a solution and what belongs to it."""
