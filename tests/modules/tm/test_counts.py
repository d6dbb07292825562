from __future__ import annotations

from openpy.engine.module import Count
from openpy.modules.tm.counts import ReplyCounts


def test_final_replies_complete_a_transaction_by_class() -> None:
    counts = ReplyCounts(Count(), Count(), Count(), [Count() for _ in range(5)])
    counts.receive()
    for status in (180, 200, 302, 699):
        counts.relay(status)
    for status in (100, 404, 408, 503):
        counts.answer(status)
    assert (counts.received.value, counts.relayed.value, counts.local.value) == (1, 4, 4)
    assert [count.value for count in counts.completed] == [1, 1, 2, 1, 1]
