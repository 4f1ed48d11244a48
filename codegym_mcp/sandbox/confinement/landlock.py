"""Landlock: denies files and TCP to this process and its children, permanently, without special rights."""

import errno
import os
import struct

from codegym_mcp.sandbox.confinement import linux_functions

# The same numbers on every architecture.
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_ASK_VERSION = 1

_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_FILES_SINCE_5 = 0xFFFF
_TCP_BIND_AND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


def version() -> int:
    """Returns the version of this kernel's Landlock interface; raises OSError if it has none."""
    try:
        return linux_functions.call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise OSError(error.errno, "the kernel has Landlock, but it was not enabled at boot") from None
        if error.errno == errno.ENOSYS:
            raise OSError(error.errno, "the kernel has no Landlock") from None
        raise


def restrict() -> str:
    """Denies everything that this kernel's Landlock can deny.

    Returns:
        The version, and a description of what is denied.

    Raises:
        OSError: the kernel has no Landlock, or the process may still gain privileges.
    """
    spoken = version()
    rights = [_FILES.get(spoken, _FILES_SINCE_5)]
    denied = ["files"]
    if spoken >= 4:
        rights.append(_TCP_BIND_AND_CONNECT)
        denied.append("TCP")
    if spoken >= 6:
        rights.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
        denied.append("abstract sockets and signals to other processes")
    attributes = struct.pack(f"={len(rights)}Q", *rights)
    ruleset = linux_functions.call("syscall", _CREATE_RULESET, attributes, len(attributes), 0)
    try:
        linux_functions.call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return f"version {spoken}: {', '.join(denied)}"
