"""Defects of OpenSER 1.3.0 (docs/defects.md) that no other test shows to be absent."""

from __future__ import annotations

from typing import Any

from openpy.documents import dialoginfo, watcherinfo
from openpy.modules.presence.api import EventPackage
from tests.modules.presence.kit import ALICE, Exchange, House

OWNER = f"<{ALICE}>;tag=a1"
IDLE = f'<dialog-info xmlns="{dialoginfo.NAMESPACE}" version="0" state="full" entity="{ALICE}"/>'.encode()


def inform(house: House, first: Exchange | None = None, **more: Any) -> Exchange:
    """The presentity watches its watchers, or goes on to."""
    more.update(event="presence.winfo", from_=OWNER, contact="<sip:alice@192.0.2.8>")
    return house.subscribe(**more) if first is None else house.resubscribe(first, **more)


def version(house: House) -> int:
    (document,) = (item.body for item in house.take() if item.get("Event") == "presence.winfo")
    return watcherinfo.parse(document).version


def test_d08_a_refresh_goes_on_counting_the_versions() -> None:
    house = House()
    first = inform(house)
    versions = [version(house)]
    house.subscribe()
    versions.append(version(house))
    inform(house, first)
    versions.append(version(house))
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    versions.append(version(house))
    assert versions == [0, 1, 2, 3]


def test_d09_events_are_told_apart_by_their_whole_names() -> None:
    house = House()
    house.presence.bind().add_event(EventPackage("dialog", dialoginfo.CONTENT_TYPE))
    house.subscribe(event="dialog")
    house.subscribe(event="dialog;sla", from_="<sip:carol@example.org>;tag=c")
    house.take()
    tag = house.publish(IDLE, event="dialog", content_type=dialoginfo.CONTENT_TYPE)["SIP-ETag"]
    assert house.take_one().get("Event") == "dialog"
    other = house.publish(IDLE, event="dialog;sla", content_type=dialoginfo.CONTENT_TYPE, etag=tag)
    assert other.status == 412


def test_d40_nobody_waits_for_another_s_commit_or_answer() -> None:
    house = House()
    house.subscribe()
    house.answer = None
    house.writer.hold = True
    waiting = house.publish()
    assert house.publish(None, etag="stale", uri="sip:carol@example.org").status == 412
    assert house.subscribe(uri="sip:carol@example.org", expires=0).status == 200
    assert waiting.replies == []
    house.writer.hold = False
    house.turn()
    assert waiting.status == 200
    assert house.publish(uri="sip:carol@example.org").status == 200


def test_d43_no_script_has_to_read_a_header_first() -> None:
    house = House()
    assert house.subscribe(to='"Alice" <sip:alice@example.org>;x=y').status == 200
    assert house.subscribe(to="sip:alice@example.org;x=y").status == 200
    assert {notify.from_.uri_text for notify in house.take()} == {ALICE}


def test_d46_a_watcher_who_comes_twice_at_once_is_decided_about_once() -> None:
    house = House(xml={})
    house.writer.hold = True
    exchanges = [house.subscribe(), house.subscribe()]
    house.writer.hold = False
    house.turn()
    assert [exchange.status for exchange in exchanges] == [200, 200]
    assert [row["watcher_username"] for row in house.memory.named("watchers")] == ["bob"]


def test_d48_no_header_is_written_over_another() -> None:
    house = House()
    exchange = house.subscribe(expires=1234)
    notify = house.take_one()
    assert exchange["Expires"] == "1234"
    assert notify.all("Max-Forwards") == ["70"]
    assert notify.get("Subscription-State") == "active;expires=1234"


def test_d55_a_library_survives_every_request() -> None:
    house = House(db_url="")
    assert house.presence.bind().contains_event("presence.winfo") is not None
    assert inform(house).status == 503
    assert house.subscribe().status == 503
    assert house.publish().status == 503
    assert house.refresh() is None
    assert house.take() == []
