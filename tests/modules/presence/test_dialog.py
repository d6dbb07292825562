"""Dialogs: paths, targets, CSeqs that come in."""

import pytest

from openpy.modules.presence.dialog import ACTIVE, Dialog, Subscription
from openpy.sip.build import reply
from openpy.sip.errors import RemoteError
from openpy.sip.message import Response, parse_message
from tests.modules.presence.kit import ALICE, House


def dialog(house: House, **changed: str) -> Dialog:
    facts = {
        "call_id": "c",
        "from_tag": "f",
        "to_tag": "t",
        "watcher_uri": "sip:bob@example.org",
        "to_uri": ALICE,
        "target": "sip:bob@192.0.2.7",
        "local_contact": "sip:192.0.2.1",
        "routes": "",
        "socket": "udp:192.0.2.1:5060",
        **changed,
    }
    return Dialog(house.agent.notifier, house.agent.presentity(ALICE), remote_cseq=1, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("", ("sip:bob@192.0.2.7", (), "sip:bob@192.0.2.7")),
        (
            "<sip:p1;lr>,<sip:p2;lr>",
            ("sip:bob@192.0.2.7", ("<sip:p1;lr>", "<sip:p2;lr>"), "sip:p1;lr"),
        ),
        ("<sip:p1>,<sip:p2;lr>", ("sip:p1", ("<sip:p2;lr>", "<sip:bob@192.0.2.7>"), "sip:p1")),
    ],
)
def test_loose_and_strict_route_sets(routes: str, expected: tuple[object, ...]) -> None:
    assert dialog(House(), routes=routes).path() == expected


def test_a_route_set_that_cannot_be_read() -> None:
    with pytest.raises(RemoteError):
        dialog(House(), routes="<sip:>").path()


@pytest.mark.parametrize(
    ("socket", "expected"),
    [
        ("udp:192.0.2.1:5060", ("192.0.2.1", 5060)),
        ("udp:[2001:db8::1]:5080", ("2001:db8::1", 5080)),
        ("tcp:192.0.2.1:5060", None),
        ("", None),
    ],
)
def test_the_socket_that_notifies_leave_by(socket: str, expected: tuple[str, int] | None) -> None:
    assert dialog(House(), socket=socket).local_address() == expected


def test_a_new_target_looks_for_a_new_way() -> None:
    house = House()
    made = dialog(house)
    made.flow = house.flow("udp", "192.0.2.7", 5060)
    made.head = b"NOTIFY"
    made.retarget(made.target, None)
    assert made.flow is not None
    made.retarget("sip:bob@192.0.2.8", None)
    assert [made.flow, made.head, made.target] == [None, b"", "sip:bob@192.0.2.8"]


def test_seen_and_unseen() -> None:
    made = dialog(House())
    first = made.see(5)
    second = made.see(6)
    made.unsee(first)
    made.unsee(second)
    assert made.remote_cseq == 1


def test_reserved_and_unreserved() -> None:
    made = dialog(House())
    first, second = made.reserved, made.reserved + 128
    made.reserved = second + 128
    made.unreserve(first)
    made.unreserve(second)
    assert made.reserved == first


def test_the_event_of_a_subscription() -> None:
    house = House()
    made = dialog(house)
    state = made.presentity.event(house.agent.registry.named("presence"))  # type: ignore[arg-type]
    subscription = Subscription(made, state, None, 1, 100.0)
    assert (subscription.event_text(), subscription.status) == (b"presence", ACTIVE)
    assert Subscription(made, state, "7", 1, 100.0).event_text() == b"presence;id=7"


@pytest.mark.pure
def test_the_owner_of_notifies_tells_the_notifier() -> None:
    house = House()
    house.answer = None
    house.subscribe()
    (subscription,) = house.agent.dialogs.popitem()[1].usages
    heard: list[str] = []

    class Listener:
        def __getattr__(self, name: str) -> object:
            return lambda *arguments: heard.append(name)

    subscription.dialog.notifier = Listener()  # type: ignore[assignment]
    for status in (100, 202, 302, 481):
        response = parse_message(reply(house.notifies[0], status, "x"))
        assert isinstance(response, Response)
        subscription.on_reply(None, response)  # type: ignore[arg-type]
    subscription.on_ok(None)  # type: ignore[arg-type]
    subscription.on_timeout(None)  # type: ignore[arg-type]
    subscription.on_transport_error(None)  # type: ignore[arg-type]
    assert heard == ["answered", "refused", "refused", "answered", "unanswered", "cut_off"]
