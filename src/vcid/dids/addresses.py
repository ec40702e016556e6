"""Which hosts and addresses a document may send this library to: the public Internet, and nothing else.

Documents name URLs, and whoever writes a document would like a border post's computer to ask its own router,
a cloud's metadata service or the ministry's database. Stated here is what *may* be asked: host names in
letters (no IP address in any spelling), and addresses outside the special-purpose registries of IANA (RFC
6890). Forms that carry an IPv4 address within an IPv6 one (mapped, NAT64, 6to4, Teredo, ISATAP) are refused
whole, so that none has to be unwrapped rightly.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

MAX_HOST_CHARS: Final = 253

_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# What some client reads as an IPv4 address: a last label that is a number, in hexadecimal after 0x.
_NUMBER: Final = re.compile("[0-9]+|0x[0-9a-f]*")
# Names that belong to a machine or to a network, not to the Internet (RFC 6761, RFC 6762, RFC 8375, RFC 9476,
# the reservation of .internal, and what routers and directories are set up with).
_LOCAL_ZONES: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "lan", "home", "corp"}
    | {"workgroup", "arpa", "onion", "alt"}
)


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_GLOBAL_UNICAST: Final = ip_network("2000::/3")
_SPECIAL: Final = _networks(
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT, and a cloud's metadata at 100.100.100.200
    "127.0.0.0/8",
    "168.63.129.16/32",  # a cloud's platform service, by a public number
    "169.254.0.0/16",  # link-local, and the metadata of most clouds
    "172.16.0.0/12",
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
    "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",  # documentation, as is 3fff::/20
    "2002::/16",  # 6to4
    "3fff::/20",
)
# What an operator may mean by a host of their own. Link-local addresses are not among them.
_PRIVATE_USE: Final = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
_METADATA: Final = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})
# The middle of an interface identifier that holds an IPv4 address (RFC 5214, section 6.1).
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})


def read_address(text: str) -> Address | None:
    """Read an address as a resolver returns it; None for anything else."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether the address is of the public Internet, and of one machine there."""
    if isinstance(address, IPv6Address) and (
        address.scope_id is not None or address not in _GLOBAL_UNICAST or _is_isatap(address)
    ):
        return False
    return not _is_within(address, _SPECIAL)


def is_private_use(address: Address) -> bool:
    """Tell whether the address may be a host of an operator's own network, or of this machine."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    return _is_within(address, _PRIVATE_USE) and address not in _METADATA


def is_host_name(text: str) -> bool:
    """Tell whether the text is a host's name in lower-case ASCII, and no client reads an address in it.

    A name in another script is written with ``xn--``; a dot at the end is a second spelling, and refused.
    """
    if len(text) > MAX_HOST_CHARS or _HOST.fullmatch(text) is None:
        return False
    return _NUMBER.fullmatch(text.rpartition(".")[2]) is None


def is_public_name(host: str) -> bool:
    """Tell whether a host's name could belong to the Internet: several labels, in no local zone."""
    _, dot, zone = host.rpartition(".")
    return bool(dot) and zone not in _LOCAL_ZONES


def _is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
