"""What listeners hear of the calls of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.modules.tm.listening import Happening, Outcome
from openpy.sip.message import Response
from openpy.transaction.flow import Flow
from tests.engine.kit import answer, request
from tests.modules.tm.forking import Call, branches

Heard = tuple[str, int, str, str]


class Ears:
    """An INVITE that somebody listens to."""

    def __init__(self, folder: Path, route: str, *, more: str = "") -> None:
        self.heard: list[Heard] = []
        self.call = Call(folder, f'if (is_method("OPTIONS")) exit; {route}', more=more, method="OPTIONS")
        self.call.method = "INVITE"
        module = self.call.bench.server.module("tm")
        assert module is not None
        module.bind().listeners.append(self.hear)
        self.call.bench.receive(request("INVITE", "sip:bob@example.com"))

    def hear(self, what: Happening, run: Run, outcome: Outcome) -> None:
        assert run.request.call_id == "call-1"
        self.heard.append((what.name, outcome.status, outcome.reason, outcome.to_tag))

    @property
    def names(self) -> list[tuple[str, int]]:
        return [(name, status) for name, status, _, _ in self.heard]

    def close(self) -> None:
        self.call.bench.close()


def test_a_call_that_is_answered(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1)} t_relay();")
    ears.call.answer(1, 180, tag="t1")
    ears.call.answer(1, 200, tag="t1")
    ears.call.bench.receive(request("ACK", "sip:bob@192.0.2.11", to_tag="t1", branch="z9hG4bKack"))
    assert ears.heard == [
        ("BEGUN", 0, "", ""),
        ("REPLIED", 100, "Giving a try", ""),
        ("REPLIED", 180, "Reason", "t1"),
        ("REPLIED", 200, "Reason", "t1"),
        ("ACKNOWLEDGED", 0, "", "t1"),
    ]
    ears.close()


def test_a_call_that_fails(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1, 2)} t_relay();")
    ears.call.answer(1, 486)
    ears.call.answer(2, 404)
    assert ears.names == [("BEGUN", 0), ("REPLIED", 100), ("FAILED", 404), ("REPLIED", 404)]
    ears.close()


def test_a_call_that_nobody_answers(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1)} t_relay();", more='modparam("tm", "fr_timer", 2)')
    ears.call.bench.run_for(3)
    assert ears.names == [("BEGUN", 0), ("REPLIED", 100), ("FAILED", 408), ("REPLIED", 408)]
    tag = ears.call.last_reply.get("To").partition(";tag=")[2]
    assert tag
    assert ears.heard[-1] == ("REPLIED", 408, "Request Timeout", tag)
    ears.close()


def test_another_request_that_nobody_answers_is_given_up(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1)} t_relay();", more='modparam("tm", "fr_timer", 2)')
    ears.call.bench.receive(request("BYE", "sip:bob@example.com", to_tag="t1", branch="z9hG4bKbye"))
    ears.call.bench.run_for(3)
    assert ("GIVEN_UP", 408, "Request Timeout", "t1") in ears.heard
    ears.close()


def test_each_callee_that_answers_is_told_once(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1, 2)} t_relay();")
    ears.call.answer(2, 180, tag="t2")
    for _ in range(2):
        ears.call.answer(1, 200, tag="t1")
        ears.call.answer(2, 200, tag="t2")
    assert [tag for name, status, _, tag in ears.heard if (name, status) == ("REPLIED", 200)] == ["t1", "t2"]
    for number in range(20):
        ears.call.answer(2, 200, tag=f"made-up-{number}")
    assert ears.names.count(("REPLIED", 200)) == 12
    ears.close()


def test_an_answer_behind_a_failure_is_told(tmp_path: Path) -> None:
    ears = Ears(tmp_path, f"{branches(1)} t_relay();")
    ears.call.bench.receive(request("CANCEL", "sip:bob@example.com"))
    ears.call.answer(1, 200, tag="t1")
    assert [status for name, status, _, _ in ears.heard if name == "REPLIED"] == [100, 200, 487, 200]
    ears.close()


def test_a_failure_route_answers(tmp_path: Path) -> None:
    more = 'failure_route[1] { t_reply("480", "Later"); }'
    ears = Ears(tmp_path, f't_on_failure("1"); {branches(1)} t_relay();', more=more)
    ears.call.answer(1, 486)
    assert ears.names == [("BEGUN", 0), ("REPLIED", 100), ("FAILED", 486), ("REPLIED", 480)]
    ears.close()


@pytest.mark.parametrize(
    ("route", "count"),
    [("t_newtran();", 1), ("t_newtran(); t_newtran();", 1), ("t_newtran(); t_relay();", 2)],
)
def test_a_transaction_begins(tmp_path: Path, route: str, count: int) -> None:
    ears = Ears(tmp_path, f"{branches(1)} {route}")
    assert ears.names.count(("BEGUN", 0)) == count
    ears.close()


def test_of_a_copy_nothing_is_heard(tmp_path: Path) -> None:
    ears = Ears(tmp_path, 't_replicate("sip:192.0.2.11");')
    ears.call.answer(1, 486)
    assert ears.heard == []
    ears.close()


def test_a_listener_that_fails_is_reported(tmp_path: Path) -> None:
    with Call(tmp_path, f"{branches(1)} t_relay();") as call:
        module = call.bench.server.module("tm")
        assert module is not None

        def fail(*_: object) -> None:
            raise ValueError("deaf")

        module.bind().listeners.append(fail)
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]
        assert "ValueError: deaf" in "".join(call.bench.log)


@pytest.mark.parametrize("status", [181, 200])
def test_a_repeated_reply_is_no_news(tmp_path: Path, status: int) -> None:
    ears = Ears(tmp_path, f"{branches(1)} t_relay();")
    data = answer(ears.call.sent_to(1)[-1], status)
    ears.call.bench.receive(data)
    known = len(ears.heard)
    ears.call.bench.receive(data)
    assert len(ears.heard) - known == (1 if status < 200 else 0)
    ears.close()


# --- delays -------------------------------------------------------------------------------------------------------


class Slow:
    """A call whose 2xx wait until the test lets them go."""

    def __init__(self, folder: Path, route: str, *, more: str = "") -> None:
        self.call = Call(folder, route, more=more)
        self.asked: list[tuple[int, str]] = []
        self.waits: list[Wait[None]] = []
        module = self.call.bench.server.module("tm")
        assert module is not None
        module.bind().delays.append(self.delay)

    def delay(self, run: Run, response: Response, flow: Flow) -> Wait[None]:
        assert run.request.method == "INVITE"
        self.asked.append((response.status, flow.host))
        self.waits.append(Wait())
        return self.waits[-1]

    def go(self) -> list[str]:
        """Let the first 2xx go; what is sent then."""
        before = len(self.call.bench.sent)
        self.waits.pop(0).resolve(None)
        return [sent.start for sent in self.call.bench.sent[before:]]


@pytest.mark.parametrize("armed", ["", 't_on_reply("1");'])
def test_a_2xx_waits(tmp_path: Path, armed: str) -> None:
    more = "onreply_route[1] { ; }"
    slow = Slow(tmp_path, f"{armed} {branches(1)} t_relay();", more=more)
    assert slow.call.answer(1, 180) == ["SIP/2.0 180 Reason"]
    assert slow.call.answer(1, 200) == []
    assert slow.asked == [(200, "192.0.2.11")]
    assert slow.go() == ["SIP/2.0 200 Reason"]
    slow.call.bench.close()


def test_what_comes_behind_keeps_its_order(tmp_path: Path) -> None:
    slow = Slow(tmp_path, f"{branches(1, 2)} t_relay();")
    slow.call.answer(1, 180)
    slow.call.answer(2, 180)
    assert slow.call.answer(1, 200) == []
    assert slow.call.answer(2, 486) == ["ACK sip:bob@192.0.2.12 SIP/2.0"]
    assert slow.go() == ["SIP/2.0 200 Reason"]
    assert slow.waits == []
    slow.call.bench.close()


def test_a_cancel_meanwhile_changes_nothing(tmp_path: Path) -> None:
    slow = Slow(tmp_path, f"{branches(1)} t_relay();")
    slow.call.answer(1, 200)
    slow.call.cancel()
    assert slow.go() == ["SIP/2.0 200 Reason"]
    slow.call.bench.close()


def test_only_invites_wait_and_only_for_the_first_2xx(tmp_path: Path) -> None:
    slow = Slow(tmp_path, f"{branches(1, 2)} t_relay();")
    slow.call.answer(1, 200)
    slow.go()
    assert slow.call.answer(2, 200) == ["SIP/2.0 200 Reason"]
    slow.call.bench.receive(request("MESSAGE", "sip:bob@example.com", branch="z9hG4bKother"))
    sent = slow.call.sent_to(1, "MESSAGE")[-1]
    assert [each.start for each in slow.call.bench.receive(answer(sent, 200))] == ["SIP/2.0 200 Reason"]
    slow.call.bench.close()


def test_a_delay_that_fails_is_reported(tmp_path: Path) -> None:
    with Call(tmp_path, f"{branches(1)} t_relay();") as call:
        module = call.bench.server.module("tm")
        assert module is not None

        def fail(*_: object) -> None:
            raise ValueError("slow")

        module.bind().delays.append(fail)
        assert call.answer(1, 200) == ["SIP/2.0 200 Reason"]
        assert "ValueError: slow" in "".join(call.bench.log)
