from __future__ import annotations

import pytest

from openpy.sip.errors import LocalError
from openpy.transaction.server import ServerTransaction
from tests.transaction.playbook import Playbook, request


def play(text: str, transport: str = "udp") -> Playbook:
    playbook = Playbook(transport)
    playbook.play(text)
    return playbook


def test_final_reply_is_repeated_for_timer_j() -> None:
    playbook = play("""
        0    < OPTIONS
        0    = OPTIONS
        0.2  < OPTIONS
        0.5  - reply 200
        0.5  > 200 OPTIONS
        0.7  < OPTIONS
        0.7  > 200 OPTIONS
        32   < OPTIONS
        32   > 200 OPTIONS
        32.5 = gone
        33   < OPTIONS
        33   = OPTIONS
        33   - release
        33   = gone
    """)
    counts = playbook.layer.counts
    assert (counts.server_created, counts.retransmissions_received, counts.retransmissions_sent) == (2, 3, 2)


def test_provisional_reply_is_repeated_until_the_final_one() -> None:
    play("""
        0    < OPTIONS
        0    = OPTIONS
        0.1  - reply 183
        0.1  > 183 OPTIONS
        0.2  - reply 184
        0.2  > 184 OPTIONS
        0.3  < OPTIONS
        0.3  > 184 OPTIONS
        1    - reply 404
        1    > 404 OPTIONS
        2    - reply 200
        2    = refused
        3    < OPTIONS
        3    > 404 OPTIONS
        33   = gone
    """)


def test_provisional_then_2xx_and_failure_at_once() -> None:
    play("""
        0    < OPTIONS
        0    = OPTIONS
        0.1  - reply 100
        0.1  > 100 OPTIONS
        0.2  - reply 200
        0.2  > 200 OPTIONS
        32.2 = gone
        40   < OPTIONS
        40   = OPTIONS
        40   - reply 503
        40   > 503 OPTIONS
        72   = gone
    """)


def test_reliable_transports_forget_at_once() -> None:
    play(
        """
        0    < OPTIONS
        0    = OPTIONS
        0.2  - reply 200
        0.2  > 200 OPTIONS
        0.3  = gone
        """,
        "tcp",
    )


def test_failure_of_an_invite_is_repeated_by_timer_g_until_timer_h() -> None:
    playbook = play("""
        0    < INVITE
        0    = INVITE
        0    - reply 100
        0    > 100 INVITE
        0.3  < INVITE
        0.3  > 100 INVITE
        1    - reply 486
        1    > 486 INVITE
        1.5  > 486 INVITE
        2.5  > 486 INVITE
        4.5  > 486 INVITE
        6    < INVITE
        6    > 486 INVITE
        8.5  > 486 INVITE
        12.5 > 486 INVITE
        16.5 > 486 INVITE
        20.5 > 486 INVITE
        24.5 > 486 INVITE
        28.5 > 486 INVITE
        32.5 > 486 INVITE
        33   = gone
    """)
    assert playbook.layer.counts.timeouts == 1


def test_ack_ends_the_repetition() -> None:
    play("""
        0    < INVITE
        0    = INVITE
        0.1  < INVITE
        1    - reply 404
        1    > 404 INVITE
        1.5  > 404 INVITE
        1.6  < ACK
        1.7  < ACK
        1.8  < INVITE
        6.6  = gone
        7    < ACK
        7    = ACK
    """)


def test_failure_over_tcp_is_sent_once_and_waits_for_the_ack() -> None:
    play(
        """
        0    < INVITE
        0    = INVITE
        1    - reply 404
        1    > 404 INVITE
        3    < ACK
        3.1  = gone
        """,
        "tcp",
    )


def test_accepted_invite_absorbs_itself_and_lets_2xx_and_ack_pass() -> None:
    play("""
        0    < INVITE
        0    = INVITE
        1    - reply 200
        1    > 200 INVITE
        1.2  < INVITE
        1.5  - reply 200
        1.5  > 200 INVITE
        1.6  - reply 486
        1.6  = refused
        2    < ACK
        2    = ACK
        3    < ACK
        3    = ACK
        33   = gone
    """)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_release_before_any_reply_ends_at_once(method: str) -> None:
    play(f"""
        0    < {method}
        0    = {method}
        1    - release
        1    = gone
    """)


def test_release_after_a_provisional_absorbs_for_a_while() -> None:
    play("""
        0    < OPTIONS
        0    = OPTIONS
        1    - reply 100
        1    > 100 OPTIONS
        2    - release
        3    < OPTIONS
        3    > 100 OPTIONS
        34   = gone
    """)
    play("""
        0    < INVITE
        0    = INVITE
        1    - reply 100
        1    > 100 INVITE
        2    - release
        3    < INVITE
        7    = gone
    """)


def test_one_that_nobody_will_answer_absorbs_its_repetitions() -> None:
    playbook = Playbook()
    transaction = playbook.layer.create_server(request("OPTIONS"), playbook.flow)
    transaction.absorb()
    assert (transaction.finished, transaction.reply(200, b"")) == (True, False)
    assert playbook.layer.receive_request(request("OPTIONS"), playbook.flow) is transaction


def test_release_after_a_final_reply_changes_nothing() -> None:
    play("""
        0    < OPTIONS
        0    = OPTIONS
        1    - reply 200
        1    > 200 OPTIONS
        2    - release
        33   = gone
    """)


def test_several_hear_of_its_end_in_order() -> None:
    playbook = Playbook()
    transaction = playbook.layer.create_server(request("OPTIONS"), playbook.flow)
    heard: list[str] = []
    for name in ("first", "second", "third"):
        transaction.at_end(lambda _, name=name: heard.append(name))  # type: ignore[misc]  # mypy reads no defaults
    transaction.release()
    assert heard == ["first", "second", "third"]


class Owner:
    """A transaction user who counts."""

    heard = 0

    def over(self) -> None:
        self.heard += 1


def test_what_a_transaction_keeps() -> None:
    playbook = Playbook()
    message = request("INVITE")
    transaction = playbook.layer.create_server(message, playbook.flow)
    ended: list[ServerTransaction] = []
    transaction.on_end = ended.append
    transaction.owner = owner = Owner()
    assert transaction.request is message
    assert (transaction.is_invite, transaction.finished) == (True, False)
    transaction.reply(183, message.raw)
    assert (transaction.status, transaction.data) == (183, message.raw)
    assert transaction.request is message
    transaction.reply(200, b"SIP/2.0 200 OK\r\nVia: x\r\nCSeq: 1 INVITE\r\n\r\n")
    assert (transaction.status, transaction.finished, transaction.owner) == (200, True, owner)
    with pytest.raises(LocalError):
        _ = transaction.request
    playbook.run_to(100)
    assert ended == [transaction]
    assert (transaction.owner, owner.heard) == (None, 1)
