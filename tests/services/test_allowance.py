from services.allowance import Allowance


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_uses_and_then_a_wait_until_the_first_is_a_window_old() -> None:
    clock = Seconds()
    allowance = Allowance(clock=clock, uses=2, window_s=60)

    taken = [allowance.take(1)]
    clock.now = 10
    taken += [allowance.take(1), allowance.take(1)]
    clock.now = 60
    taken += [allowance.take(1), allowance.take(1)]

    assert taken == [0, 0, 50, 0, 10]


def test_channels_do_not_share_an_allowance() -> None:
    allowance = Allowance(clock=Seconds(), uses=1, window_s=60)

    assert [allowance.take(1), allowance.take(2), allowance.take(1)] == [0, 0, 60]
