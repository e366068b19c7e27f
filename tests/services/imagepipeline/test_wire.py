import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.imagepipeline.answers import Cause, Done, Failed, Pending, Unreachable
from services.imagepipeline.wire import (
    MESSAGE_CHARACTERS_MAX,
    balance_usd,
    error_message,
    job_id_in,
    read_answer,
    retry_after_s,
    upload_url,
)

URL = "https://files.example/b2?id=1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "job_id",
                    "status",
                    "download_urls",
                    "error",
                    "detail",
                    "loc",
                    "msg",
                    "data",
                    "images",
                    "url",
                    "retryable",
                    "failure_reason_code",
                    "balance_remaining_usd",
                ]
            )
            | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("status", ["SUCCESS", "COMPLETED", "completed", "succeeded", "Done", ""])
@pytest.mark.parametrize(
    "where",
    [
        {"download_urls": [URL]},
        {"download_urls": URL},
        {"result_url": URL},
        {"image_url": URL},
        {"output_url": URL},
        {"images": [URL]},
        {"images": [{"url": URL}]},
    ],
)
def test_a_success_is_found_under_every_known_name(status: str, where: dict[str, Any]) -> None:
    assert read_answer({"id": "j", "status": status} | where) == Done(sources=(URL,))


def test_pictures_that_come_as_base64_become_data_addresses() -> None:
    picture = base64.b64encode(b"\x89PNG" + bytes(200)).decode()

    answer = read_answer({"status": "SUCCESS", "images": [picture]})

    assert answer == Done(sources=(f"data:image/unknown;base64,{picture}",))


@pytest.mark.parametrize(
    "status", ["PENDING", "QUEUED", "PROCESSING", "STARTED", "IN_PROGRESS", "running", "warming up", "", None, 7]
)
def test_everything_that_is_no_end_is_waited_for(status: object) -> None:
    answer = read_answer({"id": 42, "status": status})

    assert isinstance(answer, Pending)
    assert answer.job_id == "42"


@pytest.mark.parametrize("name", ["id", "job_id", "task_id"])
@pytest.mark.parametrize("value", ["abc", 17])
def test_a_job_is_found_under_every_known_name(name: str, value: object) -> None:
    assert read_answer({name: value, "status": "PENDING"}) == Pending(job_id=str(value), status="pending")


@pytest.mark.parametrize("status", ["FAILURE", "FAILED", "error", "CANCELLED", "canceled"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "out of memory"}, "out of memory"),
        ({"message": "out of memory", "error": "E7"}, "out of memory"),
        ({"detail": "out of memory"}, "out of memory"),
        ({"detail": [{"loc": ["body", "width"], "msg": "too wide"}]}, "width: too wide"),
        ({"error": {"code": 7, "message": "out of memory"}}, "out of memory"),
        ({"error": ["one", "two"]}, "one; two"),
        ({}, "it gave no reason"),
    ],
)
def test_a_failure_gives_its_reason_from_wherever_it_stands(status: str, body: dict[str, Any], reason: str) -> None:
    assert read_answer({"id": "j", "status": status} | body) == Failed(message=reason)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({}, Cause.REQUEST),
        ({"failure_reason_code": "RATE_LIMIT_EXCEEDED"}, Cause.BUSY),
        ({"failure_reason_code": "concurrent_jobs_exceeded"}, Cause.BUSY),
        ({"failure_reason_code": "INSUFFICIENT_CREDITS"}, Cause.ACCOUNT),
        ({"failure_reason_code": "CREDIT_CHARGE_FAILED"}, Cause.ACCOUNT),
        ({"failure_reason_code": "INPUT_INVALID", "retryable": True}, Cause.REQUEST),
        ({"failure_reason_code": "MODEL_ERROR"}, Cause.SERVICE),
        ({"failure_reason_code": "MODEL_UNAVAILABLE"}, Cause.SERVICE),
        ({"failure_reason_code": "STORAGE_ERROR"}, Cause.SERVICE),
        ({"failure_reason_code": "TIMEOUT"}, Cause.SERVICE),
        ({"failure_reason_code": "INTERNAL_ERROR"}, Cause.SERVICE),
        ({"failure_reason_code": "CANCELLED"}, Cause.REQUEST),
        ({"failure_reason_code": "SOMETHING_NEW", "retryable": True}, Cause.SERVICE),
        ({"failure_reason_code": "SOMETHING_NEW", "retryable": False}, Cause.REQUEST),
        ({"failure_reason_code": "SOMETHING_NEW"}, Cause.REQUEST),
        ({"error_code": "INSUFFICIENT_BALANCE"}, Cause.ACCOUNT),
        ({"error": {"code": "MODEL_ERROR", "message": "x"}}, Cause.SERVICE),
        ({"failure_reason_code": ["odd"], "retryable": "yes"}, Cause.REQUEST),
    ],
)
def test_a_failure_tells_whether_another_try_makes_sense(body: dict[str, Any], cause: Cause) -> None:
    answer = read_answer({"job_id": "j", "status": "failed"} | body)

    assert isinstance(answer, Failed)
    assert answer.cause is cause


@pytest.mark.parametrize(
    ("said", "usd"), [(12.5, 12.5), ("3.20", 3.2), (0, 0.0), (None, None), ("much", None), ("nan", None), (True, None)]
)
def test_a_balance_is_a_number_or_nothing(said: object, usd: float | None) -> None:
    assert balance_usd({"job_id": "j", "balance_remaining_usd": said}) == usd


@pytest.mark.parametrize("said", [None, "", "ftp://x", 7, ["https://x"]])
def test_an_upload_without_a_usable_address_has_none(said: object) -> None:
    assert upload_url({"url": said}) is None
    assert upload_url({"url": URL}) == URL


def test_a_success_without_a_picture_is_a_failure() -> None:
    assert read_answer({"id": "j", "status": "SUCCESS", "download_urls": []}) == Failed(
        message="it reported success without a picture"
    )


def test_pictures_of_a_job_that_still_runs_are_not_taken() -> None:
    answer = read_answer({"id": "j", "status": "PROCESSING", "download_urls": [URL]})

    assert isinstance(answer, Pending)


def test_an_answer_in_an_envelope_is_read() -> None:
    assert read_answer({"data": {"id": "j", "status": "SUCCESS", "download_urls": [URL]}}) == Done(sources=(URL,))


def test_a_status_answer_need_not_repeat_the_name_of_the_job() -> None:
    assert read_answer({"status": "PENDING"}, job_id="j") == Pending(job_id="j", status="pending")


def test_an_answer_that_names_no_job_and_no_end_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        read_answer({"status": "PENDING"})


def test_an_error_in_a_submit_answer_without_a_job_is_a_failure() -> None:
    assert read_answer({"error": "prompt rejected"}) == Failed(message="prompt rejected")


def test_reasons_are_one_short_line_without_addresses() -> None:
    message = error_message({"error": "cannot fetch\nhttps://cdn.example/face.jpg?sig=secret " + "x" * 500})

    assert message.startswith("cannot fetch (address) xxx")
    assert len(message) == MESSAGE_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("86400", 300.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
    ],
)
def test_retry_after_is_a_number_a_date_or_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


@given(JSON, st.none() | st.just("j"))
def test_no_json_at_all_breaks_the_reader(body: object, job_id: str | None) -> None:
    try:
        answer = read_answer(body, job_id=job_id)
    except Unreachable:
        return
    assert isinstance(answer, (Pending, Done, Failed))
    assert not isinstance(answer, Failed) or len(answer.message) <= MESSAGE_CHARACTERS_MAX


@given(JSON)
def test_no_json_at_all_breaks_the_smaller_readers(body: object) -> None:
    name, url, usd = job_id_in(body), upload_url(body), balance_usd(body)

    assert name is None or name
    assert url is None or url.lower().startswith("http")
    assert usd is None or usd == usd


@given(st.text())
def test_no_retry_after_header_breaks_the_reader(header: str) -> None:
    seconds = retry_after_s(header, NOW)

    assert seconds is None or seconds >= 0
