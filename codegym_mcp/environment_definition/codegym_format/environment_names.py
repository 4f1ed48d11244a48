"""Makes names of environments from the names of files, classes and rows of sets."""

import re


def environment_name(text: str) -> str:
    """Returns a name of ASCII letters, digits and underscores, which is safe in a URL and in a glob.

    Args:
        text: the stem of a file, or `<code_id>__<class>`.
    """
    return re.sub(r"[^0-9A-Za-z_]+", "_", text) or "_"
