from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.uac_redirect.contacts import MOST, Contact, Limits, LimitsKind, contacts_of
from openpy.sip.message import Response, parse_message


def reply(*contacts: str) -> Response:
    lines = "".join(f"Contact: {contact}\r\n" for contact in contacts)
    found = parse_message(f"SIP/2.0 302 Moved\r\n{lines}\r\n".encode())
    assert isinstance(found, Response)
    return found


@pytest.mark.parametrize(
    ("text", "limits"),
    [("3", Limits(3)), ("3:1", Limits(3, 1)), ("*", Limits(0)), ("*:2", Limits(0, 2)), ("2:*", Limits(2, 0))],
)
def test_limits(text: str, limits: Limits) -> None:
    assert LimitsKind().convert(text, None) == limits


@pytest.mark.parametrize("text", ["", "x", "3:", "-1", "3:x", "10000"])
def test_what_are_none(text: str) -> None:
    with pytest.raises(ArgumentError, match="is no number of contacts"):
        LimitsKind().convert(text, None)


def test_the_best_come_first() -> None:
    found = contacts_of(
        reply("<sip:a@x>;q=0.2, <sip:b@x>", "<sip:c@x>;q=1", "<sip:d@x>;q=y", "<sip:e@x>;q=2")
    )
    assert found == [
        Contact("sip:c@x", 1000),
        Contact("sip:a@x", 200),
        Contact("sip:b@x", 10),
        Contact("sip:d@x", 10),
        Contact("sip:e@x", 10),
    ]


def test_what_says_nothing() -> None:
    assert contacts_of(reply()) == []
    assert contacts_of(reply("*")) == []
    assert contacts_of(reply("<sip:a@")) == []
    assert len(contacts_of(reply(*(f"<sip:{number}@x>" for number in range(30))))) == MOST


def test_only_what_can_be_called() -> None:
    found = contacts_of(reply("<mailto:a@x>;q=1, <tel:+1>, <sips:b@x>, <SIP:c@x>, <sip:d@x>"))
    assert [contact.uri for contact in found] == ["sips:b@x", "SIP:c@x", "sip:d@x"]
