"""A network that loses 1, 10 and 30 % of all datagrams both ways, doubles 10 % and reorders 20 %.

Chance is drawn from a seed, which is printed; the moments are the machine's, so a seed gives the same weather and not
quite the same run.

The long form (OPENPY_SOAK) has the timers of RFC 3261, with which a request is sent 11 times: where 30 % is lost both
ways, 0.06 % of them fail. The short form has less time and sends 20 times. A watcher whose NOTIFY failed counts as
gone, and has the state after its next refresh.
"""

from __future__ import annotations

import os

import pytest

from openpy.testing.network import Weather
from openpy.transaction.timers import TimerValues
from tests.scenarios.conftest import Launch
from tests.scenarios.database import rows
from tests.scenarios.lossy import Town, seed
from tests.scenarios.scripts import presence_script

pytestmark = pytest.mark.scenario

SOAK = bool(os.environ.get("OPENPY_SOAK"))
TIMERS = TimerValues() if SOAK else TimerValues(t1=0.1, t2=0.2, t4=0.4)
SETTINGS = "\n".join(
    f'modparam("tm", "{name}", {round(1000 * seconds)})'
    for name, seconds in (("T1_timer", TIMERS.t1), ("T2_timer", TIMERS.t2))
)
PRESENTITIES = 300 if SOAK else 80
WATCHERS = 3
PHONES = 20
ROUNDS = 20 if SOAK else 6
ACTIVITY = 120.0 if SOAK else 5.0  # seconds in which all that happens
PATIENCE = 2.5 * TIMERS.patience + 10  # seconds: two transactions, one after the other, and a slow machine

DOUBLED, REORDERED = 0.1, 0.2
MOST = 0.3
GONE = 481
FAILED = 0.001  # of the transactions, at most, where so much is lost


@pytest.mark.timeout(60 + ACTIVITY + 2 * PATIENCE)
@pytest.mark.parametrize("loss", [0.01, 0.1, MOST])
def test_every_transaction_ends_right_and_every_watcher_has_the_last_state(
    launch: Launch, loss: float
) -> None:
    server = launch(presence_script(SETTINGS))
    chosen = seed()
    weather = Weather(delay=0.005, loss=loss, doubled=DOUBLED, reordered=REORDERED)
    with Town(server.address, chosen, weather, TIMERS) as town:
        town.settle(PRESENTITIES, WATCHERS, PHONES)
        town.act(ROUNDS, ACTIVITY)
        town.live(ACTIVITY)
        town.live(PATIENCE, lambda: town.at_rest and not town.uninformed())
        if loss == MOST and town.uninformed():
            town.refresh()
            town.live(PATIENCE, lambda: town.at_rest and not town.uninformed())
        told = server.statistics()
        notifies, failed = told["presence:notifies_sent"], told.get("presence:notifies_failed", 0)
        ends, uninformed = town.ends, town.uninformed()
        wrong = {status: count for status, count in ends.items() if status not in (200, GONE)}
        print(
            f"seed {chosen}, loss {loss}: {dict(ends)}; {failed} of {notifies} NOTIFYs failed; {uninformed}"
        )
        assert town.at_rest
        assert sum(ends.values()) > PRESENTITIES * (WATCHERS + ROUNDS / 2)
        allowed = FAILED if loss == MOST else 0
        assert sum(wrong.values()) <= allowed * sum(ends.values())
        assert failed <= allowed * notifies
        assert ends[GONE] <= failed  # the right answer to a watcher that counts as gone
        assert uninformed == []
        assert (
            rows(server, "SELECT username, count(*) FROM presentity GROUP BY username HAVING count(*) > 1")
            == []
        )
        published = rows(server, "SELECT username, body FROM presentity")
        last = {f"user{each.number}": f"v{each.number}.{each.version}".encode() for each in town.publishers}
        assert {name for name, body in published if last[name] + b"<" in bytes(body)} == set(last)
        watching = rows(server, "SELECT watcher_username, watcher_domain FROM active_watchers")
        assert sorted(f"sip:{user}@{domain}" for user, domain in watching) == sorted(
            watcher.name for watcher in town.watchers
        )
