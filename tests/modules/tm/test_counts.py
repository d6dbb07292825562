from __future__ import annotations

from openpy.engine.module import Count
from openpy.modules.tm.counts import ReplyCounts


def test_final_replies_complete_a_transaction_by_class() -> None:
    counts = ReplyCounts(Count(), Count(), Count(), [Count() for _ in range(5)])
    counts.receive(180)
    for status in (180, 200, 302, 699):
        counts.relay(status)
    for status in (100, 404, 408, 503):
        counts.answer(status)
    assert (counts.received.value, counts.relayed.value, counts.local.value) == (1, 4, 4)
    assert [count.value for count in counts.completed] == [1, 1, 2, 1, 1]


def test_what_is_repeated_completes_nothing() -> None:
    completed = [Count() for _ in range(5)]
    counts = ReplyCounts(Count(), Count(), Count(), completed)
    counts.relay(200)
    counts.relay(200, is_again=True)
    assert (counts.relayed.value, completed[0].value) == (2, 1)


def test_single_statuses() -> None:
    came, sent = {404: Count()}, {200: Count(), 404: Count()}
    counts = ReplyCounts(Count(), Count(), Count(), [Count() for _ in range(5)], came, sent)
    for status in (200, 404):
        counts.receive(status)
        counts.relay(status)
    counts.answer(404)
    assert (came[404].value, sent[200].value, sent[404].value) == (1, 1, 2)
