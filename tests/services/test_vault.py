import base64
import logging
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import FaceRefused
from services.vault import CannotOpen, Sealed, Vault, all_keys

OLD, NEW = b"o" * 32, b"n" * 32
IDS = st.integers(1, 2**63 - 1)


def as_text(*keys: bytes) -> str:
    return "\n".join(base64.b64encode(key).decode() for key in keys)


# ------------------------------------------------------------------------------------------------------ sealing


@given(photo=st.binary(), member_id=IDS, face_id=IDS)
def test_whatever_is_sealed_opens_again(photo: bytes, member_id: int, face_id: int) -> None:
    sealed = Vault([OLD]).seal(photo, member_id=member_id, place=f"face {face_id}")

    assert Vault([NEW, OLD]).open(sealed, member_id=member_id, place=f"face {face_id}") == photo


@given(photo=st.binary(min_size=12))
def test_what_is_sealed_shows_nothing_of_the_photo_and_is_never_the_same_twice(photo: bytes) -> None:
    vault = Vault([OLD])

    one, other = (vault.seal(photo, member_id=1, place="face 2").content for _ in range(2))

    assert photo not in one
    assert one != other
    assert len(one) == len(photo) + 28


@given(photo=st.binary(), place=st.integers(0), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(photo: bytes, place: int, bit: int) -> None:
    vault = Vault([OLD])
    sealed = vault.seal(photo, member_id=1, place="face 2")
    flipped = bytearray(sealed.content)
    flipped[place % len(flipped)] ^= 1 << bit

    with pytest.raises(CannotOpen):
        vault.open(Sealed(sealed.key_id, bytes(flipped)), member_id=1, place="face 2")


@given(content=st.binary(max_size=40))
def test_what_was_never_sealed_is_refused_however_short(content: bytes) -> None:
    vault = Vault([OLD])
    key_id = vault.seal(b"", member_id=1, place="face 2").key_id

    with pytest.raises(CannotOpen):
        vault.open(Sealed(key_id, content), member_id=1, place="face 2")


@pytest.mark.parametrize(("member_id", "face_id"), [(8, 3), (7, 4), (73, 3)])
def test_a_row_that_was_moved_to_another_member_or_face_does_not_open(member_id: int, face_id: int) -> None:
    vault = Vault([OLD])
    sealed = vault.seal(b"photo", member_id=7, place="face 3")

    with pytest.raises(CannotOpen):
        vault.open(sealed, member_id=member_id, place=f"face {face_id}")


def test_without_its_key_nothing_opens_and_without_any_nothing_is_sealed() -> None:
    sealed = Vault([OLD]).seal(b"photo", member_id=1, place="face 2")

    for vault in (Vault([NEW]), Vault([])):
        with pytest.raises(CannotOpen):
            vault.open(sealed, member_id=1, place="face 2")
    with pytest.raises(FaceRefused, match="cannot be kept just now"):
        Vault([]).seal(b"photo", member_id=1, place="face 2")


def test_the_first_key_seals_and_the_ids_tell_which_is_which() -> None:
    before = Vault([OLD]).seal(b"photo", member_id=1, place="face 2")
    vault = Vault([NEW, OLD, NEW])
    after = vault.seal(b"photo", member_id=1, place="face 2")

    assert (vault.seals_with(before.key_id), vault.seals_with(after.key_id)) == (False, True)
    assert vault.older_keys == (before.key_id,)


def test_nothing_secret_is_in_what_is_printed() -> None:
    sealed = Vault([OLD]).seal(b"photo", member_id=1, place="face 2")

    assert repr(sealed.content)[2:-1] not in repr(sealed)
    assert OLD.hex()[:8] not in repr(sealed) + repr(Vault([OLD]))


# -------------------------------------------------------------------------------------------------- the key file


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "faces.key"

    (key,) = all_keys((), file)

    assert all_keys((), file) == (key,)
    assert len(key) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["faces.key"]
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


def test_configured_keys_come_first_and_a_key_file_from_before_still_opens(tmp_path: Path) -> None:
    file = tmp_path / "faces.key"

    assert all_keys((NEW,), file) == (NEW,)
    assert not file.exists()
    (made,) = all_keys((), file)
    assert all_keys((NEW,), file) == (NEW, made)


def test_a_new_key_may_be_put_in_front_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "faces.key"
    file.write_text(as_text(NEW, OLD))
    file.chmod(0o600)

    assert all_keys((), file) == (NEW, OLD)


@pytest.mark.parametrize("content", ["", "\n", "no key", as_text(OLD)[:-4], "é", "\0"])
def test_a_damaged_key_file_costs_the_faces_and_not_the_bot_and_is_left_for_its_owner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    file = tmp_path / "faces.key"
    file.write_text(content, encoding="utf-8")

    assert all_keys((), file) == ()
    assert all_keys((NEW,), file) == (NEW,)
    assert file.read_text(encoding="utf-8") == content
    assert "faces.key cannot be used (it holds no keys)" in caplog.text
    assert as_text(OLD)[:8] not in caplog.text


def test_a_folder_that_takes_no_key_file_costs_the_faces_and_not_the_bot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert all_keys((), tmp_path / "missing" / "faces.key") == ()
    assert "cannot be used (No such file" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its permissions elsewhere")
def test_a_key_file_that_others_may_read_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "faces.key"
    caplog.set_level(logging.INFO)
    (key,) = all_keys((), file)
    assert "can be read by others" not in caplog.text
    file.chmod(0o640)

    assert all_keys((), file) == (key,)
    assert "can be read by others" in caplog.text
    assert as_text(key) not in caplog.text
