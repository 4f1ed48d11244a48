"""Divides a solution into tools of the environment and an oracle that calls them."""
