"""Data sets of tasks, from which trainers open episodes; one module for each format.

A task set names tasks and describes them as an agent sees them. It holds no reference answer and no hidden
configuration.
"""
