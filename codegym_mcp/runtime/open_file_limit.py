"""How many files a process may hold open."""

import resource


def raise_open_file_limit() -> None:
    """Lets this process hold as many files as the system allows: an open episode takes two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
