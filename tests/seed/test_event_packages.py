"""Chapter 2 of the presence module's documentation: what a module says about an event with `add_event`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpy.modules.presence.api import EventPackage
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from tests.modules.presence.kit import House

TEXT = "text/plain"


def house_with(package: EventPackage) -> House:
    house = House()
    house.presence.bind().add_event(package)
    return house


def publish(house: House, body: bytes | None, **more: Any) -> Any:
    return house.publish(body, event="weather", content_type=TEXT, **more)


def test_2_2_name_content_type_and_default_expires() -> None:
    house = house_with(EventPackage("weather", TEXT, default_expires=120))
    assert publish(house, b"rain", expires=None)["Expires"] == "120"
    assert house.publish(b"rain", event="weather", content_type="text/html").status == 415
    assert house.subscribe(event="weather", expires=None)["Expires"] == "120"
    notify = house.take_one()
    assert (notify.get("Content-Type"), notify.body) == (TEXT, b"rain")


def test_2_2_etag_not_new_keeps_one_entity_tag() -> None:
    house = house_with(EventPackage("weather", TEXT, etag_not_new=True))
    tag = publish(house, b"rain")["SIP-ETag"]
    assert publish(house, None, etag=tag)["SIP-ETag"] == tag
    assert publish(house, b"sun", etag=tag)["SIP-ETag"] == tag


def test_2_6_agg_nbody_makes_one_body_of_all_and_without_it_the_newest_is_told() -> None:
    def join(uri: str, documents: Sequence[Any]) -> bytes:
        return b" and ".join(documents)

    for package, expected in (
        (EventPackage("weather", TEXT, read_body=bytes, agg_nbody=join), b"rain and wind"),
        (EventPackage("weather", TEXT), b"wind"),
    ):
        house = house_with(package)
        publish(house, b"rain")
        publish(house, b"wind")
        house.subscribe(event="weather")
        assert house.take_one().body == expected


def test_2_8_evs_publ_handl_checks_a_publish() -> None:
    def check(request: Request) -> None:
        if b"snow" in request.body:
            raise RemoteError(400, "No Snow")

    house = house_with(EventPackage("weather", TEXT, evs_publ_handl=check))
    assert publish(house, b"rain").status == 200
    refused = publish(house, b"snow")
    assert (refused.status, refused.reply.reason) == (400, "No Snow")


def test_2_9_evs_subs_handl_checks_a_subscribe() -> None:
    def check(request: Request) -> None:
        raise RemoteError(403, "Not You")

    house = house_with(EventPackage("weather", TEXT, evs_subs_handl=check))
    assert house.subscribe(event="weather").status == 403
    assert house.subscribe(event="presence").status == 200


def test_2_10_2_11_events_are_found_and_listed() -> None:
    package = EventPackage("weather", TEXT)
    house = house_with(package)
    api = house.presence.bind()
    assert api.contains_event("weather;id=1") is package
    assert api.contains_event("tides") is None
    assert api.get_event_list() == "presence, presence.winfo, dialog;sla, weather"
    assert house.subscribe(event="tides")["Allow-Events"] == "presence, presence.winfo, dialog;sla, weather"
