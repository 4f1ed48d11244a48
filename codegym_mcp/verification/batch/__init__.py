"""Verification and audit of many environments at once."""
