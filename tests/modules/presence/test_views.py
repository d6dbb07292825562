"""What each watcher is shown: nothing hidden on any path, one body a view, and no cost where all see the same."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.db.errors import DatabaseError
from openpy.modules.presence.api import ACTIVE, AuthStatus, EventPackage, Subs
from openpy.modules.presence.eventstate import NO_BODY
from openpy.modules.presence.views import Views
from tests.modules.presence.kit import ALICE, Exchange, House, Memory, presence, ruleset

BOB = "sip:bob@example.org"
HIDE_NOTE = "<p:provide-note>FALSE</p:provide-note>"
SECRET = "<note>in the bath</note>"


def house_with(*rules: str) -> House:
    memory = Memory()
    memory.document(ruleset(*rules))
    return House(memory, xml={})


def test_d07_pres_12_what_is_hidden_appears_in_no_notify_on_any_path() -> None:
    house = house_with(f"{BOB} allow {HIDE_NOTE}")
    tag = house.publish(presence(more=SECRET), expires=300)["SIP-ETag"]
    first = house.subscribe()  # a new watcher
    house.subscribe()  # a known one
    house.resubscribe(first)  # a refresh
    house.subscribe(expires=0)  # a fetch
    house.publish(presence("closed", more=SECRET), etag=tag)  # a change
    other = house.publish(presence(id_="other", more=SECRET))["SIP-ETag"]  # an aggregate
    house.refresh(1)  # the state was changed by another hand
    house.refresh(0)  # the rules were
    house.publish(None, etag=other, expires=0)
    house.wait(310)  # an expiry
    house = house.restart(xml={})
    house.publish(presence(more=SECRET))  # after a restart
    house.resubscribe(first, cseq=3, expires=0)  # the last word
    found = house.take()
    assert len(found) == 3
    assert all(b"desk" in item.body for item in found)
    assert not any(b"bath" in data for _, data in house.wire)


def test_watchers_with_the_same_view_share_one_body() -> None:
    house = house_with("* allow")
    for number in range(4):
        house.subscribe(from_=f"<sip:w{number}@example.org>;tag=c")
    house.take()
    made: list[Subs] = []
    package = house.agent.registry.named("presence")
    assert package is not None
    apply = package.apply_auth_nbody
    assert apply is not None

    def counted(body: bytes, subs: Subs) -> bytes | None:
        made.append(subs)
        return apply(body, subs)

    package.apply_auth_nbody = counted
    house.publish()
    assert len(house.take()) == 4
    assert len(made) == 1
    assert (made[0].pres_uri, made[0].status) == (ALICE, ACTIVE)


def test_a_package_without_views_makes_a_body_for_each_watcher() -> None:
    def shown(body: bytes, subs: Subs) -> bytes:
        return subs.watcher_uri.encode() + b" sees " + body

    house = House()
    house.presence.bind().add_event(
        EventPackage(
            "weather",
            "text/plain",
            req_auth=True,
            get_rules_doc=lambda user, domain: None,
            get_auth_status=lambda subs: AuthStatus(ACTIVE),
            apply_auth_nbody=shown,
        )
    )
    house.publish(b"rain", event="weather", content_type="text/plain")
    house.subscribe(event="weather")
    house.subscribe(event="weather", from_="<sip:carol@example.org>;tag=c")
    assert [item.body for item in house.take()] == [
        b"sip:bob@example.org sees rain",
        b"sip:carol@example.org sees rain",
    ]


def test_a_change_that_a_watcher_is_not_shown_is_not_told_him() -> None:
    house = house_with(f"{BOB} allow {HIDE_NOTE}", "sip:carol@example.org allow")
    tag = house.publish()["SIP-ETag"]
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.take()
    house.publish(presence(more=SECRET), etag=tag)
    assert house.take_one().to.uri_text == "sip:carol@example.org"


def test_rules_without_restrictions_show_the_whole_body() -> None:
    house = house_with("* allow")
    house.publish()
    house.subscribe()
    state = house.agent.presentities[ALICE].events["presence"]
    (subscription,) = state.subscriptions.values()
    assert subscription.told is state.tail(house.agent.now())


def test_a_mistake_of_a_package_shows_nothing_and_stops_nobody() -> None:
    def broken(body: bytes, subs: Subs) -> bytes | None:
        if subs.watcher_uri == BOB:
            raise KeyError("oops")
        return None

    house = house_with("* allow", f"{BOB} allow {HIDE_NOTE}")
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.take()
    package = house.agent.registry.named("presence")
    assert package is not None
    package.apply_auth_nbody = broken
    house.publish()
    assert [item.to.uri_text for item in house.take()] == ["sip:carol@example.org"]
    assert any("KeyError" in line for line in house.logged)
    assert house.subscribe().status == 200
    assert house.take_one().body == b""


def test_mwi_08_a_body_is_numbered_for_each_watcher() -> None:
    def number(body: bytes, subs: Subs) -> bytes:
        return b"%d %b" % (subs.version, body)

    house = House()
    package = EventPackage("weather", "text/plain", aux_body_processing=number)
    house.presence.bind().add_event(package)

    def publish(body: bytes) -> None:
        house.publish(body, event="weather", content_type="text/plain")

    publish(b"rain")
    house.subscribe(event="weather")
    publish(b"wind")
    house.subscribe(event="weather", from_="<sip:carol@example.org>;tag=c")
    publish(b"sun")
    publish(b"sun")
    assert [item.body for item in house.take()] == [b"0 rain", b"1 wind", b"0 wind", b"2 sun", b"1 sun"]
    house.answer = 500
    publish(b"snow")
    (subscription, _) = house.agent.presentities[ALICE].events["weather"].subscriptions.values()
    assert subscription.told == b""
    assert isinstance(subscription.state.shown, Views)
    assert NO_BODY not in [data for _, data in house.wire]


STEPS = st.sampled_from(
    [
        *("none", "hide", "allow", "block", "polite", "confirm"),  # rules, with refreshWatchers
        *("publish", "change", "remove", "subscribe", "refresh", "unsubscribe", "fetch"),
        *("reread", "hold", "commit", "fail", "wait", "restart"),
    ]
)
HANDLINGS = {
    "hide": f"{BOB} allow {HIDE_NOTE}",
    "allow": f"{BOB} allow",
    "block": f"{BOB} block",
    "polite": f"{BOB} polite-block",
    "confirm": f"{BOB} confirm",
}
OUTCOMES = {"hide": {1}, "allow": {1}, "polite": {1}, "block": set(), "confirm": {2}, "none": {2}}


class Play:
    """A presentity with rules, its publication and its watcher."""

    def __init__(self) -> None:
        self.house = House(xml={})
        self.rules = "none"
        self.tag = ""
        self.number = 0
        self.dialog: Exchange | None = None

    def do(self, step: str) -> None:
        house = self.house
        self.number += 1
        if step in OUTCOMES or step == "reread":
            if not house.writer.hold:  # the command would wait
                self.rules = step if step in OUTCOMES else self.rules
                house.memory.document(ruleset(HANDLINGS[self.rules]) if self.rules in HANDLINGS else None)
                house.refresh(0 if step in OUTCOMES else 1)
        elif step in ("publish", "change", "remove"):
            expires = 0 if step == "remove" else 600
            body = presence(id_=f"t{self.number}", more=SECRET)
            done = house.publish(body, etag=self.tag if step != "publish" else None, expires=expires)
            self.tag = done["SIP-ETag"] if done.replies and done.status == 200 else self.tag or "x"
        elif step in ("subscribe", "fetch"):
            made = house.subscribe(expires=600 if step == "subscribe" else 0)
            self.dialog = made if made.replies and made.status == 200 else self.dialog
        elif step in ("refresh", "unsubscribe") and self.dialog is not None:
            house.resubscribe(self.dialog, cseq=self.number + 1, expires=600 if step == "refresh" else 0)
        elif step == "restart":
            self.house = house.restart(xml={})
        elif step in ("hold", "commit", "fail", "wait"):
            house.writer.hold = step == "hold"
            house.writer.failing = DatabaseError("full") if step == "fail" else None
            house.wait(2)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_d07_no_order_of_events_shows_what_is_hidden_and_all_end_as_the_rules_say(steps: list[str]) -> None:
    play = Play()
    for step in ["publish", *steps]:
        play.do(step)
        if play.rules != "allow" and not play.house.writer.hold:
            assert not any(b"bath" in notify.body for notify in play.house.take()), (step, play.rules)
        play.house.take()
    for step in ("commit", play.rules):
        play.do(step)
    house = play.house
    rows = house.memory.named("active_watchers")
    assert {row["status"] for row in rows} <= OUTCOMES[play.rules]
    assert len(rows) == len(house.agent.dialogs)
    decided = [row["status"] for row in house.memory.named("watchers")]
    assert decided in ([], [3] if play.rules == "block" else list(OUTCOMES[play.rules]))


# --- the plain path ---------------------------------------------------------------------------------------------------


def calls_of(action: Callable[[], Any]) -> list[str]:
    """The functions of the presence module that are called."""
    called: list[str] = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and "/modules/presence/" in frame.f_code.co_filename:
            called.append(f"{frame.f_code.co_filename.rpartition('/')[2]} {frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return [name for name in called if "tests" not in name]


@pytest.mark.pure
@pytest.mark.parametrize("method", ["publish", "subscribe"])
def test_where_all_see_the_same_rules_and_watchers_information_cost_nothing(method: str) -> None:
    house = House()
    for number in range(3):
        house.subscribe(from_=f"<sip:w{number}@example.org>;tag=c")
    called = calls_of(house.publish if method == "publish" else house.subscribe)
    files = {name.split()[0] for name in called}
    assert not files & {"authorization.py", "views.py", "winfo.py", "deciding.py", "subs.py"}
    notifies = 3 if method == "publish" else 1
    assert len(house.take()) == 3 + notifies
    per_notify = [name for name in called if name.startswith("notifier.py")]
    each = {"notify", "_send", "_data", "_transmit", "answered", "_constant", "_plain_way", "<genexpr>"}
    assert {name.split()[1] for name in per_notify} <= each | {"fan_out"}
    for function in ("notify", "_send", "_data", "_transmit"):
        assert called.count(f"notifier.py {function}") == notifies
