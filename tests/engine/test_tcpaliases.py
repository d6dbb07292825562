from __future__ import annotations

import pytest

from openpy.engine.tcpaliases import accepting_aliases
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow, Sent, answer, request

ALIAS = "SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKa;alias"


@pytest.mark.parametrize(
    ("transport", "data", "expected"),
    [
        ("tcp", request(via=ALIAS), [5070]),
        ("tcp", request(via=ALIAS.replace(":5070", "")), [5060]),
        ("udp", request(via=ALIAS), []),
        ("tcp", request(via=ALIAS.replace(";alias", ";aliases=1")), []),
        ("tcp", request(body=b";alias"), []),
        ("tcp", request(via="none;alias"), []),
        ("tcp", b";alias\r\n\r\n", []),
        ("tcp", answer(Sent(KeptFlow([]), request(via=ALIAS)), 200), []),
    ],
)
def test_who_asks_for_it_in_a_via(transport: str, data: bytes, expected: list[int]) -> None:
    heard: list[bytes] = []
    ports: list[int] = []

    def add_alias(flow: Flow, port: int) -> bool:
        ports.append(port)
        return True

    accepting_aliases(lambda data, flow: heard.append(data), add_alias)(data, KeptFlow([], transport))
    assert (heard, ports) == ([data], expected)
