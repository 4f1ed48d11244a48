"""Runs solutions in a confined process."""
