"""What a server is doing while its database fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import steps
from bench.generator import Step
from tests.faults.trial import RULED, Trial
from tests.modules.presence.kit import ruleset
from tests.simulation.process import SCRIPT


@dataclass(frozen=True)
class Scenario:
    """`prepare` comes before the fault; then `ask` makes a request, or `let` makes something else happen."""

    prepare: Callable[[Trial], None]
    ask: Callable[[Trial], Step] | None = None
    let: Callable[[Trial], None] | None = None
    seconds: float = 0.1
    """How long the fault may come, after the answer to what was asked."""
    patience: float = 2.5
    """Seconds after the fault in which what was not asked for happens."""
    either: bool = False
    """Whether it may happen or not."""
    again: bool = False
    """Whether who `let` it happen hears that it failed, and does it again."""
    script: str = SCRIPT


def _do(trial: Trial, *made: Step) -> None:
    for step in made:
        assert trial.ask(step) == [200], trial.world.transcript
    trial.pass_time(10.0)


def nothing(_: Trial) -> None:
    """Time passes."""


def watched(trial: Trial) -> None:
    """Alice has published, and bob watches her."""
    _do(trial, steps.publish(trial.alice), steps.subscribe(trial.bob))


def subscribed(trial: Trial) -> None:
    """Bob watches alice, who has published nothing."""
    _do(trial, steps.subscribe(trial.bob))


def restarted(trial: Trial) -> None:
    """After a restart every dialog has to reserve new CSeqs before its next NOTIFY."""
    watched(trial)
    trial.restart()


def brief(trial: Trial) -> None:
    """Alice's state, and carol's subscription, end soon."""
    _do(trial, steps.subscribe(trial.bob))
    assert trial.ask(steps.subscribe(trial.carol, 3)) == [200]
    assert trial.ask(steps.publish(trial.alice, 3)) == [200]


def left_over(trial: Trial) -> None:
    """A row that nobody knows, and that has expired long ago, shortly before a sweep."""
    trial.database.ask(
        "INSERT INTO presentity (id, username, domain, event, etag, expires, received_time, body) "
        "VALUES (999, 'nobody', 'example.org', 'unheard-of', 'e', 1, 1, 'x')"
    )
    trial.pass_time(18.0)


def ruled(trial: Trial) -> None:
    """Bob waits for alice's decision; then her rules allow him, which the server has not heard yet."""
    _do(trial, steps.publish(trial.alice))
    assert trial.ask(steps.subscribe(trial.bob)) in ([200], [202])
    assert trial.told["bob"] == "pending"
    trial.database.ask(
        "INSERT INTO xcap (id, username, domain, doc, doc_type, etag, source, doc_uri, port) "
        "VALUES (1, 'alice', 'bench.test', ?, 2, 'e', 0, 'index', 0)",
        ruleset("* allow"),
    )


def end(trial: Trial) -> None:
    """The server is told to end just after a last request."""
    trial.send(steps.refresh(trial.alice))
    trial.world.at(0.001, trial.process.terminate)


SCENARIOS = {
    "publish": Scenario(subscribed, lambda trial: steps.publish(trial.alice)),
    "refresh": Scenario(watched, lambda trial: steps.refresh(trial.alice)),
    "modify": Scenario(watched, lambda trial: steps.publish(trial.alice)),
    "remove": Scenario(watched, lambda trial: steps.remove(trial.alice)),
    "subscribe": Scenario(watched, lambda trial: steps.subscribe(trial.carol)),
    "resubscribe": Scenario(watched, lambda trial: steps.subscribe(trial.bob)),
    "unsubscribe": Scenario(watched, lambda trial: steps.unsubscribe(trial.bob)),
    "fetch": Scenario(watched, lambda trial: steps.subscribe(trial.carol, 0)),
    "reserve CSeqs": Scenario(restarted, lambda trial: steps.publish(trial.alice)),
    "rules": Scenario(ruled, let=Trial.refresh_watchers, again=True, script=RULED),
    "expiry": Scenario(brief, let=nothing, seconds=4.0),
    "sweep": Scenario(left_over, let=nothing, seconds=2.0, patience=22.0),
    "start": Scenario(watched, let=Trial.restart),
    "stop": Scenario(watched, let=end, seconds=0.15, either=True),
}
