"""Compares answers with the reference answer."""
