"""What a REGISTER asks for, and what becomes of the contacts (RFC 3261 section 10.3)."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.registrar import registering
from openpy.modules.registrar.failures import Failure, Reason
from openpy.modules.registrar.registering import (
    Circumstances,
    Lifetimes,
    Registration,
    Wanted,
    decide,
    quality,
    read,
)
from openpy.modules.usrloc.api import Contacts, Rules
from openpy.sip.message import Request, parse_message
from openpy.sip.uri import Uri, parse_uri
from openpy.testing.messages import request
from tests.modules.usrloc.kit import NOW, contact

HERE = Circumstances(
    flags=1, branch_flags=64, user_agent="x", received="sip:r", path="<sip:p>", socket="udp:h:5060"
)


def message(contact_: str | list[str] | None, expires: int | str | None = 3600, **headers: Any) -> Request:
    made = parse_message(request("REGISTER", "sip:h", {"Contact": contact_, "Expires": expires, **headers}))
    assert isinstance(made, Request)
    return made


def wanted(*items: tuple[str, int]) -> tuple[Wanted, ...]:
    return tuple(Wanted(uri, lifetime, -1, 0xFFFFFFFF) for uri, lifetime in items)


def decided(
    contacts: Contacts, *items: tuple[str, int], call_id: str = "phone", cseq: int = 2, **more: Any
) -> Contacts:
    rules = more.pop("rules", Rules())
    registration = Registration(call_id, cseq, wanted(*items), **more)
    ids = count(100)
    return decide(contacts, registration, HERE, rules, NOW, lambda: next(ids), 3)


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_question() -> None:
    assert read(message(None, None), Lifetimes()).wanted == ()


def test_contacts_with_lifetimes() -> None:
    made = read(
        message(["<sip:1@h>;expires=100;q=0.5, <sip:2@h>", '<sip:3@h>;expires=0;methods="INVITE"'], 200),
        Lifetimes(),
    )
    assert made.wanted == (
        Wanted("sip:1@h", 100, 500, 0xFFFFFFFF),
        Wanted("sip:2@h", 200, -1, 0xFFFFFFFF),
        Wanted("sip:3@h", 0, -1, 1),
    )
    assert not made.removes_all


@pytest.mark.parametrize(
    ("param", "expires", "lifetime"),
    [
        ("", None, 3600),
        ("", "soon", 3600),
        ("", 0, 0),
        ("", 5, 60),
        ("", 100_000, 7200),
        (";expires=soon", 100, 3600),
        (";expires", 100, 3600),
        (';expires="120"', 100, 120),
        (";expires=99999999999999999999", 100, 7200),
        (";expires=59", 100, 60),
        (";expires=0", 100, 0),
    ],
)
def test_lifetimes(param: str, expires: int | str | None, lifetime: int) -> None:
    (item,) = read(message(f"<sip:1@h>{param}", expires), Lifetimes(longest=7200)).wanted
    assert item.lifetime == lifetime


def test_no_limits() -> None:
    (item,) = read(message("<sip:1@h>;expires=1"), Lifetimes(shortest=0)).wanted
    assert item.lifetime == 1


def test_defaults() -> None:
    (item,) = read(
        message("<sip:1@h>", None, Allow=["INVITE, ACK", "BYE"]), Lifetimes(default=900, q=300)
    ).wanted
    assert item == Wanted("sip:1@h", 900, 300, 13)


def test_star() -> None:
    made = read(message("*", 0), Lifetimes())
    assert (made.wanted, made.removes_all) == ((), True)


@pytest.mark.parametrize("expires", [None, 1, "soon"])
def test_star_removes_only(expires: int | str | None) -> None:
    with pytest.raises(Failure) as caught:
        read(message("*", expires), Lifetimes())
    assert caught.value.reason is Reason.STAR_EXPIRES


@pytest.mark.parametrize(
    ("contact_", "headers", "reason"),
    [
        ("<sip:1@h>;q=2", {}, Reason.Q),
        (f"<sip:{'x' * 255}@h>", {}, Reason.CONTACT_LENGTH),
        ("<sip:1@h>", {"Call-ID": "c" * 256}, Reason.CALL_ID_LENGTH),
        ("<sip:1@h", {}, Reason.MESSAGE),
    ],
)
def test_what_is_refused(contact_: str, headers: dict[str, str], reason: Reason) -> None:
    with pytest.raises(Failure) as caught:
        read(message(contact_, **headers), Lifetimes())
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1", 1000), ("0.5", 500), ("1.000", 1000), ("0.005", 5), (".5", 500), ("0.", 0)],
)
def test_q(text: str, value: int) -> None:
    assert quality(text) == value


@pytest.mark.parametrize("text", ["", ".", "1.001", "2", "-1", "0.1234", "0.x", "half", "0.\u0663"])
def test_what_is_no_q(text: str) -> None:
    with pytest.raises(Failure):
        quality(text)


@given(st.text(max_size=12))
def test_any_q_is_a_value_or_a_failure(text: str) -> None:
    with suppress(Failure):
        assert 0 <= quality(text) <= 1000


# --- deciding -------------------------------------------------------------------------------------------------------


def test_a_new_contact_has_all_that_is_known() -> None:
    (made,) = decided((), ("sip:1@h", 60))
    assert (made.id, made.uri, made.expires, made.cseq, made.modified) == (100, "sip:1@h", NOW + 60, 2, NOW)
    assert (made.flags, made.branch_flags, made.user_agent, made.received, made.path, made.socket) == HERE


def test_a_known_contact_keeps_its_id() -> None:
    known = contact("sip:1@h", 7, cseq=1)
    (made,) = decided((known,), ("sip:1@h", 60))
    assert (made.id, made.expires) == (7, NOW + 60)


def test_zero_removes_and_what_is_unknown_is_ignored() -> None:
    known = contact("sip:1@h", 7)
    assert decided((known,), ("sip:1@h", 0)) == ()
    assert decided((known,), ("sip:2@h", 0)) == (known,)
    assert decided((), ("sip:2@h", 0)) == ()


def test_a_retransmission_changes_nothing() -> None:
    known = (contact("sip:1@h", 7, cseq=2),)
    assert decided(known, ("sip:1@h", 60)) is known
    assert decided(known, ("sip:1@h", 0)) is known


@pytest.mark.parametrize(
    ("known_cseq", "modified", "call_id", "accepted"),
    [
        (1, NOW, "phone", True),
        (3, NOW, "phone", False),
        (2, NOW - 21, "phone", False),
        (9, NOW, "other", True),
    ],
)
def test_the_rule_of_cseq(known_cseq: int, modified: int, call_id: str, accepted: bool) -> None:
    known = (contact("sip:1@h", 7, cseq=known_cseq, modified=modified),)
    if accepted:
        assert decided(known, ("sip:1@h", 60), call_id=call_id)[0].cseq == 2
    else:
        with pytest.raises(Failure) as caught:
            decided(known, ("sip:1@h", 60), call_id=call_id)
        assert caught.value.reason is Reason.CSEQ


def test_all_or_nothing() -> None:
    """1.3 kept what came before the contact that failed."""
    known = (contact("sip:2@h", 7, cseq=9),)
    with pytest.raises(Failure):
        decided(known, ("sip:1@h", 60), ("sip:2@h", 60))
    assert len(known) == 1


def test_star_obeys_the_rule_of_cseq() -> None:
    mine, other = contact("sip:1@h", 1, cseq=1), contact("sip:2@h", 2, call_id="other", cseq=9)
    assert decided((mine, other), removes_all=True) == ()
    for cseq in (0, 1):
        with pytest.raises(Failure) as caught:
            decided((mine, other), cseq=cseq, removes_all=True)
        assert caught.value.reason is Reason.CSEQ


def test_the_number_of_contacts_is_bounded() -> None:
    three = tuple(contact(f"sip:{number}@h", number) for number in range(3))
    with pytest.raises(Failure) as caught:
        decided(three, ("sip:new@h", 60))
    assert caught.value.reason is Reason.TOO_MANY
    assert len(decided(three, ("sip:1@h", 60))) == 3
    assert len(decided(three, ("sip:new@h", 60), ("sip:1@h", 0))) == 3
    more = (*three, contact("sip:4@h", 4))
    assert len(decided(more, ("sip:1@h", 60))) == 4  # an earlier, higher limit let it in


def test_what_has_expired_does_not_count() -> None:
    gone = contact("sip:1@h", 7, expires=NOW - 1, cseq=99)
    (made,) = decided((gone,), ("sip:1@h", 60))
    assert made.id == 100
    assert decided((gone,), ("sip:2@h", 0)) == ()


def test_a_contact_named_twice_is_one() -> None:
    (made,) = decided((), ("sip:1@h", 60), ("sip:1@h", 120))
    assert made.expires == NOW + 60


@pytest.mark.parametrize("known", [(), (contact("sip:1@h", 7, cseq=1),)])
def test_a_contact_named_twice_is_no_older_request(known: Contacts) -> None:
    (made,) = decided(known, ("sip:1@h", 60), ("sip:1@H", 30), rules=Rules(cseq_delay=0))
    assert (made.uri, made.expires) == ("sip:1@h", NOW + 60)


def test_by_call_id() -> None:
    known = (contact("sip:1@h", 7, call_id="other"),)
    assert [item.id for item in decided(known, ("sip:1@h", 60), rules=Rules(by_call_id=True))] == [7, 100]


@pytest.mark.pure
def test_each_of_many_contacts_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever registers more than any memory of URIs holds does not stop the server with one request."""
    uris: list[str] = []

    def reading(text: str) -> Uri:
        uris.append(text)
        return parse_uri(text)

    monkeypatch.setattr(registering, "readable_uri", reading)
    many = tuple(contact(f"sip:u@192.0.2.1:{port}", id_=port) for port in range(1000, 1100))
    items = wanted(*((f"sip:u@192.0.2.2:{port}", 3600) for port in range(1000, 1020)))
    decide(many, Registration("phone", 2, items), HERE, Rules(), NOW, count(5000).__next__)
    assert len(uris) == len(set(uris)) == 100 + 20
