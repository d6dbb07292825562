from __future__ import annotations

import pytest

from openpy.net.turns import Turns


def test_addresses_take_turns() -> None:
    turns: Turns[str] = Turns()
    assert not turns
    for name in ("a1", "a2", "a3", "b1", "c1", "c2"):
        turns.put(name[0], name)
    taken = [turns.take() for _ in range(3)]
    turns.put("d", "d1")
    turns.put("b", "b2")
    while turns:
        taken.append(turns.take())
    assert taken == ["a1", "b1", "c1", "a2", "c2", "d1", "b2", "a3"]
    with pytest.raises(IndexError):
        turns.take()
