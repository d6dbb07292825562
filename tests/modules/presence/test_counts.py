"""The figures that the module exports."""

from openpy.modules.presence.counts import Counts
from tests.modules.presence.kit import House


def test_they_are_the_statistics_of_the_module() -> None:
    house = House()
    house.publish()
    house.subscribe()
    counts = house.agent.counts
    assert (counts.publications.value, counts.subscriptions.value, counts.notifies_sent.value) == (1, 1, 1)
    assert house.presence.notifies_sent is counts.notifies_sent
    assert Counts().notifies_failed.value == 0
