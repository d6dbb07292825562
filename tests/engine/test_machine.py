from __future__ import annotations

import socket

from openpy.db.threads import THREADS
from openpy.engine.machine import Machine, Tokens


def test_tokens_are_64_bits_and_never_repeat() -> None:
    tokens = Tokens()
    made = [tokens() for _ in range(600)]
    assert all(len(token) == 16 and int(token, 16) >= 0 for token in made)
    assert len(set(made)) == 600


def test_by_itself_it_is_the_system() -> None:
    machine, other = Machine(), Machine()
    assert machine.threads is THREADS
    assert machine.random.random() != other.random.random()
    with machine.datagrams(socket.AF_INET) as opened:
        assert opened.type == socket.SOCK_DGRAM
