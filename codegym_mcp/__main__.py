"""`python -m codegym_mcp`: the same as the command `codegym-mcp`."""

from codegym_mcp.cli import main

if __name__ == "__main__":
    main(prog_name="codegym-mcp")
