"""The money that pictures cost: a balance that goes down, so that clients can be tried against an empty one."""

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal

from engine.errors import FailureReason, JobError

# ImagePipeline names no price per picture, so this one is ours.
PRICE_USD = Decimal("0.01")


class Account:
    """What is left to spend, in US dollars. It starts afresh with the engine."""

    def __init__(self, balance_usd: Decimal) -> None:
        self.balance_usd = balance_usd

    @contextmanager
    def charge(self, pictures: int) -> Generator[Decimal, None, None]:
        """Take the price of so many pictures while they are made, and give it back if that fails.

        Raises:
            JobError: The balance does not suffice.
        """
        cost_usd = PRICE_USD * pictures
        if cost_usd > self.balance_usd:
            text = f"The balance of {self.balance_usd} USD does not suffice for {cost_usd} USD. Top up the account."
            raise JobError(text, FailureReason.INSUFFICIENT_CREDITS)
        self.balance_usd -= cost_usd
        try:
            yield cost_usd
        except BaseException:
            self.balance_usd += cost_usd
            raise
