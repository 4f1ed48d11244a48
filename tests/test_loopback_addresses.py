"""Which addresses only this machine can reach."""

import pytest

from codegym_mcp.loopback_addresses import is_loopback, is_this_machine, is_url_of_this_machine


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("example.org", False),
    ],
)
def test_loopback_addresses_are_known(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1", True),
        ("localhost", True),
        ("localhost.", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.0.1", False),
        ("::ffff:192.168.0.1", False),
        ("127.example.org", False),
        ("", False),
    ],
)
def test_addresses_that_lead_to_this_machine_are_known(host: str, expected: bool) -> None:
    assert is_this_machine(host) is expected


def test_the_host_of_a_url_is_looked_at() -> None:
    assert is_url_of_this_machine("http://0.0.0.0:8000/v1")
    assert not is_url_of_this_machine("http://example.org")
    assert not is_url_of_this_machine("http://[")
