from __future__ import annotations

import pytest

from openpy.useragent.subscription import Ended, NotifyState, Subscription
from tests.useragent.peer import Peer

CONTACT = "Contact: <sip:peer@192.0.2.1>\r\n"


class Subscriber:
    def __init__(self, event: str = "presence", transport: str = "udp") -> None:
        self.peer = Peer(transport=transport)
        self.states: list[NotifyState] = []
        self.ends: list[Ended] = []
        self.subscription = Subscription(
            self.peer.agent,
            target_uri="sip:alice@example.com",
            from_uri="sip:bob@example.com",
            event=event,
            expires=100,
            accept="application/pidf+xml",
            flow=self.peer,
            on_state=self.states.append,
            on_end=self.ends.append,
        )
        self.subscription.start()

    def accept(self, expires: int = 100, headers: str = CONTACT) -> None:
        self.peer.answer(200, f"{headers}Expires: {expires}\r\n")

    def established(self) -> Subscriber:
        """The 2xx and the first NOTIFY have come."""
        self.accept()
        assert self.peer.notify("active;expires=100", 1) == 200
        return self

    @property
    def subscribes(self) -> list[tuple[int, int | None]]:
        """CSeq and interval of each SUBSCRIBE sent."""
        return [(request.cseq.number, request.expires) for request in self.peer.requests]


# --- Subscribing ----------------------------------------------------------------------------------------------


def test_first_subscribe() -> None:
    request = Subscriber().peer.last
    assert (request.method, request.uri, request.expires) == ("SUBSCRIBE", "sip:alice@example.com", 100)
    assert request.get("Contact") == "<sip:agent@192.0.2.2:5070>"
    assert (request.get("Event"), request.get("Accept")) == ("presence", "application/pidf+xml")


def test_notify_tells_the_state() -> None:
    subscriber = Subscriber()
    subscriber.accept()
    subscriber.peer.run_to(2)
    more = "Content-Type: application/pidf+xml"
    assert subscriber.peer.notify("Active ; expires=99;reason=x", 1, more=more, body="<presence/>") == 200
    (state,) = subscriber.states
    assert (state.time, state.event, state.state, state.reason, state.expires) == (
        2,
        "presence",
        "active",
        "x",
        99,
    )
    assert (state.content_type, state.body.strip()) == ("application/pidf+xml", b"<presence/>")


def test_evt_49_evt_51_notify_may_come_before_the_answer_and_without_an_end() -> None:
    subscriber = Subscriber()
    assert subscriber.peer.notify("pending", 1) == 200
    assert subscriber.states[0].expires is None
    subscriber.accept()
    subscriber.peer.run_to(90)
    request = subscriber.peer.last
    assert subscriber.subscribes == [(1, 100), (2, 100)]
    assert (request.uri, request.to.tag) == ("sip:peer@192.0.2.1", "peer")


def test_dialog_may_begin_with_the_answer() -> None:
    subscriber = Subscriber()
    subscriber.accept(headers=f"{CONTACT}Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n")
    assert subscriber.peer.notify("active", 70) == 200
    subscriber.peer.run_to(90)
    assert subscriber.peer.last.all("Route") == ["<sip:p2;lr>", "<sip:p1;lr>"]


def test_answer_without_a_contact_leaves_the_dialog_to_the_notify() -> None:
    subscriber = Subscriber()
    subscriber.accept(headers="")
    assert subscriber.peer.notify("active", 1) == 200
    subscriber.peer.run_to(90)
    assert subscriber.peer.last.uri == "sip:peer@192.0.2.1"


@pytest.mark.parametrize("status", [403, 481, 489, 503])
def test_refused_subscribe_ends_it(status: int) -> None:
    subscriber = Subscriber()
    subscriber.peer.answer(status)
    subscriber.peer.run_to(200)
    assert [end.status for end in subscriber.ends] == [status]
    assert len(subscriber.peer.requests) == 1


def test_unanswered_subscribe_ends_it() -> None:
    subscriber = Subscriber()
    subscriber.peer.run_to(200)
    assert [(end.status, end.reason) for end in subscriber.ends] == [(408, "Request Timeout")]
    assert subscriber.peer.notify("active", 1) == 481


def test_evt_49_accepted_subscribe_without_a_notify_ends_at_timer_n() -> None:
    subscriber = Subscriber()
    subscriber.peer.run_to(1)
    subscriber.accept()
    subscriber.peer.run_to(31.9)
    assert subscriber.ends == []
    subscriber.peer.run_to(32.1)
    assert [(end.status, end.reason) for end in subscriber.ends] == [(408, "No NOTIFY")]


def test_timer_n_begins_anew_with_a_late_answer() -> None:
    subscriber = Subscriber(transport="tcp")
    subscriber.peer.run_to(20)
    subscriber.peer.answer(423, "Min-Expires: 200\r\n")
    subscriber.peer.run_to(40)
    subscriber.accept(200)
    subscriber.peer.run_to(60)
    assert subscriber.ends == []
    subscriber.peer.run_to(73)
    assert [end.reason for end in subscriber.ends] == ["No NOTIFY"]


# --- NOTIFYs --------------------------------------------------------------------------------------------------


def test_notifies_are_taken_in_order() -> None:
    subscriber = Subscriber().established()
    assert subscriber.peer.notify("active", 5) == 200
    assert subscriber.peer.notify("active", 4) == 500
    assert subscriber.peer.notify("active", 5) == 500
    assert subscriber.peer.notify("active", 6) == 200
    assert len(subscriber.states) == 3


def test_evt_52_what_a_subscription_state_says_besides_is_ignored() -> None:
    subscriber = Subscriber().established()
    assert subscriber.peer.notify("active;expires=100;mood=good;x", 2) == 200
    assert subscriber.peer.notify("dormant;expires=soon;retry-after=x", 3) == 200
    assert [(state.state, state.expires) for state in subscriber.states[1:]] == [
        ("active", 100),
        ("dormant", None),
    ]
    subscriber.peer.run_to(90)
    assert subscriber.subscribes == [(1, 100), (2, 100)], "it goes on"
    assert subscriber.ends == []


@pytest.mark.parametrize("event", ["presence.winfo", "presence;id=1", "dialog"])
def test_notify_for_another_event_is_refused(event: str) -> None:
    subscriber = Subscriber().established()
    assert subscriber.peer.notify("active", 2, event=event) == 489
    assert len(subscriber.states) == 1


def test_event_id_belongs_to_the_subscription() -> None:
    subscriber = Subscriber(event="presence;id=7")
    assert subscriber.peer.notify("active", 1) == 489
    assert subscriber.peer.notify("active", 2, event="presence ;id=7") == 200


def test_notify_of_a_forked_dialog_is_refused() -> None:
    subscriber = Subscriber().established()
    assert subscriber.peer.notify("active", 2, tag="fork") == 481
    assert len(subscriber.states) == 1


def test_notify_without_a_state_is_refused() -> None:
    subscriber = Subscriber().established()
    subscriber.peer.notify("active", 2, subscribe=subscriber.peer.last)
    raw = subscriber.peer.last.get("From")
    subscriber.peer.deliver(f"""
        NOTIFY sip:agent@192.0.2.2:5070 SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnostate
        From: <sip:alice@example.com>;tag=peer
        To: {raw}
        Call-ID: {subscriber.peer.last.call_id}
        CSeq: 3 NOTIFY
        Event: presence
    """)
    assert subscriber.peer.replies[-1].status == 400
    assert len(subscriber.states) == 2


def test_notify_moves_target_and_end() -> None:
    subscriber = Subscriber().established()
    subscriber.peer.notify("active;expires=40", 2)
    subscriber.peer.run_to(35)
    assert subscriber.subscribes == [(1, 100), (2, 100)]


def test_last_notify_ends_it_after_its_state() -> None:
    subscriber = Subscriber().established()
    assert subscriber.peer.notify("terminated;reason=probation;retry-after=30", 2) == 200
    assert subscriber.states[-1].state == "terminated"
    assert subscriber.ends == [Ended(0.0, 0, "probation", 30)]
    assert subscriber.peer.notify("active", 3) == 481
    subscriber.subscription.refresh()
    subscriber.subscription.close()
    subscriber.peer.run_to(500)
    assert len(subscriber.peer.requests) == 1


# --- Refreshing -----------------------------------------------------------------------------------------------


def test_refresh_comes_in_time_and_expects_a_notify() -> None:
    subscriber = Subscriber().established()
    for cycle in 1, 2, 3:
        subscriber.peer.run_to(90 * cycle)
        assert subscriber.subscribes[-1] == (cycle + 1, 100)
        subscriber.accept()
        assert subscriber.peer.notify("active;expires=100", cycle + 1) == 200
    subscriber.peer.run_to(360)
    subscriber.accept()
    subscriber.peer.run_to(393)
    assert [end.reason for end in subscriber.ends] == ["No NOTIFY"]


def test_refresh_does_not_overtake_one_under_way() -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.refresh()
    subscriber.subscription.refresh()
    assert len(subscriber.peer.requests) == 2


def test_evt_50_refresh_answered_by_481_subscribes_anew() -> None:
    subscriber = Subscriber().established()
    old = subscriber.peer.last
    subscriber.peer.run_to(90)
    subscriber.peer.answer(481)
    new = subscriber.peer.last
    assert new.call_id != old.call_id
    assert new.from_.tag != old.from_.tag
    assert (new.to.tag, new.cseq.number, new.uri) == ("", 1, "sip:alice@example.com")
    assert subscriber.peer.notify("active", 9, subscribe=old) == 481
    subscriber.established()
    assert subscriber.ends == []
    assert len(subscriber.states) == 2


def test_refresh_refused_for_good_ends_it() -> None:
    subscriber = Subscriber().established()
    subscriber.peer.run_to(90)
    subscriber.peer.answer(404)
    assert [end.status for end in subscriber.ends] == [404]


def test_refresh_that_fails_is_tried_again_while_the_subscription_lasts() -> None:
    subscriber = Subscriber().established()
    for time, cseq in (90, 2), (95, 3), (97.5, 4), (98.75, 5):
        subscriber.peer.run_to(time + 0.1)
        assert subscriber.subscribes[-1] == (cseq, 100)
        assert subscriber.ends == []
        subscriber.peer.answer(503)
    assert [end.status for end in subscriber.ends] == [503]


# --- Closing --------------------------------------------------------------------------------------------------


def test_close_unsubscribes_and_waits_for_the_last_notify() -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.close()
    subscriber.subscription.close()
    assert subscriber.subscribes == [(1, 100), (2, 0)]
    subscriber.accept(0)
    assert subscriber.ends == []
    assert subscriber.peer.notify("terminated;reason=timeout", 2) == 200
    assert subscriber.ends == [Ended(0.0, 0, "timeout", None)]


def test_close_does_not_wait_for_ever() -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.close()
    subscriber.accept(0)
    subscriber.peer.run_to(10)
    assert subscriber.peer.notify("active;expires=90", 2) == 200
    subscriber.peer.run_to(33)
    assert [end.reason for end in subscriber.ends] == ["No NOTIFY"]
    assert len(subscriber.peer.requests) == 2


@pytest.mark.parametrize("status", [404, 481, 503])
def test_close_that_is_refused_ends_it_too(status: int) -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.close()
    subscriber.peer.answer(status)
    assert [end.status for end in subscriber.ends] == [status]
    assert len(subscriber.peer.requests) == 2


def test_close_before_the_first_answer_waits_for_it() -> None:
    subscriber = Subscriber()
    subscriber.subscription.close()
    assert len(subscriber.peer.requests) == 1
    subscriber.accept()
    assert subscriber.subscribes == [(1, 100), (2, 0)]


def test_close_with_no_dialog_at_all() -> None:
    subscriber = Subscriber()
    subscriber.subscription.close()
    subscriber.accept(headers="")
    assert [(end.status, end.reason) for end in subscriber.ends] == [(0, "closed")]


@pytest.mark.parametrize(("status", "requests"), [(503, 3), (481, 2), (404, 2)])
def test_close_during_a_refresh_that_fails(status: int, requests: int) -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.refresh()
    subscriber.subscription.close()
    subscriber.peer.answer(status)
    assert len(subscriber.peer.requests) == requests
    if requests == 3:
        assert subscriber.subscribes[-1] == (3, 0)
    else:
        assert [end.status for end in subscriber.ends] == [status]


def test_close_from_within_a_notify() -> None:
    subscriber = Subscriber()
    subscriber.accept()
    subscriber.subscription._on_state = lambda state: subscriber.subscription.close()
    assert subscriber.peer.notify("active", 1) == 200
    assert subscriber.subscribes == [(1, 100), (2, 0)]
    assert subscriber.peer.notify("terminated", 2) == 200
    assert [end.status for end in subscriber.ends] == [0]
    assert len(subscriber.peer.requests) == 2


def test_nothing_is_left_after_the_end() -> None:
    subscriber = Subscriber().established()
    subscriber.subscription.close()
    subscriber.accept(0)
    subscriber.peer.notify("terminated", 2)
    subscriber.peer.run_to(100)
    assert (len(subscriber.peer.wheel), subscriber.peer.layer.clients_in_use) == (0, 0)
    assert subscriber.peer.layer.servers_in_use == 0
