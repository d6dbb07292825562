from __future__ import annotations

import pytest

from openpy.modules.msilo.receivers import takes_messages
from openpy.sip.message import Request, parse_message
from openpy.testing.messages import Header, request

PHONE = "<sip:bob@192.0.2.1>"


@pytest.mark.parametrize(
    ("contact", "further", "takes"),
    [
        (PHONE, {}, True),
        (PHONE, {"Expires": None}, True),
        (PHONE, {"Expires": "soon"}, True),
        (PHONE, {"Expires": 0}, False),
        (f"{PHONE};expires=0", {}, False),
        (f"{PHONE};expires=60", {"Expires": 0}, True),
        (f"{PHONE};expires=0, <sip:bob@192.0.2.2>", {}, True),
        (None, {}, False),
        ("*", {"Expires": 0}, False),
        ("<", {}, False),
        (PHONE, {"Allow": "INVITE, message"}, True),
        (PHONE, {"Allow": ["INVITE", "MESSAGE"]}, True),
        (PHONE, {"Allow": "INVITE"}, False),
        (f'{PHONE};methods="INVITE, MESSAGE"', {"Allow": "INVITE"}, True),
        (f'{PHONE};methods="INVITE"', {"Allow": "MESSAGE"}, False),
        (f'{PHONE};methods="INVITE", <sip:bob@192.0.2.2>', {}, True),
    ],
)
def test_who_takes_messages(contact: str | None, further: dict[str, Header], takes: bool) -> None:
    message = parse_message(request("REGISTER", "sip:example.com", {"Contact": contact, **further}))
    assert isinstance(message, Request)
    assert takes_messages(message) is takes
