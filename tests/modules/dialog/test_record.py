"""Which requests belong to a dialog."""

from __future__ import annotations

import pytest

from openpy.modules.dialog.record import Dialog, Leg, Name


def dialog(callee: str) -> Dialog:
    return Dialog(Name(1, 2), "call", Leg("a", "sip:a@x"), Leg(callee, "sip:b@x"))


@pytest.mark.parametrize(
    ("callee", "call_id", "one", "other", "belongs"),
    [
        ("b", "call", "a", "b", True),
        ("b", "call", "b", "a", True),
        ("b", "call", "a", "c", False),
        ("b", "other", "a", "b", False),
        ("b", "call", "a", "a", False),
        ("", "call", "a", "b", True),
        ("", "call", "b", "a", True),
        ("", "call", "b", "c", False),
    ],
)
def test_tags(callee: str, call_id: str, one: str, other: str, belongs: bool) -> None:
    assert dialog(callee).is_between(call_id, one, other) is belongs


def test_the_direction() -> None:
    assert dialog("b").goes_down("a")
    assert not dialog("b").goes_down("b")
