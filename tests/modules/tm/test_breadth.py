from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.tm.breadth import UNSAID, shares_of
from openpy.sip.message import Request, parse_message
from tests.engine.kit import Bench, request
from tests.modules.tm.forking import Call, branches

WHOLE = 59
"""What may be shared out of the 60 of a request that says nothing."""


def shares(*headers: str, taken: int = 0, targets: int) -> list[int]:
    message = parse_message(request("INVITE", "sip:bob@example.com", *headers))
    assert isinstance(message, Request)
    return shares_of(message, taken, targets)


@pytest.mark.parametrize(
    ("headers", "breadth"),
    [
        ((), WHOLE),
        (("Max-Breadth: 9",), 8),
        (("max-breadth: 0",), 0),
        (("Max-Breadth: many",), WHOLE),
        (("Max-Breadth: -1",), WHOLE),
        (("Max-Breadth:",), WHOLE),
    ],
)
def test_what_a_request_says(headers: tuple[str, ...], breadth: int) -> None:
    assert sum(shares(*headers, targets=2)) == breadth


@pytest.mark.parametrize(
    ("breadth", "taken", "targets", "expected"),
    [
        (60, 0, 1, [59]),
        (60, 0, 7, [9, 9, 9, 8, 8, 8, 8]),
        (2, 0, 3, [1, 1]),
        (3, 0, 3, [1, 1, 1]),
        (4, 0, 3, [1, 1, 1]),
        (5, 0, 3, [2, 1, 1]),
        (1, 0, 1, [1]),
        (0, 0, 3, []),
        (9, 0, 0, []),
        (60, 59, 2, [1]),
        (60, 60, 1, []),
        (60, 61, 1, []),
        (60, 1, 1, [58]),
    ],
)
def test_the_shares(breadth: int, taken: int, targets: int, expected: list[int]) -> None:
    assert shares(f"Max-Breadth: {breadth}", taken=taken, targets=targets) == expected
    assert sum(expected) + taken <= max(breadth, taken)


@pytest.mark.parametrize(("taken", "expected"), [(0, [UNSAID]), (1, [58])])
def test_a_request_with_one_target_that_says_nothing_stays_as_it_is(taken: int, expected: list[int]) -> None:
    assert shares(taken=taken, targets=1) == expected


@pytest.mark.parametrize(
    ("phones", "headers", "sent"),
    [
        ((1,), (), [[]]),
        ((1,), ("Max-Breadth: 9",), [["8"]]),
        ((1,), ("Max-Breadth: 1",), [["1"]]),
        ((1, 2), (), [["30"], ["29"]]),
        ((1, 2, 3), ("Max-Breadth: 2", "Max-Breadth: 9"), [["1"], ["1"]]),
    ],
)
def test_who_forks_shares_out(
    tmp_path: Path, phones: tuple[int, ...], headers: tuple[str, ...], sent: list[list[str]]
) -> None:
    with Bench(tmp_path, f"{branches(*phones)} t_relay();") as bench:
        _, *invites = bench.receive(request("INVITE", "sip:bob@example.com", *headers))
        assert [invite.all("Max-Breadth") for invite in invites] == sent


AGAIN = 't_relay(); $ru = "sip:bob@192.0.2.13"; $var(code) = t_relay(); xlog("$var(code)");'


@pytest.mark.parametrize(
    ("phones", "headers", "sent"),
    [
        ((1,), (), [[], ["58"]]),
        ((1, 2), (), [["30"], ["29"], ["1"]]),
        ((1,), ("Max-Breadth: 9",), [["8"], ["1"]]),
        ((1, 2), ("Max-Breadth: 2",), [["1"], ["1"]]),
    ],
)
def test_a_further_t_relay_has_what_the_first_has_left(
    tmp_path: Path, phones: tuple[int, ...], headers: tuple[str, ...], sent: list[list[str]]
) -> None:
    with Bench(tmp_path, f"{branches(*phones)} {AGAIN}") as bench:
        _, *invites = bench.receive(request("INVITE", "sip:bob@example.com", *headers))
        assert [invite.all("Max-Breadth") for invite in invites] == sent
        assert list(bench.printed()) == ["1"]


def test_what_has_ended_gives_its_share_back(tmp_path: Path) -> None:
    more = f"failure_route[1] {{ {branches(1, 2)} append_branch(); t_relay(); }}"
    with Call(tmp_path, f't_on_failure("1"); {branches(2, 3)} t_relay();', more=more) as call:
        assert [call.sent_to(phone)[0].get("Max-Breadth") for phone in (2, 3)] == ["30", "29"]
        call.answer(2, 404)
        call.answer(3, 404)
        assert [call.sent_to(phone)[-1].get("Max-Breadth") for phone in (2, 1)] == ["30", "29"]


@pytest.mark.parametrize(("call", "module"), [("t_relay()", "TM"), ('t_relay("0x02")', "SL")])
def test_none_is_left(tmp_path: Path, call: str, module: str) -> None:
    with Bench(tmp_path, f"if (!{call}) sl_reply_error();") as bench:
        sent = bench.receive(request("MESSAGE", "sip:bob@192.0.2.9", "Max-Breadth: 0"))
        assert [each.start for each in sent] == [f"SIP/2.0 440 Max-Breadth Exceeded (440/{module})"]
