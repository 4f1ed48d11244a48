"""How many files a process may hold open."""

import resource


def allow_open_files() -> None:
    """Lets this process hold as many files as the system allows: an open episode takes two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
