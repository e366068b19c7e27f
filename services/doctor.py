"""Whether everything that the bot needs is in order: one finding for each, with what to do where it is not.

Nothing here costs money, changes anything or disturbs a bot that runs meanwhile. What needs Discord's library is in
``cogs/doctor.py``.
"""

import asyncio
import functools
import io
import shutil
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp
from PIL import Image

from db import inspection
from db.faces import SealedPhoto
from services import network, web
from services.config import Settings
from services.errors import ConfigError, PhotoRefused
from services.faces import unsealed
from services.image_check import CheckUnavailableError, ImageCheck
from services.imagepipeline.answers import Misconfigured, ServiceError
from services.imagepipeline.client import ImageClient
from services.photos import Photos
from services.public import PublicAddresses
from services.servers import parsed
from services.signing import Signer
from services.vault import CannotOpen, Vault, all_keys, key_file_of

TIMEOUT = aiohttp.ClientTimeout(total=15)
FREE_BYTES_MIN = 2**30
# Discord's signed addresses and the bot's own end by the clock, and the header has whole seconds.
CLOCK_OFF_MAX = timedelta(seconds=5)
_READ_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen of one subject; where it is a problem, the text says what to do."""

    subject: str
    text: str
    is_problem: bool

    def __str__(self) -> str:
        return f"{'FIX' if self.is_problem else 'OK '} {self.subject}: {self.text}"


Findings = list[Finding]


def fine(subject: str, text: str) -> Findings:
    """All is well."""
    return [Finding(subject=subject, text=text, is_problem=False)]


def problem(subject: str, text: str) -> Findings:
    """Something has to be done."""
    return [Finding(subject=subject, text=text, is_problem=True)]


async def checked(subject: str, check: Awaitable[Findings]) -> Findings:
    """What a check finds; one that fails itself is a problem too, and does not end the others."""
    try:
        return await check
    except Exception as error:  # noqa: BLE001 - the edge
        return problem(subject, f"this could not be checked ({type(error).__name__}: {error}).")


async def check_database(path: Path) -> Findings:
    """Whether the file can be read and is whole, and whose it is."""
    subject = "database"
    if not await asyncio.to_thread(path.exists):
        return fine(subject, f"{path} is not there yet; the bot makes it at its first start.")
    try:
        seen = await inspection.inspect(path)
    except inspection.StorageError as error:
        return problem(
            subject, f"{path} cannot be read ({error}). Check its permissions, or put a backup in its place."
        )
    if seen.damage is not None:
        return problem(subject, f"{path} is damaged ({seen.damage}). Stop the bot and put a backup in its place.")
    if seen.schema > seen.known:
        versions = f"schema {seen.schema}, this one knows {seen.known}"
        return problem(subject, f"{path} was written by a newer Facelock ({versions}). Install that version.")
    owner = "a bot runs on it" if await inspection.is_owned(path) else "no bot runs on it"
    upgrade = "" if seen.schema == seen.known else f"; the next start upgrades it from schema {seen.schema}"
    return fine(subject, f"{path} is whole, {owner}{upgrade}.")


async def check_disk(path: Path, *, free_bytes_min: int = FREE_BYTES_MIN) -> Findings:
    """Whether there is room for pictures, and for the copy of the database that an upgrade makes."""
    free, size = await asyncio.to_thread(_room, path)
    room = f"{free / 2**30:.1f} GiB are free for {path}"
    if free < free_bytes_min + size:
        wanted = (free_bytes_min + size) / 2**30
        return problem("disk", f"{room}. Make room: at least {wanted:.1f} GiB, so that pictures and a backup fit.")
    return fine("disk", f"{room}.")


def _room(path: Path) -> tuple[int, int]:
    """The free bytes where that file is or will be, and its own."""
    folder = next(each for each in path.absolute().parents if each.exists())
    return shutil.disk_usage(folder).free, path.stat().st_size if path.exists() else 0


async def check_detector(*, detect: bool) -> Findings:
    """Whether the face detector is there and works: it must see no face in an empty picture."""
    subject = "face detector"
    if not detect:
        return fine(subject, "FACE_DETECTION is off: photos are cropped to their middle.")
    async with Photos(detect=True) as photos:
        if not photos.detects:
            advice = "Install requirements.txt with a Python that has a dlib-bin package, or set FACE_DETECTION=off."
            return problem(subject, f"there is none here, so photos are cropped to their middle unchecked. {advice}")
        try:
            await photos.crop(_blank())
        except PhotoRefused:
            return fine(subject, "it is loaded, and sees no face in an empty picture.")
    return problem(subject, "it sees a face in an empty picture. Install the version of dlib in requirements.txt.")


def _blank() -> bytes:
    blank = io.BytesIO()
    Image.new("RGB", (256, 256), "grey").save(blank, "PNG")
    return blank.getvalue()


async def check_faces(path: Path, configured: Sequence[bytes]) -> Findings:
    """Whether the keys are there that saved faces were sealed with: one photo of each key is opened."""
    subject, key_file = "saved faces", key_file_of(path)
    keys = await asyncio.to_thread(functools.partial(all_keys, configured, key_file, make=False))
    if not keys and await asyncio.to_thread(key_file.exists):
        return problem(
            subject, f"{key_file} cannot be used, so none can be opened or saved. Put a backup in its place."
        )
    photos = await inspection.sealed_photos(path) if await asyncio.to_thread(path.exists) else []
    vault = Vault(keys)
    shut = sum(number for photo, number in photos if not _opens(vault, photo))
    if shut:
        advice = "Put their key back: a backup of faces.key, or the older FACE_KEY behind the new one"
        return problem(subject, f"{shut} of their photos cannot be opened. {advice}.")
    if not photos:
        return fine(subject, "there are none yet.")
    return fine(subject, "their key opens them.")


def _opens(vault: Vault, photo: SealedPhoto) -> bool:
    try:
        unsealed(vault, photo)
    except CannotOpen:
        return False
    return True


async def report_channels(path: Path) -> dict[int, int]:
    """The channels that servers have chosen for reports."""
    if not await asyncio.to_thread(path.exists):
        return {}
    known = parsed(await inspection.server_settings(path))
    return {guild: settings.report_channel for guild, settings in known.items() if settings.report_channel is not None}


async def check_image_check(check: ImageCheck | None) -> Findings:
    """Whether the operator's checker answers, asked about an empty picture."""
    subject = "image check"
    if check is None:
        return fine(subject, "IMAGE_CHECK_URL is not set: pictures are posted unchecked.")
    try:
        is_ok, _reason = await check.ask(_blank(), "image/png")
    except CheckUnavailableError as error:
        return problem(
            subject, f"{error}. No picture is posted until it answers; docs/safety.md says how it should. Mend it."
        )
    return fine(subject, f"it answers, and {'passes' if is_ok else 'refuses'} an empty picture.")


async def check_provider(client: ImageClient) -> Findings:
    """Whether the image service takes the key, asked about a job that does not exist, and what is left to spend."""
    subject = "image service"
    try:
        await client.look()
    except Misconfigured as error:
        return problem(subject, str(error))
    except ServiceError as error:
        return problem(subject, f"{error}. Check IMAGEPIPELINE_URL and the network, and try again later.")
    if client.account_usd is None:
        return fine(subject, "it answers and takes the key. It does not say what is left in the account.")
    if client.account_usd <= 0:
        return problem(subject, f"{client.account_usd:.2f} USD are left in the account. Top it up.")
    return fine(subject, f"it answers and takes the key; {client.account_usd:.2f} USD are left.")


async def check_clock(session: aiohttp.ClientSession, api_url: str, now: Callable[[], datetime]) -> Findings:
    """Whether this machine's clock is Discord's."""
    subject = "clock"
    try:
        async with session.get(f"{api_url}/gateway", timeout=TIMEOUT) as response:
            theirs = parsedate_to_datetime(response.headers.get("Date", ""))
    except (*network.FAULTS, ValueError) as error:
        return problem(subject, f"Discord's time could not be read ({type(error).__name__}). Check the network.")
    off = now() - theirs
    if abs(off) > CLOCK_OFF_MAX:
        way = "ahead of" if off > timedelta() else "behind"
        seconds = round(abs(off).total_seconds())
        return problem(subject, f"it is {seconds} s {way} Discord's. Let the system set it (timedatectl set-ntp true).")
    return fine(subject, "it agrees with Discord's.")


async def check_public(session: aiohttp.ClientSession, settings: Settings, *, now: Callable[[], datetime]) -> Findings:
    """Whether PUBLIC_URL leads to this bot, by an address that only its own database can have signed, and to nothing
    that should be private. Where no bot runs, its small server is opened for the moment.
    """
    subject, url = "PUBLIC_URL", settings.public_url
    if url is None or settings.http_port is None:
        return fine(subject, "it is not set: the image service is asked instead of telling when pictures are ready.")
    addresses = await _addresses(settings.database, url, now)
    if await inspection.is_owned(settings.database):
        door = nullcontext()
    else:
        door = _door(settings, settings.http_port, addresses)
    try:
        async with door:
            return await _visit(session, subject, url, addresses)
    except ConfigError as error:
        return problem(subject, f"{error.problems[0]}. Another program has this port: stop it, or set HTTP_PORT anew.")


async def _addresses(database: Path, url: str, now: Callable[[], datetime]) -> PublicAddresses:
    """Signed as the bot signs; before its first start with keys of the moment."""
    keys: list[bytes] = []
    for purpose in ("hooks", "photos"):
        is_there = await asyncio.to_thread(database.exists)
        key = await inspection.signing_key(database, purpose) if is_there else None
        keys.append(key or uuid.uuid4().bytes * 2)
    return PublicAddresses(url, hooks=Signer(keys[0]), photos=Signer(keys[1]), now=now)


@asynccontextmanager
async def _door(settings: Settings, port: int, addresses: PublicAddresses) -> AsyncGenerator[None]:
    """The bot's small server, with nobody behind it."""

    async def no_photo(_generation_id: int, _number: int) -> None:
        return None

    async def page() -> bytes:
        return _METRICS_SIGN

    doors = web.Doors(addresses=addresses, hooked=lambda _job_id, _body: None, photo=no_photo)
    metrics = page if settings.metrics else None
    async with web.serve(host=settings.http_host, port=port, is_ready=lambda: False, doors=doors, metrics=metrics):
        yield


async def _visit(session: aiohttp.ClientSession, subject: str, url: str, addresses: PublicAddresses) -> Findings:
    genuine = addresses.hook(str(uuid.uuid4()))
    try:
        known, _ = await _get(session, genuine)
        unknown, _ = await _get(session, f"{genuine}x")
        _, metrics = await _get(session, f"{url}/metrics")
    except network.FAULTS as error:
        elsewhere = f"If only other machines reach it, try there: curl -i {url}/hooks/a/b should print Not Found."
        return problem(subject, f"{url} does not answer from here ({type(error).__name__}). {elsewhere}")
    # The bot lets webhooks be posted only, and tells that from a path that does not exist by the signature alone.
    if (known, unknown) != (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_FOUND):
        advice = "See docs/webhooks.md for what the reverse proxy should do"
        if known >= HTTPStatus.INTERNAL_SERVER_ERROR:
            advice = "The reverse proxy does not reach the bot at HTTP_HOST and HTTP_PORT"
        elif HTTPStatus.MULTIPLE_CHOICES <= known < HTTPStatus.BAD_REQUEST:
            advice = "Set PUBLIC_URL to the address that it redirects to"
        return problem(subject, f"{url} leads to something else than this bot (it answers {known}). {advice}.")
    if _METRICS_SIGN in metrics:
        return problem(
            subject, f"{url}/metrics can be read by everybody. Let the proxy forward /hooks and /photos alone."
        )
    return fine(subject, f"{url} leads to this bot.")


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with session.get(url, allow_redirects=False, timeout=TIMEOUT) as response:
        return response.status, await response.content.read(_READ_BYTES)


_METRICS_SIGN = b"facelock_build_info"
