"""One control plane in front of servers on several machines, which hold the episodes."""
