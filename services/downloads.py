"""Fetching what Discord and the image service point to, within limits, and never from inside the operator's network."""

import asyncio
import base64
import binascii
import ipaddress
import socket
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import aiohttp

from services import network
from services.errors import FacelockError

REDIRECTS_MAX = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# RFC 6052: an IPv4 address behind a translator, which is how names resolve on networks with IPv6 only.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class DownloadError(FacelockError):
    """The file did not come. ``gone`` means that another try would not help."""

    def __init__(self, reason: str, *, gone: bool) -> None:
        super().__init__(reason)
        self.gone = gone


class Downloads:
    """An HTTP client without credentials. Plain http and private addresses are allowed only where the operator's own
    setting for the other side is such an address (``is_private_url``), as with a local engine.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        # Every connection is checked at the moment it is opened, whatever a name has resolved to and however an address
        # was written; a connection is never kept, so none outlives its check. Who downloads decides how many at a time.
        connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=self._open_socket)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(self, url: str, *, bytes_max: int, timeout_s: float) -> bytes:
        """The whole file behind an http(s) or data: address.

        Raises:
            DownloadError: it is too long, too slow, not there, or where it may not be fetched from.
        """
        if url.startswith("data:"):
            return _decode_data_uri(url, bytes_max)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(url, bytes_max)
        except network.FAULTS as error:
            is_private = isinstance(getattr(error, "os_error", None), _PrivateAddressError)
            reason = "its address is in a private network" if is_private else type(error).__name__
            is_final = is_private or isinstance(error, aiohttp.InvalidURL)
            raise DownloadError(f"the file did not arrive: {reason}", gone=is_final) from error

    async def _follow(self, url: str, bytes_max: int) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            self._check(url)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await _body(response, bytes_max)
                url = urljoin(url, response.headers.get("Location", ""))
        raise DownloadError("the file is behind too many redirects", gone=True)

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise DownloadError("the address of the file makes no sense", gone=True) from error
        if not parts.hostname or parts.scheme not in ("https", "http"):
            raise DownloadError("the address of the file makes no sense", gone=True)
        if parts.scheme != "https" and not self._allow_private:
            raise DownloadError("the address of the file is not an https address", gone=True)

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, target = info
        if not self._allow_private and not is_public(str(target[0])):
            raise _PrivateAddressError("the address of the file is not public")
        return socket.socket(family=family, type=kind, proto=protocol)


class _PrivateAddressError(OSError):
    """A connection was about to go into the operator's own network."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet; an IPv6 address that wraps an IPv4 address is judged as that."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    wrapped = _wrapped(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    parsed = wrapped or parsed
    return parsed.is_global and not parsed.is_multicast


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_private_url(url: str) -> bool:
    """Whether the operator's own address of a service is plain http, or names a private host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" or not is_public(host)
    except ValueError:  # a name
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)


async def _body(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    if response.status != 200:
        gone = 400 <= response.status < 500 and response.status not in (408, 425, 429)
        raise DownloadError(f"the file's host answered {response.status}", gone=gone)
    read = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        read += chunk
        if len(read) > bytes_max:
            raise DownloadError(f"the file is longer than {bytes_max} bytes", gone=True)
    return bytes(read)


def _decode_data_uri(uri: str, bytes_max: int) -> bytes:
    head, _, data = uri.partition(",")
    if not head.endswith(";base64") or len(data) > bytes_max * 4 / 3 + 4:
        raise DownloadError("the picture in the answer is too long or in an unknown form", gone=True)
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DownloadError("the picture in the answer is damaged", gone=True) from error
