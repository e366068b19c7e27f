from decimal import Decimal

import pytest

from engine.account import PRICE_USD, Account
from engine.errors import FailureReason, JobError


def test_pictures_are_paid_for() -> None:
    account = Account(Decimal("1.00"))

    with account.charge(3) as cost_usd:
        pass

    assert cost_usd == 3 * PRICE_USD
    assert account.balance_usd == Decimal("1.00") - cost_usd


def test_pictures_that_fail_are_free() -> None:
    account = Account(Decimal("1.00"))

    with pytest.raises(RuntimeError), account.charge(3):
        raise RuntimeError

    assert account.balance_usd == Decimal("1.00")


def test_the_last_cent_is_spent_once() -> None:
    account = Account(PRICE_USD)

    with account.charge(1), pytest.raises(JobError) as refusal, account.charge(1):
        pass

    assert refusal.value.reason is FailureReason.INSUFFICIENT_CREDITS
    assert account.balance_usd == 0
