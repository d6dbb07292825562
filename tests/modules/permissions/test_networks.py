from __future__ import annotations

import ipaddress
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.permissions.networks import Networks


def networks(*rows: tuple[object, ...]) -> Networks:
    made = Networks(list(rows))
    assert made.problems == []
    return made


def test_groups_addresses_and_ports() -> None:
    made = networks((1, "192.0.2.1", 32, 5060), (1, "192.0.2.1", 32, 5080), (2, "192.0.2.1", 32, 0))
    assert made.has(1, "192.0.2.1", 5060)
    assert made.has(1, "192.0.2.1", 5080)
    assert not made.has(1, "192.0.2.1", 5070)
    assert not made.has(1, "192.0.2.2", 5060)
    assert made.has(2, "192.0.2.1", 9)
    assert not made.has(3, "192.0.2.1", 5060)


def test_networks_count_by_their_masks() -> None:
    made = networks((0, "10.1.2.3", 8, 0), (0, "192.0.2.128", 25, 5060), (1, "0.0.0.0", 0, 0))
    assert made.has(0, "10.200.0.1", 1)
    assert not made.has(0, "11.0.0.1", 1)
    assert made.has(0, "192.0.2.129", 5060)
    assert not made.has(0, "192.0.2.127", 5060)
    assert not made.has(0, "192.0.2.129", 5061)
    assert made.has(1, "203.0.113.9", 1)
    assert not made.has(1, "2001:db8::1", 1)


def test_ipv6() -> None:
    made = networks((0, "2001:DB8::", 32, 0), (0, "[2001:db9::1]", 128, 0))
    assert made.has(0, "2001:db8:1::9", 1)
    assert made.has(0, "[2001:db9::1]", 1)
    assert not made.has(0, "2001:db9::2", 1)


def test_what_is_no_address_is_nowhere() -> None:
    made = networks((0, "0.0.0.0", 0, 0))
    for text in ("", "example.com", "10.0.0", "10.0.0.256"):
        assert not made.has(0, text, 0)


def test_what_is_too_long_for_an_address_is_not_remembered() -> None:
    made = networks((0, "0.0.0.0", 0, 0))
    text = "10." + "0" * 60_000
    references = sys.getrefcount(text)
    assert not made.has(0, text, 0)
    assert sys.getrefcount(text) == references


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((0, "nowhere", 32, 0), "'nowhere' does not appear to be an IPv4 or IPv6 address"),
        ((0, "10.0.0.1", 33, 0), "the mask of an IPv4 address has 0 to 32 bits"),
        ((0, "10.0.0.1", -1, 0), "the mask of an IPv4 address has 0 to 32 bits"),
        ((0, "2001:db8::1", 32, 0), "there are bits beyond the mask of 32; 128 means one address"),
        (("x", "10.0.0.1", 32, 0), "invalid literal"),
        ((0, "10.0.0.1", None, 0), "int()"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_the_others_count(row: tuple[object, ...], why: str) -> None:
    made = Networks([row, (0, "192.0.2.1", 32, 0)])
    assert made.has(0, "192.0.2.1", 1)
    assert len(made.entries) == 1
    (told,) = made.problems
    assert told.startswith(f"the row ({row[0]}, {row[1]}, {row[2]}, {row[3]}) is left out: ")
    assert why in told


def test_how_they_are_shown() -> None:
    made = networks((1, "192.0.2.1", 32, 5060), (2, "10.0.0.0", 8, 0), (2, "2001:db8::1", 128, 0))
    assert [(str(entry), entry.is_host) for entry in made.entries] == [
        ("<1, 192.0.2.1, 5060>", True),
        ("<2, 10.0.0.0, 8, 0>", False),
        ("<2, 2001:db8::1, 0>", True),
    ]


@given(
    st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), min_size=1, max_size=5),
    st.ip_addresses(v=4),
)
def test_it_is_in_a_network_as_ipaddress_says(
    rows: list[tuple[ipaddress.IPv4Address, int]], asked: ipaddress.IPv4Address
) -> None:
    made = networks(*((0, str(address), mask, 0) for address, mask in rows))
    expected = any(asked in ipaddress.ip_network((address, mask), strict=False) for address, mask in rows)
    assert made.has(0, str(asked), 5060) == expected
