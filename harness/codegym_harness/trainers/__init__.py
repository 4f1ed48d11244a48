"""Adapters to training libraries, one module for each.

Every module can be imported without its library. What needs the library raises `MissingExtraError` then.
"""
