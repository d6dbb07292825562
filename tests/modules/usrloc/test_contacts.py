"""Contacts: found, compared and ordered."""

from __future__ import annotations

from openpy.modules.usrloc.contacts import Age, Contacts, Rules, age, alive, find, in_order, placed
from tests.modules.usrloc.kit import NOW, contact, renewed

RULES = Rules()


def test_a_contact_is_valid_until_it_expires_or_for_ever() -> None:
    assert contact(expires=NOW + 1).is_valid(NOW)
    assert not contact(expires=NOW).is_valid(NOW)
    assert contact(expires=0).is_valid(NOW)
    assert "sip:bob@192.0.2.7" in repr(contact())


def test_a_refresh_changes_times_and_cseq_only() -> None:
    first = contact()
    assert renewed(first, expires=NOW + 7200, cseq=2, modified=NOW + 60).is_refresh_of(first)
    for field, value in {
        "uri": "sip:x@y",
        "call_id": "other",
        "q": 500,
        "received": "sip:1.2.3.4",
        "path": "<sip:p>",
        "socket": "udp:1.2.3.4:5060",
        "user_agent": "x",
        "methods": 1,
        "flags": 1,
        "branch_flags": 1,
    }.items():
        assert not renewed(first, **{field: value}).is_refresh_of(first), field


def test_found_as_written_before_equal() -> None:
    upper, lower = contact("sip:bob@HOST", 1), contact("sip:bob@host", 2)
    assert find((upper, lower), "sip:bob@host", "c", RULES) is lower
    assert find((upper,), "sip:bob@host", "c", RULES) is upper
    assert find((upper,), "sip:bob@host;transport=tcp", "c", RULES) is None
    assert find((), "sip:bob@host", "c", RULES) is None


def test_what_is_no_uri_is_equal_to_itself_only() -> None:
    strange = contact("no uri at all")
    assert find((strange,), "no uri at all", "c", RULES) is strange
    assert find((strange,), "sip:bob@host", "c", RULES) is None
    assert find((contact(),), "nor this", "c", RULES) is None


def test_by_call_id_too() -> None:
    rules = Rules(by_call_id=True)
    one, two = contact(call_id="one"), contact(id_=2, call_id="two")
    assert find((one, two), one.uri, "two", rules) is two
    assert find((one, two), "SIP:BOB@192.0.2.7".replace("BOB", "bob"), "two", rules) is two
    assert find((one,), one.uri, "two", rules) is None


def test_the_age_of_a_request() -> None:
    known = contact(cseq=5, modified=NOW)
    assert age(known, "phone", 6, NOW, RULES) is Age.NEWER
    assert age(known, "phone", 4, NOW, RULES) is Age.OLDER
    assert age(known, "phone", 5, NOW + 19, RULES) is Age.AGAIN
    assert age(known, "phone", 5, NOW + 20, RULES) is Age.OLDER
    assert age(known, "phone", 5, NOW, Rules(cseq_delay=0)) is Age.OLDER
    assert age(known, "restarted", 1, NOW, RULES) is Age.NEWER


def test_placed_by_q_behind_those_of_equal_q() -> None:
    found: Contacts = ()
    for number, q in enumerate((500, 700, -1, 500)):
        found = placed(found, contact(f"sip:{number}@h", number, q=q), RULES)
    assert [(item.id, item.q) for item in found] == [(1, 700), (0, 500), (3, 500), (2, -1)]


def test_an_update_keeps_its_place_unless_q_changes() -> None:
    """1.3 sorted ascending after such an update."""
    one, two, three = (contact(f"sip:{n}@h", n, q=q) for n, q in ((1, 900), (2, 500), (3, 500)))
    everyone = (one, two, three)
    assert [item.id for item in placed(everyone, renewed(two, cseq=2), RULES)] == [1, 2, 3]
    assert [item.id for item in placed(everyone, renewed(three, q=1000), RULES)] == [3, 1, 2]
    assert [item.id for item in placed(everyone, renewed(one, q=100), RULES)] == [2, 3, 1]


def test_the_newest_first() -> None:
    rules = Rules(newest_first=True)
    one, two = contact("sip:1@h", 1), contact("sip:2@h", 2)
    assert placed((one,), two, rules) == (two, one)
    assert [item.id for item in placed((two, one), renewed(one, cseq=2), rules)] == [1, 2]


def test_one_that_replaces_the_only_one() -> None:
    one = contact()
    again = renewed(one, cseq=2)
    assert placed((one,), again, RULES) == (again,)


def test_rows_in_order() -> None:
    one, two = contact("sip:1@h", 1, q=100, modified=NOW + 1), contact("sip:2@h", 2, q=200)
    assert in_order((one, two), RULES) == (two, one)
    assert in_order((two, one), Rules(newest_first=True)) == (one, two)
    assert in_order((one,), RULES) == (one,)


def test_the_living_are_the_same_tuple_where_all_live() -> None:
    everyone = (contact(), contact("sip:x@y", 2, expires=NOW + 5))
    assert alive(everyone, NOW) is everyone
    assert alive(everyone, NOW + 5) == everyone[:1]
