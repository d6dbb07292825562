from __future__ import annotations

import pytest

from openpy.transaction.machines import State
from openpy.transaction.timers import TimerValues
from tests.transaction.playbook import BRANCH, Playbook, request, response


def play(text: str, transport: str = "udp") -> Playbook:
    playbook = Playbook(transport)
    playbook.play(text)
    return playbook


def test_non_invite_without_answer_is_repeated_by_timer_e_until_timer_f() -> None:
    playbook = play("""
        0    - send OPTIONS
        0    > OPTIONS
        0.5  > OPTIONS
        1.5  > OPTIONS
        3.5  > OPTIONS
        7.5  > OPTIONS
        11.5 > OPTIONS
        15.5 > OPTIONS
        19.5 > OPTIONS
        23.5 > OPTIONS
        27.5 > OPTIONS
        31.5 > OPTIONS
        32   = timeout
        32   = gone
    """)
    assert playbook.layer.counts.timeouts == 1
    assert playbook.layer.counts.retransmissions_sent == 10


def test_non_invite_after_a_provisional_is_repeated_every_t2() -> None:
    play("""
        0   - send OPTIONS
        0   > OPTIONS
        0.2 < 100 OPTIONS
        0.2 = 100 OPTIONS
        0.5 > OPTIONS
        4.5 > OPTIONS
        8.5 > OPTIONS
        9   < 183 OPTIONS
        9   = 183 OPTIONS
        10  < 200 OPTIONS
        10  = 200 OPTIONS
        11  < 200 OPTIONS
        12  < 100 OPTIONS
        15  = gone
        16  < 200 OPTIONS
        16  = stray
    """)


def test_non_invite_times_out_after_a_provisional_too() -> None:
    playbook = Playbook("tcp")
    playbook.play("""
        0   - send OPTIONS
        0   > OPTIONS
        0.2 < 100 OPTIONS
        0.2 = 100 OPTIONS
        32  = timeout
        32  = gone
    """)


def test_non_invite_over_tcp_is_never_repeated_and_ends_at_once() -> None:
    play(
        """
        0   - send OPTIONS
        0   > OPTIONS
        9   < 404 OPTIONS
        9   = 404 OPTIONS
        9.1 = gone
        """,
        "tcp",
    )


def test_invite_without_answer_is_repeated_by_timer_a_until_timer_b() -> None:
    play("""
        0    - send INVITE
        0    > INVITE
        0.5  > INVITE
        1.5  > INVITE
        3.5  > INVITE
        7.5  > INVITE
        15.5 > INVITE
        31.5 > INVITE
        32   = timeout
        32   = gone
    """)


def test_invite_over_tcp_times_out() -> None:
    play(
        """
        0    - send INVITE
        0    > INVITE
        32   = timeout
        32   = gone
        """,
        "tcp",
    )


def test_failed_invite_is_acknowledged_each_time_for_32_seconds() -> None:
    play("""
        0   - send INVITE
        0   > INVITE
        0.1 < 100 INVITE
        0.1 = 100 INVITE
        0.2 < 180 INVITE
        0.2 = 180 INVITE
        5   < 486 INVITE
        5   > ACK
        5   = 486 INVITE
        6   < 486 INVITE
        6   > ACK
        7   < 200 INVITE
        36  < 486 INVITE
        36  > ACK
        37  = gone
    """)


def test_failed_invite_without_a_provisional() -> None:
    play(
        """
        0   - send INVITE
        0   > INVITE
        5   < 503 INVITE
        5   > ACK
        5   = 503 INVITE
        5.1 = gone
        """,
        "tcp",
    )


def test_accepted_invite_passes_every_2xx_until_timer_m() -> None:
    play("""
        0    - send INVITE
        0    > INVITE
        0.3  < 200 INVITE
        0.3  = 200 INVITE
        0.8  < 200 INVITE
        0.8  = 200 INVITE
        2    < 486 INVITE
        3    < 180 INVITE
        32   < 200 INVITE
        32   = 200 INVITE
        32.3 = gone
    """)


def test_accepted_after_a_provisional() -> None:
    play("""
        0    - send INVITE
        0    > INVITE
        0.3  < 180 INVITE
        0.3  = 180 INVITE
        1    < 200 INVITE
        1    = 200 INVITE
        33   = gone
    """)


def test_cancel_after_a_provisional_leaves_at_once() -> None:
    play("""
        0   - send INVITE
        0   > INVITE
        0.1 < 180 INVITE
        0.1 = 180 INVITE
        2   - cancel
        2   > CANCEL
        2.1 < 200 CANCEL
        2.2 < 487 INVITE
        2.2 > ACK
        2.2 = 487 INVITE
        2.3 - cancel
        34.2 = gone
    """)


def test_cancel_waits_for_the_first_provisional() -> None:
    play("""
        0   - send INVITE
        0   > INVITE
        0.1 - cancel
        0.2 - cancel
        0.3 < 100 INVITE
        0.3 > CANCEL
        0.3 = 100 INVITE
        0.8 > CANCEL
        1   < 200 CANCEL
        1.2 < 200 INVITE
        1.2 = 200 INVITE
        33.2 = gone
    """)


def test_cancelled_invite_without_a_final_reply_ends_after_32_seconds() -> None:
    play(
        """
        0   - send INVITE
        0   > INVITE
        0.3 < 180 INVITE
        0.3 = 180 INVITE
        1   - cancel
        1   > CANCEL
        33  = timeout
        33  = gone
        """,
        "tcp",
    )


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_lost_connection_is_told_before_a_final_reply(method: str) -> None:
    play(
        f"""
        0   - send {method}
        0   > {method}
        0.1 - lose connection
        0.1 = transport error
        0.1 = gone
        """,
        "tcp",
    )
    play(
        f"""
        0   - send {method}
        0   > {method}
        0.1 < 183 {method}
        0.1 = 183 {method}
        0.2 - lose connection
        0.2 = transport error
        0.2 = gone
        """,
        "tcp",
    )


def test_lost_connection_after_the_final_reply_is_nothing() -> None:
    play(
        """
        0   - send OPTIONS
        0   > OPTIONS
        1   < 200 OPTIONS
        1   = 200 OPTIONS
        1   - lose connection
        1.1 = gone
        2   - lose connection
        """,
        "tcp",
    )


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_dropped_transaction_says_nothing_more(method: str) -> None:
    play(f"""
        0   - send {method}
        0   > {method}
        0.1 - drop it
        0.1 = gone
        0.2 < 200 {method}
        0.2 = stray
    """)
    play(f"""
        0   - send {method}
        0   > {method}
        0.1 < 183 {method}
        0.1 = 183 {method}
        0.2 - drop it
        0.2 = gone
    """)


def test_timeout_of_its_own() -> None:
    playbook = Playbook()
    data = request("OPTIONS").raw
    playbook.client = playbook.layer.create_client(
        data, BRANCH, "OPTIONS", playbook.flow, playbook, timeout=2.0
    )
    playbook.run_to(100)
    assert playbook.log == ["0 > OPTIONS", "0.5 > OPTIONS", "1.5 > OPTIONS", "2 = timeout", "2 = gone"]


def test_timer_values_may_be_others() -> None:
    playbook = Playbook(timers=TimerValues(t1=0.2, t2=0.3, give_up=1.0))
    playbook.play("""
        0   - send OPTIONS
        0   > OPTIONS
        0.2 > OPTIONS
        0.5 > OPTIONS
        0.8 > OPTIONS
        1   = timeout
        1   = gone
    """)


def test_what_a_transaction_says_of_itself() -> None:
    playbook = Playbook()
    client = playbook.layer.create_client(request("INVITE").raw, BRANCH, "INVITE", playbook.flow, playbook)
    assert (client.branch, client.is_invite, client.state) == (BRANCH, True, State.CALLING)
    client.receive(response(404, "INVITE"))
    assert client.data.startswith(b"ACK sip:bob@example.com SIP/2.0\r\n")
    assert b"To: <sip:bob@example.com>;tag=b1\r\n" in client.data
    options = playbook.layer.create_client(request("OPTIONS").raw, BRANCH, "OPTIONS", playbook.flow, playbook)
    assert not options.is_invite
    options.cancel()
    assert options.state is State.TRYING


def test_cancel_sent_by_hand_is_not_sent_again() -> None:
    playbook = Playbook()
    invite = playbook.layer.create_client(request("INVITE").raw, BRANCH, "INVITE", playbook.flow, playbook)
    invite.receive(response(180, "INVITE"))
    playbook.layer.create_client(request("CANCEL").raw, BRANCH, "CANCEL", playbook.flow, playbook)
    invite.cancel()
    playbook.run_to(0.4)
    assert [line for line in playbook.log if ">" in line] == ["0 > INVITE", "0 > CANCEL"]
