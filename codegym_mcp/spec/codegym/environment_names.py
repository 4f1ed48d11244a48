"""Names of environments that come with names of other kinds: of files, of classes, of rows in a set."""

import re


def environment_name(text: str) -> str:
    """A name of ASCII letters, digits and underscores, good in a URL and in a glob.

    Args:
        text: the stem of a file, or `<code_id>__<class>`.
    """
    return re.sub(r"[^0-9A-Za-z_]+", "_", text) or "_"
