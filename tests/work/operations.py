"""The operations that have a budget, and what one of each costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import steps as requests
from bench.generator import Step
from bench.messages import Call, Phone, Presentity, Watcher
from tests.work.counting import Calls
from tests.work.house import AFTERMATH, EXCHANGE, House

BURST = 32
"""Requests that are sent at once."""

BURSTS = 4
"""Bursts that are counted; one more goes before them, for what is made once and kept."""

AUDIENCES = (10, 100)


@dataclass(frozen=True)
class Cost:
    """Of one operation: calls of functions in Python, and of others. Of one burst: statements and commits."""

    python: float
    builtin: float
    statements: float
    commits: float


def costs(house: House) -> dict[str, Cost]:
    """What each operation costs in a house, which may be full of others' publications and subscriptions."""
    sender = house.sender
    everybody = range(BURST * (BURSTS + 1))
    publishers = [Presentity(sender, f"publisher{number}") for number in everybody]
    watched = [Presentity(sender, f"watched{number}") for number in everybody]
    watchers = [Watcher(sender, f"watcher{number}", user) for number, user in enumerate(watched)]
    phones = [Phone(sender, f"phone{number}") for number in everybody]
    calls = [Call(sender, f"caller{number}") for number in everybody]
    found = {
        "options": _cost(house, (requests.options(sender, number) for number in everybody)),
        "publish-initial": _cost(house, map(requests.publish, publishers)),
        "publish-refresh": _cost(house, map(requests.refresh, publishers)),
        "publish-modify": _cost(house, map(requests.publish, publishers)),
        "retransmission": _cost_again(house, [requests.refresh(user) for user in publishers[:BURST]]),
        "publish-remove": _cost(house, map(requests.remove, publishers)),
        "subscribe": _cost(house, map(requests.subscribe, watchers)),
        "resubscribe": _cost(house, map(requests.subscribe, watchers)),
        "unsubscribe": _cost(house, map(requests.unsubscribe, watchers)),
        "register-save": _cost(house, map(requests.register, phones)),
        "register-refresh": _cost(house, map(requests.register, phones)),
        "invite": _cost(house, (requests.call(one, lambda _: None) for one in calls)),
        "bye": _cost(house, map(requests.hang_up, calls)),
    }
    for audience in AUDIENCES:
        star = Presentity(sender, f"star{audience}")
        house.play([requests.publish(star)])
        fans = [Watcher(sender, f"fan{audience}-{number}", star) for number in range(audience)]
        house.play([requests.subscribe(fan) for fan in fans])
        changes = (requests.publish(star) for _ in range(BURSTS + 1))
        found[f"notify-of-{audience}"] = _cost(house, changes, size=1, operations=audience)
    return found


def _cost(house: House, steps: Iterable[Step], *, size: int = BURST, operations: int = BURST) -> Cost:
    """What bursts of `size` requests cost, which make so many operations each, until their transactions are gone."""
    bursts = requests.bursts(steps, size)
    house.play(next(bursts))
    house.pass_time(AFTERMATH)
    with Calls() as idle:
        house.pass_time(BURSTS * EXCHANGE + AFTERMATH)
    calls, asked = Calls(), house.asked
    statements, commits = asked.statements, asked.commits
    for burst in bursts:
        with calls:
            house.play(burst)
    with calls:
        house.pass_time(AFTERMATH)
    return Cost(
        round((calls.python - idle.python) / (BURSTS * operations), 2),
        round((calls.builtin - idle.builtin) / (BURSTS * operations), 2),
        (asked.statements - statements) / BURSTS,
        (asked.commits - commits) / BURSTS,
    )


def _cost_again(house: House, burst: Sequence[Step]) -> Cost:
    """What requests cost that come a second time."""
    house.play(burst)
    with Calls() as idle:
        house.pass_time(EXCHANGE)
    asked = house.asked
    statements, commits = asked.statements, asked.commits
    with Calls() as calls:
        house.play([Step(step.branch, step.datagram) for step in burst])
    return Cost(
        round((calls.python - idle.python) / BURST, 2),
        round((calls.builtin - idle.builtin) / BURST, 2),
        asked.statements - statements,
        asked.commits - commits,
    )
