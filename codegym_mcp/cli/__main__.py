from codegym_mcp.cli import main

main(prog_name="codegym-mcp")
