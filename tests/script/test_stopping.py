from __future__ import annotations

from openpy.script.stopping import BREAK, STOP


def test_the_marks_are_no_codes() -> None:
    assert not isinstance(STOP, int)
    assert not isinstance(BREAK, int)
    assert {STOP, BREAK} != {STOP}
    assert repr(STOP) == "<Stop.STOP: 'stop'>"
