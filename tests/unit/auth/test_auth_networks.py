"""Addresses and networks."""

import pytest

from gptgate.auth.networks import address_in


@pytest.mark.parametrize(
    ("peer", "network", "inside"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.4", "10.1.2.3/32", False),
        ("10.1.2.3", "10.1.2.99/24", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("::ffff:11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "::ffff:10.0.0.0/104", True),
        ("11.1.2.3", "::ffff:10.0.0.0/104", False),
        ("2001:db8::1", "2001:db8::/32", True),
        ("2001:db9::1", "2001:db8::/32", False),
        ("2001:db8::1", "10.0.0.0/8", False),
        ("10.1.2.3", "::/0", False),
        ("fe80::1%eth0", "fe80::/10", True),
    ],
)
def test_an_address_is_inside_its_network(peer: str, network: str, inside: bool) -> None:
    assert address_in(peer, (network,)) is inside
    assert address_in(peer, ("192.0.2.0/24", network)) is inside


@pytest.mark.parametrize(("peer", "network"), [("", "10.0.0.0/8"), ("unix:", "::/0"), ("10.0.0.1", "ten"), ("x", "x")])
def test_a_question_that_cannot_be_answered_is_an_error(peer: str, network: str) -> None:
    with pytest.raises(ValueError):
        address_in(peer, (network,))
