"""What a message costs follows what it does, not how much is stored."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import pytest

from openpy.documents.xml import forget_names
from openpy.testing.world import EPOCH, START
from tests.work.house import DATABASE, PHONE, House
from tests.work.operations import Cost, costs
from tests.work.stored import store_subscriptions

FEW = 1_000
MANY = 300_000 if os.environ.get("OPENPY_SOAK") else 100_000


def costs_beside(folder: Path, stored: int) -> dict[str, Cost]:
    folder.mkdir()
    expires = START + EPOCH + 7200
    contact = f"{PHONE[0]}:{PHONE[1]}"
    store_subscriptions(folder / DATABASE, stored, expires=expires, spread=1800, contact=contact)
    house = House(folder)
    forget_names()  # done after each MiB of documents, so it would fall into one count or the other
    assert len(house.agent.dialogs) == stored
    found = costs(house)
    assert len(house.agent.dialogs) >= stored
    house.close()
    return found


@pytest.mark.timeout(120)
def test_an_operation_makes_the_same_calls_beside_many_subscriptions_as_beside_few(tmp_path: Path) -> None:
    many, few = costs_beside(tmp_path / "many", MANY), costs_beside(tmp_path / "few", FEW)
    assert many.keys() == few.keys()
    for name, cost in many.items():
        # By a call in all: timers meet in one turn of the wheel or in two.
        assert asdict(cost) == pytest.approx(asdict(few[name]), abs=0.1), name
