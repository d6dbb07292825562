from __future__ import annotations

import pytest

from openpy.engine.tcpaliases import accepting_aliases, accepting_names
from openpy.transaction.flow import Flow
from tests.engine.kit import KeptFlow, Sent, answer, request

ALIAS = "SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKa;alias"


@pytest.mark.parametrize(
    ("transport", "data", "expected"),
    [
        ("tcp", request(via=ALIAS), [5070]),
        ("tcp", request(via=ALIAS.replace(":5070", "")), [5060]),
        ("tls", request(via=ALIAS.replace(":5070", "")), [5061]),
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


WEB = "SIP/2.0/WSS X1.invalid;branch=z9hG4bKa"


@pytest.mark.parametrize(
    ("transport", "data", "expected"),
    [
        ("ws", request(via=WEB), ["X1.invalid"]),
        ("wss", request(via=WEB), ["X1.invalid"]),
        ("tcp", request(via=WEB), []),
        ("ws", request(via=WEB.replace("X1.invalid", "192.0.2.1")), []),
        ("ws", request(via=WEB.replace("X1.invalid", "x.example;a=.invalid")), []),
        ("ws", b".invalid\r\n\r\n", []),
        ("ws", answer(Sent(KeptFlow([]), request(via=WEB)), 200), []),
    ],
)
def test_clients_of_web_socket_are_called_by_the_name_that_they_made_up(
    transport: str, data: bytes, expected: list[str]
) -> None:
    heard: list[bytes] = []
    names: list[str] = []

    def add_name(flow: Flow, name: str) -> bool:
        names.append(name)
        return True

    accepting_names(lambda data, flow: heard.append(data), add_name)(data, KeptFlow([], transport))
    assert (heard, names) == ([data], expected)
