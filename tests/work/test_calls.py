"""Calls that are relayed and followed leave no cycles and no timers: memory does not grow without the collector."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.modules.dialog.calls import BOB, ROUTE, Calls, accept
from tests.work.garbage import left_by

LONG = 400.0
"""Seconds after which nothing of a call is left."""

FORKING = ROUTE.replace(
    "record_route();", 'record_route(); t_on_failure("1"); append_branch("sip:carol@192.0.2.8");'
)
SCRIPT = FORKING + f'failure_route[1] {{ append_branch("{BOB}"); t_relay(); }}'


def answered(calls: Calls) -> None:
    invite = calls.invite()
    accept(invite, 180)
    accept(invite)
    calls.send("ACK", within=invite)
    accept(invite, tag="carol", which=1)
    calls.send("ACK", within=invite)
    calls.send("BYE", within=invite).relayed[0].answer(200)


def refused(calls: Calls) -> None:
    invite = calls.invite()
    for which in range(3):
        accept(invite, 486, which=which)
    calls.send("ACK", BOB, {"Via": invite.message.get("Via"), "To": invite.get("To")}, "")


def taken_back(calls: Calls) -> None:
    invite = calls.invite()
    accept(invite, 180)
    calls.send("CANCEL", BOB, {"Via": invite.message.get("Via"), "Call-ID": invite.message.get("Call-ID")})
    accept(invite, 487)


def silent(calls: Calls) -> None:
    calls.invite()


def ended_from_here(calls: Calls) -> None:
    calls.call()
    calls.mi("dlg_end_dlg", *calls.dialogs[-1].name)
    for bye in calls.requests("BYE")[-2:]:
        bye.answer(200)


@pytest.mark.parametrize("life", [answered, refused, taken_back, silent, ended_from_here])
def test_nothing_is_left(life: Callable[[Calls], None]) -> None:
    with Calls("default_timeout=300", route=SCRIPT) as calls:

        def live() -> None:
            for _ in range(3):
                life(calls)
            calls.run_for(LONG)
            calls.sent.clear()
            calls._exchanges.clear()

        live()  # what is made once, and kept
        assert not left_by(live)
        assert calls.dialogs == []
        assert calls.server.transactions.servers_in_use == calls.server.transactions.clients_in_use == 0
        assert len(calls.server.wheel) == 0
