"""Synthesis of environments from coding problems with a language model, and publishing them as a set."""
