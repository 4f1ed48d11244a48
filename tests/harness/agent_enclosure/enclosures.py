"""Which enclosures this machine allows."""

import os
import subprocess
from functools import cache

from codegym_harness.agent_enclosure import landlock_rules
from codegym_harness.agent_enclosure.enclosure_options import Enclosure
from codegym_mcp.sandbox.confinement import landlock


@cache
def allows(enclosure: Enclosure) -> bool:
    """Checks, by other means than those that are tested, whether an enclosure can be had here."""
    match enclosure:
        case Enclosure.NAMESPACES:
            probe = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "true"]
            if os.geteuid() != 0:
                probe[1:1] = ["--user", "--map-current-user"]
            return subprocess.run(probe, capture_output=True, check=False).returncode == 0
        case Enclosure.LANDLOCK:
            try:
                return landlock.version() >= landlock_rules.LEAST_VERSION
            except OSError:
                return False
        case Enclosure.NONE:
            return True
