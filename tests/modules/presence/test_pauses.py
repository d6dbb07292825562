"""How long refusals keep a watcher from being told."""

import pytest

from openpy.modules.presence.pauses import FIRST, LONGEST, Pause


def test_each_refusal_doubles_the_wait_up_to_the_longest() -> None:
    pause, waits = Pause(), []
    for pause.refusals in (1, 2, 3, 9, 10, 1000):
        waits.append(pause.seconds(""))
    assert waits == [FIRST, 2 * FIRST, 4 * FIRST, 256 * FIRST, LONGEST, LONGEST]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("120 (in a meeting)", 120),
        ("60;duration=3600", 60),
        ("0", FIRST),
        ("99999999999", LONGEST),
        ("-5", FIRST),
        ("soon", FIRST),
    ],
)
def test_what_the_watcher_asks_for(text: str, seconds: float) -> None:
    pause = Pause()
    pause.refusals = 1
    assert pause.seconds(text) == seconds


def test_many_refusals_outweigh_a_short_retry_after() -> None:
    pause = Pause()
    pause.refusals = 6
    assert pause.seconds("5") == 32
