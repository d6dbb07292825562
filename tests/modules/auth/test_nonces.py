from __future__ import annotations

from itertools import count

import pytest

from openpy.modules.auth.nonces import Nonce, Nonces


def nonces(secret: bytes = b"secret", lifetime: int = 300) -> Nonces:
    numbers = count(1)
    return Nonces(secret, lifetime, lambda: f"{next(numbers):016x}")


def test_what_is_made_is_read() -> None:
    made = nonces()
    text = made.make(1_000_000.9, 5)
    assert made.read(text) == Nonce(1_000_300, "0000000000000001", 5)
    assert text.startswith("000f436c")  # the end, as in 1.3


def test_it_does_not_end_before_the_earliest() -> None:
    made = nonces()
    ends = [made.read(made.make(1000.0, 1, earliest)) for earliest in (0, 1300, 1301, 2000)]
    assert [nonce and nonce.end for nonce in ends] == [1300, 1300, 1301, 2000]


def test_no_two_are_alike() -> None:
    made = nonces()
    assert len({made.make(1.0, 1) for _ in range(100)}) == 100


def test_servers_that_share_a_secret_take_each_others() -> None:
    assert nonces().read(nonces().make(1.0, 1)) is not None
    assert nonces(b"other").read(nonces().make(1.0, 1)) is None


@pytest.mark.parametrize("place", [0, 7, 8, 23, 24, 25, 56])
def test_one_digit_changed_and_it_is_nobodys(place: int) -> None:
    text = nonces().make(1.0, 1)
    changed = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
    assert nonces().read(changed) is None


@pytest.mark.parametrize(
    "text",
    ["", "x", "0" * 57, "é" * 57, "0" * 100_000, "47c3cf3b" + "0" * 32, "\udcff" * 57, "\0" * 57],
)
def test_what_is_no_nonce_of_ours(text: str) -> None:
    assert nonces().read(text) is None


def test_times_beyond_what_fits() -> None:
    made = nonces(lifetime=2**31)
    nonce = made.read(made.make(4e9, 1))
    assert nonce is not None
    assert nonce.end == 0xFFFFFFFF
