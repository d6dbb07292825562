from __future__ import annotations

import pytest

from openpy.engine.blacklists import (
    LIFETIME,
    REMEMBERED,
    BlacklistKind,
    DeadTargets,
    StaticBlacklist,
    Target,
    declared_blacklist,
)
from openpy.script.environment import ArgumentError, Environment
from openpy.script.parser import parse
from openpy.script.syntax import Blacklist

GATEWAY = Target("udp", "192.0.2.9", 5060)
MESSAGE = b"MESSAGE sip:bob@example.com SIP/2.0\r\n\r\nsome ugly_word in it\xff"


def blacklist(rules: str) -> StaticBlacklist:
    (declaration,) = parse(f"dst_blacklist=x:{{{rules}}}".encode(), "x").script.statements
    assert isinstance(declaration, Blacklist)
    return declared_blacklist(declaration)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('(udp, 192.0.2.9, 5060, "")', True),
        ('(any, 192.0.2.9, 5060, "")', True),
        ('(any, 192.0.2.9, 0, "")', True),
        ('(any, 192.0.2.9, any, "")', True),
        ('(any, 192.0.2.0/24, 0, "")', True),
        ('(any, 192.0.2.1/255.255.255.0, 0, "")', True),
        ('(tcp, 192.0.2.9, 5060, "")', False),
        ('(udp, 192.0.2.9, 5061, "")', False),
        ('(udp, 192.0.2.10, 5060, "")', False),
        ('(any, 2001:db8::9, 0, "")', False),
        ('!(any, 192.0.2.0/24, 0, "")', False),
        ('!(any, 198.51.100.0/24, 0, "")', True),
        ('!(tcp, 192.0.2.9, 0, "")', True),
        ('(tcp, 192.0.2.9, 0, ""), (udp, 192.0.2.9, 0, "")', True),
        ('(any, 192.0.2.9, 0, "MESSAGE*ugly_word*")', True),
        ('(any, 192.0.2.9, 0, "MESSAGE*ugly_word")', False),
        ('(any, 192.0.2.9, 0, "message*ugly_word*")', False),
        ('(any, 192.0.2.9, 0, "INVITE*")', False),
        ('!(any, 192.0.2.9, 0, "MESSAGE*")', False),
    ],
)
def test_rules(rules: str, expected: bool) -> None:
    assert blacklist(rules).forbids(GATEWAY, MESSAGE) is expected


def test_only_a_list_with_patterns_has_to_see_the_message() -> None:
    assert not blacklist('(any, 192.0.2.9, 0, "")').reads_text
    assert blacklist('(any, 192.0.2.9, 0, ""), (any, 192.0.2.10, 0, "x")').reads_text


def test_the_rules_of_a_list_have_no_end() -> None:
    (first, second) = blacklist('(any, 192.0.2.9, 0, ""), (tcp, 192.0.2.10, 0, "x")').standing()
    assert (first[0].port, first[1], second[0].pattern) == (0, 0.0, "x")


def test_a_list_is_found_by_its_name() -> None:
    found = blacklist('(any, 192.0.2.9, 0, "")')
    environment = Environment(blacklists={"gateways": found})
    assert BlacklistKind().convert("gateways", environment) is found
    with pytest.raises(ArgumentError, match='there is no blacklist "gateway"; did you mean "gateways"'):
        BlacklistKind().convert("gateway", environment)
    with pytest.raises(ArgumentError, match="add: dst_blacklist = x:"):
        BlacklistKind().convert("x", Environment())


# --- those that were found dead -------------------------------------------------------------------------------


def test_what_failed_is_forbidden_for_a_while() -> None:
    now = 5.0
    dead = DeadTargets(lambda: now)
    dead.found_by_name(GATEWAY)
    assert not dead.forbids(GATEWAY)
    dead.failed(GATEWAY)
    dead.found_by_name(GATEWAY)
    assert dead.forbids(GATEWAY)
    ((rule, left),) = dead.standing()
    assert (rule.forbids(GATEWAY, b""), left) == (True, LIFETIME)
    now += LIFETIME
    assert not dead.forbids(GATEWAY)
    assert dead.standing() == []


def test_only_what_a_name_led_to_is_remembered() -> None:
    dead = DeadTargets(lambda: 5.0)
    dead.failed(GATEWAY)
    assert not dead.forbids(GATEWAY)


def test_what_is_remembered_is_bounded() -> None:
    dead = DeadTargets(lambda: 5.0)
    dead.found_by_name(GATEWAY)
    for number in range(REMEMBERED):
        dead.found_by_name(Target("udp", "192.0.2.1", number + 1))
    dead.failed(GATEWAY)
    assert not dead.forbids(GATEWAY)
    dead.failed(Target("udp", "192.0.2.1", 1))
    assert dead.forbids(Target("udp", "192.0.2.1", 1))
