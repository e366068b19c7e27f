"""Gets reference images from where a request says: on the internet, in a ``data:`` URI, or among the engine's files."""

import asyncio
import base64
import binascii
import re
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import aiohttp
from yarl import URL

from engine.errors import NotFoundError, ReferenceImageError
from engine.images import MAX_IMAGE_BYTES
from engine.network import AddressRule, PrivateAddressError, guarded_session, is_public
from engine.store import FileStore

FETCH_TIMEOUT_S = 20.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024

_OWN_FILE = re.compile(r"https?://[^?#]+/files/(?P<name>[0-9a-f]{64})", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "facelock-engine",
    "Accept": "image/jpeg, image/png, image/webp",
    "Accept-Encoding": "identity",  # images are compressed already; this leaves no way to send a decompression bomb
}


class ImageFetcher:
    """Fetches images, while its ``async with`` lasts.

    Args:
        allowed: Decides about each IP address that a connection would go to.
        files: The engine's own files, which are read without a connection.
        timeout_s: Seconds for one image, redirects included.
    """

    def __init__(
        self,
        *,
        allowed: AddressRule = is_public,
        files: FileStore | None = None,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._allowed = allowed
        self._files = files
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._session = guarded_session(self._allowed, headers=_HEADERS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(self, source: str) -> bytes:
        """Return the bytes of an image, at most 10 MiB (20 for an upload); what they hold is for the decoder to say.

        Raises:
            ReferenceImageError: It cannot be had; the text says why without repeating the address.
        """
        if source[:5].lower() == "data:":
            return await asyncio.to_thread(decode_data_uri, source)
        own = await asyncio.to_thread(self._read_own, source)
        if own is not None:
            return own
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

    def _read_own(self, source: str) -> bytes | None:
        """Return a file that the engine itself serves, whichever of its host names the address has.

        The file's name proves that the sender was told it, so no rule about addresses is asked.
        """
        own = _OWN_FILE.fullmatch(source)
        if self._files is None or own is None:
            return None
        try:
            return self._files.read(own["name"]).data
        except NotFoundError:
            return None


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
            "or start the engine with --allow-private-hosts."
        )
    return ReferenceImageError("Its address could not be reached. Check that it opens in a browser.")
