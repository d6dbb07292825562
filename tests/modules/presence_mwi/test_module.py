"""presence_mwi: mailboxes, what is told of them, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from openpy.engine.module import ArgumentError, ModuleError
from openpy.modules.presence_mwi.module import PresenceMwi
from openpy.sip.message import Request
from tests.modules.presence.kit import ALICE, Exchange, House

SUMMARY = "application/simple-message-summary"
TWO_NEW = b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@example.org\r\nVoice-Message: 2/8 (0/2)\r\n"
NOTHING_NEW = b"Messages-Waiting: no\r\nVoice-Message: 0/10\r\n"
OWNER = f"<{ALICE}>;tag=a1"
EMPTY = b"Messages-Waiting: no\r\nMessage-Account: sip:alice@example.org\r\n"


def house_with(database: Any = None, **parameters: Any) -> House:
    """A server with presence and presence_mwi; after a restart the module is there before the rows are read."""
    return House(database, further=(PresenceMwi, parameters))


def publish(house: House, body: bytes | None = TWO_NEW, **more: Any) -> Exchange:
    more.setdefault("content_type", SUMMARY)
    return house.publish(body, event="message-summary", **more)


def watch(house: House, *headers: str, from_: str = OWNER, **more: Any) -> Exchange:
    return house.subscribe(*headers, event="message-summary", from_=from_, **more)


def told(house: House) -> bytes:
    return house.take_one().body


def test_the_declaration() -> None:
    declared = {name: (item.type, item.default) for name, item in PresenceMwi.parameters().items()}
    assert declared == {"mailbox_watchers": (str, "owner"), "empty_summary": (int, 1)}
    assert PresenceMwi.needs == ("presence",)


@pytest.mark.parametrize(("name", "value"), [("mailbox_watchers", "nobody"), ("empty_summary", 2)])
def test_values_that_mean_nothing(name: str, value: Any) -> None:
    with pytest.raises(ArgumentError):
        PresenceMwi.parameters()[name].set(PresenceMwi(House()), value)


def test_without_presence_the_start_stops() -> None:
    house = House()
    house.modules = {}
    with pytest.raises(ModuleError, match="needs presence") as caught:
        PresenceMwi(house).check()
    assert 'loadmodule "presence.so"' in caught.value.hint


def test_mwi_01_content_type_and_default_expires() -> None:
    house = house_with()
    assert publish(house, expires=None)["Expires"] == "3600"
    assert publish(house, content_type="text/plain").reply.get("Accept") == SUMMARY
    assert watch(house, f"Accept: {SUMMARY}", expires=None)["Expires"] == "3600"
    assert house.take_one().get("Content-Type") == SUMMARY
    assert watch(house, "Accept: application/pidf+xml").status == 406


@pytest.mark.parametrize(
    "body",
    [
        b"Voice-Message: 2/8\r\n",
        b"Messages-Waiting: maybe\r\n",
        b"Messages-Waiting: yes",
        b"\xff",
        b"<presence/>",
    ],
)
def test_mwi_02_mwi_04_a_body_that_is_no_summary(body: bytes) -> None:
    house = house_with()
    watch(house)
    house.take()
    refused = publish(house, body)
    assert (refused.status, refused.reply.reason[:9]) == (400, "Bad body:")
    assert not house.take()


def test_mwi_03_mwi_07_the_summary_is_told_as_it_was_published() -> None:
    house = house_with()
    body = b"messages-WAITING: YES\r\nX-Lamp: red\r\n\r\nSubject: carpool\r\n"
    publish(house, body)
    watch(house)
    assert told(house) == body


def test_mwi_05_what_is_true_is_told_at_once_and_when_it_changes() -> None:
    house = house_with()
    watch(house)
    assert told(house) == EMPTY
    tag = publish(house)["SIP-ETag"]
    assert told(house) == TWO_NEW
    tag = publish(house, NOTHING_NEW, etag=tag)["SIP-ETag"]
    assert told(house) == NOTHING_NEW
    publish(house, None, etag=tag, expires=0)
    assert told(house) == EMPTY


def test_mwi_05_the_newest_publication_wins() -> None:
    house = house_with()
    first = publish(house)["SIP-ETag"]
    second = publish(house, NOTHING_NEW)["SIP-ETag"]
    watch(house)
    assert told(house) == NOTHING_NEW
    publish(house, TWO_NEW, etag=first)
    assert told(house) == TWO_NEW
    publish(house, None, etag=second, expires=0)
    assert not house.take(), "the newest is told already"


def test_mwi_05_as_in_1_3_an_empty_mailbox_has_no_body() -> None:
    house = house_with(empty_summary=0)
    watch(house)
    notify = house.take_one()
    assert (notify.body, notify.get("Content-Type")) == (b"", None)


def test_a_summary_that_runs_out() -> None:
    house = house_with()
    publish(house, expires=5)
    watch(house)
    house.take()
    house.wait(7)
    assert told(house) == EMPTY


@pytest.mark.parametrize(
    "from_",
    ["<sip:bob@example.org>;tag=b1", "<sip:Alice@example.org>;tag=a1", "<sip:alice@example.com>;tag=a1"],
)
def test_mwi_06_only_the_owner_may_watch(from_: str) -> None:
    house = house_with()
    publish(house)
    assert watch(house, from_=from_).status == 403
    assert watch(house, from_=from_, expires=0).status == 403
    assert not house.take()


def test_mwi_06_nor_may_others_in_a_dialog_that_they_have() -> None:
    house = house_with()
    first = house.subscribe()
    assert house.resubscribe(first, event="message-summary").status == 403


def test_mwi_06_the_owner_by_any_spelling_of_the_host() -> None:
    house = house_with()
    assert watch(house, from_='"Alice" <sip:alice@EXAMPLE.org:5060;transport=udp>;tag=a1').status == 200


def test_mwi_06_a_parameter_opens_the_mailboxes() -> None:
    house = house_with(mailbox_watchers="anyone")
    assert watch(house, from_="<sip:bob@example.org>;tag=b1").status == 200


def test_mwi_06_a_refresh_is_not_asked_again() -> None:
    house = house_with()
    first = watch(house)
    contact = first["Contact"].strip("<>")
    refreshed = house.resubscribe(first, event="message-summary", from_=OWNER, uri=contact, to=f"<{ALICE}>")
    assert refreshed.status == 200


def test_a_restart_loses_no_summary() -> None:
    house = house_with()
    publish(house)
    later = house_with(house.memory)
    watch(later)
    assert told(later) == TWO_NEW


def test_the_other_events_go_on() -> None:
    house = house_with()
    house.publish()
    house.subscribe()
    notify: Request = house.take_one()
    assert notify.get("Event") == "presence"


def test_parameters_may_change_while_it_runs() -> None:
    house = house_with()
    assert watch(house, from_="<sip:eve@example.org>;tag=e").status == 403
    module = house.further
    assert module is not None
    vars(module).update(mailbox_watchers="anyone", empty_summary=0)
    module.reconfigured(module)
    assert watch(house, from_="<sip:eve@example.org>;tag=e", call_id="c2").status == 200
    assert told(house) == b""
