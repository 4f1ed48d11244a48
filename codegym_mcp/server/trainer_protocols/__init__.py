"""Protocols of trainers, spoken by the HTTP server: NeMo Gym's resources server, and ORS."""
