"""Environments made of ordinary code by program analysis, without a language model."""
