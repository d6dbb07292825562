from __future__ import annotations

import pytest

from openpy.script.addresses import is_in, networks_of


@pytest.mark.parametrize(
    ("network", "address", "inside"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/255.0.0.0", "10.1.2.3", True),
        ("10.9.9.9/8", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.0.0.0/8", "10.1.2.3", False),
        ("[::1]", "::1", True),
        ("::1", "[::1]", True),
        ("[2001:db8::]/32", "2001:db8::5", True),
        ("2001:db8::/32", "10.1.2.3", False),
        ("10.0.0.0/8", "host", -1),
        ("10.0.0.0/8", None, -1),
    ],
)
def test_networks(network: str, address: str | None, inside: object) -> None:
    assert is_in(networks_of([network]))(address) == inside


def test_other_texts_are_left_out() -> None:
    assert networks_of(["example.com", "1.2.3", "10.0.0.0/8"]) == networks_of(["10.0.0.0/8"])


def test_nothing_is_in_no_network() -> None:
    assert is_in(())("10.1.2.3") is False
