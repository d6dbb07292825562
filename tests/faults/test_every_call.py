"""Every call to the database fails once, in every way, in everything that a server does.

Each request is refused with 503 or fully done, never half; nobody is left without an answer while the server lives.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import steps
from bench.messages import Presentity
from openpy.modules.presence.dialog import ACTIVE
from tests.faults.calls import FAULTS, Fault
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.trial import BACK, Contents, Trial


@dataclass(frozen=True)
class Outcome:
    """What is kept, and what watchers were told; `gist` is what of it is the same where it is asked for later."""

    kept: Contents
    told: dict[str, str]
    gist: tuple[Contents, dict[str, str]]

    @classmethod
    def of(cls, trial: Trial) -> Outcome:
        """As it is now."""
        told = dict(trial.told)
        gist = {watcher: text.rstrip("0123456789") for watcher, text in told.items()}
        return cls(trial.kept(), told, (trial.kept(lately=False), gist))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", list(SCENARIOS))
def test_refused_or_done(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    kinds, before, after = _undisturbed(scenario, tmp_path)
    assert kinds or name == "fetch", "it needs no database"
    tried = 0
    for place, kind in enumerate(kinds):
        for fault in FAULTS:
            if kind in fault.meets:
                tried += 1
                trial = Trial(tmp_path, scenario.script)
                with trial.described(f"{name}: call {place} ({kind}) is {fault.name}"), closing(trial):
                    _disturbed(trial, scenario, (place, fault), before, after)
    print(f"{name}: {len(kinds)} calls, {tried} faults")


def _undisturbed(scenario: Scenario, folder: Path) -> tuple[list[str], Outcome, Outcome]:
    """The kinds of calls that it takes, and what is so before it and after it."""
    trial = Trial(folder, scenario.script)
    with closing(trial):
        scenario.prepare(trial)
        before = Outcome.of(trial)
        trial.calls.count()
        if scenario.ask is not None:
            assert trial.ask(scenario.ask(trial)) == [200]
        elif scenario.let is not None:
            scenario.let(trial)
        trial.pass_time(scenario.seconds)
        kinds = list(trial.calls.made)
        trial.pass_time(0.5)
        trial.check()
        return kinds, before, Outcome.of(trial)


def _disturbed(
    trial: Trial, scenario: Scenario, where: tuple[int, Fault], before: Outcome, after: Outcome
) -> None:
    place, fault = where
    scenario.prepare(trial)
    trial.calls.count(fault, place)
    status = 0
    if scenario.ask is not None:
        (status,) = trial.ask(scenario.ask(trial))
    elif scenario.let is not None:
        scenario.let(trial)
    trial.pass_time(scenario.seconds)
    trial.calls.stop()
    died = trial.calls.died
    trial.pass_time(BACK if scenario.ask else scenario.patience)
    trial.check()
    found = Outcome.of(trial)
    if scenario.ask is None:
        _happened(trial, scenario, before, after)
    elif status == 503:
        assert (found.kept, found.told) == (before.kept, before.told), "it was refused"
    elif status == 0:
        assert died, "no answer"
        assert found.kept in (before.kept, after.kept), "done by half"
    else:
        assert status == 200
        assert found.kept == after.kept, "it was acknowledged"
        assert died or found.told == after.told
    if scenario.ask is not None and status == 503:
        assert trial.ask(scenario.ask(trial)) == [200], "it is served again"
        trial.pass_time(0.1)
        assert Outcome.of(trial).gist == after.gist
    _goes_on(trial)


def _happened(trial: Trial, scenario: Scenario, before: Outcome, after: Outcome) -> None:
    kept = trial.kept()
    if scenario.again or scenario.either:
        assert kept in (before.kept, after.kept), "done by half"
    if scenario.again and scenario.let is not None:
        scenario.let(trial)
        trial.pass_time(scenario.seconds)
    assert scenario.either or trial.kept(lately=False) == after.gist[0], "it did not happen"


def _goes_on(trial: Trial) -> None:
    """Another life has the same state; requests are served, and watchers told."""
    kept = trial.kept()
    trial.restart()
    trial.check()
    assert trial.kept() == kept, "a restart changes nothing"
    assert trial.ask(steps.publish(Presentity(trial.sender, "alice"))) == [200]
    trial.pass_time(0.1)
    trial.check()
    watchers = {row[0] for row in kept["active_watchers"] if row[4] == ACTIVE}
    told = {watcher for watcher in watchers if trial.told.get(watcher) == "active version 1"}
    assert told == watchers, "a watcher was not told of the next change"
