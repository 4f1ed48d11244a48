"""Recognizes addresses of this machine, which are never reached through a proxy."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_SHORT_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){1,2}")
"""Addresses such as 127.1, which the system completes."""


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_this_machine(host: str) -> bool:
    """Returns whether a client that connects to a host name or address reaches this machine itself.

    Besides loopback these are addresses such as 0.0.0.0, at which servers say that they listen.
    """
    host = host.rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return is_loopback(host) or _SHORT_LOOPBACK.fullmatch(host) is not None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified


def is_url_of_this_machine(url: str) -> bool:
    """Returns whether a client that connects to a URL reaches this machine itself."""
    try:
        return is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False
