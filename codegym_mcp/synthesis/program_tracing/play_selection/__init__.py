"""Plays lifted solutions and selects the plays that become tasks."""
