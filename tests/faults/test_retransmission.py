"""The server dies between COMMIT and 200, and the publisher sends its request again to the next life."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bench import steps
from bench.generator import Step
from tests.faults.calls import Fault
from tests.faults.scenarios import subscribed, watched
from tests.faults.trial import Trial

DIES = Fault("dies after it", meets=frozenset({"commit"}), late=True, kills=True)

COMMIT = 2
"""The place of COMMIT among the calls of a PUBLISH: after BEGIN and one statement."""

ASKED: dict[str, tuple[Callable[[Trial], None], Callable[[Trial], Step]]] = {
    "initial": (subscribed, lambda trial: steps.publish(trial.alice)),
    "refresh": (watched, lambda trial: steps.refresh(trial.alice)),
    "modify": (watched, lambda trial: steps.publish(trial.alice)),
}


@pytest.mark.parametrize("name", list(ASKED))
def test_it_is_one_publication(name: str, tmp_path: Path) -> None:
    prepare, make = ASKED[name]
    trial = Trial(tmp_path)
    with closing(trial):
        prepare(trial)
        asked = make(trial)
        trial.calls.count(DIES, COMMIT)
        assert trial.ask(asked) == [0]
        assert trial.calls.died
        trial.pass_time(1.0)
        kept = trial.kept()
        assert trial.ask(asked) == [200], "it is answered now"
        assert trial.kept() == kept
        assert len(kept["presentity"]) == 1
        assert trial.told["bob"].startswith("active ")
        assert trial.ask(steps.refresh(trial.alice)) == [200]
        trial.check()
