"""Writes a lifted solution as the file of an environment, in words that its reader understands."""
