from __future__ import annotations

from typing import NamedTuple

from openpy.net.places import Places


class Peer(NamedTuple):
    host: str
    port: int = 1


def taken(*peers: Peer, silent: bool = False) -> Places[Peer]:
    places: Places[Peer] = Places()
    for peer in peers:
        places.take(peer)
        if silent:
            places.begins_silent(peer)
    return places


def test_places_are_counted_by_address() -> None:
    a1, a2, b = Peer("a"), Peer("a", 2), Peer("b")
    places = taken(a1, a2, b)
    assert (places.taken, places.of("a"), places.of("b"), places.of("c")) == (3, 2, 1, 0)
    places.leave(a1)
    places.leave(a1)
    places.leave(Peer("c"))
    assert (places.taken, places.of("a")) == (2, 1)
    assert list(places) == [a2, b]
    assert a2 in places
    assert a1 not in places
    assert Peer("c") not in places


def test_who_never_spoke_gives_way_first() -> None:
    spoke, first, second = Peer("a"), Peer("b"), Peer("c")
    places = taken(spoke, first, second, silent=True)
    places.heard(spoke, 1)
    assert places.who_gives_way("d") == first
    places.heard(first, 0)
    assert places.who_gives_way("d") == second, "a keep-alive shows who is there"
    places.leave(second)
    assert places.who_gives_way("d") == first


def test_where_all_have_spoken_the_address_with_the_most_gives_way() -> None:
    a1, a2, b = Peer("a"), Peer("a", 2), Peer("b")
    places = taken(b, a1, a2)
    assert places.who_gives_way("c") == a1
    places.heard(a1, 1)
    assert places.who_gives_way("c") == a2
    assert places.who_gives_way("a") is None, "it has as many itself"


def test_nobody_gives_way_where_each_has_one() -> None:
    places = taken(Peer("a"), Peer("b"))
    assert places.who_gives_way("c") is None
    assert taken().who_gives_way("c") is None


def test_who_has_no_place_is_not_heard() -> None:
    places = taken(Peer("a"))
    places.heard(Peer("a", 2), 1)
    places.heard(Peer("b"), 1)
    assert list(places) == [Peer("a")]
