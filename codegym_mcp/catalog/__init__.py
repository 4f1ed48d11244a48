"""Finds environments by name: in files, directories and sets, which are indexed once."""
