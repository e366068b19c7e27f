"""Which addresses the engine connects to on behalf of a stranger: to fetch an image, or to deliver a webhook.

The rule is applied to the address of every single connection, at the moment it is opened: whichever way an address was
written, and whatever a name resolved to a moment before, nothing else can be connected to. Otherwise the engine would
become a stranger's way into its own network (server-side request forgery).
"""

import socket
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp

# https://www.iana.org/assignments/iana-ipv6-special-registry: unicast on the internet is 2000::/3, less these.
_IPV6_INTERNET = IPv6Network("2000::/3")
_IPV6_SPECIAL = (IPv6Network("2001::/23"), IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
# RFC 6052: an IPv4 address behind a translator, which is how names resolve on networks with IPv6 only.
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
AddressRule = Callable[[Address], bool]


class PrivateAddressError(OSError):
    """A connection was about to go where the rule forbids."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one on the internet: not loopback, private, link-local, multicast or reserved.

    IPv6 addresses that stand for an IPv4 address are judged as that.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _IPV6_INTERNET and not any(address in network for network in _IPV6_SPECIAL) and address.is_global


def is_any(_address: Address) -> bool:
    """Allow every address, for engines that serve their own network."""
    return True


def guarded_session(allowed: AddressRule, *, headers: Mapping[str, str]) -> aiohttp.ClientSession:
    """Open a session that connects to allowed addresses alone and sends neither cookies nor credentials.

    Its user takes redirects one by one: the rule judges addresses, not URLs.
    """

    def open_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, target = info
        if not allowed(ip_address(target[0])):
            raise PrivateAddressError("not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.ClientSession(
        # One connection per request: a pooled one would outlive the rule's decision about its address.
        connector=aiohttp.TCPConnector(socket_factory=open_socket, force_close=True, use_dns_cache=False),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,  # a proxy would connect on our behalf, and .netrc holds credentials
    )
