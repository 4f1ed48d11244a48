"""Inputs of a solution: those of its tests, and generated ones."""
