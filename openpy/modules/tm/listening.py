"""What other modules hear of the transactions of a script: acc and dialog live by it.

Rules:
1. Who listens is a function in `Listeners`; where there is none, nothing is made or called.
2. The run is that of the request: its message, flags and AVPs. It may be kept by nobody.
3. A listener that fails is reported, and changes nothing.
4. A 2xx to an INVITE goes up once what `Delays` give for it is done; replies behind it keep their order.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.sip.message import Response
from openpy.transaction.flow import Flow


class Happening(Enum):
    """What has happened to a request."""

    BEGUN = auto()
    """The script has begun a transaction, by t_newtran or by relaying: both, where it does both."""
    REPLIED = auto()
    """A reply goes up: one that came, or one of tm or the script. Provisional ones too."""
    FAILED = auto()
    """All branches have failed; the failure_route has not run yet."""
    GIVEN_UP = auto()
    """Nobody has answered a request that is no INVITE, and nobody is told: no reply goes up (RFC 4320 4.2)."""
    ACKNOWLEDGED = auto()
    """An ACK to a 2xx is passed on; the run is that of the ACK."""


class Outcome(NamedTuple):
    """The reply that it is about; `response` is None where it was made here."""

    status: int
    reason: str
    to_tag: str
    response: Response | None = None


Listener = Callable[[Happening, Run, Outcome], None]
Listeners = list[Listener]

NOTHING_YET = Outcome(0, "", "")
"""The outcome of what has just begun."""

Delay = Callable[[Run, Response, Flow], Wait[None] | None]
"""What a 2xx to an INVITE, which came by a flow, waits for before it goes up; None: nothing."""
Delays = list[Delay]


def outcome_of(response: Response) -> Outcome:
    """The outcome that a reply is; its To was read when it came."""
    return Outcome(response.status, response.reason, response.to.tag, response)


def tell(listeners: Listeners, what: Happening, run: Run, outcome: Outcome) -> None:
    """Call each."""
    for listener in listeners:
        try:
            listener(what, run, outcome)
        except Exception as error:  # noqa: BLE001 - rule 3
            run.server.report(error)


async def delayed(delays: Delays, run: Run, response: Response, flow: Flow) -> None:
    """Wait for each."""
    for delay in delays:
        try:
            wait = delay(run, response, flow)
            if wait is not None:
                await wait
        except Exception as error:  # noqa: BLE001 - rule 3
            run.server.report(error)
