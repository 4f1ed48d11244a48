"""Runs in the formats of others: training sets for trainers, and whole runs for viewers."""
