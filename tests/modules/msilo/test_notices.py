from __future__ import annotations

from typing import Any

import pytest

from tests.modules.msilo.kit import REGISTRAR, silo, write


@pytest.mark.parametrize(
    ("settings", "contact", "uri"),
    [
        ({}, "<sip:alice@192.0.2.1>", "sip:alice@192.0.2.1"),
        ({}, None, "sip:alice@example.com"),
        ({}, "*", "sip:alice@example.com"),
        ({"use_contact": 0}, "<sip:alice@192.0.2.1>", "sip:alice@example.com"),
    ],
)
def test_the_sender_is_told(settings: dict[str, Any], contact: str | None, uri: str) -> None:
    with silo(registrar=REGISTRAR, **settings) as script:
        write(script, **({"Contact": contact} if contact else {}))
        (told,) = script.requests("MESSAGE")
        assert (told.uri, told.target) == (uri, "udp:192.0.2.9:5060")
        assert told.body.startswith(b"User [sip:bob@example.com] is offline.")
        told.answer(200)
        assert len(script.rows("silo")) == 1


def test_a_sender_that_cannot_be_told() -> None:
    with silo(registrar=REGISTRAR, outbound_proxy="") as script:
        assert write(script, From="<sip:alice@nowhere.invalid>;tag=1").status == 202
        script.run_for(1)
        (line,) = [line.text for line in script.log if line.origin == "msilo"]
        assert line == "a sender cannot be told that a message waits: Unresolvable destination (-476)"
