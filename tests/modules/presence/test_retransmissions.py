"""A PUBLISH that comes again after a restart, because its 200 never came."""

from __future__ import annotations

import pytest

from openpy.modules.presence.retransmissions import LIFETIME
from tests.modules.presence.kit import WATCHER, Exchange, House, Wire, presence


def again(house: House, before: Exchange, old: bytes = b"", new: bytes = b"") -> Exchange:
    """The same request comes, with something in it replaced."""
    exchange = Exchange(before.data.replace(old, new))
    house.exchanges.append(exchange)
    house.receive(exchange, Wire(house, "udp", *WATCHER))
    return exchange


@pytest.mark.parametrize("kind", ["initial", "modify", "refresh"])
def test_it_is_answered_as_before_and_does_nothing(kind: str) -> None:
    house = House()
    exchange = house.publish()
    if kind != "initial":
        body = presence("closed") if kind == "modify" else None
        exchange = house.publish(body, etag=exchange["SIP-ETag"])
    house = house.restart()
    rows = house.memory.named("presentity")
    house.wait(2)
    answer = again(house, exchange)
    assert (answer.status, answer.code) == (200, 1)
    assert answer["SIP-ETag"] == exchange["SIP-ETag"]
    assert answer["Expires"] == "598"
    assert house.memory.named("presentity") == rows
    assert house.publish(None, etag=answer["SIP-ETag"]).status == 200


def test_watchers_are_told_what_the_life_before_may_not_have_told() -> None:
    house = House()
    house.subscribe()
    exchange = house.publish()
    house = house.restart()
    again(house, exchange)
    assert b">open<" in house.take_one().body
    again(house, exchange)
    assert house.take() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"branch=z9hG4bKc", b"branch=z9hG4bKx"),
        (b"Call-ID: call", b"Call-ID: cell"),
        (b"CSeq: 1", b"CSeq: 2"),
        (b">open<", b">shut<"),
    ],
)
def test_another_request_makes_another_publication(old: bytes, new: bytes) -> None:
    house = House()
    exchange = house.publish()
    house = house.restart()
    other = again(house, exchange, old, new)
    assert other.status == 200
    assert other["SIP-ETag"] != exchange["SIP-ETag"]
    assert len(house.memory.named("presentity")) == 2


def test_of_another_presentity_or_event_it_is_another_request() -> None:
    house = House()
    exchange = house.publish()
    house = house.restart()
    again(house, exchange, b"alice@", b"carol@")
    assert len(house.memory.named("presentity")) == 2


def test_nobody_sends_again_later() -> None:
    house = House()
    exchange = house.publish()
    house = house.restart()
    house.wait(LIFETIME + 1)
    assert again(house, exchange)["SIP-ETag"] != exchange["SIP-ETag"]


def test_what_was_removed_or_has_expired_does_not_come_back() -> None:
    house = House()
    first = house.publish()
    removal = house.publish(None, etag=first["SIP-ETag"], expires=0)
    brief = house.publish(expires=3)
    house = house.restart()
    assert again(house, removal).status == 412
    house.wait(5)
    assert again(house, brief)["SIP-ETag"] != brief["SIP-ETag"]
