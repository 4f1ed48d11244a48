"""Runs in a browser: an index of their episodes, and the server of the viewer's page."""
