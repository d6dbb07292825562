from __future__ import annotations

from openpy.modules.permissions.trusted import Peer, Peers, first_of, peers_of

ALICE = "sip:alice@example.com"


def peers(*rows: tuple[object, ...]) -> tuple[list[Peer], list[str]]:
    told: list[str] = []
    return list(peers_of(list(rows), told.append)), told


def test_transport_and_from() -> None:
    found, _ = peers(
        ("192.0.2.1", "udp", "^sip:alice@", "first"),
        ("192.0.2.1", "tcp", None, "second"),
        ("192.0.2.1", "UDP", None, None),
    )
    assert first_of(found, "udp", ALICE) is found[0]
    assert first_of(found, "udp", "sip:bob@x") is found[2]
    assert first_of(found, "tcp", ALICE) is found[1]
    assert first_of(found, "tls", ALICE) is None


def test_any_is_every_transport_and_other_words_are_none() -> None:
    found, told = peers(("a", "any", None, None), ("b", "none", None, None), ("c", None, None, None))
    assert [peer.source for peer in found] == ["a"]
    assert first_of(found, "wss", ALICE) is found[0]
    assert told == []


def test_expressions_are_basic_and_know_case() -> None:
    found, _ = peers(("a", "any", "^sip:+49[0-9]*@", None))
    assert first_of(found, "udp", "sip:+49301@x")
    assert not first_of(found, "udp", "sip:::49301@x")
    assert not first_of(found, "udp", "SIP:+49301@x")


def test_a_row_that_cannot_be_used_is_told_and_the_others_count() -> None:
    found, told = peers(("a", "udp", r"\(", None), ("b", "udp", None, None))
    assert [peer.source for peer in found] == ["b"]
    assert len(told) == 1
    assert told[0].startswith('the row of a with the expression "\\(" is left out: bad regular expression')


def test_sources_are_compared_as_addresses() -> None:
    kept = Peers(
        [
            (" 2001:DB8:0::1 ", "any", None, "a"),
            ("[::1]", "any", None, "b"),
            ("gw.x", "any", None, "c"),
            ("::1", "any", "\\(", "d"),
        ]
    )
    assert [peer.tag for peer in kept.at("2001:db8::1")] == ["a"]
    assert [peer.tag for peer in kept.at("::1")] == ["b"]
    assert kept.at("192.0.2.1") == []
    assert [peer.tag for peer in kept] == ["a", "b", "c"]
    assert len(kept.problems) == 1


def test_how_they_are_shown() -> None:
    found, _ = peers(("192.0.2.1", "tls", "^sip:", "gw"), ("192.0.2.2", "any", None, None))
    assert [str(peer) for peer in found] == ["<192.0.2.1, 3, ^sip:, gw>", "<192.0.2.2, 0, NULL, NULL>"]
