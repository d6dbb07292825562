from __future__ import annotations

from openpy.transaction.flow import Flow
from tests.transaction.playbook import RecordingFlow


def test_a_flow_states_both_addresses_and_its_transport() -> None:
    sent: list[bytes] = []
    flow: Flow = RecordingFlow(sent.append, "tcp")
    assert all(hasattr(flow, name) for name in Flow.__annotations__)
    assert Flow.send(flow, b"not sent: the protocol sends nothing itself") is None  # type: ignore[func-returns-value]
    flow.send(b"x")
    assert sent == [b"x"]
