"""A server of several processes: a control process at one address, and workers that hold the episodes."""
