import asyncio
import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.connection import Database
from services.signing import Signer

PARTS = st.lists(st.text(), max_size=4)


@pytest.fixture
def signer() -> Signer:
    return Signer(b"k" * 32)


@given(parts=PARTS)
def test_a_signature_is_known_again_and_fit_for_a_path(parts: list[str]) -> None:
    signature = Signer(b"k" * 32).sign(*parts)

    assert Signer(b"k" * 32).is_genuine(signature, *parts)
    assert len(base64.urlsafe_b64decode(f"{signature}=")) == 32
    assert "=" not in signature


@given(signed=PARTS, claimed=PARTS)
def test_it_is_genuine_for_its_own_parts_only(signed: list[str], claimed: list[str]) -> None:
    signer = Signer(b"k" * 32)

    assert signer.is_genuine(signer.sign(*signed), *claimed) == (signed == claimed)


@pytest.mark.parametrize(
    ("signed", "claimed"), [(["ab", "c"], ["a", "bc"]), (["a", ""], ["a"]), (['a","b'], ["a", "b"]), ([], [""])]
)
def test_parts_cannot_be_run_into_each_other(signer: Signer, signed: list[str], claimed: list[str]) -> None:
    assert not signer.is_genuine(signer.sign(*signed), *claimed)


def test_a_signature_is_taken_exactly_or_not_at_all(signer: Signer) -> None:
    whole = signer.sign("a")
    last = chr(ord(whole[-1]) + 1)  # base64 decoders overlook the last bits of a text of 43 characters

    near = [whole.lower(), whole[:-1], f"{whole}=", f"{whole} ", whole[:-1] + last, "", "A" * 43]

    assert [signature for signature in near if signer.is_genuine(signature, "a")] == []


def test_a_signature_may_be_any_text(signer: Signer) -> None:
    assert not signer.is_genuine("é\udcff" * 20, "a")


async def test_signatures_outlive_a_restart_and_two_purposes_do_not_mix(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "facelock.db") as database:
        signature = (await Signer.of(database, "hooks")).sign("a")

    async with Database.open(tmp_path / "facelock.db") as database:
        hooks, photos = await Signer.of(database, "hooks"), await Signer.of(database, "photos")

    assert hooks.is_genuine(signature, "a")
    assert not photos.is_genuine(signature, "a")


async def test_two_databases_have_different_keys(tmp_path: Path) -> None:
    signatures: set[str] = set()
    for name in ("one.db", "two.db"):
        async with Database.open(tmp_path / name) as database:
            signatures.add((await Signer.of(database, "hooks")).sign("a"))

    assert len(signatures) == 2


async def test_a_key_that_is_asked_for_by_many_at_once_is_made_once(database: Database) -> None:
    signers = await asyncio.gather(*(Signer.of(database, "hooks") for _ in range(20)))

    assert len({signer.sign("a") for signer in signers}) == 1
