"""Landlock: this process and all it forks give up files and TCP, with no way back and no right needed."""

import errno
import os
import struct

from codegym_mcp.sandbox.confinement import linux_calls

# The same numbers on every architecture.
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_ASK_VERSION = 1

_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_FILES_SINCE_5 = 0xFFFF
_TCP_BIND_AND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


def version() -> int:
    """The version of Landlock's interface that this kernel speaks; raises OSError where there is none."""
    try:
        return linux_calls.call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise OSError(error.errno, "the kernel has Landlock, but it was not enabled at boot") from None
        if error.errno == errno.ENOSYS:
            raise OSError(error.errno, "the kernel has no Landlock") from None
        raise


def restrict() -> str:
    """Denies everything that this kernel's Landlock knows of.

    Returns:
        What is denied, in words.

    Raises:
        OSError: there is no Landlock, or new privileges are not forbidden yet.
    """
    spoken = version()
    rights = [_FILES.get(spoken, _FILES_SINCE_5)]
    denied = ["files"]
    if spoken >= 4:
        rights.append(_TCP_BIND_AND_CONNECT)
        denied.append("TCP")
    if spoken >= 6:
        rights.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
        denied.append("abstract sockets and signals outward")
    attributes = struct.pack(f"={len(rights)}Q", *rights)
    ruleset = linux_calls.call("syscall", _CREATE_RULESET, attributes, len(attributes), 0)
    try:
        linux_calls.call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return f"version {spoken}: {', '.join(denied)}"
