"""Any order of events keeps the rules of RFC 3261 16 and 17, RFC 4320 and RFC 6026."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.any_order import FORKED, LateBench, Plan, Step, play

TARGET = st.sampled_from(("udp", "udp", "udp", "tcp", "tcp", "name", "tcpname", "slow", "slowtcp", "nowhere"))
ROUND = st.lists(TARGET, min_size=1, max_size=FORKED).map(tuple)
PLANS = st.builds(
    Plan,
    method=st.sampled_from(("INVITE", "INVITE", "MESSAGE")),
    transport=st.sampled_from(("udp", "udp", "tcp")),
    rounds=st.lists(ROUND, min_size=1, max_size=3).map(tuple),
    before=st.sampled_from(("", "", "wait", "newtran")),
    after=st.sampled_from(("", "", "", "", "reply", "wait", "again", "later")),
    reply=st.sampled_from(("", "", "plain", "wait", "drop")),
    branch=st.sampled_from(("", "", "plain", "wait")),
    failure=st.sampled_from(("", "relay", "relay", "wait", "both", "reply")),
)
NUMBER = st.integers(0, 5)
STATUS = st.one_of(
    st.sampled_from((100, 180, 180, 183, 200, 200, 302, 401, 404, 407, 408, 486, 487, 500, 503, 503, 603)),
    st.integers(100, 699),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reply"), NUMBER, STATUS),
        st.tuples(st.just("reply"), NUMBER, STATUS),
        st.tuples(st.just("reply"), NUMBER, STATUS, st.sampled_from(("b", "c"))),
        st.tuples(st.just("bare"), NUMBER, st.sampled_from((180, 404, 500, 603))),
        st.tuples(st.just("again"), NUMBER),
        st.tuples(st.just("reply_to_cancel"), NUMBER, st.sampled_from((200, 481))),
        st.tuples(st.just("cancel")),
        st.tuples(st.just("repeat")),
        st.tuples(st.just("ack")),
        st.tuples(st.just("lose"), NUMBER),
        st.tuples(st.just("connect"), NUMBER, st.booleans()),
        st.tuples(st.just("connect"), NUMBER, st.just(True)),
        st.tuples(st.just("find"), NUMBER, st.booleans()),
        st.tuples(st.just("go_on"), NUMBER),
        st.tuples(
            st.just("wait"), st.sampled_from((0.1, 0.3, 0.6, 1.0, 3.1, 5.1, 8.0, 9.5, 31.0, 33.0, 70.0))
        ),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateBench]:
    with LateBench(tmp_path_factory.mktemp("order")) as bench:
        yield bench


@settings(max_examples=1500)
@given(plan=PLANS, steps=STEPS)
def test_any_order(bench: LateBench, plan: Plan, steps: list[Step]) -> None:
    play(bench, plan, steps)


# --- what was found so ------------------------------------------------------------------------------------------------


def test_what_one_target_answers_is_not_lost_in_the_silence_of_another(bench: LateBench) -> None:
    """Nobody is told of silence after a request that is no INVITE (RFC 4320 4.2), so it is the worst of the answers."""
    ended = play(bench, Plan("MESSAGE", rounds=(("udp", "udp"),)), [("reply", 0, 486)])
    assert ended.finals == [486]


def test_a_request_that_nobody_answered_is_not_forwarded_again_when_it_is_repeated(bench: LateBench) -> None:
    ended = play(bench, Plan("MESSAGE"), [("wait", 5.1), ("repeat",)])
    assert (ended.finals, len(ended.seen)) == ([], 1)


@pytest.mark.parametrize("status", [180, 200, 486])
@pytest.mark.parametrize(("failure", "goes_up"), [("", 408), ("relay", 487)])
def test_a_reply_of_a_branch_that_was_given_up_goes_nowhere(
    bench: LateBench, failure: str, goes_up: int, status: int
) -> None:
    """RFC 6026 6: the caller has had its 408, or is being helped by the failure_route."""
    plan = Plan(rounds=(("udp",), ("udp",)), failure=failure)
    ended = play(
        bench, plan, [("wait", 5.1), ("ack",), ("reply", 0, status), ("wait", 1.0), ("reply", 1, 487)]
    )
    assert ended.finals == [goes_up]


def test_a_round_of_which_nothing_could_be_sent_leaves_the_one_before(bench: LateBench) -> None:
    """Two routes add to it at once: the failure_route, and the main route behind its t_relay."""
    plan = Plan(rounds=(("udp", "tcp"), ("tcp",)), after="again", branch="wait", failure="relay")
    assert play(bench, plan, []).finals == [408]


def test_what_is_relayed_when_its_transaction_is_over_is_told_to_nobody(bench: LateBench) -> None:
    plan = Plan("MESSAGE", "tcp", rounds=(("udp",), ("udp",)), after="later")
    ended = play(bench, plan, [("wait", 5.1), ("wait", 1.0), ("go_on", 0), ("reply", 1, 200)])
    assert (ended.finals, len(ended.seen)) == ([], 2)
