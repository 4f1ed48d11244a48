"""Reads what defines an environment from its source: tools, types, task text, scoring and tasks."""
