"""Gets reference images from where a request says: an address on the internet, or a ``data:`` URI.

The addresses come from strangers, so the engine must not become their way into its own network (server-side request
forgery). The rule is applied to the address of every single connection, at the moment it is opened: whichever way an
address was written, and whatever a name resolved to a moment before, nothing else can be connected to.
"""

import asyncio
import base64
import binascii
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import aiohttp
from yarl import URL

from engine.errors import ReferenceImageError
from engine.images import MAX_IMAGE_BYTES

FETCH_TIMEOUT_S = 20.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "facelock-engine",
    "Accept": "image/jpeg, image/png, image/webp",
    "Accept-Encoding": "identity",  # images are compressed already; this leaves no way to send a decompression bomb
}

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


class ImageFetcher:
    """Fetches images, while its ``async with`` lasts.

    Args:
        allowed: Decides about each IP address that a connection would go to.
        timeout_s: Seconds for one image, redirects included.
    """

    def __init__(self, *, allowed: AddressRule = is_public, timeout_s: float = FETCH_TIMEOUT_S) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        # One connection per request: a pooled one would outlive the rule's decision about its address.
        connector = aiohttp.TCPConnector(socket_factory=self._open_socket, force_close=True, use_dns_cache=False)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,  # a proxy would connect on our behalf, and .netrc holds credentials
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(self, source: str) -> bytes:
        """Return the bytes of an image, at most 10 MiB; what they hold is for the decoder to say.

        Raises:
            ReferenceImageError: It cannot be had; the text says why without repeating the address.
        """
        if source[:5].lower() == "data:":
            return await asyncio.to_thread(decode_data_uri, source)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(URL(source))
        except TimeoutError as error:
            raise ReferenceImageError(f"Its address took longer than {self._timeout_s:g} s. Try again.") from error
        except aiohttp.ClientConnectorError as error:
            raise _connection_error(error.os_error) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise ReferenceImageError("Its address could not be read. Check that it opens in a browser.") from error

    async def _follow(self, url: URL) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            _check_url(url)
            async with self._session.get(url, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in _REDIRECTS or not location:
                    return await _read_image(response)
                url = url.join(URL(location))
        raise ReferenceImageError(f"Its address redirects more than {MAX_REDIRECTS} times. Send the image's own one.")

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Open the socket for one connection, if its address passes; called for every attempt to connect."""
        family, kind, protocol, _, target = info
        if not self._allowed(ip_address(target[0])):
            raise PrivateAddressError("not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)


def decode_data_uri(source: str) -> bytes:
    """Return the bytes of a base64 ``data:`` URI (RFC 2397), at most 10 MiB.

    Raises:
        ReferenceImageError: It is another kind of data: URI, not base64, or too large.
    """
    header, _, payload = source.partition(",")
    if not header.lower().endswith(";base64"):
        raise ReferenceImageError("Its data: URI is not base64. Send data:image/png;base64, followed by the image.")
    if len(payload) > MAX_IMAGE_BYTES * 2:  # base64 takes four characters for three bytes, and some are escaped
        raise _too_large()
    try:
        data = base64.b64decode("".join(unquote(payload).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReferenceImageError("Its data: URI holds broken base64. Encode the image again.") from error
    if len(data) > MAX_IMAGE_BYTES:
        raise _too_large()
    return data


def _check_url(url: URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host:
        raise ReferenceImageError("Its address leads away from http and https. Send the image's own address.")
    if url.user is not None or url.password is not None:
        raise ReferenceImageError("Its address leads to one with a user name in it. Send the image's own address.")


async def _read_image(response: aiohttp.ClientResponse) -> bytes:
    if response.status != 200:
        text = f"Its address answered with HTTP status {response.status}. Check that it opens in a private window."
        raise ReferenceImageError(text)
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        data += chunk
        if len(data) > MAX_IMAGE_BYTES:
            raise _too_large()
    return bytes(data)


def _too_large() -> ReferenceImageError:
    return ReferenceImageError(f"It is larger than {MAX_IMAGE_BYTES // 2**20} MiB. Send a smaller image.")


def _connection_error(cause: OSError) -> ReferenceImageError:
    if isinstance(cause, PrivateAddressError):
        return ReferenceImageError(
            "Its address is in a private network, which this engine does not fetch from. Send one on the internet, "
            "or start the engine with --allow-private-images."
        )
    return ReferenceImageError("Its address could not be reached. Check that it opens in a browser.")
