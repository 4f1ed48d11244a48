"""Entry point of the desktop bundle: serves the environment that the user configured, or the gateway."""

import os

from codegym_mcp.cli import main

environment = os.environ.get("CODEGYM_MCP_ENVIRONMENT", "").strip()
difficulty = os.environ.get("CODEGYM_MCP_DIFFICULTY", "").strip()
# A client that leaves an empty option out passes its placeholder on.
if not environment or environment.startswith("${"):
    main(["serve", "--stdio-gateway"], prog_name="codegym-mcp")
else:
    chosen = []
    if difficulty and not difficulty.startswith("${"):
        # Clients send numbers with a fraction.
        chosen = ["--difficulty", difficulty.removesuffix(".0")]
    main(["serve", environment, *chosen], prog_name="codegym-mcp")
