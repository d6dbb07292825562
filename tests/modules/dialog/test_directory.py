"""Finding dialogs."""

from __future__ import annotations

from openpy.modules.dialog.directory import Directory
from openpy.modules.dialog.record import Dialog, Leg, Name
from openpy.modules.dialog.states import State

HERE = Name(1, 2)


def dialog(callee: str = "b", state: State = State.CONFIRMED, name: Name = HERE) -> Dialog:
    return Dialog(name, "call", Leg("a", "sip:a@x"), Leg(callee, "sip:b@x"), state)


def test_a_name_alone_is_not_enough() -> None:
    directory = Directory()
    one = dialog()
    directory.add(one)
    assert directory.find(HERE, "call", "b", "a") is one
    assert directory.find(HERE, "call", "a", "x") is None
    assert directory.find(Name(1, 3), "call", "a", "b") is None


def test_two_with_one_name() -> None:
    directory = Directory()
    one, two = dialog("b"), dialog("c")
    directory.add(one)
    directory.add(two)
    assert directory.find(HERE, "call", "a", "c") is two
    assert list(directory) == directory.named(HERE) == [one, two]


def test_two_with_the_same_tags_and_which_comes_first() -> None:
    directory = Directory()
    ended, alive = dialog(state=State.ENDED), dialog(name=Name(1, 3))
    directory.add(ended)
    assert directory.find_tagged("call", "a", "b") is ended
    directory.add(alive)
    assert directory.find_tagged("call", "b", "a") is alive
    assert directory.find_tagged("call", "a", "c") is None


def test_tags_that_come_later() -> None:
    directory = Directory()
    one = dialog("")
    directory.add(one)
    assert directory.find_tagged("call", "a", "b") is None
    one.callee.tag = "b"
    directory.tagged(one)
    assert directory.find_tagged("call", "a", "b") is one


def test_nothing_is_left() -> None:
    directory = Directory()
    for one in (dialog(), dialog("c"), dialog("")):
        directory.add(one)
        assert len(directory) == 1
        directory.remove(one)
        directory.remove(one)
        assert (len(directory), list(directory), directory._named, directory._tagged) == (0, [], {}, {})
