"""Gateway sessions without a socket."""

import json

import pytest

from playground.sessions import KEPT_EVENTS, CloseCode, IdentifyError, Identity, Session

TOKEN = "MTIz.a.b"


def session() -> Session:
    return Session(id="s", identity=Identity(intents=1, shard=(0, 1)))


def test_a_resume_gets_exactly_what_was_missed() -> None:
    kept = session()
    frames = [kept.dispatch("EVENT", {"n": n}) for n in range(5)]

    missed = kept.missed_since(3)

    assert missed is not None
    assert list(missed) == frames[3:]
    assert json.loads(frames[3])["s"] == 4


@pytest.mark.parametrize("sequence", [6, None, "3"])
def test_a_sequence_that_was_never_sent_cannot_be_resumed(sequence: object) -> None:
    kept = session()
    for n in range(5):
        kept.dispatch("EVENT", {"n": n})

    assert kept.missed_since(sequence) is None


def test_what_is_too_long_ago_cannot_be_resumed() -> None:
    kept = session()
    for n in range(KEPT_EVENTS + 2):
        kept.dispatch("EVENT", {"n": n})

    assert kept.missed_since(1) is None
    assert kept.missed_since(2) is not None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"token": "other"}, CloseCode.AUTHENTICATION_FAILED),
        ({"intents": None}, CloseCode.INVALID_INTENTS),
        ({"intents": 1 << 15}, CloseCode.DISALLOWED_INTENTS),
        ({"shard": [2, 2]}, CloseCode.INVALID_SHARD),
        ({"shard": "0"}, CloseCode.INVALID_SHARD),
    ],
)
def test_a_wrong_identify_closes_with_its_code(fields: dict[str, object], code: CloseCode) -> None:
    with pytest.raises(IdentifyError) as refused:
        Identity.from_json({"token": TOKEN, "intents": 1, **fields}, token=TOKEN)

    assert refused.value.code is code


def test_a_guild_belongs_to_one_shard_and_direct_messages_to_the_first() -> None:
    shards = [Identity(intents=1, shard=(number, 3)) for number in range(3)]

    assert sum(shard.serves(1_100_000_000_000_000_100) for shard in shards) == 1
    assert [shard.serves(None) for shard in shards] == [True, False, False]
