"""Is an address inside one of these networks?"""

import ipaddress
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@lru_cache(maxsize=4096)
def address_in(peer: str, networks: tuple[str, ...]) -> bool:
    """Whether the peer's IP address lies in one of the networks (CIDR or single addresses).

    An IPv4-mapped IPv6 address (``::ffff:10.0.0.1``, RFC 4291 section 2.5.5.2) is the IPv4 address, on both sides: a
    dual-stack socket reports IPv4 callers so. Raises ValueError when the peer is no IP address or a network cannot be
    read: the question then has no answer.
    """
    address = ipaddress.ip_address(peer)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in _network(text) for text in networks)


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        base = int(network.network_address) & 0xFFFF_FFFF
        return ipaddress.IPv4Network((base, network.prefixlen - 96))
    return network
