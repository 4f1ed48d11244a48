"""`python -m codegym_mcp.cli.run_as_child PARENT …`: the command in a process that ends with its parent.

The first argument is the id of the parent process; the others are those of `codegym-mcp`. Only Linux ends a
process with its parent; on other systems the parent stops it.
"""

import os
import sys

from codegym_mcp.cli import main
from codegym_mcp.sandbox.confinement.linux_functions import die_with_parent

if __name__ == "__main__":
    parent = int(sys.argv.pop(1))
    if sys.platform == "linux":
        die_with_parent()
        if os.getppid() != parent:
            sys.exit("The process that started this one has ended.")
    main(prog_name="codegym-mcp")
