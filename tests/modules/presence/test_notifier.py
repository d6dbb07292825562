"""NOTIFYs: when they leave, which way, and what the answers mean."""

from itertools import pairwise

import pytest

from openpy.db.errors import Unavailable
from tests.modules.presence.kit import US, WATCHER, House, presence

LARGE = presence(more=f"<note>{'x' * 1300}</note>")


def test_one_unanswered_notify_a_dialog_and_the_newest_state_follows() -> None:
    house = House()
    house.answer = None
    house.subscribe()
    tag = house.publish(presence("open"))["SIP-ETag"]
    house.publish(presence("closed"), etag=tag)
    assert [notify.cseq.number for notify in house.take()] == [1]
    house.answer_one(200)
    notify = house.take_one()
    assert notify.cseq.number == 2
    assert b"closed" in notify.body
    house.answer_one(200)
    assert house.take() == []


def test_a_slow_watcher_delays_nobody() -> None:
    house = House()
    house.answer = None
    house.subscribe(contact="<sip:slow@192.0.2.50>")
    house.take()
    house.subscribe()
    house.answer_one(200)  # the slow one, whose second NOTIFY then stays unanswered
    house.answer_one(200)
    house.take()
    tag = house.publish()["SIP-ETag"]
    assert len(house.take()) == 2
    house._unanswered.pop(0)
    house.answer_one(200)
    house.publish(presence("closed"), etag=tag)
    assert house.take_one().uri == "sip:bob@192.0.2.7:5070"


def test_evt_31_the_last_word_waits_for_its_turn_and_is_the_last() -> None:
    house = House()
    house.answer = None
    first = house.subscribe()
    house.take()
    house.resubscribe(first, expires=0)
    house.publish()
    assert house.take() == []
    house.answer_one(200)
    assert house.take_one().get("Subscription-State") == "terminated;reason=timeout"
    house.answer_one(200)
    house.publish()
    assert house.take() == []


def test_evt_37_cseq_grows_by_one_and_branches_cannot_be_guessed() -> None:
    house = House()
    house.subscribe()
    house.subscribe()
    tag = ""
    for basic in ("open", "closed", "open"):
        tag = house.publish(presence(basic), etag=tag or None)["SIP-ETag"]
    by_dialog: dict[str, list[int]] = {}
    randoms = set()
    for notify in house.take():
        by_dialog.setdefault(notify.call_id, []).append(notify.cseq.number)
        assert house.transactions.is_ours(notify.via.branch)
        randoms.add(notify.via.branch.split(".")[1])
    assert list(by_dialog.values()) == [[1, 2, 3, 4]] * 2
    assert len(randoms) == 2
    assert all(len(random) == 16 for random in randoms)


def test_evt_33_no_answer_ends_the_subscription() -> None:
    house = House()
    house.answer = None
    first = house.subscribe()
    house.wait(34)
    assert house.memory.named("active_watchers") == []
    assert len(house.take()) == 10 + 1  # the NOTIFY and its retransmissions, and no last word
    assert house.presence.notifies_failed.value == 1
    assert house.resubscribe(first).status == 481


@pytest.mark.parametrize("status", [404, 405, 408, 410, 416, 480, 482, 485, 489, 501, 604, 481])
def test_evt_32_evt_34_answers_that_end_the_subscription(status: int) -> None:
    house = House()
    house.subscribe()
    house.take()
    house.answer = status
    tag = house.publish()["SIP-ETag"]
    house.wait(1)
    assert house.memory.named("active_watchers") == []
    house.publish(presence("closed"), etag=tag)
    assert len(house.take()) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 403, 407, 486, 500, 503, 600])
def test_d19_evt_35_answers_that_keep_it(status: int) -> None:
    house = House()
    house.subscribe()
    house.take()
    house.answer = status
    tag = house.publish()["SIP-ETag"]
    house.wait(0.5)
    house.publish(presence("closed"), etag=tag)
    assert len(house.take()) == 1
    house.answer = 200
    house.wait(0.7)
    assert b"closed" in house.take_one().body
    house.wait(3)
    assert house.take() == []
    assert len(house.memory.named("active_watchers")) == 1


def test_evt_35_retry_after_says_when_the_state_is_told_again() -> None:
    house = House()
    house.answer_headers = "Retry-After: 20 (asleep);duration=60\r\n"
    house.answer = 480
    house.subscribe()
    house.take()
    house.wait(19.5)
    assert house.take() == []
    house.answer = 200
    house.wait(1)
    assert house.take_one().cseq.number == 2


def test_refusals_in_a_row_are_backed_off_and_end_the_subscription() -> None:
    house = House(max_notify_refusals=5)
    house.answer = 500
    house.subscribe()
    start = house.clock.time
    told = [start] * len(house.take())
    for _ in range(400):
        house.wait(0.1)
        told += [house.clock.time] * len(house.take())
    waited = [round(after - before) for before, after in pairwise(told)]
    assert waited == [1, 2, 4, 8]
    assert house.memory.named("active_watchers") == []
    assert house.presence.notifies_failed.value == 5


def test_an_accepted_notify_forgets_the_refusals_before() -> None:
    house = House(max_notify_refusals=2)
    tag = None
    house.subscribe()
    for number in range(4):
        house.answer = 503
        tag = house.publish(presence(("open", "closed")[number % 2]), etag=tag)["SIP-ETag"]
        house.answer = 200
        house.wait(1.2)
    assert len(house.memory.named("active_watchers")) == 1


def test_a_subscribe_ends_the_pause() -> None:
    house = House()
    house.answer = 500
    first = house.subscribe()
    house.take()
    house.answer = 200
    house.resubscribe(first)
    assert house.take_one().cseq.number == 2
    house.wait(3)
    assert house.take() == []


def test_the_last_word_does_not_wait_for_the_end_of_a_pause() -> None:
    house = House()
    house.answer = 500
    first = house.subscribe()
    house.take()
    house.resubscribe(first, expires=0)
    assert house.take_one().get("Subscription-State") == "terminated;reason=timeout"
    house.wait(3)
    assert house.take() == []


def test_a_refused_last_word_is_not_said_again() -> None:
    house = House()
    first = house.subscribe()
    house.answer = 500
    house.resubscribe(first, expires=0)
    house.take()
    house.wait(3)
    assert house.take() == []


def test_evt_35_retry_after_keeps_it_but_not_against_481() -> None:
    house = House()
    house.answer_headers = "Retry-After: 5\r\n"
    house.answer = 480
    house.subscribe()
    house.wait(1)
    assert len(house.memory.named("active_watchers")) == 1
    house.answer = 481
    house.publish()
    house.wait(5)
    assert house.memory.named("active_watchers") == []


def test_the_codes_are_a_parameter() -> None:
    house = House(notify_ending_codes="500-599")
    house.answer = 404
    house.subscribe()
    house.wait(1)
    house.answer = 503
    assert len(house.memory.named("active_watchers")) == 1
    house.publish()
    house.wait(5)
    assert house.memory.named("active_watchers") == []


def test_provisional_answers_change_nothing() -> None:
    house = House()
    house.answer = None
    house.subscribe()
    house._unanswered.append(house._unanswered[0])
    house.answer_one(100)
    house.answer_one(202)
    house.publish()
    assert [notify.cseq.number for notify in house.take()] == [1, 2]


def test_d53_a_refusal_of_the_last_notify_deletes_nothing_twice() -> None:
    house = House()
    first = house.subscribe()
    house.answer = 481
    house.resubscribe(first, expires=0)
    house.wait(2)
    assert house.presence.subscriptions.value == 0


# --- ways -----------------------------------------------------------------------------------------------------------


def test_what_is_larger_than_a_datagram_should_be_goes_by_tcp() -> None:
    house = House()
    house.subscribe()
    house.take()
    house.listening.add(WATCHER)
    tag = house.publish(LARGE)["SIP-ETag"]
    way, data = house.wire[-1]
    assert (way.transport, (way.host, way.port)) == ("tcp", WATCHER)
    assert b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=" in data
    house.publish(presence("closed"), etag=tag)
    assert house.wire[-1][0].transport == "udp"
    assert b"Via: SIP/2.0/UDP" in house.wire[-1][1]


def test_and_as_a_datagram_after_all() -> None:
    house = House()
    house.subscribe()
    house.take()
    house.publish(LARGE)
    house.wait(1.9)
    assert house.take() == []
    house.wait(0.3)
    assert house.wire[-1][0].transport == "udp"
    assert house.take_one().cseq.number == 2


def test_who_takes_no_connections_is_waited_for_once() -> None:
    house = House()
    house.subscribe()
    house.take()
    tag = house.publish(LARGE)["SIP-ETag"]
    house.wait(2.1)
    assert house.take_one().cseq.number == 2
    house.publish(LARGE.replace(b"open", b"closed"), etag=tag)
    assert house.wire[-1][0].transport == "udp"
    assert house.take_one().cseq.number == 3


def test_a_contact_that_says_udp_is_told_by_udp() -> None:
    house = House()
    house.listening.add(WATCHER)
    house.subscribe(contact=f"<sip:bob@{WATCHER[0]}:{WATCHER[1]};transport=udp>")
    house.take()
    house.publish(LARGE)
    assert house.wire[-1][0].transport == "udp"


def test_a_watcher_by_web_socket_is_told_by_its_connection_and_no_other_way() -> None:
    house = House()
    here = ("192.0.2.7", 40_000)
    house.connections.add(here)
    house.subscribe(transport="ws", source=here, contact="<sip:bob@x1.invalid;transport=ws>")
    house.publish()
    ways = [way for way, data in house.wire if data.startswith(b"NOTIFY")]
    assert [(way.transport, way.host, way.port) for way in ways] == [("ws", *here)] * 2
    house.connections.clear()
    house.publish(presence(id_="x"))
    house.wait(1)
    assert house.memory.named("active_watchers") == [], "it cannot be connected to"


def test_a_watcher_by_tls_is_connected_to() -> None:
    house = House()
    house.names["phone.example.org"] = ("192.0.2.44",)
    house.listening.add(("192.0.2.44", 5061))
    house.subscribe(contact="<sips:bob@phone.example.org>")
    way = house.wire[-1][0]
    assert (way.transport, way.host, way.port) == ("tls", "192.0.2.44", 5061)


def test_what_changes_while_a_way_is_looked_for_is_what_is_told() -> None:
    house = House()
    house.subscribe()
    house.take()
    tag = house.publish(LARGE)["SIP-ETag"]
    house.publish(presence("closed"), etag=tag)
    house.wait(2.5)
    assert all(b"closed" in notify.body for notify in house.take())


def test_a_first_notify_that_is_large() -> None:
    house = House()
    house.publish(LARGE)
    house.listening.add(WATCHER)
    house.subscribe()
    assert house.wire[-1][0].transport == "tcp"


def test_evt_46_d52_a_watcher_that_came_by_tcp_is_told_by_its_connection() -> None:
    house = House()
    here = ("192.0.2.7", 40_000)
    house.connections.add(here)
    first = house.subscribe(transport="tcp", source=here, contact="<sip:bob@10.0.0.1:5070;transport=tcp>")
    assert ";transport=tcp" in first["Contact"]
    house.publish()
    ways = [way for way, data in house.wire if data.startswith(b"NOTIFY")]
    assert [(way.transport, way.host, way.port) for way in ways] == [("tcp", *here)] * 2
    house.connections.clear()
    house.listening.add(("10.0.0.1", 5070))
    house.publish(presence(id_="x"))
    assert (house.wire[-1][0].host, house.wire[-1][0].port) == ("10.0.0.1", 5070)


def test_a_watcher_that_cannot_be_reached_is_given_up() -> None:
    house = House()
    house.subscribe(transport="tcp", source=("192.0.2.7", 4), contact="<sip:bob@10.0.0.1;transport=tcp>")
    house.wait(3)
    assert house.memory.named("active_watchers") == []
    for contact in ("<sip:bob@nowhere.example>", "<sips:bob@192.0.2.7>"):
        house.subscribe(contact=contact)
        house.wait(3)
        assert house.memory.named("active_watchers") == []
    assert house.take() == []


def test_a_name_is_looked_up_and_maddr_obeyed() -> None:
    house = House()
    house.names["phone.example.org"] = ("192.0.2.44", "192.0.2.45")
    house.subscribe(contact="<sip:bob@phone.example.org>")
    assert (house.wire[-1][0].host, house.wire[-1][0].port) == ("192.0.2.44", 5060)
    house.subscribe(contact="<sip:bob@phone.example.org;maddr=192.0.2.46>")
    assert house.wire[-1][0].host == "192.0.2.46"


def test_a_strict_router() -> None:
    house = House()
    house.subscribe("Record-Route: <sip:p1@192.0.2.30>, <sip:p2@192.0.2.31;lr>")
    notify = house.take_one()
    assert notify.uri == "sip:p1@192.0.2.30"
    assert notify.all("Route") == ["<sip:p2@192.0.2.31;lr>", "<sip:bob@192.0.2.7:5070>"]
    assert house.wire[-1][0].host == "192.0.2.30"


def test_a_lost_connection_costs_one_notify_and_is_tried_again() -> None:
    house = House()
    here = ("192.0.2.7", 40_000)
    house.connections.add(here)
    house.answer = None
    house.subscribe(transport="tcp", source=here)
    lost = house.wire[-1][0]
    house.connections.clear()
    house.transactions.flow_failed(lost)
    assert [notify.cseq.number for notify in house.take()] == [1, 2]
    assert house.wire[-1][0].transport == "udp"
    house.answer_one(200)
    assert len(house.memory.named("active_watchers")) == 1


def test_a_connection_that_is_lost_again_and_again() -> None:
    house = House()
    here = ("192.0.2.7", 40_000)
    house.connections.add(here)
    house.answer = None
    house.subscribe(transport="tcp", source=here)
    for _ in range(2):
        house.transactions.flow_failed(house.wire[-1][0])
    house.wait(1)
    assert house.memory.named("active_watchers") == []


def test_a_connection_that_is_lost_now_and_then() -> None:
    house = House()
    here = ("192.0.2.7", 40_000)
    house.connections.add(here)
    house.answer = None
    house.subscribe(transport="tcp", source=here)
    for basic in ("a", "b", "c"):
        house.transactions.flow_failed(house.wire[-1][0])
        house._unanswered.pop(0)
        house.answer_one(200)
        house.publish(presence(basic))
    house.wait(1)
    assert len(house.memory.named("active_watchers")) == 1


def test_a_refresh_shows_that_a_watcher_given_up_is_there() -> None:
    house = House()
    first = house.subscribe()
    house.writer.hold = True
    house.resubscribe(first)
    (dialog,) = house.agent.dialogs.values()
    house.agent.give_up(dialog.usages[0])
    house.writer.hold = False
    house.turn()
    house.wait(1)
    house.take()
    house.publish()
    assert len(house.take()) == 1


# --- many -----------------------------------------------------------------------------------------------------------


def test_a_large_fan_out_is_sent_in_slices() -> None:
    house = House()
    for number in range(150):
        house.subscribe(contact=f"<sip:w{number}@192.0.2.7:5070>")
    house.take()
    house.answer = None
    soon: list[int] = []
    house.laters = _Counting(house, soon)
    house.publish()
    assert soon == [64, 128]
    assert len(house.take()) == 150


class _Counting(list):  # type: ignore[type-arg]
    """Notes how many NOTIFYs had been sent whenever something was put off."""

    def __init__(self, house: House, seen: list[int]) -> None:
        super().__init__()
        self.house, self.seen = house, seen

    def append(self, item: object) -> None:
        self.seen.append(len(self.house.notifies))
        super().append(item)


def test_a_change_during_a_fan_out_is_told_once() -> None:
    house = House()
    for number in range(100):
        house.subscribe(contact=f"<sip:w{number}@192.0.2.7:5070>")
    house.take()
    house.writer.hold = True
    house.publish(presence("open", "a"))
    house.publish(presence("open", "b"))
    house.writer.commit()
    house.writer.hold = False
    house.turn()
    last: dict[str, bytes] = {notify.call_id: notify.body for notify in house.take()}
    assert len(last) == 100
    assert all(b'"a"' in body and b'"b"' in body for body in last.values())


# --- CSeqs ----------------------------------------------------------------------------------------------------------


def changes(house: House, count: int) -> list[int]:
    tag = None
    for number in range(count):
        tag = house.publish(presence(f"v{number}"), etag=tag)["SIP-ETag"]
    return [notify.cseq.number for notify in house.take()]


def test_d44_the_database_always_knows_of_more_cseqs_than_were_used() -> None:
    house = House()
    house.subscribe()
    assert changes(house, 64) == list(range(1, 66))
    assert house.memory.named("active_watchers")[0]["local_cseq"] == 256
    changes(house, 128)
    assert house.memory.named("active_watchers")[0]["local_cseq"] == 384


def test_without_a_block_nothing_is_sent() -> None:
    house = House()
    house.subscribe()
    house.take()
    (dialog,) = house.agent.dialogs.values()
    dialog.cseq = dialog.limit = dialog.reserved
    house.publish()
    assert house.take_one().cseq.number == 129
    dialog.cseq = dialog.limit = dialog.reserved
    house.writer.hold = True
    house.publish(presence(id_="x"))
    house.writer.commit(1)
    house.writer.failing = Unavailable("locked")
    house.writer.commit()
    assert house.take() == []
    house.writer.failing = None
    house.writer.hold = False
    house.wait(1.2)
    assert house.take_one().cseq.number == 257
    assert house.memory.named("active_watchers")[0]["local_cseq"] >= 257


def test_our_address_is_what_we_are_known_by() -> None:
    house = House(server_address="sip:ps@presence.example.org")
    house.subscribe()
    notify = house.take_one()
    assert notify.get("Contact") == "<sip:ps@presence.example.org>"
    assert (notify.via.host, notify.via.port) == US
