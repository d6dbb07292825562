"""What presence rules make of a watcher."""

from math import inf

import pytest

from openpy.documents import rules
from openpy.documents.transformations import Unmentioned
from openpy.modules.presence.api import ACTIVE, PENDING, TERMINATED, EventPackage, Subs
from openpy.modules.presence_xml.policy import Policy
from tests.modules.presence.kit import ALICE, PIDF, presence, ruleset

PACKAGE = EventPackage("presence", PIDF)
NOTE = "<note>in the bath</note>"


def subs(document: bytes | None, body: bytes = b"", now: float = 0) -> Subs:
    made = Subs(ALICE, PACKAGE, from_user="bob", from_domain="example.org", published=body, now=now)
    made.auth_rules_doc = None if document is None else rules.parse(document)
    return made


def shown(policy: Policy, document: bytes, body: bytes) -> bytes | None:
    asked = subs(document, body)
    verdict = policy.status(asked)
    asked.reason, asked.view = verdict.reason, verdict.view
    return policy.shown(body, asked)


@pytest.mark.parametrize(
    ("handling", "status", "reason"),
    [
        ("allow", ACTIVE, ""),
        ("polite-block", ACTIVE, "polite-block"),
        ("block", TERMINATED, "rejected"),
        ("confirm", PENDING, ""),
    ],
)
def test_xc_16_xc_17_every_sub_handling(handling: str, status: int, reason: str) -> None:
    verdict = Policy(Unmentioned.SHOWN).status(subs(ruleset(f"* {handling}")))
    assert (verdict.status, verdict.reason, verdict.until, verdict.by_state) == (status, reason, inf, False)


def test_xc_18_who_is_in_no_rule_is_pending() -> None:
    policy = Policy(Unmentioned.SHOWN)
    assert policy.status(subs(ruleset("sip:carol@example.org allow"))).status == PENDING
    assert policy.status(subs(None)).status == PENDING


def test_equal_rules_give_equal_views() -> None:
    policy = Policy(Unmentioned.SHOWN)
    one, two = (policy.status(subs(ruleset("* allow"))) for _ in range(2))
    assert one.view == two.view
    assert hash(one.view) == hash(two.view)


def test_xc_14_a_verdict_holds_until_the_next_change() -> None:
    document = (
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions><validity>'
        b"<from>1970-01-01T00:00:10Z</from><until>1970-01-01T00:00:20Z</until></validity></conditions>"
        b"<actions><sub-handling>allow</sub-handling></actions></rule></ruleset>"
    )
    policy = Policy(Unmentioned.SHOWN)
    verdicts = [policy.status(subs(document, now=now)) for now in (0, 15, 25)]
    assert [(item.status, item.until) for item in verdicts] == [(PENDING, 10), (ACTIVE, 20), (PENDING, inf)]


def test_xc_15_the_sphere_in_the_body_decides() -> None:
    document = (
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions>'
        b'<sphere value="work"/></conditions><actions><sub-handling>allow</sub-handling></actions></rule></ruleset>'
    )
    policy = Policy(Unmentioned.SHOWN)
    body = (
        b'<presence xmlns="urn:ietf:params:xml:ns:pidf"><person xmlns="urn:ietf:params:xml:ns:pidf:data-model">'
        b'<r:sphere xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"><r:work/></r:sphere></person></presence>'
    )
    verdict = policy.status(subs(document, body))
    assert (verdict.status, verdict.by_state) == (ACTIVE, True)
    for other in (b"", b"<sphere>broken"):
        assert policy.status(subs(document, other)).status == PENDING


def test_d21_rules_without_transformations_show_everything_as_1_3_or_hide_it_as_rfc_5025() -> None:
    document = ruleset("* allow")
    body = presence(more=NOTE)
    assert shown(Policy(Unmentioned.SHOWN), document, body) == body
    hidden = shown(Policy(Unmentioned.HIDDEN), document, body)
    assert hidden is not None
    assert b"bath" not in hidden
    assert b"tuple" not in hidden


def test_xc_19_what_rfc_5025_grants_is_shown() -> None:
    policy = Policy(Unmentioned.HIDDEN)
    granted = (
        "<p:provide-services><p:all-services/></p:provide-services><p:provide-note>true</p:provide-note>"
    )
    found = shown(policy, ruleset(f"* allow {granted}"), presence(more=NOTE))
    assert found is not None
    assert b"bath" in found
    assert b"<tuple" in found


def test_where_nothing_is_published_only_the_politely_blocked_see_something() -> None:
    policy = Policy(Unmentioned.SHOWN, b"secret")
    assert shown(policy, ruleset("* allow"), b"") is None
    polite = shown(policy, ruleset("* polite-block"), b"")
    assert polite is not None
    assert b"closed" in polite
    assert shown(policy, ruleset("* polite-block"), presence(more=NOTE)) == polite
    assert shown(Policy(Unmentioned.SHOWN), ruleset("* polite-block"), b"") != polite
