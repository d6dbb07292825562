"""Shared lines: section 6 of the BLA draft as far as the presence server is concerned."""

from typing import Any

import pytest

from openpy.documents import dialoginfo
from openpy.modules.presence_xml.line import Line, line_state, no_dialogs, read_line
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from tests.modules.presence.kit import ALICE, Exchange, House

PHONE_A = "sip:a@192.0.2.7"
PHONE_B = "sip:b@192.0.2.7"


def info(state: str = "", id_: str = "d1", version: int = 7) -> bytes:
    dialog = f'<dialog id="{id_}"><state>{state}</state></dialog>' if state else ""
    return (
        f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="partial" '
        f'entity="{ALICE}">{dialog}</dialog-info>'
    ).encode()


def publish(house: House, body: bytes | None, **more: Any) -> Exchange:
    return house.publish(body, event="dialog;sla", content_type=dialoginfo.CONTENT_TYPE, **more)


def watch(house: House, contact: str) -> Exchange:
    return house.subscribe(event="dialog;sla", contact=f"<{contact}>", from_=f"<{contact}>;tag=t")


def texts(notify: Request) -> tuple[bool, bool, bool]:
    body = notify.body
    return b"confirmed" in body, b'version="0"' in body, b'state="full"' in body


def test_mwi_05_an_idle_line_is_told_as_such() -> None:
    house = House()
    watch(house, PHONE_A)
    notify = house.take_one()
    assert notify.get("Content-Type") == "application/dialog-info+xml"
    dialoginfo.parse(notify.body)
    assert texts(notify) == (False, True, True)


def test_mwi_12_the_phone_that_reported_is_not_told() -> None:
    house = House()
    watch(house, PHONE_A)
    watch(house, PHONE_B)
    house.take()
    assert publish(house, info("confirmed"), sender=f"<{PHONE_A}>").status == 200
    assert house.take_one().uri == PHONE_B


def test_mwi_08_mwi_09_every_watcher_has_versions_of_his_own_and_full_states() -> None:
    house = House()
    tag = publish(house, info("confirmed"))["SIP-ETag"]
    watch(house, PHONE_A)
    assert texts(house.take_one()) == (True, True, True)
    assert publish(house, info("terminated"), etag=tag)["SIP-ETag"] == tag, "one tag for life"
    assert b'version="1"' in house.take_one().body
    watch(house, PHONE_B)
    assert texts(house.take_one()) == (False, True, True)
    publish(house, None, etag=tag, expires=0)
    assert {b'version="2"' in item.body for item in house.take()} == {True, False}


def test_mwi_13_a_busy_line_is_not_overwritten_by_another_phone() -> None:
    house = House()
    publish(house, info("confirmed"))
    watch(house, PHONE_A)
    house.take()
    publish(house, info("terminated", "d2"))
    assert house.take() == []
    watch(house, PHONE_B)
    assert texts(house.take_one())[0]


def test_the_newest_with_a_call_is_told_else_the_newest() -> None:
    busy, busier, idle, empty = Line(b"1", True), Line(b"2", True), Line(b"3", False), Line(b"4", False)
    assert line_state(ALICE, [busy, busier, idle]) == b"2"
    assert line_state(ALICE, [idle, empty]) == b"4"
    assert dialoginfo.parse(no_dialogs('sip:a"<b@x'))


@pytest.mark.parametrize(
    ("body", "busy"), [(info(), False), (info("terminated"), False), (info("early"), True)]
)
def test_what_a_call_is(body: bytes, busy: bool) -> None:
    assert read_line(body).busy is busy


def test_a_body_that_is_no_dialog_document() -> None:
    with pytest.raises(RemoteError) as refused:
        read_line(b"<a>\r\n</b>")
    assert refused.value.status == 400
    assert "\n" not in refused.value.reason
    assert publish(House(), b"<presence/>").status == 400
