"""NOTIFY: what becomes of it, and of the subscription when it fails."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import subscriptions
from tests.scenarios.scripts import QUICK, presence_script
from tests.scenarios.wire import Phone, ServerProcess, SipMessage, Subscription, pidf

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def server(launch_shared: Launch) -> ServerProcess:
    return launch_shared(presence_script(QUICK))


def gone(server: ServerProcess, uri: str, patience: float = 3.0) -> bool:
    """Whether the subscriptions to a presentity go away, rows and all."""
    deadline = time.monotonic() + patience
    while subscriptions(server, uri):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("status", [481, 404, 489, 603])
def test_refused_notify(phone: Phone, watcher: Phone, server: ServerProcess, uri: str, status: int) -> None:
    """EVT-32, EVT-34; 603 is not among the codes that end a subscription."""
    dialog, _ = watcher.subscribe(uri)
    watcher.notify(dialog, answer=status)
    if status == 603:
        assert not gone(server, uri, 1.2)
        assert watcher.subscribe(uri, dialog=dialog)[1].status == 200
        return
    assert gone(server, uri)
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 481
    phone.publish(uri, pidf(uri))
    assert watcher.nothing_more(0.2)


def test_retry_after_keeps_the_subscription(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    """EVT-35, D19."""
    dialog, _ = watcher.subscribe(uri)
    told = watcher.notify(dialog, answer=0)
    watcher.answer(told, 480, "Busy", ["Retry-After: 2"])
    assert not gone(server, uri, 1.2)
    phone.publish(uri, pidf(uri, note="next"))
    assert b"next" in watcher.notify(dialog).body


def test_notify_without_answer_ends_the_subscription(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    """EVT-33: Timer E retransmits, Timer F (64 times T1) gives up."""
    dialog, _ = watcher.subscribe(uri)
    since = time.monotonic()
    first = watcher.notify(dialog, answer=0)
    assert gone(server, uri, 8)
    assert 3.1 < time.monotonic() - since < 5.5
    repeated = drain(watcher)
    assert len(repeated) >= 8
    assert {message.raw for message in repeated} == {first.raw}
    assert watcher.subscribe(uri, dialog=dialog)[1].status == 481
    phone.publish(uri, pidf(uri))
    assert watcher.nothing_more(0.2)


def test_a_watcher_that_is_away_keeps_nobody_waiting(phone: Phone, watcher: Phone, uri: str) -> None:
    with Phone(watcher.server, "carol") as away:
        away.subscribe(uri)
        dialog, _ = watcher.watch(uri)
        for note in ("one", "two", "three"):
            since = time.monotonic()
            phone.publish(uri, pidf(uri, note=note))
            assert note.encode() in watcher.notify(dialog).body
            assert time.monotonic() - since < 1


def test_one_notify_at_a_time_and_the_newest_state_wins(phone: Phone, watcher: Phone, uri: str) -> None:
    dialog, _ = watcher.watch(uri)
    etag = phone.publish(uri, pidf(uri, note="n0")).get("SIP-ETag")
    pending = watcher.notify(dialog, answer=0)
    for number in range(1, 6):
        etag = phone.publish(uri, pidf(uri, note=f"n{number}"), etag=etag).get("SIP-ETag")
    assert {message.branch for message in drain(watcher)} <= {pending.branch}
    watcher.answer(pending)
    told = next_of(watcher, dialog, pending)
    assert b"<note>n5</note>" in told.body
    assert told.cseq == pending.cseq + 1
    watcher.answer(told)
    assert {message.branch for message in drain(watcher)} <= {pending.branch, told.branch}


def test_forged_answers_are_worth_nothing(
    phone: Phone, watcher: Phone, server: ServerProcess, uri: str
) -> None:
    """An answer counts only with the branch of the NOTIFY, which nobody can guess."""
    dialog, _ = watcher.subscribe(uri)
    told = watcher.notify(dialog, answer=0)
    prefix, _, number = told.branch.rpartition(".")
    forged = parse_with_branch(told, f"{prefix[:-4]}ffff.{number}")
    for _ in range(3):
        phone.answer(forged, 481, "Gone")
    watcher.answer(told)
    assert not gone(server, uri, 1.2)


def test_many_watchers_are_all_told(phone: Phone, watcher: Phone, uri: str) -> None:
    dialogs = {}
    for _ in range(200):
        dialog, _ = watcher.watch(uri)
        dialogs[dialog.call_id] = dialog
    phone.publish(uri, pidf(uri, note="to-all"))
    told: set[str] = set()
    deadline = time.monotonic() + 10
    while len(told) < len(dialogs) and time.monotonic() < deadline:
        message = watcher.await_message(lambda m: m.method == "NOTIFY")
        watcher.answer(message)
        if b"to-all" in message.body:
            told.add(message.get("Call-ID"))
    assert told == set(dialogs)


def drain(phone: Phone, seconds: float = 0.3) -> list[SipMessage]:
    """What has come and what comes for a while."""
    messages, phone.waiting = phone.waiting, []
    while (message := phone.receive(seconds)) is not None:
        messages.append(message)
    return messages


def next_of(phone: Phone, dialog: Subscription, before: SipMessage) -> SipMessage:
    """The next NOTIFY of a dialog that is no retransmission of the one before."""
    return phone.await_message(lambda m: m.get("Call-ID") == dialog.call_id and m.branch != before.branch)


def parse_with_branch(message: SipMessage, branch: str) -> SipMessage:
    headers = [(name, value.replace(message.branch, branch)) for name, value in message.headers]
    return SipMessage(message.start, headers, message.body, message.address)
