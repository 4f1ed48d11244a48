"""A server of several processes: a supervisor process at one address, and workers that hold the episodes."""
