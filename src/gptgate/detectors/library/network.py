"""Addresses of machines in networks: they are personal data where they belong to somebody's connection."""

from ipaddress import AddressValueError, IPv6Address

from gptgate.detectors.context import NUMBER_END, beside
from gptgate.detectors.pattern import ESCAPED, Detector, Pattern


def is_public_v4(match: bytes) -> bool:
    """Whether the address leads to a machine somewhere: not one of a private network, a loop, an example, a mask."""
    one, two, three, four = map(int, match.split(b"."))
    address = (one << 24) + (two << 16) + (three << 8) + four
    return (
        one not in (0, 10, 127, 255)
        and not any(address >> bits == network for bits, network in _NOWHERE)
        and match not in _RESOLVERS
        and match.count(b".0") < 2
    )


def is_bare_v4(match: bytes) -> bool:
    """Whether the address says itself that it is one: versions in four parts (``2.13.0.7``) have small numbers only."""
    return max(map(int, match.split(b"."))) >= _LARGE and is_public_v4(match)


def is_named_v4(match: bytes) -> bool:
    """Whether the address needs the word beside it."""
    return max(map(int, match.split(b"."))) < _LARGE and is_public_v4(match)


def is_v4(match: bytes) -> bool:
    """Whether the address is of a private network: beside a word it is somebody's, but not more than that."""
    one, two = map(int, match.split(b".")[:2])
    return one == 10 or (one == 172 and 16 <= two < 32) or (one == 192 and two == 168)


def is_v6(match: bytes) -> bool:
    """Whether the address leads to a machine somewhere."""
    try:
        address = IPv6Address(match.decode())
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast) and (
        not match.lower().startswith((b"2001:db8", b"fd", b"fc", b"::"))
    )


def is_card_address(match: bytes) -> bool:
    """Whether the address is one card's: not everybody's, nobody's or a run of examples."""
    text = match.decode().replace("-", ":").lower()
    return len(set(text.split(":"))) > 2 and text not in _EXAMPLES


_NOWHERE = (
    # bits after the network, the network
    (16, 169 << 8 | 254),  # on the same cable
    (20, 172 << 4 | 1),  # private
    (16, 192 << 8 | 168),
    (8, 192 << 16),  # for protocols
    (8, 192 << 16 | 2),  # for documents
    (17, 198 << 7 | 18 >> 1),  # for measuring
    (8, 198 << 16 | 51 << 8 | 100),
    (8, 203 << 16 | 113),
)
"""Networks that lead nowhere in the internet (RFC 6890). A table, since `ipaddress` knows others in each Python."""

_LARGE = 32
_RESOLVERS = frozenset(
    {
        b"8.8.8.8",
        b"8.8.4.4",
        b"1.1.1.1",
        b"1.0.0.1",
        b"9.9.9.9",
        b"208.67.222.222",
        b"1.2.3.4",
        b"11.22.33.44",
        b"123.45.67.89",
    }
)
_EXAMPLES = frozenset({"00:11:22:33:44:55", "01:23:45:67:89:ab", "aa:bb:cc:dd:ee:ff", "12:34:56:78:9a:bc"})
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_WORDS = "ip|client|host|address"
_HEX = "[0-9A-Fa-f]"
_GROUP = "[0-9A-Fa-f]{1,4}"

DETECTOR = Detector(
    name="network",
    version=2,
    kinds={
        "pii.ip_address": "An IP address (4 or 6) that is not of a private network, a loop, an example or a resolver.",
        "pii.private_ip_address": "An IP address of a private network, beside a word that says so.",
        "pii.mac_address": "A network card's address.",
    },
    patterns=(
        Pattern(
            kind="pii.ip_address",
            # After ``==`` or ``>=`` stands a version.
            left=rf"(?:{ESCAPED}|[^A-Za-z0-9.=-]|[^<=>!~]=)",
            body=_V4,
            points=20,
            right=NUMBER_END,
            accept=is_bare_v4,
        ),
        beside("pii.ip_address", _WORDS, _V4, 20, is_named_v4),
        Pattern(
            kind="pii.ip_address",
            left=rf"(?:{ESCAPED}|[^A-Za-z0-9:.])",
            body=f"{_GROUP}(?:(?::{_GROUP}){{7}}|(?::{_GROUP}){{1,6}}::(?:{_GROUP}(?::{_GROUP}){{0,4}})?)",
            points=20,
            right="[^A-Za-z0-9:]",
            trigger=f":{_HEX}{{1,4}}:[:0-9A-Fa-f]",
            accept=is_v6,
        ),
        beside("pii.private_ip_address", _WORDS, _V4, 5, is_v4),
        Pattern(
            kind="pii.mac_address",
            left=rf"(?:{ESCAPED}|[^A-Za-z0-9:-])",
            body=f"{_HEX}{{2}}(?:(?::{_HEX}{{2}}){{5}}|(?:-{_HEX}{{2}}){{5}})",
            points=10,
            right="[^A-Za-z0-9:-]",
            trigger=f"[:-]{_HEX}{{2}}[:-]{_HEX}{{2}}[:-]",
            accept=is_card_address,
        ),
    ),
)
